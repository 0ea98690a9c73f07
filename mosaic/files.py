"""Writing files so that a reader sees the old one or the whole new one, and a path that cannot be written says why."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from mosaic.errors import MosaicError

ANOTHER = "name another folder"
CURES = {
    errno.ENOSPC: f"the disk is full. Free some space, or {ANOTHER}.",
    errno.EDQUOT: f"your quota on this disk is used up. Delete something, or {ANOTHER}.",
    errno.EFBIG: f"the file would be larger than this disk or your limits allow (`ulimit -f`); {ANOTHER}.",
    errno.EROFS: f"the disk is read-only; {ANOTHER}.",
    errno.EACCES: f"you may not write there. Change its permissions, or {ANOTHER}.",
    errno.EPERM: f"you may not write there. Change its permissions, or {ANOTHER}.",
    errno.ENOTDIR: f"a part of this path is a file, not a folder; {ANOTHER}.",
    errno.EEXIST: f"a part of this path is a file, not a folder; {ANOTHER}.",
    errno.EISDIR: "it is a folder. Name a file, perhaps one in it.",
    errno.ENAMETOOLONG: "the name is too long. Choose a shorter one.",
}


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the target, flush to disk, rename over it.

    Raises MosaicError, naming the path and the cure, where that cannot be done: a full or read-only disk, a quota,
    missing permission, a folder in the file's place or a file in a folder's. Nothing half written stays.
    """
    with explained(path):
        if _is_device(path):
            path.write_bytes(content)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(temporary, 0o666 & ~umask)  # mkstemp makes files that only the owner reads
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def place(source: Path, target: Path) -> None:
    """Put a file, or a folder of files, in its place: linked where the disk allows it, so that nothing large lies twice."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.is_file():
                place(path, target / path.relative_to(source))
        return
    if target.exists() and target.samefile(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), fresh)
    except OSError:
        shutil.copyfile(source, fresh)
    os.replace(fresh, target)


def read_json(path: Path):
    """What a JSON file of the project's own holds. Raises MosaicError where it is gone, damaged or not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise MosaicError(
            f"{path} cannot be read ({error}). Copy it again, or remove its folder where the same command makes it anew."
        ) from error


def check_target(path: Path) -> None:
    """Raise MosaicError now, before long work, where `write_atomically(path, ...)` would fail at its end.

    It really tries: a temporary file is made where the file will stand (or in the nearest folder that is there) and
    removed again. Nothing else is changed.
    """
    with explained(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not _is_device(path):
            _try(path.parent)


def check_input_stays(path: Path, inputs: Iterable[Path]) -> None:
    """Raise MosaicError where the file to be written is one that is read, or stands in a folder that is."""
    target = path.absolute().parent.resolve() / path.name  # a link would be replaced, not what it points at
    for read in inputs:
        inside = path.is_file() and read.is_dir() and read.resolve() in target.parents
        if inside or target in (read.absolute(), read.resolve()):
            raise MosaicError(f"{path} is read by this very command and would be overwritten. Name another file.")


def check_outside(folder: Path, inputs: Iterable[Path]) -> None:
    """Raise MosaicError where a file that is read stands in a folder whose files the command replaces or removes."""
    for read in inputs:
        if folder.resolve() in read.resolve().parents:
            raise MosaicError(
                f"{read} is read by this very command, which replaces and removes files in {folder}. Move it elsewhere."
            )


def check_folder(path: Path) -> None:
    """The same for a folder that files will be written into: it is there and may be written, or can be made."""
    with explained(path):
        _try(path)


def check_cache(path: Path) -> None:
    """The same for a cache, which may be read-only where it is complete: only a file in its place is refused now."""
    with explained(path):
        _nearest_folder(path)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the system's refusal to write `path` into one sentence with a cure, also where a library passes it on."""
    try:
        yield
    except OSError as error:
        cure = CURES.get(error.errno, f"{error.strerror or error}. Check the path, or {ANOTHER}.")
        raise MosaicError(f"cannot write {path}: {cure}") from error
    except MosaicError:
        raise
    except Exception as error:
        if refusal(error) is None:
            raise
        raise MosaicError(f"cannot write {path}: {CURES[refusal(error)]}") from error


def refusal(error: Exception) -> int | None:
    """The key of CURES that an error is about, or None: its errno, or what a library's own error tells.

    safetensors gives the number ("I/O error: No space left on device (os error 28)"), torch.save does not
    ("inline_container.cc: unexpected pos 64 vs 0"): it says so where a file ended before its content did.
    """
    if isinstance(error, RuntimeError) and "inline_container" in str(error) and "unexpected pos" in str(error):
        return errno.ENOSPC
    told = re.search(r"\(os error (\d+)\)", str(error))
    number = error.errno if isinstance(error, OSError) else int(told[1]) if told else None
    return number if number in CURES else None


def _nearest_folder(path: Path) -> Path:
    """The folder, or the deepest one above it that exists. Raises NotADirectoryError where a file stands instead."""
    for candidate in (path, *path.absolute().parents):
        if candidate.is_dir():
            return candidate
        if candidate.exists() or candidate.is_symlink():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(candidate))
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def _try(folder: Path) -> None:
    """Make a file of a few bytes in the folder, or in the nearest one above it, and remove it."""
    handle, temporary = tempfile.mkstemp(dir=_nearest_folder(folder), prefix=".mosaic-check.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(b"mosaic")
            file.flush()
            os.fsync(file.fileno())  # a full disk may say so only now
    finally:
        Path(temporary).unlink(missing_ok=True)


def _is_device(path: Path) -> bool:
    """/dev/stdout, a pipe and the like are written into, never renamed over."""
    return path.parent == Path("/dev") or (path.exists() and not path.is_file() and not path.is_dir())
