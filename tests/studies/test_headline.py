"""Every sentence of the headline has its branches; each is chosen here by made-up numbers."""

import pytest

from mosaic.probing.scores import Difference
from mosaic.studies import headline
from mosaic.studies.pairs import Share

ABOVE, BELOW, OPEN = (
    Difference(0.02, 0.01, 0.03, 0.01),
    Difference(-0.02, -0.03, -0.01, 0.01),
    Difference(0.0, -0.01, 0.01, 0.9),
)


@pytest.mark.parametrize(
    "low,high,expected",
    [
        (0.001, 0.1, "above"),
        (-0.1, -0.001, "below"),
        (-0.1, 0.1, "undecided"),
        (0.0, 0.1, "undecided"),
        (-0.1, 0.0, "undecided"),
    ],
)
def test_an_outcome_needs_the_whole_interval(low, high, expected):
    assert headline.outcome(Difference((low + high) / 2, low, high, 0.5)) == expected


@pytest.mark.parametrize(
    "value,expected", [(0.0124, "+0.012"), (-0.0124, "−0.012"), (0.0, "0.000"), (-0.0004, "−0.0004")]
)
def test_differences_have_a_sign_unless_they_are_zero(value, expected):
    assert headline.signed(value) == expected


@pytest.mark.parametrize(
    "difference,words", [(ABOVE, "score above"), (BELOW, "score below"), (OPEN, "cannot be told apart from")]
)
def test_a_verdict_against_a_baseline(difference, words):
    found = headline.versus("hidden states", difference, 10, "familiar words")
    assert found.startswith(f"SAE features {words} hidden states (")
    assert headline.signed(difference.difference) in found and "mean over 10 sets, familiar words" in found
    assert "one set)" in headline.versus("TF-IDF", difference, 1)


@pytest.mark.parametrize(
    "trained,randoms,said",
    [
        (ABOVE, OPEN, ("scores above 5 random", "what it learned counts", "random ones cannot be told apart")),
        (BELOW, ABOVE, ("scores below 5 random", "not to what the SAE learned", "random ones themselves score above")),
        (OPEN, BELOW, ("cannot be told apart from 5 random", "no gain", "random ones score below")),
    ],
)
def test_what_was_learned(trained, randoms, said):
    found = headline.learned("Here", trained, randoms, 5)
    assert all(words in found for words in said), found


def test_linear_probes_alone_keep_the_outcome_or_change_it():
    assert headline.with_linear_probes(ABOVE, ABOVE).startswith(
        "With linear probes alone the outcome is the same: they score"
    )
    assert "In new words" not in headline.with_linear_probes(ABOVE, ABOVE)
    in_new_words = headline.with_linear_probes(ABOVE, ABOVE, BELOW)
    assert "In new words, with linear probes alone, they score below hidden states (" in in_new_words
    changed = headline.with_linear_probes(ABOVE, OPEN)
    assert changed.startswith(
        "That rests on the kind of probe: with linear probes alone SAE features cannot be told apart"
    )


def test_sets_at_the_ceiling_are_named():
    found = headline.at_the_ceiling({"a": (1.0, 0.995), "b": (1.0, 0.9), "c": (0.5, 0.4)})
    assert found.startswith("On 1 of 3 sets (a) both") and "nothing left to rank" in found
    assert headline.at_the_ceiling({"b": (1.0, 0.9)}).startswith("On no set")


def test_new_words_keep_the_outcome_or_change_it():
    drops = {"SAE features": 0.05, "TF-IDF": -0.01}
    same = headline.in_new_words(OPEN, OPEN, drops)
    assert "outcome against hidden states is the same: SAE features cannot be told apart from them" in same
    changed = headline.in_new_words(OPEN, ABOVE, drops)
    assert (
        "changes: in familiar words SAE features cannot be told apart from them, in new words they score above"
        in changed
    )
    assert "SAE features −0.050, TF-IDF +0.010" in same  # what the new words change: a drop has a minus
    assert headline.in_new_words(None, None, {}) == "These sets have no second test in new words."


def test_labels_never_told_keep_the_outcome_or_change_it():
    means = {"SAE features": (0.95, 0.7)}
    same = headline.on_labels_never_told(BELOW, BELOW, means, known=True)
    assert "never told the outcome is that on told ones: SAE features score below hidden states" in same
    assert "SAE features 0.95 told and 0.70 never told" in same
    changed = headline.on_labels_never_told(OPEN, ABOVE, means, known=True)
    assert (
        "told labels SAE features cannot be told apart from hidden states, on labels never told they score above"
        in changed
    )
    assert "not known" in headline.on_labels_never_told(None, None, {}, known=False)
    assert "has not both kinds" in headline.on_labels_never_told(None, None, {}, known=True)


