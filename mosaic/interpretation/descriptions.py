"""What a latent fires on, in a few words: the tokens that tell best where it fires, found by counting.

A description is a place o (the token itself, or one or two before it) and a set S of at most k tokens; it says that the latent
fires where the token at that place is one of them. Its balanced accuracy is

    (1 + sum_{t in S} [P(t at o | fires) - P(t at o | silent)]) / 2,

a sum over tokens: the best S are the k tokens with the largest terms above zero, and the best place the one with the largest
sum. Learned on even texts, scored on odd ones. It is the detection score of Paulo et al. (arXiv 2410.13928) of an explanation
that no language model wrote.

Shapes: N tokens, D latents, k tokens a description.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.interpretation.detection import LATENTS_AT_ONCE, LEAST, NOTHING, OFFSETS, Firings

WORDS = 3  # k
PLACES = ("on", "one token after", "two tokens after")
NONE = -1  # where a description has fewer tokens


@dataclass(frozen=True, eq=False)
class Descriptions:
    """place: [D] of PLACES. tokens: [D, k] ids, the best first, NONE where there are fewer. score: [D] balanced accuracy on the
    texts that were not learned from; NaN for a latent that fires too seldom to be described."""

    place: np.ndarray
    tokens: np.ndarray
    score: np.ndarray

    def text(self, latent: int, name: Callable[[int], str]) -> str | None:
        """`on "not", "never"`; None for a latent without a description. name: of a token id."""
        words = [name(int(token)) for token in self.tokens[latent] if token != NONE]
        if not words or np.isnan(self.score[latent]):
            return None
        return f"{PLACES[self.place[latent]]} " + ", ".join(f'"{word}"' for word in words)

    def matches(self, ids: np.ndarray) -> csr_matrix:
        """[N, D] CSR of bool: the tokens at which each description, and nothing else, says that its latent fires. ids: [N, OFFSETS],
        as `Firings` has them; they may be of texts that nothing was learned from."""
        latent, which = np.nonzero((self.tokens != NONE) & ~np.isnan(self.score)[:, None])
        token, place = self.tokens[latent, which], self.place[latent]
        found = csr_matrix((len(ids), len(self.score)), dtype=bool)
        for at in np.unique(place):
            there = place == at
            vocabulary, index = np.unique(ids[:, at], return_inverse=True)
            row = np.searchsorted(vocabulary, token[there])
            known = (row < len(vocabulary)) & (vocabulary[np.minimum(row, len(vocabulary) - 1)] == token[there])
            said = csr_matrix(
                (np.ones(known.sum(), bool), (row[known], latent[there][known])), (len(vocabulary), found.shape[1])
            )
            found += said[index]
        return found


def describe(
    found: Firings,
    codes: csr_matrix,
    latents: Sequence[int] | None = None,
    k: int = WORDS,
    least: int = LEAST,
    telling: float = 0.0,
) -> Descriptions:
    """Descriptions of these latents (None: of all). least: firings in either half below which a latent has none. telling: share of
    the largest term below which a token is left out: it would tell next to nothing, and be read all the same."""
    active, learn = codes.tocsc().astype(bool), found.text % 2 == 0
    n_latents = active.shape[1]
    counts = np.stack([np.asarray(active[half].sum(0)).ravel() for half in (learn, ~learn)])
    wanted = np.arange(n_latents) if latents is None else np.unique(np.asarray(latents, dtype=int))
    wanted = wanted[(counts[:, wanted] >= least).all(0) & (counts[0, wanted] < learn.sum())]
    out = Descriptions(
        np.zeros(n_latents, dtype=int), np.full((n_latents, k), NONE, dtype=np.int64), np.full(n_latents, np.nan)
    )
    for start in range(0, len(wanted), LATENTS_AT_ONCE):
        part = wanted[start : start + LATENTS_AT_ONCE]
        _describe(found, active[:, part], part, learn, k, telling, out)
    return out


def _describe(
    found: Firings, active, latents: np.ndarray, learn: np.ndarray, k: int, telling: float, out: Descriptions
) -> None:
    """Fill in the rows of these latents. active: CSC [N, len(latents)]."""
    best = np.full(len(latents), -1.0)
    for place in range(OFFSETS):
        vocabulary, index = np.unique(found.ids[:, place], return_inverse=True)
        terms = _terms(index, len(vocabulary), active, learn)
        order = np.argsort(-terms, axis=0, kind="stable")[:k]
        value = np.take_along_axis(terms, order, axis=0)
        chosen = (value > 0) & (value >= telling * value[:1]) & (vocabulary[order] != NOTHING)
        total = (value * chosen).sum(0)
        better = total > best
        best[better] = total[better]
        held_out = np.take_along_axis(_terms(index, len(vocabulary), active, ~learn), order, axis=0)
        rows = latents[better]
        out.place[rows] = place
        out.tokens[rows, : len(order)] = np.where(chosen, vocabulary[order], NONE).T[better]
        out.score[rows] = (1 + (held_out * chosen).sum(0)[better]) / 2


def _terms(index: np.ndarray, n_tokens: int, active, rows: np.ndarray) -> np.ndarray:
    """[tokens, latents] P(token | fires) - P(token | silent) over some rows. index: [N] of the tokens."""
    n = int(rows.sum())
    occurs = csr_matrix((np.ones(n), (index[rows], np.arange(n))), shape=(n_tokens, n))
    fires = active[rows].astype(np.float64)
    n_fires = np.asarray(fires.sum(0)).ravel()
    with_latent = (occurs @ fires).toarray()
    without = np.asarray(occurs.sum(1)) - with_latent
    return with_latent / np.maximum(n_fires, 1) - without / np.maximum(n - n_fires, 1)
