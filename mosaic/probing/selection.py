"""Choosing honestly: settings, strengths and thresholds on validation folds of the training set, then one refit.

Nested selection (design notes, audit A6): the test set is only ever scored. Groups never straddle a fold.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from mosaic.probing import estimators, scores
from mosaic.probing.candidates import Setting
from mosaic.probing.problem import Problem
from mosaic.texts import labelled
from mosaic.texts.labelled import LabelledTexts


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


def splits(train: LabelledTexts, rows: int, n_folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(fit, validation) rows of the training set, stratified, grouped, at most `rows` of them (or 30 a class)."""
    n = max(rows, 30 * len(train.classes))
    kept = np.arange(len(train))
    if n < len(kept):
        kept = next(labelled.folds(train.labels, train.groups, -(-len(kept) // n), seed))[1]
    smallest = int(np.unique(train.labels[kept], return_counts=True)[1].min())
    groups = None if train.groups is None else train.groups[kept]
    n_folds = max(2, min(n_folds, smallest))
    return [(kept[a], kept[b]) for a, b in labelled.folds(train.labels[kept], groups, n_folds, seed)]


def _validate(candidate, labels: np.ndarray, split, strength, threshold) -> float:
    from sklearn.metrics import f1_score

    fit, validation = split
    first, second, _ = candidate.matrices(fit, validation, threshold)
    probe = candidate.probe(strength).fit(first, labels[fit])
    return float(f1_score(labels[validation], probe.predict(second), average="macro", zero_division=0))


def fit(candidate, problem: Problem, splits) -> Result:
    labels = problem.train.labels
    first, *others = splits
    middle = candidate.strengths[len(candidate.strengths) // 2]
    tried: dict[tuple, float] = {}

    def value(strength, threshold) -> float:
        if (strength, threshold) not in tried:
            tried[strength, threshold] = _validate(candidate, labels, first, strength, threshold)
        return tried[strength, threshold]

    threshold = max(candidate.thresholds(first[0]), key=lambda t: value(middle, t))
    strength = max(candidate.strengths, key=lambda s: value(s, threshold))
    folds = [value(strength, threshold)] + [_validate(candidate, labels, s, strength, threshold) for s in others]
    return final(
        candidate, candidate.setting, problem, candidate.probe(strength), float(np.mean(folds)), strength, threshold
    )


def fit_tree(chosen, problem: Problem, splits) -> Result:
    """A tree on the best pooling of one encoder; depth and leaf size chosen on the first validation fold."""
    from sklearn.metrics import f1_score

    candidate, threshold = chosen
    labels = problem.train.labels
    prepared = [(fit, val, *candidate.matrices(fit, val, threshold)[:2]) for fit, val in splits]

    def value(depth: int, leaf: int, folds) -> float:
        return float(
            np.mean(
                [
                    f1_score(
                        labels[val],
                        estimators.tree(depth, leaf).fit(first, labels[fit]).predict(second),
                        average="macro",
                        zero_division=0,
                    )
                    for fit, val, first, second in folds
                ]
            )
        )

    grid = [(depth, leaf) for depth in (3, 5, 7, 9) for leaf in (1, 4)]
    depth, leaf = max(grid, key=lambda choice: value(*choice, prepared[:1]))
    setting = replace(candidate.setting, classifier="tree")
    return final(
        candidate, setting, problem, estimators.tree(depth, leaf), value(depth, leaf, prepared), None, threshold
    )


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


def best_of_each_encoder(candidates, results: list[Result]):
    """For each (features, layer, width): the candidate with the best validation, and its threshold."""
    best: dict[tuple, tuple] = {}
    for candidate, result in zip(candidates, results, strict=True):
        setting = result.setting
        key = (setting.features, setting.layer, setting.width)
        if setting.layer is not None and (key not in best or result.validation > best[key][0]):
            best[key] = (result.validation, candidate, result.threshold)
    return [(candidate, threshold) for _, candidate, threshold in best.values()]
