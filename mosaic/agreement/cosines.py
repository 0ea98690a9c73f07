"""Cosines of two dictionaries in blocks, and the few pairs of them that a matching can need.

Shapes: rows of a are unit vectors [n, d], rows of b [m, d]; C_ij = <a_i, b_j>.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mosaic.progress import Progress

if TYPE_CHECKING:
    import torch
    from scipy.sparse import csr_matrix

DENSE = 512  # up to so many rows every pair is kept
KEPT = 32  # candidates of each row and each column beyond that
BLOCK = 2**26  # cosines in memory at a time
# Exact cosines are rounded to multiples of this, about 1e-12: sums and differences of them are then exact in float64, so
# ties are ties, and no solver goes round in circles over the last bit.
GRAIN = 2.0**-40
SHIFT = 3.0  # added to stored cosines: a stored zero would be no pair
# How far a product of unit vectors can be off by the rounding of both and of the result (Cauchy-Schwarz).
PRECISIONS = {"float32": 2.0**-23, "bfloat16": 3 * 2.0**-8}
# How far below a threshold a stored cosine may lie and still reach it: rows are unit vectors in float32, which puts the
# cosine of a row with itself up to 2^-23 off 1, and the grid moves it by half a grain more.
TOLERANCE = PRECISIONS["float32"] + GRAIN


def unit_rows(x) -> tuple[np.ndarray, np.ndarray]:
    """(rows of length one [n, d] float32, valid [n] bool); rows that are zero or not finite are left zero."""
    x = np.asarray(x, dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        norm = np.linalg.norm(x.astype(np.float64), axis=1)
    valid = np.isfinite(norm) & (norm > 0)
    out = np.zeros_like(x)
    out[valid] = (x[valid] / norm[valid, None]).astype(np.float32)
    return out, valid


def largest(a: np.ndarray, b: np.ndarray, device: str = "cpu") -> tuple[np.ndarray, np.ndarray]:
    """(max_j C_ij [n], max_i C_ij [m]): each row's nearest neighbour, in blocks; NaN for invalid rows."""
    (a, valid_a), (b, valid_b) = unit_rows(a), unit_rows(b)
    best_a, best_b = np.full(len(a), np.nan), np.full(len(b), np.nan)
    rows, columns = np.flatnonzero(valid_a), np.flatnonzero(valid_b)
    if len(rows) and len(columns):
        for part, block in blocks(a[rows], b[columns], False, "float32", device):
            best_a[rows[part]] = block.amax(1).cpu().numpy()
            best_b[columns] = np.fmax(best_b[columns], block.amax(0).cpu().numpy())
    return best_a, best_b


def margin(precision: str, d: int) -> float:
    """How far a cosine of a block can be off: rounding of the vectors, and of a float32 sum of d products."""
    return PRECISIONS[precision] + d * 2.0**-24


@dataclass(frozen=True)
class Candidates:
    """Pairs kept (row-major, unique) with exact cosines; anything else is at most min(rest_a[i], rest_b[j])."""

    values: csr_matrix
    rest_a: np.ndarray
    rest_b: np.ndarray


def blocks(
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


def candidates(a: np.ndarray, b: np.ndarray, absolute: bool, precision: str, device: str) -> Candidates:
    """Each row's and each column's KEPT largest, and whatever is above a common floor, out of one pass.

    The floor is where a typical row's KEPT-th largest lies: a crowd of near-duplicates, of which KEPT are too few,
    is kept whole by it.
    """
    import torch

    n, m = len(a), len(b)
    if n <= DENSE:
        nothing = np.float64(-np.inf)
        return Candidates(_every_pair(a, b, absolute), np.full(n, nothing), np.full(m, nothing))
    kept = min(KEPT, n)
    floor = _typical_rest(a, b, absolute, kept)
    rows, columns, above = [], [], _Largest(2 * KEPT * n, floor)
    rest_a = np.empty(n)
    best = torch.full((m, kept), -2.0, device=device)
    owner = torch.zeros((m, kept), dtype=torch.long, device=device)
    for part, block in blocks(a, b, absolute, precision, device):
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
    off = margin(precision, a.shape[1])
    return Candidates(
        exact(a, b, np.concatenate(rows), np.concatenate(columns), absolute),
        np.minimum(rest_a, above.floor) + off,
        np.minimum(best[:, -1].cpu().double().numpy(), above.floor) + off,
    )


def _typical_rest(a: np.ndarray, b: np.ndarray, absolute: bool, kept: int) -> float:
    """The median, over a few rows spread evenly, of the kept-th largest cosine."""
    spread = a[np.linspace(0, len(a) - 1, 64).astype(int)]
    (_, block), *_ = blocks(spread, b, absolute, "float32", "cpu")
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


def exact(a: np.ndarray, b: np.ndarray, rows: np.ndarray, columns: np.ndarray, absolute: bool) -> csr_matrix:
    """Cosines of pairs in float64, shifted by SHIFT, as CSR [n, m]; repeats are merged."""
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
    return csr_matrix((_stored(values, absolute), columns, indptr), shape=(n, m))


def _every_pair(a: np.ndarray, b: np.ndarray, absolute: bool) -> csr_matrix:
    from scipy.sparse import csr_matrix

    values = a.astype(np.float64) @ b.astype(np.float64).T
    (n, m), columns = values.shape, np.arange(len(b))
    return csr_matrix((_stored(values, absolute).ravel(), np.tile(columns, n), np.arange(n + 1) * m), shape=(n, m))


def _stored(values: np.ndarray, absolute: bool) -> np.ndarray:
    return np.round((np.abs(values) if absolute else values) / GRAIN) * GRAIN + SHIFT
