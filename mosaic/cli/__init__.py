"""The command line: `mosaic reproduce`, `probe`, `extract`, `train-sae`, `match`, `mini`, `claims`, `plan`, `profiles`."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from mosaic.errors import MosaicError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Rerun, check and extend what is published on classifying text with sparse-autoencoder features. "
    "Add --debug to any command for a traceback.",
)

Profile = Annotated[str, typer.Option("--profile", "-p", help="A profile's name (`mosaic profiles`) or a .yml file.")]
Text = Annotated[str, typer.Option("--text", help="Column of the texts.")]
Label = Annotated[str, typer.Option("--label", help="Column of the labels.")]
Group = Annotated[Optional[str], typer.Option("--group", help="Column of rows that must stay on one side of a split.")]  # noqa: UP045
Layers = Annotated[Optional[str], typer.Option("--layers", help="Layers, separated by commas (default: all).")]  # noqa: UP045
Poolings = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--poolings", help="sum, mean, max, last, count, topN, separated by commas (default: the profile's)."),
]
Json = Annotated[Optional[Path], typer.Option("--json", help="Also write the rows to this file.")]  # noqa: UP045
Cache = Annotated[Path, typer.Option("--cache", help="Folder of the feature cache.")]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:0, mps.")]
CACHE = Path("build/cache")


def main() -> None:
    """Run the command line: a user's error is one message and exit code 1, a wrong call exit code 2."""
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    logging.basicConfig(level=logging.WARNING, format="mosaic: %(message)s", stream=sys.stderr)
    for name in ("huggingface_hub", "httpx", "datasets", "transformers"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        app(prog_name="mosaic")
    except MosaicError as error:
        if debug:
            raise
        sys.exit(_fail(str(error)))
    except KeyboardInterrupt:
        sys.exit(_fail("interrupted; finished work is kept and the same command resumes.", 130))
    except BrokenPipeError:
        sys.exit(141)
    except Exception as error:
        if debug:
            raise
        sys.exit(_fail(f"unexpected {type(error).__name__}: {error} (run again with --debug for the traceback)"))


def _fail(message: str, code: int = 1) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code


def _console():
    from rich.console import Console

    # Not a terminal: a wide page, so that tables written to a file are not cut.
    return Console() if sys.stdout.isatty() else Console(width=140)


def _write_json(path: Path | None, rows: list[dict] | dict) -> None:
    from mosaic.files import write_atomically

    if path is not None:
        try:
            text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
            write_atomically(path, text.encode("utf-8", "surrogatepass"))
        except OSError as error:
            raise MosaicError(
                f"cannot write {path}: {error.strerror}. Name a file in a folder you may write to."
            ) from error


def _listed(value: str | None, kind=str, name: str = "") -> list | None:
    if value is None:
        return None
    try:
        return [kind(part.strip()) for part in value.split(",") if part.strip()]
    except ValueError as error:
        raise MosaicError(f"{name} is {value!r}; numbers separated by commas were expected, such as 2,4.") from error


@app.command(epilog="Example: mosaic reproduce --only 02_layers")
def reproduce(
    profile: Profile = "mini",
    only: Annotated[Optional[list[str]], typer.Option("--only", help="Run only this notebook (repeatable).")] = None,  # noqa: UP045
    book: Annotated[bool, typer.Option(help="Build the site after the notebooks.")] = True,
) -> None:
    """Execute the notebooks, record their numbers, build the site. Unchanged notebooks are not run again."""
    from mosaic.reporting.reproduce import reproduce as run

    site = run(profile, only or [], book)
    _console().print(f"[bold]{site}[/bold]" if site else "notebooks executed; no site built", soft_wrap=True)


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
    from mosaic.cli.show import print_comparison
    from mosaic.probing.comparison import evaluate
    from mosaic.probing.problem import check, make_problem
    from mosaic.texts import labelled
    from mosaic.texts.own_files import read_file

    rows = read_file(train, text, label, group)
    held = read_file(test, text, label, group) if test else None
    labelled.check_classes(rows)
    if held is None:
        rows, held = labelled.split(rows, test_size=0.2)
    check(rows, held)
    request, lm = _request(profile, layers, poolings, device)
    problem = make_problem(rows, held, lm, request, cache)
    results = evaluate(problem)
    _write_json(json_out, [result.row() for result in results])
    print_comparison(_console(), problem, results)


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

    from mosaic.features.extract import extract as run
    from mosaic.texts.own_files import read_file

    texts = read_file(file, text, label=None).texts
    request, lm = _request(profile, layers, poolings, device)
    console = _console()
    for table in run(texts, lm, replace(request, specials=specials), cache):
        path = out / f"{table.column_prefix.replace('/', '_')}_{table.provenance['pooling']}.safetensors"
        table.save(path)
        console.print(
            f"{path}  {len(table)} texts x {table.matrix.shape[1]}, {table.matrix.nnz} values", soft_wrap=True
        )


@app.command(
    "train-sae",
    epilog="Example: mosaic train-sae --profile mini --out saes --layers 3 --widths 512,1k --ks 8 --seeds 0,1,2",
)
def train_sae(
    profile: Profile = "minilm",
    out: Annotated[Path, typer.Option("--out", help="Folder for the SAEs and their card.")] = Path("build/saes"),
    texts: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option("--texts", help="A .txt file of documents, or a labelled file's texts (repeatable)."),
    ] = None,
    layers: Layers = None,
    widths: Annotated[Optional[str], typer.Option("--widths", help="Widths, such as 2k or 512,1k.")] = None,  # noqa: UP045
    tokens: Annotated[Optional[str], typer.Option("--tokens", help="Activations to train on.")] = None,  # noqa: UP045
    seeds: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--seeds",
            help="Initialisations to train from, on the same activations in the same order. With this option the first "
            "of --layers, --widths, --ks, --tokens and --architectures is the base; each other value is trained with "
            "that one thing changed.",
        ),
    ] = None,
    varied: Annotated[int, typer.Option("--varied", min=1, help="How many of the seeds each variation gets.")] = 3,
    ks: Annotated[Optional[str], typer.Option("--ks", help="Active latents a token (with --seeds).")] = None,  # noqa: UP045
    architectures: Annotated[
        str, typer.Option("--architectures", help="topk, batchtopk, standard, gated, jumprelu (with --seeds).")
    ] = "topk",
    l1: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--l1", help="Weight of the L1 loss of each standard and gated architecture, in their order."),
    ] = None,
    data_seed: Annotated[int, typer.Option("--data-seed", help="Of the order of the texts.")] = 0,
    batch_size: Annotated[int, typer.Option("--batch-size", help="Activations a step.")] = 1024,
    device: Device = "cpu",
) -> None:
    """Train SAEs with SAELens, all on one activation stream, and measure them on held-out texts.

    Without --seeds the profile's own SAEs; with it a sweep for `mosaic match` and the chapters on stability.
    The same command goes on where it was killed.
    """
    from dataclasses import replace

    from mosaic.profiles.opening import load_model, select_saes
    from mosaic.profiles.plan import width_of
    from mosaic.profiles.profile import load_profile
    from mosaic.saes import training
    from mosaic.saes.sweep import Sweep
    from mosaic.texts import documents

    chosen = load_profile(profile)
    if chosen.training is None:
        raise MosaicError(
            f"profile {profile} has no `training` section; SAEs of minilm, mini and stories260k are trained here."
        )
    recipe = chosen.training
    lengths = _listed(tokens, int, "--tokens") or [recipe.tokens]
    if seeds:
        specs = Sweep(
            layers=tuple(_listed(layers, int, "--layers") or [chosen.middle]),
            widths=tuple(width_of(width) for width in _listed(widths) or [chosen.width]),
            ks=tuple(_listed(ks, int, "--ks") or [recipe.k]),
            tokens=tuple(lengths),
            architectures=tuple(_listed(architectures)),
            l1=tuple(_listed(l1, float, "--l1") or ()),
            seeds=tuple(_listed(seeds, int, "--seeds")),
            varied=varied,
        ).specs()
    else:
        specs = [
            training.SAESpec(source.layer, width_of(source.width), recipe.k, source.seed, recipe.architecture)
            for source in select_saes(chosen, _listed(layers, int, "--layers"), _listed(widths), seeds=None)
        ]
    documents = documents.read_documents(texts) if texts else documents.recipe_documents(recipe)
    run = replace(training.TrainRun(), tokens=lengths[0], seed=data_seed, batch_size=batch_size)
    rows = training.train(load_model(chosen, device), documents, specs, run, out)
    _print_rows(rows, ["name", "tokens", "l0", "fvu", "dead"], f"trained into {out}")


