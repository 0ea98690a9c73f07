"""`mosaic probe`, `extract`: a user's own labelled texts, with a profile's model and SAEs or the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mosaic.cli.options import (
    CACHE,
    SEED,
    Cache,
    Device,
    Group,
    Json,
    Label,
    Layers,
    Model,
    Poolings,
    Products,
    ProfileOrOwn,
    Saes,
    Seed,
    Text,
    Widths,
    check,
    check_named,
    chosen_profile,
    columns,
    listed,
)
from mosaic.cli.output import console, save_json, say
from mosaic.errors import MosaicError

if TYPE_CHECKING:
    from mosaic.profiles.profile import Profile

app = typer.Typer()


@app.command(epilog="Example: mosaic probe reviews.csv --text review --label stars --layers 4,6 --save stars")
def probe(
    train: Annotated[Path, typer.Argument(help="Labelled texts: .csv, .tsv, .jsonl or .parquet.")],
    test: Annotated[Optional[Path], typer.Argument(help="Test rows; without it a fifth of TRAIN is held out.")] = None,  # noqa: UP045
    profile: ProfileOrOwn = None,
    model: Model = None,
    sae: Saes = None,
    text: Text = None,
    label: Label = None,
    group: Group = None,
    layers: Layers = None,
    widths: Widths = None,
    poolings: Poolings = None,
    seed: Seed = SEED,
    json_out: Json = None,
    report: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--report",
            help="Also write a page (HTML, one file): figures, latents in context, errors to browse. Fits two curves more.",
        ),
    ] = None,
    save: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--save", help="Folder for the chosen SAE probe, which `mosaic predict` applies to new texts."),
    ] = None,
    cache: Cache = CACHE,
    device: Device = "cpu",
    products: Products = None,
) -> None:
    """Compare SAE features with hidden states, TF-IDF and the majority class on your own file."""
    check(file=json_out, folder=save, cache=cache, device=device, inputs=(train, test, profile, model, *(sae or ())))
    check(file=report, inputs=(train, test, profile, model, *(sae or ())))
    if report is not None and json_out is not None and report.absolute() == json_out.absolute():
        raise MosaicError(f"--json and --report both name {report}. Name two files.")
    check_named(profile, model, sae)
    from mosaic.cli.printing import print_comparison
    from mosaic.features.on_device import report_flips
    from mosaic.interpretation.names import kept_names
    from mosaic.probing.comparison import evaluate
    from mosaic.probing.folds import Budget
    from mosaic.probing.problem import check as check_rows
    from mosaic.probing.problem import make_problem
    from mosaic.texts import labelled
    from mosaic.texts.own_files import read_file

    named = columns(text, label, group)
    rows = read_file(train, **named)
    held = read_file(test, **named) if test else None
    labelled.check_classes(rows)
    if held is None:
        rows, held = labelled.split(rows, test_size=0.2, seed=seed)
    budget = Budget(seed=seed)
    check_rows(rows, held, budget)
    chosen = chosen_profile(profile, model, sae)
    request, lm = opened_request(chosen, layers, poolings, device, widths, products)
    report_flips(rows.texts, lm, request)
    problem = make_problem(rows, held, lm, request, cache)
    results = evaluate(problem, budget)
    names = kept_names(cache, request.encoders)
    print_comparison(console(), problem, results, names)
    save_json(json_out, [result.row() for result in results])
    if save is not None:
        from mosaic.probing.saved import SavedProbe

        kept = SavedProbe.of(problem, results, chosen)
        kept.save(save)
        say(f"{save}: {kept.said()}; `mosaic predict {save} FILE` applies it")
    if report is not None:
        from mosaic.files import write_atomically
        from mosaic.studies import report_made

        given = {"text column": text, "label column": label, "group column": group, "layers": layers, "widths": widths,
                 "poolings": poolings, "seed": str(seed), "held out": None if test else "a fifth of the rows, stratified"}  # fmt: skip
        options = [(name, value) for name, value in given.items() if value is not None]
        files = [path for path in (train, test) if path]
        made = report_made.make(problem, results, chosen, request, lm, names, files, options)
        page = made.page()
        write_atomically(report, page)
        n_fits = sum(result.n_fits for result in results)
        say(f"{report}: the report, {len(page) / 1e6:.1f} MB, one file; its two curves took {made.run.n_curve_fits:,} fits beside the "
            f"comparison's {n_fits:,}")  # fmt: skip


@app.command(
    epilog="Example: mosaic extract reviews.csv --out features --poolings max,mean; or, of a corpus: mosaic extract parquet_folder --out features, mosaic extract stanfordnlp/imdb --split train --out features"
)
def extract(
    source: Annotated[
        Path,
        typer.Argument(
            help="Texts: .csv, .tsv, .jsonl or .parquet. Or a corpus of any size, read a part at a time: a folder of Parquet "
            "files, or the id of a data set of the hub."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the feature tables.")],
    profile: ProfileOrOwn = None,
    model: Model = None,
    sae: Saes = None,
    text: Text = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Which split to read (a data set of the hub only; default: train).")
    ] = None,
    config: Annotated[
        str | None, typer.Option("--config", help="Which configuration to read (a data set of the hub only).")
    ] = None,
    part: Annotated[
        int | None,
        typer.Option("--part", min=1, help="Texts of a corpus per part; memory grows with it (default: 5,000)."),
    ] = None,
    layers: Layers = None,
    widths: Widths = None,
    poolings: Poolings = None,
    specials: Annotated[bool, typer.Option("--specials", help="Pool special tokens too (an ablation).")] = False,
    cache: Cache = CACHE,
    device: Device = "cpu",
    products: Products = None,
) -> None:
    """Write one feature table per SAE and pooling, and of hidden states (safetensors; `FeatureTable.load` reads them).

    Of a corpus, each table is a folder of parts (`mosaic.features.corpus.parts` reads them); the same command goes on
    where it was stopped, and no cache is used.
    """
    from dataclasses import replace

    check(folder=out, cache=cache, device=device)
    check_named(profile, model, sae)
    from mosaic.features.corpus import PART, extract_corpus
    from mosaic.features.extract import extract as run
    from mosaic.features.on_device import SAMPLE, report_flips
    from mosaic.features.table import file_name
    from mosaic.texts.corpus import is_corpus, open_corpus
    from mosaic.texts.own_files import read_file

    large = is_corpus(source)
    if (split or config) and not (large and not source.is_dir()):
        raise MosaicError(
            f"{source} is a {'folder' if large else 'file'} of your own, and --split and --config are for a data set of the hub. "
            "Leave them out."
        )
    if part and not large:
        raise MosaicError(f"{source} is one file, which is read whole; --part is for a corpus. Leave it out.")
    texts = (
        open_corpus(source, text, split or "train", config)
        if large
        else read_file(source, **{**columns(text, None), "label": None}).texts
    )
    request, lm = opened_request(chosen_profile(profile, model, sae), layers, poolings, device, widths, products)
    request = replace(request, specials=specials)
    if large:
        report_flips(next(texts.parts(SAMPLE))[1], lm, request)
        for folder in extract_corpus(texts, lm, request, out, part or PART):
            say(f"{folder}  {texts.n_texts} texts in parts of {part or PART}")
        return
    report_flips(texts, lm, request)
    for table in run(texts, lm, request, cache):
        path = out / f"{file_name(table.provenance)}.safetensors"
        table.save(path)
        say(f"{path}  {len(table)} texts x {table.matrix.shape[1]}, {table.matrix.nnz} values")


def opened_request(
    profile: str | Profile,
    layers: str | None,
    poolings: str | None,
    device: str,
    widths: str | None = None,
    products: str | None = None,
):
    """What one pass computes for these options, and the model it runs on; options are checked before it loads."""
    from mosaic.features.pooling import top_n
    from mosaic.features.request import Request
    from mosaic.profiles.opening import load_model, load_saes, select_saes
    from mosaic.profiles.profile import load_profile

    chosen = load_profile(profile) if isinstance(profile, str) else profile
    wanted = list(dict.fromkeys(listed(poolings, name="--poolings") or chosen.poolings))
    for pooling in wanted:
        top_n(pooling)
    which = (listed(layers, int, "--layers"), listed(widths, name="--widths"))
    select_saes(chosen, *which)
    lm = load_model(chosen, device)
    encoders = load_saes(chosen, lm, *which)
    hidden = tuple(dict.fromkeys(encoder.layer for encoder in encoders))
    return Request(encoders, hidden, tuple(wanted), products=products), lm
