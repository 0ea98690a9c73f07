"""Probes of seeds: the answer and the loss, on scores made up so that they are known."""

from dataclasses import replace

import pytest

from mosaic.errors import MosaicError
from mosaic.profiles.profile import load_profile
from mosaic.studies import probes_of_seeds


def found(sd_seeds=0.01, sd_draws=0.01, agree_seeds=0.9, agree_draws=0.9, shared=0.7, orphan=0.5):
    return {
        "seeds": {"mean": 0.8, "low": 0.79, "high": 0.81, "sd": sd_seeds},
        "draws": {"mean": 0.8, "sd": sd_draws},
        "agreement": {"seeds": agree_seeds, "draws": agree_draws},
        "top": {"before": 0.1, "after": 0.6, "shared": 0.5},
        "kept": {"all": 0.8, "shared": shared, "orphan": orphan, "random": 0.65},
    }


@pytest.mark.parametrize(
    ("figures", "answer"),
    [
        ({}, True),
        ({"sd_seeds": 0.015}, True),
        ({"sd_seeds": 0.016}, False),
        ({"agree_seeds": 0.851}, True),
        ({"agree_seeds": 0.849}, False),
        ({"sd_seeds": 0.0, "sd_draws": 0.0}, True),
        ({"sd_seeds": 0.001, "sd_draws": 0.0}, False),
    ],
)
def test_probes_agree_within_what_draws_do(figures, answer):
    assert probes_of_seeds.probes_agree(probes_of_seeds.over_sets([found(**figures)])) is answer


def test_draws_that_move_nothing_have_no_ratio():
    mean = probes_of_seeds.over_sets([found(sd_draws=0.0)])
    assert probes_of_seeds.spread_ratio(mean) is None
    assert probes_of_seeds.spread_ratio(probes_of_seeds.over_sets([found(sd_seeds=0.02)])) == pytest.approx(2)


def test_means_are_over_sets_and_the_loss_has_its_interval():
    mean = probes_of_seeds.over_sets([found(shared=0.7), found(shared=0.5, agree_seeds=0.7)])
    assert mean["agreement_seeds"] == pytest.approx(0.8) and mean["kept_shared"] == pytest.approx(0.6)
    assert mean["loss"]["difference"] == pytest.approx(0.2)
    assert mean["loss"]["interval"] == pytest.approx([0.1, 0.3])


@pytest.mark.parametrize("sets", [[found()], [found(shared=None)], [found(orphan=None), found()]])
def test_sets_without_shared_or_orphan_latents_are_recorded(sets, tmp_path):
    """Where no latent is shared, no probe can see shared ones alone."""
    made = probes_of_seeds.ProbesOfSeeds(load_profile("mini"), 2, "mean", dict(enumerate(sets)), 0.4)
    got = made.summary()
    assert (got["mean"]["loss"]["difference"] is None) == all(one["kept"]["shared"] is None for one in sets)
    assert got["answer"] == "yes" and "two seeds' probes say the same of 0.900" in got["reason"]
    made.record(tmp_path)
    assert made.figure().axes
    for table in (made.table(), made.top_table(), made.kept_table()):
        assert "<table" in table


def test_a_profile_without_sets_or_seeds_says_so():
    bare = replace(load_profile("mini"), datasets=())
    with pytest.raises(MosaicError, match="profile mini has no data set that can be had here"):
        probes_of_seeds.run(bare)
    with pytest.raises(MosaicError, match="profile mini names no SAEs of several seeds: train some"):
        probes_of_seeds.run(replace(bare, seeds=None))
