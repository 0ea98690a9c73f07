"""Directions of the residual stream as features: random orthogonal ones, and the supervised one between class means.

What an SAE's latents are held against: each feature is a product with one direction, nothing is thresholded. They are taken
of pooled hidden states, which for a pooling that is linear (mean, sum, last) is the same as pooling them.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class RandomDirections(TransformerMixin, BaseEstimator):
    """x Q, Q [d, d] a random rotation (orthogonal, drawn evenly): as many directions as there are dimensions."""

    def __init__(self, seed=0):
        self.seed = seed

    def fit(self, X, y=None) -> RandomDirections:
        X = validate_data(self, X, dtype=[np.float64, np.float32])
        normal = np.random.default_rng(self.seed).normal(size=(X.shape[1], X.shape[1]))
        q, r = np.linalg.qr(normal)
        self.directions_ = q * np.sign(np.diag(r))  # without the signs Q would not be drawn evenly
        return self

    def transform(self, X) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return X @ self.directions_.astype(X.dtype)


class MeanDifference(TransformerMixin, BaseEstimator):
    """x w, w [d] the difference of class means: one feature, which has seen the labels.

    For more than two classes it is that of the class whose mean is farthest from the mean of the rest.
    Source: difference of means, as in AxBench (arXiv 2501.17148).
    """

    def fit(self, X, y) -> MeanDifference:
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32])
        self.classes_ = np.unique(y)
        differences = np.stack([X[y == c].mean(axis=0) - X[y != c].mean(axis=0) for c in self.classes_[-1:]])
        if len(self.classes_) > 2:
            differences = np.stack([X[y == c].mean(axis=0) - X[y != c].mean(axis=0) for c in self.classes_])
        self.direction_ = differences[np.linalg.norm(differences, axis=1).argmax()]
        return self

    def transform(self, X) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return X @ self.direction_[:, None]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
