"""Errors as the page's script reads them: as many as a bounded file holds, and how many were left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mosaic.printable import printable
from mosaic.probing.saved import Prediction
from mosaic.texts.labelled import LabelledTexts

BYTES = 8_000_000  # of all embedded errors
CHARACTERS = 1_500  # of a text


@dataclass(frozen=True)
class Errors:
    """n: wrong test texts. shown: of them on the page. n_cut: texts that are longer than what the page has of them. data: for
    the script: classes, and the errors [row, text, whether cut, true, predicted, p(predicted), p(true), [[latent, contribution], ...]], classes and
    latents by number."""

    n: int
    n_test: int
    shown: int
    n_cut: int
    data: dict


def embedded(test: LabelledTexts, predicted: Prediction, names: Mapping[str, str], limit: int = BYTES) -> Errors:
    """The wrong ones in the file's order; where they do not fit, as many as do, spread evenly over the file."""
    wrong = np.flatnonzero(predicted.labels != test.labels)
    classes = list(predicted.classes)
    latents: dict[str, int] = {}
    rows = [_row(int(i), test, predicted, classes, latents) for i in wrong]
    sizes = [len(json.dumps(row, ensure_ascii=False).encode()) for row in rows]
    kept = list(range(len(rows)))
    while kept and (size := sum(sizes[i] for i in kept)) > limit:
        kept = sorted(
            set(np.linspace(0, len(rows) - 1, max(1, int(0.98 * len(kept) * limit / size))).astype(int).tolist())
        )
        if len(kept) == 1 and sizes[kept[0]] > limit:
            kept = []
    kept_rows = [rows[i] for i in kept]
    data = {
        "classes": [printable(label) for label in classes],
        "latents": [[name.rsplit("/", 1)[1], printable(names.get(name, ""))] for name in latents],
        "errors": kept_rows,
    }
    return Errors(len(rows), len(test), len(kept_rows), sum(row[2] for row in kept_rows), data)


def _row(i: int, test: LabelledTexts, predicted: Prediction, classes: list[str], latents: dict[str, int]) -> list:
    text = printable(test.texts[i][: CHARACTERS + 1])  # escapes make it longer, never shorter
    true, said = classes.index(test.labels[i]), classes.index(predicted.labels[i])
    probability = predicted.probabilities[i]
    leading = [[latents.setdefault(name, len(latents)), round(value, 3)] for name, value in predicted.leading[i]]
    cut = int(len(text) > CHARACTERS)
    return [
        i,
        text[:CHARACTERS],
        cut,
        true,
        said,
        round(float(probability[said]), 3),
        round(float(probability[true]), 3),
        leading,
    ]
