"""Labelled texts and their splits. Nothing is dropped; every check names what was found and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mosaic.errors import MosaicError

MIN_ROWS_PER_CLASS = 5


@dataclass(frozen=True)
class LabelledTexts:
    """n texts with one label each.

    texts: list of n strings. labels: [n] of str. groups: [n] ids of rows that must stay on one side of a
    split (parallel sentences, templates, rewrites), or None. languages: [n] ISO 639-1, or None.
    """

    name: str
    texts: list[str]
    labels: np.ndarray
    groups: np.ndarray | None = None
    languages: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def classes(self) -> list[str]:
        return sorted(set(self.labels))

    def take(self, rows: np.ndarray) -> LabelledTexts:
        return replace(
            self,
            texts=[self.texts[i] for i in rows],
            labels=self.labels[rows],
            groups=None if self.groups is None else self.groups[rows],
            languages=None if self.languages is None else self.languages[rows],
        )


def concatenate(parts: Sequence[LabelledTexts]) -> LabelledTexts:
    """The rows of all parts, in order; groups and languages are kept where every part has them."""

    def joined(name: str):
        values = [getattr(part, name) for part in parts]
        return None if any(value is None for value in values) else np.concatenate(values)

    texts = [text for part in parts for text in part.texts]
    return LabelledTexts(parts[0].name, texts, joined("labels"), joined("groups"), joined("languages"))


def split(data: LabelledTexts, test_size: float, seed: int = 42) -> tuple[LabelledTexts, LabelledTexts]:
    """Stratified split; rows of one group stay together. Order within each part is input order."""
    train, test = next(folds(data.labels, data.groups, round(1 / test_size), seed))
    return data.take(train), data.take(test)


def folds(labels: np.ndarray, groups: np.ndarray | None, n: int, seed: int):
    """(train, validation) row indices of n stratified folds; groups never straddle them."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    if groups is None:
        splitter = StratifiedKFold(n, shuffle=True, random_state=seed)
        return splitter.split(np.zeros(len(labels)), labels)
    return StratifiedGroupKFold(n, shuffle=True, random_state=seed).split(np.zeros(len(labels)), labels, groups)


def repeated_texts(train: LabelledTexts, test: LabelledTexts) -> int:
    """Test rows whose text also stands in the training set."""
    seen = set(train.texts)
    return sum(text in seen for text in test.texts)


def check_classes(data: LabelledTexts, minimum: int = MIN_ROWS_PER_CLASS) -> None:
    """Raises MosaicError for one class only, or for classes with fewer than `minimum` rows."""
    counts = Counter(data.labels)
    if len(counts) < 2:
        raise MosaicError(
            f"{data.name}: every row has the label {next(iter(counts), None)!r}; a classifier needs two classes. "
            "Check the label column."
        )
    small = {label: n for label, n in sorted(counts.items()) if n < minimum}
    if small:
        shown = ", ".join(f"{label!r} ({n})" for label, n in list(small.items())[:5])
        raise MosaicError(
            f"{data.name}: {len(small)} of {len(counts)} classes have fewer than {minimum} rows: {shown}. "
            "Merge or remove them, or add rows. (Is the label column really categorical?)"
        )


def check_test(train: LabelledTexts, test: LabelledTexts) -> None:
    """Raises MosaicError when the test set has a class the training set lacks."""
    unknown = sorted(set(test.labels) - set(train.labels))
    if unknown:
        raise MosaicError(
            f"{test.name}: label {unknown[0]!r} never occurs in {train.name}, whose labels are "
            f"{', '.join(map(repr, train.classes[:8]))}. Are both files labelled the same way?"
        )
