"""One labelled problem: the texts to learn from, the texts to score on, and the features of both."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError
from mosaic.features.table import FeatureTable
from mosaic.probing import estimators, folds
from mosaic.texts import labelled
from mosaic.texts.labelled import LabelledTexts


@dataclass(frozen=True)
class Problem:
    """One labelled problem: train, test and the features of both (tables whose rows are train, then test).

    cache: a folder where results are kept (`probing.kept`), or None.
    """

    train: LabelledTexts
    test: LabelledTexts
    tables: tuple[FeatureTable, ...]
    cache: Path | None = None


def make_problem(train: LabelledTexts, test: LabelledTexts, lm, request, cache=None, wanted=None) -> Problem:
    """Extract features for both parts in one pass. wanted: tells by its provenance whether the problem has a table (None:
    all). Raises MosaicError for unusable labels or texts."""
    from mosaic.features.extract import extract

    check(train, test)
    tables = extract(train.texts + test.texts, lm, request, cache, **({} if wanted is None else {"wanted": wanted}))
    return Problem(train, test, tuple(tables), cache)


def check(train: LabelledTexts, test: LabelledTexts, budget: folds.Budget = folds.DEFAULT) -> None:
    """Raises MosaicError for what the comparison could not use; cheap, so callers ask before they load a model."""
    if train.name == test.name and len(train.classes) < 2:
        raise MosaicError(
            f"{train.name}: with each group's and each text's rows on one side of the split, every training row has the "
            f"label {train.classes[0]!r}. Group more finely, leave the groups out, or add rows."
        )
    labelled.check_classes(train)
    labelled.check_test(train, test)
    folds.splits(train, budget)


def cautions(problem: Problem) -> list[str]:
    """What a reader of the scores should know about the texts, one sentence each; empty where there is nothing."""
    train, test, found = problem.train, problem.test, []
    absent = len(set(train.labels) - set(test.labels))
    if len(test.classes) == 1:
        found.append(
            f"every test text has the label {test.classes[0]!r}; AUROC cannot be measured, and macro-F1 says little."
        )
    elif absent:
        found.append(f"{absent} of {len(train.classes)} classes have no test text; AUROC cannot be measured.")
    if repeated := labelled.repeated_texts(train, test):
        found.append(f"{repeated} test texts also stand in the training set; scores on them are not earned.")
    if not any(re.search(r"\w", text) for text in train.texts):
        found.append("no training text holds a letter or digit; TF-IDF of words sees nothing in them.")
    if (
        train.groups is not None
        and test.groups is not None
        and (shared := int(np.isin(test.groups, train.groups).sum()))
    ):
        found.append(f"{shared} test texts are of groups that also stand in the training set.")
    if problem.tables and (cut := int(problem.tables[0].truncated.sum())):
        first = problem.tables[0]
        found.append(f"{cut} of {len(first)} texts were cut at {first.provenance['max_length']} tokens.")
    return found


def subsample(part: LabelledTexts, n: int | None, seed: int = estimators.SEED) -> LabelledTexts:
    """At most n rows, stratified by label (whole rows; groups need no care inside one part), in input order."""
    return part if n is None or len(part) <= n else part.take(stratified_rows(part.labels, n, seed))


def stratified_rows(labels: np.ndarray, n: int | None, seed: int = estimators.SEED) -> np.ndarray:
    """At most n row numbers, ascending (all where n is None); every class keeps its share, and enough to be checked."""
    if n is None or len(labels) <= n:
        return np.arange(len(labels))
    rng = np.random.default_rng(seed)
    classes, counts = np.unique(labels, return_counts=True)
    share = counts * n / len(labels)  # largest remainders
    take = np.minimum(counts, np.maximum(np.floor(share), labelled.MIN_ROWS_PER_CLASS).astype(int))
    for i in np.argsort(-(share - np.floor(share)), kind="stable"):
        if take.sum() < n and take[i] < counts[i]:
            take[i] += 1
    rows = [
        rng.choice(np.flatnonzero(labels == label), size, replace=False)
        for label, size in zip(classes, take, strict=True)
    ]
    return np.sort(np.concatenate(rows))
