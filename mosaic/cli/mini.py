"""`mosaic mini build`, `mini check`: the miniature world, trained from nothing or measured again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from mosaic.cli.options import Device, check
from mosaic.cli.output import print_rows

app = typer.Typer(no_args_is_help=True, help="The miniature world: build its weights from nothing, or check them.")
Weights = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--weights", help="Folder of the miniature's weights (default: the shipped ones)."),
]


@app.command(epilog="Example: mosaic mini build --weights build/mini --device cuda")
def build(
    weights: Weights = None,
    device: Device = "cpu",
    only: Annotated[
        str | None, typer.Option("--only", help="Build this step alone, such as saes-small or end_to_end.")
    ] = None,
) -> None:
    """Train everything from nothing; steps that are there already are kept, an interrupted one goes on."""
    check(folder=weights, device=device)
    from mosaic.miniature.build import WEIGHTS, build_all
    from mosaic.miniature.card import write_card

    out = weights or WEIGHTS
    build_all(out, device, only, lambda line: print(line, flush=True))
    if not only:
        write_card(out, lambda line: print(line, flush=True), device)


@app.command("check", epilog="Example: mosaic mini check")
def check_card(weights: Weights = None, device: Device = "cpu") -> None:
    """Measure every figure of the model card again; fails where one is off or outside its band."""
    check(device=device)
    from mosaic.miniature.build import WEIGHTS
    from mosaic.miniature.card import check as run

    figures = run(weights or WEIGHTS, lambda line: print(line, file=sys.stderr, flush=True), device)
    rows = [
        {"what": f"{name}: {key}", "measured": value} for name, row in figures.items() for key, value in row.items()
    ]
    print_rows(rows, ["what", "measured"], f"{len(rows)} figures measured again, all as the card has them")
