"""The ways to use features that the chapter on few labels compares, and one fit of any of them from a few labelled texts.

All have one linear probe, `probing.newton`'s, and one prior. Few rows are too few to choose C on, and choosing it on other
labelled texts would be no setting of few labels. So C is fixed and means the same for every way: features are scaled by one
number until a row, centred, has a mean squared length of 1, as the rows of a bag of words nearly have. Weights drawn from
the prior then give the scores of two classes a deviation of about the root of C.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.errors import MosaicError
from mosaic.features.table import FeatureTable
from mosaic.probing import estimators, newton
from mosaic.probing.problem import Problem
from mosaic.probing.reduction import Rows
from mosaic.probing.sparse_selection import LassoSelector

BINARISED, EVERY, MEAN_DIFFERENCE, L1, TOP_N, HIDDEN, TFIDF = (
    "binarised", "all latents", "mean difference", "L1", "top-n", "hidden", "tfidf",
)  # fmt: skip
WAYS = (BINARISED, EVERY, MEAN_DIFFERENCE, L1, TOP_N, HIDDEN, TFIDF)
SELECTED = 20  # latents that a selection keeps: as many as the top-n counts keep of each token
POOLING, TOP_N_POOLING = "mean", "top20"
STRENGTH = 10.0  # C
OTHERS = (1.0, 100.0)  # with which all is done again, to see what hangs on it
WORDS = 20_000  # of a bag of words, as in `estimators.tfidf`


@dataclass(frozen=True)
class Columns:
    """Columns of a feature matrix [n_texts, p] (train, then test): those that vary in the labelled rows, or the `SELECTED`
    of them that a selector chooses by those rows and their labels, scaled there to unit variance."""

    matrix: np.ndarray
    by: str | None = None

    def rows(self, fit: np.ndarray, labels: np.ndarray, test: slice):
        """(fit rows, scaled; test rows, as they are; the scale [p]), dense. labels: of the fit rows."""
        first = self.matrix[fit]
        columns = np.flatnonzero(np.ptp(first, axis=0) > 0)
        if not len(columns):
            columns = np.arange(1)
        if self.by is not None:
            selector = {MEAN_DIFFERENCE: estimators.MeanDifferenceSelector, L1: LassoSelector}[self.by](SELECTED)
            columns = columns[selector.fit(first[:, columns], labels).get_support(indices=True)]
        first = first[:, columns]
        deviation = first.std(axis=0, dtype=np.float64)
        deviation = np.where(deviation > 0, deviation, 1.0)
        return first / deviation, np.take(self.matrix[test], columns, axis=1), deviation


@dataclass(frozen=True)
class Bag:
    """TF-IDF of word 1-2-grams, the same numbers as `candidates.TfidfFeatures`: vocabulary and weights are learned on the
    labelled rows alone, but each text is taken apart only once for all draws. counts: [n_texts, n_terms] CSR, terms in
    alphabetical order."""

    counts: object

    @classmethod
    def of(cls, texts: Sequence[str]) -> Bag:
        from scipy.sparse import csr_matrix
        from sklearn.feature_extraction.text import CountVectorizer

        words = estimators.tfidf("word")
        names = ("analyzer", "ngram_range", "token_pattern", "lowercase", "dtype")
        counter = CountVectorizer(**{name: getattr(words, name) for name in names})
        analyse = counter.build_analyzer()
        if not any(analyse(text) for text in texts):
            return cls(csr_matrix((len(texts), 1), dtype=np.float32))
        return cls(counter.fit_transform(texts).tocsr())

    def rows(self, fit: np.ndarray, labels: np.ndarray, test: slice):
        """The same, sparse, with a scale of 1; dense zeros where no labelled text holds a word, so that one class is guessed."""
        from sklearn.feature_extraction.text import TfidfTransformer

        first, second = self.counts[fit], self.counts[test]
        columns = np.flatnonzero(first.getnnz(axis=0))
        if len(columns) > WORDS:
            often = np.asarray(first[:, columns].sum(axis=0)).ravel()
            columns = np.sort(columns[(-often).argsort()[:WORDS]])
        if not len(columns):
            return np.zeros((len(fit), 1)), np.zeros((second.shape[0], 1)), np.ones(1)
        weigh = TfidfTransformer(sublinear_tf=True).fit(first[:, columns])
        return weigh.transform(first[:, columns]), weigh.transform(second[:, columns]), np.ones(len(columns))


Way = Columns | Bag


def ways(problem: Problem) -> dict[str, Way]:
    """{way: its features}, from the tables of one layer: SAE latents pooled by POOLING and TOP_N_POOLING, hidden states by
    POOLING. Raises MosaicError where a table is missing, or there are two of a kind."""
    tables: dict[tuple[str, str], FeatureTable] = {}
    for table in problem.tables:
        key = (table.provenance["features"], table.provenance["pooling"])
        if key in tables:
            raise MosaicError(f"there are two tables of {' '.join(key)}; one layer and one width were expected.")
        tables[key] = table
    wanted = [("sae", POOLING), ("sae", TOP_N_POOLING), ("hidden", POOLING)]
    if missing := [key for key in wanted if key not in tables]:
        raise MosaicError(f"no table has {' '.join(missing[0])} features, which are compared; extract them as well.")
    latents, counts, hidden = (tables[key].matrix.toarray() for key in wanted)
    return {
        BINARISED: Columns((latents > 0).astype(np.float32)),
        EVERY: Columns(latents),
        MEAN_DIFFERENCE: Columns(latents, MEAN_DIFFERENCE),
        L1: Columns(latents, L1),
        TOP_N: Columns(counts),
        HIDDEN: Columns(hidden),
        TFIDF: Bag.of(problem.train.texts + problem.test.texts),
    }


def predicted(way: Way, problem: Problem, rows: np.ndarray, strengths: Sequence[float]) -> np.ndarray:
    """Labels [C, n_test] of the test texts for each C, from the labelled texts `rows` of train and no others."""
    n = len(problem.train)
    labels = problem.train.labels[rows]
    first, second, scale = way.rows(rows, labels, slice(n, n + len(problem.test)))
    length = root_mean_square(first)
    return probe(first / length, labels, second, scale * length, strengths)


def root_mean_square(X) -> float:
    """Root of the mean squared length of centred rows; 1 where they do not vary."""
    from scipy.sparse import issparse

    squares = X.multiply(X).sum() if issparse(X) else np.square(X, dtype=np.float64).sum()
    variance = squares / X.shape[0] - np.square(np.asarray(X.mean(axis=0), dtype=np.float64)).sum()
    return float(np.sqrt(variance)) if variance > 1e-12 else 1.0


def probe(X, labels: np.ndarray, other, scale: np.ndarray, strengths: Sequence[float]) -> np.ndarray:
    """Labels [C, n_other]: what `linear.LogisticProbe`, fitted on X [n, p], says of other / scale, without what it checks of its
    input, which takes longer than a fit on few rows does. strengths: in rising order; each fit begins at the one before."""
    classes, codes = np.unique(labels, return_inverse=True)
    s = (len(codes) / (len(classes) * np.bincount(codes)))[codes]
    Y = np.eye(len(classes))[codes].T
    Y = Y[1:] if len(classes) == 2 else Y
    rows, found, said = Rows(X, s), None, []
    for C in strengths:
        found = newton.minimise(rows, Y, s, C, found)
        W, b = rows.coefficients(found.W, found.b)
        scores = other @ (W / scale).T + b
        said.append((scores[:, 0] > 0).astype(int) if len(W) == 1 else scores.argmax(axis=1))
    return classes[np.stack(said)]


def left_out(counts, top) -> float:
    """Share of activations (a latent active in a token) that the top-n counts leave out. counts, top: CSR of both."""
    whole = counts.sum()
    return float(1 - top.sum() / whole) if whole else 0.0
