"""Choosing honestly: settings, strengths and thresholds on validation folds of the training set, then one refit.

Nested selection (design notes, audit A6): the test set is only ever scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from mosaic.probing import estimators, scores
from mosaic.probing.candidates import STRENGTHS, Setting
from mosaic.probing.problem import Problem
from mosaic.texts.labelled import LabelledTexts

TREES = tuple((depth, leaf) for depth in (3, 5, 7, 9) for leaf in (1, 4))  # depth, least rows of a leaf


@dataclass(frozen=True)
class Result:
    """A setting with its validation mean macro-F1, what validation chose for it, and its score on test.

    score: on the first part of the test set (familiar words), the whole where it has one part; parts: {part: score},
    all of them. predicted: labels of all test rows, in order. held: (labels, predictions, groups) of the validation
    rows, fold after fold, or None where none were held out. n_unconverged: fits that ended before they were solved,
    of n_fits.
    """

    setting: Setting
    validation: float
    strength: float | None
    threshold: float | None
    score: scores.Score
    predicted: np.ndarray
    n_train: int
    selected: bool = False
    parts: dict[str, scores.Score] = field(default_factory=dict)
    held: tuple | None = None
    n_fits: int = 0
    n_unconverged: int = 0

    @property
    def edge(self) -> str | None:
        """ "low" or "high" where validation chose an end of the grid of C: better values may lie beyond it."""
        ends = {STRENGTHS[0]: "low", STRENGTHS[-1]: "high"}
        return None if self.strength is None else ends.get(self.strength)

    @property
    def converged(self) -> bool:
        return self.n_unconverged == 0

    def row(self) -> dict:
        """The row of `mosaic probe --json`."""
        return {
            **asdict(self.setting),
            "macro_f1": self.score.macro_f1,
            "low": self.score.low,
            "high": self.score.high,
            "accuracy": self.score.accuracy,
            "auroc": self.score.auroc,
            "parts": {
                part: {"macro_f1": scored.macro_f1, "low": scored.low, "high": scored.high}
                for part, scored in self.parts.items()
            },
            "validation_macro_f1": self.validation,
            "C": self.strength,
            "edge": self.edge,
            "converged": self.converged,
            "threshold": self.threshold,
            "n_train": self.n_train,
            "n_test": self.score.n,
            "selected": self.selected,
        }


@dataclass
class Validation:
    """What validation showed of one candidate; fits are counted as they are made.

    values: macro-F1 of each split. predicted: of each split's held rows.
    """

    problem: Problem
    values: list[float] = field(default_factory=list)
    predicted: list[np.ndarray] = field(default_factory=list)
    held: list[np.ndarray] = field(default_factory=list)
    n_fits: int = 0
    n_unconverged: int = 0

    def count(self, solved: bool) -> None:
        self.n_fits += 1
        self.n_unconverged += not solved

    def value(self, rows: np.ndarray, predicted: np.ndarray) -> float:
        return scores.macro_f1(self.problem.train.labels[rows], predicted)

    def add(self, rows: np.ndarray, predicted: np.ndarray) -> None:
        """What the chosen strength and threshold say of one split's held rows."""
        self.values.append(self.value(rows, predicted))
        self.predicted.append(predicted)
        self.held.append(rows)

    def result(self) -> dict:
        """The fields of a `Result`."""
        train, rows = self.problem.train, np.concatenate(self.held)
        groups = None if train.groups is None else train.groups[rows]
        return {
            "validation": float(np.mean(self.values)),
            "held": (train.labels[rows], np.concatenate(self.predicted), groups),
            "n_fits": self.n_fits,
            "n_unconverged": self.n_unconverged,
        }


def count_fits(candidate, splits) -> int:
    """Fits that `fit` makes and reports: thresholds where there is a choice, strengths, further splits."""
    thresholds = set(candidate.thresholds(splits[0][0]))
    return (len(thresholds) if len(thresholds) > 1 else 0) + len(candidate.strengths) + len(splits) - 1


def count_tree_fits(splits) -> int:
    return len(TREES) + len(splits) - 1


def fit(candidate, problem: Problem, splits) -> Result:
    """The candidate with the threshold and strength that the first split chooses."""
    first, *others = splits
    seen = Validation(problem)
    threshold = _threshold(candidate, first, seen)
    predicted = _predicted(candidate, first, candidate.strengths, threshold, seen)
    values = [seen.value(first[1], found) for found in predicted]
    strength = middle_best(candidate.strengths, values)
    seen.add(first[1], predicted[candidate.strengths.index(strength)])
    for split in others:
        (found,) = _predicted(candidate, split, [strength], threshold, seen)
        seen.add(split[1], found)
    return final(candidate, candidate.setting, candidate.probe(strength), strength, threshold, seen)


