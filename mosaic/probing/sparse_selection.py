"""Choosing columns by an L1 penalty: the first to get a weight as the penalty falls."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class LassoSelector(SelectorMixin, BaseEstimator):
    """Keep the k columns that come first on the lasso's path.

    Columns are scaled to unit variance; each class (the second of two) is told from the rest, its 0 and 1 centred and scaled
    likewise. A column's score is the largest penalty, over the classes, at which it has a weight; fewer than k are kept where
    fewer ever have one, and one at least. Equal scores keep the lower column. k: a positive integer.
    Source: Tibshirani 1996; the path is that of Efron and others 2004 (LARS).
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
        self.scores_ = np.max([_entered(scaled, _scaled((y == label).astype(np.float64)), self.k) for label in told], 0)
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


def _entered(X: np.ndarray, y: np.ndarray, k: int) -> np.ndarray:
    """[p] penalty at which each column first has a weight; 0 for those that have none before k steps are made."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import lars_path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # columns that repeat others: left out
        penalties, _, weights = lars_path(X, y, method="lasso", max_iter=k)
    # A column that enters at a knot has its first weight at the next one.
    ever = weights[:, 1:] != 0
    return np.where(ever.any(axis=1), penalties[np.argmax(ever, axis=1)] if ever.size else 0.0, 0.0)
