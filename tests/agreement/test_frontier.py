import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mosaic.agreement.frontier import Curve, log_ratio, ratio, shared_range


def curve(x, y, draws=200, noise=0.0, seed=0):
    x, y = np.asarray(x, float), np.asarray(y, float)
    factors = np.exp(noise * np.random.default_rng(seed).normal(size=(draws, len(x))))
    return Curve(x, y, np.tile(x, (draws, 1)), y * factors)


def test_power_laws_have_the_ratio_of_their_factors():
    x, other = np.array([0.02, 0.1, 0.4]), np.array([0.01, 0.05, 0.2])
    found = ratio(curve(x, 3 * x**-0.5), curve(other, 6 * other**-0.5))
    assert found.value == pytest.approx(0.5) and found.interval == pytest.approx([0.5, 0.5])
    assert (found.low, found.high) == (0.02, 0.2)
    assert found.summary() == {"ratio": found.value, "interval": found.interval, "range": [0.02, 0.2]}


@given(st.lists(st.floats(0.01, 10), min_size=2, max_size=5, unique=True), st.floats(0.1, 10))
def test_a_curve_against_its_multiple(x, factor):
    x = np.array(x)
    y = 1 + x**2
    assert np.exp(log_ratio(x, factor * y, x[::-1], y[::-1])) == pytest.approx(factor)
    assert log_ratio(x, y, x, y) == pytest.approx(-log_ratio(x, y, x, y), abs=1e-12)


def test_nothing_is_said_where_ranges_do_not_meet():
    found = ratio(curve([1, 2], [1, 1]), curve([3, 4], [1, 1]))
    assert (found.value, found.interval, found.low, found.high) == (None, None, None, None)
    assert shared_range([1, 2], [2, 3]) is None and shared_range([1, 3], [2, 4]) == (2, 3)
    assert ratio(curve([1, 2], [-1, 1]), curve([1, 2], [1, 1])).value is None  # no logarithm


def test_the_interval_is_that_of_the_draws():
    wide = ratio(curve([1, 2, 4], [4, 2, 1], noise=0.2), curve([1, 2, 4], [4, 2, 1], noise=0.2, seed=1))
    assert wide.interval[0] < 1 < wide.interval[1] and wide.value == pytest.approx(1)
    narrow = ratio(curve([1, 2, 4], [4, 2, 1], noise=0.01), curve([1, 2, 4], [4, 2, 1]))
    assert np.ptp(narrow.interval) < np.ptp(wide.interval) / 5


@pytest.mark.parametrize("bad,there", [(9, True), (11, False)])
def test_draws_that_do_not_meet_cost_the_interval(bad, there):
    first, second = curve([1, 2], [2, 1]), curve([1, 2], [2, 1])
    first.drawn_x[:bad] += 5  # of 200
    found = ratio(first, second)
    assert found.value == pytest.approx(1) and (found.interval is not None) == there
