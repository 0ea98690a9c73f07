"""Feature selection before a linear probe: k latents, kept by three usual ways, each from the rows that a fit may see.

l1: the k columns that first get a weight as an L1 penalty falls (`sparse_selection.LassoSelector`).
mean_difference: the k columns whose class means differ most (`estimators.MeanDifferenceSelector`).
mutual_information: the k columns whose being active (above 0) says most about the label, in nats.

A probe then reads the kept columns as they are, or binarised: the columns are the same for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from mosaic.errors import MosaicError
from mosaic.features.table import FeatureTable
from mosaic.machine import cores
from mosaic.probing import comparison, estimators, folds, selection
from mosaic.probing.candidates import TableFeatures, binarise, thresholds_for
from mosaic.probing.problem import Problem
from mosaic.probing.selection import Result
from mosaic.probing.sparse_selection import LassoSelector
from mosaic.progress import Progress

L1, MEAN_DIFFERENCE, MUTUAL_INFORMATION = WAYS = ("l1", "mean_difference", "mutual_information")
SIZES = (16, 64, 256)  # k


@dataclass(frozen=True)
class Narrowed(TableFeatures):
    """The columns of a table that a way of selection keeps. kept: (rows it has seen, columns it keeps), a pair for each
    rows that a probe is fitted on."""

    kept: tuple[tuple[np.ndarray, np.ndarray], ...] = ()

    @property
    def cells(self) -> int:
        return self.table.matrix.shape[0] * max(len(columns) for _, columns in self.kept)

    def thresholds(self, rows: np.ndarray) -> tuple[float | None, ...]:
        if not self.binarized:
            return (None,)
        return thresholds_for(self.table.provenance["pooling"], self.table.matrix[rows][:, self.columns(rows)].data)

    def matrices(self, fit: np.ndarray, other: np.ndarray, threshold: float | None):
        """(fit rows, other rows, columns), dense; kept columns that binarising empties in all fit rows are dropped."""
        columns = self.columns(fit)
        first, second = self.table.matrix[fit][:, columns], self.table.matrix[other][:, columns]
        if threshold is not None:
            first, second = binarise(first, threshold), binarise(second, threshold)
        active = first.getnnz(axis=0) > 0
        here = np.flatnonzero(active) if active.any() else np.arange(1)
        return first[:, here].toarray(), second[:, here].toarray(), columns[here]

    def columns(self, rows: np.ndarray) -> np.ndarray:
        """Those chosen on exactly these rows. Raises MosaicError where nothing was chosen on them."""
        for seen, columns in self.kept:
            if np.array_equal(seen, rows):
                return columns
        raise MosaicError(f"no columns were chosen on these {len(rows)} rows; choose them before a probe is fitted.")


@dataclass(frozen=True)
class Selected:
    """The latents of one way of selection at the size k that validation chose for them raw. candidates, results: of the
    probe on them raw (False), and binarised (True)."""

    k: int
    candidates: Mapping[bool, Narrowed]
    results: Mapping[bool, Result]


def choose(X, y: np.ndarray, sizes: Sequence[int], ways: Sequence[str] = WAYS) -> dict[tuple[str, int], np.ndarray]:
    """{(way, k): the columns it keeps of X (CSR [n, p], not negative), ascending}; fewer than k where no more are active.

    Raises MosaicError for an unknown way, or a k that is no positive whole number.
    """
    if unknown := [way for way in ways if way not in WAYS]:
        raise MosaicError(f"selection by {unknown[0]!r} is unknown; there are {', '.join(WAYS)}.")
    if wrong := [k for k in sizes if not isinstance(k, int) or k < 1]:
        raise MosaicError(f"{wrong[0]!r} latents cannot be kept; a positive whole number was expected.")
    active = np.flatnonzero(X.getnnz(axis=0) > 0)
    active = active if len(active) else np.arange(1)
    X, found = X[:, active], {}
    for way in ways:
        score = {
            L1: lambda: l1_order(X, y, max(sizes)),
            MEAN_DIFFERENCE: lambda: mean_differences(X, y),
            MUTUAL_INFORMATION: lambda: mutual_information(X, y),
        }[way]()
        # A column that never enters the path is not chosen; the other measures rank every column.
        ranked = np.argsort(-score, kind="stable")[: max(1, int((score > 0).sum())) if way == L1 else None]
        found |= {(way, k): active[np.sort(ranked[:k])] for k in sizes}
    return found


def l1_order(X, y: np.ndarray, k: int) -> np.ndarray:
    """[p] the penalty at which each column enters the lasso's path, over k steps; 0 for one that does not."""
    return LassoSelector(k).fit(X.toarray(), y).scores_


