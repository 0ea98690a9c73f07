"""Which latents fire in more texts of one set than of another: what sets two collections of texts apart, without labels.

Latent j fires in k_A of the n_A texts of A, and in k_B of the n_B of B:

    d_j = k_A / n_A - k_B / n_B

with Newcombe's 95 % interval (1998, method 10: from Wilson's of either share) and Fisher's exact test, the smaller tail doubled;
p is corrected for all latents by Benjamini and Hochberg. The comparison of data sets of arXiv 2512.10092.

Shapes: n texts, D latents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.errors import MosaicError

DISCOVERY = 0.05  # false-discovery rate
DEALS = 20  # of all texts into two sets at random
Z = 1.959963984540054  # of a normal distribution, 95 % lie within


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
    from scipy.stats import false_discovery_control, hypergeom

    (a, b), (n, m) = counts, sizes
    if min(n, m) < 1:
        raise MosaicError(f"{n} and {m} texts; both sets need one or more.")
    below = hypergeom.cdf(a, n + m, a + b, n)
    above = hypergeom.sf(a - 1, n + m, a + b, n)
    fires = a + b > 0
    p = np.where(fires, np.minimum(1, 2 * np.minimum(below, above)), 1.0)
    corrected = np.ones(len(p))
    if fires.any():
        corrected[fires] = false_discovery_control(p[fires])
    low, high = _newcombe(a, n, b, m)
    return Frequencies(a / n, b / m, low, high, p, corrected)


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


def _wilson(k: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """95 % of shares k / n."""
    p, z2 = k / n, Z**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * np.sqrt(p * (1 - p) / n + z2 / (4 * n**2)) / (1 + z2 / n)
    return centre - half, centre + half


def _newcombe(a: np.ndarray, n: int, b: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray]:
    p, q = a / n, b / m
    (low_p, high_p), (low_q, high_q) = _wilson(a, n), _wilson(b, m)
    d = p - q
    low = d - np.sqrt((p - low_p) ** 2 + (high_q - q) ** 2)
    high = d + np.sqrt((high_p - p) ** 2 + (q - low_q) ** 2)
    return np.maximum(low, -1), np.minimum(high, 1)
