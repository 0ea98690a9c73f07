"""Intervals over latents: of medians, of their differences, of rank correlations; latents are drawn again, with replacement.

What other latents of such dictionaries would have given is the question; the texts stay. Latents that were no numbers are left out.

Shapes: L latents, B resamples.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

RESAMPLES = 1000
DIGITS = 9  # sums are rounded to: their last digits differ between processors


def median(values: np.ndarray) -> dict:
    """{value, interval, n} of the median; interval None below two latents."""
    return _of(np.nanmedian, values)


def mean(values: np.ndarray) -> dict:
    return _of(np.nanmean, values)


def median_difference(first: np.ndarray, second: np.ndarray) -> dict:
    """Median of one set's latents minus that of another's; both are drawn again, each from its own."""
    first, second = _numbers(first), _numbers(second)
    value = float(np.median(first) - np.median(second))
    drawn = np.median(first[_drawn(len(first), 0)], axis=1) - np.median(second[_drawn(len(second), 1)], axis=1)
    return {
        "difference": value,
        "interval": np.quantile(drawn, [0.025, 0.975]).tolist(),
        "n": [len(first), len(second)],
    }


def at_equal_rates(first: np.ndarray, rate: np.ndarray, second: np.ndarray, other_rate: np.ndarray) -> dict:
    """The same where latents fire equally often: every latent of the second set beside the one of the first whose rate is nearest (on a
    logarithmic scale, of equal ones the lower number); mean difference of these pairs, which are drawn again."""
    kept, others = np.flatnonzero(np.isfinite(first)), np.flatnonzero(np.isfinite(second))
    order = kept[np.argsort(np.round(np.log(rate[kept]), DIGITS), kind="stable")]
    sorted_rate, wanted = np.round(np.log(rate[order]), DIGITS), np.round(np.log(other_rate[others]), DIGITS)
    right = (
        np.clip(np.searchsorted(sorted_rate, wanted), 1, max(len(order) - 1, 1))
        if len(order) > 1
        else np.zeros(len(wanted), int)
    )
    left = np.maximum(right - 1, 0)
    nearest = np.where(wanted - sorted_rate[left] <= sorted_rate[right] - wanted, left, right)
    pairs = first[order[nearest]] - second[others]
    found = mean(pairs)
    return {"difference": found["value"], "interval": found["interval"], "n": found["n"]}


def rank_correlation(first: np.ndarray, second: np.ndarray) -> dict:
    """Spearman's, of two scores of the same latents; value None where a score is one number for all."""
    from scipy.stats import rankdata

    both = np.isfinite(first) & np.isfinite(second)
    x, y = np.round(first[both], DIGITS), np.round(second[both], DIGITS)
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return {"value": None, "interval": None, "n": len(x)}
    rows = _drawn(len(x), 0)
    rows = np.concatenate([np.arange(len(x))[None], rows])
    ranks = [rankdata(one[rows], axis=1) for one in (x, y)]
    a, b = (one - one.mean(1, keepdims=True) for one in ranks)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1))
    return {"value": float(found[0]), "interval": np.nanquantile(found[1:], [0.025, 0.975]).tolist(), "n": len(x)}


def _of(statistic: Callable, values: np.ndarray) -> dict:
    values = _numbers(values)
    interval = None
    if len(values) > 1:
        interval = np.quantile(statistic(values[_drawn(len(values), 0)], axis=1), [0.025, 0.975]).tolist()
    return {"value": float(statistic(values)) if len(values) else None, "interval": interval, "n": len(values)}


def _numbers(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def _drawn(n: int, seed: int) -> np.ndarray:
    """[B, n] numbers of latents."""
    return np.random.default_rng(seed).integers(n, size=(RESAMPLES, n))
