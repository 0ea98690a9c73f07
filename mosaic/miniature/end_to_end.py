"""The miniature's end-to-end SAEs: three losses, four values of lambda each, and three seeds at one or two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from mosaic.models.language import LanguageModel, ModelSpec
from mosaic.saes.end_to_end import DOWNSTREAM, E2E, LOCAL, EndToEndRun, EndToEndSpec
from mosaic.world.corpus import sae_texts

FOLDER = "end_to_end"


@dataclass(frozen=True)
class EndToEndSuite:
    """sparsities: {loss: its values of lambda, ascending}; repeated: {loss: those that `seeds` are trained at}, chosen so that they cost
    the model about the same; local has a second one, of about the others' L0. beta: of e2e+ds. texts: of the corpus that are read."""

    model: str = "mini-small"
    layer: int = 3
    width: int = 512
    sparsities: Mapping[str, tuple[float, ...]] = field(
        default_factory=lambda: {
            LOCAL: (150.0, 300.0, 450.0, 650.0),
            E2E: (0.05, 0.25, 0.8, 2.5),
            DOWNSTREAM: (0.5, 1.2, 2.5, 5.0),
        }
    )
    repeated: Mapping[str, tuple[float, ...]] = field(
        default_factory=lambda: {LOCAL: (300.0, 450.0), E2E: (0.25,), DOWNSTREAM: (1.2,)}
    )
    beta: float = 1e-3
    seeds: tuple[int, ...] = (0, 1, 2)
    texts: int = 40_000
    run: EndToEndRun = field(default_factory=lambda: EndToEndRun(documents=25_600, learning_rate=5e-3))

    def specs(self) -> list[EndToEndSpec]:
        """Every SAE to train: seed 0 at every lambda, loss by loss, then the other seeds."""
        first = [
            EndToEndSpec(loss, self.layer, self.width, value, 0, self.beta if loss == DOWNSTREAM else 0.0)
            for loss, values in self.sparsities.items()
            for value in values
        ]
        again = [spec for spec in first if spec.sparsity in self.repeated[spec.loss]]
        return first + [replace(spec, seed=seed) for spec in again for seed in self.seeds[1:]]


SUITE = EndToEndSuite()


def opened_with_head(out: Path, name: str, device: str) -> LanguageModel:
    """A model of the folder `out` with its head, named as people name it."""
    from mosaic.models.splicing import open_with_head

    lm = open_with_head(ModelSpec(str(out / name), max_length=128), device)
    return replace(lm, spec=replace(lm.spec, id=name))


def recipe() -> dict:
    """What decides the step."""
    return asdict(SUITE)


def train_suite(out: Path, device: str) -> dict:
    """Train all of them side by side; how many there are."""
    from mosaic.saes.end_to_end_training import train

    lm = opened_with_head(out, SUITE.model, device)
    return {"saes": len(train(lm, sae_texts(SUITE.texts), SUITE.specs(), SUITE.run, out / FOLDER))}


def measure_suite(out: Path, texts: Sequence[str], device: str) -> dict[str, float]:
    """L0 and added cross-entropy of every SAE on held-out texts, as the card of the miniature has them."""
    from mosaic.saes.end_to_end_measuring import measure_all, opened

    lm, specs = opened_with_head(out, SUITE.model, device), SUITE.specs()
    saes = [opened(out / FOLDER / spec.name, device) for spec in specs]
    found = measure_all(lm, lm.tokenize(texts), saes, SUITE.layer)
    figures = {spec.name: measured.figures() for spec, measured in zip(specs, found, strict=True)}
    return {f"{key} {name}": row[key] for name, row in figures.items() for key in ("l0", "added_ce")}
