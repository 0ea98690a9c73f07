"""SAEs of several seeds, compared pair by pair: partners, what is shared, and figures over all pairs.

Source: Paulo and Belrose (arXiv 2501.16615), nine SAEs; pairs are not taken for transitive.

Shapes: S SAEs of n_i latents each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mosaic.agreement.resampling import Estimate, pair_mean
from mosaic.agreement.stability import THRESHOLD, Match, match
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

    def cosines(self, i: int) -> np.ndarray:
        """[S, n_i]: the cosine of each latent of i with its partner in the decoder's matching, an SAE a row; NaN in row i
        and where a latent has no partner. Their mean over latents and SAEs is the PW-MCC."""
        values = np.full((len(self), len(self.dictionaries[i])), np.nan)
        for j in range(len(self)):
            if i < j:
                values[j] = self.matches[i, j].decoder.cosine
            elif j < i:  # the match runs from j to i: each cosine goes to the partner in i
                back = self.matches[j, i].decoder
                matched = back.partner >= 0
                values[j, back.partner[matched]] = back.cosine[matched]
        return values

    def cycle(self, i: int, j: int, k: int) -> float:
        """P_jk(P_ij(x)) = P_ik(x): the share of latents whose decoder partners agree around a triple."""
        ij, jk, ik = self.partner(i, j), self.partner(j, k), self.partner(i, k)
        return float(np.mean((ij >= 0) & (jk[ij] == ik) & (ik >= 0)))


def over_pairs(seeds: Seeds, figure: Callable[[Match], float]) -> dict:
    """{mean, se, df, low, high, lowest, highest, values} of a figure over all pairs of seeds.

    low and high: 95 % over SAEs, each left out in turn (`resampling`); None, like se and df, for two SAEs, which have one
    pair. lowest and highest: the range of the pairs.
    """
    values = {pair: float(figure(found)) for pair, found in seeds.matches.items()}
    return recorded(pair_mean(values)) | {
        "lowest": min(values.values()),
        "highest": max(values.values()),
        "values": list(values.values()),
    }


def recorded(estimate: Estimate) -> dict:
    """{mean, se, df, low, high} of a share or a cosine over SAEs."""
    low, high = estimate.share_interval() or (None, None)
    return {"mean": estimate.value, "se": estimate.se, "df": estimate.df, "low": low, "high": high}
