"""Recorded numbers: small JSON files under results/<profile>/ that prose, tables and claims read.

Nothing that changes from run to run (times, paths) is recorded, so two runs give the same file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path

import numpy as np

from mosaic import numerals
from mosaic.errors import MosaicError
from mosaic.files import read_json, write_atomically
from mosaic.reporting import recorded

FOLDER = Path("results")
DIGITS = 6
NOT_MEASURED = "not measured here"
STAND_IN = "stand-in"


def record(profile: str, name: str, values: Mapping, folder: Path = FOLDER, stand_in: bool = False) -> Path:
    """Write results/<profile>/<name>.json atomically: the values and the versions that made them.

    stand_in: they were measured on weights that stand in for the model's; nothing is judged by them.

    What a file in the project's own results/ held before is kept for `mosaic results diff` (`reporting.recorded`).

    Numbers are rounded to six decimals, numpy scalars become plain ones. Raises MosaicError for NaN or
    infinite values: a result that is not a number is not a result.
    """
    content = {"values": _plain(values, name), "versions": versions(), **({"weights": STAND_IN} if stand_in else {})}
    path = Path(folder) / profile / f"{name}.json"
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    if Path(folder) == FOLDER:
        recorded.keep(path, text.encode())
    write_atomically(path, text.encode())
    return path


def read(profile: str, name: str, folder: Path = FOLDER) -> dict:
    """The values of one results file. Raises MosaicError when it does not exist or is not whole."""
    path = Path(folder) / profile / f"{name}.json"
    if not path.is_file():
        raise MosaicError(f"{path} does not exist: run `mosaic reproduce --profile {profile}`.")
    return content(path)["values"]


def of_stand_in(profile: str, name: str, folder: Path = FOLDER) -> bool:
    """Whether a results file was measured on weights that stand in for the model's. Raises MosaicError as `read` does."""
    read(profile, name, folder)
    return read_json(Path(folder) / profile / f"{name}.json").get("weights") == STAND_IN


def content(path: Path) -> dict[str, dict]:
    """{"values": {...}, "versions": {...}} of a results file. Raises MosaicError when it is not whole.

    A number that is none (NaN, infinite) is never recorded, so a file with one is not whole.
    """
    try:
        found = json.loads(
            path.read_text(encoding="utf-8"), parse_constant=_finite, parse_float=_finite, parse_int=_whole
        )
        return {"values": dict(found["values"]), "versions": dict(found.get("versions", {}))}
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise MosaicError(f"{path} is not a results file ({error}): delete it and run `mosaic reproduce`.") from error


def _finite(text: str) -> float:
    if not np.isfinite(number := float(text)):
        raise ValueError(f"{text} is no finite number")
    return number


def _whole(text: str) -> int:
    _finite(text)
    return int(text)


def lookup(profile: str, key: str, folder: Path = FOLDER):
    """The value at `name.key.key...`, such as `layers.sets.trec.best_layer`; digits index lists.

    None where it, or what it is part of, was recorded as null: not measured on this profile. Raises MosaicError naming
    the part that is missing and what stands there instead.
    """
    name, *parts = key.split(".")
    value = read(profile, name, folder)
    for i, part in enumerate(parts):
        if value is None:
            return None
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            there = ", ".join(map(str, value)) if isinstance(value, dict) else type(value).__name__
            at = ".".join([name, *parts[:i]])
            raise MosaicError(f"{key!r}: {at} of profile {profile} has no {part!r}; it has {there}.") from error
    return value


def shown(value, sign: bool = False) -> str:
    """A recorded value as prose has it (`mosaic.numerals`), intervals as `a to b`.

    sign: differences carry theirs, +0.012 too. None reads "not measured here". Raises MosaicError for what is no single
    value.
    """
    if value is None:
        return NOT_MEASURED
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return numerals.minus(value)
    if isinstance(value, int | float):
        return numerals.shown(value, sign)
    if isinstance(value, list) and len(value) == 2:
        if None in value:
            return NOT_MEASURED
        if all(isinstance(end, int | float) and not isinstance(end, bool) for end in value):
            return numerals.interval(*value, sign=sign)
        return f"{shown(value[0], sign)} to {shown(value[1], sign)}"
    raise MosaicError(f"a {type(value).__name__} cannot stand in a sentence; name one number in it")


def recorded_versions(profile: str, folder: Path = FOLDER) -> list[tuple[dict[str, str], list[str]]]:
    """[(versions of the libraries, the studies that were recorded with them)] of one profile."""
    found: dict[str, tuple[dict[str, str], list[str]]] = {}
    for path in sorted((Path(folder) / profile).glob("*.json")):
        with_versions = content(path)["versions"]
        found.setdefault(json.dumps(with_versions, sort_keys=True), (with_versions, []))[1].append(path.stem)
    return list(found.values())


def versions() -> dict[str, str]:
    """Versions of the libraries that decide numbers."""
    from importlib.metadata import version

    names = ("mosaic-companion", "torch", "transformers", "sae-lens", "scikit-learn", "numpy", "scipy")
    return {name: version(name).split("+")[0] for name in names}


def _plain(value, where: str):
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(k): _plain(v, f"{where}.{k}") for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(v, f"{where}.{i}") for i, v in enumerate(value)]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        if not np.isfinite(value):
            raise MosaicError(f"{where} is {value}: a result must be a finite number.")
        return round(value, DIGITS)
    if value is None or isinstance(value, str | int | bool):
        return value
    raise MosaicError(f"{where} is a {type(value).__name__}; record numbers, strings, lists and dictionaries.")
