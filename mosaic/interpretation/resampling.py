"""Intervals of AUROCs: the texts are drawn again, and every area is measured on the same draws.

Shapes: B resamples, n texts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RESAMPLES = 1000


def text_weights(strata: Sequence, drawn: np.ndarray, seed: int = 0) -> np.ndarray:
    """[B, n] how often each text stands in each resample: as many as there are in every stratum, drawn with replacement.

    strata: [n] the stratum of each text (texts were written so many of each). drawn: [n] bool, the texts that take
    part; the others weigh nothing.
    """
    weights = np.zeros((RESAMPLES, len(strata)), dtype=np.float32)
    rng = np.random.default_rng(seed)
    members: dict = {}
    for i in np.flatnonzero(drawn):
        members.setdefault(strata[i], []).append(i)
    for rows in members.values():
        weights[:, rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=RESAMPLES)
    return weights


def auroc_draws(present: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """[B] the area under the ROC curve in each resample, ties at half; NaN where all or no texts of one have the factor.

    present: [n] bool. values: [n] of one latent. weights: [B, n], how often a text stands in a resample.
    AUROC = sum over distinct values v of P_v (N_below(v) + N_v / 2) / (P N): P, N weights of texts with and without.
    """
    order = np.argsort(values, kind="stable")
    first = np.flatnonzero(np.append(True, np.diff(values[order]) != 0))
    ordered = weights[:, order].astype(np.float64)
    with_it = np.add.reduceat(ordered * present[order], first, axis=1)
    without = np.add.reduceat(ordered * ~present[order], first, axis=1)
    below = np.cumsum(without, axis=1) - without
    with np.errstate(invalid="ignore", divide="ignore"):
        return (with_it * (below + without / 2)).sum(1) / (with_it.sum(1) * without.sum(1))


def interval(draws: np.ndarray) -> list[float]:
    """[low, high] of the middle 95 % of the resamples."""
    return np.nanquantile(draws, [0.025, 0.975]).tolist()
