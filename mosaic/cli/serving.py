"""`mosaic serve`: the built site, on this machine."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated, Optional

import typer

from mosaic.cli.output import say
from mosaic.errors import MosaicError

app = typer.Typer()
SITE = Path("build/site")


@app.command(epilog="Example: mosaic serve --profile mini")
def serve(
    profile: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--profile", "-p", help="Whose book to open (default: the front page of all)."),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port on this machine; 0: any free one.")
    ] = 8000,
    folder: Annotated[Path, typer.Option("--folder", help="The built site.")] = SITE,
) -> None:
    """Serve build/site on this machine alone, until Ctrl-C: the playground needs it, and a page opened as a file cannot load it."""
    from mosaic.reporting.serving import address, server

    if profile is not None and not (folder / profile / "index.html").is_file():
        raise MosaicError(f"{folder} has no book of {profile}. Build it: `mosaic reproduce --profile {profile}`.")
    running = server(folder, port)
    say(f"{address(running, profile)} (Ctrl-C ends it)")
    with running, contextlib.suppress(KeyboardInterrupt):
        running.serve_forever()