@app.command(epilog="Example: mosaic match saes/layer_3_width_1k_seed_0 saes/layer_3_width_1k_seed_1 --json match.json")
def match(
    sae_a: Annotated[str, typer.Argument(help="A folder in SAELens's layout, or release/id of its registry.")],
    sae_b: Annotated[str, typer.Argument(help="The other one.")],
    threshold: Annotated[
        float, typer.Option("--threshold", min=0, max=1, help="Least cosine of a shared latent.")
    ] = 0.7,
    baselines: Annotated[int, typer.Option("--baselines", min=1, help="Draws of every chance baseline.")] = 1,
    json_out: Json = None,
    device: Device = "cpu",
) -> None:
    """How far two SAEs agree: shared latents, their pairs, the threshold curve, chance, and the proof."""
    from mosaic.agreement import stability
    from mosaic.cli.show import print_match
    from mosaic.saes.dictionary import load_dictionary

    pair = stability.match(load_dictionary(sae_a), load_dictionary(sae_b), device)
    figures = stability.summary(pair, threshold, baselines, device)
    _write_json(json_out, figures)
    print_match(_console(), figures)


@app.command(epilog="Example: mosaic claims --profile mini --json claims.json")
def claims(profile: Profile = "mini", json_out: Json = None) -> None:
    """Published value | this run | verdict, for every claim."""
    from mosaic.profiles.profile import load_profile
    from mosaic.reporting.claims import judge_all

    rows = [verdict.row() for verdict in judge_all(load_profile(profile).name)]
    _write_json(json_out, rows)
    _print_rows(rows, ["claim", "published", "value", "verdict", "reason"], f"claims on profile {profile}")


