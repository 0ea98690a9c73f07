"""What sets one architecture's training apart from another's: how it starts, a step, and what is saved in the end.

Shapes: n tokens of a batch, d = d_model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from mosaic.models.language import LanguageModel
from mosaic.saes import archetypal, llama_scope
from mosaic.saes.recipe import LEVELS, SAESpec

if TYPE_CHECKING:
    import torch

LENS_KINDS = {  # SAELens's name of what learns
    "topk": "TopK",
    "batchtopk": "BatchTopK",
    "standard": "Standard",
    "gated": "Gated",
    "jumprelu": "JumpReLU",
    "llama_scope": "TopK",
    "matryoshka": "MatryoshkaBatchTopK",
    "archetypal": "TopK",
}


class Stream(Protocol):
    """Batches {layer: x [batch_size, d]} without end, reached from any number on, of one language model."""

    lm: LanguageModel

    def batches(self, first: int = 0) -> Iterator[dict[int, torch.Tensor]]: ...


def new_sae(spec: SAESpec, lm: LanguageModel, n_steps: int = 1):
    """An untrained SAE, as its training starts from (an archetypal one before `started` gives it centroids)."""
    import sae_lens
    import torch
    from sae_lens.saes.sae import SAEMetadata

    block = lm.blocks[spec.layer - lm.spec.first_layer]
    hook = next(name for name, module in lm.model.named_modules() if module is block)
    shared = dict(
        d_in=lm.d_model,
        d_sae=spec.width,
        normalize_activations="expected_average_only_in",
        device=lm.device,
        metadata=SAEMetadata(model_name=lm.spec.id, hook_name=hook, context_size=lm.spec.max_length, seed=spec.seed),
    )
    warm_up = n_steps // 10
    own = {
        "topk": lambda: {"k": spec.k, "use_sparse_activations": False},
        "batchtopk": lambda: {"k": spec.k},
        "matryoshka": lambda: {"k": spec.k, "matryoshka_widths": [spec.width // level for level in LEVELS]},
        # As in the paper: no auxiliary loss; columns of length sqrt(2 / expansion).
        "llama_scope": lambda: {
            "k": spec.k,
            "use_sparse_activations": False,
            "aux_loss_coefficient": 0.0,
            "decoder_init_norm": (2 * lm.d_model / spec.width) ** 0.5,
        },
        "archetypal": lambda: {"k": spec.k, "use_sparse_activations": False},
        "standard": lambda: {"l1_coefficient": spec.l1, "l1_warm_up_steps": warm_up},
        "gated": lambda: {"l1_coefficient": spec.l1, "l1_warm_up_steps": warm_up},
        # GemmaScope 2's loss, (L0 / target - 1)^2, reaches a wanted L0 without a search for its weight.
        "jumprelu": lambda: {
            "jumprelu_sparsity_loss_mode": "quadratic",
            "target_l0": spec.k,
            "l0_warm_up_steps": warm_up,
        },
    }[spec.architecture]()
    kind = f"{LENS_KINDS[spec.architecture]}TrainingSAE"
    torch.manual_seed(spec.seed)
    sae = getattr(sae_lens, kind)(getattr(sae_lens, f"{kind}Config")(**shared, **own))
    if spec.architecture == "archetypal":
        archetypal.constrain(sae)
    return sae


def started(sae, spec: SAESpec, first: Sequence[torch.Tensor]) -> None:
    """What a start needs the stream's first batches for, [n, d] each, scaled as the SAE's inputs will be."""
    import torch

    if spec.architecture == "archetypal":
        archetypal.start(sae, torch.cat(list(first)), spec.seed if spec.centroids is None else spec.centroids)


@contextmanager
def stepping(sae, spec: SAESpec, step: int, n_steps: int) -> Iterator[None]:
    """The setting of one step: K where it is annealed, and a constrained decoder computed once."""
    from torch.nn.utils import parametrize

    if spec.architecture == "llama_scope":
        start = min(sae.cfg.d_in, sae.cfg.d_sae)
        sae.activation_fn.k = llama_scope.annealed_k(step, n_steps, start, spec.k, spec.anneal)
    with parametrize.cached():
        yield


def released(sae, spec: SAESpec) -> None:
    """Free a trained decoder of what constrained it."""
    if spec.architecture == "archetypal":
        archetypal.release(sae)


def finished(sae, spec: SAESpec, n_steps: int, stream: Stream):
    """What is saved of a trained SAE that scales no input any more: itself, or for llama_scope the JumpReLU SAE it becomes."""
    if spec.architecture != "llama_scope":
        return sae
    first = max(0, n_steps - llama_scope.CALIBRATION_BATCHES)
    last = [batch[spec.layer] for batch, _ in zip(stream.batches(first), range(n_steps - first), strict=False)]
    return llama_scope.to_jumprelu(sae, last, spec.k)
