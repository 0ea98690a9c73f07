"""The candidates: each gives the columns of one way to classify, and the probe that reads them.

SAE latents and hidden states come from feature tables, TF-IDF from the texts themselves, the majority class from
nothing. Equal treatment (design notes, audit A5): every pooling for SAE latents and for hidden states, all scaled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mosaic.features.table import FeatureTable
from mosaic.probing import estimators
from mosaic.probing.problem import Problem

STRENGTHS = tuple(10.0**power for power in range(-5, 4))  # C, the same for every kind of features
COUNT_THRESHOLDS = (0.0, 1.0, 2.0)
QUANTILES = (0.25, 0.5, 0.75)
DENSE_CELLS = 200_000_000  # of fit and other rows together: 0.8 GB in float32


@dataclass(frozen=True)
class Setting:
    """One way to classify. layer, width, pooling, binarized are None where they do not apply."""

    features: str
    layer: int | None = None
    width: str | None = None
    pooling: str | None = None
    binarized: bool = False
    classifier: str = "logistic"

    @property
    def encoder(self) -> tuple | None:
        """(features, layer, width), or None for features of no layer."""
        return None if self.layer is None else (self.features, self.layer, self.width)


@dataclass(frozen=True)
class TableFeatures:
    """Columns of one feature table; rows 0..n_train-1 are train, the rest test. SAE latents are sparse, hidden states
    are not: these are centred too, and never kept sparse."""

    problem: Problem
    table: FeatureTable
    binarized: bool = False

    strengths = STRENGTHS

    @property
    def setting(self) -> Setting:
        what = self.table.provenance
        return Setting(what["features"], what["layer"], what.get("width"), what["pooling"], self.binarized)

    @property
    def hidden(self) -> bool:
        return self.table.provenance["features"] == "hidden"

    @property
    def cells(self) -> int:
        """At most so many numbers does `matrices` hold at once; the last fit, train and test, is the largest."""
        rows, columns = self.table.matrix.shape
        return rows * columns if self.hidden else min(rows * columns, DENSE_CELLS)

    def thresholds(self, rows: np.ndarray) -> tuple[float | None, ...]:
        if not self.binarized:
            return (None,)
        return thresholds_for(self.table.provenance["pooling"], self.table.matrix[rows].data)

    def matrices(self, fit: np.ndarray, other: np.ndarray, threshold: float | None):
        """(fit rows, other rows); columns that are zero in all fit rows carry nothing and are dropped."""
        first, second = self.table.matrix[fit], self.table.matrix[other]
        if threshold is not None:
            first, second = binarise(first, threshold), binarise(second, threshold)
        active = first.getnnz(axis=0) > 0
        columns = np.flatnonzero(active) if active.any() else np.arange(1)
        first, second = first[:, columns], second[:, columns]
        # BLAS on dense rows beats sparse products unless the matrix would be huge. The bound is of one matrix and the
        # same on every machine: how many fits run at once is bounded apart, so that cores never change a number.
        if self.hidden or (len(fit) + len(other)) * len(columns) <= DENSE_CELLS:
            first, second = first.toarray(), second.toarray()
        return first, second, columns

    def probe(self, strength: float):
        return estimators.logistic(strength, center=self.hidden)


@dataclass(frozen=True)
class TfidfFeatures:
    """TF-IDF of words or of characters, its vocabulary learned on the fit rows alone."""

    problem: Problem
    kind: str

    strengths = STRENGTHS
    cells = 0

    @property
    def setting(self) -> Setting:
        return Setting("tfidf", pooling=self.kind)

    def thresholds(self, rows: np.ndarray) -> tuple[None]:
        return (None,)

    def matrices(self, fit: np.ndarray, other: np.ndarray, threshold: None):
        texts = self.problem.train.texts + self.problem.test.texts
        vectorizer = estimators.tfidf(self.kind)
        analyse = vectorizer.build_analyzer()
        if not any(analyse(texts[i]) for i in fit):
            # Emoji or punctuation alone: nothing to count, one class is guessed.
            return np.zeros((len(fit), 1)), np.zeros((len(other), 1)), np.arange(1)
        first = vectorizer.fit_transform([texts[i] for i in fit])
        return first, vectorizer.transform([texts[i] for i in other]), np.arange(first.shape[1])

    def probe(self, strength: float):
        return estimators.tfidf_probe(strength)


@dataclass(frozen=True)
class Majority:
    """The largest class of the fit rows, whatever the text."""

    problem: Problem

    strengths = (None,)
    cells = 0
    setting = Setting("majority", classifier="majority")

    def thresholds(self, rows: np.ndarray) -> tuple[None]:
        return (None,)

    def matrices(self, fit: np.ndarray, other: np.ndarray, threshold: None):
        return np.zeros((len(fit), 1)), np.zeros((len(other), 1)), np.arange(1)

    def probe(self, strength: None):
        return estimators.majority()


def binarise(matrix, threshold: float):
    """scikit-learn's Binarizer (x > threshold -> 1), zeros dropped from the sparse structure."""
    from sklearn.preprocessing import Binarizer

    out = Binarizer(threshold=threshold).fit_transform(matrix)
    out.eliminate_zeros()
    return out


def thresholds_for(pooling: str, positive: np.ndarray) -> tuple[float, ...]:
    """Thresholds to try: whole numbers for counts (a count > 1 means two tokens), quartiles of the rest."""
    if pooling == "count" or pooling.startswith("top"):
        return COUNT_THRESHOLDS
    if not len(positive):
        return (0.0,)
    return (0.0, *(float(q) for q in np.quantile(positive, QUANTILES)))
