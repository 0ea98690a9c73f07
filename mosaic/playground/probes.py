"""The probes of one question, at every layer and pooling, with and without binarisation, as numbers for the page.

One probe learns from all languages of a set. Strengths and thresholds are chosen on validation folds of the training rows, as
everywhere in this book; the test rows are only scored. With x the pooled latents of a text (binarised where the probe is),

    score_c = b_c + sum_j w_cj x_j,     w_cj = coef_cj / scale_j,

so that w_cj x_j is what latent j adds to the score of class c; two classes have one row, for the second. Parallel rows of
several languages are one group: they never straddle a split.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mosaic.features.request import Request
from mosaic.models.language import LanguageModel
from mosaic.playground.offered import OPENING, POOLINGS, Question
from mosaic.probing import examine
from mosaic.probing.comparison import evaluate
from mosaic.probing.problem import Problem, make_problem, subsample
from mosaic.probing.selection import Result
from mosaic.saes.encoder import Encoder
from mosaic.texts import labelled
from mosaic.texts.labelled import LabelledTexts
from mosaic.texts.sources import load_set

TRAIN, TEST = 400, 600  # rows of all languages together
DIGITS = 7


def rows_of(question: Question) -> tuple[LabelledTexts, LabelledTexts]:
    """(train, test) of a question, of every language as many; the test set's parts, where it has several, are one."""
    n = len(question.languages)
    read = [load_set(question.set, language) for language in question.languages]
    train, test = (
        labelled.concatenate(parts) for parts in zip(*(_cut(pair, n, i) for i, pair in enumerate(read)), strict=True)
    )
    return train, test


def _cut(pair: tuple[LabelledTexts, LabelledTexts], n: int, seed: int) -> tuple[LabelledTexts, LabelledTexts]:
    """Other rows of every language: a probe that read one message five times learns less than from five messages."""
    return subsample(pair[0], TRAIN // n, seed), subsample(pair[1], TEST // n, seed)


def problem_of(question: Question, lm: LanguageModel, encoders: Sequence[Encoder], cache: Path | None) -> Problem:
    return make_problem(*rows_of(question), lm, Request(tuple(encoders), (), POOLINGS), cache)


def probes(problem: Problem) -> tuple[list[dict], dict]:
    """(one entry a setting, best validation first; {"chosen", "opening"}: their places in it).

    chosen: what validation prefers over all settings. opening: what it prefers among those the page may open with.
    """
    results = evaluate(problem, families=("sae",), trees=False)
    places = {
        "chosen": next(i for i, one in enumerate(results) if one.selected),
        "opening": next(
            i for i, one in enumerate(results) if one.setting.pooling == OPENING and not one.setting.binarized
        ),
    }
    return [entry(problem, result) for result in results], places


def entry(problem: Problem, result: Result) -> dict:
    """A setting: what it reads, how well it does on test, and its weights. columns ascend; weights: one row a class, or one."""
    fitted, columns = examine.fitted(problem, result)
    weights = np.asarray(fitted[-1].coef_, dtype=np.float64) / fitted[0].scale_
    kept = np.flatnonzero(np.any(weights != 0, axis=0))
    setting, score = result.setting, result.score
    values = examine.table_of(problem, setting).matrix[: len(problem.train)].data
    return {
        "layer": setting.layer,
        "pooling": setting.pooling,
        "binarized": setting.binarized,
        "threshold": result.threshold,
        "highest": short(np.quantile(values, 0.99)) if len(values) else 0.0,
        "validation": short(result.validation),
        "parts": {
            part: {"macro_f1": short(one.macro_f1), "low": short(one.low), "high": short(one.high), "n": one.n}
            for part, one in result.parts.items()
        },
        "n_train": result.n_train,
        "n_test": score.n,
        "columns": [int(columns[i]) for i in kept],
        "weights": [[short(w) for w in row[kept]] for row in weights],
        "intercept": [short(b) for b in fitted[-1].intercept_],
    }


def short(value: float) -> float:
    """A number as the page is sent it: seven digits, as many as float32 has."""
    return float(f"{value:.{DIGITS}g}")