def mean_differences(X, y: np.ndarray) -> np.ndarray:
    """[p] the largest one-against-rest difference of class means."""
    return estimators.MeanDifferenceSelector(1).fit(X, y).scores_


def mutual_information(X, y: np.ndarray) -> np.ndarray:
    """[p] I(x_j > 0; y) in nats, from the counts: what scikit-learn's mutual_info_classif gives for discrete features, of
    all columns at once."""
    classes, codes = np.unique(y, return_inverse=True)
    n, of_class = len(codes), np.bincount(codes).astype(np.float64)
    on = np.stack([np.asarray((X[codes == c] > 0).sum(axis=0)).ravel() for c in range(len(classes))]).astype(np.float64)
    found = np.zeros(X.shape[1])
    for joint, marginal in ((on, on.sum(0)), (of_class[:, None] - on, n - on.sum(0))):
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = joint / n * np.log(joint * n / (of_class[:, None] * marginal))
        found += np.where(joint > 0, terms, 0.0).sum(0)
    return np.maximum(found, 0.0)


def select(problem: Problem, table: FeatureTable, sizes: Sequence[int] = SIZES) -> dict[str, Selected]:
    """{way: its latents at the k of the best validation mean over the folds, of equally good ones the smallest}.

    Folds and the grid of C are those of the comparison; C is chosen on the first fold for every k, and anew, with the
    threshold, for the same latents binarised. The columns of each fold are chosen on its fit rows alone, those of the
    test's probe on all training rows.
    """
    splits, texts = folds.splits(problem.train), replace(problem, tables=())
    seen = [fit for fit, _ in splits] + [np.arange(len(problem.train))]
    with Progress("selecting", len(seen), unit="splits") as progress:
        jobs = [partial(choose, table.matrix[rows], problem.train.labels[rows], sizes) for rows in seen]
        # Each holds its rows dense, in float64 and scaled.
        cells = [4 * len(rows) * table.matrix.shape[1] for rows in seen]
        chosen = []
        for found in comparison.in_parallel(jobs, comparison.workers(cells, cores())):
            chosen.append(found)
            progress.advance(1, 0)
    raw = {}
    for key in chosen[0]:
        kept = tuple((rows, of[key]) for rows, of in zip(seen, chosen, strict=True))
        raw[key] = Narrowed(texts, table, kept=kept)
    results = dict(zip(raw, _fitted(list(raw.values()), texts, splits), strict=True))
    best = {way: max(sorted(sizes), key=lambda k, way=way: results[way, k].validation) for way in WAYS}
    on_or_off = [replace(raw[way, k], binarized=True) for way, k in best.items()]
    again = _fitted(on_or_off, texts, splits)
    return {
        way: Selected(k, {False: raw[way, k], True: candidate}, {False: results[way, k], True: result})
        for (way, k), candidate, result in zip(best.items(), on_or_off, again, strict=True)
    }


def _fitted(candidates: Sequence[Narrowed], texts: Problem, splits: Sequence) -> list[Result]:
    jobs = [partial(selection.fit, candidate, texts, splits) for candidate in candidates]
    n_workers, results = comparison.workers([candidate.cells for candidate in candidates], cores()), []
    with Progress("probing selected latents", len(jobs), unit="settings") as progress:
        for result in comparison.in_parallel(jobs, n_workers):
            results.append(result)
            progress.advance(1, 0)
    return results
