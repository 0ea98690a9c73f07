"""The words on which each latent fires most, from codes that come in parts, and what they say of the latent.

Lan et al. (arXiv 2410.06981, released code) read the five strongest tokens of a latent: one that fires on a full stop, a line
break or a special token is no concept, and one whose tokens are all of a list of keywords belongs to that list's subspace.
Their list of marks is a rule here: a mark is a word without a letter or a digit. Special tokens are never read.

Shapes: R rows, D latents, K strongest.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from scipy.sparse import csr_matrix

STRONGEST = 5
MAJORITY = 3  # of the strongest, from which a latent belongs to a list
DIGITS = 4  # to which activations are ranked: the rest differs between processors


class Strongest:
    """The K rows of each latent with the largest activation, by their words; of equals the earlier one."""

    def __init__(self, n_latents: int, k: int = STRONGEST):
        self.k = k
        self._values = np.zeros((n_latents, k), dtype=np.float64)
        self._words = np.full((n_latents, k), -1, dtype=np.int64)
        self._numbers: dict[str, int] = {}

    def add(self, codes: csr_matrix, words: Sequence[str]) -> None:
        """codes: [R, D] of rows after those that were added. words: [R] word of each row."""
        ids = np.array([self._numbers.setdefault(word, len(self._numbers)) for word in words], dtype=np.int64)
        entries = codes.tocoo()
        values = np.round(entries.data.astype(np.float64), DIGITS)
        fires = np.flatnonzero(values > 0)
        row, latent, values = entries.row[fires], entries.col[fires], values[fires]
        order = np.lexsort((row, -values, latent))
        row, latent, values = row[order], latent[order], values[order]
        first = np.flatnonzero(np.diff(latent, prepend=-1))
        rank = np.arange(len(latent)) - np.repeat(first, np.diff(first, append=len(latent)))
        kept = rank < self.k
        new, named = np.zeros_like(self._values), np.full_like(self._words, -1)
        new[latent[kept], rank[kept]] = values[kept]
        named[latent[kept], rank[kept]] = ids[row[kept]]
        both, names = np.hstack([self._values, new]), np.hstack([self._words, named])
        best = np.argsort(-both, axis=1, kind="stable")[:, : self.k]
        self._values, self._words = np.take_along_axis(both, best, 1), np.take_along_axis(names, best, 1)

    def words(self, latents: Sequence[int]) -> list[tuple[str, ...]]:
        """Of each of these latents, the strongest first; fewer than K where it fires on fewer rows."""
        names = list(self._numbers)
        return [tuple(names[i] for i in self._words[latent] if i >= 0) for latent in latents]


def on_a_mark(words: Sequence[str]) -> bool:
    """Whether any of a latent's strongest words has neither a letter nor a digit."""
    return not all(any(letter.isalnum() for letter in word) for word in words)


def on_one_word(words: Sequence[str]) -> bool:
    """Whether its strongest words are one and the same."""
    return len(set(words)) == 1


def of_list(words: Sequence[str], keywords: Collection[str], least: int = MAJORITY) -> bool:
    """Whether at least so many of its strongest words are of a list."""
    return sum(word in keywords for word in words) >= least
