"""SAEs by other recipes beside mini's TopK SAEs of several seeds: one layer, width, k, stream of tokens and rate for all.

They stand apart from the sweep over seeds (`build.SEEDS`), whose base, TopK, and whose BatchTopK they are compared with.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from mosaic.miniature.opened import opened
from mosaic.saes.recipe import SAESpec, TrainRun, other_recipes

FOLDER = "recipes"
LAYER, WIDTH, K, TOKENS, TEXTS = 3, 512, 8, 2_000_000, 90_000  # as the base of build.SEEDS
SEEDS = (0, 1, 2)


def specs() -> list[SAESpec]:
    """Every SAE of the step: each recipe from each seed."""
    return other_recipes(LAYER, WIDTH, K, SEEDS)


def recipe() -> dict:
    """What decides the step."""
    return {"saes": [asdict(spec) for spec in specs()], "tokens": TOKENS, "texts": TEXTS}


def train_recipes(out: Path, device: str) -> dict:
    """Train them all on one stream, as `build.SEEDS` was trained, and write their card."""
    from mosaic.saes.training import train
    from mosaic.world.corpus import sae_texts

    run = TrainRun(tokens=TOKENS, batch_size=512)
    model = opened(out, "mini-small", device)
    return {"saes": len(train(model, sae_texts(TEXTS), specs(), run, out / FOLDER))}
