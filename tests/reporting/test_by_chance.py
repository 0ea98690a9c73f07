"""How many verdicts chance would give, by made-up claims."""

import numpy as np
import pytest

from mosaic.reporting import by_chance
from mosaic.reporting.by_chance import ByChance, counted, sentence
from mosaic.reporting.claims import HOLDS, NOT_RUN, Claim
from mosaic.reporting.verdicts import Verdict


def verdict(rule, low=None, high=None, kind=HOLDS) -> Verdict:
    claim = Claim("c", "text", "1", "s", "p", "q", "r.value", rule, "post hoc")
    return Verdict(claim, "mini", 0.1, low, high, kind, "because", {})


def test_intervals_that_leave_out_zero_are_counted_on_either_side():
    found = counted(
        [
            verdict({"above": 0}, 0.1, 0.2),  # above it
            verdict({"above": 0}, -0.2, -0.1),  # on the other side than was said: chance can do that, too
            verdict({"below": 0}, -0.2, -0.1),
            verdict({"above": 0}, -0.1, 0.2),  # undecided
            verdict({"above": 0}, 0.0, 0.2),  # ends at it: it is not left out
            verdict({"below": 0}, -0.2, 0.0),
            verdict({"above": 0.5}, 0.6, 0.7),  # another question than zero
            verdict({"below": 1}, 0.6, 0.7),
            verdict({"within": [0, 0.02]}, 0.6, 0.7),
            verdict({"is": "middle"}, 0.6, 0.7),
            verdict({"above": 0}),  # a point estimate
            verdict({"above": 0}, 0.1, 0.2, NOT_RUN),
        ]
    )
    assert found == ByChance(with_interval=10, of_zero=6, out=3)
    assert found.expected == pytest.approx(0.3)


def test_the_line_has_both_numbers():
    assert sentence("mini", ByChance(90, 74, 41)) == (
        "mini: 90 claims are judged by a 95 % interval. Of these, 74 ask whether it leaves out zero, and 41 intervals do. By chance "
        "alone, where nothing is so, about 3.7 would be expected to."
    )
    one = sentence("p", ByChance(1, 1, 1))
    assert "1 claim is judged" in one and "1 asks whether" in one and "1 interval does" in one
    assert "0 intervals do" in sentence("p", ByChance(3, 2, 0)) and "about 0.1 would" in sentence(
        "p", ByChance(3, 2, 0)
    )
    assert sentence("p", ByChance(3, 0, 0)) == "p: no claim here is judged by whether an interval leaves out zero."


def test_where_nothing_is_so_about_as_many_come_out_as_are_expected():
    draws = np.random.default_rng(0).normal(size=4000)
    found = counted([verdict({"above": 0}, one - 1.96, one + 1.96) for one in draws])
    assert found.out == pytest.approx(found.expected, rel=0.15) and found.expected == 4000 * by_chance.MISSED
