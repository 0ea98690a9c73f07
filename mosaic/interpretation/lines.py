"""A file of JSON objects, one a line, that several processes append to: what a killed one left unfinished is passed over."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from mosaic.errors import MosaicError
from mosaic.files import explained

T = TypeVar("T")


class Lines(Generic[T]):
    """read: of a line, None where it is of another kind. lock: a file of this name beside it lets one writer in at a time; where
    files cannot be locked, all. Reading writes nothing."""

    def __init__(self, path: Path, read: Callable[[bytes], T | None], lock: str):
        self.path, self.read, self.lock = Path(path), read, lock
        self._read, self._known = 0, list[T]()  # bytes, and what they held

    def all(self) -> list[T]:
        """Every line, in the order in which they came. What was read before is not read again: the same list, longer, unless the file
        was cut."""
        with contextlib.suppress(FileNotFoundError), _readable(self.path), open(self.path, "rb") as file:
            if file.seek(0, os.SEEK_END) < self._read:
                self._read, self._known = 0, []
            file.seek(self._read)
            whole = file.read().rpartition(b"\n")[0]
            if whole:
                self._read += len(whole) + 1
                self._known += [row for line in whole.split(b"\n") if (row := self.read(line)) is not None]
        return self._known

    def add(self, row: dict) -> None:
        """One line more, on the disk when this returns. Raises MosaicError where it cannot be written."""
        line = json.dumps(row, ensure_ascii=True).encode() + b"\n"
        with self.locked(), explained(self.path), open(self.path, "a+b") as file:
            if file.tell() and not _ends_a_line(file):
                line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def folder(self) -> Path:
        """Where the file stands, made where it is not there. Raises MosaicError where that cannot be done."""
        with explained(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        return self.path.parent

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One writer at a time, where files can be locked at all; a folder that cannot be written is told by what writes there."""
        from filelock import FileLock

        lock = FileLock(self.folder() / self.lock)
        with contextlib.suppress(OSError, NotImplementedError):
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise MosaicError(f"{path} cannot be read ({error.strerror or error}). Check its permissions.") from error


def _ends_a_line(file) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
