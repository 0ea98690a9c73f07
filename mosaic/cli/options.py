"""What several commands share: their options, how lists are read, what is refused before any work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Optional

import typer

from mosaic.errors import MosaicError
from mosaic.profiles.reading import LARGEST

Profile = Annotated[str, typer.Option("--profile", "-p", help="A profile's name (`mosaic profiles`) or a .yml file.")]
Text = Annotated[str, typer.Option("--text", help="Column of the texts.")]
Label = Annotated[str, typer.Option("--label", help="Column of the labels.")]
Group = Annotated[Optional[str], typer.Option("--group", help="Column of rows that must stay on one side of a split.")]  # noqa: UP045
Layers = Annotated[Optional[str], typer.Option("--layers", help="Layers, separated by commas (default: all).")]  # noqa: UP045
Poolings = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--poolings", help="sum, mean, max, last, count, topN, separated by commas (default: the profile's)."),
]
Json = Annotated[Optional[Path], typer.Option("--json", help="Also write the rows to this file.")]  # noqa: UP045
Cache = Annotated[Path, typer.Option("--cache", help="Folder of the feature cache.")]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:0, mps.")]
CACHE = Path("build/cache")


def listed(value: str | None, kind=str, name: str = "", least: float | None = None) -> list | None:
    """ "2,4" -> [2, 4]; None stays None. Raises MosaicError for no part, one of another kind, or one below `least`."""
    if value is None:
        return None
    try:
        parts = [kind(part.strip()) for part in value.split(",") if part.strip()]
    except ValueError as error:
        raise MosaicError(
            f"{name} is {value!r:.60}; numbers separated by commas were expected, such as 2,4."
        ) from error
    if not parts:
        raise MosaicError(f"{name} is empty; give values separated by commas, or leave the option out.")
    if least is not None and not all(least <= part < float("inf") for part in parts):
        raise MosaicError(f"{name} is {value!r}; numbers from {least} on were expected.")
    if any(kind is int and abs(part) > LARGEST for part in parts):
        raise MosaicError(f"{name} is {value!r:.60}; numbers up to {LARGEST:,} were expected. Write a smaller one.")
    return parts


def check(
    *,
    file: Path | None = None,
    folder: Path | None = None,
    cache: Path | None = None,
    device: str = "cpu",
    inputs: Sequence[str | Path | None] = (),
    owned: Sequence[Path] = (),
) -> None:
    """Refuse now what would fail at the end of long work: a file or folder to be written, a cache, a device.

    inputs: files and folders that are read; `file` is none of them, nor in one. owned: folders whose files the command
    replaces or removes; none of `inputs` stands in one.
    """
    from mosaic.files import check_cache, check_folder, check_input_stays, check_outside, check_target

    if file is not None:
        check_input_stays(file, [Path(path) for path in inputs if path])
    for taken in owned:
        check_outside(taken, [Path(path) for path in inputs if path])
    for path, refuse in ((file, check_target), (folder, check_folder), (cache, check_cache)):
        if path is not None:
            refuse(path)
    if device != "cpu":
        from mosaic.models.opening import check_device

        check_device(device)
