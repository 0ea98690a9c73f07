"""Curves kept beside the cached features, as results of validation are (`kept`): a chapter that runs again reads them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from mosaic.errors import MosaicError
from mosaic.probing import curves
from mosaic.probing.curves import SIZES, Fit
from mosaic.probing.kept import Kept, keep, name_of, read_kept
from mosaic.probing.problem import Problem
from mosaic.sourcecode import hash_of


def curve(problem: Problem, matrix, split: tuple, sizes: Sequence[int] = SIZES, directions=None) -> dict[str, Fit]:
    """`curves.curve` of a problem's rows, unless it is kept. matrix: CSR, the rows of train, then of test."""
    n, kept = len(problem.train), Kept.of(problem, [split])

    def make() -> dict[str, Fit]:
        return curves.curve(matrix[:n], problem.train.labels, matrix[n:], split, sizes, directions)

    if kept.folder is None:
        return make()
    path = kept.folder / f"{name_of([kept.base, engine(), list(sizes), repr(directions)], matrix)}.json"
    found = read_kept(path, lambda content: _fits(content, len(problem.test)))
    if found is None:
        found = make()
        keep(path, _written(found))
    return found


def _written(found: dict[str, Fit]) -> dict:
    """The curve as JSON has it; labels by number. Floats come back to the last bit."""
    classes, codes = np.unique(np.stack([fit.predicted for fit in found.values()]).astype(str), return_inverse=True)
    codes = codes.reshape(len(found), -1)
    rest = {size: [fit.validation, fit.strength, fit.solved] for size, fit in found.items()}
    return {"classes": classes.tolist(), "predicted": codes.tolist(), "fits": rest}


def _fits(content: dict, n_test: int) -> dict[str, Fit]:
    classes = np.array(content["classes"], dtype=object)
    predicted = np.array(content["predicted"])
    if predicted.shape != (len(content["fits"]), n_test):
        raise MosaicError("it holds the curve of something else")
    return {
        size: Fit(classes[codes], *fit) for codes, (size, fit) in zip(predicted, content["fits"].items(), strict=True)
    }


@cache
def engine() -> str:
    """Hash of the code of curves, beside that of probing."""
    return hash_of(("mosaic.probing.curves", "mosaic.probing.directions"))
