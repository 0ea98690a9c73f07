"""What proves a matching best: dual prices, a second look at the pairs that were dropped, and the ties that remain.

A matching p is best if there are prices u_i and v_j >= 0 with u_i + v_j >= C_ij for every pair and equality on the
pairs of p: no other matching can then sum to more (linear-programming duality). The solver has seen only the kept
pairs; of a dropped one it is known that C_ij <= min(rest_a_i, rest_b_j), which for nearly all pairs lies below the
prices. The others are computed again.

Shapes: rows of a are unit vectors [n, d], rows of b [m, d], n <= m; u [n], v [m].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mosaic.agreement import cosines

if TYPE_CHECKING:
    import torch
    from scipy.sparse import csr_matrix

TIGHT = 1e-9  # slack below which a pair is as good as a matched one


def prices(values: csr_matrix, partner: np.ndarray, cosine: np.ndarray) -> np.ndarray:
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
        # Only rows whose own column became dearer can offer more in the next round.
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


@dataclass(frozen=True)
class SecondLook:
    """What computing the doubtful dropped pairs again has shown.

    pairs: those that reach their prices u_i + v_j or might, with exact cosines; None where there are none.
    beaten: one of them is above its prices, so the matching may not be best. excess: [n] by how much, at most, a
    pair of each row can be above them.
    """

    pairs: csr_matrix | None
    beaten: bool
    excess: np.ndarray


def look_again(
    a: np.ndarray,
    b: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    candidates: cosines.Candidates,
    absolute: bool,
    device: str,
    per_row: int | None,
) -> SecondLook:
    """Compute again, in float32, the dropped pairs that could exceed their prices, and in float64 those near them.

    per_row: where many come near, so many of each row, twice, are enough for a round. With None all of them are
    compared, and if none beats its prices, the prices prove the matching best.
    """
    import torch

    excess = np.zeros(len(a))
    rows = _suspects(candidates.rest_a, u, candidates.rest_b, v)
    columns = _suspects(candidates.rest_b, v, candidates.rest_a, u)
    if not len(rows) or not len(columns):
        return SecondLook(None, False, excess)
    rounding = cosines.margin("float32", a.shape[1])
    generator = torch.Generator().manual_seed(0)
    found = []
    for part, over in _over_prices(a[rows], b[columns], u[rows], v[columns], absolute, device):
        excess[rows[part]] = np.maximum(over.amax(1).cpu().numpy() + rounding, 0)
        near = over > -rounding
        if per_row and int(near.sum()) > 2 * per_row * len(over):
            near &= _worst_and_random(over, near, per_row, generator)
        i, j = (index.cpu().numpy() for index in near.nonzero(as_tuple=True))
        found.append((rows[part][i], columns[j]))
    i, j = (np.concatenate(indices) for indices in zip(*found, strict=True))
    if not len(i):
        return SecondLook(None, False, excess)
    pairs = cosines.exact(a, b, i, j, absolute)
    return SecondLook(pairs, _beats(pairs, u, v), excess)


def _suspects(rest: np.ndarray, own: np.ndarray, other_rest: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Indices i for which some j has min(rest_i, other_rest_j) > own_i + other_j; by sorting, not pair by pair."""
    order = np.argsort(other)
    most = np.maximum.accumulate((other_rest - other)[order])
    n_below = np.searchsorted(other[order], rest - own)  # those j with other_j < rest_i - own_i
    reach = np.concatenate([[-np.inf], most])[n_below]
    return np.flatnonzero(reach > own)


def _over_prices(
    a: np.ndarray, b: np.ndarray, u: np.ndarray, v: np.ndarray, absolute: bool, device: str
) -> Iterator[tuple[slice, torch.Tensor]]:
    """(rows, C_ij - u_i - v_j [r, m] float64 of float32 cosines), r rows at a time."""
    import torch

    wide = "cpu" if device.startswith("mps") else device  # Apple's GPUs have no float64
    u, v = torch.from_numpy(u).to(wide), torch.from_numpy(v).to(wide)
    for part, block in cosines.blocks(a, b, absolute, "float32", device):
        yield part, block.to(wide).double().sub_(u[part, None]).sub_(v)


def _worst_and_random(over: torch.Tensor, near: torch.Tensor, per_row: int, generator: torch.Generator) -> torch.Tensor:
    """[r, m] bool: each row's `per_row` largest, and as many of its near ones at random: rows that are alike would
    otherwise all name the same columns, and the next round would learn little."""
    import torch

    k = min(per_row, over.shape[1])
    chance = torch.rand(over.shape, generator=generator).to(over.device)
    chosen = torch.cat([over.topk(k, dim=1).indices, (chance * near).topk(k, dim=1).indices], dim=1)
    return torch.zeros_like(near).scatter_(1, chosen, True)


def _beats(pairs: csr_matrix, u: np.ndarray, v: np.ndarray) -> bool:
    """Whether any of these pairs is above its prices."""
    i = np.repeat(np.arange(pairs.shape[0]), np.diff(pairs.indptr))
    gain = pairs.data - cosines.SHIFT - u[i] - v[pairs.indices]
    return bool((gain > 0).any())


def tied(values: csr_matrix, partner: np.ndarray, cosine: np.ndarray, v: np.ndarray) -> np.ndarray:
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
