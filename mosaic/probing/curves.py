"""Score against the number of features, for any kind of features: the k whose class means differ most, and all of them.

The rule is that of `estimators.k_sparse`, all sizes at once: what is fitted before the probe (directions, the order of the
columns, their scale) is fitted once, on the fit rows alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.errors import MosaicError
from mosaic.probing import scores
from mosaic.probing.candidates import STRENGTHS
from mosaic.probing.estimators import MeanDifferenceSelector
from mosaic.probing.linear import LogisticProbe
from mosaic.probing.selection import middle_best

LINEAR = ("mean", "last", "sum")  # poolings that a direction may be taken before or after
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
ALL = "all"


@dataclass(frozen=True)
class Fit:
    """A probe on some columns. predicted: labels of the test rows. validation: macro-F1 on the held rows. strength: the C
    that is best there. solved: whether the last fit came to its end."""

    predicted: np.ndarray
    validation: float
    strength: float
    solved: bool


def curve(
    train, labels: np.ndarray, test, split: tuple[np.ndarray, np.ndarray], sizes: Sequence[int] = SIZES, directions=None
) -> dict[str, Fit]:
    """{"1": fit, "2": ..., "all": fit}: a probe on the k columns of largest mean difference for each k, and on all.

    train, test: feature rows (sparse or dense). split: (fit, held) rows of train, on which C is chosen for each k.
    directions: an estimator whose features of the rows are meant (None: the columns themselves), fitted on the fit rows
    alone. Sizes that reach the number of columns are left out: that is
    "all" ("1", where there is one column).
    """
    fit, held = split
    first, second = _ordered(train[fit], labels[fit], train[held], directions)
    whole, other = _ordered(train, labels, test, directions)
    n_columns = train.shape[1] if directions is None else whole.shape[1]
    found = {}
    for k in (*(k for k in sizes if k < n_columns), None):
        probes = LogisticProbe().path(first[:, :k], labels[fit], STRENGTHS)
        values = [scores.macro_f1(labels[held], probe.predict(second[:, :k])) for probe in probes]
        strength = middle_best(STRENGTHS, values)
        probe = LogisticProbe(strength).fit(whole[:, :k], labels)
        name = str(k or (ALL if n_columns > 1 else 1))
        found[name] = Fit(probe.predict(other[:, :k]), max(values), strength, probe.converged_)
    return found


def check_linear(pooling: str) -> None:
    """Raises MosaicError for a pooling after which directions of the residual stream are no longer what they were."""
    if pooling not in LINEAR:
        raise MosaicError(
            f"the pooling {pooling!r} is not linear, so that directions of the residual stream cannot be taken of pooled "
            f"states; choose from {', '.join(LINEAR)}."
        )


def _ordered(fit, labels: np.ndarray, other, directions) -> tuple[np.ndarray, np.ndarray]:
    """(fit rows, other rows), dense, columns by falling mean difference, scaled to unit variance in the fit rows; columns
    that are the same in all fit rows carry nothing and are dropped."""
    from sklearn.base import clone
    from sklearn.preprocessing import StandardScaler

    first, second = (x.toarray() if hasattr(x, "toarray") else x for x in (fit, other))
    if directions is not None:
        directions = clone(directions).fit(first, labels)
        first, second = directions.transform(first), directions.transform(second)
    order = np.argsort(-MeanDifferenceSelector().fit(first, labels).scores_, kind="stable")
    varies = np.ptp(first, axis=0) > 0
    order = order[varies[order]] if varies.any() else order[:1]
    scaler = StandardScaler(with_mean=False).fit(first[:, order])
    return scaler.transform(first[:, order]), scaler.transform(second[:, order])
