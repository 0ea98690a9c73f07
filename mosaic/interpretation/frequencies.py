"""Which latents fire in more texts of one set than of another: what sets two collections of texts apart, without labels.

Latent j fires in k_A of the n_A texts of A, and in k_B of the n_B of B:

    d_j = k_A / n_A - k_B / n_B

with its interval, exact test and correction for all latents as `shares` has them. The comparison of data sets of arXiv
2512.10092.

Shapes: n texts, D latents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.errors import MosaicError
from mosaic.interpretation import shares
from mosaic.interpretation.shares import DISCOVERY

DEALS = 20  # of all texts into two sets at random


@dataclass(frozen=True, eq=False)
class Frequencies:
    """[D] each. first, second: shares of texts in which the latent fires. low, high: 95 % of their difference. p, corrected."""

    first: np.ndarray
    second: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    corrected: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        return self.first - self.second

    def leading(self) -> np.ndarray:
        """Numbers of the latents that differ at DISCOVERY, the largest difference first; equal ones by number."""
        found = np.flatnonzero(self.corrected <= DISCOVERY)
        return found[np.argsort(-np.abs(self.difference[found]), kind="stable")]


def compare(counts: Sequence[np.ndarray], sizes: Sequence[int]) -> Frequencies:
    """counts: [D] texts of the first and of the second set in which each latent fires. sizes: texts of either.

    Latents that fire nowhere are no tests: their p is 1, and they do not weigh on the others. Raises MosaicError for a set of no
    texts.
    """
    (a, b), (n, m) = counts, sizes
    if min(n, m) < 1:
        raise MosaicError(f"{n} and {m} texts; both sets need one or more.")
    p = shares.fisher(a, n, b, m)
    low, high = shares.newcombe(a, n, b, m)
    return Frequencies(a / n, b / m, low, high, p, shares.corrected(p, a + b > 0))


def found_by_chance(counts_of, sizes: Sequence[int], draws: int = DEALS, seed: int = 0) -> float:
    """Mean number of latents that differ where the sets are drawn from both at random: what is found for nothing.

    counts_of: [n] bool of the first set's texts among all -> (counts of the first, counts of the second).
    """
    rng, total = np.random.default_rng(seed), sum(sizes)
    found = []
    for _ in range(draws):
        first = np.zeros(total, dtype=bool)
        first[rng.choice(total, sizes[0], replace=False)] = True
        found.append(len(compare(counts_of(first), sizes).leading()))
    return float(np.mean(found))
