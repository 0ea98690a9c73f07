"""Some pairs beside as many drawn from all: known answers, and a choice at random is at chance."""

import numpy as np
import pytest

from mosaic.agreement import subspaces
from mosaic.agreement.subspaces import mean_within, within
from mosaic.errors import MosaicError


def spaces(n: int = 80, shared: int = 20, d: int = 8, seed: int = 0):
    """x, y, r of n pairs, of which the first `shared` lie alike in both."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(n, d))
    y[:shared] = x[:shared]
    return x, y, np.linspace(0.9, 0.1, n)


def test_pairs_that_lie_alike_are_above_any():
    found = within(*spaces(), np.arange(20), draws=60)
    for measure in ("rsa", "svcca", "one_component", "r"):
        one = found.summary(measure)
        assert one["interval"][0] > 0 and one["p"] == pytest.approx(1 / 61), measure
        assert one["difference"] == pytest.approx(one["value"] - one["of_any"])
    assert found.summary("rsa")["value"] == pytest.approx(1) and found.n == 20
    assert found.summary("r")["value"] == pytest.approx(np.linspace(0.9, 0.1, 80)[:20].mean())


def test_pairs_at_random_are_at_chance():
    x, y, r = spaces(shared=0)
    p = [
        within(x, y, r, np.random.default_rng(seed).choice(80, 15, replace=False), 49, ("rsa",)).summary("rsa")["p"]
        for seed in range(30)
    ]
    assert 0.3 < np.mean(p) < 0.7


def test_as_many_pairs_as_dimensions_are_one_for_any_pairing():
    """Why a subset is held against as many: its SVCCA alone says nothing."""
    x, y, r = spaces(shared=0)
    found = within(x, y, r, np.arange(8), 20, ("svcca",)).summary("svcca")
    assert found["value"] > 0.95 and found["of_any"] > 0.8


def test_the_mean_over_choices_and_repeats(monkeypatch):
    x, y, r = spaces()
    one, other = within(x, y, r, np.arange(20), 30), within(x, y, r, np.arange(30, 45), 30)
    both = mean_within([one, other], "rsa")
    assert both["value"] == pytest.approx((one.values["rsa"] + other.values["rsa"]) / 2)
    spread = [high - low for low, high in (one.summary("rsa")["interval"], both["interval"])]
    assert spread[1] < spread[0], "two choices tell more than one"
    assert within(x, y, r, np.arange(20), 30).summary("rsa") == one.summary("rsa")


def test_too_few_pairs_are_refused():
    with pytest.raises(MosaicError, match="2 and 2 rows; three pairs or more"):
        subspaces.within(*spaces(), np.arange(2), 2)


def test_what_is_one_for_any_pairing_is_not_above_by_the_last_digit():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(60, 30)), rng.normal(size=(60, 30))
    found = within(x, y, np.linspace(1, 0, 60), np.arange(8), 40, ("svcca",)).summary("svcca")
    assert (found["value"], found["difference"], found["interval"], found["p"]) == (1, 0, [0, 0], 1)
