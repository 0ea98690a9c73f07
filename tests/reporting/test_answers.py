"""The first page's answers: every sentence by every outcome of its numbers, and what is left out."""

import importlib.util
import sys
from itertools import product
from pathlib import Path

import pytest

from mosaic.errors import MosaicError
from mosaic.reporting import answers, results

ROOT = Path(__file__).parents[2]
ABOVE, WITHIN, BELOW = ((0.05, 0.02, 0.08), (0.01, -0.02, 0.04), (-0.05, -0.08, -0.02))
SIDES = {"above": ABOVE, "within": WITHIN, "below": BELOW}


def difference(of) -> dict:
    return {"difference": of[0], "interval": [of[1], of[2]]}


def baselines(tfidf, hidden, new=None) -> dict:
    over = {"new_words": {"difference": {"hidden": difference(new)}, "n_sets": 9}} if new else {}
    return {
        "difference": {"tfidf": difference(tfidf), "hidden": difference(hidden)},
        "over": over,
        "sentences": {"answer": "In full."},
    }


@pytest.mark.parametrize(("tfidf", "hidden"), list(product(SIDES, SIDES)))
def test_the_first_answer_says_on_which_side_each_interval_lies(tfidf, hidden):
    said = answers.against_the_alternatives(baselines(SIDES[tfidf], SIDES[hidden])).sentence
    words, states = "counted words", "the hidden states that they are made from"
    expected = {
        ("above", "above"): f"score above {words} and {states}",
        ("below", "below"): f"score below {words} and {states}",
        ("within", "within"): f"cannot be told apart from {words} or {states}",
        ("above", "below"): f"score above {words} and below {states}",
        ("below", "above"): f"score below {words} and above {states}",
        ("above", "within"): f"score above {words} and cannot be told apart from {states}",
        ("within", "above"): f"cannot be told apart from {words} and score above {states}",
        ("below", "within"): f"score below {words} and cannot be told apart from {states}",
        ("within", "below"): f"cannot be told apart from {words} and score below {states}",
    }[tfidf, hidden]
    assert said == f"SAE features {expected}."


def test_an_end_on_the_reference_says_nothing():
    assert answers.Contrast("x", 0.1, 0.0, 0.2).side == answers.WITHIN
    assert answers.Contrast("x", -0.1, -0.2, 0.0).side == answers.WITHIN


def test_what_was_recorded_as_not_measured_is_left_out():
    values = baselines(ABOVE, WITHIN) | {"over": {"new_words": None}}
    assert len(answers.against_the_alternatives(values).contrasts) == 2
    tuned = {"difference": {"tuned": {"sum": difference(ABOVE)}}, "difference_new_words": None}
    assert len(answers.on_or_off({**tuned, "sentences": {"tuned_sum": "In full."}}).contrasts) == 1


def test_new_words_stand_beside_the_first_answer_where_they_were_measured():
    assert len(answers.against_the_alternatives(baselines(ABOVE, WITHIN)).contrasts) == 2
    assert answers.against_the_alternatives(baselines(ABOVE, WITHIN, BELOW)).contrasts[-1].value == -0.05


@pytest.mark.parametrize(
    ("few", "every", "start", "end"),
    [
        ("above above above", "above", "A trained SAE scores above random directions, however many", "may read."),
        ("above above within", "within", "A trained SAE scores above random directions when", "cannot be told apart from random directions."),
        ("within above within", "below", "A trained SAE scores above random directions with 1 of", "3 small numbers of latents tried. With all latents it scores below random directions."),
        ("within within within", "within", "With few latents, a trained SAE cannot be shown", "and with all latents it cannot be told apart from random directions."),
        ("within below within", "above", "With few latents, a trained SAE cannot be shown", "but with all latents it scores above random directions."),
    ],
)  # fmt: skip
def test_what_training_is_worth_hangs_on_how_many_latents_are_ahead(few, every, start, end):
    by_size = dict(zip(("1", "2", "4", "all"), map(SIDES.get, [*few.split(), every]), strict=True))
    found = {size: difference(of) for size, of in by_size.items()}
    values = {"trained_minus": {"random dictionary": {"first": found}}, "sentences": {"answer": "In full."}}
    said = answers.worth_of_training(values).sentence
    assert said.startswith(start) and said.endswith(end)


