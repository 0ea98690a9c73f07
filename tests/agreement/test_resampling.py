"""Intervals over SAEs and over latents: against what is known of means, pairs and families, and by simulation."""

import numpy as np
import pytest

from mosaic.agreement.resampling import (
    Estimate,
    jackknife,
    least,
    linear,
    pair_mean,
    quantiles,
    resampled_means,
    resampled_sums,
    widest,
)


def test_the_jackknife_of_a_mean_is_its_standard_error_and_students_interval():
    from scipy import stats

    x = np.array([0.3, 0.4, 0.1, 0.7])
    got = jackknife(x.mean(), [(x.sum() - one) / 3 for one in x])
    assert got.se == pytest.approx(stats.sem(x)) and got.df == 3
    assert got.interval() == pytest.approx(stats.t.interval(0.95, 3, x.mean(), stats.sem(x)))


def test_two_saes_or_a_figure_that_a_smaller_number_lacks_have_no_interval():
    assert jackknife(0.5, [0.4, 0.6]).interval() is None
    assert jackknife(0.5, [0.4, None, 0.6]).interval() is None
    assert pair_mean({(0, 1): 0.4}) == Estimate(0.4)


def test_pairs_that_share_an_sae_are_not_independent():
    """Figures of pairs made of effects of their SAEs: intervals that take pairs for independent miss the truth too often."""
    generator = np.random.default_rng(0)
    n, held, naive = 8, 0, 0
    for _ in range(300):
        effect = generator.normal(size=n)
        pairs = {(i, j): effect[i] + effect[j] + 0.1 * generator.normal() for i in range(n) for j in range(i + 1, n)}
        low, high = pair_mean(pairs).interval()
        held += low <= 0 <= high
        values = np.array(list(pairs.values()))
        naive += abs(values.mean()) <= 2.05 * values.std(ddof=1) / np.sqrt(len(values))
    assert held / 300 >= 0.93 and naive / 300 < 0.8


def test_errors_of_independent_figures_add_and_weights_count():
    a, b = Estimate(0.5, 0.03, 2), Estimate(0.2, 0.04, 2)
    got = linear([(1, a), (-1, b)])
    assert (got.value, got.se) == (pytest.approx(0.3), pytest.approx(0.05))
    assert 2 < got.df < 4
    half = linear([(0.5, a), (0, Estimate(9.0))])
    assert (half.value, half.se, half.df) == (pytest.approx(0.25), pytest.approx(0.015), pytest.approx(2))
    assert linear([(1, a), (1, Estimate(0.1))]).interval() is None
    assert linear([(1, Estimate(0.2, 0.0, 2)), (1, Estimate(0.1, 0.0, 7))]).interval() == pytest.approx([0.3, 0.3])


def test_the_least_of_differences_is_above_zero_only_where_all_are():
    sure, unsure, low = Estimate(0.5, 0.01, 7), Estimate(0.1, 0.1, 7), Estimate(-0.5, 0.01, 7)
    assert least([sure, sure])["interval"][0] > 0
    both = least([sure, unsure])
    assert both["difference"] == 0.1 and both["interval"][0] < 0 < both["interval"][1]
    assert least([sure, low])["interval"][1] < 0
    assert least([sure, Estimate(0.2)])["interval"] is None
    alone, together = sure.interval(), least([sure, sure])["interval"]
    assert together[0] < alone[0] and together[1] > alone[1], "two intervals that must both hold are wider"


def test_widest_covers_both_and_lacks_nothing():
    assert widest([0.1, 0.4], [0.2, 0.5]) == [0.1, 0.5]
    assert widest([0.1, 0.4], None) is None


def test_a_family_is_drawn_whole():
    """Ten families of eight equal latents are ten values, not eighty."""
    generator = np.random.default_rng(1)
    effect = generator.normal(size=10)
    family, values = np.repeat(np.arange(10), 8), np.repeat(effect, 8)
    everything = [np.ones(80, dtype=bool)]
    spread = resampled_means(values, everything, family).std()
    assert spread == pytest.approx(effect.std() / np.sqrt(10), rel=0.05)
    alone = resampled_means(values, everything, np.arange(80)).std()
    assert alone == pytest.approx(effect.std() / np.sqrt(80), rel=0.05)


def test_sums_of_families_keep_their_mean_and_repeat():
    family, columns = np.array([7, 7, 3, 5]), np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    got = resampled_sums(family, columns, draws=4000)
    assert got.mean(0) == pytest.approx([2, 2], rel=0.05)
    assert set(got[:, 0]) == {0, 2, 4, 6}
    assert np.array_equal(got, resampled_sums(family, columns, draws=4000))


def test_a_draw_without_a_group_has_no_mean_of_it():
    values, family = np.array([1.0, 2.0, 3.0]), np.arange(3)
    means = resampled_means(values, [np.array([True, False, False]), np.ones(3, dtype=bool)], family, 500)
    assert np.isnan(means[:, 0]).any() and np.nanmax(means[:, 0]) == 1 and np.isfinite(means[:, 1]).all()
    assert quantiles(means[:, 0]) == [1, 1] and quantiles(np.full(3, np.nan)) is None
