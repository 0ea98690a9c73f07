"""Which SAEs of the three losses stand side by side: lambda swept loss by loss, and some values of it from several seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mosaic.errors import MosaicError
from mosaic.models.language import ModelSpec
from mosaic.saes.end_to_end import DOWNSTREAM, LOSSES, EndToEndRun, EndToEndSpec


@dataclass(frozen=True)
class EndToEndSuite:
    """sparsities: {loss: its values of lambda, ascending}; repeated: {loss: those that `seeds` are trained at}, chosen so that they cost
    the model about the same; local may have a second one, of about the others' L0. beta: of e2e+ds. run: how long and how fast.
    context: tokens of each text that are read (None: as many as the model's `max_length`)."""

    layer: int
    width: int
    sparsities: Mapping[str, tuple[float, ...]] = field(hash=False)
    repeated: Mapping[str, tuple[float, ...]] = field(hash=False)
    beta: float
    seeds: tuple[int, ...] = (0, 1, 2)
    run: EndToEndRun = field(default_factory=EndToEndRun)
    context: int | None = None

    def cut(self, model: ModelSpec) -> ModelSpec:
        """The model as these SAEs read it."""
        return model if self.context is None else replace(model, max_length=self.context)

    def specs(self) -> list[EndToEndSpec]:
        """Every SAE to train: seed 0 at every lambda, loss by loss, then the other seeds."""
        first = [
            EndToEndSpec(loss, self.layer, self.width, value, self.seeds[0], self.beta if loss == DOWNSTREAM else 0.0)
            for loss, values in self.sparsities.items()
            for value in values
        ]
        again = [spec for spec in first if spec.sparsity in self.repeated[spec.loss]]
        return first + [replace(spec, seed=seed) for spec in again for seed in self.seeds[1:]]


def check_suite(suite: EndToEndSuite) -> None:
    """Raises MosaicError where a loss is missing or unknown, has no lambda or one twice, or is repeated at none of its own, for a context of
    less than two tokens, and for no seed or one that stands twice: their curves or their seeds could not be compared."""
    for what, by_loss in (("sparsities", suite.sparsities), ("repeated", suite.repeated)):
        if sorted(by_loss) != sorted(LOSSES):
            raise MosaicError(
                f"{what} has the losses {', '.join(by_loss) or 'none'}; {', '.join(LOSSES)} are expected."
            )
    for loss, values in suite.sparsities.items():
        if not values or len(set(values)) != len(values):
            raise MosaicError(f"sparsities, {loss}: {list(values)} are not one or more values of lambda, each once.")
        if not suite.repeated[loss] or not set(suite.repeated[loss]) <= set(values):
            raise MosaicError(f"repeated, {loss}: {list(suite.repeated[loss])} are not some of {list(values)}.")
    if suite.context is not None and suite.context < 2:
        raise MosaicError(f"context: {suite.context} tokens have no next one to foretell. Give 2 or more.")
    if not suite.seeds or len(set(suite.seeds)) != len(suite.seeds):
        raise MosaicError(f"seeds: {list(suite.seeds)} are not one or more seeds, each once.")
