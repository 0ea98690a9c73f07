"""Which latents: consistency by frequency, steps and factors, on latents whose answer is known both ways."""

import numpy as np
import pytest

from mosaic.agreement.presence import Presence
from mosaic.profiles.profile import load_profile
from mosaic.reporting import results
from mosaic.studies import frequency, membership, which_latents
from mosaic.studies.membership import Latents

S, N = 6, 200
FREQUENCY = np.tile(np.linspace(0.001, 0.2, N), (S, 1))
OWN = np.arange(S * N).reshape(S, N)  # every latent its own family


def cosines(by_group, noise=0.02, seed=0):
    """[S, S, N] matched cosines whose mean in each fifth of the latents is known."""
    values = np.repeat(by_group, N // len(by_group)) + np.random.default_rng(seed).normal(0, noise, (S, S, N))
    values[np.arange(S), np.arange(S)] = np.nan
    return values


def measured(by_group, noise=0.02):
    return frequency.by_frequency(FREQUENCY, cosines(by_group, noise), OWN, np.ones((S, N), dtype=bool))


def test_the_pw_mcc_of_each_group_is_its_mean_cosine():
    got = measured([0.5, 0.7, 0.8, 0.9, 0.95])
    assert [one["pw_mcc"] for one in got["groups"]] == pytest.approx([0.5, 0.7, 0.8, 0.9, 0.95], abs=0.01)
    assert got["groups"][0]["from"] == pytest.approx(0.001) and got["groups"][-1]["to"] == pytest.approx(0.2)
    whole = cosines([0.5, 0.7, 0.8, 0.9, 0.95])
    assert np.nanmean(frequency.consistency(whole)) == pytest.approx(np.nanmean(whole))


def test_rarer_is_less_consistent_where_every_group_is_above_the_one_before():
    got = measured([0.5, 0.7, 0.8, 0.9, 0.95])
    assert got["least_step"]["difference"] == pytest.approx(0.05, abs=0.01) and got["least_step"]["interval"][0] > 0
    assert "the rarer, the less consistent" in frequency.frequency_sentence(got)


def test_one_fall_is_enough_for_no():
    """The rarest are less consistent than the most frequent, and yet it is no rule."""
    got = measured([0.7, 0.6, 0.6, 0.7, 0.8])
    assert got["least_step"]["interval"][1] < 0 < got["rise"]["interval"][0]
    text = frequency.frequency_sentence(got)
    assert "The most frequent latents are more consistent than the rarest (+0." in text and ". Not every group" in text


def test_a_step_within_its_error_is_undecided():
    got = measured([0.5, 0.7, 0.7, 0.9, 0.95], noise=0.1)
    low, high = got["least_step"]["interval"]
    assert low < 0 < high and got["rise"]["interval"][0] > 0
    assert "than the one before cannot be told" in frequency.frequency_sentence(got)


def test_flat_and_falling_frequencies_are_said_to_be_that():
    flat = frequency.frequency_sentence(measured([0.7] * 5, noise=0.1))
    assert "The most frequent latents cannot be told from the rarest" in flat
    falling = frequency.frequency_sentence(measured([0.9, 0.8, 0.7, 0.6, 0.5]))
    assert "The most frequent latents are not more consistent than the rarest" in falling and ". Not every" in falling


def test_saes_that_differ_widen_the_interval():
    """The same latents, but each SAE with a slope of its own: more latents do not make it surer."""
    slopes = np.array([-0.2, 0.3, -0.1, 0.4, 0.0, 0.2])
    values = cosines([0.7] * 5)
    values += (slopes[:, None] * np.linspace(-0.5, 0.5, N))[:, None, :]
    got = frequency.by_frequency(FREQUENCY, values, OWN, np.ones((S, N), dtype=bool))
    assert got["rise"]["difference"] == pytest.approx(0.08, abs=0.02)
    low, high = got["rise"]["interval"]
    assert low < 0 < high
    shuffled = frequency.by_frequency(
        FREQUENCY, cosines([0.66, 0.68, 0.7, 0.72, 0.74]), OWN, np.ones((S, N), dtype=bool)
    )
    assert shuffled["rise"]["interval"][0] > 0


def test_dead_latents_are_in_no_group():
    fires = np.where(np.arange(N) < 50, 0, FREQUENCY)
    assert (frequency.group_of(fires)[:, :50] == -1).all() and (frequency.group_of(fires)[:, 50:] >= 0).all()
    values = cosines([0.7] * 5)
    values[:, :, :50] = 0.0
    assert frequency.group_means(fires, values) == pytest.approx(np.full(5, 0.7), abs=0.01)


def test_nothing_that_fires_gives_none():
    got = frequency.by_frequency(np.zeros((S, N)), cosines([0.7] * 5), OWN, np.ones((S, N), dtype=bool))
    assert got["rise"] == {"difference": None, "interval": None} and got["groups"][0]["pw_mcc"] is None
    assert frequency.frequency_sentence(got).endswith("not measured here: too few fire.")


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ([0.6654, 0.591, 0.58, 0.6654, 0.778], "0.67, 0.59, 0.58, 0.67, 0.78, without intervals. It neither rises nor"),
        ([0.6654, 0.591, 0.58, 0.6654, 0.778], "it is least in group 3 and greatest in group 5, 1 being the rarest."),
        ([0.1, 0.2, 0.2, 0.3, 1.0], "0.10, 0.20, 0.20, 0.30, 1.00, without intervals. It never falls from rare to"),
        ([0.5, 0.4, 0.4, 0.3, 0.0], "It never rises from rare to frequent."),
        ([0.501, 0.502, 0.5, 0.499, 0.5], "It is the same in all groups."),
        ([0.5, None, 0.5, 0.5, 0.5], "not measured here: too few fire."),
    ],
)
def test_the_shape_of_sharing_by_frequency(shares, words):
    assert words in frequency.shared_sentence([{"shared": one} for one in shares])


