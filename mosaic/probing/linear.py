"""The linear probe as a scikit-learn estimator, and the whole path of its regularisation on the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from mosaic.probing import newton
from mosaic.probing.reduction import Rows


class LogisticProbe(ClassifierMixin, BaseEstimator):
    """L2-regularised logistic regression, classes balanced, solved to a stated accuracy.

    The same objective as scikit-learn's LogisticRegression(C=C, class_weight="balanced"): softmax for three classes
    and more, one row of weights for two, intercepts free. tol: relative error of the weights, bounded by the gradient
    (`mosaic.probing.newton`). max_iter: Newton steps.

    After fit: coef_ [1 or n_classes, n_columns], intercept_, classes_, n_iter_ (steps made), error_ (the bound that
    was reached), converged_ (that it is below tol).
    """

    def __init__(self, C=1.0, tol=newton.TOLERANCE, max_iter=newton.STEPS):
        self.C = C
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, X, y) -> LogisticProbe:
        (fitted,) = self.path(X, y, [self.C])
        vars(self).update(vars(fitted))
        return self

    def path(self, X, y, strengths: Sequence[float]) -> Iterator[LogisticProbe]:
        """A fitted probe for each C in turn, each solved from where the one before ended."""
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=[np.float64, np.float32])
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"there is one class only, {classes[0]!r}; two are needed to learn from.")
        s = (len(codes) / (len(classes) * np.bincount(codes)))[codes]
        Y = np.eye(len(classes))[codes].T
        Y = Y[1:] if len(classes) == 2 else Y
        rows, found = Rows(X, s, several=len(strengths) > 1), None
        for C in strengths:
            found = newton.minimise(rows, Y, s, C, found, self.tol, self.max_iter)
            fitted = clone(self).set_params(C=C)
            vars(fitted).update({name: value for name, value in vars(self).items() if name.endswith("_in_")})
            fitted.classes_, fitted.n_iter_ = classes, found.n_steps
            fitted.error_, fitted.converged_ = found.error, found.solved
            fitted.coef_, fitted.intercept_ = rows.coefficients(found.W, found.b)
            yield fitted

    def decision_function(self, X) -> np.ndarray:
        """Scores: [n] of the second class for two classes, [n, n_classes] for more."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False)
        scores = X @ self.coef_.T.astype(X.dtype) + self.intercept_
        return scores.ravel() if len(self.coef_) == 1 else scores

    def predict(self, X) -> np.ndarray:
        scores = self.decision_function(X)
        return self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(1)]

    def predict_proba(self, X) -> np.ndarray:
        """[n, n_classes], in the order of classes_."""
        from scipy.special import expit, softmax

        scores = self.decision_function(X)
        return np.stack([expit(-scores), expit(scores)], 1) if scores.ndim == 1 else softmax(scores, 1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
