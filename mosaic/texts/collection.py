"""Many labelled sets at once: the files and folders that a user names, as sets with names of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.texts import labelled
from mosaic.texts.labelled import LabelledTexts
from mosaic.texts.own_files import SUFFIXES, read_file
from mosaic.texts.tabular import read_columns

VALIDATION = ("val", "valid", "validation", "dev")  # beside train and test: never read


@dataclass(frozen=True)
class Source:
    """One set. files: (all its rows,) or (training rows, test rows). mirror: a folder laid out as MOSAIC_DATA's, whose
    column `group`, where it has one, is read unasked."""

    name: str
    files: tuple[Path, ...]
    mirror: bool = False


def find(paths: Iterable[Path], leave_out: Iterable[Path] = ()) -> list[Source]:
    """The sets of these files and folders, by name. A folder gives every file of a format that is read, in it and in
    its folders; one with train and test files, or with a file `all`, is one set (and its validation files are nothing).

    A set is named by its path within the folder; two of one name, by their whole paths. What is hidden (.name) or in
    `leave_out` is passed over; a file named twice counts once. Raises MosaicError for a path that is not there, a folder
    that cannot be read, and where nothing is found.
    """
    paths, left = list(paths), {path.resolve() for path in leave_out}
    found: dict[Path, Source] = {}
    for path in paths:
        if not path.exists():
            raise MosaicError(f"{path} does not exist. Name files ({', '.join(SUFFIXES)}) or folders of them.")
        sources = _in_folder(path, path, set()) if path.is_dir() else [Source(path.name, (path,))]
        for source in sources:
            if source.files[0].resolve() not in left:
                found.setdefault(source.files[0].resolve(), source)
    if not found:
        raise MosaicError(f"{', '.join(map(str, paths))}: no file ending in {', '.join(SUFFIXES)} is there.")
    names = Counter(source.name for source in found.values())
    whole = (s if names[s.name] == 1 else replace(s, name=s.files[0].as_posix()) for s in found.values())
    return sorted(whole, key=lambda source: source.name)


def read(
    source: Source, text: str = "text", label: str = "label", group: str | None = None, exact: Collection[str] = ()
) -> tuple[LabelledTexts, LabelledTexts]:
    """(train, test) of a set; without test rows of its own a fifth is held out. Raises MosaicError as `read_file` does,
    and for classes that cannot be learned."""
    parts = [read_file(path, text, label, group or _own_group(source, path), exact) for path in source.files]
    labelled.check_classes(parts[0])
    if len(parts) == 1:
        return labelled.split(parts[0], test_size=0.2)
    return parts[0], parts[1]


def _own_group(source: Source, path: Path) -> str | None:
    return "group" if source.mirror and "group" in read_columns(path).columns else None


def _in_folder(folder: Path, top: Path, seen: set[Path]) -> Iterator[Source]:
    """The sets in a folder and below it; links that lead back to a folder above are followed once."""
    if folder.resolve() in seen:
        return
    seen.add(folder.resolve())
    try:
        inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise MosaicError(f"{folder} cannot be read: {error.strerror}. Check its permissions.") from error
    files = [path for path in inside if path.is_file() and path.suffix.lower() in SUFFIXES]
    parts = {path.stem: path for path in reversed(files)}
    name = folder.resolve().name if folder == top else folder.relative_to(top).as_posix()
    whole = ("train", "test") if {"train", "test"} <= set(parts) else ("all",) if "all" in parts else ()
    if whole:
        yield Source(name, tuple(parts[part] for part in whole), mirror=True)
        files = [path for path in files if path.stem not in {*whole, "all", *VALIDATION}]
    yield from (Source(path.relative_to(top).as_posix(), (path,)) for path in files)
    for path in inside:
        if path.is_dir():
            yield from _in_folder(path, top, seen)
