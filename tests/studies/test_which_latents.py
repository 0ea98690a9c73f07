"""Which latents: fifths, steps and factors, on latents whose answer is known both ways."""

import numpy as np
import pytest

from mosaic.profiles.profile import load_profile
from mosaic.studies import membership, which_latents

N = 200
FREQUENCY = np.linspace(0.001, 0.2, N)


def test_fifths_rise_where_frequent_latents_are_shared():
    member = np.where(np.arange(N) >= 120, 3, 1)
    edges, shared = membership.by_fifths(FREQUENCY, member)
    assert shared == [0, 0, 0, 1, 1] and len(edges) == 6
    assert membership.monotone(shared)
    got = membership.frequency_record(FREQUENCY, member)
    assert (got["rarest"], got["most_frequent"], got["monotone"]) == (0, 1, "yes") and got["spearman"] > 0.8


def test_one_fall_is_enough_for_no():
    member = np.where((np.arange(N) >= 40) & (np.arange(N) < 120), 3, 1)
    got = membership.frequency_record(FREQUENCY, member)
    assert got["shared_by_fifth"] == [0, 1, 1, 0, 0] and got["monotone"] == "no"
    assert membership.monotone([0.1, None, 0.1]) and not membership.monotone([0.2, None, 0.1])


def test_dead_latents_are_in_no_fifth():
    frequency = np.where(np.arange(N) < 50, 0, FREQUENCY)
    _, shared = membership.by_fifths(frequency, np.where(np.arange(N) < 50, 3, 1))
    assert shared == [0] * 5
    assert membership.by_fifths(np.zeros(4), np.ones(4))[1] == [None] * 5


def test_nothing_to_rank_gives_none():
    """All latents shared by all: a rank correlation of a constant is no number."""
    got = membership.frequency_record(FREQUENCY, np.full(N, 3))
    assert got["spearman"] is None and got["shared_by_fifth"] == [1] * 5
    assert membership.frequency_record(np.zeros(4), np.ones(4))["spearman"] is None


def test_shared_latents_are_predicted_better_or_not():
    member = np.array([1] * 50 + [2] * 50)
    noise = np.random.default_rng(0).normal(0, 0.01, 100)
    score = np.where(member > 1, 0.8, 0.6) + noise
    score[0] = np.nan
    got = membership.detection_step(score, np.full(100, 0.5), member)
    assert got["difference"] == pytest.approx(0.2, abs=0.01) and got["interval"][0] > 0.18
    assert (got["n_orphan"], got["n_shared"], got["not_scored"], got["another_latent"]) == (49, 50, 1, 0.5)
    back = membership.detection_step(-score, np.full(100, 0.5), member)
    assert back["interval"][1] < 0


@pytest.mark.parametrize("member", [np.ones(30), np.full(30, 2)])
def test_without_orphans_or_without_shared_ones_there_is_no_step(member):
    """A sweep where all latents are shared, or none: this recorded a mean of nothing, which is no number."""
    got = membership.detection_step(np.full(30, 0.7), np.full(30, np.nan), member)
    assert got["difference"] is None and got["interval"] is None and got["another_latent"] is None
    known, unknown = ("orphan", "shared") if member[0] == 1 else ("shared", "orphan")
    assert got[known] == pytest.approx(0.7) and got[unknown] is None


def test_groups_are_means_with_intervals_and_empty_ones_left_out():
    values = np.array([0.5, 0.7, np.nan, 0.9, 0.9])
    rows = membership.by_members(values, np.array([1, 1, 2, 3, 3]), 3)
    assert [row[0] for row in rows] == ["1", "3"]
    assert rows[0][1] == pytest.approx(0.6) and rows[0][2] <= 0.6 <= rows[0][3]
    assert rows[1][1:] == pytest.approx((0.9, 0.9, 0.9))


def test_factors_count_latents_from_the_threshold_on():
    area, member = np.array([0.95, 0.9, 0.5, 0.6]), np.array([1, 2, 2, 1])
    names = np.array(["a", "a", "b", "b"])
    assert which_latents.found_by(area, names, member > 1) == [True]
    assert which_latents.found_by(area, np.array(["a", "b", "b", "b"]), member > 1) == [False, True]
    got = membership.factor_record(area, member, (True, False), 0.9)
    assert (got["shared_above"], got["orphans_above"], got["found_by_a_shared_latent"], got["n_found"]) == (
        0.5,
        0.5,
        0.5,
        2,
    )
    assert membership.factor_text(got, 0.9).startswith("0.500 of the shared latents and 0.500 of the orphans")
    none = membership.factor_record(area, np.full(4, 2), (), 0.9)
    assert none["orphan"] is None and "none of the orphans track" in membership.factor_text(none, 0.9)
    assert membership.factor_text(None, 0.9) == "not known on this profile"


@pytest.mark.parametrize("case", ["as usual", "all shared", "too rare", "no factors"])
def test_any_latents_are_recorded_drawn_and_tabled(case, tmp_path):
    generator = np.random.default_rng(1)
    member = generator.integers(1, 4, N) if case != "all shared" else np.full(N, 3)
    score = np.full(100, np.nan) if case == "too rare" else generator.uniform(0.5, 1, 100)
    tracking = None if case == "no factors" else which_latents.Tracking(generator.uniform(0.5, 1, 100), (True, False))
    made = which_latents.WhichLatents(
        load_profile("mini"),
        n_seeds=3,
        frequency=FREQUENCY,
        cosine=np.where(np.arange(N) == 7, np.nan, generator.uniform(0, 1, N)),
        membership=member,
        chance=0.3,
        score=score,
        control=score - 0.1,
        tracking=tracking,
    )
    made.record(tmp_path)
    assert made.figure().axes and "fifths of the latents" in made.table()
    for shown in (made.prediction(), made.factors()):
        assert isinstance(shown, str) or shown.axes
