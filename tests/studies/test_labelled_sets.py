"""What is known of the labelled sets, and every branch of the sentences that it chooses."""

from mosaic.studies import labelled_sets
from mosaic.studies.labelled_sets import comparisons_sentence, cues_sentence, log_sentence, unchanged_sentence
from tests.studies.test_miniature import row


def test_the_largest_share():
    assert labelled_sets.largest_share(["a", "b", "a", "c"]) == 0.5


def test_a_set_is_described_by_both_kinds_of_cue_and_both_ceilings(monkeypatch):
    monkeypatch.setattr(labelled_sets, "CUE_MESSAGES", 400)
    told, never = labelled_sets.describe_set("refusal"), labelled_sets.describe_set("alike")
    assert told["by the verdict"] == 1 and never["by the verdict"] < 0.65
    assert not told["best count"].startswith(("first", "second")) and told["best order"].startswith(("first", "second"))
    assert told["ceiling"] == 1 and 0.94 < told["ceiling on validation"] < 0.995
    assert told["set"] == "refusal" and told["told"] is True and never["told"] is False


def test_no_cue_or_which_ones():
    tight = [row("a", True, 0.66, 0.71, 1.0), row("b", True, 0.6, 0.6, 1.0, **{"added up": 0.7})]
    said = cues_sentence(tight)
    assert said.startswith("No count") and "0.71 (a)" in said and "0.70 at most (b)" in said
    leaky = [row("a", True, 0.66, 0.86, 1.0), row("b", True, 0.9, 0.6, 1.0), row("c", True, 0.6, 0.6, 1.0)]
    said = cues_sentence([*leaky, row("d", False, 1.0, 1.0, 0.5)])
    assert "In 2 of 3 sets" in said and "a, b (most in b, 0.90)" in said


def test_a_comparison_is_fixed_by_a_pair_or_not_and_reached_by_adding_up_or_not():
    said = comparisons_sentence([row("a", False, 1.0, 0.6, 0.5), row("b", False, 0.6, 0.6, 0.5)])
    assert "In 1 of 2" in said and "(a)" in said and "hardly more than the largest class (0.50)" in said
    said = comparisons_sentence([row("a", False, 0.6, 0.6, 0.5, **{"added up": 0.7})])
    assert "No pair of things" in said and "words alone tell part of it" in said


def test_the_log_tells_or_does_not():
    said = log_sentence([row("a", True, 0.6, 0.6, 1.0), row("b", False, 1.0, 0.6, 0.53)])
    assert "gives every told label (1.00)" in said and "next to nothing" in said and "0.53 at most" in said
    said = log_sentence([row("a", True, 0.6, 0.6, 0.9), row("b", False, 1.0, 0.6, 0.7)])
    assert "in 0.90 of the messages at least" in said and "tells part of" in said
    code = log_sentence([row("a", True, 0.6, 0.6, 1.0), row("b", False, 1.0, 0.6, 0.5, **{"by one code": 0.8})])
    assert "tells part of" in code and "0.80" in code


def test_messages_without_a_new_word_are_counted():
    assert unchanged_sentence([row("a", True, 0.6, 0.6, 1.0)]) == "Every test message has a new word."
    assert "0.11 in b" in unchanged_sentence([row("b", True, 0.6, 0.6, 1.0, **{"no new word": 0.11})])
