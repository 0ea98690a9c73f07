"""`mosaic results diff`, `results keep`: is this run the recorded one?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from mosaic.cli.options import Json, Profile, check
from mosaic.cli.output import print_rows, save_json, say
from mosaic.errors import MosaicError

app = typer.Typer(no_args_is_help=True, help="Recorded results: a run compared with what was recorded before.")

SHOWN = 12  # drifts and flips on the page; --json has all


@app.callback()
def _group() -> None:
    """Recorded results."""


@app.command(epilog="Example: mosaic results diff --profile mini --against ../other-machine/results")
def diff(
    profile: Profile = "mini",
    against: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--against", help="Folder of recorded results (default: what stood here before the first run)."),
    ] = None,
    json_out: Json = None,
) -> None:
    """Compare results/<profile>/ with recorded results: verdicts, choices, numbers within their bands.

    Ends with 1 when a verdict changed, a number drifted out of its band, or something recorded is missing. Bands and why
    they are what they are: mosaic/reporting/bands.yml. A number that describes another choice (a flipped pooling, a
    flipped strength) is listed with it and does not fail.
    """
    from mosaic.profiles.profile import load_profile
    from mosaic.reporting.drift import compare

    check(file=json_out, inputs=(profile, against))
    found = compare(load_profile(profile).name, against)
    _print(found)
    save_json(json_out, found.row())
    if found.failed:
        raise typer.Exit(1)


@app.command(epilog="Example: mosaic results keep --profile mini")
def keep(profile: Profile = "mini") -> None:
    """What stands in results/<profile>/ is the recorded run from here on: after results were accepted and committed.

    Until then `results diff` compares with what stood there before the first run of this clone.
    """
    from mosaic.profiles.profile import load_profile
    from mosaic.reporting import recorded, results

    name = load_profile(profile).name
    for path in sorted((results.FOLDER / name).glob("*.json")):
        results.content(path)  # a file that is not whole never becomes the recorded one
    studies = recorded.keep_all(name, results.FOLDER)
    if not studies:
        raise MosaicError(f"{results.FOLDER / name} holds no results: run `mosaic reproduce --profile {name}`.")
    say(f"recorded from here on: {', '.join(studies)}")


def _print(found) -> None:
    say(f"{len(found.compared)} studies of profile {found.profile}, {found.numbers:,} numbers")
    for library, (old, new) in found.versions.items():
        say(f"another version: {library} {new}, recorded with {old}")
    for what, names in (("recorded, not in this run", found.missing), ("in this run alone", found.added)):
        if names:
            say(f"{what}: {', '.join(names)}")
    for what, keys in (
        ("recorded numbers that this run lacks", found.lost),
        ("numbers not recorded before", found.new),
    ):
        if keys:
            say(f"{what}: {', '.join(keys[:SHOWN])}{', ...' if len(keys) > SHOWN else ''}")
    for claim in found.verdicts:
        say(
            f"VERDICT {claim.id}: {claim.recorded} ({_value(claim.recorded_value)}) -> {claim.run} ({_value(claim.run_value)})"
        )
    for flip in found.flips[:SHOWN]:
        say(f"another choice: {flip.key}: {flip.recorded} -> {flip.run}")
    if len(found.flips) > SHOWN:
        say(f"{len(found.flips) - SHOWN} more choices in the --json file")
    if found.drifts:
        rows = [
            {
                "number": drift.key,
                "recorded": drift.recorded,
                "this run": drift.run,
                "drift": f"{drift.drift:+.2g}",
                "band": drift.band,
                "": "TOO FAR" if drift.too_far else f"follows {drift.follows}" if drift.follows else "",
            }
            for drift in found.drifts[:SHOWN]
        ]
        print_rows(rows, list(rows[0]), f"largest of {len(found.drifts):,} drifts")
    say(_outcome(found))


def _value(value: float | str | None) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _outcome(found) -> str:
    if not found.failed:
        moved = (
            f"{len(found.drifts):,} numbers moved, all within their bands" if found.drifts else "every number is equal"
        )
        following = sum(drift.follows is not None for drift in found.drifts)
        more = f" ({following} of them describe another choice)" if following else ""
        return f"the same run: no verdict changed; {moved}{more}"
    counts = {
        "verdicts that changed": found.verdicts,
        "numbers out of their bands": found.too_far,
        "studies missing": found.missing,
        "numbers missing": found.lost,
    }
    return "NOT the same run: " + "; ".join(f"{what}: {len(these)}" for what, these in counts.items() if these)
