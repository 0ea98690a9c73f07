"""The latents nearest to each one: by the directions they write, and by the tokens on which they fire together.

    cos_ij = <v_i, v_j> / (|v_i| |v_j|)
    phi_ij = (N n_ij - n_i n_j) / sqrt(n_i (N - n_i) n_j (N - n_j))

with v the decoder's rows, n_i the tokens on which i fires and n_ij those on which both do: phi is the correlation of the two
indicators. Both are made a block of rows at a time, so that no [A, A] array exists.

Shapes: N tokens, A latents that fire, k neighbours.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_matrix

AT_ONCE = 256  # rows of likenesses
DIGITS = 4  # to which likenesses are ranked; equal ones by number


def by_decoder(decoder: np.ndarray, k: int, wanted: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """([W, k] places of the nearest rows, [W, k] their cosines), the nearest first, none its own. decoder: [A, d]. wanted: [W] the
    rows whose neighbours are looked for (None: all)."""
    rows = decoder.astype(np.float64)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30)
    return _nearest(lambda part: rows[part] @ rows.T, len(rows), k, wanted)


def by_firing(fires: csr_matrix, k: int, wanted: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The same by phi. fires: [N, A] of bool; every latent fires somewhere. One that fires everywhere has phi 0 with all."""
    n = fires.shape[0]
    counted = fires.astype(np.float64).tocsc()
    counts = np.asarray(counted.sum(0)).ravel()
    spread = np.sqrt(counts * (n - counts))

    def phi(part: np.ndarray) -> np.ndarray:
        together = (counted[:, part].T @ counted).toarray()
        size = np.outer(spread[part], spread)
        return np.divide(n * together - np.outer(counts[part], counts), size, out=np.zeros(size.shape), where=size > 0)

    return _nearest(phi, len(counts), k, wanted)


def _nearest(
    likeness: Callable[[np.ndarray], np.ndarray], n: int, k: int, wanted: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    wanted = np.arange(n) if wanted is None else wanted
    k = max(min(k, n - 1), 0)
    places, values = np.zeros((len(wanted), k), dtype=int), np.zeros((len(wanted), k))
    for start in range(0, len(wanted), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        rows = wanted[part]
        block = np.round(likeness(rows), DIGITS)
        block[np.arange(len(rows)), rows] = -np.inf
        places[part] = np.argsort(-block, axis=1, kind="stable")[:, :k]
        values[part] = np.take_along_axis(block, places[part], axis=1)
    return places, values
