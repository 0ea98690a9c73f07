"""Residuals at a vision-language model's image tokens.

Shapes: B images in a batch, T tokens, d = d_model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mosaic.errors import MosaicError
from mosaic.models.blocks import find_blocks, outputs_of


def image_residuals(model, inputs: dict, layers: Sequence[int], image_token: int) -> tuple[dict, np.ndarray]:
    """({layer: [all image tokens, d]}, tokens of each image) of one batch of model inputs.

    layers count the language model's blocks from 0. Raises MosaicError for an image without image tokens.
    """
    import torch

    mask = inputs["input_ids"] == image_token
    counts = mask.sum(1).cpu().numpy()
    if not counts.all():
        raise MosaicError(
            f"image {int(np.flatnonzero(counts == 0)[0])} of the batch has no image token ({image_token}). Each prompt "
            "holds the model's image tokens in front."
        )
    blocks = find_blocks(model)
    with outputs_of({layer: blocks[layer] for layer in layers}) as captured, torch.inference_mode():
        model(**inputs)
    return {layer: x[mask].float() for layer, x in captured.items()}, counts


def tower_states(model, inputs: dict) -> tuple[np.ndarray, np.ndarray]:
    """([all patches, d of the tower], patches of each image): the vision tower's last states, before the projector.

    Raises MosaicError for a model without a vision tower.
    """
    import torch

    tower = next((part for name, part in model.named_modules() if name.rsplit(".", 1)[-1] == "vision_tower"), None)
    if tower is None:
        raise MosaicError(f"{type(model).__name__} has no module named vision_tower, whose states were asked for.")
    with torch.inference_mode():
        states = tower(pixel_values=inputs["pixel_values"]).last_hidden_state
    counts = np.full(len(states), states.shape[1])
    return states.flatten(0, 1).float().cpu().numpy(), counts
