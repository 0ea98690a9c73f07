"""The user's own labelled file: every check names the file, the line or column, what was found and what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError
from mosaic.texts.labelled import LabelledTexts
from mosaic.texts.tabular import read_columns

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


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
