"""One-to-one matching of two dictionaries by cosine, exact at any width, without their similarity matrix.

Blocks of cosines are computed once; of each row and each column only the largest are kept, and how large anything
that was dropped can be. A sparse assignment of the kept pairs gives a matching and its dual prices; the prices then
prove that no dropped pair could improve it, or name those that might, which join the next round.

Shapes: rows of a are unit vectors [n, d], rows of b [m, d]; pairs (i, j) with cosine C_ij = <a_i, b_j>.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mosaic.errors import MosaicError
from mosaic.progress import Progress

if TYPE_CHECKING:
    import torch
    from scipy.sparse import csr_matrix

DENSE = 512  # up to so many rows every pair is kept
KEPT = 32  # candidates of each row and each column beyond that
BLOCK = 2**26  # cosines in memory at a time
ROUNDS = 50
TIGHT = 1e-9  # slack below which a pair is as good as a matched one
# How far a cosine of unit vectors can be off: rounding of both vectors and of the sum (Cauchy-Schwarz).
MARGIN = {"float32": 4e-6, "bfloat16": 1e-2}


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
        """By how much the objective can be off at most; rounding of float64 sums is not counted."""
        gap = self.bound - self.objective
        return 0.0 if gap <= TIGHT * max(1, len(self.partner)) else gap

    @property
    def exact(self) -> bool:
        return self.gap == 0.0


def unit_rows(x) -> tuple[np.ndarray, np.ndarray]:
    """(rows of length one [n, d] float32, valid [n] bool); rows that are zero or not finite are left zero."""
    x = np.asarray(x, dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        norm = np.linalg.norm(x.astype(np.float64), axis=1)
    valid = np.isfinite(norm) & (norm > 0)
    out = np.zeros_like(x)
    out[valid] = (x[valid] / norm[valid, None]).astype(np.float32)
    return out, valid


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
    if precision not in MARGIN:
        raise MosaicError(f"precision {precision!r} is not one of {', '.join(MARGIN)}.")
    (a, valid_a), (b, valid_b) = unit_rows(a), unit_rows(b)
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


def largest(a: np.ndarray, b: np.ndarray, device: str = "cpu") -> tuple[np.ndarray, np.ndarray]:
    """(max_j C_ij [n], max_i C_ij [m]): each row's nearest neighbour, in blocks; NaN for invalid rows."""
    (a, valid_a), (b, valid_b) = unit_rows(a), unit_rows(b)
    best_a, best_b = np.full(len(a), np.nan), np.full(len(b), np.nan)
    rows, columns = np.flatnonzero(valid_a), np.flatnonzero(valid_b)
    if len(rows) and len(columns):
        for part, block in _blocks(a[rows], b[columns], False, "float32", device):
            best_a[rows[part]] = block.amax(1).cpu().numpy()
            best_b[columns] = np.fmax(best_b[columns], block.amax(0).cpu().numpy())
    return best_a, best_b


@dataclass(frozen=True)
class _Candidates:
    """Pairs kept (row-major, unique) with exact cosines; anything else is at most min(rest_a[i], rest_b[j])."""

    values: csr_matrix
    rest_a: np.ndarray
    rest_b: np.ndarray


def _solve(a: np.ndarray, b: np.ndarray, absolute: bool, precision: str, device: str) -> Assignment:
    """len(a) <= len(b), all rows valid."""
    n = len(a)
    candidates = _candidates(a, b, absolute, precision, device)
    for rounds in range(1, ROUNDS + 1):
        values = candidates.values
        partner = _sparse_assignment(values)
        cosine = np.asarray(values[np.arange(n), partner]).ravel() - 3.0
        v = _prices(values, partner, cosine)
        u = cosine - v[partner]
        looked, excess = _look_again(a, b, u, v, candidates, absolute, precision, device)
        bound = float(np.sum(u) + np.sum(v) + np.sum(excess))
        merged = values if looked is None else values.maximum(looked)
        if not excess.any() or rounds == ROUNDS:
            break
        candidates = _Candidates(merged, candidates.rest_a, candidates.rest_b)
    # Without the proof no pair is certain.
    tied = np.ones(n, dtype=bool) if excess.any() else _tied(merged, partner, cosine, v)
    return Assignment(partner, cosine, tied, float(np.sum(cosine)), bound, rounds, values.nnz)


