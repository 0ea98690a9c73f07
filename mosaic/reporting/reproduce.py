"""From sources to site: notebooks executed, numbers recorded, the book rendered strictly."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.machine import cores
from mosaic.profiles.opening import NEEDS, available, lacking
from mosaic.profiles.profile import Profile, load_profile
from mosaic.reporting import branch, decks, side_by_side
from mosaic.reporting.book import BUILD, NOTEBOOKS, build_book
from mosaic.reporting.book import SOURCE as BOOK
from mosaic.reporting.exercises import recorded_in, write_all
from mosaic.reporting.fingerprint import fingerprint
from mosaic.reporting.notebooks import applies, needs, run_notebook, up_to_date

SMALL = 50_000_000  # parameters of a model of which two copies do no harm


def reproduce(
    profile_name: str,
    only: Sequence[str] = (),
    book: bool = True,
    device: str = "cpu",
    at_once: int | None = None,
    before_book: Callable[[Profile], object] | None = None,
    every_latent: bool = False,
) -> Path | None:
    """Execute the notebooks on a profile, then build the site. Returns the book's index.html (None without a book).

    only: notebook names; the others are used as they were last executed. device: handed to every notebook that has
    such a parameter. at_once: notebooks that run side by side, each a process with a model of its own (None: `fitting`).
    before_book: what else the book's pages load is made by it. every_latent: the explorer has every SAE, not the main one alone.
    Raises MosaicError when run outside the project's folder, for an unknown notebook or device, when
    the data cannot be had, when a notebook fails (with its cell's error), or when the book has a single warning.
    """
    from mosaic.models.opening import check_device

    _check_folder()
    profile = load_profile(profile_name)
    check_device(device)
    sources = _sources(profile)
    asked = _wanted(only, sources, profile)
    wanted = [source for source in sources if source in asked]
    available(profile)  # a missing set is said before anything long runs
    executed = BUILD / "executed" / profile.name
    shared = fingerprint(profile)
    parameters = {"profile": profile_name, "device": device}
    places = {source: f"[{i}/{len(sources)}] {source.stem} " for i, source in enumerate(sources, 1)}
    stale = [s for s in wanted if not up_to_date(s, parameters, executed, shared)]
    at_once = min(at_once or fitting(profile, device), len(stale))
    if at_once > 1:
        for source in wanted:
            if source not in stale:
                _say(places[source] + run_notebook(source, parameters, executed, shared))
        command = [sys.executable, "-m", "mosaic", "reproduce", "--no-book", "--at-once", "1"]
        command += ["--profile", profile_name, "--device", device]
        for said in side_by_side.run([[*command, "--only", source.stem] for source in stale], at_once):
            _say(said.splitlines()[0])
    else:
        for source in wanted:
            _say(places[source], end="")
            _say(run_notebook(source, parameters, executed, shared))
    if not book:
        return None
    absent = [source.stem for source in sources if not (executed / f"{source.stem}.ipynb").exists()]
    if absent:
        raise MosaicError(
            f"{', '.join(absent)} not executed yet on {profile.name}: run `mosaic reproduce` without --only."
        )
    if before_book is not None:
        before_book(profile)
    _say("building the book ", end="")
    start = time.monotonic()
    site = build_book(profile_name, profile.name, executed, every_latent)
    _say(f"{time.monotonic() - start:.0f} s")
    return site


def chapters(profile: Profile) -> list[str]:
    """Names of the notebooks that apply to a profile, in order."""
    return [source.stem for source in _sources(profile)]


def exercises(profile_name: str, folder: Path) -> list[Path]:
    """The chapters of a profile as notebooks for Jupyter, below `folder` (`reporting.exercises`).

    Raises MosaicError when run outside the project's folder.
    """
    _check_folder()
    return write_all(_sources(load_profile(profile_name)), profile_name, folder)


def slides(profile_name: str, folder: Path) -> list[Path]:
    """Slides of the core chapters of a profile, as they were last executed, in `folder` (`reporting.decks`).

    Raises MosaicError when run outside the project's folder, or where none of them has been executed.
    """
    return decks.write_all(decks.core(_executed(load_profile(profile_name))), profile_name, folder)


def notebooks_branch(profile_name: str, name: str) -> str:
    """A branch of this repository that holds the executed chapters of a profile (`reporting.branch`). Returns its commit."""
    profile = load_profile(profile_name)
    return branch.make(_executed(profile), profile.name, recorded_in(profile.name), name)


def _executed(profile: Profile) -> list[Path]:
    """The chapters of a profile that have been executed. Raises MosaicError when run outside the project's folder."""
    _check_folder()
    paths = [BUILD / "executed" / profile.name / f"{source.stem}.ipynb" for source in _sources(profile)]
    return [path for path in paths if path.is_file()]


def _check_folder() -> None:
    if not NOTEBOOKS.is_dir() or not BOOK.is_dir():
        raise MosaicError(
            f"{Path.cwd()} has no notebooks/ and book/: run this in the project's folder (a clone of its repository)."
        )


def _sources(profile: Profile) -> list[Path]:
    return [source for source in sorted(NOTEBOOKS.glob("[0-9]*.py")) if applies(source, profile)]


def fitting(profile: Profile, device: str) -> int:
    """How many notebooks run side by side unless a number is given: two of a small model on a CPU with several cores."""
    shape = profile.shape
    small = shape.n_layers * shape.parameters + shape.embedding <= SMALL
    return 2 if small and device == "cpu" and cores() > 1 else 1


def _wanted(only: Sequence[str], sources: Sequence[Path], profile: Profile) -> list[Path]:
    """The notebooks of `only`, or all. Raises MosaicError for one that is not there or does not apply."""
    by_name = {source.stem: source for source in sources}
    for name in (name.removesuffix(".py") for name in only):
        other = NOTEBOOKS / f"{Path(name).name}.py"
        if name not in by_name and other.is_file():
            missing = " and ".join(NEEDS[need] for need in lacking(profile, needs(other)))
            raise MosaicError(
                f"{name} does not apply to profile {profile.name}, which lacks {missing}. --profile mini has all."
            )
        if name not in by_name:
            raise MosaicError(f"there is no notebook {name!r}; there are {', '.join(by_name)}.")
    return [by_name[name.removesuffix(".py")] for name in only] or list(sources)


def _say(text: str, end: str = "\n") -> None:
    print(text, end=end, flush=True)
