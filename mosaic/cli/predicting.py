"""`mosaic predict`: a probe that `mosaic probe --save` kept, on new texts."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mosaic.cli.options import CACHE, Cache, Device, Text, check, columns
from mosaic.cli.output import print_rows, say
from mosaic.printable import cell

if TYPE_CHECKING:
    from mosaic.probing.saved import Prediction

app = typer.Typer()

ROWS_SHOWN = 20


@app.command(epilog="Example: mosaic predict stars new.csv --text review --out predicted.csv")
def predict(
    probe: Annotated[Path, typer.Argument(help="Folder that `mosaic probe --save` wrote.")],
    file: Annotated[Path, typer.Argument(help="Texts: .csv, .tsv, .jsonl or .parquet.")],
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", help="CSV file: row (from 0), text, class, probability of each class, latents."),
    ] = None,
    text: Text = None,
    cache: Cache = CACHE,
    device: Device = "cpu",
) -> None:
    """Apply a saved probe to new texts: class, probabilities, and the latents that decided.

    A latent's number is its weight times its scaled value: what it adds to the score of the class that was chosen.
    """
    check(file=out, cache=cache, device=device, inputs=(probe, file))
    from mosaic.probing import applied
    from mosaic.probing.saved import SavedProbe
    from mosaic.texts.own_files import read_file

    saved = SavedProbe.load(probe)
    texts = read_file(file, **{**columns(text, None), "label": None}).texts
    predicted = applied.predict(saved, texts, device, cache)
    shown = rows(texts, predicted, ROWS_SHOWN)
    print_rows(shown, ["row", "text", "class", "probability", "latents"], f"{len(texts)} texts, by {saved.said()}")
    if len(texts) > len(shown):
        say(f"{len(texts) - len(shown)} more texts" + ("" if out else "; --out FILE.csv writes all"))
    counts = Counter(predicted.labels.tolist())
    say("classes: " + ", ".join(f"{label} {counts[label]}" for label in predicted.classes))
    if out is not None:
        from mosaic.files import write_atomically

        write_atomically(out, as_csv(texts, predicted).encode("utf-8", "backslashreplace"))


def rows(texts: Sequence[str], predicted: Prediction, n: int) -> list[dict]:
    """The first n texts, a row each, as they are shown on the page."""
    from mosaic.reporting.tables import shorten

    return [
        {"row": i, "text": shorten(text), "class": label, "probability": float(p.max()), "latents": latents(leading)}
        for i, (text, label, p, leading) in enumerate(islice(_zipped(texts, predicted), n))
    ]


def as_csv(texts: Sequence[str], predicted: Prediction) -> str:
    """A line a text, in the order of the file; every text and name as one harmless cell (`mosaic.printable.cell`)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["row", "text", "class", *(f"p({cell(label)})" for label in predicted.classes), "latents"])
    for i, (text, label, p, leading) in enumerate(_zipped(texts, predicted)):
        writer.writerow([i, cell(text), cell(label), *(f"{value:.9g}" for value in p), cell(latents(leading))])
    return out.getvalue()


def latents(leading: Sequence[tuple[str, float]]) -> str:
    """`layer_4/width_2k/17 (+1.234); layer_4/width_2k/5 (-0.310)`."""
    return "; ".join(f"{name} ({value:+.3f})" for name, value in leading)


def _zipped(texts: Sequence[str], predicted: Prediction):
    return zip(texts, predicted.labels, predicted.probabilities, predicted.leading, strict=True)
