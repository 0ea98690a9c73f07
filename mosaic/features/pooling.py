"""Poolings: a text's token activations -> one row.

The same six for SAE latents (sparse, [N, D]) and hidden states (dense, [N, d]). A text's tokens are rows
starts[i] to starts[i+1]; every text has at least one.

| name  | value for a latent j of a text with tokens t                       |
|-------|--------------------------------------------------------------------|
| sum   | sum_t f_tj                                                          |
| mean  | sum_t f_tj / (number of tokens)                                     |
| max   | max_t f_tj                                                          |
| last  | f_tj of the last token                                              |
| count | number of tokens with f_tj > 0                                      |
| topN  | number of tokens in which f_tj is among the token's N largest (paper: N = 20, 50) |
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mosaic.errors import MosaicError
from mosaic.saes.encoder import keep_top

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

POOLINGS = ("sum", "mean", "max", "last", "count", "top20")


def top_n(pooling: str) -> int | None:
    """N of a top-N count ("top20" -> 20), None for the other poolings. Raises MosaicError for an unknown name."""
    if match := re.fullmatch(r"top([1-9]\d{0,8})", pooling):
        return int(match[1])
    if pooling not in POOLINGS:
        raise MosaicError(
            f"unknown pooling {pooling!r:.60}; choose from sum, mean, max, last, count or topN (top20, top50)."
        )
    return None


def pool_sparse(codes: csr_matrix, starts: np.ndarray, poolings: Sequence[str]) -> dict[str, csr_matrix]:
    """Pool sparse token codes [N, D]: {pooling: CSR [n_texts, D]}, float32, indices sorted."""
    from scipy.sparse import csr_matrix

    groups = _Groups(codes, starts)
    pooled: dict[str, csr_matrix] = {}
    for pooling in poolings:
        if n := top_n(pooling):
            largest = keep_top(codes, n)
            pooled[pooling] = (groups if largest is codes else _Groups(largest, starts)).count()
        elif pooling == "last":
            pooled[pooling] = codes[starts[1:] - 1].astype(np.float32)
        elif pooling == "mean":
            total = groups.reduce(np.add)
            tokens = np.diff(starts).astype(np.float32)
            data = total.data / np.repeat(tokens, np.diff(total.indptr))
            pooled[pooling] = csr_matrix((data, total.indices, total.indptr), total.shape)
        else:
            pooled[pooling] = {
                "sum": lambda: groups.reduce(np.add),
                "max": lambda: groups.reduce(np.maximum),
                "count": groups.count,
            }[pooling]()
    return pooled


def pool_dense(x: np.ndarray, starts: np.ndarray, poolings: Sequence[str]) -> dict[str, csr_matrix]:
    """Pool dense activations [N, d] the same way: {pooling: CSR [n_texts, d]}, float32."""
    from scipy.sparse import csr_matrix

    first = starts[:-1]
    pooled: dict[str, csr_matrix] = {}
    for pooling in poolings:
        if n := top_n(pooling):
            rows = np.add.reduceat(_among_largest(x, n), first, axis=0, dtype=np.float32)
        elif pooling == "last":
            rows = x[starts[1:] - 1]
        elif pooling == "max":
            rows = np.maximum.reduceat(x, first, axis=0)
        elif pooling == "count":
            rows = np.add.reduceat(x > 0, first, axis=0, dtype=np.float32)
        else:
            rows = np.add.reduceat(x, first, axis=0)
            if pooling == "mean":
                rows = rows / np.diff(starts)[:, None]
        pooled[pooling] = csr_matrix(rows.astype(np.float32))
    return pooled


class _Groups:
    """Entries of a CSR matrix grouped by (text, latent), once for all poolings.

    Through CSC (two counting sorts, linear in the entries): within a column the tokens ascend, so a
    text's tokens lie side by side and one `reduceat` reduces them.
    """

    def __init__(self, codes: csr_matrix, starts: np.ndarray):
        columns = codes.tocsc()
        text = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))[columns.indices]
        latent = np.repeat(np.arange(codes.shape[1], dtype=np.int32), np.diff(columns.indptr))
        new = np.ones(len(text), dtype=bool)
        new[1:] = (text[1:] != text[:-1]) | (latent[1:] != latent[:-1])
        self.data = columns.data
        self.first = np.flatnonzero(new)
        self.text, self.latent = text[self.first], latent[self.first]
        self.shape = (len(starts) - 1, codes.shape[1])

    def reduce(self, ufunc: np.ufunc) -> csr_matrix:
        return self._csr(ufunc.reduceat(self.data, self.first) if len(self.first) else self.data)

    def count(self) -> csr_matrix:
        return self._csr(np.diff(np.append(self.first, len(self.data))))

    def _csr(self, values: np.ndarray) -> csr_matrix:
        from scipy.sparse import coo_matrix

        # Latents ascend within each text already, so the rows come out sorted.
        return coo_matrix((values.astype(np.float32), (self.text, self.latent)), self.shape).tocsr()


def _among_largest(x: np.ndarray, n: int) -> np.ndarray:
    """[N, d] bool: positive and among the row's n largest; of equal values the lower column counts."""
    kept = np.zeros(x.shape, dtype=bool)
    order = np.argsort(-x, axis=1, kind="stable")[:, :n]
    np.put_along_axis(kept, order, True, axis=1)
    return kept & (x > 0)
