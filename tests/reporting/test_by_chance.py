"""How many verdicts chance would give, by made-up claims."""

import numpy as np
import pytest

from mosaic.reporting import by_chance
from mosaic.reporting.by_chance import ByChance, counted, sentence
from mosaic.reporting.claims import HOLDS, NOT_RUN, POST_HOC, Claim
from mosaic.reporting.verdicts import Verdict


def verdict(rule, low=None, high=None, kind=HOLDS, frozen="2026-11-20") -> Verdict:
    claim = Claim("c", "text", "1", "s", "p", "q", "r.value", rule, frozen)
    return Verdict(claim, "mini", 0.1, low, high, kind, "because", {})


def test_intervals_beyond_zero_are_counted_by_side_where_the_rule_came_first():
    found = counted(
        [
            verdict({"above": 0}, 0.1, 0.2),  # on the side that was said
            verdict({"above": 0}, 0.1, 0.2),
            verdict({"above": 0}, -0.2, -0.1),  # on the other: chance can do that, too
            verdict({"below": 0}, -0.2, -0.1),  # as said
            verdict({"above": 0}, -0.1, 0.2),  # undecided
            verdict({"above": 0}, 0.0, 0.2),  # ends at it: it is not left out
            verdict({"below": 0}, -0.2, 0.0),
            verdict({"above": 0}, 0.1, 0.2, frozen=POST_HOC),  # written with its result
            verdict({"above": 0.5}, 0.6, 0.7),  # another question than zero
            verdict({"below": 1}, 0.6, 0.7),
            verdict({"within": [0, 0.02]}, 0.6, 0.7),
            verdict({"is": "middle"}, 0.6, 0.7),
            verdict({"above": 0}),  # a point estimate
            verdict({"above": 0}, 0.1, 0.2, NOT_RUN),
        ]
    )
    assert found == ByChance(with_interval=12, of_zero=8, before=7, as_said=3, against=1)
    assert found.expected == pytest.approx(0.175)


def test_the_line_has_every_number():
    assert sentence("mini", ByChance(108, 73, 36, 17, 2)) == (
        "mini: 108 claims are judged by a 95 % interval. Of these, 73 ask whether it leaves out zero; 36 rules of them were written "
        "before the run. Of those, 17 intervals lie beyond zero on the side that the claim says, 2 on the other. By chance alone, where "
        "nothing is so, nominally 0.9 would on each side."
    )
    one = sentence("p", ByChance(1, 1, 1, 1, 0))
    assert (
        "1 claim is judged" in one
        and "1 asks whether" in one
        and "1 rule of them was" in one
        and "1 interval lies" in one
    )
    assert sentence("p", ByChance(3, 2, 0, 0, 0)) == (
        "p: no rule written before its run asks here whether an interval leaves out zero."
    )


def test_where_nothing_is_so_about_as_many_come_out_as_are_expected_on_each_side():
    draws = np.random.default_rng(0).normal(size=4000)
    found = counted([verdict({"above": 0}, one - 1.96, one + 1.96) for one in draws])
    for side in (found.as_said, found.against):
        assert side == pytest.approx(found.expected, rel=0.2)
    assert found.expected == 4000 * by_chance.MISSED
