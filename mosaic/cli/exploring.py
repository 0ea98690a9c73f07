"""`mosaic explore`: a page for every latent, in a folder that opens without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from mosaic.cli.options import CACHE, LARGEST, Cache, Device, Profile, Text, check, columns
from mosaic.cli.output import say
from mosaic.errors import MosaicError

app = typer.Typer()


@app.command(epilog="Example: mosaic explore --profile mini --out latents")
def explore(
    out: Annotated[Path, typer.Option("--out", help="Folder for the pages; open index.html in it.")],
    profile: Profile = "mini",
    layer: Annotated[Optional[int], typer.Option("--layer", help="Layer of the SAE (default: the middle one).")] = None,  # noqa: UP045
    width: Annotated[str | None, typer.Option("--width", help="Its width (default: the profile's main one).")] = None,
    every: Annotated[bool, typer.Option("--all", help="Of every SAE of the profile.")] = False,
    texts: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--texts", help="Texts of your own on which latents are shown: .csv, .tsv, .jsonl or .parquet."),
    ] = None,
    text: Text = None,
    n_texts: Annotated[int, typer.Option("--n-texts", min=1, max=LARGEST, help="Texts read, at most.")] = 3000,
    home: Annotated[Optional[str], typer.Option("--home", hidden=True)] = None,  # noqa: UP045
    cache: Cache = CACHE,
    device: Device = "cpu",
) -> None:
    """Write a page for every latent of an SAE that fires: what it fires on and writes, contexts, neighbours, classes.

    Latents are read on texts the SAE was not trained on, or on your own. The folder opens from the disk, without a server and
    without a request to anywhere.
    """
    if every and (layer is not None or width is not None):
        raise MosaicError("--all takes every SAE; leave --layer and --width out, or leave --all out.")
    check(folder=out, cache=cache, device=device, inputs=(profile, texts), owned=(out / "data",))
    from mosaic.explorer.building import build
    from mosaic.profiles.profile import load_profile
    from mosaic.texts.own_files import read_file

    read = load_profile(profile)
    own = None if texts is None else read_file(texts, **{**columns(text, None), "label": None}).texts
    layers = [read.middle if layer is None else layer]
    widths = [width or read.width]
    page = build(
        read,
        out,
        *((None, None) if every else (layers, widths)),
        every=every,
        texts=own,
        n_texts=n_texts,
        home=home,
        device=device,
        cache=cache,
    )
    say(f"pages of its latents: {page}")
