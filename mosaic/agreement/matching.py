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

from mosaic.agreement import cosines
from mosaic.errors import MosaicError
from mosaic.progress import announce

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

ROUNDS = 50
LARGE = 16_384  # from here on a round takes seconds
TIGHT = 1e-9  # slack below which a pair is as good as a matched one
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
        v = _prices(values, partner, cosine)
        u = cosine - v[partner]
        looked, beaten, excess = _look_again(a, b, u, v, candidates, absolute, device, cosines.KEPT)
        if not beaten:
            looked, beaten, excess = _look_again(a, b, u, v, candidates, absolute, device, None)
        bound = float(np.sum(u) + np.sum(v) + (np.sum(excess) if beaten else 0))
        merged = values if looked is None else values.maximum(looked)
        if not beaten or rounds == ROUNDS:
            break
        candidates = cosines.Candidates(merged, candidates.rest_a, candidates.rest_b)
    # Without the proof no pair is certain.
    tied = np.ones(n, dtype=bool) if beaten else _tied(merged, partner, cosine, v)
    return Assignment(partner, cosine, tied, float(np.sum(cosine)), bound, rounds, values.nnz)


def _sparse_assignment(values: csr_matrix) -> np.ndarray:
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    if values.nnz == values.shape[0] * values.shape[1]:
        return linear_sum_assignment(values.toarray(), maximize=True)[1]
    _, partner = min_weight_full_bipartite_matching(values, maximize=True)
    return partner


def _prices(values: csr_matrix, partner: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """v >= 0 [m] with u_i + v_j >= C_ij for every kept pair, where u_i = C_ip(i) - v_p(i).

    Optimal prices form an interval; where both sides have as many rows we take its middle, which leaves dropped
    pairs the most room (with free columns, whose price is 0, its lower end).
    """
    low = _least_prices(values, partner, cosine)
    n, m = values.shape
    if n < m:
        return low
    owner = np.empty(m, dtype=np.int64)
    owner[partner] = np.arange(n)
    u = _least_prices(values.T.tocsr(), owner, cosine[owner])
    middle = (low + cosine[owner] - u[owner]) / 2
    return middle - middle.min()


def _least_prices(values: csr_matrix, partner: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """The least v >= 0 with v_j >= v_p(i) + C_ij - C_ip(i) for every kept pair.

    Longest paths over alternating pairs (Bellman and Ford); there is no gainful cycle, because p is optimal.
    """
    v = np.zeros(values.shape[1])
    owner = np.full(values.shape[1], -1)
    owner[partner] = np.arange(len(partner))
    lengths = np.diff(values.indptr)
    gain = values.data - cosines.SHIFT - np.repeat(cosine, lengths)
    rows = np.arange(len(partner))
    for _ in range(values.shape[1] + 1):
        edges = _ranges(values.indptr[rows], lengths[rows])
        columns = values.indices[edges]
        offered = np.repeat(v[partner[rows]], lengths[rows]) + gain[edges]
        before = v.copy()
        np.maximum.at(v, columns, offered)
        raised = np.flatnonzero(v > before + 1e-13)
        rows = owner[raised]
        rows = rows[rows >= 0]
        if not len(rows):
            return v
    raise AssertionError("a gainful cycle: the sparse assignment is not optimal")


def _ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """start_1, start_1 + 1, ..., start_2, ...: positions of whole rows of a CSR matrix."""
    total = int(lengths.sum())
    offsets = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
    return offsets + np.arange(total)


def _look_again(
    a: np.ndarray,
    b: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    candidates: cosines.Candidates,
    absolute: bool,
    device: str,
    few: int | None,
) -> tuple[csr_matrix | None, bool, np.ndarray]:
    """(pairs that reach their prices u_i + v_j or might, exactly; whether one beats them; by how much, at most, a row's can).

    A dropped pair is at most min(rest_a, rest_b). Only rows and columns for which that could exceed u_i + v_j are
    looked at again, in float32, and what is near in float64. few: where there are many, this many of each row, twice, are
    enough for a round. With few = None, and no pair that beats them, the prices prove the matching best.
    """
    import torch

    excess = np.zeros(len(a))
    rows = _suspects(candidates.rest_a, u, candidates.rest_b, v)
    columns = _suspects(candidates.rest_b, v, candidates.rest_a, u)
    if not len(rows) or not len(columns):
        return None, False, excess
    prices = torch.from_numpy(v[columns]).to(device)
    found_rows, found_columns = [], []
    off = cosines.margin("float32", a.shape[1])
    generator = torch.Generator().manual_seed(0)
    for part, block in cosines.blocks(a[rows], b[columns], absolute, "float32", device):
        over = block.double().sub_(torch.from_numpy(u[rows[part]]).to(device)[:, None]).sub_(prices)
        excess[rows[part]] = np.maximum(over.amax(1).cpu().numpy() + off, 0)
        hits = over > -off
        if few and int(hits.sum()) > 2 * few * len(over):
            # Each row's worst, and some at random, or rows that are alike would all get the same.
            k = min(few, over.shape[1])
            chance = torch.rand(over.shape, generator=generator).to(device)
            chosen = torch.cat([over.topk(k, dim=1).indices, (chance * hits).topk(k, dim=1).indices], dim=1)
            hits &= torch.zeros_like(hits).scatter_(1, chosen, True)
        i, k = (x.cpu().numpy() for x in hits.nonzero(as_tuple=True))
        found_rows.append(rows[part][i])
        found_columns.append(columns[k])
    i, j = np.concatenate(found_rows), np.concatenate(found_columns)
    if not len(i):
        return None, False, excess
    looked = cosines.exact(a, b, i, j, absolute)
    i = np.repeat(np.arange(len(a)), np.diff(looked.indptr))
    gain = looked.data - cosines.SHIFT - u[i] - v[looked.indices]
    return looked, bool((gain > 0).any()), excess


def _suspects(rest: np.ndarray, own: np.ndarray, other_rest: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Indices i for which some j has min(rest_i, other_rest_j) > own_i + other_j; by sorting, not by pairs."""
    order = np.argsort(other)
    most = np.maximum.accumulate((other_rest - other)[order])
    n_below = np.searchsorted(other[order], rest - own)  # those j with other_j < rest_i - own_i
    reach = np.concatenate([[-np.inf], most])[n_below]
    return np.flatnonzero(reach > own)


def _tied(values: csr_matrix, partner: np.ndarray, cosine: np.ndarray, v: np.ndarray) -> np.ndarray:
    """[n] bool: rows on an alternating cycle (or a path to a free column) of pairs as good as matched ones.

    Any other best matching differs from this one along such cycles and paths only.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n, m = values.shape
    rows = np.repeat(np.arange(n), np.diff(values.indptr))
    loose = cosine[rows] - v[partner[rows]] + v[values.indices] - (values.data - cosines.SHIFT)
    tight = loose <= TIGHT
    start, end = partner[rows[tight]], values.indices[tight]
    # Free columns cost nothing: one node stands for all of them, and leads to every column of price zero.
    free = np.ones(m, dtype=bool)
    free[partner] = False
    zero = np.flatnonzero(~free & (v <= TIGHT)) if free.any() else np.zeros(0, dtype=int)
    end = np.where(free[end], m, end)
    start, end = np.concatenate([start, np.full(len(zero), m)]), np.concatenate([end, zero])
    graph = coo_matrix((np.ones(len(start), dtype=bool), (start, end)), (m + 1, m + 1))
    _, label = connected_components(graph, connection="strong")
    return np.bincount(label)[label[partner]] > 1
