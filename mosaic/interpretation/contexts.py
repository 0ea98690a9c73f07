"""Contexts in which a latent fires, from its weakest to its strongest tenth, and contexts in which it is silent.

A context is a window of at most CONTEXT consecutive tokens of one text. What explains a latent is learned on even texts; the
contexts it is judged by are of odd ones (the published sampler draws both from one pool, so that a score may be of what was
shown). A judged latent gets as many silent contexts as active ones, and the active ones evenly from ten tenths by their largest
activation: Paulo et al., "Automatically Interpreting Millions of Features in LLMs" (arXiv 2410.13928), section 3.

Shapes: N tokens, W windows, D latents, V token ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

from mosaic.interpretation.detection import Firings

CONTEXT = 16  # tokens
DECILES = 10
PER_DECILE = 10
LEAST = 50  # active windows of odd texts below which a latent is not judged
DIGITS = 4  # to which activations are ranked: the rest differs between processors


@dataclass(frozen=True, eq=False)
class Windows:
    """found: the tokens. bounds: [W + 1], window w has the tokens bounds[w] to bounds[w + 1]. judged: [W], of odd texts."""

    found: Firings
    bounds: np.ndarray
    judged: np.ndarray

    @classmethod
    def of(cls, found: Firings, size: int = CONTEXT) -> Windows:
        n = len(found.text)
        first = np.flatnonzero(np.diff(found.text, prepend=-1))
        place = np.arange(n) - np.repeat(first, np.diff(first, append=n))
        start = np.flatnonzero(place % size == 0)
        return cls(found, np.append(start, n), found.text[start] % 2 == 1)

    def __len__(self) -> int:
        return len(self.judged)

    @cached_property
    def of_token(self) -> np.ndarray:
        """[N] the window of each token."""
        return np.repeat(np.arange(len(self)), np.diff(self.bounds))

    @cached_property
    def place(self) -> np.ndarray:
        """[W] the number of each window's first token in its text."""
        starts = self.bounds[:-1]
        new = np.flatnonzero(np.diff(self.found.text[starts], prepend=-1))
        return starts - np.repeat(starts[new], np.diff(new, append=len(starts)))

    def counts(self, tokens: csr_matrix) -> csc_matrix:
        """[W, D] how many tokens of each window are marked. tokens: [N, D] CSR of bool."""
        n = len(self.of_token)
        gather = csr_matrix((np.ones(n), (self.of_token, np.arange(n))), shape=(len(self), n))
        return (gather @ tokens.astype(np.float64)).tocsc()

    def peaks(self, codes: csr_matrix) -> csc_matrix:
        """[W, D] the largest activation of each latent in each window."""
        entries = codes.tocoo()
        entries.eliminate_zeros()
        window = self.of_token[entries.row]
        order = np.lexsort((window, entries.col))
        window, latent, value = window[order], entries.col[order], entries.data[order]
        new = np.ones(len(order), dtype=bool)
        new[1:] = (window[1:] != window[:-1]) | (latent[1:] != latent[:-1])
        first = np.flatnonzero(new)
        largest = np.maximum.reduceat(value, first) if len(first) else value
        return csc_matrix((largest, (window[first], latent[first])), shape=(len(self), codes.shape[1]))

    @cached_property
    def tfidf(self) -> csr_matrix:
        """[W, V] the windows' tokens, weighted by how few windows have them, rows of unit length."""
        from sklearn.feature_extraction.text import TfidfTransformer

        vocabulary, index = np.unique(self.found.ids[:, 0], return_inverse=True)
        counts = csr_matrix((np.ones(len(index)), (self.of_token, index)), shape=(len(self), len(vocabulary)))
        return TfidfTransformer().fit_transform(counts)


@dataclass(frozen=True, eq=False)
class Sample:
    """What one latent is judged by, all of odd texts. active: windows, the weakest first; decile: [active] 0 to 9.
    silent: as many, or all there are, drawn from those in which it is silent. near: as many silent ones, those whose tokens are most like the active
    windows of even texts (cosine of TF-IDF)."""

    latent: int
    active: np.ndarray
    decile: np.ndarray
    silent: np.ndarray
    near: np.ndarray


def samples(
    windows: Windows,
    codes: csr_matrix,
    least: int = LEAST,
    seed: int = 0,
    per_decile: int = PER_DECILE,
    latents: Sequence[int] | None = None,
) -> Iterator[Sample]:
    """Of every latent (or these) that is active in `least` judged windows, silent in as many, and active in one of the others."""
    peaks, tfidf, judged = windows.peaks(codes), windows.tfidf, windows.judged
    n_judged = int(judged.sum())
    for latent in range(codes.shape[1]) if latents is None else latents:
        column = slice(peaks.indptr[latent], peaks.indptr[latent + 1])
        fires, value = peaks.indices[column], peaks.data[column]
        tested = judged[fires]
        n = int(tested.sum())
        if n < least or n_judged - n < least or tested.all():
            continue
        rng = np.random.default_rng([seed, latent])
        active, decile = by_decile(fires[tested], value[tested], rng, per_decile)
        quiet = judged.copy()
        quiet[fires] = False
        quiet = np.flatnonzero(quiet)
        size = min(len(active), len(quiet))
        likeness = tfidf[quiet] @ np.asarray(tfidf[fires[~tested]].mean(0)).ravel()
        near = quiet[np.argsort(-np.round(likeness, DIGITS + 2), kind="stable")[:size]]
        yield Sample(latent, active, decile, np.sort(rng.choice(quiet, size, replace=False)), near)


def by_decile(windows: np.ndarray, values: np.ndarray, rng, per_decile: int) -> tuple[np.ndarray, np.ndarray]:
    """(windows, decile of each): up to so many of each tenth by activation, the weakest first."""
    scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(values)))
    order = np.argsort(np.round(values * scale) / scale, kind="stable")
    tenth = np.arange(len(order)) * DECILES // len(order)
    kept = np.concatenate([_some(np.flatnonzero(tenth == d), per_decile, rng) for d in range(DECILES)])
    return windows[order[kept]], tenth[kept]


def _some(members: np.ndarray, n: int, rng) -> np.ndarray:
    return members if len(members) <= n else np.sort(rng.choice(members, n, replace=False))
