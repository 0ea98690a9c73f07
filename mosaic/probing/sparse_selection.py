"""Choosing columns by an L1 penalty: the first to get a weight as the penalty falls."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

STEPS = np.geomspace(1, 1e-3, 90)
SAME = 1 - 1e-6  # correlation from which one column repeats another
BLOCK = 1_024  # columns compared with all at once
NOTHING = 1e-4  # of the largest weight: what rounding leaves to a column that repeats another


class LassoSelector(SelectorMixin, BaseEstimator):
    """Keep the k columns that come first on the lasso's path.

    Columns are scaled to unit variance; each class (the second of two) is told from the rest, its 0 and 1 centred and scaled
    likewise. A column's score is the largest of the penalties STEPS (shares of the one at which no column has a weight), over
    the classes, at which it has a weight, and then that weight's size; fewer than k are kept where fewer have one, and one at
    least. Of columns that repeat one another the first alone can. k: a positive integer.
    Source: Tibshirani 1996, solved by coordinate descent (Friedman and others 2010). Not by LARS: where columns repeat
    others, its path hung on the last digits, and two processors kept sets of 256 latents of which half were the same.
    """

    def __init__(self, k=20):
        self.k = k

    def fit(self, X, y) -> LassoSelector:
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32])
        if not isinstance(self.k, int | np.integer) or self.k < 1:
            raise ValueError(f"k is {self.k!r}; a positive integer was expected.")
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(f"there is one class only, {str(self.classes_[0])!r}; two are needed to choose by.")
        scaled = _scaled(X.astype(np.float64))
        told = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        distinct = _distinct(scaled)
        scaled, self.scores_ = np.asfortranarray(scaled[:, distinct]), np.zeros(X.shape[1])
        entered = [_entered(scaled, _scaled((y == label).astype(np.float64)), self.k) for label in told]
        self.scores_[distinct] = np.max(entered, axis=0)
        order = np.argsort(-self.scores_, kind="stable")[: max(1, min(self.k, int((self.scores_ > 0).sum())))]
        self.support_ = np.zeros(X.shape[1], dtype=bool)
        self.support_[order] = True
        return self

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        return self.support_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def _scaled(values: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and variance 1; those that do not vary are 0."""
    centred = values - values.mean(axis=0)
    deviation = centred.std(axis=0)
    return centred / np.where(deviation > 1e-12, deviation, 1.0)


def _distinct(X: np.ndarray) -> np.ndarray:
    """Scaled columns without those that repeat an earlier one, as latents do that fire on one text alone.

    By correlation: real repeats differ in their last digits, and are 1e-14 from 1.
    """
    n, p = X.shape
    repeats = np.zeros(p, dtype=bool)
    for start in range(0, p, BLOCK):
        end = min(start + BLOCK, p)
        alike = X[:, :end].T @ X[:, start:end] > n * SAME
        repeats[start:end] = np.triu(alike, 1 - start).any(axis=0)  # of earlier columns alone
    return np.flatnonzero(~repeats)


def _entered(X: np.ndarray, y: np.ndarray, k: int) -> np.ndarray:
    """[p] penalty at which each column first has a weight, larger weights first among equal ones; 0 for those that have none by
    the penalty at which k have."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import enet_path

    scores, weights = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    largest = np.abs(X.T @ y).max() / len(y)
    if largest < 1e-12:
        return scores
    for penalty in largest * STEPS:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", ConvergenceWarning
            )  # near enough: what is asked is which columns have a weight
            _, path, _ = enet_path(X, y, l1_ratio=1.0, alphas=[penalty], coef_init=weights)
        weights = path[:, 0]
        size = np.abs(weights)
        new = (scores == 0) & (size > NOTHING * size.max())
        scores[new] = penalty * (1 + 1e-3 * size[new] / size.max())  # less than a step, so that penalties come first
        if (scores > 0).sum() >= k:
            break
    return scores