def test_losses_name_the_sets_and_say_none_in_words():
    """It once read "loses on 0 of 7 sets: none"."""
    small = Difference(-0.001, -0.02, 0.02, 0.9)
    found = headline.losses({"a": BELOW, "b": small, "c": ABOVE, "d": Difference(0.0, -0.1, 0.1, 1)})
    assert found == (
        "Set by set, of 4, SAE features score below hidden states on 2, beyond the interval on 1 (a), and above them on 1, "
        "beyond the interval on 1 (c)."
    )
    never = headline.losses({"a": ABOVE, "b": Difference(0.001, -0.02, 0.02, 0.9)})
    assert never == (
        "Set by set, of 2, SAE features score below hidden states on none, and above them on 2, beyond the interval on 1 (a)."
    )
    assert "below hidden states on 2, on none of them beyond the interval" in headline.losses(
        {"a": small, "b": small, "c": ABOVE}
    )
    assert headline.losses({"a": BELOW}) == "On the one set, a, SAE features score below hidden states."


def test_a_mean_that_hangs_on_one_set_says_so():
    """The book's headline once was +0.013 where it would have been below zero without one set of ten."""
    found = headline.leans_on({"a": -0.01, "alike": 0.2, "b": -0.02, "c": 0.0})
    assert found == "The mean hangs on one set: without alike it is −0.010 instead of +0.043."
    found = headline.leans_on({"a": 0.0, "b": 0.05, "c": 0.04})
    assert found == "Without a, the set that moves it most, the mean is +0.045 instead of +0.030."
    assert headline.leans_on({"a": 0.1, "b": -0.1}).startswith("There are too few sets to ask")


@pytest.mark.parametrize(
    "difference,words", [(ABOVE, "score above"), (BELOW, "score below"), (OPEN, "cannot be told apart")]
)
def test_the_seeds_of_an_sae(difference, words):
    assert f"(3 seeds) {words}" in headline.all_seeds(difference, 3)
    assert f"(one seed) {words}" in headline.all_seeds(difference, 1)


@pytest.mark.parametrize(
    "share,low,high,words",
    [
        (0.70, 0.65, 0.75, "agrees with the published share of 0.69"),
        (0.30, 0.20, 0.40, "is not the published share of 0.69"),
        (0.95, 0.90, 1.00, "is not the published share of 0.69"),
        (0.60, 0.40, 0.80, "settles nothing about the published share of 0.69"),
        (0.60, None, None, "no interval"),
    ],
)
def test_pairs_are_held_against_the_published_share_and_not_one_half(share, low, high, words):
    assert words in headline.in_pairs(Share(share, low, high, 0.0, 0.0, 1200), 0.69, 0.1)
    assert "No pair" in headline.in_pairs(None, 0.69, 0.1)
    assert "hidden states at the last token the SAE is ahead" in headline.in_pairs(
        Share(share, low, high, 0.0, 0.0, 1200), 0.69, 0.1, "at the last token"
    )


def test_how_few_latents_suffice():
    chosen = {"a": 16, "b": 4, "c": None}
    for difference, words in ((ABOVE, "even score above"), (BELOW, "score below"), (OPEN, "cannot be told apart from")):
        found = headline.enough(chosen, [], difference, 256)
        assert (
            "On 2 of 3 sets validation cannot tell between 4 and 16 latents (median 4) from all" in found
            and f"On the test they {words} all" in found
        )
        assert "On 1 (c) it takes more than 256." in found
    assert "16 latents (median 16)" in headline.enough({"a": 16, "b": 16}, [], OPEN, 256)
    assert headline.enough({"a": None}, [], None, 256) == (
        "On no set are 256 latents or fewer enough that validation cannot tell them from all."
    )
    left_out = headline.enough({"a": 16, "b": 1}, ["b"], OPEN, 256)
    assert "On 1 of 1 sets validation cannot tell 16 latents" in left_out and left_out.endswith(
        "Left out: b, where all latents of a linear probe fall short of a tree."
    )


def test_where_fewer_latents_are_better():
    found = {"intent": (16, 0.957, 0.822, 0.1), "stance": (1, 0.8, 0.79, -0.01)}
    assert headline.fewer_is_better(found) == (
        "At the number that validation chose fewer latents score measurably above all of them on intent "
        "(16 reach 0.96, all 0.82)."
    )
    assert headline.fewer_is_better({"stance": found["stance"]}, "new words") == (
        "At the number that validation chose, in new words, fewer latents score measurably above all of them on no set."
    )
    assert headline.fewer_is_better({}, "new words") == "This was not measured in new words."


def test_edges_and_fits_that_did_not_converge():
    assert headline.at_the_edge({"SAE features": (0.0, 0.0)}) == (
        "Validation never chose an end of the grid of C; every fit converged."
    )
    found = headline.at_the_edge({"SAE features": (0.125, 0.0), "TF-IDF": (0.0, 0.01)})
    assert "in 12 % (SAE features) of settings; the solver stopped early in 1 % (TF-IDF) of fits" in found


def test_the_answer_sorts_the_baselines_by_outcome():
    names = {"hidden": "hidden states", "tfidf": "TF-IDF"}
    assert headline.answer({"hidden": OPEN, "tfidf": ABOVE}, names) == (
        "SAE features score above TF-IDF (+0.020), and cannot be told apart from hidden states (0.000)."
    )
    assert headline.answer({"hidden": ABOVE, "tfidf": ABOVE}, names) == (
        "SAE features score above hidden states (+0.020) and TF-IDF (+0.020)."
    )
    assert headline.answer({"hidden": BELOW, "tfidf": OPEN}, names) == (
        "SAE features cannot be told apart from TF-IDF (0.000), and score below hidden states (−0.020)."
    )