def _threshold(candidate, split, seen: Validation) -> float | None:
    """The threshold that is best at the middle strength; the lowest of equally good ones."""
    thresholds = list(dict.fromkeys(candidate.thresholds(split[0])))
    if len(thresholds) == 1:
        return thresholds[0]
    middle = candidate.strengths[len(candidate.strengths) // 2]

    def value(threshold) -> float:
        (predicted,) = _predicted(candidate, split, [middle], threshold, seen)
        return seen.value(split[1], predicted)

    return max(thresholds, key=value)


def _predicted(candidate, split, strengths: Sequence, threshold, seen: Validation) -> list[np.ndarray]:
    """Predictions for the held rows of a split, one array a strength."""
    first, second, _ = candidate.matrices(*split, threshold)
    labels, found = seen.problem.train.labels[split[0]], []
    for predicted, solved in estimators.path(candidate.probe(strengths[0]), first, labels, second, strengths):
        seen.count(solved)
        found.append(predicted)
    return found


def middle_best(strengths: Sequence, values: Sequence[float]):
    """The strength of the largest value; of several equally good, the one in their middle (the weaker C of two).

    Where everything is told apart at many strengths, an end of the grid is no finding.
    """
    best = [s for s, value in zip(strengths, values, strict=True) if value == max(values)]
    return best[(len(best) - 1) // 2]


def fit_tree(candidate, threshold: float | None, problem: Problem, splits) -> Result:
    """A tree on the best pooling of one encoder; depth and leaf size chosen on the first validation fold."""
    labels = problem.train.labels
    seen = Validation(problem)

    def predicted(shape, split, first, second) -> np.ndarray:
        found = estimators.tree(*shape).fit(first, labels[split[0]]).predict(second)
        seen.count(True)
        return found

    prepared = candidate.matrices(*splits[0], threshold)[:2]
    tried = {shape: predicted(shape, splits[0], *prepared) for shape in TREES}
    shape = max(tried, key=lambda shape: seen.value(splits[0][1], tried[shape]))
    seen.add(splits[0][1], tried[shape])
    for split in splits[1:]:  # one fold at a time: all of them at once would be the largest thing in memory
        prepared = candidate.matrices(*split, threshold)[:2]
        seen.add(split[1], predicted(shape, split, *prepared))
    setting = replace(candidate.setting, classifier="tree")
    return final(candidate, setting, estimators.tree(*shape), None, threshold, seen)


def final(candidate, setting, probe, strength, threshold, seen: Validation) -> Result:
    """Refit on the whole training set, score on test."""
    problem = seen.problem
    n = len(problem.train)
    fit, test = np.arange(n), np.arange(n, n + len(problem.test))
    first, second, _ = candidate.matrices(fit, test, threshold)
    probe = probe.fit(first, problem.train.labels)
    seen.count(estimators.solved(probe))
    predicted = probe.predict(second)
    parts = scored_parts(problem.test, predicted, probe.predict_proba(second), probe.classes_)
    return Result(
        setting,
        strength=strength,
        threshold=threshold,
        score=next(iter(parts.values())),
        predicted=predicted,
        n_train=n,
        parts=parts,
        **seen.result(),
    )


def scored_parts(test: LabelledTexts, predicted, probabilities, classes) -> dict[str, scores.Score]:
    """{part of the test set: the score on its rows}, predictions [n] and probabilities [n, n_classes] of all rows."""
    return {
        part: scores.score(
            test.labels[rows],
            predicted[rows],
            probabilities[rows],
            classes,
            None if test.groups is None else test.groups[rows],
        )
        for part, rows in test.part_rows().items()
    }


def tied(results: Iterable[Result], family: str) -> int:
    """How many settings of a family validation cannot tell from its best one, that one included."""
    return len(as_good(results, family))


def as_good(results: Iterable[Result], family: str) -> list[Result]:
    """The results of a family whose settings validation cannot tell from the best one, that one included.

    A setting is as good as the best where their difference in macro-F1, on the same validation rows of all folds, is
    at most one standard error of that difference (over rows; groups, where rows belong together).
    """
    members = [result for result in results if result.setting.features == family]
    best = max(members, key=lambda result: result.validation)
    return [result for result in members if result is best or _as_good(result, best)]


def _as_good(result: Result, best: Result) -> bool:
    if result.held is None or best.held is None:
        return result.validation >= best.validation
    truth, predicted, groups = best.held
    lead, error = scores.lead(truth, predicted, result.held[1], groups)
    return lead <= error


def best_of_each_encoder(candidates, results: list[Result]) -> list[tuple]:
    """For each (features, layer, width): the candidate with the best validation, and its threshold."""
    best: dict[tuple, tuple] = {}
    for candidate, result in zip(candidates, results, strict=True):
        key = result.setting.encoder
        if key is not None and (key not in best or result.validation > best[key][0]):
            best[key] = (result.validation, candidate, result.threshold)
    return [(candidate, threshold) for _, candidate, threshold in best.values()]
