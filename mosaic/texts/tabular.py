"""Columns of CSV, TSV, JSON lines and Parquet files; every error names the file, the line and the cure."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.texts.decoding import read_bytes, read_text

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True)
class Columns:
    """A file's columns by name, and the line each row begins on (None where a format has no lines)."""

    path: Path
    columns: dict[str, list]
    lines: Sequence[int] | None = None

    def where(self, row: int) -> str:
        """The place of a row in words, for messages."""
        return f"{self.path}, row {row}" if self.lines is None else f"{self.path}, line {self.lines[row]}"


def read_columns(path: Path) -> Columns:
    """Columns of a file, by its suffix. Raises MosaicError for content that is not what the suffix says."""
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _parquet(path)
    text = read_text(path)
    if not text.strip():
        raise MosaicError(f"{path} holds only white space.")
    if suffix in (".jsonl", ".ndjson"):
        return _json_lines(path, text)
    return _csv(path, text, "\t" if suffix == ".tsv" else ",")


def _parquet(path: Path) -> Columns:
    import pyarrow.parquet
    from pyarrow import ArrowException, BufferReader

    content = read_bytes(path)
    try:
        file = pyarrow.parquet.ParquetFile(BufferReader(content))
        _distinct(path, file.schema_arrow.names)
        return Columns(path, file.read().to_pydict())
    except (ArrowException, OSError, ValueError, OverflowError) as error:
        raise MosaicError(f"{path} is not a readable Parquet file: {error} Write it again.") from error


def _json_lines(path: Path, text: str) -> Columns:
    rows, lines = [], []
    # Not splitlines(): U+2028 and its kin may stand unescaped inside a JSON string.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=partial(_once, f"{path}, line {number}"))
        except json.JSONDecodeError as error:
            raise MosaicError(
                f"{path}, line {number}: not JSON ({error.msg}). One object a line is expected."
            ) from error
        except RecursionError as error:
            raise MosaicError(
                f"{path}, line {number}: brackets nested too deeply to be read. One flat object a line is expected."
            ) from error
        except ValueError as error:  # a whole number of thousands of digits
            raise MosaicError(
                f"{path}, line {number}: a number of too many digits. Quote it if it is a text or a name."
            ) from error
        if not isinstance(row, dict):
            raise MosaicError(f"{path}, line {number}: {type(row).__name__}, not an object with named columns.")
        rows.append(row)
        lines.append(number)
    names = list(dict.fromkeys(name for row in rows for name in row))
    return Columns(path, {name: [row.get(name) for row in rows] for name in names}, lines)


def _once(where: str, pairs: list[tuple]) -> dict:
    row = dict(pairs)
    if len(row) < len(pairs):
        twice = next(name for name, n in Counter(name for name, _ in pairs).items() if n > 1)
        raise MosaicError(f"{where}: the name {twice!r} stands twice in one object. Rename or remove one.")
    return row


def _csv(path: Path, text: str, delimiter: str) -> Columns:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        header = next(row for row in reader if row)  # blank lines before it say nothing
        other = _other_separator(header, delimiter)
        if other and len(header) == 1:
            raise MosaicError(_wrong_separator(path, delimiter, other))
        _distinct(path, header)
        start = reader.line_num + 1
        for row in reader:
            if row and len(row) != len(header):
                if other:
                    raise MosaicError(_wrong_separator(path, delimiter, other))
                raise MosaicError(
                    f"{path}, line {start}: {len(row)} fields where the header has {len(header)}. "
                    "Quote fields that contain the separator."
                )
            if row:
                rows.append(row)
                lines.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        raise MosaicError(f"{path}, line {reader.line_num}: {error}. Is every quote closed?") from error
    return Columns(path, {name: [row[i] for row in rows] for i, name in enumerate(header)}, lines)


def _other_separator(header: list[str], delimiter: str) -> str | None:
    """The separator that the header names more often than the one that belongs to the file's suffix, if any."""
    counts = {separator: delimiter.join(header).count(separator) for separator in SEPARATORS}
    most = max(counts, key=counts.__getitem__)
    return most if counts[most] > counts[delimiter] else None


def _wrong_separator(path: Path, delimiter: str, found: str) -> str:
    cure = {"\t": "Let its name end in .tsv", ",": "Let its name end in .csv"}.get(found, "Save it with commas")
    return (
        f"{path}: its fields seem to be separated by {SEPARATORS[found]}, but those of a {path.suffix} file by "
        f"{SEPARATORS[delimiter]}. {cure}."
    )


def _distinct(path: Path, header: Sequence[str]) -> None:
    twice = [name for name, n in Counter(header).items() if n > 1]
    if twice:
        n = Counter(header)[twice[0]]
        raise MosaicError(f"{path}: the header names {twice[0]!r} {n} times. Rename one.")
