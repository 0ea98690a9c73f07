"""Choosing honestly: settings, strengths and thresholds on validation folds of the training set, then one refit.

Nested selection (design notes, audit A6): the test set is only ever scored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np

from mosaic.probing import estimators, scores
from mosaic.probing.candidates import Setting
from mosaic.probing.problem import Problem

TREES = tuple((depth, leaf) for depth in (3, 5, 7, 9) for leaf in (1, 4))  # depth, least rows of a leaf

Step = Callable[[], None]


def nothing() -> None:
    """The step of those who do not count fits."""


@dataclass(frozen=True)
class Result:
    """A setting with its validation mean macro-F1, what validation chose for it, and its score on test."""

    setting: Setting
    validation: float
    strength: float | None
    threshold: float | None
    score: scores.Score
    predicted: np.ndarray
    n_train: int
    selected: bool = False
    model: object = None

    def row(self) -> dict:
        """The row of `mosaic probe --json`."""
        return {
            **asdict(self.setting),
            "macro_f1": self.score.macro_f1,
            "low": self.score.low,
            "high": self.score.high,
            "accuracy": self.score.accuracy,
            "auroc": self.score.auroc,
            "validation_macro_f1": self.validation,
            "C": self.strength,
            "threshold": self.threshold,
            "n_train": self.n_train,
            "n_test": self.score.n,
            "selected": self.selected,
        }


def _validate(candidate, labels: np.ndarray, split, strength, threshold) -> float:
    from sklearn.metrics import f1_score

    fit, validation = split
    first, second, _ = candidate.matrices(fit, validation, threshold)
    probe = candidate.probe(strength).fit(first, labels[fit])
    return float(f1_score(labels[validation], probe.predict(second), average="macro", zero_division=0))


def count_fits(candidate, splits) -> int:
    """Fits that `fit` makes and reports: thresholds, strengths, further splits."""
    thresholds = set(candidate.thresholds(splits[0][0]))
    return len(thresholds) + len(candidate.strengths) - 1 + len(splits) - 1


def count_tree_fits(splits) -> int:
    return len(TREES) + len(splits) - 1


def fit(candidate, problem: Problem, splits, step: Step = nothing) -> Result:
    """The candidate with the threshold and strength that the first split chooses; `step` is called after every fit."""
    labels = problem.train.labels
    first, *others = splits
    middle = candidate.strengths[len(candidate.strengths) // 2]
    tried: dict[tuple, float] = {}

    def value(strength, threshold) -> float:
        if (strength, threshold) not in tried:
            tried[strength, threshold] = _validate(candidate, labels, first, strength, threshold)
            step()
        return tried[strength, threshold]

    threshold = max(candidate.thresholds(first[0]), key=lambda t: value(middle, t))
    strength = max(candidate.strengths, key=lambda s: value(s, threshold))
    values = [value(strength, threshold)]
    for split in others:
        values.append(_validate(candidate, labels, split, strength, threshold))
        step()
    probe = candidate.probe(strength)
    return final(candidate, candidate.setting, problem, probe, float(np.mean(values)), strength, threshold)


def fit_tree(candidate, threshold: float | None, problem: Problem, splits, step: Step = nothing) -> Result:
    """A tree on the best pooling of one encoder; depth and leaf size chosen on the first validation fold."""
    from sklearn.metrics import f1_score

    labels = problem.train.labels

    def value(depth: int, leaf: int, split, first, second) -> float:
        fit, validation = split
        predicted = estimators.tree(depth, leaf).fit(first, labels[fit]).predict(second)
        step()
        return f1_score(labels[validation], predicted, average="macro", zero_division=0)

    prepared = candidate.matrices(*splits[0], threshold)[:2]
    tried = {shape: value(*shape, splits[0], *prepared) for shape in TREES}
    shape = max(tried, key=tried.get)
    values = [tried[shape]]
    for split in splits[1:]:  # one fold at a time: all of them at once would be the largest thing in memory
        prepared = candidate.matrices(*split, threshold)[:2]
        values.append(value(*shape, split, *prepared))
    setting = replace(candidate.setting, classifier="tree")
    return final(candidate, setting, problem, estimators.tree(*shape), float(np.mean(values)), None, threshold)


def final(candidate, setting, problem, probe, validation, strength, threshold) -> Result:
    """Refit on the whole training set, score on test."""
    n = len(problem.train)
    fit, test = np.arange(n), np.arange(n, n + len(problem.test))
    first, second, columns = candidate.matrices(fit, test, threshold)
    probe = probe.fit(first, problem.train.labels)
    predicted = probe.predict(second)
    scored = scores.score(
        problem.test.labels, predicted, probe.predict_proba(second), probe.classes_, problem.test.groups
    )
    return Result(setting, validation, strength, threshold, scored, predicted, n, model=(probe, columns))


def best_of_each_encoder(candidates, results: list[Result]) -> list[tuple]:
    """For each (features, layer, width): the candidate with the best validation, and its threshold."""
    best: dict[tuple, tuple] = {}
    for candidate, result in zip(candidates, results, strict=True):
        key = result.setting.encoder
        if key is not None and (key not in best or result.validation > best[key][0]):
            best[key] = (result.validation, candidate, result.threshold)
    return [(candidate, threshold) for _, candidate, threshold in best.values()]
