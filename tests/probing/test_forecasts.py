"""Forecasts: against scikit-learn and a loop that bins, on made-up forecasts whose calibration is known."""

from dataclasses import replace

import numpy as np
import pytest
import toy
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from mosaic.probing import comparison, examine, forecasts
from mosaic.probing.forecasts import auroc, calibration_error


def made_up(n=400, seed=0, ties=False):
    """Forecasts that are right: each comes true as often as it says."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(size=n)
    p = np.round(p, 1) if ties else p
    return rng.uniform(size=n) < p, p


def one(metric, truth, p):
    return float(metric(truth, p, np.ones((1, len(truth))))[0])


@pytest.mark.parametrize("ties", [False, True])
def test_auroc_is_scikit_learns_in_every_resample(ties):
    truth, p = made_up(60, ties=ties)
    weights = np.random.default_rng(1).multinomial(60, np.full(60, 1 / 60), size=20).astype(float)
    wanted = [roc_auc_score(truth, p, sample_weight=w) for w in weights]
    np.testing.assert_allclose(auroc(truth, p, weights), wanted)
    assert one(auroc, truth, np.full(60, 0.3)) == 0.5 and one(auroc, truth, truth.astype(float)) == 1.0
    assert np.isnan(auroc(np.ones(5, bool), np.arange(5.0), np.ones((1, 5)))[0])


@pytest.mark.parametrize("ties", [False, True])
def test_calibration_error_is_that_of_a_loop(ties):
    truth, p = made_up(97, seed=2, ties=ties)
    weights = np.random.default_rng(1).multinomial(97, np.full(97, 1 / 97), size=5).astype(float)
    bins = forecasts.binned(p)
    assert sorted(np.concatenate(bins).tolist()) == list(range(97))
    for w, got in zip(weights, calibration_error(truth, p, weights), strict=True):
        total = 0.0
        for rows in bins:
            if w[rows].sum():
                mean, share = (np.average(x[rows], weights=w[rows]) for x in (p, truth))
                total += w[rows].sum() / w.sum() * abs(mean - share)
        assert got == pytest.approx(total)


def test_equal_forecasts_share_a_bin_and_the_share_alone_is_calibrated():
    truth, _ = made_up(100)
    constant = np.full(100, truth.mean())
    assert [len(rows) for rows in forecasts.binned(constant)] == [100, *[0] * 9]
    assert one(calibration_error, truth, constant) == pytest.approx(0)
    (row,) = forecasts.reliability(truth, constant)
    assert row["forecast"] == pytest.approx(row["share"]) and row["low"] < row["share"] < row["high"]
    sure = forecasts.reliability(np.ones(20, bool), np.linspace(0.5, 0.9, 20))
    assert sum(row["n"] for row in sure) == 20 and {row["high"] for row in sure} == {1.0}


def test_right_forecasts_have_small_errors_and_too_sure_ones_large():
    truth, p = made_up(1000)
    sure = np.where(p > 0.5, 0.99, 0.01)
    right, off = (forecasts.measure(calibration_error, truth, f, None) for f in (p, sure))
    assert right.value < 0.06 and right.low < 0.02 and off.value == pytest.approx(0.24, abs=0.05) and off.low > 0.17
    worse = forecasts.compare(calibration_error, truth, sure, p, None)
    assert worse.low > 0.15 and worse.p < 0.01 and worse.difference == pytest.approx(off.value - right.value)
    same = forecasts.compare(auroc, truth, p, p**3, None)  # the same order
    assert same.difference == same.low == same.high == 0 and same.p == 1
    better = forecasts.compare(auroc, truth, p, np.roll(p, 1), None)
    assert better.low > 0.2


def test_groups_are_drawn_as_wholes():
    truth, p = made_up(300, seed=4)
    noisy = np.clip(p + np.random.default_rng(0).normal(0, 0.5, 300), 0, 1)
    alone = forecasts.measure(auroc, truth, noisy, None)
    doubled = forecasts.measure(auroc, np.tile(truth, 2), np.tile(noisy, 2), np.tile(np.arange(300), 2))
    assert doubled.value == pytest.approx(alone.value)
    assert doubled.high - doubled.low == pytest.approx(alone.high - alone.low, rel=0.1)


def test_noise_is_not_added_twice_and_is_said():
    """Right forecasts on few rows show an error; resamples as they are would show it twice over, and lie above it."""
    for seed in range(10):
        truth, p = made_up(150, seed=seed)
        found = forecasts.measure(calibration_error, truth, p, None)
        assert 0 <= found.low < found.value < found.high
        rows = np.random.default_rng(0).multinomial(150, np.full(150, 1 / 150), size=500).astype(float)
        assert calibration_error(truth, p, rows).mean() > found.value + 0.01
        level = forecasts.compare(calibration_error, truth, p, p, None)
        assert level.low == level.difference == level.high == 0
    values = [one(calibration_error, *made_up(150, seed=seed)) for seed in range(40)]
    assert forecasts.noise(made_up(150, seed=3)[1]) == pytest.approx(np.mean(values), abs=0.02)


def test_a_probes_forecast_is_that_of_an_unweighted_fit_in_the_middle():
    """Odds brought back from balanced classes: on a plain problem, those of a fit that never balanced them."""
    problem = toy.problem(n_train=400, n_test=200)
    keep = np.flatnonzero((problem.train.labels == "a") | (np.arange(400) % 4 == 0))
    rows = np.concatenate([keep, np.arange(400, 600)])
    tables = tuple(t.take(rows) for t in problem.tables)
    problem = replace(problem, train=problem.train.take(keep), tables=tables)
    found = comparison.evaluate(problem, binarize=False, trees=False)
    best = comparison.selected(found, "hidden")
    got = forecasts.of_probe(problem, best, "a")
    share = (problem.train.labels == "a").mean()
    assert share > 0.7 and abs(got.mean() - share) < 0.25
    x = examine.table_of(problem, best.setting).matrix.toarray()
    n = len(keep)
    x = (x - x[:n].mean(0)) / x[:n].std(0)
    plain = (
        LogisticRegression(C=best.strength, max_iter=5000).fit(x[:n], problem.train.labels).predict_proba(x[n:])[:, 0]
    )
    assert np.corrcoef(got, plain)[0, 1] > 0.9 and abs(got.mean() - plain.mean()) < 0.12
    other = forecasts.of_probe(problem, best, "b")
    np.testing.assert_allclose(got + other, 1)
    assert set(forecasts.of_probe(problem, comparison.selected(found, "majority"), "a")) == {share}
    assert len(forecasts.of_probe(problem, comparison.selected(found, "tfidf"), "a")) == 200
