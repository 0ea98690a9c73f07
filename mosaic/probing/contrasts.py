"""Two ways of arriving at a number, each a weighted sum of F1 scores on the same rows, and how far they lie apart.

D = sum_i w_i F(p_i) over the first way's arms - the same over the second's, mean over test sets. `scores.compare_over_sets`
is the case of one arm a side; a lead against another lead has two; a mean over draws has one arm a draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.probing import scores
from mosaic.probing.scores import Difference


@dataclass(frozen=True)
class Arm:
    """w F(p): predictions [n] and their weight. labels: F is the mean F1 of these alone; None: macro-F1, of all."""

    predicted: np.ndarray
    weight: float = 1.0
    labels: tuple[str, ...] | None = None

    def value(self, truth: np.ndarray) -> float:
        """w F(p) on all rows."""
        return float(self.resampled(truth, np.ones((1, len(truth))))[0])

    def resampled(self, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """[R] w F(p) where row i counts weights[r, i] times. A label that occurs in no row counted is left out."""
        labels = np.array(
            sorted(set(truth) | set(self.predicted)) if self.labels is None else self.labels, dtype=object
        )
        true, guess = (np.asarray(rows, dtype=object)[:, None] == labels for rows in (truth, self.predicted))
        hits, total = weights @ (true & guess), weights @ (true.astype(np.float64) + guess)
        with np.errstate(invalid="ignore", divide="ignore"):
            f1 = np.where(total > 0, 2 * hits / total, np.nan)
        return self.weight * np.nanmean(f1, axis=1)


@dataclass(frozen=True)
class Case:
    """One test set: labels [n], the arms of either way, groups [n] or None (every row its own)."""

    truth: np.ndarray
    first: Sequence[Arm]
    second: Sequence[Arm]
    groups: np.ndarray | None = None

    def levels(self) -> tuple[float, float]:
        """What either way comes to, on all rows."""
        first, second = (sum(arm.value(self.truth) for arm in arms) for arms in (self.first, self.second))
        return first, second

    def draws(self, seed: int) -> np.ndarray:
        """[RESAMPLES] first minus second, rows (groups) resampled, the same for all arms."""
        units = np.arange(len(self.truth)) if self.groups is None else np.asarray(self.groups).astype(str)
        names, unit_of_row = np.unique(units, return_inverse=True)
        weights = scores._unit_weights(len(names), seed).astype(np.float64)[:, unit_of_row]
        first, second = (sum(arm.resampled(self.truth, weights) for arm in arms) for arms in (self.first, self.second))
        return first - second


def contrast(cases: Sequence[Case], seed: int = 0) -> Difference:
    """Mean over test sets of first minus second; the interval is over test rows and over the sets themselves.

    Few sets, or sets that disagree, make it wide; one alone gives the interval over its rows.
    """
    observed = [np.subtract(*case.levels()) for case in cases]
    draws = np.stack([case.draws(seed + i) for i, case in enumerate(cases)], axis=1)
    weights = scores.draw_weights(len(cases), np.random.default_rng([seed, scores.RESAMPLES]))
    return scores._difference(float(np.mean(observed)), (draws * weights).sum(axis=1))