@pytest.mark.parametrize(("side", "words"), [("above", "score above all latents"), ("within", "apart from all latents"), ("below", "score below all latents")])  # fmt: skip
def test_few_labels_end_with_whether_a_few_chosen_latents_do(side, words):
    few = {"binarised_minus_tfidf": ABOVE, "binarised_minus_hidden": BELOW, "mean_difference_minus_all": SIDES[side]}
    values = {"minus": {name: {"few": difference(of)} for name, of in few.items()}, "sentences": {"answer": "In full."}}
    said = answers.with_few_labels(values).sentence
    assert "score above counted words and below hidden states. A few" in said and words in said


@pytest.mark.parametrize(
    ("side", "words"), [("above", "scores above keeping"), ("within", "told apart"), ("below", "scores below")]
)
def test_on_or_off_is_said_by_its_side(side, words):
    values = {"difference": {"tuned": {"sum": difference(SIDES[side])}}, "sentences": {"tuned_sum": "In full."}}
    assert words in answers.on_or_off(values).sentence


@pytest.mark.parametrize(
    ("interval", "words"), [([0.55, 0.6], "most of its"), ([0.4, 0.6], "about half"), ([0.1, 0.4], "less than half")]
)
def test_seeds_are_held_against_a_half_and_told_in_percent(interval, words):
    seeds = {"controls": {"seeds": {"shared": 0.5, "interval": interval}}, "setting": {"width": 512, "k": 8}}
    values = {**seeds, "sentences": {"minority": "In full."}}
    answer = answers.trained_again(values)
    assert words in answer.sentence
    assert answer.contrasts[0].text() == f"50 % ({interval[0]:.0%} to {interval[1]:.0%})".replace("%", " %").replace(
        "  ", " "
    )


@pytest.mark.parametrize("ends", [(0.1, None, 0.2), ("0.1", 0.0, 0.2), (0.1, 0.3, -0.1), (0.1, float("nan"), 0.2)])
def test_what_is_no_number_with_its_interval_says_nothing(ends, tmp_path, monkeypatch):
    with pytest.raises(MosaicError, match="is no number with the lower and the upper end"):
        answers.Contrast("x", *ends)
    damaged = {
        "difference": {"tuned": {"sum": {"difference": ends[0], "interval": list(ends[1:])}}},
        "sentences": {"tuned_sum": ""},
    }
    monkeypatch.setattr(answers.results, "read", lambda profile, study, folder: damaged)
    assert answers.answers("mine", tmp_path) == []


def test_a_question_without_results_has_no_answer_and_order_is_the_books(tmp_path):
    assert answers.answers("mine", tmp_path) == []
    results.record("mine", "sae_against_baselines", baselines(ABOVE, WITHIN), tmp_path)
    results.record("mine", "binarisation", {"another": "shape"}, tmp_path)
    assert [answer.chapter for answer in answers.answers("mine", tmp_path)] == ["sae_against_baselines"]


@pytest.fixture
def drawn(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT / "book" / "_ext"), *sys.path])
    spec = importlib.util.spec_from_file_location("mosaic_answers", ROOT / "book" / "_ext" / "mosaic_answers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_answer_is_escaped_drawn_and_linked_where_its_chapter_is(drawn):
    contrast = answers.Contrast("a <b>", 0.1, -0.2, 0.4)
    answer = answers.Answer("More & more.", (contrast,), "layers", "In <i>full</i>.")
    shown = drawn.item(answer, 0.4, "notebooks/05_layers.html", "5")
    assert "More &amp; more." in shown and "a &lt;b&gt;" in shown and "&lt;i&gt;" in shown
    assert 'href="notebooks/05_layers.html">Chapter 5<' in shown
    assert 'class="interval within"' in shown and "+0.100 (−0.200 to +0.400)" in shown
    assert "<a " not in drawn.item(answer, 0.4, None, None)


def test_positions_run_from_left_to_right_inside_the_drawing(drawn):
    assert drawn.x(-1, -1, 1) == 6 and drawn.x(1, -1, 1) == drawn.WIDTH - 6 and drawn.x(0, -1, 1) == drawn.WIDTH / 2
