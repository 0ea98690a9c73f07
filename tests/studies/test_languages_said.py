"""Every sentence of the chapter on languages has its branches; each is chosen here by made-up numbers."""

from dataclasses import replace

import pytest
from transfer_toy import ABOVE, BELOW, OPEN, diagnosis

from mosaic.studies import languages_said as said
from mosaic.studies.languages_compared import Below

OUTCOMES = [(ABOVE, "above", "+0.100"), (BELOW, "below", "−0.100"), (OPEN, "cannot be told apart", "+0.010")]


@pytest.mark.parametrize(("difference", "words", "number"), OUTCOMES)
def test_two_arms_are_compared_by_their_interval(difference, words, number):
    sentence = said.compared("A", "B", difference, "abroad")
    assert words in sentence and number in sentence and "95 %" in sentence


@pytest.mark.parametrize(
    ("interval", "random", "native", "words"),
    [
        ([0.05, 0.2], ABOVE, ABOVE, ["is viable on average", "score above random", "is better"]),
        ([0.05, 0.2], BELOW, OPEN, ["is viable on average", "score below random", "itself cannot be told apart"]),
        ([-0.05, 0.2], OPEN, ABOVE, ["undecided", "cannot be told apart from random", "is better"]),
        ([-0.3, -0.2], BELOW, BELOW, ["is not viable", "score below random", "is worse"]),
    ],
)
def test_viable_beside_random_and_below_native_are_three_questions(interval, random, native, words):
    sentence = said.viable({"difference": 0.1, "interval": interval}, (8, []), random, native)
    assert all(word in sentence for word in words) and "+0.100" in sentence
    assert "In none of the 8 pairs" in sentence


def test_a_mean_above_chance_does_not_hide_where_it_is_below():
    cells = [Below("toxicity in Russian", 0.44, 0.5), Below("sentiment in Chinese", 0.17, 1 / 3)]
    sentence = said.viable({"difference": 0.1, "interval": [0.05, 0.2]}, (8, cells), OPEN, OPEN)
    assert "In 2 of the 8 pairs of a set and a language they lie below it: toxicity in Russian 0.44" in sentence
    assert "sentiment in Chinese 0.17 where guessing gives 0.33." in sentence
    every = said.viable({"difference": -0.1, "interval": [-0.2, -0.05]}, (2, cells), OPEN, OPEN)
    assert "In all 2 pairs of a set and a language they lie below it: toxicity in Russian 0.44" in every


def test_no_fall_no_explanation():
    sentence = said.why(
        "Hidden states", [diagnosis(), diagnosis("sum"), diagnosis("max", home=0.52, there=0.4)], "last"
    )
    assert "has 0.90 there and 0.90 abroad" in sentence and "No other pooling that tells" in sentence
    assert "mended" not in sentence


def test_who_knew_nothing_at_home_has_nothing_to_lose():
    sentence = said.why("Hidden states", [diagnosis(home=0.52, there=0.35, mean=0.52)], "last")
    assert "0.50 for chance there is nothing to lose" in sentence


@pytest.mark.parametrize("kind", ["mean", "intercept", "directions", "mean and scale"])
def test_the_chosen_pooling_is_explained_first(kind):
    sentence = said.why("Hidden states", [diagnosis("sum"), diagnosis(there=0.4, **{kind: 0.85})], "last")
    assert f"(AUROC abroad 0.77): {said.MENDED[kind]} (0.85)." in sentence and "No other pooling" in sentence
    lost = said.why("Hidden states", [diagnosis(there=0.4, **{kind: 0.45})], "last")
    assert f"{said.MENDED['none']} (0.45)." in lost


def test_what_explains_most_of_the_others_is_said_with_its_numbers():
    moved = diagnosis("sum", there=0.4, mean=0.85, intercept=0.86)
    off = diagnosis("max", there=0.4, intercept=0.86)
    sentence = said.why("Hidden states", [diagnosis(), moved, replace(moved, pooling="mean"), off], "last")
    assert "All 3 others lose" in sentence and "(2 of 3): each language's mean has moved" in sentence
    assert "most of all sum 0.90 to 0.40 (AUROC abroad 0.77; mended by mean: 0.85)." in sentence
    some = said.why("Hidden states", [diagnosis(), diagnosis("max"), moved], "last")
    assert "Of the 2 others 1 lose more than 0.05" in some and "What explains all of them: each language's mean" in some
    worse = diagnosis("max", there=0.3, intercept=0.86)
    sentence = said.why("Hidden states", [diagnosis(), moved, worse], "last")
    assert "most of all max 0.90 to 0.30 (AUROC abroad 0.77; mended by intercept: 0.86)." in sentence


def test_a_tie_of_explanations_names_both():
    gone, moved = diagnosis("sum", there=0.4, mean=0.5), diagnosis("max", there=0.4, mean=0.9)
    sentence = said.why("Hidden states", [diagnosis(), gone, moved], "last")
    assert said.MENDED["none"] in sentence and " or " in sentence and "at best, by mean: 0.50" in sentence


@pytest.mark.parametrize(
    ("chosen", "tied", "words"),
    [
        ("last", 1, "also the best"),
        ("sum", 1, "is not the best abroad"),
        ("sum", 2, "cannot tell 1 of the 1 other settings"),
    ],
)
def test_what_the_choice_in_english_is_worth_abroad(chosen, tied, words):
    rows = [
        {"layer": 3, "pooling": "last", "abroad": 0.9},
        {"layer": 3, "pooling": "sum", "abroad": 0.4},
    ]
    sentence = said.spread("Hidden states", rows, {"layer": 3, "pooling": chosen}, tied)
    assert words in sentence and "0.40" in sentence
    assert ("does not take any of the 1 other" in sentence) == (tied == 1)
