"""Every sentence on the large model's answers has its branches; each is chosen here by made-up numbers."""

import pytest
from transfer_toy import ABOVE, BELOW, OPEN

from mosaic.probing.scores import Difference
from mosaic.studies import transfer_said as said


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (ABOVE, "better than"),
        (OPEN, "nearly as well"),
        (Difference(-0.1, -0.15, -0.05, 0.001), "fall behind"),
        (Difference(-0.04, -0.1, 0.02, 0.2), "Whether the small model's SAE features do nearly as well"),
        (
            Difference(-0.049, -0.095, -0.004, 0.04),
            "fall behind the large model's own; whether by more than the margin is",
        ),
    ],
)
def test_nearly_as_well_has_a_margin(difference, words):
    sentence = said.nearly_as_well(difference, 0.05)
    assert words in sentence and "margin 0.05" in sentence and "macro-F1" in sentence


def test_baselines_are_sorted_by_outcome():
    names = {"hidden": "hidden states", "tfidf": "TF-IDF", "majority": "the majority class"}
    sentence = said.signal({"hidden": OPEN, "tfidf": ABOVE, "majority": ABOVE}, names)
    assert "score above TF-IDF (+0.100" in sentence and "and the majority class" in sentence
    assert "cannot be told apart from hidden states" in sentence and "below" not in sentence
    assert "score below TF-IDF" in said.signal({"tfidf": BELOW}, names)
