"""How the training set is split to choose: validation folds of a bounded number of its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mosaic.errors import MosaicError
from mosaic.probing import estimators
from mosaic.texts import labelled
from mosaic.texts.labelled import LabelledTexts

ROWS_PER_CLASS = 30


@dataclass(frozen=True)
class Budget:
    """How much validation a setting gets.

    rows: training rows used for selection (more classes need more: at least 30 a class). n_folds: validation
    folds; strength and threshold are chosen on the first, settings by the mean over all. seed: of the folds.
    """

    rows: int = 1500
    n_folds: int = 3
    seed: int = estimators.SEED


DEFAULT = Budget()


def splits(train: LabelledTexts, budget: Budget = DEFAULT) -> list[tuple[np.ndarray, np.ndarray]]:
    """(fit, validation) rows of the training set: stratified, groups on one side, about `budget.rows` of them.

    Rows of equal texts are one group. Few groups, or few rows in a class, get fewer folds. Raises MosaicError where
    no split has two classes to learn from, which only groups can bring about; cheap, so callers ask before they load
    a model.
    """
    named = "texts" if train.groups is None else "groups"
    train = replace(train, groups=labelled.together(train))
    kept = _kept(train, budget)
    part = train.take(kept)
    n_folds = min(budget.n_folds, int(np.unique(part.labels, return_counts=True)[1].min()))
    if part.groups is not None:
        n_folds = min(n_folds, len(set(part.groups)))
    found = []
    if n_folds >= 2:
        pairs = labelled.folds(part.labels, part.groups, n_folds, budget.seed)
        found = [(kept[fit], kept[held]) for fit, held in pairs if len(held) and len(set(part.labels[fit])) > 1]
    if not found:
        raise MosaicError(
            f"{train.name}: its {len(train)} training rows hold {_count_groups(train)} different {named}, and no split that "
            f"keeps each on one side leaves two classes to learn from. Give every class rows of several {named}"
            + (", or leave the groups out." if named == "groups" else ".")
        )
    return found


def _kept(train: LabelledTexts, budget: Budget) -> np.ndarray:
    """Rows to choose on: one fold of as many as leave `budget.rows` in it, with rows of every class and enough groups."""
    rows = np.arange(len(train))
    n = max(budget.rows, ROWS_PER_CLASS * len(train.classes))
    n_parts = -(-len(rows) // n)
    if train.groups is not None:
        n_parts = min(n_parts, _count_groups(train) // budget.n_folds)
    if n_parts < 2:
        return rows
    kept = next(labelled.folds(train.labels, train.groups, n_parts, budget.seed))[1]
    chosen = np.isin(rows, kept)
    for label, count in zip(*np.unique(train.labels, return_counts=True), strict=True):
        own = np.flatnonzero(train.labels == label)
        missing = min(count, labelled.MIN_ROWS_PER_CLASS) - chosen[own].sum()
        if missing > 0:  # a rare class, of which the fold has too few rows
            chosen[own[~chosen[own]][:missing]] = True
    return np.flatnonzero(chosen)


def _count_groups(train: LabelledTexts) -> int:
    return len(train) if train.groups is None else len(set(train.groups))
