"""`mosaic probe`, `extract`: a user's own labelled texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from mosaic.cli.options import CACHE, Cache, Device, Group, Json, Label, Layers, Poolings, Profile, Text, check, listed
from mosaic.cli.output import console, save_json, say

app = typer.Typer()


@app.command(epilog="Example: mosaic probe reviews.csv --text review --label stars --layers 4,6")
def probe(
    train: Annotated[Path, typer.Argument(help="Labelled texts: .csv, .tsv, .jsonl or .parquet.")],
    test: Annotated[Optional[Path], typer.Argument(help="Test rows; without it a fifth of TRAIN is held out.")] = None,  # noqa: UP045
    profile: Profile = "minilm",
    text: Text = "text",
    label: Label = "label",
    group: Group = None,
    layers: Layers = None,
    poolings: Poolings = None,
    json_out: Json = None,
    cache: Cache = CACHE,
    device: Device = "cpu",
) -> None:
    """Compare SAE features with hidden states, TF-IDF and the majority class on your own file."""
    check(file=json_out, cache=cache, device=device, inputs=(train, test, profile))
    from mosaic.cli.show import print_comparison
    from mosaic.probing.comparison import evaluate
    from mosaic.probing.problem import check as check_rows
    from mosaic.probing.problem import make_problem
    from mosaic.texts import labelled
    from mosaic.texts.own_files import read_file

    rows = read_file(train, text, label, group)
    held = read_file(test, text, label, group) if test else None
    labelled.check_classes(rows)
    if held is None:
        rows, held = labelled.split(rows, test_size=0.2)
    check_rows(rows, held)
    request, lm = opened_request(profile, layers, poolings, device)
    problem = make_problem(rows, held, lm, request, cache)
    results = evaluate(problem)
    print_comparison(console(), problem, results)
    save_json(json_out, [result.row() for result in results])


@app.command(epilog="Example: mosaic extract reviews.csv --out features --poolings max,mean")
def extract(
    file: Annotated[Path, typer.Argument(help="Texts: .csv, .tsv, .jsonl or .parquet.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the feature tables.")],
    profile: Profile = "minilm",
    text: Text = "text",
    layers: Layers = None,
    poolings: Poolings = None,
    specials: Annotated[bool, typer.Option("--specials", help="Pool special tokens too (an ablation).")] = False,
    cache: Cache = CACHE,
    device: Device = "cpu",
) -> None:
    """Write one feature table per layer, SAE and pooling (safetensors; `FeatureTable.load` reads them)."""
    from dataclasses import replace

    check(folder=out, cache=cache, device=device)
    from mosaic.features.extract import extract as run
    from mosaic.texts.own_files import read_file

    texts = read_file(file, text, label=None).texts
    request, lm = opened_request(profile, layers, poolings, device)
    for table in run(texts, lm, replace(request, specials=specials), cache):
        path = out / f"{table.column_prefix.replace('/', '_')}_{table.provenance['pooling']}.safetensors"
        table.save(path)
        say(f"{path}  {len(table)} texts x {table.matrix.shape[1]}, {table.matrix.nnz} values")


def opened_request(profile: str, layers: str | None, poolings: str | None, device: str):
    """What one pass computes for these options, and the model it runs on; options are checked before it loads."""
    from mosaic.features.pooling import top_n
    from mosaic.features.request import Request
    from mosaic.profiles.opening import load_model, load_saes, select_saes
    from mosaic.profiles.profile import load_profile

    chosen = load_profile(profile)
    wanted = list(dict.fromkeys(listed(poolings, name="--poolings") or chosen.poolings))
    for pooling in wanted:
        top_n(pooling)
    numbers = listed(layers, int, "--layers")
    select_saes(chosen, numbers)
    lm = load_model(chosen, device)
    encoders = load_saes(chosen, lm, numbers)
    hidden = tuple(dict.fromkeys(encoder.layer for encoder in encoders))
    return Request(encoders, hidden, tuple(wanted)), lm
