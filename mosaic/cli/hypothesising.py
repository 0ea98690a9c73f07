"""`mosaic hypotheses`: what the texts of each class mention, as statements that are tested on held-out texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mosaic.cli.options import (
    CACHE,
    LARGEST,
    SEED,
    Cache,
    Device,
    Group,
    Json,
    Label,
    Layers,
    Model,
    ProfileOrOwn,
    Saes,
    Seed,
    Text,
    Widths,
    check,
    check_named,
    chosen_profile,
    columns,
)
from mosaic.cli.output import print_rows, save_json, say

app = typer.Typer()
HELD_OUT = 1 / 3  # of the texts
DEALS = 20


@app.command(
    epilog="Example: mosaic hypotheses reviews.csv --text review --label stars --layers 4 --json hypotheses.json"
)
def hypotheses(
    file: Annotated[Path, typer.Argument(help="Labelled texts: .csv, .tsv, .jsonl or .parquet.")],
    profile: ProfileOrOwn = None,
    model: Model = None,
    sae: Saes = None,
    text: Text = None,
    label: Label = None,
    group: Group = None,
    layers: Layers = None,
    widths: Widths = None,
    choose: Annotated[
        Literal["separation", "l1", "mean-difference"],
        typer.Option("--choose", help="How latents are chosen on the training texts."),
    ] = "separation",
    top: Annotated[
        int, typer.Option("--top", min=1, max=LARGEST, help="Hypotheses, shared among the classes (one each at least).")
    ] = 20,
    seed: Seed = SEED,
    json_out: Json = None,
    cache: Cache = CACHE,
    device: Device = "cpu",
) -> None:
    """Statements "texts with X are more often Y", found on two thirds of the texts and tested on the others.

    Latents are chosen for each class and described by the words that tell best where they fire. On the held-out texts the words
    alone are tested: the share of the class among texts that have one and among the others, a 95 % interval, Fisher's exact
    test corrected for all hypotheses (Benjamini and Hochberg, 5 %), and how many would be confirmed if labels meant nothing.
    """
    check(file=json_out, cache=cache, device=device, inputs=(file, profile, model, *(sae or ())))
    check_named(profile, model, sae)
    from mosaic.cli.probing import opened_request
    from mosaic.interpretation.hypotheses import CONFIRMED
    from mosaic.studies import hypotheses_found as found
    from mosaic.studies import hypotheses_said as said
    from mosaic.texts import labelled
    from mosaic.texts.own_files import read_file

    rows = read_file(file, **columns(text, label, group))
    labelled.check_classes(rows)
    train, test = labelled.split(rows, test_size=HELD_OUT, seed=seed)
    found.check(train, test)
    request, lm = opened_request(chosen_profile(profile, model, sae), layers, found.POOLING, device, widths)
    texts, rule = found.Texts.of(train, test, lm), found.RULES[choose]
    candidates = found.joined(found.latents_of(texts, lm, request.encoders, cache, rule))
    tested = texts.test_all(texts.choose(candidates, top, rule))
    out = [
        {
            "hypothesis": said.sentence(one, texts.named(one.hypothesis)),
            "verdict": one.verdict,
            "class": one.hypothesis.label,
            "words": texts.named(one.hypothesis),
            "latent": str(candidates.names[one.hypothesis.candidate]),
            "same": [str(candidates.names[i]) for i in one.hypothesis.merged],
            "matching": one.matching,
            "others": one.others,
            "effect": one.effect,
            "low": one.low,
            "high": one.high,
            "prevalence": one.prevalence,
            "p_corrected": one.corrected,
        }
        for one in tested
    ]
    title = f"{len(train):,} texts of {file.name} to find hypotheses, {len(test):,} to test them by their words alone"
    keys = {"hypothesis": "hypothesis", "verdict": "verdict", "p_corrected": "p, corrected", "latent": "latent"}
    if out:
        print_rows([{heading: row[key] for key, heading in keys.items()} for row in out], list(keys.values()), title)
    deals = texts.by_chance(candidates, top, rule, DEALS)
    by_chance = sum(k for k, _ in deals) / DEALS
    n = sum(one.verdict == CONFIRMED for one in tested)
    say(
        f"{n} of {len(out)} hypotheses are confirmed at a false-discovery rate of 5 %; {by_chance:.1f} are where labels are dealt at "
        f"random ({DEALS} times)."
    )
    if texts.grouped:
        say(
            "Intervals and tests take texts as independent, and texts of one group are not: only the number for labels dealt at random, "
            "by whole groups, takes account of that."
        )
    if not out:
        say("No latent has words that say what it is and that speak for a class. Give more texts, or more layers.")
    save_json(json_out, out)
