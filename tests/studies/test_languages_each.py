"""Sentences of one set at a time, by scores of known outcome."""

from dataclasses import replace

import numpy as np
import pytest
from transfer_toy import ABOVE, BELOW, OPEN, diagnosis, parallel

from mosaic.studies import languages_each as each
from mosaic.studies.language_matrix import Matrix


def matrix(sae_wrong=(), hidden_wrong=()):
    """Right in every language but these, where each text is called the other class."""
    test = parallel(n=12)
    wrong = np.where(test.labels == "good", "bad", "good").astype(object)

    def of(languages):
        said = np.where(np.isin(test.languages, languages), wrong, test.labels)
        return dict.fromkeys(("en", "de", "zh"), said)

    return Matrix(test, {"sae": of(sae_wrong), "hidden": of(hidden_wrong), "tfidf": of(())})


def test_languages_ahead_and_behind_are_counted():
    assert each.ahead_and_behind(matrix()) == (0, 0)
    assert each.ahead_and_behind(matrix(sae_wrong=("zh",), hidden_wrong=("en", "de"))) == (2, 1)


def test_each_set_has_its_own_outcome():
    sets = {"a": matrix(), "b": matrix(sae_wrong=("en", "de", "zh")), "c": matrix(hidden_wrong=("en", "de", "zh"))}
    sentence = each.on_themselves(sets)
    assert "features cannot be told apart from hidden states on a (" in sentence
    assert "level in 3 of 3 languages" in sentence
    assert "score below hidden states on b (−1.00" in sentence and "behind in 3 of 3" in sentence
    assert "score above hidden states on c (+1.00" in sentence and "ahead in 3 of 3" in sentence


def test_mixed_languages_are_all_named():
    sentence = each.on_themselves({"a": matrix(sae_wrong=("zh",), hidden_wrong=("de",))})
    assert "ahead in 1, level in 1, behind in 1 of 3 languages" in sentence


@pytest.mark.parametrize(
    ("share", "words"), [(0.96, "the probe has collapsed: on average 96 %"), (0.6, "has not collapsed to one")]
)
@pytest.mark.parametrize(
    ("majority", "scored"), [(ABOVE, "score above"), (BELOW, "score below"), (OPEN, "cannot be told")]
)
def test_a_probe_that_says_one_thing_has_collapsed(share, words, majority, scored):
    found = replace(diagnosis(), share=share, auroc=0.593)
    sentence = each.collapse({"agreement": found}, majority)
    assert (
        words in sentence and scored in sentence and "AUROC abroad, which asks for the order alone, is 0.59" in sentence
    )
