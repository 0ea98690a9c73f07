"""SAEs by other recipes beside mini's TopK SAEs of several seeds: one layer, width, k, stream of tokens and rate for all.

They stand apart from the sweep over seeds (`build.SEEDS`), whose base, TopK, and whose BatchTopK they are compared with.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from mosaic.miniature.opened import opened
from mosaic.saes.recipe import SAESpec, TrainRun

FOLDER = "recipes"
LAYER, WIDTH, K, TOKENS, TEXTS = 3, 512, 8, 2_000_000, 90_000  # as the base of build.SEEDS
SEEDS = (0, 1, 2)
RECIPES = (
    SAESpec(LAYER, WIDTH, K, architecture="llama_scope", tag="llama_scope"),
    SAESpec(LAYER, WIDTH, K, architecture="llama_scope", anneal=0.0, tag="llama_scope_no_annealing"),
    SAESpec(LAYER, WIDTH, K, architecture="matryoshka", tag="matryoshka"),
    SAESpec(LAYER, WIDTH, K, architecture="archetypal", tag="archetypal"),
    SAESpec(LAYER, WIDTH, K, architecture="archetypal", centroids=0, tag="archetypal_common_centroids"),
)


def specs() -> list[SAESpec]:
    """Every SAE of the step: each recipe from each seed."""
    return [replace(spec, seed=seed) for spec in RECIPES for seed in SEEDS]


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
