"""SAEs of two losses compared where they are equal in one thing: L0 at equal added cross-entropy, cross-entropy at equal L0.

Along one loss, SAEs of rising lambda are points (x, y), joined by straight lines in log x and log y; nothing is said beyond the
ends. Two curves are compared at LEVELS values of log x, evenly spaced over the range that both have: the mean of
log y - log y' over them is one number, and exp of it a ratio. For the interval the texts are drawn anew, all SAEs on the same draw; a
draw whose ranges do not overlap, or in which a figure is not above 0, gives no number, and where more than a twentieth give none,
there is no interval.

Shapes: S SAEs along a loss, R draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.agreement.resampling import LEVEL, quantiles

LEVELS = 33
LEAST_DRAWS = 0.95


@dataclass(frozen=True)
class Curve:
    """What is read off at equal x. x, y: [S] of all texts; drawn_x, drawn_y: [R, S] of each draw of them."""

    x: np.ndarray
    y: np.ndarray
    drawn_x: np.ndarray
    drawn_y: np.ndarray


@dataclass(frozen=True)
class Contrast:
    """value, interval: of the ratio of y at equal x; low, high: the range of x that both have. None: they have none, or a figure is
    not above 0."""

    value: float | None
    interval: list[float] | None
    low: float | None
    high: float | None

    def summary(self) -> dict:
        return {"ratio": self.value, "interval": self.interval, "range": [self.low, self.high]}


def ratio(first: Curve, second: Curve) -> Contrast:
    """The ratio of first's y to second's at equal x."""
    value = log_ratio(first.x, first.y, second.x, second.y)
    if not np.isfinite(value):
        return Contrast(None, None, None, None)
    overlap = shared_range(first.x, second.x)
    columns = (first.drawn_x, first.drawn_y, second.drawn_x, second.drawn_y)
    draws = np.array([log_ratio(*row) for row in zip(*columns, strict=True)])
    enough = np.isfinite(draws).mean() >= LEAST_DRAWS
    interval = quantiles(draws, LEVEL) if enough else None
    return Contrast(float(np.exp(value)), interval and np.exp(interval).tolist(), *overlap)


def shared_range(x: Sequence[float], other: Sequence[float]) -> tuple[float, float] | None:
    """The values of x that lie between both curves' ends; None where there are none."""
    low, high = max(min(x), min(other)), min(max(x), max(other))
    return (float(low), float(high)) if low < high else None


def log_ratio(x: np.ndarray, y: np.ndarray, other_x: np.ndarray, other_y: np.ndarray) -> float:
    """Mean over the shared range of log x of log y - log other_y; NaN where there is none, or a number is not above 0."""
    overlap = shared_range(x, other_x)
    if overlap is None or min(map(np.min, (x, y, other_x, other_y))) <= 0:
        return float("nan")
    at = np.linspace(*np.log(overlap), LEVELS)
    return float(np.mean(_read(at, x, y) - _read(at, other_x, other_y)))


def _read(at: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """log y at these log x, on straight lines between neighbours."""
    order = np.argsort(x, kind="stable")
    return np.interp(at, np.log(x[order]), np.log(y[order]))
