"""`mosaic explore`: a page for every latent, in a folder that opens without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from mosaic.cli.options import (
    CACHE,
    LARGEST,
    Cache,
    Device,
    Model,
    Text,
    check,
    check_named,
    columns,
)
from mosaic.cli.output import say
from mosaic.errors import MosaicError

app = typer.Typer()


@app.command(epilog="Example: mosaic explore --profile mini --out latents")
def explore(
    out: Annotated[Path, typer.Option("--out", help="Folder for the pages; open index.html in it.")],
    profile: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--profile", "-p", help="A profile's name (`mosaic profiles`) or a .yml file (default: mini)."),
    ] = None,
    model: Model = None,
    sae: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--sae",
            help="An SAE of your own on the profile's model, or on --model: RELEASE/ID of SAELens's registry, or its folder "
            "(repeatable).",
        ),
    ] = None,
    layer: Annotated[Optional[int], typer.Option("--layer", help="Layer of the SAE (default: the middle one).")] = None,  # noqa: UP045
    width: Annotated[str | None, typer.Option("--width", help="Its width (default: the profile's main one).")] = None,
    every: Annotated[bool, typer.Option("--all", help="Of every SAE of the profile.")] = False,
    texts: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--texts", help="Texts of your own on which latents are shown: .csv, .tsv, .jsonl or .parquet."),
    ] = None,
    text: Text = None,
    n_texts: Annotated[int, typer.Option("--n-texts", min=1, max=LARGEST, help="Texts read, at most.")] = 3000,
    neuronpedia: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--neuronpedia", help="Folder for the same latents in Neuronpedia's JSON lines."),
    ] = None,
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
    if model is not None and texts is None:
        raise MosaicError(f"--model {model} has no texts to be read on. Add --texts FILE.")
    if sae and (every or layer is not None or width is not None):
        raise MosaicError("--sae names the SAEs to show; leave --all, --layer and --width out, or leave --sae out.")
    owned = [out / "data", *([] if neuronpedia is None else [neuronpedia])]
    check(folder=out, cache=cache, device=device, inputs=(profile, texts, *(sae or ())), owned=owned)
    if neuronpedia is not None:
        check(folder=neuronpedia)
    from mosaic.explorer.building import build
    from mosaic.texts.own_files import read_file

    read = _profile(profile, model, sae)
    own = None if texts is None else read_file(texts, **{**columns(text, None), "label": None}).texts
    layers = [read.middle if layer is None else layer]
    widths = [width or read.width]
    page = build(
        read,
        out,
        *((None, None) if every else (read.layers, None) if sae else (layers, widths)),
        every=every,
        texts=own,
        n_texts=n_texts,
        home=home,
        neuronpedia=neuronpedia,
        device=device,
        cache=cache,
    )
    say(f"pages of its latents: {page}")
    if neuronpedia is not None:
        say(f"in Neuronpedia's JSON lines: {neuronpedia}")


def _profile(name: str | None, model: str | None, saes: list[str] | None):
    """The profile; with SAEs of the user's in the place of its own, or of a model of the user's."""
    from mosaic.features.pooling import POOLINGS
    from mosaic.profiles.own import own_profile, with_saes
    from mosaic.profiles.profile import load_profile

    if model is not None:
        check_named(name, model, saes)
        return own_profile(model, saes, POOLINGS)
    profile = load_profile(name or "mini")
    return with_saes(profile, saes) if saes else profile
