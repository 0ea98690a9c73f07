"""Columns of CSV, TSV, JSON lines and Parquet files; every error names the file, the line and the cure."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path

from mosaic.errors import MosaicError


def read_columns(path: Path) -> tuple[dict[str, list], int | None]:
    """Columns of a file, and the line its first row stands on (None where lines mean nothing)."""
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        import pyarrow.parquet
        from pyarrow import ArrowException

        try:
            table = pyarrow.parquet.read_table(path)
        except (ArrowException, OSError) as error:
            raise MosaicError(f"{path} is not a readable Parquet file: {error}") from error
        return table.to_pydict(), None
    content = path.read_bytes()
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise MosaicError(
            f"{path}, line {line}: byte 0x{content[error.start]:02x} is not UTF-8. Save the file as UTF-8 "
            f"(for example: iconv -f latin1 -t utf-8 {path.name})."
        ) from error
    if not decoded.strip():
        raise MosaicError(f"{path} holds only white space.")
    if suffix in (".jsonl", ".ndjson"):
        return _json_columns(path, decoded), 1
    return _csv_columns(path, decoded, "\t" if suffix == ".tsv" else ",")


def _json_columns(path: Path, decoded: str) -> dict[str, list]:
    rows = []
    # Not splitlines(): U+2028 and its kin may stand unescaped inside a JSON string.
    for number, line in enumerate(decoded.rstrip("\n").split("\n"), 1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise MosaicError(
                f"{path}, line {number}: not JSON ({error.msg}). One object a line is expected."
            ) from error
        if not isinstance(row, dict):
            raise MosaicError(f"{path}, line {number}: {type(row).__name__}, not an object with named columns.")
        rows.append(row)
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: [row.get(name) for row in rows] for name in names}


def _csv_columns(path: Path, decoded: str, delimiter: str) -> tuple[dict[str, list], int | None]:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(decoded, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        header = next(reader)
        twice = [name for name, n in Counter(header).items() if n > 1]
        if twice:
            raise MosaicError(f"{path}: the header names {twice[0]!r} {header.count(twice[0])} times. Rename one.")
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise MosaicError(
                    f"{path}, line {reader.line_num}: {len(row)} fields where the header has {len(header)}. "
                    "Quote fields that contain the separator."
                )
            rows.append(row)
    except csv.Error as error:
        raise MosaicError(f"{path}, line {reader.line_num}: {error}. Is every quote closed?") from error
    multiline = reader.line_num != len(rows) + 1
    return {name: [row[i] for row in rows] for i, name in enumerate(header)}, None if multiline else 2
