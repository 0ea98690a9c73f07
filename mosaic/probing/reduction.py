"""The rows that a probe is fitted on, on at most as many columns as there are rows, exactly.

An L2-penalised linear probe's weights lie in the span of the rows it is fitted on. With the Gram matrix X X' = L L'
(n x n, whatever the width; pivoted Cholesky), rows L have the same scores and the same penalty as rows X, on at most n
columns; and w = X' L'^-1 v gives their weights v on the original columns (L' of as many rows as it has columns). Columns are centred: where the intercept is not penalised that changes no score, and it makes the solver's
work less. Source: Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, section 18.3.5.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import issparse

BLOCK = 2_000_000  # numbers made float64 at once
LARGEST = 3000  # rows of a curvature matrix that is factored: 72 MB
WIDE = 4  # columns a row from which the reduction pays for a single C (measured: 2 to 9 times as fast; even at 2.5)


class Rows:
    """Z [n, r], columns centred by their mean under weights s [n]: what the solver multiplies with.

    several: whether several C are solved on them, so that L, where it makes products cheaper, is worth its price; for one C
    it is where X is WIDE and dense. scale: size of the terms that a gradient sums, from which its rounding follows.
    """

    def __init__(self, X, s: np.ndarray, several: bool = True):
        self.X, self.mean = X, np.asarray(s @ X, dtype=np.float64).ravel() / s.sum()
        self.reduced = _pays(X) if several else not issparse(X) and X.shape[1] >= WIDE * X.shape[0]
        self.Z, self.pivots = _cholesky(_gram(X, self.mean)) if self.reduced else (X, None)
        self.shift = np.zeros(self.Z.shape[1]) if self.reduced else self.mean
        self.rough = self.Z.astype(np.float32, copy=False)  # for the steps, which need not be exact
        norm = np.sqrt((self.Z.data**2).sum()) if issparse(X) and not self.reduced else np.linalg.norm(self.Z)
        self.scale = float(np.hypot(norm, np.sqrt(len(s))) * np.linalg.norm(s))

    @property
    def n_columns(self) -> int:
        return self.Z.shape[1]

    def times(self, V: np.ndarray, rough: bool = False) -> np.ndarray:
        """V Z' [K, n] for V [K, r]; in float64, or roughly in float32."""
        product = _product(V, self.rough) if rough else _exact(V, self.Z)
        return product - (V @ self.shift.astype(V.dtype))[:, None]

    def back(self, E: np.ndarray, rough: bool = False) -> np.ndarray:
        """E Z [K, r] for E [K, n]."""
        product = _product(E, self.rough.T) if rough else _exact_back(E, self.Z)
        return product - np.outer(E.sum(1), self.shift.astype(E.dtype))

    def can_factor(self, n_scores: int) -> bool:
        """Whether the curvature is small enough to be factored: 77 classes of 500 columns would take 12 GB."""
        return n_scores * self.n_columns <= LARGEST

    def cost_of_factor(self, n_scores: int) -> float:
        """Pairs of products (times, back) that take as long as `factor`; these are slower by the operation."""
        size = n_scores * self.n_columns
        return 20 + size / 7 * (1 + size / (3 * self.X.shape[0])) if self.can_factor(n_scores) else 1000

    def factor(self, weights: np.ndarray, P: np.ndarray):
        """(r_W, r_b) -> the solution of H d = r, H the curvature of F at probabilities P [K, n], weights [n]."""
        from scipy.linalg import cho_factor, cho_solve

        Z = (self.Z.toarray() if issparse(self.Z) else self.Z) - self.shift
        Z, K = np.hstack([Z, np.ones((len(Z), 1))]), len(P)
        H = np.zeros((K, Z.shape[1], K, Z.shape[1]))
        for k in range(K):
            for j in range(k + 1):
                H[k, :, j] = (Z.T * (weights * P[k] * ((k == j) - P[j]))) @ Z
            own = H[k, :, k]  # a view; an intercept has no penalty, and needs a little of one where it curves nowhere
            own[np.diag_indices(len(own))] += np.append(np.ones(self.n_columns), 1e-6 * own[-1, -1] + 1e-9)
        factors = cho_factor(H.reshape(K * Z.shape[1], -1), lower=True, overwrite_a=True)

        def solve(r_W, r_b):
            d = cho_solve(factors, np.hstack([r_W, r_b[:, None]]).ravel()).reshape(K, -1)
            return d[:, :-1], d[:, -1]

        return solve

    def coefficients(self, W: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(weights [K, p] of the columns of X, intercepts [K])."""
        from scipy.linalg import solve_triangular

        if self.reduced:
            a = np.zeros((len(W), self.X.shape[0]))
            if len(self.pivots):
                a[:, self.pivots] = solve_triangular(self.Z[self.pivots], W.T, trans="T", lower=True).T
            W = _exact_back(a, self.X) - np.outer(a.sum(1), self.mean)
        return W, b - W @ self.mean


def _pays(X) -> bool:
    """Whether products with n columns are cheaper than with X as it is; a sparse number costs about four dense ones."""
    n, p = X.shape
    return n < p and n * n < (4 * X.nnz if issparse(X) else n * p)


def _gram(X, mean: np.ndarray) -> np.ndarray:
    """(X - mean)(X - mean)' [n, n] in float64, a block of columns at a time; a sparse X is never made dense."""
    if issparse(X):
        X = X.astype(np.float64)
        towards = X @ mean
        return (X @ X.T).toarray() - towards[:, None] - towards + mean @ mean
    G, width = np.zeros((len(X), len(X))), max(1, BLOCK // len(X))
    for first in range(0, X.shape[1], width):
        block = X[:, first : first + width] - mean[first : first + width]
        G += block @ block.T
    return G


def _cholesky(G: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(L [n, rank] with L L' = G, the rank rows of L that are triangular)."""
    from scipy.linalg.lapack import dpstrf

    factor, pivots, rank, _ = dpstrf(G, lower=1)
    L = np.zeros((len(G), max(rank, 1)))
    L[pivots - 1] = np.tril(factor)[:, : max(rank, 1)]
    return L, pivots[:rank] - 1


def _product(V: np.ndarray, Z) -> np.ndarray:
    """V Z', in the order in which BLAS is fast: row by row for a few, for more with the long matrix by rows."""
    if issparse(Z):
        return (Z @ V.T).T
    if len(V) == 1:
        return (Z @ V[0])[None]
    if len(V) <= 3:
        return np.stack([Z @ v for v in V])
    return np.ascontiguousarray((Z @ V.T).T) if Z.flags.c_contiguous else V @ Z.T


def _exact(V: np.ndarray, Z) -> np.ndarray:
    """V Z' in float64, whatever Z is stored in, and never all of Z in it at once."""
    if issparse(Z) or Z.dtype == np.float64:
        return _product(V, Z)
    return np.hstack([_product(V, Z[rows].astype(np.float64)) for rows in _blocks(Z)])


def _exact_back(E: np.ndarray, Z) -> np.ndarray:
    if issparse(Z) or Z.dtype == np.float64:
        return _product(E, Z.T)
    return sum(_product(E[:, rows], Z[rows].astype(np.float64).T) for rows in _blocks(Z))


def _blocks(Z: np.ndarray) -> list[slice]:
    step = max(1, BLOCK // Z.shape[1])
    return [slice(first, first + step) for first in range(0, len(Z), step)]
