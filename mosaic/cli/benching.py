"""`mosaic bench`: many labelled sets, one table and one figure."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mosaic.cli.options import (
    CACHE,
    LARGEST,
    Cache,
    Device,
    Group,
    Label,
    Layers,
    Poolings,
    Profile,
    Text,
    check,
    columns,
)
from mosaic.cli.output import console, save_figure, save_json, say
from mosaic.cli.probing import opened_request
from mosaic.errors import MosaicError
from mosaic.printable import printable

if TYPE_CHECKING:
    from rich.table import Table

    from mosaic.studies.bench_run import Bench

app = typer.Typer()

TABLE, KEPT = "bench.csv", "sets"  # in --out
HEADER = "set,n_train,n_test,n_classes,"  # how every table of ours begins


@app.command(epilog="Example: mosaic bench sets/ more.csv --profile minilm --max-train 1000 --out bench")
def bench(
    paths: Annotated[list[Path], typer.Argument(help="Labelled files (.csv, .tsv, .jsonl, .parquet), folders of them.")],
    profile: Profile = "minilm",
    text: Text = None,
    label: Label = None,
    group: Group = None,
    layers: Layers = None,
    poolings: Poolings = None,
    max_train: Annotated[Optional[int], typer.Option("--max-train", min=10, max=LARGEST, help="Training rows of a set at most, stratified.")] = None,  # noqa: UP045
    max_test: Annotated[Optional[int], typer.Option("--max-test", min=10, max=LARGEST, help="Test rows of a set at most, stratified.")] = None,  # noqa: UP045
    strong: Annotated[bool, typer.Option("--strong", help="Also PCA + logistic, nearest neighbours, boosting on hidden states: the best on validation (slow with many classes).")] = False,
    out: Annotated[Path, typer.Option("--out", help="Folder of the answer; finished sets are kept in it.")] = Path("bench"),
    cache: Cache = CACHE,
    device: Device = "cpu",
) -> None:  # fmt: skip
    """Compare SAE features with hidden states, TF-IDF and the majority class on many sets: wins, ties, losses.

    A folder with train and test files is one set with its own test; of any other file a fifth is held out. A file that
    cannot be used is skipped, and said. The same command goes on where it was stopped. --out gets bench.json, bench.csv,
    bench.svg and bench.png.
    """
    check(folder=out, cache=cache, device=device)
    _check_ours(out / TABLE)
    from mosaic.studies import bench_run
    from mosaic.texts import collection

    named = columns(text, label, group)
    sources = collection.find(paths, leave_out=[out / TABLE])
    found = dict(bench_run.usable(sources, named, max_train, max_test))
    if all(isinstance(rows, str) for rows in found.values()):
        raise MosaicError(f"none of {len(found)} sets can be used. What is wrong with each is said above.")
    request, lm = opened_request(profile, layers, poolings, device)
    done = bench_run.run(found, lm, request, cache, out / KEPT, strong)
    console().print(_table(done, profile))
    for line in _said(done):
        say(line)
    cut = {"max_train": max_train, "max_test": max_test}
    options = {
        "profile": profile,
        **{name: named[name] for name in ("text", "label", "group")},
        "layers": layers,
        "poolings": poolings,
        **cut,
        "strong": strong,
    }
    save_json(out / "bench.json", {"options": options, **done.summary()})
    _save_table(out / TABLE, done.rows())
    _save_figures(done, out)


def _check_ours(path: Path) -> None:
    """Refuse to overwrite a table that this command did not write: it may be one of the user's sets."""
    if path.is_file() and not path.read_bytes().startswith(HEADER.encode()):
        raise MosaicError(
            f"{path} is not a table that mosaic bench wrote, and would be overwritten. Name another --out."
        )


def _table(done: Bench, profile: str) -> Table:
    """A set a row: scores with their intervals, SAE minus each baseline with its verdict."""
    from rich.table import Table

    table = Table(
        title=f"{profile}: macro-F1 on test of {len(done.sets)} sets, SAE features against the others",
        title_justify="left",
        caption="* the highest; settings chosen on validation folds of the training set; 95 % intervals over test rows; win, tie, loss by "
        f"the paired test, p after Holm's correction over {len(done.sets)} sets (each baseline by itself)",
        caption_justify="left",
    )
    table.add_column("set", overflow="fold")
    for heading in ("train\ntest", "classes", *done.families, *(f"SAE minus\n{baseline}" for baseline in done.tallies)):
        table.add_column(heading, justify="right")
    for name, one in done.sets.items():
        best = max(chosen["macro_f1"] for chosen in one.chosen.values())
        cells = [_score(chosen, best) for chosen in one.chosen.values()]
        for tally in done.tallies.values():
            against = tally.sets[name]
            cells.append(f"{against.difference.difference:+.3f} {against.verdict}\np {against.adjusted:.2g}")
        table.add_row(printable(name), f"{one.n_train}\n{len(one.truth)}", str(one.n_classes), *cells)
    table.add_section()
    ranks = [f"{done.mean_ranks[family]:.2f}" for family in done.families]
    counts = [f"{t.count('win')} / {t.count('tie')} / {t.count('loss')}" for t in done.tallies.values()]
    table.add_row("mean rank", "", "", *ranks, style="bold")
    table.add_row("win / tie / loss", "", "", *[""] * len(ranks), *counts, style="bold")
    return table


def _score(chosen: dict, best: float) -> str:
    mark = "*" if chosen["macro_f1"] == best else ""
    return f"{mark}{chosen['macro_f1']:.3f}\n{chosen['low']:.2f}-{chosen['high']:.2f}"


def _said(done: Bench) -> list[str]:
    """The summary in lines: the average against each baseline, the answer, what to be careful of."""
    from mosaic.studies.bench import answer

    lines = []
    for baseline, tally in done.tallies.items():
        d = tally.mean
        lines.append(
            f"SAE minus {baseline}: {d.difference:+.3f} macro-F1 on average ({d.low:+.3f} to {d.high:+.3f} over sets and "
            f"texts, p = {d.p:.3g})"
        )
    lines.append(f"Answer: {answer(done.headline)}")
    lines += [f"Caution: {name}: {caution}" for name, one in done.sets.items() for caution in one.cautions]
    if done.skipped:
        lines.append(
            f"{len(done.skipped)} of {len(done.skipped) + len(done.sets)} sets were skipped: {', '.join(done.skipped)}"
        )
    return lines


def _save_table(path: Path, rows: list[dict]) -> None:
    from mosaic.files import write_atomically

    written = io.StringIO()
    writer = csv.DictWriter(written, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, written.getvalue().encode("utf-8", "backslashreplace"))


def _save_figures(done: Bench, out: Path) -> None:
    import warnings

    from mosaic.reporting import plots
    from mosaic.studies.bench_figure import forest

    try:
        plots.style()
    except ImportError as error:  # what draws belongs to the extra [book]
        say(f"bench.json and bench.csv are in {out}; no figure: {error.name} is not installed")
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a name in a script that the font lacks
        figure = plots.finished(forest(done.headline))
        for suffix in (".svg", ".png"):
            save_figure(figure, out / f"bench{suffix}")
    say(f"bench.json, bench.csv, bench.svg and bench.png are in {out}")
