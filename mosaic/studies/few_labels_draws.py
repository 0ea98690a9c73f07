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
from mosaic.studies.few_labels_ways import OTHERS, STRENGTH, WAYS, Way
from mosaic.texts.labelled import LabelledTexts

RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # of the training texts
N_DRAWS = 10
N_AGAIN = 3  # draws that are fitted with other strengths too
STRENGTHS = tuple(sorted((STRENGTH, *OTHERS)))

Draws = Mapping[float, Sequence[np.ndarray]]  # {rate: rows of train of each draw}
ByRate = dict[float, np.ndarray]  # {rate: labels [draws, n_test]}


@dataclass(frozen=True)
class Reached:
    """Macro-F1 of a way at a rate on a set, mean over the draws. resampled: [RESAMPLES], test texts and draws drawn anew."""

    observed: float
    resampled: np.ndarray


@dataclass(frozen=True)
class OnSet:
    """What every way reached on one set.

    test: its test texts. n_labels: {rate: labelled texts of a draw}. predicted: {C: {way: {rate: labels [draws, n_test]}}};
    of strengths other than STRENGTH the first N_AGAIN draws.
    """

    title: str
    test: LabelledTexts
    n_labels: Mapping[float, int]
    predicted: Mapping[float, Mapping[str, ByRate]]

    def reached(self, part: str | None = None, strength: float = STRENGTH, seed: int = 0):
        """{way: {rate: Reached}} on one part of the test (None: its first). seed: of the test texts that are drawn, one a set."""
        parts, predicted = self.test.part_rows(), self.predicted[strength]
        rows = parts[part or next(iter(parts))]
        groups = None if self.test.groups is None else self.test.groups[rows]
        cells = [(way, rate) for way, of in predicted.items() for rate in of]
        every = np.concatenate([predicted[way][rate][:, rows] for way, rate in cells])
        observed, drawn = resampled.macro_f1(self.test.labels[rows], every, groups, seed)
        found: dict[str, dict[float, Reached]] = {way: {} for way in predicted}
        first = 0
        for way, rate in cells:
            n = len(predicted[way][rate])
            # The same resample of draws for every way: they read the same texts in the same draws.
            weights = scores.draw_weights(n, np.random.default_rng([seed, round(1000 * rate)]))
            here = slice(first, first + n)
            found[way][rate] = Reached(float(observed[here].mean()), (drawn[:, here] * weights).sum(axis=1))
            first += n
        return found


def draws(labels: np.ndarray, n_draws: int = N_DRAWS, rates: Sequence[float] = RATES) -> dict[float, list[np.ndarray]]:
    """{rate: rows [n] of each draw}, stratified, at least `labelled.MIN_ROWS_PER_CLASS` of every class; all rows are one draw.

    Raises MosaicError for a rate outside 0 to 1, or for fewer than one draw.
    """
    if n_draws < 1:
        raise MosaicError(f"{n_draws} draws were asked for; one at least is needed, and ten tell how they differ.")
    for rate in rates:
        if not 0 < rate <= 1:
            raise MosaicError(f"{rate} is no share of the training texts; rates above 0 and up to 1 were expected.")
    found = {}
    for rate in rates:
        n = max(1, round(rate * len(labels)))
        found[rate] = [stratified_rows(labels, n, seed) for seed in range(n_draws if n < len(labels) else 1)]
    return found


def on_set(title: str, problem: Problem, n_draws: int = N_DRAWS, only: Sequence[str] = WAYS) -> OnSet:
    """Every way (or some) from every draw, ways in parallel."""
    drawn = draws(problem.train.labels, n_draws)
    texts = replace(problem, tables=())  # a process is sent the features of its own way alone
    chosen = {name: way for name, way in few_labels_ways.ways(problem).items() if name in only}
    jobs = [partial(kept, name, way, texts, drawn) for name, way in chosen.items()]
    found = dict(zip(chosen, comparison.in_parallel(jobs, min(cores(), len(jobs))), strict=True))
    n_labels = {rate: len(of[0]) for rate, of in drawn.items()}
    by_strength = {C: {name: of[C] for name, of in found.items()} for C in STRENGTHS}
    return OnSet(title, problem.test, n_labels, by_strength)


def kept(name: str, way: Way, problem: Problem, drawn: Draws) -> dict[float, ByRate]:
    """{C: {rate: labels [draws, n_test]}} of one way, computed unless kept."""
    jobs = [(rate, i, rows) for rate, of in drawn.items() for i, rows in enumerate(of)]
    base = Kept.of(problem, [(rows,) for _, _, rows in jobs])
    if base.folder is None:
        return _by_strength(_every(way, problem, jobs), jobs)
    path = base.folder / f"{name_of([base.base, engine(), 'few labels', name, *_shape(way)])}.json"
    n = sum(len(_strengths(i)) for _, i, _ in jobs)
    found = read_kept(path, lambda content: _labels(content, n, len(problem.test)))
    if found is None:
        found = _every(way, problem, jobs)
        classes, codes = np.unique(found.astype(str), return_inverse=True)
        keep(path, {"classes": classes.tolist(), "predicted": codes.reshape(found.shape).tolist()})
    return _by_strength(found, jobs)


def _strengths(draw: int) -> tuple[float, ...]:
    """With which a draw is fitted, in rising order."""
    return STRENGTHS if draw < N_AGAIN else (STRENGTH,)


def _every(way: Way, problem: Problem, jobs: Sequence[tuple]) -> np.ndarray:
    """Labels [fits, n_test] of every draw and strength. Sets with many classes have the same rows at several rates, where the
    floor of rows per class decides: these are fitted once."""
    known: dict[tuple, np.ndarray] = {}
    found = []
    for _, i, rows in jobs:
        key = (rows.tobytes(), _strengths(i))
        if key not in known:
            known[key] = few_labels_ways.predicted(way, problem, rows, _strengths(i))
        found.append(known[key])
    return np.concatenate(found)


def _by_strength(every: np.ndarray, jobs: Sequence[tuple]) -> dict[float, ByRate]:
    fits = [(C, rate) for rate, i, _ in jobs for C in _strengths(i)]
    rates = dict.fromkeys(rate for _, rate in fits)
    return {
        C: {rate: every[[i for i, fit in enumerate(fits) if fit == (C, rate)]] for rate in rates} for C in STRENGTHS
    }


def _labels(content: dict, n_fits: int, n_test: int) -> np.ndarray:
    codes = np.array(content["predicted"])
    if codes.shape != (n_fits, n_test):
        raise MosaicError("it holds the predictions of something else")
    return np.array(content["classes"], dtype=object)[codes]


def _shape(way: Way) -> list[str]:
    """What tells the numbers of a way's features: their hash. A bag's are the texts, which the problem's hash holds."""
    import hashlib

    matrix = getattr(way, "matrix", None)
    return [] if matrix is None else [str(matrix.shape), hashlib.sha256(np.ascontiguousarray(matrix)).hexdigest()]


@cache
def engine() -> str:
    """Hash of the code of the ways, beside that of probing."""
    return hash_of(("mosaic.studies.few_labels_ways", "mosaic.probing.sparse_selection"))
