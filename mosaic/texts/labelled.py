"""Labelled texts and their splits. Nothing is dropped; every check names what was found and what to do."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from mosaic.errors import MosaicError
from mosaic.printable import printable

MIN_ROWS_PER_CLASS = 5
WHOLE = "test"  # the one part of a test set without parts
FAMILIAR, NEW = "familiar words", "new words"  # of a test set that says the same twice, the second time in new words
log = logging.getLogger("mosaic")


@dataclass(frozen=True)
class LabelledTexts:
    """n texts with one label each.

    texts: list of n strings. labels: [n] of str. groups: [n] ids of rows that must stay on one side of a
    split (parallel sentences, templates, rewrites), or None. languages: [n] ISO 639-1, or None. parts: [n] names of
    the tests that a test set consists of (the miniature's: FAMILIAR, NEW), or None: it is one.
    """

    name: str
    texts: list[str]
    labels: np.ndarray
    groups: np.ndarray | None = None
    languages: np.ndarray | None = None
    parts: np.ndarray | None = None

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
            parts=None if self.parts is None else self.parts[rows],
        )

    def part_rows(self) -> dict[str, np.ndarray]:
        """{part: its row numbers}, in the order in which parts first appear; {WHOLE: all rows} where it is one."""
        if self.parts is None:
            return {WHOLE: np.arange(len(self))}
        return {name: np.flatnonzero(self.parts == name) for name in dict.fromkeys(self.parts)}


def concatenate(parts: Sequence[LabelledTexts]) -> LabelledTexts:
    """The rows of all parts, in order; groups, languages and parts are kept where every part has them."""

    def joined(name: str):
        values = [getattr(part, name) for part in parts]
        return None if any(value is None for value in values) else np.concatenate(values)

    texts = [text for part in parts for text in part.texts]
    return LabelledTexts(parts[0].name, texts, joined("labels"), joined("groups"), joined("languages"), joined("parts"))


def split(data: LabelledTexts, test_size: float, seed: int = 42) -> tuple[LabelledTexts, LabelledTexts]:
    """Stratified split; rows of one group or one text stay together. Order within each part is input order."""
    train, test = next(folds(data.labels, together(data), round(1 / test_size), seed))
    return data.take(train), data.take(test)


def folds(labels: np.ndarray, groups: np.ndarray | None, n: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(train, validation) row indices of n stratified folds; groups never straddle them.

    Fewer folds, and a warning, where there are fewer groups, or fewer rows in the largest class. Raises MosaicError
    where there are not even two.
    """
    names = [] if groups is None else list(dict.fromkeys(groups))
    largest = int(np.unique(labels, return_counts=True)[1].max(initial=0))
    possible = min(n, largest, len(labels) if groups is None else len(names))
    shown = f" in {len(names)} groups ({', '.join(f'{name!r:.40}' for name in names[:3])})" if names else ""
    if possible < 2:
        raise MosaicError(
            f"{len(labels)} rows{shown} cannot be divided: rows of one group or one text stay on one side. Group them "
            "more finely, leave the groups out, or add rows."
        )
    if possible < n:
        log.warning("%d rows%s make %d parts, not %d.", len(labels), printable(shown), possible, n)
    return iter(_divided(tuple(labels), None if groups is None else tuple(groups), possible, seed))


@lru_cache(maxsize=32)  # every comparison on a set asks for the same folds, and grouped ones are slow to find
def _divided(labels: tuple, groups: tuple | None, n: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")  # `check_classes` says it better
        splitting = splitter(n, shuffle=True, random_state=seed)
        return list(splitting.split(np.zeros(len(labels)), np.array(labels), groups))


def together(data: LabelledTexts) -> np.ndarray | None:
    """[n] names of what stays on one side of a split: the data's groups, those that share a text joined.

    The groups themselves where no text stands in two; the texts where there are no groups; None where nothing ties
    two rows.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    texts, n_texts = _numbered(data.texts)
    if data.groups is None:
        return None if n_texts == len(data) else np.array(data.texts, dtype=object)
    groups, n_groups = _numbered(data.groups)
    # A graph of groups and texts in which every row is an edge: what hangs together is one component.
    size = n_groups + n_texts
    edges = coo_matrix((np.ones(len(data), dtype=np.int8), (groups, n_groups + texts)), shape=(size, size))
    n_joined, component = connected_components(edges, directed=False)
    if n_joined == n_groups:
        return data.groups
    _, first = np.unique(component[groups], return_index=True)
    return data.groups[first][component[groups]]


def _numbered(values: Sequence) -> tuple[np.ndarray, int]:
    """([n] each value's number, equal for equal values; how many there are)."""
    numbers: dict = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=int), len(numbers)


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
            "Merge or remove them, or add rows (those held out for the test do not count). Is the label column really "
            "categorical?"
        )


def check_test(train: LabelledTexts, test: LabelledTexts) -> None:
    """Raises MosaicError when the test set has a class the training set lacks."""
    unknown = sorted(set(test.labels) - set(train.labels))
    if unknown:
        hint = "Are both files labelled the same way?"
        if test.name == train.name:
            hint = "Its rows share a group or a text, which stays on one side: group more finely, or add rows."
        raise MosaicError(
            f"{test.name}: label {unknown[0]!r} never occurs in {train.name}, whose labels are "
            f"{', '.join(map(repr, train.classes[:8]))}. {hint}"
        )
