"""Large collections of texts, read a part at a time: a folder of Parquet files, or a data set of the hub.

Nothing keeps all of the texts: what is read of Parquet is one group of rows, and a data set of the hub lies on disk.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.progress import Progress
from mosaic.texts import columns
from mosaic.texts.own_files import SUFFIXES, check_texts

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Corpus:
    """n_texts texts; `batches(n)` gives them in order, lists of n (the last of a file may be shorter). where: a text's number ->
    its place, for messages."""

    name: str
    n_texts: int
    batches: Callable[[int], Iterator[list]]
    where: Callable[[int], str]

    def check(self, size: int = 10_000) -> None:
        """Raises MosaicError naming the place of a text that is none, or empty: before hours of work, not after them."""
        first = 0
        with Progress("checking texts", self.n_texts) as progress:
            for batch in self.batches(size):
                check_texts(batch, lambda row, first=first: self.where(first + row))
                first += len(batch)
                progress.advance(len(batch))

    def parts(self, size: int) -> Iterator[tuple[int, list[str]]]:
        """(number of its first text, texts) of each part: `size` texts, the last perhaps fewer."""
        first, waiting = 0, []
        for batch in self.batches(size):
            waiting += batch
            while len(waiting) >= size:
                yield first, waiting[:size]
                first, waiting = first + size, waiting[size:]
        if waiting:
            yield first, waiting


def is_corpus(source: Path) -> bool:
    """Whether a command's argument means a corpus: a folder, or a data set's id where no such file is."""
    file = source.exists() or source.suffix.lower() in SUFFIXES
    return source.is_dir() or (not file and bool(HUB_ID.fullmatch(source.as_posix())))


def open_corpus(source: Path, text: str | None = None, split: str = "train", config: str | None = None) -> Corpus:
    """A folder's Parquet files, by name, or a split of a data set of the hub. text: column of the texts (default: text,
    or prompt where that is absent).

    Raises MosaicError for a folder without Parquet files, a file that is none, a missing column, or no rows at all.
    """
    found = _folder(source, text) if source.is_dir() else _hub_set(source.as_posix(), text, split, config)
    if not found.n_texts:
        raise MosaicError(f"{source} has no rows, so there is nothing to read. Give a corpus that has some.")
    return found


def _folder(folder: Path, text: str | None) -> Corpus:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    # Others write a folder x.parquet of files, and half-written ones below a name that begins with . or _.
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() == ".parquet"]
    paths = sorted(path for path in found if not any(part[0] in "._" for part in path.relative_to(folder).parts))
    if not paths:
        raise MosaicError(
            f"{folder} holds no Parquet files, which a corpus is made of. Write it as such (pandas: to_parquet), or give one "
            "file of texts."
        )
    column, ends, n_texts = {}, [], 0
    for path in paths:
        try:
            with ParquetFile(path) as file:
                column[path] = _column(str(path), file.schema_arrow.names, text)
                n_texts += file.metadata.num_rows
                ends.append(n_texts)
        except (ArrowException, OSError, ValueError) as error:
            raise MosaicError(f"{path} is not a readable Parquet file: {error} Write it again.") from error

    def batches(size: int) -> Iterator[list]:
        for path in paths:
            try:
                with ParquetFile(path, memory_map=True) as file:
                    for batch in file.iter_batches(size, columns=[column[path]]):
                        yield batch.column(0).to_pylist()
            except (ArrowException, OSError, ValueError) as error:
                raise MosaicError(f"{path} is not a readable Parquet file: {error} Write it again.") from error

    def where(number: int) -> str:
        i = bisect_right(ends, number)
        return f"{paths[i]}, row {number - (ends[i - 1] if i else 0)}"

    return Corpus(str(folder), n_texts, batches, where)


def _hub_set(name: str, text: str | None, split: str, config: str | None) -> Corpus:
    from mosaic.hub.datasets import read_splits
    from mosaic.hub.repository import Repository

    instead = "(No file or folder here has that name, so it was taken for a data set of the hub; a folder of Parquet files is read too.)"
    (rows,) = read_splits(Repository(name, kind="dataset", instead=instead), config, [split])
    column = _column(name, rows.column_names, text)
    texts = rows.select_columns(column)
    return Corpus(
        name,
        len(rows),
        lambda size: (batch[column] for batch in texts.iter(size)),
        lambda number: f"{name}, row {number}",
    )


def _column(where: str, names: list[str], text: str | None) -> str:
    found, _ = columns.named(names, text or "text", None, () if text is None else (text,))
    if found not in names:
        raise MosaicError(
            f"{where} has no column {found!r}; its columns are {', '.join(map(repr, names))}. Name the right one with --text."
        )
    return found