def test_frequent_orphans_beside_chance():
    """The most frequent fifth: half orphans at 0.4, one in four of them at 0.1; rarer orphans are not asked."""
    shared = np.ones((S, N), dtype=bool)
    shared[:, N - 20 :] = False
    shared[:, :50] = False
    values = cosines([0.2, 0.9, 0.9, 0.9, 0.9], noise=0)
    values[:, :, N - 20 :] = 0.5
    values[:, :, N - 5 :] = 0.1
    values[np.arange(S), np.arange(S)] = np.nan
    got = frequency.frequent_orphans(FREQUENCY, values, shared, 0.3)
    assert got == pytest.approx({"share": 0.5, "cosine": 0.4, "shared_cosine": 0.9, "chance": 0.3, "at_chance": 0.25})
    assert frequency.orphans_sentence(got) == (
        "Of the most frequent fifth 50 % are orphans. Their mean matched cosine is 0.40 on average (shared ones of that "
        "fifth 0.90, chance 0.30); 25 % of them lie at chance or below it."
    )
    above = frequency.frequent_orphans(FREQUENCY, values, shared, 0.05)
    assert frequency.orphans_sentence(above).endswith("none of them lies at chance or below it.")
    alone = frequency.frequent_orphans(FREQUENCY, values, np.zeros_like(shared), 0.05)
    assert "shared ones of" not in frequency.orphans_sentence(alone) and alone["share"] == 1
    every = frequency.frequent_orphans(FREQUENCY, values, np.ones_like(shared), 0.3)
    assert frequency.orphans_sentence(every) == "Of the most frequent fifth no latent is an orphan."
    silent = frequency.frequent_orphans(np.zeros((S, N)), values, shared, 0.3)
    assert frequency.orphans_sentence(silent).endswith("not measured here: too few latents fire.")


# --- shared latents against orphans ---------------------------------------------------------------------------------


