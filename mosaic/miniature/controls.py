"""SAEs by the recipe of mini-small's, that learn in part or of something else: what a trained SAE of texts is held against.

Each has layer 3, width 1k and the tokens of the SAE it is a control of (`saes-small/layer_3_width_1k_seed_0`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from mosaic.miniature.opened import opened
from mosaic.models.language import LanguageModel, ModelSpec
from mosaic.models.vision import VisionModel
from mosaic.saes.recipe import SAESpec, TrainRun

FOLDER = "controls"
LAYER, WIDTH, N_LATENTS = 3, "1k", 1024


@dataclass(frozen=True)
class Control:
    """What sets one SAE apart from the one it is a control of.

    frozen_decoder: the decoder stays as it was drawn (arXiv 2602.14111). random_weights: seed of an untrained language model,
    on whose residual stream it learns (arXiv 2501.17727). images: it learns mini-vision's image tokens in place of texts.
    """

    frozen_decoder: bool = False
    random_weights: int | None = None
    images: bool = False
    tokens: int = 1_000_000


CONTROLS = {
    "frozen_decoder": Control(frozen_decoder=True),
    "untrained_model": Control(random_weights=0),
    "image_tokens": Control(images=True),
}


def folder(out: Path, name: str) -> Path:
    """Where the SAE of a control stands."""
    return out / FOLDER / name / f"layer_{LAYER}_width_{WIDTH}_seed_0"


def train_control(out: Path, name: str, device: str) -> dict:
    """Train one control and measure it on what it did not learn from; the rows of its card."""
    from mosaic.miniature.image_saes import train_image_sae
    from mosaic.saes.training import train
    from mosaic.world.corpus import sae_texts

    control = CONTROLS[name]
    spec = SAESpec(LAYER, N_LATENTS, 32, architecture="batchtopk", frozen_decoder=control.frozen_decoder)
    run = TrainRun(tokens=control.tokens)
    model = opened(out, "mini-small", device, control.random_weights)
    to = folder(out, name).parent
    if control.images:
        return {"saes": train_image_sae(model, _seeing(out, model), spec, run, to)}
    return {"saes": train(model, sae_texts(), [spec], run, to)}


def _seeing(out: Path, model: LanguageModel) -> VisionModel:
    """mini-vision, on the device of mini-small, whose tokenizer it has."""
    from mosaic.miniature import vision

    return vision.opened(ModelSpec(str(out / "mini-vision")), model.tokenizer, model.device)


def measure_controls(out: Path, texts: list[str], device: str) -> dict[str, dict[str, float]]:
    """{control: L0, fraction of variance unexplained and dead latents} on held-out texts, or on images of its own."""
    from mosaic.miniature.image_saes import HELD_OUT, image_tokens, training_images
    from mosaic.saes.measuring import measure_activations, measure_sae

    figures = {}
    for name, control in CONTROLS.items():
        model = opened(out, "mini-small", device, control.random_weights)
        if control.images:
            x = image_tokens(_seeing(out, model), LAYER, training_images(0)[:HELD_OUT])
            measured, _ = measure_activations(folder(out, name), x)
        else:
            measured = measure_sae(folder(out, name), model, model.tokenize(texts), LAYER)
        figures[f"{FOLDER}/{name}"] = {key: measured[key] for key in ("l0", "fvu", "dead")}
    return figures


def recipes() -> dict[str, dict]:
    """{step: what decides it}."""
    return {f"{FOLDER}/{name}": asdict(control) for name, control in CONTROLS.items()}
