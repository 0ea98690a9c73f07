"""Weighted sums of F1 scores against each other, on made-up predictions whose answer is known."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from mosaic.probing import scores
from mosaic.probing.contrasts import Arm, Case, contrast


def made_up(n=120, seed=0, groups=False):
    rng = np.random.default_rng(seed)
    truth = rng.choice(["a", "b", "c"], n).astype(object)

    def wrong(share):
        other = rng.choice(["a", "b", "c"], n).astype(object)
        return np.where(rng.random(n) < share, other, truth)

    return truth, wrong(0.2), wrong(0.6), np.array([f"g{i // 3}" for i in range(n)]) if groups else None


@pytest.mark.parametrize("groups", [True, False])
def test_one_arm_a_side_is_the_comparison_over_sets(groups):
    sets = [made_up(seed=seed, groups=groups) for seed in range(3)]
    found = contrast([Case(truth, [Arm(a)], [Arm(b)], by) for truth, a, b, by in sets])
    known = scores.compare_over_sets(sets)
    assert found.difference == pytest.approx(known.difference)
    near = 1e-6 if groups else 0.03  # without groups the comparison draws cells, not rows: other resamples
    assert [found.low, found.high] == pytest.approx([known.low, known.high], abs=near)


def test_leads_subtract_leads_and_draws_are_averaged():
    truth, good, bad, _ = made_up()
    values = {name: f1_score(truth, p, average="macro") for name, p in (("good", good), ("bad", bad))}
    leads = Case(truth, [Arm(truth), Arm(bad, -1.0)], [Arm(truth), Arm(good, -1.0)])
    assert contrast([leads]).difference == pytest.approx(values["good"] - values["bad"])
    assert leads.levels() == pytest.approx((1 - values["bad"], 1 - values["good"]))
    mean = Case(truth, [Arm(good, 0.5), Arm(bad, 0.5)], [Arm(good)])
    assert contrast([mean]).difference == pytest.approx((values["bad"] - values["good"]) / 2)


def test_the_f1_of_one_class_alone():
    truth, good, _, _ = made_up()
    of_a = f1_score(truth == "a", good == "a")
    assert Arm(good, labels=("a",)).value(truth) == pytest.approx(of_a)
    same = contrast([Case(truth, [Arm(good)], [Arm(good)])])
    assert (same.difference, same.low, same.high) == (0, 0, 0)


def test_a_class_that_no_drawn_row_has_is_left_out():
    truth = np.array(["a", "a", "b"], dtype=object)
    arm = Arm(np.array(["a", "a", "a"], dtype=object))
    assert arm.resampled(truth, np.array([[1.0, 1.0, 0.0]]))[0] == 1.0
