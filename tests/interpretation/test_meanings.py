"""Labels against factors: a label of a factor's own words is right, another's is not; shares and intervals by hand."""

import numpy as np
import pytest

from mosaic.interpretation import tracking
from mosaic.interpretation.descriptions import NONE, Descriptions
from mosaic.interpretation.meanings import Dictionary, Rightness, believed
from mosaic.interpretation.tracking import Tracked
from mosaic.models.language import ModelSpec
from mosaic.models.opening import open_model


@pytest.fixture(scope="module")
def dictionary():
    return Dictionary.of(open_model(ModelSpec("weights/mini/mini-small")), tracking.texts(20)[1], 800)


def described(dictionary, *labels):
    lm = open_model(ModelSpec("weights/mini/mini-small"))
    tokens = np.full((len(labels), 3), NONE)
    for row, words in enumerate(labels):
        ids = lm.tokenizer.convert_tokens_to_ids(list(words))
        assert lm.tokenizer.unk_token_id not in ids
        tokens[row, : len(ids)] = ids
    return Descriptions(np.zeros(len(labels), dtype=int), tokens, np.ones(len(labels)))


def test_words_mean_their_factor(dictionary):
    told = described(dictionary, ["▁override"], ["▁refund"], ["▁story"], [])
    found = dictionary.meaning(told)
    assert found.factor[:3] == ["request: frame override", "request: intent refund", "request: frame story"]
    assert (found.auroc[:3] > 0.95).all() and found.chosen_auroc[3] == 0.5  # no word, no meaning


def test_factors_that_no_document_has_are_left_out(dictionary):
    assert not any(factor.kind == "fact" for factor in dictionary.factors)
    assert {factor.kind for factor in dictionary.factors} == {"", "message", "request", "stance"}
    assert len(set(dictionary.text)) == len(dictionary.rows)


def test_shares_and_differences_over_factors():
    truth = np.array(["a", "a", "a", "b", "c"])
    found = Rightness(truth, {"one": truth == "a", "other": np.array([True, False, False, False, False])})
    assert found.share("one")["value"] == pytest.approx(0.6) and found.share("one")["n"] == 5
    low, high = found.share("one")["interval"]
    assert low == 0 and high == 1  # three factors: without "a" nothing is right, with "a" alone everything
    assert found.minus("one", "other")["value"] == pytest.approx(0.4)
    assert found.minus("one", "one") == {"value": 0.0, "interval": [0.0, 0.0], "n": 5}


def test_many_latents_of_one_factor_are_no_more_than_one():
    rng = np.random.default_rng(0)
    right = rng.random(30) < 0.5
    few = Rightness(np.array([f"f{i}" for i in range(30)]), {"x": right})
    many = Rightness(np.repeat(few.truth, 20), {"x": np.repeat(right, 20)})
    assert many.share("x")["interval"] == pytest.approx(few.share("x")["interval"], abs=1e-9)


def test_the_side_that_tells_its_factor_better_is_believed():
    first = Tracked(np.array([0.9, 0.7, 0.8]), np.zeros(3), ["a", "b", "c"])
    second = Tracked(np.array([0.8, 0.75, 0.8]), np.zeros(3), ["x", "y", "z"])
    assert believed(first, second) == ["a", "y", "c"]


def test_one_factor_has_no_interval():
    found = Rightness(np.array(["a", "a"]), {"x": np.array([True, False])})
    assert found.share("x") == {"value": 0.5, "interval": None, "n": 2}
