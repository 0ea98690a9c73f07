"""The miniature's language models as SAEs are trained on them: named as people name them, wherever the folder lies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mosaic.models.language import LanguageModel


def opened(out: Path, name: str, device: str, random_weights: int | None = None) -> LanguageModel:
    """A model of the folder `out`; random_weights: the seed of an untrained copy."""
    from mosaic.models.language import ModelSpec
    from mosaic.models.opening import open_model

    model = open_model(ModelSpec(str(out / name), max_length=128, random_weights=random_weights), device)
    return replace(model, spec=replace(model.spec, id=name))
