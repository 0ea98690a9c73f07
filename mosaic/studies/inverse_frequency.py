"""A mean weighted by the inverse of how often each latent fires: does it help a probe?

x_j -> w_j x_j, w_j = ln((1 + n) / (1 + n_j)) + 1, where latent j is active in n_j of the n texts fitted on: the weight that
TF-IDF gives a word. A probe on standardised columns, as everywhere else in this book, divides any such weight out again, so
the weighted mean is read by a probe on the columns as they are, and beside it the plain mean by the same probe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.sparse import csr_matrix, issparse

from mosaic.machine import cores
from mosaic.probing import comparison, examine, folds, scores, selection
from mosaic.probing.problem import Problem
from mosaic.probing.scores import Difference
from mosaic.probing.selection import Result
from mosaic.studies.audit_fits import Unscaled
from mosaic.studies.headline import ABOVE, BELOW, UNDECIDED, numbers, outcome
from mosaic.texts.labelled import LabelledTexts

MEAN = "mean"
SCALED, PLAIN, WEIGHTED = "standardised mean", "plain mean", "weighted mean"


@dataclass(frozen=True)
class Weighted(Unscaled):
    """Columns of one table, each times its weight on the fit rows; neither scaled nor centred."""

    def matrices(self, fit: np.ndarray, other: np.ndarray, threshold: float | None):
        first, second, columns = super().matrices(fit, other, threshold)
        weight = weights(first).astype(np.float32)
        return _times(first, weight), _times(second, weight), columns


def weights(x) -> np.ndarray:
    """[columns] w_j of rows x, sparse or dense."""
    from sklearn.feature_extraction.text import TfidfTransformer

    return TfidfTransformer(norm=None, smooth_idf=True).fit(csr_matrix(x)).idf_


def _times(x, weight: np.ndarray):
    return x.multiply(weight).tocsr() if issparse(x) else x * weight


def compare(problem: Problem, scaled: Result) -> dict[str, Result]:
    """{arm: its result} on the SAE means of a problem; C chosen on the first validation fold for each. scaled: the result of
    the same table under a standardising probe."""
    texts = Problem(problem.train, problem.test, (), problem.cache)
    table = examine.table_of(problem, scaled.setting)
    splits = folds.splits(problem.train)[:1]
    candidates = [Unscaled(texts, table), Weighted(texts, table)]
    jobs = [partial(selection.fit, candidate, texts, splits) for candidate in candidates]
    workers = comparison.workers([candidate.cells for candidate in candidates], cores())
    plain, weighted = comparison.in_parallel(jobs, workers)
    return {SCALED: scaled, PLAIN: plain, WEIGHTED: weighted}


@dataclass(frozen=True)
class InverseFrequency:
    """means: {arm: mean macro-F1 over the sets}. minus: the weighted mean minus each other arm, interval over sets and texts."""

    means: dict[str, float]
    minus: dict[str, Difference]

    @classmethod
    def of(cls, sets: Sequence[tuple[LabelledTexts, Mapping[str, Result]]]) -> InverseFrequency:
        """sets: (test, {arm: result}) of each; the first part of a test set counts."""
        part = [next(iter(test.part_rows())) for test, _ in sets]
        means = {
            arm: float(
                np.mean([found[arm].parts[first].macro_f1 for (_, found), first in zip(sets, part, strict=True)])
            )
            for arm in (SCALED, PLAIN, WEIGHTED)
        }
        minus = {
            arm: scores.compare_over_sets(
                [
                    scores.paired(test, found[WEIGHTED], found[arm], first)
                    for (test, found), first in zip(sets, part, strict=True)
                ]
            )
            for arm in (PLAIN, SCALED)
        }
        return cls(means, minus)

    def summary(self) -> dict:
        return {"mean": self.means, "minus": {arm: d.summary() for arm, d in self.minus.items()}}

    def sentence(self) -> str:
        """What the weighting does to the probe that can see it, and whether that beats standardising."""
        told = {
            ABOVE: "gains by the weighting",
            BELOW: "loses by the weighting",
            UNDECIDED: "neither gains nor loses by the weighting so that it could be told",
        }[outcome(self.minus[PLAIN])]
        beside = {
            ABOVE: "it scores above the standardising probe",
            BELOW: "it scores below the standardising probe",
            UNDECIDED: "it cannot be told apart from the standardising probe",
        }[outcome(self.minus[SCALED])]
        return (
            f"A probe on SAE means that are not standardised {told} (macro-F1, weighted minus plain {numbers(self.minus[PLAIN])}); "
            f"weighted, {beside}, which no weighting of columns can change (weighted minus standardised "
            f"{numbers(self.minus[SCALED])})."
        )
