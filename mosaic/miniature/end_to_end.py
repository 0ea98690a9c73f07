"""The miniature's end-to-end SAEs: three losses, four values of lambda each, and three seeds at one or two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mosaic.models.language import LanguageModel, ModelSpec
from mosaic.saes.end_to_end import DOWNSTREAM, E2E, LOCAL, EndToEndRun
from mosaic.saes.end_to_end_suite import EndToEndSuite
from mosaic.world.corpus import sae_texts

FOLDER = "end_to_end"


@dataclass(frozen=True)
class MiniatureSuite(EndToEndSuite):
    """model: of the miniature. texts: of its corpus that are read."""

    model: str = "mini-small"
    texts: int = 40_000


SUITE = MiniatureSuite(
    layer=3,
    width=512,
    sparsities={LOCAL: (150.0, 300.0, 450.0, 650.0), E2E: (0.05, 0.25, 0.8, 2.5), DOWNSTREAM: (0.5, 1.2, 2.5, 5.0)},
    repeated={LOCAL: (300.0, 450.0), E2E: (0.25,), DOWNSTREAM: (1.2,)},
    beta=1e-3,
    run=EndToEndRun(documents=25_600, learning_rate=5e-3),
)


def opened_with_head(out: Path, name: str, device: str) -> LanguageModel:
    """A model of the folder `out` with its head, named as people name it."""
    from mosaic.models.splicing import open_with_head

    lm = open_with_head(ModelSpec(str(out / name), max_length=128), device)
    return replace(lm, spec=replace(lm.spec, id=name))


def recipe() -> dict:
    """What decides the step."""
    return {name: value for name, value in asdict(SUITE).items() if value is not None}


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
