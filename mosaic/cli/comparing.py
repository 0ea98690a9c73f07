"""`mosaic diff`: what sets two collections of texts apart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mosaic.cli.options import (
    CACHE,
    LARGEST,
    Cache,
    Device,
    Json,
    Layers,
    Model,
    ProfileOrOwn,
    Saes,
    Text,
    Widths,
    check,
    check_named,
    chosen_profile,
    columns,
)
from mosaic.cli.output import print_rows, save_json, say

app = typer.Typer()


@app.command(epilog="Example: mosaic diff before.csv after.csv --text review --layers 4 --json diff.json")
def diff(
    first: Annotated[Path, typer.Argument(help="Texts: .csv, .tsv, .jsonl or .parquet.")],
    second: Annotated[Path, typer.Argument(help="The texts they are compared with.")],
    profile: ProfileOrOwn = None,
    model: Model = None,
    sae: Saes = None,
    text: Text = None,
    layers: Layers = None,
    widths: Widths = None,
    n_shown: Annotated[
        int, typer.Option("--top", min=1, max=LARGEST, help="Latents shown and described; --json has all.")
    ] = 20,
    json_out: Json = None,
    cache: Cache = CACHE,
    device: Device = "cpu",
) -> None:
    """Latents that fire in more texts of one set than of the other; no labels are needed.

    What each of them fires on, by counting tokens, with the balanced accuracy of that description on texts it was not learned
    from; shares of texts, their difference with a 95 % interval, Fisher's exact test corrected for all latents (Benjamini and
    Hochberg, 5 %), an example text, and how many latents would be found if both sets were one.
    """
    check(file=json_out, cache=cache, device=device, inputs=(first, second))
    check_named(profile, model, sae)
    from mosaic.cli.probing import opened_request
    from mosaic.interpretation.frequencies import DEALS
    from mosaic.profiles.profile import load_profile
    from mosaic.studies import set_difference
    from mosaic.studies.problems import latent_names
    from mosaic.texts.own_files import read_file

    texts = [read_file(path, **{**columns(text, None), "label": None}).texts for path in (first, second)]
    chosen = chosen_profile(profile, model, sae)
    request, lm = opened_request(chosen, layers, set_difference.POOLING, device, widths)
    whole = load_profile(chosen) if isinstance(chosen, str) else chosen
    names = latent_names(whole, lm, cache, request.encoders)
    found = set_difference.compare(*texts, lm, request.encoders, names, cache, n_described=n_shown)
    rows = found.rows()
    shown = [
        {
            "latent": row["latent"] + (f"\n{row['name']}" if row["name"] else ""),
            "fires (accuracy)": f"{row['fires']} ({row['fires_score']:.2f})" if row["fires"] else "",
            "first": f"{row['first']:.1%}",
            "second": f"{row['second']:.1%}",
            "difference": f"{row['difference']:+.3f}\n{row['low']:+.3f} to {row['high']:+.3f}",
            "p, corrected": f"{row['p_corrected']:.2g}",
            "fires most in": row["examples"][0] if row["examples"] else "",
        }
        for row in rows[:n_shown]
    ]
    title = f"{len(texts[0])} texts of {first.name} (first) and {len(texts[1])} of {second.name} (second)"
    if shown:
        print_rows(shown, list(shown[0]), title)
    n_latents = len(found.found.p)
    say(
        f"{len(rows):,} of {n_latents:,} latents differ at a false-discovery rate of 5 %; {found.by_chance:.1f} would if both were "
        f"one set (their texts dealt at random, {DEALS} times)."
    )
    if len(rows) > n_shown:
        say(f"{len(rows) - n_shown:,} more" + ("" if json_out else "; --json FILE writes all"))
    if found.in_both:
        say(f"{found.in_both:,} texts stand in both files.")
    save_json(json_out, rows)
