"""Choosing columns by an L1 penalty: those to which a sparse linear probe gives weight."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

GROWTH = tuple(2.0**step for step in range(1, 8))  # times the C below which every weight is zero


class L1Selector(SelectorMixin, BaseEstimator):
    """Keep the k columns with the largest weights of an L1-penalised logistic regression.

    Columns are scaled to unit variance, classes balanced; of more than two classes each is told from the rest, and a
    column's largest weight counts. The penalty is the strongest of a few (`GROWTH`) that leaves k columns with a weight;
    where none leaves so many, those of the weakest. k: columns kept at most, and one at least. Equal weights keep the lower
    column. Source: Tibshirani 1996; solved by liblinear.
    """

    def __init__(self, k=20):
        self.k = k

    def fit(self, X, y) -> L1Selector:
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import l1_min_c

        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=[np.float64, np.float32])
        if not isinstance(self.k, int | np.integer) or self.k < 1:
            raise ValueError(f"k is {self.k!r}; a positive integer was expected.")
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(f"there is one class only, {self.classes_[0]!r}; two are needed to choose by.")
        scaled = StandardScaler(with_mean=False).fit_transform(X).astype(np.float64)
        told = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        flat = not np.any(np.ptp(scaled, axis=0) if isinstance(scaled, np.ndarray) else scaled.max(0).toarray())
        least = 1.0 if flat else l1_min_c(scaled, y, loss="log")
        for times in GROWTH:
            self.scores_ = np.max([_weights(scaled, y == label, times * least) for label in told], axis=0)
            if (self.scores_ > 0).sum() >= self.k:
                break
        order = np.argsort(-self.scores_, kind="stable")[: max(1, min(self.k, int((self.scores_ > 0).sum())))]
        self.support_ = np.zeros(X.shape[1], dtype=bool)
        self.support_[order] = True
        return self

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        return self.support_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        return tags


def _weights(X, own: np.ndarray, C: float) -> np.ndarray:
    """[p] sizes of the weights that tell one class from the rest. Which columns have weight needs no exact end: a fit that
    stops early is taken as it is."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    probe = LogisticRegression(
        C=C, l1_ratio=1.0, solver="liblinear", class_weight="balanced", tol=1e-3, max_iter=100, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.abs(probe.fit(X, own).coef_[0])
