"""One-to-one matching of two dictionaries by cosine, exact at any width, without their similarity matrix.

Blocks of cosines are computed once; of each row and each column only the largest are kept, and how large anything
that was dropped can be. A sparse assignment of the kept pairs gives a matching and its dual prices; the prices then
prove that no dropped pair could improve it, or name those that might, which join the next round.

Shapes: rows of a are unit vectors [n, d], rows of b [m, d]; pairs (i, j) with cosine C_ij = <a_i, b_j>.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mosaic.agreement import cosines, proof
from mosaic.errors import MosaicError
from mosaic.progress import announce

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

ROUNDS = 50
LARGE = 16_384  # from here on a round takes seconds
ROUNDING = 1e-11  # of a sum of cosines, a latent


@dataclass(frozen=True)
class Assignment:
    """p = argmax sum_i C_{i p(i)} over one-to-one maps, and u, v >= 0 with u_i + v_j >= C_ij that prove it.

    partner: [n] index of b, -1 where a row has none (rows that are zero or not finite; the wider side's rest).
    cosine: [n] C of the pair, float64, NaN without one. tied: [n] bool, a pair that some equally good matching lacks.
    objective: sum of the cosines. bound: sum of the duals, which no matching exceeds. rounds: of solving. kept:
    pairs looked at by the solver.
    """

    partner: np.ndarray
    cosine: np.ndarray
    tied: np.ndarray
    objective: float
    bound: float
    rounds: int
    kept: int

    @property
    def gap(self) -> float:
        """By how much the objective can be off at most; what float64 cannot tell from nothing is nothing."""
        gap = self.bound - self.objective
        return 0.0 if gap <= ROUNDING * max(1, len(self.partner)) else gap

    @property
    def exact(self) -> bool:
        return self.gap == 0.0


def assign(
    a: np.ndarray, b: np.ndarray, absolute: bool = False, precision: str = "float32", device: str = "cpu"
) -> Assignment:
    """The best one-to-one matching of the rows of a with rows of b, by cosine (absolute: by its size).

    Rows need not be of length one; those that are zero or not finite are never matched. Where one side has more
    rows, every row of the smaller one gets a partner. precision: of the blocks ("float32" or "bfloat16"); it decides
    how much is looked at twice, not the result.
    Source: the Hungarian matching of Paulo and Belrose (arXiv 2501.16615), whose dense form took 8 hours and 300 GB
    at 131,072 latents (their blog); linear-programming duality for the proof.
    Raises MosaicError for two widths of d.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise MosaicError(
            f"rows of {a.shape} cannot be compared with rows of {b.shape}: two [n, d] of one d are needed."
        )
    if precision not in cosines.PRECISIONS:
        raise MosaicError(f"precision {precision!r} is not one of {', '.join(cosines.PRECISIONS)}.")
    (a, valid_a), (b, valid_b) = cosines.unit_rows(a), cosines.unit_rows(b)
    rows, columns = np.flatnonzero(valid_a), np.flatnonzero(valid_b)
    partner = np.full(len(a), -1)
    cosine = np.full(len(a), np.nan)
    tied = np.zeros(len(a), dtype=bool)
    if not len(rows) or not len(columns):
        return Assignment(partner, cosine, tied, 0.0, 0.0, 0, 0)
    a, b = a[rows], b[columns]
    swapped = len(a) > len(b)
    solved = _solve(b if swapped else a, a if swapped else b, absolute, precision, device)
    i = np.arange(len(solved.partner))
    i, j = (solved.partner, i) if swapped else (i, solved.partner)
    partner[rows[i]], cosine[rows[i]], tied[rows[i]] = columns[j], solved.cosine, solved.tied
    return Assignment(partner, cosine, tied, solved.objective, solved.bound, solved.rounds, solved.kept)


def _solve(a: np.ndarray, b: np.ndarray, absolute: bool, precision: str, device: str) -> Assignment:
    """len(a) <= len(b), all rows valid."""
    n = len(a)
    candidates = cosines.candidates(a, b, absolute, precision, device)
    for rounds in range(1, ROUNDS + 1):
        values = candidates.values
        if n >= LARGE:
            announce(f"assigning {n:,} latents, {values.nnz / n:.0f} candidates each, round {rounds}")
        partner = _sparse_assignment(values)
        cosine = np.asarray(values[np.arange(n), partner]).ravel() - cosines.SHIFT
        v = proof.prices(values, partner, cosine)
        u = cosine - v[partner]
        look = proof.look_again(a, b, u, v, candidates, absolute, device, cosines.KEPT)
        if not look.beaten:
            # Nothing among the first few of each row: only a look at all of them is a proof.
            look = proof.look_again(a, b, u, v, candidates, absolute, device, None)
        bound = float(np.sum(u) + np.sum(v) + (np.sum(look.excess) if look.beaten else 0))
        merged = values if look.pairs is None else values.maximum(look.pairs)
        if not look.beaten or rounds == ROUNDS:
            break
        candidates = cosines.Candidates(merged, candidates.rest_a, candidates.rest_b)
    # Without the proof no pair is certain.
    tied = np.ones(n, dtype=bool) if look.beaten else proof.tied(merged, partner, cosine, v)
    return Assignment(partner, cosine, tied, float(np.sum(cosine)), bound, rounds, values.nnz)


def _sparse_assignment(values: csr_matrix) -> np.ndarray:
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    if values.nnz == values.shape[0] * values.shape[1]:
        return linear_sum_assignment(values.toarray(), maximize=True)[1]
    _, partner = min_weight_full_bipartite_matching(values, maximize=True)
    return partner
