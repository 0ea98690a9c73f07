"""What the search for factors decides, on made-up findings whose answer is known."""

import numpy as np
import pytest

from mosaic.interpretation.tracking import Found
from mosaic.studies import searches

B = 400


def found(factor, auroc, chosen_auroc=None, layer=1, width="1k", latent=0, spread=0.0, seed=0):
    draws = auroc + spread * np.random.default_rng(seed).normal(size=B)
    chosen = auroc if chosen_auroc is None else chosen_auroc
    return Found(
        factor, layer, width, "all", latent, chosen, auroc, auroc / 2, 0.25, *np.quantile(draws, [0.025, 0.975]), draws
    )


def test_the_sae_is_chosen_by_the_half_that_chooses_and_told_by_the_other():
    """Layer 3 is better on the half that scores, and must not be taken for it."""
    candidates = [
        found("a", 0.7, 0.95, layer=1),
        found("a", 0.9, 0.8, layer=3),
        found("b", 0.8, 0.8),
        found("c", 0.8, 0.9),
    ]
    top = searches.chosen(candidates)
    assert list(top) == ["b", "c", "a"]  # by falling AUROC, then by name
    assert top["a"].layer == 1 and top["a"].auroc == 0.7


def test_of_equal_ones_the_first_is_chosen():
    assert searches.chosen([found("a", 0.7, layer=3), found("a", 0.7, layer=1)])["a"].layer == 3


def test_a_factor_is_found_from_nine_tenths_on():
    of = searches.share([[found("a", 0.9), found("b", 0.89999)]])
    assert (of.found, of.low, of.high) == (0.5, 0.5, 0.5) and of.auroc == pytest.approx(0.899995)
    assert searches.share([[found("a", 0.2)]]).found == 0 and searches.share([[found("a", 1.0)]]).found == 1
    assert set(of.row()) == {"found", "interval", "auroc", "auroc_interval"}


def test_the_interval_of_a_share_is_that_of_the_factors_near_the_bound():
    sure = searches.share([[found(str(i), 0.99, spread=0.001, seed=i) for i in range(20)]])
    near = searches.share([[found(str(i), 0.9, spread=0.01, seed=i) for i in range(20)]])
    assert (sure.low, sure.high) == (1, 1) and near.low < 0.4 and near.high > 0.6


def test_what_both_share_in_a_resample_cancels_in_their_difference():
    a, b = (searches.area([found("a", auroc, spread=0.01, seed=1)]) for auroc in (0.9, 0.8))
    d = searches.area_difference(a, b)
    assert d["difference"] == pytest.approx(0.1) and np.ptp(d["interval"]) < 1e-9


def test_suites_that_differ_widen_the_interval_and_their_mean_is_told():
    """Each suite's own texts leave no doubt; which suite was drawn does."""
    apart = searches.share([[found("a", auroc)] for auroc in (0.95, 0.95, 0.5, 0.5, 0.95)])
    assert apart.found == pytest.approx(0.6) and apart.low < 0.3 and apart.high > 0.9
    area = searches.area([found("a", auroc) for auroc in (0.95, 0.95, 0.5, 0.5, 0.95)])
    assert area.auroc == pytest.approx(0.77) and area.low < 0.65 < 0.85 < area.high <= 1
    one = searches.area([found("a", 0.95)])
    assert (one.low, one.high) == (0.95, 0.95)


@pytest.mark.parametrize(
    ("latents", "everywhere", "elsewhere"),
    [
        ({"en": 4, "de": 4, "zh": 4}, True, True),
        ({"en": 4, "de": 4, "zh": 9}, False, True),
        ({"en": 4, "de": 9, "zh": 9}, False, False),  # one latent, but not the English one
    ],
)
def test_whether_languages_share_a_latent(latents, everywhere, elsewhere):
    assert bool(searches.same_everywhere({"f": latents})) == everywhere
    assert bool(searches.same_elsewhere({"f": latents})) == elsewhere


ALL_FOUND = searches.share([[found(str(i), 0.99) for i in range(4)]])
HALF_FOUND = searches.share([[found(str(i), 0.99 if i < 2 else 0.5) for i in range(4)]])
UNSURE = searches.share([[found(str(i), 0.9, spread=0.05, seed=i) for i in range(4)]])


@pytest.mark.parametrize(
    ("trained", "control", "words"),
    [
        (ALL_FOUND, HALF_FOUND, "find a larger share of the factors than dice do (1.00 against 0.50, +0.500"),
        (HALF_FOUND, ALL_FOUND, "find a smaller share of the factors than dice do (0.50 against 1.00, −0.500"),
        (UNSURE, HALF_FOUND, "cannot be told from dice"),
    ],
)
def test_trained_against_random(trained, control, words):
    assert words in searches.against_sentence("dice", trained, control)