def _blocks(
    a: np.ndarray, b: np.ndarray, absolute: bool, precision: str, device: str
) -> Iterator[tuple[slice, torch.Tensor]]:
    """(rows, their cosines [r, m] float32), r rows at a time."""
    import torch

    dtype = getattr(torch, precision)
    right = torch.from_numpy(b).to(device, dtype).T
    step = max(16, BLOCK // len(b))
    with Progress("matching", len(a), "latents") as progress, torch.inference_mode():
        for start in range(0, len(a), step):
            part = slice(start, min(start + step, len(a)))
            block = (torch.from_numpy(a[part]).to(device, dtype) @ right).float()
            yield part, block.abs_() if absolute else block
            progress.advance(part.stop - part.start, 0)


def _candidates(a: np.ndarray, b: np.ndarray, absolute: bool, precision: str, device: str) -> _Candidates:
    """Each row's and each column's KEPT largest, and whatever is above a common floor, out of one pass.

    The floor is where a typical row's KEPT-th largest lies: a crowd of near-duplicates, of which KEPT are too few,
    is kept whole by it.
    """
    import torch

    n, m = len(a), len(b)
    if n <= DENSE:
        nothing = np.float64(-np.inf)
        return _Candidates(_every_pair(a, b, absolute), np.full(n, nothing), np.full(m, nothing))
    kept = min(KEPT, n)
    floor = _typical_rest(a, b, absolute, kept)
    rows, columns, above = [], [], _Largest(2 * KEPT * n, floor)
    rest_a = np.empty(n)
    best = torch.full((m, kept), -2.0, device=device)
    owner = torch.zeros((m, kept), dtype=torch.long, device=device)
    for part, block in _blocks(a, b, absolute, precision, device):
        top = block.topk(kept, dim=1)
        rest_a[part] = top.values[:, -1].cpu()
        rows.append(np.repeat(np.arange(part.start, part.stop), kept))
        columns.append(top.indices.cpu().numpy().ravel())
        # Rows whose last kept value is below the floor have nothing more above it.
        crowded = (top.values[:, -1] > above.floor).nonzero()[:, 0]
        i, j = (block[crowded] > above.floor).nonzero(as_tuple=True)
        above.add(crowded[i].cpu().numpy() + part.start, j.cpu().numpy(), block[crowded[i], j].cpu().numpy())
        fresh = block.T.contiguous().topk(min(kept, len(block)), dim=1)
        values = torch.cat([best, fresh.values], dim=1)
        owners = torch.cat([owner, fresh.indices + part.start], dim=1)
        best, which = values.topk(kept, dim=1)
        owner = owners.gather(1, which)
    diagonal = np.arange(n)  # so that a full matching exists
    rows += [owner.cpu().numpy().ravel(), diagonal, above.rows]
    columns += [np.repeat(np.arange(m), kept), diagonal, above.columns]
    margin = MARGIN[precision]
    return _Candidates(
        _exact(a, b, np.concatenate(rows), np.concatenate(columns), absolute),
        np.minimum(rest_a, above.floor) + margin,
        np.minimum(best[:, -1].cpu().double().numpy(), above.floor) + margin,
    )


def _typical_rest(a: np.ndarray, b: np.ndarray, absolute: bool, kept: int) -> float:
    """The median, over a few rows spread evenly, of the kept-th largest cosine."""
    some = a[np.linspace(0, len(a) - 1, 64).astype(int)]
    (_, block), *_ = _blocks(some, b, absolute, "float32", "cpu")
    return float(block.topk(kept, dim=1).values[:, -1].median())


class _Largest:
    """Pairs above a floor, at most `limit` of them: where more come, the floor rises."""

    def __init__(self, limit: int, floor: float):
        self.limit, self.floor = limit, floor
        self.rows = self.columns = np.zeros(0, dtype=np.int64)
        self.values = np.zeros(0, dtype=np.float32)

    def add(self, rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> None:
        self.rows, self.columns = np.concatenate([self.rows, rows]), np.concatenate([self.columns, columns])
        self.values = np.concatenate([self.values, values])
        if len(self.values) > self.limit:
            self.floor = float(np.partition(self.values, -self.limit // 2)[-self.limit // 2])
            stay = self.values > self.floor
            self.rows, self.columns, self.values = self.rows[stay], self.columns[stay], self.values[stay]


def _exact(a: np.ndarray, b: np.ndarray, rows: np.ndarray, columns: np.ndarray, absolute: bool) -> csr_matrix:
    """Cosines of pairs in float64, shifted by 3 (a stored zero would be no pair), as CSR [n, m]; repeats are merged."""
    import torch
    from scipy.sparse import csr_matrix

    n, m = len(a), len(b)
    key = np.unique(rows.astype(np.int64) * m + columns)
    rows, columns = np.divmod(key, m)
    values = np.empty(len(key))
    left, right = torch.from_numpy(a), torch.from_numpy(b)
    step = max(1, 2**22 // a.shape[1])
    for start in range(0, len(key), step):
        part = slice(start, start + step)
        i, j = torch.from_numpy(rows[part]), torch.from_numpy(columns[part])
        values[part] = torch.linalg.vecdot(left[i].double(), right[j].double())
    indptr = np.searchsorted(rows, np.arange(n + 1))
    return csr_matrix(((np.abs(values) if absolute else values) + 3.0, columns, indptr), shape=(n, m))


def _every_pair(a: np.ndarray, b: np.ndarray, absolute: bool) -> csr_matrix:
    from scipy.sparse import csr_matrix

    values = a.astype(np.float64) @ b.astype(np.float64).T
    (n, m), columns = values.shape, np.arange(len(b))
    values = (np.abs(values) if absolute else values) + 3.0
    return csr_matrix((values.ravel(), np.tile(columns, n), np.arange(n + 1) * m), shape=(n, m))


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
    return _lifted((low + cosine[owner] - u[owner]) / 2)


def _lifted(v: np.ndarray) -> np.ndarray:
    return v - v.min()


def _least_prices(values: csr_matrix, partner: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """The least v >= 0 with v_j >= v_p(i) + C_ij - C_ip(i) for every kept pair.

    Longest paths over alternating pairs (Bellman and Ford); there is no gainful cycle, because p is optimal.
    """
    v = np.zeros(values.shape[1])
    owner = np.full(values.shape[1], -1)
    owner[partner] = np.arange(len(partner))
    lengths = np.diff(values.indptr)
    gain = values.data - 3.0 - np.repeat(cosine, lengths)
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
    candidates: _Candidates,
    absolute: bool,
    precision: str,
    device: str,
) -> tuple[csr_matrix | None, np.ndarray]:
    """(pairs that reach their prices u_i + v_j or might, exactly; by how much each row's best dropped pair beats them).

    A dropped pair is at most min(rest_a, rest_b). Only rows and columns for which that could exceed u_i + v_j are
    looked at again, in float32, and what is near in float64. No excess: the prices prove the matching best.
    """
    import torch

    excess = np.zeros(len(a))
    rows = _suspects(candidates.rest_a, u, candidates.rest_b, v)
    columns = _suspects(candidates.rest_b, v, candidates.rest_a, u)
    if not len(rows) or not len(columns):
        return None, excess
    prices = torch.from_numpy(v[columns]).to(device)
    found_rows, found_columns, most = [], [], np.zeros(len(a))
    generator = torch.Generator().manual_seed(0)
    for part, block in _blocks(a[rows], b[columns], absolute, "float32", device):
        over = block.double().sub_(torch.from_numpy(u[rows[part]]).to(device)[:, None]).sub_(prices)
        most[rows[part]] = np.maximum(over.amax(1).cpu().numpy() + MARGIN["float32"], 0)
        hits = over > -MARGIN["float32"]
        if int(hits.sum()) > 2 * KEPT * len(over):
            # Too many for one round: each row's worst, and some at random, or rows that are alike would get the same.
            few = min(KEPT, over.shape[1])
            chance = torch.rand(over.shape, generator=generator).to(device)
            chosen = torch.cat([over.topk(few, dim=1).indices, (chance * hits).topk(few, dim=1).indices], dim=1)
            hits &= torch.zeros_like(hits).scatter_(1, chosen, True)
        i, k = (x.cpu().numpy() for x in hits.nonzero(as_tuple=True))
        found_rows.append(rows[part][i])
        found_columns.append(columns[k])
    i, j = np.concatenate(found_rows), np.concatenate(found_columns)
    if not len(i):
        return None, excess
    looked = _exact(a, b, i, j, absolute)
    i = np.repeat(np.arange(len(a)), np.diff(looked.indptr))
    beaten = looked.data - 3.0 - u[i] - v[looked.indices] > 1e-12  # kept pairs come back within rounding
    guilty = np.unique(i[beaten])
    excess[guilty] = most[guilty]
    return looked, excess


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
    loose = cosine[rows] - v[partner[rows]] + v[values.indices] - (values.data - 3.0)
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
