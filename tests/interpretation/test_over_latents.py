"""Medians, differences and rank correlations with intervals over latents."""

import numpy as np
import pytest

from mosaic.interpretation import over_latents as over


def test_known_answers():
    values = np.array([1.0, np.nan, 3.0, 2.0])
    assert over.median(values)["value"] == 2 and over.median(values)["n"] == 3
    assert over.mean(values)["value"] == 2
    low, high = over.median(np.arange(101.0))["interval"]
    assert 30 < low < 50 < high < 70
    assert over.median(np.array([4.0])) == {"value": 4.0, "interval": None, "n": 1}
    assert over.median(np.array([np.nan])) == {"value": None, "interval": None, "n": 0}


def test_a_difference_excludes_zero_where_there_is_one_and_seldom_where_there_is_none():
    rng = np.random.default_rng(0)
    found = over.median_difference(rng.normal(1, 1, 200), rng.normal(0, 1, 300))
    assert found["interval"][0] > 0.5 and found["n"] == [200, 300]
    wrong = 0
    for _ in range(40):
        low, high = over.median_difference(rng.normal(size=80), rng.normal(size=80))["interval"]
        wrong += not low <= 0 <= high
    assert wrong <= 6


def test_rank_correlations_are_scipys():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(1)
    x = rng.integers(0, 6, 90).astype(float)
    y = x + rng.normal(0, 2, 90).round()
    y[3] = np.nan
    found, kept = over.rank_correlation(x, y), np.isfinite(y)
    assert found["value"] == pytest.approx(spearmanr(x[kept], y[kept]).statistic) and found["n"] == 89
    assert found["interval"][0] < found["value"] < found["interval"][1]
    assert over.rank_correlation(x, np.ones(90)) == {"value": None, "interval": None, "n": 90}
    assert over.rank_correlation(x[:2], y[:2])["value"] is None
