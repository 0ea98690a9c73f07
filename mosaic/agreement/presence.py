"""In which SAEs of one setting each latent is, and which latents are one.

Shapes: S SAEs of N latents each; shares are [S], of latents in exactly 1, ..., S of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

from mosaic.agreement.pairwise import Seeds
from mosaic.agreement.resampling import DRAWS, resampled_sums
from mosaic.agreement.stability import THRESHOLD


@dataclass(frozen=True)
class Presence:
    """has: [S, S, N] bool, latent n of SAE i is shared with SAE j (its own included; pairwise, no transitivity assumed).
    family: [S, N], latents that a chain of shared pairs joins have one number."""

    has: np.ndarray
    family: np.ndarray

    def __len__(self) -> int:
        return len(self.has)

    @classmethod
    def of(cls, seeds: Seeds, threshold: float = THRESHOLD) -> Presence:
        n = len(seeds)
        own = np.ones(len(seeds.dictionaries[0]), dtype=bool)
        has = np.array([[own if i == j else seeds.shared(i, j, threshold) for j in range(n)] for i in range(n)])
        return cls(has, families(seeds, threshold))

    @property
    def membership(self) -> np.ndarray:
        """[S, N]: in how many of the SAEs each latent is."""
        return self.has.sum(1)

    @property
    def counts(self) -> np.ndarray:
        """[S, S], row i: the share of SAE i's latents that are in exactly 1, ..., S of the SAEs."""
        n = len(self)
        return np.array([np.bincount(row, minlength=n + 1)[1:] / len(row) for row in self.membership])

    @property
    def shares(self) -> np.ndarray:
        return self.counts.mean(0)

    def without(self, left_out: int) -> Presence:
        """The same of the other SAEs alone: one leaves as a reference and as a partner."""
        kept = np.delete(np.arange(len(self)), left_out)
        return Presence(self.has[np.ix_(kept, kept)], self.family[kept])

    def resampled_shares(self, draws: int = DRAWS) -> np.ndarray:
        """[draws, S]: the shares of latents, families drawn with replacement."""
        exactly = np.equal.outer(self.membership.ravel(), np.arange(1, len(self) + 1))
        sums = resampled_sums(self.family.ravel(), exactly, draws)
        return sums / sums.sum(1, keepdims=True)


def families(seeds: Seeds, threshold: float = THRESHOLD) -> np.ndarray:
    """[S, N]: a number for each chain of shared pairs; a latent that no other SAE has is its own family."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n, width = len(seeds), len(seeds.dictionaries[0])
    start, end = [np.zeros(0, dtype=int)], [np.zeros(0, dtype=int)]
    for (i, j), pair in seeds.matches.items():
        shared = np.flatnonzero(pair.shared(threshold))
        start.append(i * width + shared)
        end.append(j * width + pair.decoder.partner[shared])
    start, end = np.concatenate(start), np.concatenate(end)
    graph = coo_matrix((np.ones(len(start), dtype=bool), (start, end)), (n * width, n * width))
    return connected_components(graph, directed=False)[1].reshape(n, width)


def only_in_one(shares: np.ndarray) -> dict[int, float]:
    """{number of SAEs compared: share of latents that one of them alone has}, the mean over all subsets of that size.

    It follows from the shares: a latent in m of S SAEs is alone among s of them when the s - 1 others are drawn from the
    S - m that lack it, C(S - m, s - 1) of C(S - 1, s - 1) ways.
    """
    n = len(shares)
    return {
        s: float(sum(share * comb(n - m, s - 1) for m, share in enumerate(shares, 1)) / comb(n - 1, s - 1))
        for s in range(2, n + 1)
    }
