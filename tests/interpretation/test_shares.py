"""Two shares side by side: against scipy's exact test and correction, and formulas written out one comparison at a time."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, fisher_exact

from mosaic.interpretation import shares


def slow_wilson(k: int, n: int) -> tuple[float, float]:
    """The roots of (p - k/n)^2 = z^2 p (1 - p) / n."""
    z2 = shares.Z**2
    a, b, c = 1 + z2 / n, -(2 * k / n + z2 / n), (k / n) ** 2
    root = math.sqrt(max(b * b - 4 * a * c, 0))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60), st.floats(0, 1), st.floats(0, 1)), min_size=1))
def test_many_comparisons_at_once_are_each_ones_own(drawn):
    n, m = (np.array([row[i] for row in drawn]) for i in (0, 1))
    a, b = (np.array([round(row[i + 2] * row[i]) for row in drawn]) for i in (0, 1))
    p, (low, high) = shares.fisher(a, n, b, m), shares.newcombe(a, n, b, m)
    for i in range(len(drawn)):
        table = [[a[i], n[i] - a[i]], [b[i], m[i] - b[i]]]
        tails = [fisher_exact(table, alternative).pvalue for alternative in ("less", "greater")]
        one_sided = a[i] + b[i] in (0, n[i] + m[i])
        assert p[i] == pytest.approx(1 if one_sided else min(1, 2 * min(tails)))
        (l1, u1), (l2, u2) = slow_wilson(a[i], n[i]), slow_wilson(b[i], m[i])
        x, y = a[i] / n[i], b[i] / m[i]
        assert low[i] == pytest.approx(max(-1, x - y - math.hypot(x - l1, u2 - y)), abs=1e-7)
        assert high[i] == pytest.approx(min(1, x - y + math.hypot(u1 - x, y - l2)), abs=1e-7)


def test_where_one_side_is_empty_nothing_is_told():
    assert shares.fisher(np.array([0, 3]), np.array([0, 5]), np.array([4, 0]), np.array([9, 0])).tolist() == [1, 1]


def test_the_correction_is_of_the_tests_alone():
    p = np.array([0.001, 0.5, 0.02, 1e-9])
    assert shares.corrected(p) == pytest.approx(false_discovery_control(p))
    tests = np.array([True, True, True, False])
    assert shares.corrected(p, tests) == pytest.approx([*false_discovery_control(p[:3]), 1])
    assert shares.corrected(p, np.zeros(4, bool)).tolist() == [1, 1, 1, 1] and shares.corrected(np.zeros(0)).size == 0
