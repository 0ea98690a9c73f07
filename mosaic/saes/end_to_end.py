"""End-to-end sparse dictionary learning: an SAE that is asked to keep what the model says, not what its residual stream is.

An SAE reads the residual a after a block, c = ReLU(W_e a + b_e), and writes a^ = D^T c + b_d, the rows of D of length one. The
language model stays as it is; a^ takes a's place at real tokens, and later blocks k and the head run on it. The three losses
(Braun et al., arXiv 2405.12241, section 2), each a mean over tokens, with phi = lambda / d:

    local    |a - a^|^2                                                            + phi |c|_1
    e2e      KL(y, y^)                                                             + phi |c|_1
    e2e+ds   KL(y, y^) + beta / (L - l) sum_{k > l} |a^(k) - a^^(k)|^2             + phi |c|_1

where y is what the model says as it is, y^ what it says of a^, KL(y, y^) = sum_v y_v log(y_v / y^_v) in nats, and L - l the number
of later blocks. lambda means another thing in each loss: they are compared along their curves, never at one lambda.

Shapes: N tokens, d = d_model, D = width (latents), V = vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mosaic.errors import MosaicError
from mosaic.models.splicing import Pass
from mosaic.saes.recipe import width_name

if TYPE_CHECKING:
    import torch

LOCAL, E2E, DOWNSTREAM = "local", "e2e", "e2e+ds"
LOSSES = (LOCAL, E2E, DOWNSTREAM)


@dataclass(frozen=True)
class EndToEndSpec:
    """One SAE to train. loss: of LOSSES. sparsity: lambda. beta: weight of the downstream errors (e2e+ds alone). seed: of its start only."""

    loss: str
    layer: int
    width: int
    sparsity: float
    seed: int = 0
    beta: float = 0.0

    @property
    def name(self) -> str:
        loss = self.loss.replace("+", "_")
        return f"{loss}_layer_{self.layer}_width_{width_name(self.width)}_lambda_{self.sparsity:g}_seed_{self.seed}"


@dataclass(frozen=True)
class EndToEndRun:
    """How long and how fast. documents: read in all, `batch` of them a step (epochs repeat them in a new order). The rate of Adam
    rises over the first `warm_up` of the steps and falls along a cosine to `last` of it. clip: largest norm of a gradient.
    seed: of the documents' order. held_out: share of the texts that is not trained on. checkpoint_steps: lost at most.
    """

    documents: int = 16_000
    batch: int = 16
    learning_rate: float = 1e-3
    warm_up: float = 0.05
    last: float = 0.1
    clip: float = 10.0
    held_out: float = 0.02
    seed: int = 0
    checkpoint_steps: int = 100

    @property
    def steps(self) -> int:
        return self.documents // self.batch


@dataclass(frozen=True)
class ReluSAE:
    """c = ReLU(W_e a + b_e), a^ = D^T c + b_d. W_enc: [d, D], W_dec: [D, d], b_enc: [D], b_dec: [d]: leaves that learn.

    The rows of D are those of W_dec divided by their lengths, so that no step lengthens them.
    """

    W_enc: torch.Tensor
    b_enc: torch.Tensor
    W_dec: torch.Tensor
    b_dec: torch.Tensor

    @classmethod
    def new(cls, d: int, width: int, seed: int, device: str = "cpu") -> ReluSAE:
        """Random rows of length one, encoder and decoder tied, biases zero."""
        import torch

        rows = torch.randn(width, d, generator=torch.Generator().manual_seed(seed))
        rows = rows / rows.norm(dim=1, keepdim=True)
        start = (rows.T.contiguous(), torch.zeros(width), rows.clone(), torch.zeros(d))
        return cls(*(tensor.to(device).requires_grad_() for tensor in start))

    def centre(self, mean: torch.Tensor) -> None:
        """Start at the mean [d] of the residuals: it is what no active latent gives, and a latent reads what differs from it."""
        self.b_dec.data.copy_(mean)
        self.b_enc.data.copy_(-mean @ self.W_enc.data)

    @property
    def parameters(self) -> dict[str, torch.Tensor]:
        return vars(self)

    @property
    def rows(self) -> torch.Tensor:
        """[D, d]: the decoder."""
        return self.W_dec / self.W_dec.norm(dim=1, keepdim=True)

    def encode(self, a: torch.Tensor) -> torch.Tensor:
        return (a @ self.W_enc + self.b_enc).relu()

    def decode(self, c: torch.Tensor) -> torch.Tensor:
        return c @ self.rows + self.b_dec


def kl(before: Pass, after: Pass) -> torch.Tensor:
    """[N]: KL(before || after) in nats, of what two passes say comes next."""
    import torch

    # torch names the second distribution first.
    return torch.nn.functional.kl_div(after.log_p, before.log_p, reduction="none", log_target=True).sum(-1)


def squared_errors(before: Mapping[int, torch.Tensor], after: Mapping[int, torch.Tensor]) -> dict[int, torch.Tensor]:
    """{layer: [N]}: squared distance of the residuals after each block that `after` has."""
    return {k: (x - before[k]).square().sum(-1) for k, x in after.items()}


def loss(
    spec: EndToEndSpec, a: torch.Tensor, c: torch.Tensor, decoded: torch.Tensor, before: Pass | None, after: Pass | None
) -> torch.Tensor:
    """The loss of one batch; a, decoded: [N, d]; c: [N, D]. before, after: the two passes, which the local loss does not read."""
    total = spec.sparsity / a.shape[-1] * c.abs().sum(-1).mean()
    if spec.loss == LOCAL:
        return total + (a - decoded).square().sum(-1).mean()
    total = total + kl(before, after).mean()
    if spec.loss == DOWNSTREAM:
        errors = squared_errors(before.residuals, after.residuals)
        total = total + spec.beta / len(errors) * sum(error.mean() for error in errors.values())
    return total


def check_specs(specs: Sequence[EndToEndSpec], run: EndToEndRun) -> None:
    """Raises MosaicError for an unknown loss, a negative weight, a weight that its loss does not read, two SAEs of one name, several
    layers, or a run of less than two steps."""
    names = [spec.name for spec in specs]
    for spec in specs:
        if spec.loss not in LOSSES:
            raise MosaicError(f"loss {spec.loss!r} is not one of {', '.join(LOSSES)}.")
        if spec.sparsity < 0 or spec.beta < 0:
            raise MosaicError(f"{spec.name}: lambda {spec.sparsity:g} and beta {spec.beta:g} must not be below 0.")
        if (spec.beta > 0) != (spec.loss == DOWNSTREAM):
            raise MosaicError(
                f"{spec.name}: beta is {spec.beta:g}. It weighs the downstream errors of {DOWNSTREAM}, which needs one above "
                "0; the other losses have none."
            )
        if names.count(spec.name) > 1:
            raise MosaicError(f"two SAEs are called {spec.name}. Train each once.")
    if len({spec.layer for spec in specs}) != 1:
        raise MosaicError(
            "SAEs that learn together read one layer. Train those of another layer in a run of their own."
        )
    if run.steps < 2:
        raise MosaicError(f"{run.documents} documents are not two batches of {run.batch}. Give more documents.")
