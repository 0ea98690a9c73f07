"""Images through text SAEs: a vision-language model's image tokens are read like words of its language model.

The residual stream at the image tokens after a block feeds the SAEs that were trained on text alone; their
latents are pooled over the image's tokens (MOSAIC, arXiv 2502.11367, its vision experiment).

Shapes: B images in a batch, T tokens, d = d_model.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence

import numpy as np

from mosaic.errors import MosaicError
from mosaic.features import FeatureTable, concatenate, text_ids
from mosaic.lm import find_blocks
from mosaic.pooling import pool_dense, pool_sparse


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
    captured: dict[int, torch.Tensor] = {}
    with contextlib.ExitStack() as stack, torch.inference_mode():
        blocks = find_blocks(model)
        for layer in set(layers):

            def keep(_module, _inputs, output, layer=layer):
                captured[layer] = output if isinstance(output, torch.Tensor) else output[0]

            stack.callback(blocks[layer].register_forward_hook(keep).remove)
        model(**inputs)
    return {layer: x[mask].float() for layer, x in captured.items()}, counts


def image_tables(
    model,
    batches: Iterable[dict],
    ids: Sequence[str],
    image_token: int,
    encoders: Sequence = (),
    hidden_layers: Sequence[int] = (),
    poolings: Sequence[str] = ("max",),
) -> list[FeatureTable]:
    """One FeatureTable per (SAE, pooling) and per (hidden layer, pooling), rows in the order of the batches.

    ids: a name an image, the rows' ids. The tables have the form of `mosaic.extract.extract`'s.
    """
    layers = sorted({encoder.layer for encoder in encoders} | set(hidden_layers))
    pieces: list[list[FeatureTable]] = []
    done = 0
    row_ids = text_ids(list(ids))
    for inputs in batches:
        residuals, counts = image_residuals(model, inputs, layers, image_token)
        starts = np.concatenate([[0], counts.cumsum()])
        some = slice(done, done + len(counts))
        done += len(counts)
        shared = (row_ids[some], counts.astype(np.int32), np.zeros(len(counts), dtype=bool))
        made = [
            FeatureTable(
                matrix, *shared, {"features": "sae", "layer": e.layer, "width": e.width, "sae": e.name, "pooling": p}
            )
            for e in encoders
            for p, matrix in pool_sparse(e.encode(residuals[e.layer]), starts, poolings).items()
        ]
        made += [
            FeatureTable(matrix, *shared, {"features": "hidden", "layer": layer, "pooling": p})
            for layer in hidden_layers
            for p, matrix in pool_dense(residuals[layer].cpu().numpy(), starts, poolings).items()
        ]
        pieces.append(made)
    return [concatenate(list(parts)) for parts in zip(*pieces, strict=True)]
