"""What the page is told of a probe is the probe; pairs of sentences and examples are what they say."""

import json

import numpy as np
import pytest

from mosaic.playground import examples, probes
from mosaic.playground.offered import MINI, MINILM, OFFERED, POOLINGS, Question
from mosaic.probing import examine
from mosaic.probing.comparison import evaluate

SMALL = Question("mini/intent", "What does the speaker want?", ("en", "de"))


@pytest.fixture(scope="module")
def problem(opened):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probes, "TRAIN", 120)
        patch.setattr(probes, "TEST", 120)
        yield probes.problem_of(SMALL, opened[1], opened[2][1:2], None)


def test_rows_of_every_language_and_no_message_on_both_sides(problem):
    train, test = problem.train, problem.test
    assert (len(train), len(test)) == (120, 120)
    assert {language: int((train.languages == language).sum()) for language in ("en", "de")} == {"en": 60, "de": 60}
    assert not set(train.groups) & set(test.groups)


def test_an_entry_scores_as_the_fitted_probe_does(problem):
    """With numbers rounded as they are sent."""
    for result in evaluate(problem, families=("sae",), trees=False):
        if result.setting.pooling not in ("max", "count"):
            continue
        told = json.loads(json.dumps(probes.entry(problem, result)))
        fitted, columns = examine.fitted(problem, result)
        rows = examine.table_of(problem, result.setting).matrix.toarray()
        x = (rows > told["threshold"]).astype(float) if told["binarized"] else rows
        scores = x[:, told["columns"]] @ np.array(told["weights"]).T + told["intercept"]
        there = fitted[-1].decision_function(fitted[0].transform(x[:, columns].astype(np.float32)))
        np.testing.assert_allclose(scores, there, atol=1e-3)
        assert told["columns"] == sorted(told["columns"]) and told["parts"]["familiar words"]["n"] > 0


def test_chosen_is_validations_choice_and_the_opening_one_reads_every_token(problem):
    settings, places = probes.probes(problem)
    assert len(settings) == 2 * len(POOLINGS)
    values = [one["validation"] for one in settings]
    assert values == sorted(values, reverse=True) and settings[places["chosen"]]["validation"] == values[0]
    opening = settings[places["opening"]]
    assert opening["pooling"] == "max" and not opening["binarized"]


def test_examples_are_rows_of_the_test_set_one_a_language():
    test = probes.rows_of(SMALL)[1]
    found = examples.of_question(SMALL)
    assert [one["language"] for one in found] == ["en", "de"]
    for one in found:
        row = test.texts.index(one["text"])
        assert test.labels[row] == one["label"] and len(one["text"]) <= examples.LONGEST
    assert len({one["label"] for one in found}) == 2


def test_analysed_gives_each_tokens_latents_and_leaves_special_ones_out(opened):
    _, lm, saes = opened
    (one,) = examples.analysed(["you are stupid."], lm, saes)
    assert one["tokens"] == ["you", "▁are", "▁stupid", "."]
    assert set(one["codes"]) == {1, 3, 5} and all(len(rows) == 4 for rows in one["codes"].values())
    assert all(value > 0 for rows in one["codes"].values() for row in rows for _, value in row)


def test_every_pair_asks_a_question_of_its_model_and_differs():
    for offered in (MINI, MINILM):
        sets = {question.set for question in offered.questions}
        assert len({question.slug for question in offered.questions}) == len(sets)
        for pair in offered.pairs:
            assert pair.question in sets and pair.first != pair.second
    assert {one.profile for models in OFFERED.values() for one in models} == {"mini", "minilm"}
