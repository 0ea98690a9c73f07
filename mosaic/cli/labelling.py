"""`mosaic label-behaviour`: which questions a model answers right, as labels for a probe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mosaic.cli.options import CACHE, Cache, Device, Text, check
from mosaic.cli.output import print_rows, say
from mosaic.errors import MosaicError

if TYPE_CHECKING:
    from mosaic.studies.behaviour_labels import Labels

app = typer.Typer()

ROWS_SHOWN = 20


@app.command(
    "label-behaviour",
    epilog="Example: mosaic label-behaviour boolq.csv --model google/gemma-2-2b-it --text prompt --choices yes,no --answer-column "
    "answer --out labels.csv",
)
def label_behaviour(
    file: Annotated[Path, typer.Argument(help="Questions with their answers: .csv, .tsv, .jsonl or .parquet.")],
    model: Annotated[str, typer.Option("--model", help="A causal language model of the hub, or its folder.")],
    answer: Annotated[str, typer.Option("--answer-column", help="Column of the right choice, written as it is.")],
    out: Annotated[Path, typer.Option("--out", help="CSV file: row (from 0), text, answer, log-probability of each choice, predicted, confidence, correct.")],
    choices: Annotated[Optional[str], typer.Option("--choices", help="The choices, separated by commas, the same for all rows.")] = None,  # noqa: UP045
    choices_column: Annotated[Optional[str], typer.Option("--choices-column", help="Column of each row's own choices: a list, or yes|no|maybe.")] = None,  # noqa: UP045
    text: Text = None,
    batch: Annotated[int, typer.Option("--batch-size", min=1, max=65536, help="Texts in one forward pass.")] = 16,
    dtype: Annotated[str, typer.Option("--dtype", help="float32, or bfloat16 for half the memory and rounder numbers.")] = "float32",
    cache: Cache = CACHE,
    device: Device = "cpu",
) -> None:  # fmt: skip
    """Ask a model every question: the sum of the log-probabilities of each choice's tokens, the most probable choice, correct or not.

    The same command goes on where it was stopped. `mosaic probe OUT --label correct` then asks whether features foresee it.
    """
    check(file=out, cache=cache, device=device, inputs=(file, model))
    if out.suffix.lower() != ".csv":
        raise MosaicError(f"--out is {str(out)!r}; a .csv file is written. Let its name end in .csv.")
    from mosaic.files import write_atomically
    from mosaic.models.causal import open_causal
    from mosaic.models.language import ModelSpec
    from mosaic.studies import behaviour_labels
    from mosaic.texts.questions import read_questions

    questions = read_questions(
        file,
        answer,
        None if choices is None else [part.strip() for part in choices.split(",")],
        choices_column,
        "text" if text is None else text,
        exact=[] if text is None else [text],
    )
    labels = behaviour_labels.label(questions, open_causal(ModelSpec(model, dtype=dtype), device), batch, cache)
    write_atomically(out, labels.as_csv().encode())
    _show(labels, model, out)


def _show(labels: Labels, model: str, out: Path) -> None:
    from mosaic.reporting.tables import shorten

    rows = [{**row, "text": shorten(row["text"])} for row in labels.rows(ROWS_SHOWN)]
    columns = ["row", "text", "answer", "predicted", "confidence", "correct"]
    print_rows(rows, columns, f"{len(labels.questions)} questions, answered by {model}")
    if len(labels.questions) > len(rows):
        say(f"{len(labels.questions) - len(rows)} more questions in {out}")
    right, confidence = labels.right, labels.confidence
    say(f"{int(right.sum())} of {len(right)} are answered right ({100 * right.mean():.1f} %)")
    if 0 < right.sum() < len(right):
        say(f"mean confidence: {confidence[right].mean():.3f} where right, {confidence[~right].mean():.3f} where wrong")
        say(f"`mosaic probe {out} --label correct` asks whether features foresee it")
    else:
        say("every question has the same label: there is nothing for a probe to tell apart")
