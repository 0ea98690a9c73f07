"""Images through text SAEs: a vision-language model's image tokens are read like words of its language model.

The residual stream at the image tokens after a block feeds the SAEs that were trained on text alone; their
latents are pooled over the image's tokens (MOSAIC, arXiv 2502.11367, its vision experiment).

Shapes: B images in a batch, T tokens, d = d_model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from mosaic.features.pooling import pool_dense, pool_sparse
from mosaic.features.table import FeatureTable, concatenate
from mosaic.models.images import image_residuals, tower_states
from mosaic.progress import Progress
from mosaic.texts.ids import text_ids


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

    ids: a name an image, the rows' ids. The tables have the form of `mosaic.features.extract.extract`'s.
    """
    layers = sorted({encoder.layer for encoder in encoders} | set(hidden_layers))
    pieces: list[list[FeatureTable]] = []
    row_ids = text_ids(list(ids))
    for inputs, part in _told(batches, len(ids)):
        residuals, counts = image_residuals(model, inputs, layers, image_token)
        starts = np.concatenate([[0], counts.cumsum()])
        shared = _rows(row_ids[part], counts)
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


def tower_tables(model, batches: Iterable[dict], ids: Sequence[str], poolings: Sequence[str]) -> list[FeatureTable]:
    """One table a pooling of the vision tower's last states over an image's patches: no language model has read them."""
    pieces = []
    row_ids = text_ids(list(ids))
    for inputs, part in _told(batches, len(ids)):
        states, counts = tower_states(model, inputs)
        starts = np.concatenate([[0], counts.cumsum()])
        shared = _rows(row_ids[part], counts)
        pooled = pool_dense(states, starts, poolings).items()
        pieces.append([FeatureTable(x, *shared, {"features": "hidden", "layer": 0, "pooling": p}) for p, x in pooled])
    return [concatenate(list(parts)) for parts in zip(*pieces, strict=True)]


def pixel_table(images: Iterable[np.ndarray], ids: Sequence[str], side: int = 32) -> FeatureTable:
    """The images themselves, shrunk to side x side pixels, [n, side * side * channels] between 0 and 1, as one table."""
    from scipy.sparse import csr_matrix

    flat = np.stack([_shrunk(image, side).ravel() for image in images]).astype(np.float32) / 255
    about = {"features": "hidden", "layer": 0, "pooling": "pixels"}
    return FeatureTable(csr_matrix(flat), *_rows(text_ids(list(ids)), np.ones(len(flat), dtype=int)), about)


def _shrunk(image: np.ndarray, side: int) -> np.ndarray:
    """Each pixel the mean of those it stands for."""
    from PIL import Image

    if image.shape[:2] == (side, side):
        return image
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BOX))


def _told(batches: Iterable[dict], n: int) -> Iterator[tuple[dict, slice]]:
    """(inputs, numbers of their images) of each batch; how far it is is told."""
    done = 0
    with Progress("reading images", n, unit="images") as progress:
        for inputs in batches:
            size = len(inputs["input_ids"])
            yield inputs, slice(done, done + size)
            done += size
            progress.advance(size)


def _rows(row_ids: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(ids, tokens, truncated) of some images' rows."""
    return row_ids, counts.astype(np.int32), np.zeros(len(counts), dtype=bool)
