"""What several commands share: their options, how lists are read, what is refused before any work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from mosaic.errors import MosaicError
from mosaic.machine import device_named
from mosaic.profiles.reading import LARGEST

Profile = Annotated[str, typer.Option("--profile", "-p", help="A profile's name (`mosaic profiles`) or a .yml file.")]
ProfileOrOwn = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--profile", "-p", help="A profile's name (`mosaic profiles`) or a .yml file (default: minilm)."),
]
Model = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--model", help="Instead of a profile: a model of the hub, or its folder. Goes with --sae."),
]
Saes = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--sae", help="An SAE on --model: RELEASE/ID of SAELens's registry, or its folder (repeatable)."),
]
Text = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--text", help="Column of the texts (default: text, or prompt where that is absent)."),
]
Label = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--label", help="Column of the labels (default: label, or target where that is absent)."),
]
Group = Annotated[Optional[str], typer.Option("--group", help="Column of rows that must stay on one side of a split.")]  # noqa: UP045
Layers = Annotated[Optional[str], typer.Option("--layers", help="Layers, separated by commas (default: all).")]  # noqa: UP045
Widths = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--widths", help="Widths, as 2k,8k (default: all)."),
]
Seed = Annotated[
    int,
    typer.Option("--seed", min=0, max=2**32 - 1, help="Of the rows that are held out, and of the validation folds."),
]
Poolings = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--poolings", help="sum, mean, max, last, count, topN, separated by commas (default: the profile's)."),
]
Json = Annotated[Optional[Path], typer.Option("--json", help="Also write the rows to this file.")]  # noqa: UP045
Cache = Annotated[Path, typer.Option("--cache", help="Folder of the feature cache.")]
Device = Annotated[
    str, typer.Option("--device", callback=device_named, help="cpu, cuda, cuda:0, mps, or auto: the best one here.")
]
Products = Annotated[
    Optional[Literal["float32", "bfloat16"]],  # noqa: UP045
    typer.Option("--products", help="Numbers the SAEs' products are made of (default: bfloat16 on a CUDA card)."),
]
CACHE = Path("build/cache")
SEED = 42


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


def columns(text: str | None, label: str | None, group: str | None = None) -> dict:
    """Which columns `read_file` reads; a name that was given is read and no other."""
    exact = [name for name in (text, label) if name is not None]
    read = {"text": "text" if text is None else text, "label": "label" if label is None else label}
    return {**read, "group": group, "exact": exact}


def check_named(profile: str | None, model: str | None, saes: Sequence[str] | None) -> None:
    """Raises MosaicError unless a profile, or a model with SAEs, or nothing at all is named."""
    if profile is not None and (model is not None or saes):
        raise MosaicError(
            f"profile {profile} names a model and SAEs of its own. Give either --profile, or --model and --sae."
        )
    if model is not None and not saes:
        raise MosaicError(f"--model {model} has no SAE beside it. Add one or more: --sae RELEASE/ID, or --sae FOLDER.")
    if saes and model is None:
        raise MosaicError(f"--sae {saes[0]} has no model beside it. Add the one it was trained on: --model HUB_ID.")


def chosen_profile(profile: str | None, model: str | None = None, saes: Sequence[str] | None = None):
    """The profile of that name (minilm where none is given), or one made of the model and the SAEs."""
    from mosaic.features.pooling import POOLINGS
    from mosaic.profiles.own import own_profile
    from mosaic.profiles.profile import load_profile

    check_named(profile, model, saes)
    return load_profile(profile or "minilm") if model is None else own_profile(model, saes, POOLINGS)


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
