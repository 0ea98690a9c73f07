"""The user's own labelled file: every check names the file, the line or column, what was found and what to do."""

from __future__ import annotations

import logging
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError
from mosaic.printable import printable
from mosaic.texts import columns
from mosaic.texts.labelled import LabelledTexts
from mosaic.texts.tabular import Columns, read_columns

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
UNSEEN = ("Cc", "Cf")  # categories of characters without a shape: zero-width spaces, direction marks, NUL
log = logging.getLogger("mosaic")


def read_file(
    path: str | Path,
    text: str = "text",
    label: str | None = "label",
    group: str | None = None,
    exact: Collection[str] = (),
) -> LabelledTexts:
    """Read CSV, TSV, JSON lines or Parquet. label=None reads texts alone (labels are then empty strings).

    Columns `prompt` and `target` stand for `text` and `label` where these are absent, and that is said; not for one of the
    `exact` names. Warns of labels that differ in their writing only (1 and 1.0, "pos" and "pos "). Raises MosaicError:
    unknown suffix, missing or empty file, undecodable bytes (with the line), a broken or ragged line (with its number), a
    duplicate header, a missing column (with those there are), a missing label or text (with the row), half a surrogate
    pair (with the row).
    """
    path = Path(path)
    read, text, label = open_columns(path, text, label, exact)
    for name in (text, label, group):
        if name is not None and name not in read.columns:
            raise MosaicError(
                f"{path} has no column {name!r}; its columns are {', '.join(map(repr, read.columns))}. "
                + ("Name it with --text." if label is None else "Name the right ones with --text, --label and --group.")
            )
    texts = read.columns[text]
    if not texts:
        raise MosaicError(f"{path} has a header but no rows.")
    check_texts(texts, read.where)
    labels = (
        label_names(read.columns[label], read.where) if label is not None else np.array([""] * len(texts), dtype=object)
    )
    warn_of_lookalikes(path.name, labels)
    groups = group_names(read.columns[group], read.where) if group is not None else None
    return LabelledTexts(path.name, list(texts), labels, groups)


def open_columns(
    path: Path, text: str, label: str | None, exact: Collection[str] = ()
) -> tuple[Columns, str, str | None]:
    """(a file's columns, the name of that of its texts, of its labels), where other names stand in, said. Raises
    MosaicError for a file that is missing or of an unknown kind, and as `tabular.read_columns` does."""
    if not path.is_file():
        raise MosaicError(f"{path} does not exist or is not a file.")
    if path.suffix.lower() not in SUFFIXES:
        raise MosaicError(f"{path}: files ending in {', '.join(SUFFIXES)} are read, not {path.suffix or 'none'!r}.")
    read = read_columns(path)
    asked, (text, label) = (text, label), columns.named(read.columns, text, label, exact)
    if found := columns.said(asked, (text, label)):
        log.warning("%s: %s.", printable(path.name), found)
    return read, text, label


def check_texts(texts: Sequence, where: Callable[[int], str], blank: bool = False) -> None:
    """Raises MosaicError for a text that is no string, cannot be encoded or (unless `blank`) is only white space."""
    for row, value in enumerate(texts):
        if not isinstance(value, str) or not (blank or value.strip()):
            raise MosaicError(f"{where(row)}: the text is {value!r:.80}. Remove the row or give it a text.")
        _check_surrogates(value, "text", row, where)


def label_names(values: Sequence, where: Callable[[int], str]) -> np.ndarray:
    """[n] of str. Raises MosaicError for a label that is missing, a list or an object."""
    for row, value in enumerate(values):
        if absent(value):
            raise MosaicError(f"{where(row)}: the label is missing ({value!r}). Remove the row or label it.")
    return np.array([_name(value, "label", row, where) for row, value in enumerate(values)], dtype=object)


def group_names(values: Sequence, where: Callable[[int], str]) -> np.ndarray:
    """[n] of str; a row without a group is a group of its own."""
    names = [f"row {row}" if absent(v) else _name(v, "group", row, where) for row, v in enumerate(values)]
    return np.array(names, dtype=object)


def absent(value) -> bool:
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def _name(value, what: str, row: int, where: Callable[[int], str]) -> str:
    if isinstance(value, list | dict | bytes):
        kind = {list: "a list", dict: "an object", bytes: "bytes"}[type(value)]
        raise MosaicError(
            f"{where(row)}: the {what} is {kind}; a word or a number was expected. Choose another column."
        )
    _check_surrogates(str(value), what, row, where)
    return str(value)


def _check_surrogates(value: str, what: str, row: int, where: Callable[[int], str]) -> None:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise MosaicError(
            f"{where(row)}: the {what} holds half a surrogate pair ({value[error.start]!r} at character "
            f"{error.start + 1}), which is no character. Write the whole one, or remove it."
        ) from error


def warn_of_lookalikes(name: str, labels: np.ndarray) -> None:
    """Say which labels differ only in white space, case, what cannot be seen or the writing of a number."""
    alike: dict[object, list[str]] = {}
    counts = Counter(labels)
    for label in sorted(counts):
        alike.setdefault(_meaning(label), []).append(label)
    for labels_alike in alike.values():
        if len(labels_alike) > 1:
            shown = " and ".join(f"{printable(repr(label))} ({counts[label]} rows)" for label in labels_alike)
            log.warning(
                "%s: labels %s are counted as %d classes. Write them alike if they mean the same.",
                printable(name), shown, len(labels_alike),
            )  # fmt: skip


def _meaning(label: str) -> object:
    seen = "".join(c for c in unicodedata.normalize("NFKC", label) if unicodedata.category(c) not in UNSEEN)
    word = " ".join(seen.split()).casefold()
    try:
        return float(word) if "_" not in word and word not in ("nan", "-nan", "+nan") else word
    except ValueError:
        return word
