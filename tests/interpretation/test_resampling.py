"""Resampled areas: what a weight means, and how wide an interval is."""

import numpy as np
from sklearn.metrics import roc_auc_score

from mosaic.interpretation import resampling


def test_a_weighted_area_is_that_of_the_repeated_texts():
    rng = np.random.default_rng(0)
    present, values = rng.random(30) < 0.4, rng.integers(0, 5, 30).astype(float)  # many ties
    weights = rng.integers(0, 3, (6, 30))
    got = resampling.auroc_draws(present, values, weights)
    want = [roc_auc_score(np.repeat(present, w), np.repeat(values, w)) for w in weights]
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_a_resample_without_the_factor_has_no_area():
    present, values = np.array([True, False, False]), np.array([1.0, 0.0, 2.0])
    got = resampling.auroc_draws(present, values, np.array([[0, 1, 1], [1, 1, 1]]))
    assert np.isnan(got[0]) and got[1] == 0.5


def test_resamples_keep_the_size_of_every_stratum_and_leave_the_others_out():
    strata = ["a"] * 6 + ["b"] * 4
    drawn = np.arange(10) % 2 == 1
    weights = resampling.text_weights(strata, drawn)
    assert weights.shape == (resampling.RESAMPLES, 10) and not weights[:, ~drawn].any()
    assert (weights[:, :6].sum(1) == 3).all() and (weights[:, 6:].sum(1) == 2).all()


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    """Two normal distributions one deviation apart: the true area is Phi(1 / sqrt 2) = .760."""
    rng = np.random.default_rng(1)
    present = np.arange(200) % 2 == 0
    weights = resampling.text_weights(present, np.ones(200, dtype=bool))
    covered = []
    for _ in range(60):
        low, high = resampling.interval(resampling.auroc_draws(present, rng.normal(size=200) + present, weights))
        covered.append(low <= 0.7602 <= high)
    assert np.mean(covered) > 0.85
