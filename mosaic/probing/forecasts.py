"""Forecasts of a yes or no: how well they rank (AUROC), how far off they are (expected calibration error), in intervals.

A forecast is a probability that the answer is yes. AUROC asks for their order alone; calibration error asks whether, of all
that is forecast at .7, seven in ten come true, and is small too for one who always says how often it happens at all.
Resamples are of rows, or of whole groups, the same for two forecasts that are compared.

Shapes: n rows, R resamples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mosaic.probing.examine import candidate_of
from mosaic.probing.problem import Problem
from mosaic.probing.scores import RESAMPLES, Difference
from mosaic.probing.selection import Result

BINS = 10  # of equally many rows each
Metric = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # truth [n], forecast [n], weights [R, n] -> [R]


@dataclass(frozen=True)
class Measured:
    """A figure of one forecast with its 95 % interval."""

    value: float
    low: float
    high: float

    def summary(self) -> dict:
        """As results record it: value, interval."""
        return {"value": self.value, "interval": [self.low, self.high]}


def of_probe(problem: Problem, result: Result, label: str) -> np.ndarray:
    """[test rows]: a result's probability of `label`, one of two classes, the chosen probe fitted once more.

    Probes weigh both classes alike, whatever their shares; their odds are brought back to the shares of the training set:
    odds * n(label) / n(other). The majority class forecasts its share.
    """
    train, n = problem.train, len(problem.train)
    share = float(np.mean(train.labels == label))
    if result.setting.features == "majority":
        return np.full(len(problem.test), share)
    candidate = candidate_of(problem, result)
    fit, test = np.arange(n), np.arange(n, n + len(problem.test))
    first, second, _ = candidate.matrices(fit, test, result.threshold)
    probe = candidate.probe(result.strength).fit(first, train.labels)
    balanced = probe.predict_proba(second)[:, list(probe.classes_).index(label)]
    yes, no = balanced * share, (1 - balanced) * (1 - share)
    return yes / (yes + no)


def auroc(truth: np.ndarray, forecast: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """[R]: the probability that a yes is ranked above a no, ties counting half; nan where a resample has one kind alone."""
    of = np.argsort(forecast, kind="stable")
    _, tie = np.unique(forecast[of], return_inverse=True)
    yes = np.stack([np.bincount(tie, w) for w in (weights * truth)[:, of]])
    no = np.stack([np.bincount(tie, w) for w in (weights * ~truth)[:, of]])
    below = no.cumsum(axis=1) - no
    with np.errstate(invalid="ignore", divide="ignore"):
        return (yes * (below + no / 2)).sum(axis=1) / (yes.sum(axis=1) * no.sum(axis=1))


def calibration_error(truth: np.ndarray, forecast: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """[R]: sum over bins of (share of rows) * |mean forecast - share of yes|; bins of equally many rows, the same in every
    resample (expected calibration error; Naeini et al. 2015, with the bins of Nixon et al. 2019)."""
    off = weights * (forecast - truth)
    bins = [rows for rows in binned(forecast) if len(rows)]
    return sum(np.abs(off[:, rows].sum(axis=1)) for rows in bins) / weights.sum(axis=1)


def binned(forecast: np.ndarray) -> list[np.ndarray]:
    """Rows of each bin, from the lowest forecasts to the highest. Equal forecasts share a bin, whatever its size."""
    order = np.argsort(forecast, kind="stable")
    ranks = np.searchsorted(forecast[order], forecast)  # of equal ones, that of the first
    which = ranks * BINS // len(forecast)
    return [np.flatnonzero(which == b) for b in range(BINS)]


def reliability(truth: np.ndarray, forecast: np.ndarray) -> list[dict]:
    """A row a bin: mean forecast, share that came true with its 95 % interval (Clopper and Pearson), rows."""
    from scipy.stats import beta

    rows = []
    for members in binned(forecast):
        if n := len(members):
            k = int(truth[members].sum())
            low = float(beta.ppf(0.025, k, n - k + 1)) if k else 0.0
            high = float(beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
            rows.append({"forecast": float(forecast[members].mean()), "share": k / n, "low": low, "high": high, "n": n})
    return rows


def measure(metric: Metric, truth: np.ndarray, forecast: np.ndarray, groups: np.ndarray | None) -> Measured:
    """One forecast. Noise makes a calibration error too large, and resampling adds as much again: the interval has the spread
    of its resamples, around what was found; `noise` says how much of it may be none."""
    drawn, found = _resampled(metric, truth, forecast, groups)
    if metric is not calibration_error:
        return Measured(found, *_interval(drawn))
    low, high = _interval(drawn - drawn.mean() + found)
    return Measured(found, max(low, 0.0), high)


def compare(metric: Metric, truth: np.ndarray, a: np.ndarray, b: np.ndarray, groups: np.ndarray | None) -> Difference:
    """Forecast a minus forecast b on the same resamples: difference, 95 % interval, two-sided p.

    Resamples of calibration errors are mirrored at what was found (the basic bootstrap): what resampling adds to a is not what
    it adds to b, and it is taken off instead of counted twice.
    """
    (first, of_a), (second, of_b) = (_resampled(metric, truth, forecast, groups) for forecast in (a, b))
    draws = first - second
    draws = 2 * (of_a - of_b) - draws if metric is calibration_error else draws
    draws = draws[np.isfinite(draws)]
    tail = min((draws <= 0).sum(), (draws >= 0).sum())
    return Difference(of_a - of_b, *_interval(draws), float(min(1.0, 2 * (tail + 1) / (len(draws) + 1))))


def noise(forecast: np.ndarray, draws: int = 500) -> float:
    """The calibration error that these forecasts would show, on average, were they all right: what so few rows cannot tell
    from none."""
    came_true = np.random.default_rng(0).uniform(size=(draws, len(forecast))) < forecast
    one = np.ones((1, len(forecast)))
    return float(np.mean([calibration_error(truth, forecast, one)[0] for truth in came_true]))


def _resampled(metric: Metric, truth, forecast, groups) -> tuple[np.ndarray, float]:
    """(in each resample [R], as observed)."""
    units = (
        np.arange(len(truth)) if groups is None else np.unique(np.asarray(groups).astype(str), return_inverse=True)[1]
    )
    n = int(units.max()) + 1
    drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)[:, units].astype(float)
    return metric(truth, forecast, drawn), float(metric(truth, forecast, np.ones((1, len(truth))))[0])


def _interval(draws: np.ndarray) -> tuple[float, float]:
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return float(low), float(high)
