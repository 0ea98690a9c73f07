"""An SAE of mini-vision's image tokens, by the recipe of the SAEs of texts: what those of texts are held against.

Shapes: N image tokens, d = d_model.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mosaic.models.language import LanguageModel
from mosaic.models.vision import VisionModel
from mosaic.saes.recipe import SAESpec, TrainRun

if TYPE_CHECKING:
    import torch

DRAWINGS, DRAWINGS_SEED = 20_000, 40_000  # drawings of its own: no set of images has them
HELD_OUT = 400  # images that are not trained on


@dataclass(frozen=True)
class ImageTokens:
    """Batches {layer: x [batch_size, d]} of image tokens held in memory, each epoch in an order of its own.

    lm: the language model behind the image tokens. x: {layer: [N, d]}. What does not fill an epoch's last batch is left out.
    """

    lm: LanguageModel
    x: dict[int, torch.Tensor]
    batch_size: int
    seed: int = 0

    def batches(self, first: int = 0) -> Iterator[dict[int, torch.Tensor]]:
        """Batch number `first` and all that follow, without end (there must be tokens for one batch)."""
        import torch

        n = len(next(iter(self.x.values())))
        each = n // self.batch_size
        for epoch in itertools.count(first // each):
            order = torch.from_numpy(np.random.default_rng([self.seed, epoch]).permutation(n))
            for i in range(first - epoch * each if epoch == first // each else 0, each):
                rows = order[i * self.batch_size : (i + 1) * self.batch_size]
                yield {layer: values[rows] for layer, values in self.x.items()}


def train_image_sae(lm: LanguageModel, seeing: VisionModel, spec: SAESpec, run: TrainRun, out: Path) -> list[dict]:
    """Train and measure one SAE on the image tokens of drawings and digits.

    lm: mini-small, whose blocks and tokens mini-vision has. seeing: mini-vision itself.

    Returns the rows of the card, as `saes.training.train` does; measured on images that were not trained on.
    """
    from mosaic.saes import lockstep, training
    from mosaic.saes.measuring import measure_activations, write_card

    images = training_images(run.seed)
    held, x = (image_tokens(seeing, spec.layer, part) for part in (images[:HELD_OUT], images[HELD_OUT:]))
    stream = ImageTokens(lm, {spec.layer: x}, run.batch_size, run.seed)
    identity = repr((spec, run, lm.spec, lm.weights_hash, DRAWINGS, DRAWINGS_SEED))
    seen = lockstep.train_on(stream, [spec], run, out, identity)
    figures = [measure_activations(out / spec.name, held)]
    rows = training.described([spec], seen, figures, out)
    write_card(rows, lm.spec.id, len(images), out)
    lockstep.end(out)
    return rows


def training_images(seed: int) -> np.ndarray:
    """[n, 32, 32, 3] in an order that the seed draws: drawings, and the digits of the training half."""
    from mosaic.world.images import digits, shapes

    images = np.concatenate([shapes(DRAWINGS, DRAWINGS_SEED)[0], digits(train=True)[0]])
    return images[np.random.default_rng(seed).permutation(len(images))]


def image_tokens(seeing: VisionModel, layer: int, images: np.ndarray) -> torch.Tensor:
    """[N, d] residuals of mini-vision's image tokens after a block, image by image, on the CPU."""
    import torch

    from mosaic.models.images import image_residuals
    from mosaic.progress import Progress

    parts = []
    with Progress("reading images", len(images), "images") as progress, torch.inference_mode():
        for batch in seeing.batches(images):
            parts.append(image_residuals(seeing.model, batch, [layer], seeing.image_token)[0][layer].cpu())
            progress.advance(len(batch["input_ids"]))
    return torch.cat(parts)
