"""Every sentence of the chapter on images has its branches; each is chosen here by made-up numbers."""

import pytest
from transfer_toy import ABOVE, BELOW, OPEN

from mosaic.studies import images_said as said

OUTCOMES = [(ABOVE, "above", "+0.100"), (BELOW, "below", "−0.100"), (OPEN, "cannot be told apart", "+0.010")]


@pytest.mark.parametrize(("difference", "words", "number"), OUTCOMES)
def test_images_are_compared_with_each_control(difference, words, number):
    for place in range(3):
        three = [OPEN, OPEN, OPEN]
        three[place] = difference
        sentence = said.images(*three, "with all latents", 5)
        clause = sentence.split(")")[place]
        assert words in clause and number in clause
        learned = {
            "above": "learned from texts counts",
            "below": "is a hindrance",
            "cannot be told apart": "nothing shows",
        }
        assert place != 1 or learned[words] in sentence
    assert "5 random dictionaries" in sentence and sentence.count("They ") == 2


@pytest.mark.parametrize(
    ("values", "words"), [((0.4, 0.5), "not what the SAE"), ((0.01, 0.02), "no stranger"), ((0.01, 0.5), "Some image")]
)
def test_off_text(values, words):
    sentence = said.off_text(dict(zip(("digits", "shapes"), values, strict=True)), 0.04)
    assert words in sentence and "0.040 of that of test texts" in sentence


def test_what_no_language_model_has_read_is_compared_too():
    sentence = said.without_the_language_model(ABOVE, BELOW)
    assert "score above the vision tower's own features (+0.100" in sentence
    assert "and score below the pixels themselves (−0.100" in sentence


def test_sets_that_disagree_are_told_apart():
    pixels = {"digits": BELOW, "shapes": ABOVE, "places": OPEN, "fields": ABOVE}
    got = said.set_by_set({"the pixels": pixels, "hidden states": {"digits": ABOVE}})
    assert got == (
        "Set by set, SAE features are: against the pixels, ahead on shapes and fields, behind on digits, not told apart on "
        "places; against hidden states, ahead on digits."
    )
