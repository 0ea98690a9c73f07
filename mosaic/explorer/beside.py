"""The control beside each latent: one of a random dictionary that fires about as often.

A random dictionary has the SAE's width, row norms and mean number of active latents (`saes.loading.random_like`). Of its latents those
are kept that fire most nearly as often as the SAE's do, at KEPT evenly spaced quantiles of the SAE's rates, by logarithm; each latent
of the SAE stands beside the kept one whose rate is nearest, of equal ones the lower number.

Shapes: A latents of the SAE that fire, D of the random dictionary, K of them that are kept.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

KEPT = 96
DIGITS = 9  # to which logarithms of rates are compared


def rates(codes: csr_matrix) -> np.ndarray:
    """[D] the share of tokens on which each latent fires. codes: [N, D]."""
    return np.asarray((codes > 0).sum(0)).ravel() / max(codes.shape[0], 1)


def sample(rate: np.ndarray, random_rate: np.ndarray, n: int = KEPT) -> np.ndarray:
    """[K] numbers of random latents, ascending, none where none fires. rate: [A], above 0. random_rate: [D]."""
    alive = np.flatnonzero(random_rate > 0)
    if not len(alive) or not len(rate):
        return alive[:0]
    wanted = np.quantile(np.log(rate), np.linspace(0, 1, n))
    return np.unique(alive[_nearest(np.log(random_rate[alive]), wanted)])


def twins(rate: np.ndarray, kept: np.ndarray, random_rate: np.ndarray) -> np.ndarray:
    """[A] the kept random latent beside each latent. kept: [K], one or more."""
    return kept[_nearest(np.log(random_rate[kept]), np.log(rate))]


def _nearest(values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """[len(wanted)] the index of the nearest value; of equally near ones the smaller, of equal ones the first."""
    values, wanted = np.round(values, DIGITS), np.round(wanted, DIGITS)
    ends, first = np.unique(values, return_index=True)
    right = np.clip(np.searchsorted(ends, wanted), 0, len(ends) - 1)
    left = np.maximum(right - 1, 0)
    return first[np.where(wanted - ends[left] <= ends[right] - wanted, left, right)]