@pytest.mark.parametrize(
    ("wide", "words"),
    [
        (ALL_FOUND, "a larger share"),
        (searches.share([[found("a", 0.1)]]), "a smaller share"),
        (UNSURE, "cannot be told"),
    ],
)
def test_whether_wider_is_better(wide, words):
    assert words in searches.width_sentence("1k", "16k", {"1k": HALF_FOUND, "16k": wide})


def test_one_width_is_said_so():
    assert searches.width_sentence("1k", "1k", {"1k": HALF_FOUND}) == "The middle layer has one width only, 1k."


@pytest.mark.parametrize(
    ("trained", "control", "words"),
    [
        (0.9, 0.8, "is better than a random dictionary's (0.90 against 0.80, +0.100, 95 % +0.100 to +0.100)"),
        (0.8, 0.9, "is worse than"),
        (0.9, 0.9, "cannot be told from"),
    ],
)
def test_one_factor_beside_random_dictionaries(trained, control, words):
    trained, control = (searches.area([found("a", auroc)]) for auroc in (trained, control))
    assert words in searches.area_sentence("For toxicity", trained, control)
    assert f"at layer 3 it {words}" in searches.layers_sentence(
        "toxicity", {1: control, 3: trained}, {1: trained, 3: control}
    )


@pytest.mark.parametrize(
    ("control", "spread", "words"),
    [
        (
            0.7,
            0.0,
            "layer 3 by +0.100 (95 % +0.100 to +0.100); the trained SAE's change is above that (difference +0.100",
        ),
        (0.9, 0.0, "by +0.300 (95 % +0.300 to +0.300); the trained SAE's change is below that (difference −0.100"),
        (
            0.5,
            0.0,
            "layer 3 by −0.100 (95 % −0.100 to −0.100); the trained SAE's change is above that (difference +0.300",
        ),
        (0.8, 0.1, "the trained SAE's change cannot be told from that (difference 0.000"),
    ],
)
def test_a_gain_beside_that_of_random_dictionaries(control, spread, words):
    start, end = (searches.area([found("a", auroc)]) for auroc in (0.7, 0.9))
    random = tuple(searches.area([found("a", *at)]) for at in ((0.6,), (control,)))
    if spread:
        random = (random[0], searches.area([found("a", control, spread=spread)]))
    said = searches.gain_sentence("layer 1", "layer 3", (start, end), random)
    assert words in said and said.startswith("A random dictionary's best latent changes from layer 1 to")


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ([0.01, 0.1], "gains from layer 1 to layer 3 (+0.050, 95 % +0.010 to +0.100)"),
        ([-0.1, -0.01], "loses from layer 1 to layer 3"),
        ([-0.1, 0.1], "no change from layer 1 to layer 3 can be told"),
    ],
)
def test_whether_depth_helps(interval, words):
    assert words in searches.change_sentence(
        "toxicity", "layer 1", "layer 3", {"difference": 0.05, "interval": interval}
    )


def test_what_is_missed_is_named_and_nothing_missed_is_said_so():
    assert searches.missed_sentence({"a": 0.8, "b": 0.7}) == "Not found: a 0.800, b 0.700."
    assert searches.missed_sentence({}).startswith("Every factor has a latent")
    assert searches.found_sentence(2, 4, HALF_FOUND).startswith(
        "Of 4 factors, 2 have a latent that finds them: a share of 0.50"
    )


def test_an_interval_that_reaches_the_bar_is_undecided():
    apart = [found("a", 0.95), found("b", 0.9), found("c", 0.8)]
    near = [found("d", 0.91, spread=0.05), found("e", 0.89, spread=0.05)]
    groups = searches.by_interval(apart + near)
    assert {name: list(of) for name, of in groups.items()} == {
        "above": ["a", "b"],
        "undecided": ["d", "e"],
        "below": ["c"],
    }
    assert searches.interval_sentence(groups) == (
        "By their 95 % intervals, 2 of 5 factors lie wholly at 0.9 or above, 1 wholly below (c 0.800), and 2 are undecided: "
        "1 that is counted as not found (e 0.890) and 1 that is counted as found (d 0.910)."
    )
    sure = searches.interval_sentence(searches.by_interval(apart[:2]))
    assert sure.endswith("2 of 2 factors lie wholly at 0.9 or above, 0 wholly below, and none is undecided.")
    one = searches.interval_sentence(searches.by_interval(near[:1]))
    assert one.endswith("and 1 is undecided: 1 that is counted as found (d 0.910).")
