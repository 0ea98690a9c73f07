"""The ways to use features that the chapter on few labels compares, and one fit of any of them from a few labelled texts.

Every way is a candidate of `probing.candidates`: it gives the columns of some rows, learned on the fit rows alone, and the
linear probe that reads them. One grid of C, chosen in one way for all, from the labelled texts of the draw and no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mosaic.errors import MosaicError
from mosaic.probing import estimators, folds, scores
from mosaic.probing.candidates import STRENGTHS, Setting, TableFeatures
from mosaic.probing.problem import Problem
from mosaic.probing.selection import middle_best
from mosaic.probing.sparse_selection import L1Selector

BINARISED, EVERY, MEAN_DIFFERENCE, L1, TOP_N, HIDDEN, TFIDF = (
    "binarised", "all latents", "mean difference", "L1", "top-n", "hidden", "tfidf",
)  # fmt: skip
WAYS = (BINARISED, EVERY, MEAN_DIFFERENCE, L1, TOP_N, HIDDEN, TFIDF)
SELECTED = 20  # latents that a selection keeps: as many as the top-n counts keep of each token
POOLING, TOP_N_POOLING = "mean", "top20"
ALL_FOLDS = 200  # labelled texts; more of them are enough to choose C on one fold
WORDS = 20_000  # of a bag of words, as in `estimators.tfidf`


@dataclass(frozen=True)
class Selected(TableFeatures):
    """The SELECTED latents that a selector chooses on the fit rows, with the linear probe of all the others."""

    by: str = MEAN_DIFFERENCE

    def probe(self, strength: float):
        from sklearn.pipeline import make_pipeline

        selector = {MEAN_DIFFERENCE: estimators.MeanDifferenceSelector, L1: L1Selector}[self.by]
        return make_pipeline(selector(SELECTED), *(step for _, step in estimators.logistic(strength).steps))


@dataclass(frozen=True)
class Bag:
    """TF-IDF of word 1-2-grams, the same numbers as `candidates.TfidfFeatures`: vocabulary and weights are learned on the fit
    rows alone, but each text is taken apart only once for all draws. texts: of train, then of test."""

    texts: tuple[str, ...]

    setting = Setting("tfidf", pooling="word")

    @cached_property
    def counts(self):
        """[n_texts, n_terms] CSR, terms in alphabetical order."""
        from sklearn.feature_extraction.text import CountVectorizer

        words = estimators.tfidf("word")
        same = {name: getattr(words, name) for name in ("analyzer", "ngram_range", "token_pattern", "lowercase", "dtype")}
        try:
            return CountVectorizer(**same).fit_transform(self.texts).tocsr()
        except ValueError:  # not one word in any text: nothing to count, one class is guessed
            return _nothing(len(self.texts))

    def matrices(self, fit: np.ndarray, other: np.ndarray, threshold: None = None):
        from sklearn.feature_extraction.text import TfidfTransformer

        first, second = self.counts[fit], self.counts[other]
        columns = np.flatnonzero(first.getnnz(axis=0))
        if len(columns) > WORDS:
            often = np.asarray(first[:, columns].sum(axis=0)).ravel()
            columns = np.sort(columns[(-often).argsort()[:WORDS]])
        if not len(columns):
            return np.zeros((len(fit), 1)), np.zeros((len(other), 1)), np.arange(1)
        weigh = TfidfTransformer(sublinear_tf=True).fit(first[:, columns])
        return weigh.transform(first[:, columns]), weigh.transform(second[:, columns]), columns

    def probe(self, strength: float):
        return estimators.tfidf_probe(strength)


def _nothing(n: int):
    from scipy.sparse import csr_matrix

    return csr_matrix((n, 1), dtype=np.float32)


def ways(problem: Problem) -> dict[str, TableFeatures | Bag]:
    """{way: its candidate}, from the tables of one layer: SAE latents pooled by POOLING and TOP_N_POOLING, hidden states by
    POOLING. Raises MosaicError where a table is missing, or there are two of a kind."""
    tables = {}
    for table in problem.tables:
        key = (table.provenance["features"], table.provenance["pooling"])
        if key in tables:
            raise MosaicError(f"there are two tables of {' '.join(key)}; one layer and one width were expected.")
        tables[key] = table
    wanted = [("sae", POOLING), ("sae", TOP_N_POOLING), ("hidden", POOLING)]
    if missing := [key for key in wanted if key not in tables]:
        raise MosaicError(f"no table has {' '.join(missing[0])} features; extract {POOLING} and {TOP_N_POOLING} poolings.")
    texts = replace(problem, tables=())
    latents, counts, hidden = (tables[key] for key in wanted)
    return {
        BINARISED: TableFeatures(texts, latents, binarized=True),
        EVERY: TableFeatures(texts, latents),
        MEAN_DIFFERENCE: Selected(texts, latents),
        L1: Selected(texts, latents, by=L1),
        TOP_N: TableFeatures(texts, counts),
        HIDDEN: TableFeatures(texts, hidden),
        TFIDF: Bag(tuple(problem.train.texts + problem.test.texts)),
    }


def predicted(way, problem: Problem, rows: np.ndarray) -> np.ndarray:
    """Labels [n_test] of the test texts, from the labelled texts `rows` of train and no others."""
    n, labels = len(problem.train), problem.train.labels
    strength = chosen_strength(way, problem, rows)
    first, second, _ = way.matrices(rows, np.arange(n, n + len(problem.test)), threshold(way))
    return way.probe(strength).fit(first, labels[rows]).predict(second)


def chosen_strength(way, problem: Problem, rows: np.ndarray) -> float:
    """The C of the grid that is best on held-out rows of the draw, all of its folds together; of more than ALL_FOLDS rows the
    first fold alone. Where rows of few groups leave no fold to choose on, the middle of the grid."""
    labels = problem.train.labels
    try:
        splits = folds.splits(problem.train.take(rows))
    except MosaicError:
        return STRENGTHS[len(STRENGTHS) // 2]
    truth, guesses = [], {strength: [] for strength in STRENGTHS}
    for fit, held in splits if len(rows) <= ALL_FOLDS else splits[:1]:
        first, second, _ = way.matrices(rows[fit], rows[held], threshold(way))
        path = estimators.path(way.probe(STRENGTHS[0]), first, labels[rows[fit]], second, STRENGTHS)
        for strength, (guess, _) in zip(STRENGTHS, path, strict=True):
            guesses[strength].append(guess)
        truth.append(labels[rows[held]])
    truth = np.concatenate(truth)
    return middle_best(STRENGTHS, [scores.macro_f1(truth, np.concatenate(guesses[s])) for s in STRENGTHS])


def threshold(way) -> float | None:
    """0 for binarised latents: whether one was active anywhere in the text."""
    return 0.0 if way.setting.binarized else None


def left_out(tables: Mapping[str, object]) -> float:
    """Share of activations (latents active in a token) that the top-n counts leave out. tables: {pooling: table}."""
    whole = tables["count"].matrix.sum()
    return float(1 - tables[TOP_N_POOLING].matrix.sum() / whole) if whole else 0.0


