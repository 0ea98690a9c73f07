"""SAEs of several seeds, compared pair by pair: what all have, what only one has, and what more seeds would find.

Source: Paulo and Belrose (arXiv 2501.16615), nine SAEs; pairs are not taken for transitive.

Shapes: S SAEs of n_i latents each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mosaic.agreement.stability import THRESHOLD, Match, match
from mosaic.errors import MosaicError
from mosaic.saes.dictionary import Dictionary


@dataclass(frozen=True)
class Seeds:
    """S SAEs of one setting and all their pairwise matches. matches: (i, j) with i < j -> Match."""

    dictionaries: tuple[Dictionary, ...]
    matches: dict[tuple[int, int], Match]

    def __len__(self) -> int:
        return len(self.dictionaries)

    @classmethod
    def of(cls, dictionaries: Sequence[Dictionary], device: str = "cpu") -> Seeds:
        ids = range(len(dictionaries))
        matches = {(i, j): match(dictionaries[i], dictionaries[j], device) for i, j in combinations(ids, 2)}
        return cls(tuple(dictionaries), matches)

    def partner(self, i: int, j: int, which: str = "decoder") -> np.ndarray:
        """[n_i]: the latent of j that is matched to each latent of i, -1 where none is."""
        if i < j:
            return getattr(self.matches[i, j], which).partner
        back = getattr(self.matches[j, i], which).partner
        out = np.full(len(self.dictionaries[i]), -1)
        out[back[back >= 0]] = np.flatnonzero(back >= 0)
        return out

    def shared(self, i: int, j: int, threshold: float = THRESHOLD) -> np.ndarray:
        """[n_i] bool: which latents of i are shared with j."""
        if i < j:
            return self.matches[i, j].shared(threshold)
        forward = self.matches[j, i].shared(threshold)
        out = np.zeros(len(self.dictionaries[i]), dtype=bool)
        out[self.matches[j, i].decoder.partner[forward]] = True
        return out

    def membership(self, i: int, threshold: float = THRESHOLD) -> np.ndarray:
        """[n_i]: in how many of the S SAEs each latent of i is, its own included (pairwise; no transitivity assumed)."""
        others = [j for j in range(len(self.dictionaries)) if j != i]
        return 1 + sum(self.shared(i, j, threshold).astype(int) for j in others)

    def mean_cosine(self, i: int) -> np.ndarray:
        """[n_i]: how well each latent of i is matched, averaged over the other SAEs: the smaller of its two cosines
        where decoder and encoder find the same partner, the decoder's where they do not."""
        values = []
        for j in range(len(self)):
            if i == j:
                continue
            pair = self.matches[min(i, j), max(i, j)]
            cosine = np.where(pair.equal, np.fmin(pair.decoder.cosine, pair.encoder.cosine), pair.decoder.cosine)
            if j < i:  # the match runs from j to i: each cosine goes to the partner in i
                matched = pair.decoder.partner >= 0
                forward, cosine = cosine, np.full(len(self.dictionaries[i]), np.nan)
                cosine[pair.decoder.partner[matched]] = forward[matched]
            values.append(cosine)
        return np.nanmean(values, axis=0)

    def only_in_one(self, subset: Sequence[int], threshold: float = THRESHOLD) -> float:
        """Share of latents that no other SAE of the subset has, averaged over which of them is the reference."""
        return float(
            np.mean(
                [1 - np.any([self.shared(i, j, threshold) for j in subset if j != i], axis=0).mean() for i in subset]
            )
        )

    def cycle(self, i: int, j: int, k: int) -> float:
        """P_jk(P_ij(x)) = P_ik(x): the share of latents whose decoder partners agree around a triple."""
        ij, jk, ik = self.partner(i, j), self.partner(j, k), self.partner(i, k)
        return float(np.mean((ij >= 0) & (jk[ij] == ik) & (ik >= 0)))


def over_pairs(seeds: Seeds, figure: Callable[[Match], float]) -> dict:
    """{mean, low, high, values}: of a figure over all pairs of seeds; low and high are the range (S seeds give
    S (S - 1) / 2 pairs, which are not independent, so no interval is claimed)."""
    values = [float(figure(pair)) for pair in seeds.matches.values()]
    return {"mean": float(np.mean(values)), "low": min(values), "high": max(values), "values": values}


def offset_power_law(n_seeds: Sequence[int], only_one: Sequence[float]) -> dict[str, float]:
    """f(S) = a S^b + c fitted to "only in one of S": c is the floor that more seeds would not lower.

    Returns a, b, c and rmse. Raises MosaicError for fewer than four points, which three parameters would follow
    whatever they are.
    """
    from scipy.optimize import curve_fit

    if len(n_seeds) < 4:
        raise MosaicError(f"{len(n_seeds)} numbers of seeds; the fit of a S^b + c needs at least 4.")
    s, y = np.asarray(n_seeds, float), np.asarray(only_one, float)
    law = lambda x, a, b, c: a * x**b + c  # noqa: E731
    found, _ = curve_fit(law, s, y, p0=(y[0] - y[-1], -1.0, y[-1]), bounds=([0, -10, 0], [10, 0, 1]), maxfev=20_000)
    rmse = float(np.sqrt(np.mean((law(s, *found) - y) ** 2)))
    return {"a": float(found[0]), "b": float(found[1]), "c": float(found[2]), "rmse": rmse}