@app.command(epilog="Example: mosaic plan --profile gemma-2-2b --texts 5000 --tokens 80")
def plan(
    profile: Profile = "minilm",
    texts: Annotated[int, typer.Option("--texts", min=1, help="Number of texts.")] = 1000,
    tokens: Annotated[int, typer.Option("--tokens", min=1, help="Mean tokens a text.")] = 100,
) -> None:
    """Estimate FLOPs, time, memory and disk before anything is downloaded."""
    from mosaic.profiles.plan import estimate
    from mosaic.profiles.profile import load_profile

    cost = estimate(load_profile(profile), texts, tokens)
    rows = [
        {"what": "FLOPs a token", "estimate": f"{cost.flops_per_token / 1e9:.3g} GFLOP"},
        {"what": "FLOPs in all", "estimate": f"{cost.flops / 1e12:.3g} TFLOP"},
        {"what": "matrix products here", "estimate": f"{cost.rate / 1e9:.0f} GFLOP/s (measured now, float32)"},
        {"what": "time", "estimate": _duration(cost.seconds)},
        {"what": "memory", "estimate": _bytes(cost.memory)},
        {"what": "download, if not cached", "estimate": _bytes(cost.disk_download)},
        {"what": "features on disk, at most about", "estimate": _bytes(cost.disk_features)},
    ]
    _print_rows(rows, ["what", "estimate"], f"{profile}: {texts} texts of {tokens} tokens")


mini = typer.Typer(no_args_is_help=True, help="The miniature world: build its weights from nothing, or check them.")
app.add_typer(mini, name="mini")
Weights = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--weights", help="Folder of the miniature's weights (default: the shipped ones)."),
]


@mini.command(epilog="Example: mosaic mini build --weights build/mini --device cuda")
def build(
    weights: Weights = None,
    device: Device = "cpu",
    only: Annotated[Optional[str], typer.Option("--only", help="Build this step alone, such as saes-small.")] = None,  # noqa: UP045
) -> None:
    """Train everything from nothing; steps that are there already are kept, an interrupted one goes on."""
    from mosaic.miniature.build import WEIGHTS, build_all
    from mosaic.miniature.card import write_card

    out = weights or WEIGHTS
    build_all(out, device, only, lambda line: print(line, flush=True))
    if not only:
        write_card(out, lambda line: print(line, flush=True))


@mini.command(epilog="Example: mosaic mini check")
def check(weights: Weights = None) -> None:
    """Measure every figure of the model card again; fails where one is off or outside its band."""
    from mosaic.miniature import build
    from mosaic.miniature.card import check as run

    figures = run(weights or build.WEIGHTS, lambda line: print(line, file=sys.stderr, flush=True))
    rows = [
        {"what": f"{name}: {key}", "measured": value} for name, row in figures.items() for key, value in row.items()
    ]
    _print_rows(rows, ["what", "measured"], f"{len(rows)} figures measured again, all as the card has them")


@app.command(epilog="Example: mosaic profiles")
def profiles() -> None:
    """List the profiles: model, layers, widths."""
    from mosaic.profiles.profile import load_profile, profile_names

    rows = []
    for name in profile_names():
        entry = load_profile(name)
        layers, widths = ", ".join(map(str, entry.layers)), ", ".join(entry.widths)
        rows.append({"profile": name, "model": entry.model.id, "layers": layers, "widths": widths, "what": entry.title})
    _print_rows(rows, ["profile", "model", "layers", "widths", "what"], "profiles")


def _request(profile: str, layers: str | None, poolings: str | None, device: str):
    from mosaic.features.extract import Request
    from mosaic.features.pooling import top_n
    from mosaic.profiles.opening import load_model, load_saes
    from mosaic.profiles.profile import load_profile

    chosen = load_profile(profile)
    wanted = _listed(poolings) or list(chosen.poolings)
    for pooling in wanted:
        top_n(pooling)
    numbers = _listed(layers, int, "--layers")
    lm = load_model(chosen, device)
    encoders = load_saes(chosen, lm, numbers)
    hidden = tuple(dict.fromkeys(encoder.layer for encoder in encoders))
    return Request(encoders, hidden, tuple(wanted)), lm


def _print_rows(rows: list[dict], columns: list[str], title: str) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title), title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        cells = [row.get(column) for column in columns]
        table.add_row(*(f"{c:.4g}" if isinstance(c, float) else "" if c is None else escape(str(c)) for c in cells))
    _console().print(table)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _bytes(n: float) -> str:
    return f"{n / 2**20:.0f} MiB" if n < 2**30 else f"{n / 2**30:.1f} GiB"
