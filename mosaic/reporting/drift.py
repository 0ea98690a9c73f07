"""The same run elsewhere: two folders of results compared: verdicts, choices by name, numbers within their bands."""

from __future__ import annotations

import fnmatch
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.reporting import recorded, results
from mosaic.reporting.claims import NOT_RUN, is_number
from mosaic.reporting.verdicts import judge_all

BANDS = Path(__file__).parent / "bands.yml"
NUMBER = re.compile(r"[-+\N{MINUS SIGN}]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?(?: ?%)?")


@dataclass(frozen=True)
class Band:
    """keys: patterns. band: absolute, relative: as a share of the recorded number. choice: no number but a choice. over_sets:
    it follows any choice that flipped in its study."""

    keys: tuple[str, ...]
    because: str
    band: float = 0.0
    relative: float = 0.0
    choice: bool = False
    over_sets: bool = False

    def around(self, value: float) -> float:
        return max(self.band, self.relative * abs(value))


@dataclass(frozen=True)
class Flip:
    """A discrete choice that is another one: chosen pooling, layer, sentence, ..."""

    key: str
    recorded: str | float | bool
    run: str | float | bool


@dataclass(frozen=True)
class Drift:
    """A number that moved. band: what it may. follows: the flipped choice beside it, which it describes another setting by."""

    key: str
    recorded: float
    run: float
    band: float
    follows: str | None = None

    @property
    def drift(self) -> float:
        return self.run - self.recorded

    @property
    def too_far(self) -> bool:
        return self.follows is None and abs(self.drift) > self.band + 1e-9


@dataclass(frozen=True)
class Changed:
    """A claim with another verdict."""

    id: str
    recorded: str
    run: str
    recorded_value: float | str | None
    run_value: float | str | None


@dataclass(frozen=True)
class Comparison:
    """compared: studies in both. missing: recorded, but not in the run. added: in the run alone. lost, new: keys that one of
    the two lacks. versions: {library: (recorded, run)} where they differ. numbers: how many were compared."""

    profile: str
    compared: list[str]
    missing: list[str]
    added: list[str]
    verdicts: list[Changed] = field(default_factory=list)
    flips: list[Flip] = field(default_factory=list)
    drifts: list[Drift] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    versions: dict[str, tuple[str, str]] = field(default_factory=dict)
    numbers: int = 0

    @property
    def too_far(self) -> list[Drift]:
        return [drift for drift in self.drifts if drift.too_far]

    @property
    def failed(self) -> bool:
        """A verdict changed, a number drifted out of its band, or something recorded is not there any more."""
        return bool(self.verdicts or self.too_far or self.missing or self.lost)

    def row(self) -> dict:
        """Everything, for machines."""
        drifts = [{**asdict(drift), "drift": drift.drift, "too_far": drift.too_far} for drift in self.drifts]
        return {**asdict(self), "drifts": drifts, "failed": self.failed}


@cache
def bands(path: Path = BANDS) -> tuple[Band, ...]:
    """The bands, in the order in which they are tried; the last one matches every key."""
    import yaml

    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(Band(**{**entry, "keys": tuple(entry["keys"])}) for entry in entries)


def band_of(key: str) -> Band:
    """The first band with a pattern that matches the key."""
    return next(band for band in bands() if any(fnmatch.fnmatchcase(key, pattern) for pattern in band.keys))


def compare(
    profile: str, against: Path | None = None, folder: Path = results.FOLDER, claims: Path | None = None
) -> Comparison:
    """A run's results/<profile>/ against recorded ones: those of `against` (a folder of results, or of one profile), else
    those that stood there before this clone's own runs (`recorded.keep`).

    Raises MosaicError where there is nothing to compare with.
    """
    run = Path(folder) / profile
    old = _recorded_folder(profile, against)
    there, before = _studies(run), _studies(old)
    if against is None:  # what was not run again still stands as it was recorded
        there = {name: path for name, path in there.items() if name in before}
    both = [name for name in before if name in there]
    found = Comparison(profile, both, [n for n in before if n not in there], [n for n in there if n not in before])
    numbers = 0
    for name in both:
        a, b = results.content(before[name]), results.content(there[name])
        numbers += _compare_values(found, dict(_leaves(a["values"], name)), dict(_leaves(b["values"], name)))
        versions = {library: (v, b["versions"].get(library, "none")) for library, v in a["versions"].items()}
        found.versions.update({library: pair for library, pair in versions.items() if pair[0] != pair[1]})
    found.drifts.sort(key=lambda one: (not one.too_far, -abs(one.drift) / (one.band or 1), one.key))
    found.verdicts.extend(_verdicts(profile, before, folder, against is None, claims))
    return Comparison(**{**found.__dict__, "numbers": numbers})


