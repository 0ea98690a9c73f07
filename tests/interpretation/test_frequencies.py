"""Shares of texts in which latents fire: against exact tests of a library, a published interval, and sets that are one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, fisher_exact

from mosaic.errors import MosaicError
from mosaic.interpretation import frequencies


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_p_is_fishers_exact_test_with_its_smaller_tail_doubled(n, m, data):
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    found = frequencies.compare((np.array([a]), np.array([b])), (n, m))
    table = [[a, n - a], [b, m - b]]
    tails = [fisher_exact(table, alternative).pvalue for alternative in ("less", "greater")]
    assert found.p[0] == pytest.approx(1.0 if a + b == 0 else min(1, 2 * min(tails)))
    assert found.low[0] <= found.difference[0] + 1e-12 and found.difference[0] <= found.high[0] + 1e-12
    assert found.difference[0] == pytest.approx(a / n - b / m)


def test_the_interval_is_newcombes():
    """His own example, table II of the paper, (a): 56 of 70 and 48 of 80, method 10."""
    found = frequencies.compare((np.array([56]), np.array([48])), (70, 80))
    assert (found.low[0], found.high[0]) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_latents_that_fire_nowhere_do_not_weigh_on_the_others():
    a, b = np.array([30, 0, 12, 0]), np.array([2, 0, 10, 0])
    found = frequencies.compare((a, b), (40, 40))
    assert found.corrected[[0, 2]] == pytest.approx(false_discovery_control(found.p[[0, 2]]))
    assert found.p[1] == found.corrected[1] == 1
    assert frequencies.compare((np.zeros(3, int), np.zeros(3, int)), (5, 5)).leading().size == 0


def test_the_largest_difference_leads_and_equal_ones_keep_their_order():
    found = frequencies.compare((np.array([20, 0, 40, 0]), np.array([0, 40, 0, 20])), (40, 40))
    assert found.leading().tolist() == [1, 2, 0, 3]


def test_sets_that_are_one_differ_in_next_to_nothing():
    rng = np.random.default_rng(0)
    fires = rng.random((300, 500)) < rng.random(500)

    def counts_of(first):
        return fires[first].sum(0), fires[~first].sum(0)

    assert frequencies.found_by_chance(counts_of, (120, 180)) < 1


def test_an_empty_set_is_refused():
    with pytest.raises(MosaicError, match="0 and 5 texts; both sets need one or more"):
        frequencies.compare((np.array([0]), np.array([1])), (0, 5))
