"""Scores away from the language trained on: means over the foreign languages and sets, with intervals over messages.

The languages' test texts are parallel: a message stands in each of them, perhaps twice (familiar words, new words), always
in one group. An arm is what classified a set's test rows: one prediction a row, or several, one a draw of what was drawn
at random.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mosaic.probing import scores
from mosaic.probing.scores import Difference, Mean
from mosaic.profiles.profile import HOME
from mosaic.texts.labelled import LabelledTexts

Arm = Sequence[np.ndarray]  # predictions [rows of test], one array a draw


def rows_of(test: LabelledTexts, language: str, part: str | None = None) -> np.ndarray:
    """Row numbers of one language in one part of a test set (None: its first part)."""
    parts = test.part_rows()
    rows = parts[part or next(iter(parts))]
    return rows[test.languages[rows] == language]


def foreign(test: LabelledTexts, home: str = HOME) -> list[str]:
    """The languages of a test set that are not the one trained on, in its order."""
    return [language for language in dict.fromkeys(test.languages) if language != home]


def by_language(test: LabelledTexts, arm: Arm, part: str | None = None) -> dict[str, dict]:
    """{language: {"macro_f1", "low", "high", "n"}} in one part; means over the draws of an arm."""
    found = {}
    for language in dict.fromkeys(test.languages):
        rows = rows_of(test, language, part)
        groups = None if test.groups is None else test.groups[rows]
        scored = scores.mean_interval([(test.labels[rows], [one[rows] for one in arm], groups)])
        found[language] = {"macro_f1": scored.macro_f1, "low": scored.low, "high": scored.high, "n": len(rows)}
    return found


def mean(cases: Sequence[tuple[LabelledTexts, Arm]], part: str | None = None) -> Mean:
    """Mean macro-F1 over foreign languages, sets and draws. cases: (test, arm) of every set."""
    return scores.mean_interval([crossed(test, arm, part) for test, arm in cases])


def difference(cases: Sequence[tuple[LabelledTexts, Arm, Arm]], part: str | None = None) -> Difference:
    """The same of arm a minus arm b, on the same resamples. cases: (test, a, b) of every set."""
    found = []
    for test, a, b in cases:
        labels, predicted, groups = crossed(test, [*a, *b], part)
        found.append((labels, predicted[: len(a)], predicted[len(a) :], groups))
    return scores.compare_draws(found)


def at_home(test: LabelledTexts, predicted: np.ndarray, part: str | None = None) -> float:
    """Macro-F1 of one prediction in the language trained on."""
    from sklearn.metrics import f1_score

    rows = rows_of(test, HOME, part)
    return float(f1_score(test.labels[rows], predicted[rows], average="macro", zero_division=0))


def value(test: LabelledTexts, predicted: np.ndarray, part: str | None = None) -> float:
    """Mean macro-F1 of one prediction over the foreign languages, without an interval."""
    from sklearn.metrics import f1_score

    labels, (named,), _ = crossed(test, [predicted], part)
    return float(f1_score(labels, named, average="macro", zero_division=0))


def crossed(test: LabelledTexts, arm: Arm, part: str | None = None) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """(labels, predictions, groups) of the foreign rows, each label with its language: "de toxic".

    The macro-F1 over such labels is the mean over the languages of each one's macro-F1, since each has every class, and
    a resample of groups draws messages, each in all its languages at once.
    """
    rows = np.concatenate([rows_of(test, language, part) for language in foreign(test)])
    said = test.languages[rows]

    def named(labels: np.ndarray) -> np.ndarray:
        return np.array([f"{language} {label}" for language, label in zip(said, labels, strict=True)], dtype=object)

    groups = None if test.groups is None else test.groups[rows]
    return named(test.labels[rows]), [named(one[rows]) for one in arm], groups


def chance(labels: np.ndarray, majority: float) -> float:
    """Macro-F1 of knowing nothing: the majority class's, or that of a toss among n classes, 1/n, where it is higher.

    Two classes, tossed for, give a macro-F1 of one half, which a bag of unknown words reaches too.
    """
    return max(majority, 1 / len(set(labels)))


def above(mean: Mean, chance: float) -> dict:
    """How far a mean score lies above chance, which is a number: {"difference", "interval"}."""
    low, high = mean.low - chance, mean.high - chance
    return {"difference": mean.macro_f1 - chance, "interval": [low, high]}