def _recorded_folder(profile: str, against: Path | None) -> Path:
    if against is None:
        folder = recorded.kept(profile)
        if not _studies(folder):
            raise MosaicError(
                f"no study of profile {profile} was recorded anew here (nothing is kept in {folder}): run `mosaic "
                f"reproduce --profile {profile}`, or name recorded results with --against."
            )
        return folder
    for folder in (Path(against) / profile, Path(against)):
        if _studies(folder):
            return folder
    raise MosaicError(f"{against} holds no results of profile {profile} ({profile}/*.json was expected).")


def _studies(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.json"))}


def _leaves(value, key: str) -> Iterator[tuple[str, object]]:
    """(dotted key, value) of everything that is no dictionary or list."""
    if isinstance(value, Mapping | list):
        for part, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _leaves(inner, f"{key}.{part}")
    else:
        yield key, value


def _compare_values(found: Comparison, old: dict, new: dict) -> int:
    flips, moved, gone, numbers = [], [], [], 0
    for key in (key for key in old if key in new):
        a, b = old[key], new[key]
        if is_number(a) and not is_number(b) and not band_of(key).choice:
            gone.append(key)
        elif is_number(a) and is_number(b) and not band_of(key).choice:
            numbers += 1
            if a != b:
                moved.append((key, a, b, band_of(key).around(a)))
        elif isinstance(a, str) and isinstance(b, str) and NUMBER.sub("#", a) == NUMBER.sub("#", b):
            continue  # the same sentence; its numbers are recorded as numbers, too
        elif a != b:
            flips.append(Flip(key, a, b))
    beside = {flip.key.rpartition(".")[0]: flip.key for flip in reversed(flips) if flip.key.count(".") > 1}
    found.flips.extend(flips)
    setting = next((flip.key for flip in flips if band_of(flip.key).choice), None)
    found.drifts.extend(
        Drift(*row, _follows(row[0], beside) or (setting if band_of(row[0]).over_sets else None)) for row in moved
    )
    # Another choice may have other fields: a binarised setting has a threshold, a hidden state no width.
    lost = [*gone, *(key for key in old if key not in new)]
    found.lost.extend(key for key in lost if not _follows(key, beside))
    found.new.extend(key for key in new if key not in old and not _follows(key, beside))
    return numbers


def _follows(key: str, beside: dict[str, str]) -> str | None:
    """The flipped choice that stands in the number's own row, or in a row around it; a whole study is no row."""
    parts = key.split(".")
    return next((beside[row] for i in range(len(parts) - 1, 1, -1) if (row := ".".join(parts[:i])) in beside), None)


def _verdicts(
    profile: str, before: dict[str, Path], folder: Path, complete: bool, claims: Path | None
) -> list[Changed]:
    """Claims judged on both. complete: what was not kept stands in the run's folder as it was recorded."""
    with tempfile.TemporaryDirectory() as made:
        old = Path(made) / profile
        old.mkdir()
        if complete:
            for path in _studies(Path(folder) / profile).values():
                shutil.copy(path, old)
        for path in before.values():
            shutil.copy(path, old)
        pairs = zip(judge_all(profile, Path(made), claims), judge_all(profile, folder, claims), strict=True)
        return [
            Changed(a.claim.id, a.verdict, b.verdict, a.value, b.value)
            for a, b in pairs
            if a.verdict != b.verdict and a.verdict != NOT_RUN
        ]
