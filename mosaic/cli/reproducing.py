"""`mosaic reproduce`, `study`, `claims`: what is published, run again and judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Optional

import typer

from mosaic import studies
from mosaic.cli.options import CACHE, Cache, Device, Json, Profile, check
from mosaic.cli.output import print_rows, save_figure, save_json, say
from mosaic.errors import MosaicError

app = typer.Typer()

FIGURES = (".svg", ".png", ".pdf")
SHOWN = 24  # recorded numbers that `study` prints


@app.command(epilog="Example: mosaic reproduce --only 05_layers")
def reproduce(
    profile: Profile = "mini",
    only: Annotated[Optional[list[str]], typer.Option("--only", help="Run only this notebook (repeatable).")] = None,  # noqa: UP045
    book: Annotated[bool, typer.Option(help="Build the site after the notebooks.")] = True,
    device: Device = "cpu",
    at_once: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Notebooks side by side (default: 2 where the model is small and runs on the CPU)."),
    ] = None,
    every_latent: Annotated[
        bool,
        typer.Option(
            "--every-latent", help="A page for the latents of every SAE, not of the main one alone (minutes)."
        ),
    ] = False,
) -> None:
    """Execute the notebooks, record their numbers, build the site. Unchanged notebooks are not run again.

    Needs a clone of the project, in its folder: notebooks and book are not part of the installed package
    (`mosaic study` is).
    """
    if every_latent and not book:
        raise MosaicError("--every-latent makes pages of the site; leave --no-book out, or leave --every-latent out.")
    from mosaic.playground.build import build as playground
    from mosaic.reporting.reproduce import reproduce as run

    site = run(profile, only or [], book, device, at_once, playground, every_latent)
    say(str(site) if site else "notebooks executed; no site built")


@app.command(epilog="Example: mosaic exercises --out ~/exercises")
def exercises(
    out: Annotated[Path, typer.Option("--out", help="Folder for exercises/ (with gaps) and solutions/.")],
    profile: Profile = "mini",
) -> None:
    """Write each chapter as a Jupyter notebook, once with gaps for your answers and once with the solutions.

    Needs a clone of the project, in its folder. The numbers in the prose are the recorded ones of the profile.
    """
    from mosaic.reporting.reproduce import exercises as write

    written = write(profile, out)
    say(f"{len(written) // 2} chapters in {out / 'exercises'} and {out / 'solutions'}")


@app.command(epilog="Example: mosaic slides --out ~/slides")
def slides(
    out: Annotated[Path, typer.Option("--out", help="Folder for the slides: one file a chapter, and index.html.")],
    profile: Profile = "mini",
) -> None:
    """Write slides of the core chapters, each deck one file for a browser, without script or network.

    Needs a clone of the project, in its folder, whose chapters have been executed: figures and numbers are those of that run.
    """
    check(folder=out)
    from mosaic.reporting.reproduce import slides as write

    written = write(profile, out)
    say(f"{len(written) - 1} decks: {out / 'index.html'}")


@app.command(name="notebooks-branch", epilog="Example: mosaic notebooks-branch --profile mini")
def notebooks_branch(
    profile: Profile = "mini",
    name: Annotated[str, typer.Option("--branch", help="The branch that is made, or replaced.")] = "notebooks",
) -> None:
    """Make a local branch of the executed notebooks, which Colab opens once it is pushed. Pushes nothing.

    Needs git, a clone of the project, and the repository's address in MOSAIC_REPOSITORY (https://host/owner/name).
    """
    from mosaic.reporting.reproduce import notebooks_branch as make

    say(f"{name}: {make(profile, name)}, not pushed")


@app.command(
    no_args_is_help=True,
    help="Run one chapter's study on a profile and record its numbers, without notebooks and book.\n\n"
    f"Studies: {', '.join(studies.NAMES)}.",
    epilog="Example: mosaic study layers --profile mini --figure layers.svg",
)
def study(
    name: Annotated[str, typer.Argument(help="A study, named as its chapter.")],
    profile: Profile = "mini",
    out: Annotated[Path, typer.Option("--out", help="Folder of the recorded numbers.")] = Path("results"),
    figure: Annotated[Optional[Path], typer.Option("--figure", help="Also save its figure: .svg, .png, .pdf.")] = None,  # noqa: UP045
    cache: Cache = CACHE,
    device: Device = "cpu",
) -> None:
    from mosaic.profiles.profile import load_profile
    from mosaic.reporting import plots

    if figure is not None and figure.suffix not in FIGURES:
        raise MosaicError(f"--figure is {str(figure)!r}; a name that ends in {', '.join(FIGURES)} was expected.")
    check(file=figure, folder=out, cache=cache, device=device, inputs=(profile,))
    done = studies.run(name, load_profile(profile), device=device, cache=cache)
    numbers = [{"number": key, "value": value} for key, value in scalars(done.summary(), name)]
    more = f", {len(numbers) - SHOWN} more in the file" if len(numbers) > SHOWN else ""
    print_rows(numbers[:SHOWN], ["number", "value"], f"{name} on profile {done.profile.name}{more}")
    say(f"recorded in {done.record(out)}")
    if figure is not None:
        plots.style()
        save_figure(done.figure(), figure)
        say(f"figure in {figure}")


@app.command(
    epilog="Example: mosaic features mini/stance --profile mini; or, in one language: mosaic features mini/toxicity --language en"
)
def features(
    name: Annotated[str, typer.Argument(help="A data set of the profile.")],
    profile: Profile = "mini",
    language: Annotated[str | None, typer.Option("--language", help="For a set in several languages: which.")] = None,
    cache: Cache = CACHE,
    device: Device = "cpu",
) -> None:
    """Put one set's features into the cache, of every layer, width and pooling of the profile.

    A set that the chapter on languages alone reads: of the main width. One job of many on a cluster: chapters that run on the same kind of device then find them.
    """
    from mosaic.profiles.profile import SetChoice, load_profile
    from mosaic.studies.problems import fill, read_sets

    check(cache=cache, device=device, inputs=(profile,))
    read, chosen = load_profile(profile), SetChoice(name, language)
    titles = [choice.title for choice in read_sets(read)]
    if chosen.title not in titles:
        raise MosaicError(
            f"{chosen.title} is no data set of profile {read.name}; it has {', '.join(titles) or 'none'}. A language goes with "
            "--language."
        )
    say(f"{chosen.title}: features of {fill(read, chosen, cache, device)} texts are in {cache}")


@app.command(epilog="Example: mosaic claims --profile mini --check")
def claims(
    profile: Profile = "mini",
    json_out: Json = None,
    check_accepted: Annotated[
        bool, typer.Option("--check", help="End with 1 where a verdict is not the one that claims.yml accepts.")
    ] = False,
    accept_verdicts: Annotated[
        bool, typer.Option("--accept", help="Write these verdicts into claims.yml as accepted, with today's date.")
    ] = False,
) -> None:
    """Published value | this run | verdict, for every claim.

    "Reproduced" is said of the paper's own models and data alone; elsewhere a claim holds here, does not hold here, or is
    undecided: its interval spans the bound.
    """
    from mosaic.profiles.profile import load_profile
    from mosaic.reporting.checking import accept, breaks
    from mosaic.reporting.verdicts import judge_all

    if check_accepted and accept_verdicts:
        raise MosaicError("--check and --accept exclude each other: check first, and accept what you have understood.")
    check(file=json_out, inputs=(profile,))
    judged = judge_all(load_profile(profile).name)
    rows = [verdict.row() for verdict in judged]
    shown = [{**row, "verdict": f"open: {row['verdict']}"} if row["open"] else row for row in rows]
    print_rows(
        shown, ["claim", "published", "measured", "verdict", "reason", "expectation"], f"claims on profile {profile}"
    )
    save_json(json_out, rows)
    if accept_verdicts:
        say(f"accepted in claims.yml: {accept(judged)} verdicts that were not before")
    elif check_accepted:
        found = breaks(judged)
        for broken in found:
            say(broken.said())
        say(
            f"{len(found)} of {len(rows)} verdicts are not the accepted ones"
            if found
            else "every verdict is the accepted one"
        )
        if found:
            raise typer.Exit(1)


def scalars(values: Mapping, name: str) -> Iterator[tuple[str, object]]:
    """(dotted key, value) of the numbers and short texts, as prose cites them; those nearest the top first."""
    level = [(name, values)]
    while level:
        inner = [(f"{key}.{part}", value) for key, content in level for part, value in content.items()]
        yield from ((key, value) for key, value in inner if isinstance(value, str | int | float | bool))
        level = [(key, value) for key, value in inner if isinstance(value, Mapping)]