def latents(n_saes=3, n=100):
    """Half orphans, half shared, every latent its own family."""
    member = np.tile(np.where(np.arange(n) < n // 2, 1, 2), n_saes)
    return Latents(member, np.repeat(np.arange(n_saes), n), np.arange(n_saes * n))


def scores(of, shared, orphan, noise=0.01):
    return np.where(of.shared, shared, orphan) + np.random.default_rng(0).normal(0, noise, len(of.membership))


def test_shared_latents_are_predicted_better_or_not():
    of = latents()
    score = scores(of, 0.8, 0.6)
    score[0] = np.nan
    got = membership.detection_step(score, np.full(300, 0.5), of)
    assert got["difference"] == pytest.approx(0.2, abs=0.01) and got["interval"][0] > 0.18
    assert (got["n_orphan"], got["n_shared"], got["not_scored"], got["another_latent"]) == (149, 150, 1, 0.5)
    assert len(got["each"]) == 3 and "easier to predict than orphans. Another" in membership.detection_sentence(got)
    back = membership.detection_step(scores(of, 0.6, 0.8), np.full(300, 0.5), of)
    assert back["interval"][1] < 0 and "shared latents are not easier" in membership.detection_sentence(back)


def test_three_saes_that_disagree_prove_nothing():
    """As if independent, 300 latents gave an interval above zero; the SAEs differ too much for that."""
    of = latents()
    score = scores(of, 0.8, 0.78) + np.where(of.shared, np.array([0.05, -0.05, 0.0])[of.owner], 0)
    got = membership.detection_step(score, np.full(300, 0.5), of)
    assert got["latents"][0] > 0 > got["interval"][0] and got["seeds"] == got["interval"]
    assert "shared latents and orphans cannot be told apart" in membership.detection_sentence(got)
    assert "+0.0" in membership.detection_sentence(got) and "−0.0" in membership.detection_sentence(got)


def test_a_latent_in_all_saes_counts_once():
    """Shared latents that are the same in all three SAEs make a wider interval than as many of their own."""
    of = latents()
    same = np.where(of.shared, np.arange(300) % 100, of.family)
    score = np.tile(scores(latents(1), 0.8, 0.79, 0.05), 3)
    width = lambda found: found["latents"][1] - found["latents"][0]  # noqa: E731
    apart = membership.shared_less_orphans(score, of)
    together = membership.shared_less_orphans(score, Latents(of.membership, of.owner, same))
    assert width(together) > 1.2 * width(apart)


@pytest.mark.parametrize("member", [1, 2])
def test_without_orphans_or_without_shared_ones_there_is_no_step(member):
    """A sweep where all latents are shared, or none: this recorded a mean of nothing, which is no number."""
    of = Latents(np.full(30, member), np.repeat([0, 1], 15), np.arange(30))
    got = membership.detection_step(np.full(30, 0.7), np.full(30, np.nan), of)
    assert got["difference"] is None and got["interval"] is None and got["another_latent"] is None
    known, unknown = ("orphan", "shared") if member == 1 else ("shared", "orphan")
    assert got[known] == pytest.approx(0.7) and got[unknown] is None
    assert "one of the kinds is missing" in membership.detection_sentence(got)


def test_two_saes_have_no_interval_over_saes():
    of = latents(2)
    got = membership.detection_step(scores(of, 0.8, 0.6), np.full(200, 0.5), of)
    assert got["latents"] and got["interval"] is None and "a point estimate" in membership.detection_sentence(got)


def test_groups_are_means_with_intervals_and_empty_ones_left_out():
    values = np.array([0.5, 0.7, np.nan, 0.9, 0.9])
    of = Latents(np.array([1, 1, 2, 3, 3]), np.zeros(5, dtype=int), np.arange(5))
    rows = membership.by_members(values, of, 3)
    assert [row[0] for row in rows] == ["1", "3"]
    assert rows[0][1] == pytest.approx(0.6) and rows[0][2] <= 0.6 <= rows[0][3]
    assert rows[1][1:] == pytest.approx((0.9, 0.9, 0.9))
    assert membership.by_members(np.full(5, np.nan), of, 3) == []


def test_factors_count_latents_from_the_threshold_on():
    names = np.array(["a", "a", "b", "b"])
    area = np.array([0.95, 0.9, 0.5, 0.6])
    member = np.array([1, 2, 2, 1])
    assert which_latents.found_by(area, names, member > 1) == [True]
    assert which_latents.found_by(area, np.array(["a", "b", "b", "b"]), member > 1) == [False, True]
    of = Latents(member, np.zeros(4, dtype=int), np.arange(4))
    got = membership.factor_record(area, of, (True, False), 0.9)
    assert got["share_shared"] == 0.5
    assert (got["shared_above"], got["orphans_above"], got["found_by_a_shared_latent"], got["n_found"]) == (
        0.5,
        0.5,
        0.5,
        2,
    )


@pytest.mark.parametrize(
    ("shared", "orphan", "words"),
    [
        (0.5, 0.1, "shared latents do so more often"),
        (0.1, 0.5, "do so no more often"),
        (0.3, 0.3, "cannot be told apart"),
    ],
)
def test_the_sentence_on_factors_follows_the_interval(shared, orphan, words):
    of = latents(4, 400)
    generator = np.random.default_rng(3)
    tracks = generator.random(1600) < np.where(of.shared, shared, orphan)
    found = membership.factor_record(np.where(tracks, 0.95, 0.6), of, (True, True, False), 0.9)
    text = membership.factor_sentence(found, 0.9)
    assert words in text and text.endswith(
        "Of the 3 pairs of a factor and an SAE with a latent that tracks it, 0.67 have a shared latent among those that do; "
        "of all latents 0.50 are shared."
    )
    one = membership.factor_record(np.where(tracks, 0.95, 0.6), of, (True,), 0.9)
    assert "Of the 1 pair of a factor" in membership.factor_sentence(one, 0.9)
    nothing = membership.factor_record(np.full(1600, 0.6), of, (), 0.9)
    assert "No factor is found at all" in membership.factor_sentence(nothing, 0.9)


def test_unknown_factors_are_said_to_be_so():
    assert "not known on this profile" in membership.factor_sentence(None, 0.9)
    of = Latents(np.full(4, 2), np.zeros(4, dtype=int), np.arange(4))
    text = membership.factor_sentence(membership.factor_record(np.full(4, 0.95), of, (), 0.9), 0.9)
    assert "one of the kinds is missing" in text


@pytest.mark.parametrize("case", ["as usual", "all shared", "too rare", "no factors"])
def test_any_latents_are_recorded_drawn_and_tabled(case, tmp_path):
    generator = np.random.default_rng(1)
    saes, width, scored = 4, 50, 3 * 50
    has = generator.random((saes, saes, width)) < (1.1 if case == "all shared" else 0.3)
    has[np.arange(saes), np.arange(saes)] = True
    matched = generator.uniform(0, 1, (saes, saes, width))
    matched[np.arange(saes), np.arange(saes)] = np.nan
    matched[:, :, 7] = np.nan
    score = np.full(scored, np.nan) if case == "too rare" else generator.uniform(0.5, 1, scored)
    tracking = which_latents.Tracking(generator.uniform(0.5, 1, scored), (True, False))
    row = {"seed": 0, "architecture": "topk", "k": 8, "width": width, "layer": 3, "tokens": 1000}
    made = which_latents.WhichLatents(
        load_profile("mini"),
        rows=tuple(row | {"seed": i} for i in range(saes)),
        presence=Presence(has, np.arange(saes * width).reshape(saes, width)),
        frequency=FREQUENCY[:saes, :width],
        cosines=matched,
        chance=0.3,
        score=score,
        control=score - 0.1,
        tracking=None if case == "no factors" else tracking,
    )
    made.record(tmp_path)
    for name, text in made.summary()["sentences"].items():
        assert results.lookup("mini", f"which_latents.sentences.{name}", tmp_path) == text and len(text) > 20
    assert made.figure().axes and made.consistency().axes and "fifths of the latents" in made.table()
    for shown in (made.prediction(), made.factors()):
        assert isinstance(shown, str) or shown.axes
