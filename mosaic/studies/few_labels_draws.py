"""Draws of labelled texts, the same for every way to use features, and what each way says of the test texts from each draw.

Predictions are kept beside the cached features (`probing.kept`), one file a set and a way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np

from mosaic.errors import MosaicError
from mosaic.machine import cores
from mosaic.probing import comparison, resampled, scores
from mosaic.probing.kept import Kept, keep, name_of, read_kept
from mosaic.probing.problem import Problem, stratified_rows
from mosaic.sourcecode import hash_of
from mosaic.studies import few_labels_ways
from mosaic.texts.labelled import LabelledTexts

RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # of the training texts
N_DRAWS = 10

Draws = Mapping[float, Sequence[np.ndarray]]  # {rate: rows of train of each draw}


@dataclass(frozen=True)
class OnSet:
    """What every way reached on one set.

    test: its test texts. n_labels: {rate: labelled texts of a draw}. predicted: {way: {rate: labels [draws, n_test]}}.
    """

    title: str
    test: LabelledTexts
    n_labels: Mapping[float, int]
    predicted: Mapping[str, Mapping[float, np.ndarray]]

    def reached(self, part: str | None = None, seed: int = 0) -> dict[str, dict[float, Reached]]:
        """{way: {rate: what it reached}} on one part of the test (None: its first)."""
        parts = self.test.part_rows()
        rows = parts[part or next(iter(parts))]
        groups = None if self.test.groups is None else self.test.groups[rows]
        cells = [(way, rate) for way, of in self.predicted.items() for rate in of]
        every = np.concatenate([self.predicted[way][rate][:, rows] for way, rate in cells])
        observed, drawn = resampled.macro_f1(self.test.labels[rows], every, groups, seed)
        found: dict[str, dict[float, Reached]] = {way: {} for way in self.predicted}
        first = 0
        for way, rate in cells:
            n = len(self.predicted[way][rate])
            # The same resample of draws for every way: they read the same texts in the same draws.
            weights = scores.draw_weights(n, np.random.default_rng([seed, round(1000 * rate)]))
            here = slice(first, first + n)
            found[way][rate] = Reached(float(observed[here].mean()), (drawn[:, here] * weights).sum(axis=1))
            first += n
        return found


@dataclass(frozen=True)
class Reached:
    """Macro-F1 of a way at a rate on a set, mean over the draws. resampled: [RESAMPLES], test texts and draws drawn anew."""

    observed: float
    resampled: np.ndarray


def draws(labels: np.ndarray, n_draws: int = N_DRAWS, rates: Sequence[float] = RATES) -> dict[float, list[np.ndarray]]:
    """{rate: rows [n] of each draw}, stratified, at least `labelled.MIN_ROWS_PER_CLASS` of every class; all rows are one draw.

    Raises MosaicError for a rate outside (0, 1], or for fewer than one draw.
    """
    if n_draws < 1:
        raise MosaicError(f"{n_draws} draws were asked for; one at least is needed, ten tell how they differ.")
    for rate in rates:
        if not 0 < rate <= 1:
            raise MosaicError(f"{rate} is no share of the training texts; rates above 0 and up to 1 were expected.")
    found = {}
    for rate in rates:
        n = max(1, round(rate * len(labels)))
        found[rate] = [stratified_rows(labels, n, seed) for seed in range(n_draws if n < len(labels) else 1)]
    return found


def on_set(title: str, problem: Problem, n_draws: int = N_DRAWS, only: Sequence[str] = few_labels_ways.WAYS) -> OnSet:
    """Every way (or some) from every draw, ways in parallel."""
    drawn = draws(problem.train.labels, n_draws)
    texts = replace(problem, tables=())  # a process is sent its own table alone
    chosen = {name: way for name, way in few_labels_ways.ways(problem).items() if name in only}
    jobs = [partial(kept, name, way, texts, drawn) for name, way in chosen.items()]
    found = comparison.in_parallel(jobs, min(cores(), len(jobs)))
    n_labels = {rate: len(of[0]) for rate, of in drawn.items()}
    return OnSet(title, problem.test, n_labels, dict(zip(chosen, found, strict=True)))


def kept(name: str, way, problem: Problem, drawn: Draws) -> dict[float, np.ndarray]:
    """{rate: labels [draws, n_test]} of one way, computed unless kept."""
    flat = [(rows,) for of in drawn.values() for rows in of]
    base = Kept.of(problem, flat)
    if base.folder is None:
        return _shaped(_every(way, problem, flat), drawn)
    matrix = None if (table := getattr(way, "table", None)) is None else table.matrix
    path = base.folder / f"{name_of([base.base, engine(), 'few labels', name], matrix)}.json"
    found = read_kept(path, lambda content: _labels(content, len(flat), len(problem.test)))
    if found is None:
        found = _every(way, problem, flat)
        classes, codes = np.unique(found.astype(str), return_inverse=True)
        keep(path, {"classes": classes.tolist(), "predicted": codes.reshape(found.shape).tolist()})
    return _shaped(found, drawn)


def _every(way, problem: Problem, flat: Sequence[tuple[np.ndarray]]) -> np.ndarray:
    """[draws, n_test] labels. Small sets have the same rows at several rates, where the floor of rows a class decides."""
    known: dict[bytes, np.ndarray] = {}
    for (rows,) in flat:
        if rows.tobytes() not in known:
            known[rows.tobytes()] = few_labels_ways.predicted(way, problem, rows)
    return np.stack([known[rows.tobytes()] for (rows,) in flat])


def _shaped(every: np.ndarray, drawn: Draws) -> dict[float, np.ndarray]:
    ends = np.cumsum([len(of) for of in drawn.values()])[:-1]
    return dict(zip(drawn, np.split(every, ends), strict=True))


def _labels(content: dict, n_draws: int, n_test: int) -> np.ndarray:
    codes = np.array(content["predicted"])
    if codes.shape != (n_draws, n_test):
        raise MosaicError("it holds the predictions of something else")
    return np.array(content["classes"], dtype=object)[codes]


@cache
def engine() -> str:
    """Hash of the code of draws and ways, beside that of probing."""
    return hash_of(("mosaic.studies.few_labels_ways", "mosaic.probing.sparse_selection", "mosaic.probing.folds"))
