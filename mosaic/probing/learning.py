"""Score against the number of labelled texts: the chosen setting of each family, fitted on fewer training texts.

The setting (layer, pooling, binarised or not) stays what validation chose with all labels; strength and threshold are chosen
anew, on a validation fold of the texts that were drawn. So the left end is a little better than it would be for someone who has
only those labels: the setting knows more. `studies.few_labels` keeps everything fixed instead, over many sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from mosaic.errors import MosaicError
from mosaic.machine import cores
from mosaic.probing import comparison, examine, folds, scores
from mosaic.probing.kept import Kept
from mosaic.probing.problem import Problem, stratified_rows
from mosaic.probing.said import best_linear
from mosaic.probing.scores import Mean
from mosaic.probing.selection import Result

RATES = (0.05, 0.1, 0.2, 0.5)  # of the training texts; all of them are the comparison's own
N_DRAWS = 3
FAMILIES = ("sae", "hidden", "tfidf")


@dataclass(frozen=True)
class Point:
    """n: labelled texts. reached: macro-F1 on test, mean over the draws; its interval is over test texts and draws."""

    n: int
    reached: Mean


@dataclass(frozen=True)
class Curve:
    """points: {family: its points, few labels first}. n_fits: how many fits that took. left_out: why there are no points
    at some numbers of labels, a sentence each."""

    points: dict[str, list[Point]]
    n_fits: int
    left_out: tuple[str, ...] = ()


def learning_curve(problem: Problem, results: Sequence[Result], rates: Sequence[float] = RATES) -> Curve:
    """The best linear setting of each of FAMILIES from stratified draws; every class keeps rows enough to be checked."""
    chosen = {family: best_linear(results, family) for family in FAMILIES}
    draws, left_out = _draws(problem, rates)
    candidates = [(n, family, *_restricted(problem, result, part, splits))
                  for n, of in draws.items() for part, splits in of for family, result in chosen.items()]  # fmt: skip
    jobs = [partial(Kept.of(texts, splits).fit, candidate) for _, _, candidate, texts, splits in candidates]
    n_workers = comparison.workers([candidate.cells for _, _, candidate, _, _ in candidates], cores()) if jobs else 1
    fitted = list(comparison.in_parallel(jobs, n_workers))
    points: dict[str, list[Point]] = {}
    for family, result in chosen.items():
        found = [
            Point(
                n,
                _mean(problem, [r for (m, f, *_), r in zip(candidates, fitted, strict=True) if (m, f) == (n, family)]),
            )
            for n in draws
        ]
        points[family] = [*found, Point(len(problem.train), _mean(problem, [result]))]
    return Curve(points, sum(result.n_fits for result in fitted), tuple(left_out))


def _draws(problem: Problem, rates: Sequence[float]) -> tuple[dict[int, list], list[str]]:
    """({labelled texts: [(their rows, their first validation split), ...]}, why some are missing)."""
    draws: dict[int, list] = {}
    left_out = []
    for rate in rates:
        wanted = max(1, round(rate * len(problem.train)))
        rows = [stratified_rows(problem.train.labels, wanted, seed) for seed in range(N_DRAWS)]
        n = len(rows[0])
        if n in draws or n >= len(problem.train):
            continue  # the floor of rows a class made it a number that is there already
        try:
            draws[n] = [(part, folds.splits(problem.train.take(part))[:1]) for part in rows]
        except MosaicError as error:
            left_out.append(f"{n} labels: {error}")
    return draws, left_out


def _restricted(problem: Problem, result: Result, rows: np.ndarray, splits: Sequence) -> tuple:
    """(the setting's features, texts, splits) where only these training rows are known; the test rows stay."""
    texts = replace(problem, train=problem.train.take(rows), tables=())
    if result.setting.layer is None:
        return examine.candidate_of(texts, result), texts, splits
    n = len(problem.train)
    table = examine.table_of(problem, result.setting).take(np.concatenate([rows, np.arange(n, n + len(problem.test))]))
    candidate = examine.candidate_of(replace(texts, tables=(table,)), result)
    return replace(candidate, problem=texts), texts, splits


def _mean(problem: Problem, results: Sequence[Result]) -> Mean:
    return scores.mean_interval([(problem.test.labels, [r.predicted for r in results], problem.test.groups)])
