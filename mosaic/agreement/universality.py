"""How alike the feature spaces of two models are (after Lan et al., arXiv 2410.06981).

Both models read the same tokens. A latent b of one SAE is paired with the latent of the other that fires most like it,

    a(b) = argmax_a r_ab,   r_ab = corr over tokens of z_a and z_b,

and the decoder rows X, Y [M, d] of the M pairs are compared:

    SVCCA(X, Y) = mean_i sigma_i(U_X' U_Y), U the left singular vectors of the centred rows that hold 99 % of their variance
    RSA(X, Y)   = Spearman correlation of corr(x_i, x_j) with corr(y_i, y_j) over all pairs i < j

What either gives for nothing is measured by permuting the pairing. The published code computed SVCCA of the first component
alone (its test on 99 % of the variance never held); that is `svcca` with variance None, whose null is sqrt(2 / (pi M)).

Shapes: T tokens, D latents, M pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.agreement.resampling import Estimate, jackknife
from mosaic.errors import MosaicError

VARIANCE = 0.99
LEAST = 0.1  # correlation from which a pair counts
PERMUTATIONS = 200
MOST = 500  # pairs whose similarities RSA ranks; more are drawn from
BLOCKS = 20  # of pairs, of the jackknife
BLOCK = 1_024  # latents whose products with all others are held at once


class Correlations:
    """r_ab = (E[z_a z_b] - E[z_a] E[z_b]) / (sd_a sd_b) of all latents of two SAEs, from tokens that come in parts."""

    def __init__(self, d_a: int, d_b: int):
        self._cross = np.zeros((d_a, d_b))
        self._sums = [np.zeros(d_a), np.zeros(d_b)]
        self._squares = [np.zeros(d_a), np.zeros(d_b)]
        self.fires = [np.zeros(d_a, dtype=int), np.zeros(d_b, dtype=int)]
        self.n_tokens = 0

    def add(self, a: csr_matrix, b: csr_matrix) -> None:
        """Codes [T, D] of the same tokens. Raises MosaicError where they are not as many."""
        if a.shape[0] != b.shape[0]:
            raise MosaicError(
                f"{a.shape[0]} and {b.shape[0]} tokens; both SAEs read the same tokens of the same texts."
            )
        a, b = a.astype(np.float64), b.astype(np.float64)
        columns = a.tocsc()
        for start in range(0, a.shape[1], BLOCK):
            part = slice(start, start + BLOCK)
            self._cross[part] += (columns[:, part].T @ b).toarray()
        for codes, sums, squares, fires in zip((a, b), self._sums, self._squares, self.fires, strict=True):
            sums += np.asarray(codes.sum(0)).ravel()
            squares += np.asarray(codes.multiply(codes).sum(0)).ravel()
            fires += np.bincount(codes.indices[codes.data != 0], minlength=codes.shape[1])
        self.n_tokens += a.shape[0]

    def values(self) -> np.ndarray:
        """[D_a, D_b] correlations, float32; zero for a latent that never changes."""
        n = max(self.n_tokens, 1)
        (mean_a, mean_b), (by_a, by_b) = [sums / n for sums in self._sums], [self._by_spread(i) for i in (0, 1)]
        out = np.empty(self._cross.shape, dtype=np.float32)
        for start in range(0, len(out), BLOCK):  # no second matrix of doubles
            part = slice(start, start + BLOCK)
            covariance = self._cross[part] / n - np.outer(mean_a[part], mean_b)
            out[part] = covariance * by_a[part, None] * by_b
        return out

    def _by_spread(self, side: int) -> np.ndarray:
        """1 / standard deviation of each latent of a side; 0 where it never changes."""
        mean = self._sums[side] / max(self.n_tokens, 1)
        spread = np.sqrt(np.maximum(self._squares[side] / max(self.n_tokens, 1) - mean**2, 0))
        return np.divide(1, spread, out=np.zeros_like(spread), where=spread > 1e-12)


@dataclass(frozen=True, eq=False)
class Pairs:
    """M latents of one SAE (first) beside those of another (second) that fire like them; r: [M] correlations, falling."""

    first: np.ndarray
    second: np.ndarray
    r: np.ndarray

    def __len__(self) -> int:
        return len(self.r)


def best_pairs(r: np.ndarray, least: float = LEAST, once: bool = True) -> Pairs:
    """Each latent of the second SAE with the one of the first that correlates most with it, from `least` on.

    once: of those with the same partner the closest alone stays, as a partner that many share says little.
    """
    partner = r.argmax(0)
    value = r[partner, np.arange(r.shape[1])]
    second = np.flatnonzero(value > least)
    second = second[np.argsort(-value[second], kind="stable")]
    if once:
        second = second[np.sort(np.unique(partner[second], return_index=True)[1])]
    return Pairs(partner[second], second, value[second])


# --- two sets of decoder rows --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Similarity:
    """observed: of the pairs as they were found. null: [n] of permuted pairings. n_pairs: M."""

    observed: float
    null: np.ndarray
    n_pairs: int

    @property
    def excess(self) -> float:
        return self.observed - float(self.null.mean())

    @property
    def interval(self) -> list[float]:
        """95 % of observed minus permuted."""
        low, high = np.quantile(self.null, [0.025, 0.975])
        return [self.observed - float(high), self.observed - float(low)]

    @property
    def p(self) -> float:
        """(1 + permutations that reach it) / (1 + permutations)."""
        return (1 + int((self.null >= self.observed).sum())) / (1 + len(self.null))

    def summary(self) -> dict:
        return {
            "value": self.observed,
            "null": float(self.null.mean()),
            "excess": self.excess,
            "interval": self.interval,
            "p": self.p,
            "n": self.n_pairs,
        }


def svcca(
    x: np.ndarray, y: np.ndarray, variance: float | None = VARIANCE, permutations: int = PERMUTATIONS, seed: int = 0
) -> Similarity:
    """Mean canonical correlation of the leading components of x [M, d] and y [M, d'], rows paired.

    variance: share that the components hold; None: the first component alone. With M not much larger than d it is far above
    zero for nothing: look at the excess. Raises MosaicError for unpaired rows, or fewer than three.
    """
    _check(x, y)
    u, v = _components(x, variance), _components(y, variance)
    return _against_permuted(lambda order: _mean_correlation(u, v[order]), len(x), permutations, seed)


def rsa(x: np.ndarray, y: np.ndarray, permutations: int = PERMUTATIONS, seed: int = 0) -> Similarity:
    """Spearman correlation of the rows' similarities to one another; of more than MOST pairs so many are drawn.

    Raises MosaicError as `svcca` does.
    """
    x, y = _at_most(x, y)
    above = np.triu_indices(len(x), 1)
    ranks = [_ranks(rows, above) for rows in (x, y)]
    first = ranks[0][above]
    return _against_permuted(
        lambda order: float(first @ ranks[1][order[above[0]], order[above[1]]]), len(x), permutations, seed
    )


def rsa_estimate(x: np.ndarray, y: np.ndarray, blocks: int = BLOCKS) -> Estimate:
    """RSA with its standard error over pairs of latents: a block jackknife, each block of pairs left out in turn."""
    x, y = _at_most(x, y)
    block = np.random.default_rng(2).permutation(len(x)) % min(blocks, len(x) // 3)
    without = [_rsa(x[block != b], y[block != b]) for b in range(block.max() + 1)]
    return jackknife(_rsa(x, y), without)


def _rsa(x: np.ndarray, y: np.ndarray) -> float:
    above = np.triu_indices(len(x), 1)
    first, second = (_ranks(rows, above)[above] for rows in (x, y))
    return float(first @ second)


def _at_most(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    _check(x, y)
    if len(x) <= MOST:
        return x, y
    drawn = np.sort(np.random.default_rng(1).choice(len(x), MOST, replace=False))
    return x[drawn], y[drawn]


def one_component_null(n_pairs: int) -> float:
    """E|corr| of two unrelated vectors of n_pairs numbers: sqrt(2 / (pi n)), what a permuted pairing gives of one component."""
    return float(np.sqrt(2 / (np.pi * n_pairs)))


def _check(x: np.ndarray, y: np.ndarray) -> None:
    if len(x) != len(y) or len(x) < 3:
        raise MosaicError(f"{len(x)} and {len(y)} rows; three pairs or more, a row each, were expected.")
    for rows in (x, y):
        if flat := np.flatnonzero(np.ptp(rows, axis=1) < 1e-12).tolist():
            raise MosaicError(
                f"row {flat[0]} has the same number everywhere, so that nothing is like it. Leave it out."
            )
        if (np.ptp(rows, axis=0) < 1e-12).all():
            raise MosaicError("all rows are one and the same, so that there is no geometry to compare.")


def _components(rows: np.ndarray, variance: float | None) -> np.ndarray:
    """[M, k] orthonormal: the leading left singular vectors of the centred rows."""
    rows = rows.astype(np.float64)
    u, s, _ = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
    if variance is None:
        return u[:, :1]
    held = np.cumsum(s**2) / np.sum(s**2)
    return u[:, : int(np.searchsorted(held, variance)) + 1]


def _mean_correlation(u: np.ndarray, v: np.ndarray) -> float:
    return float(np.linalg.svd(u.T @ v, compute_uv=False).mean())


def _ranks(rows: np.ndarray, above: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """[M, M], symmetric: centred ranks, of length 1 over the pairs, of the correlations of rows."""
    from scipy.stats import rankdata

    similar = np.corrcoef(rows.astype(np.float64))
    ranks = rankdata(similar[above])
    ranks -= ranks.mean()
    ranks /= np.linalg.norm(ranks)
    out = np.zeros((len(rows), len(rows)))
    out[above] = ranks
    return out + out.T


def _against_permuted(value: Callable[[np.ndarray], float], n: int, permutations: int, seed: int) -> Similarity:
    rng = np.random.default_rng(seed)
    null = np.array([value(rng.permutation(n)) for _ in range(permutations)])
    return Similarity(value(np.arange(n)), null, n)
