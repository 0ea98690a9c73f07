"""Labelled texts: from the hub by id, from a local mirror (`MOSAIC_DATA`), or from the user's own file.

Every text is kept as published; nothing is dropped. Checks name the file, the line or column, what was found
and what to do. No remote code and no pickle is ever run.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError, Unavailable
from mosaic.registry import REGISTRY, HubSet
from mosaic.tabular import read_columns

MIN_ROWS_PER_CLASS = 5
MINI = "mini/"  # names of the miniature world's sets begin so
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


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


def load(name: str, language: str | None = None, seed: int = 42) -> tuple[LabelledTexts, LabelledTexts]:
    """(train, test) of a registered set, from MOSAIC_DATA where it has the set, else from the hub.

    A set without a test split is split 80/20 by `split` with the given seed (the paper: seed 42).
    Raises MosaicError for an unknown name or language, Unavailable when the set cannot be had from here.
    """
    if name.startswith(MINI):
        return _from_mini(name.removeprefix(MINI), language or "en")
    if name not in REGISTRY:
        import difflib

        near = difflib.get_close_matches(name, REGISTRY, n=5, cutoff=0)
        raise MosaicError(f"unknown data set {name!r}; the nearest are {', '.join(near)}. Or give a file.")
    mirror = os.environ.get("MOSAIC_DATA")
    if mirror and not Path(mirror).is_dir():
        raise MosaicError(f"MOSAIC_DATA is {mirror!r}, which is not a folder. Unset it or name the mirror's folder.")
    if mirror and (Path(mirror) / name).is_dir():
        parts = _from_mirror(Path(mirror) / name, name, language)
    else:
        parts = _from_hub(name, language)
    if len(parts) == 1:
        return split(parts[0], test_size=0.2, seed=seed)
    return parts[0], parts[1]


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


# --- the user's own files ----------------------------------------------------------------------------------------


def read_file(
    path: str | Path, text: str = "text", label: str | None = "label", group: str | None = None
) -> LabelledTexts:
    """Read CSV, TSV, JSON lines or Parquet. label=None reads texts alone (labels are then empty strings).

    Raises MosaicError: unknown suffix, missing or empty file, undecodable bytes (with the line), a broken or
    ragged line (with its number), a duplicate header, a missing column (with those there are), a missing
    label or text (with the row).
    """
    path = Path(path)
    if not path.is_file():
        raise MosaicError(f"{path} does not exist or is not a file.")
    if path.suffix.lower() not in SUFFIXES:
        raise MosaicError(f"{path}: files ending in {', '.join(SUFFIXES)} are read, not {path.suffix or 'none'!r}.")
    if not path.stat().st_size:
        raise MosaicError(f"{path} is empty.")
    columns, first_line = read_columns(path)
    wanted = [name for name in (text, label, group) if name]
    for name in wanted:
        if name not in columns:
            raise MosaicError(
                f"{path} has no column {name!r}; its columns are {', '.join(columns)}. "
                "Name the right ones with --text, --label and --group."
            )
    n = len(columns[text])
    if not n:
        raise MosaicError(f"{path} has a header but no rows.")

    def where(row: int) -> str:
        return f"{path}, line {row + first_line}" if first_line is not None else f"{path}, row {row}"

    for row, value in enumerate(columns[text]):
        if not isinstance(value, str) or not value.strip():
            raise MosaicError(f"{where(row)}: the text is {value!r}. Remove the row or give it a text.")
    labels = [""] * n
    if label:
        for row, value in enumerate(columns[label]):
            if _absent(value):
                raise MosaicError(f"{where(row)}: the label is missing ({value!r}). Remove the row or label it.")
        labels = [str(value) for value in columns[label]]
    groups = None
    if group:
        # A row without a group is a group of its own.
        groups = np.array(
            [f"row {i}" if _absent(value) else str(value) for i, value in enumerate(columns[group])], dtype=object
        )
    return LabelledTexts(path.name, list(columns[text]), np.array(labels, dtype=object), groups)


def _absent(value) -> bool:
    return value is None or value != value or (isinstance(value, str) and not value.strip())


# --- the miniature world -----------------------------------------------------------------------------------------


def _from_mini(name: str, language: str) -> tuple[LabelledTexts, LabelledTexts]:
    """(train and validation, test) of a miniature set: texts, labels and groups; never the factors behind them."""
    from mosaic.mini import sets

    if name == sets.BEHAVIOUR:
        return tuple(_mini_texts(name, language, rows) for rows in sets.behaviour(language))
    parts = sets.labelled(name, language)
    return tuple(_mini_texts(name, language, rows) for rows in (parts["train"] + parts["validation"], parts["test"]))


def _mini_texts(name: str, language: str, rows) -> LabelledTexts:
    return LabelledTexts(
        f"{MINI}{name}",
        [row.text for row in rows],
        np.array([row.label for row in rows], dtype=object),
        np.array([row.group for row in rows], dtype=object),
        np.full(len(rows), language, dtype=object),
    )


# --- registered sets ---------------------------------------------------------------------------------------------


def _from_mirror(folder: Path, name: str, language: str | None) -> list[LabelledTexts]:
    """`train.jsonl` and `test.jsonl`, or `all.jsonl`, with columns text, label and perhaps language and group."""
    files = [folder / f"{part}.jsonl" for part in ("train", "test") if (folder / f"{part}.jsonl").is_file()]
    files = files if len(files) == 2 else [folder / "all.jsonl"]
    parts = []
    for path in files:
        columns, _ = read_columns(path) if path.is_file() else ({}, None)
        if not columns:
            raise MosaicError(f"{folder} has neither train.jsonl and test.jsonl nor all.jsonl.")
        languages = np.array(columns["language"], dtype=object) if "language" in columns else None
        data = LabelledTexts(
            name,
            [str(text) for text in columns["text"]],
            np.array([str(label) for label in columns["label"]], dtype=object),
            np.array([str(group) for group in columns["group"]], dtype=object) if "group" in columns else None,
            languages,
        )
        if language is not None and languages is not None:
            data = _one_language(data, language)
        parts.append(data)
    return parts


def _one_language(data: LabelledTexts, language: str) -> LabelledTexts:
    rows = np.flatnonzero(data.languages == language)
    if not len(rows):
        raise MosaicError(
            f"{data.name} has no texts in language {language!r}; it has {', '.join(sorted(set(data.languages)))}."
        )
    return data.take(rows)


def _from_hub(name: str, language: str | None) -> list[LabelledTexts]:
    from datasets import load_dataset

    entry = REGISTRY[name]
    choices = {**entry.configs, **entry.language_splits}
    if language is not None and choices and language not in choices:
        raise MosaicError(f"{name} has no language {language!r}; it has {', '.join(sorted(choices))}.")
    config = entry.configs.get(language or "en") if entry.configs else entry.config
    splits = [entry.train] + ([entry.test] if entry.test else [])
    if entry.language_splits:
        splits = [entry.language_splits[language or "en"]]
    try:
        loaded = [load_dataset(entry.hub_id, config, split=part) for part in splits]
    except (OSError, ValueError, RuntimeError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise Unavailable(
            f"cannot get {name} ({entry.hub_id}) from the hub: {first} Connect to the network, or set MOSAIC_DATA to a "
            f"folder that holds {name}/train.jsonl and {name}/test.jsonl (one object a line: text, label)."
        ) from error
    return [_from_rows(name, entry, rows, language) for rows in loaded]


def _from_rows(name: str, entry: HubSet, rows, language: str | None) -> LabelledTexts:
    for column in (entry.text, entry.label):
        if column not in rows.column_names:
            raise MosaicError(
                f"{entry.hub_id} has no column {column!r} any more; it has {', '.join(rows.column_names)}. "
                "Read it as a file with --text and --label."
            )
    labels: Sequence = rows[entry.label]
    feature = rows.features[entry.label]
    if hasattr(feature, "int2str"):
        labels = [feature.int2str(value) for value in labels]
    groups = np.array([str(group) for group in rows[entry.group]], dtype=object) if entry.group else None
    languages = np.full(len(rows), language, dtype=object) if language else None
    return LabelledTexts(
        name, [str(t) for t in rows[entry.text]], np.array(list(map(str, labels)), dtype=object), groups, languages
    )
