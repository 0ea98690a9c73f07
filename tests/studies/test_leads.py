"""A choice and its lead, on made-up sets whose answer is known."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from mosaic.probing.scores import Difference
from mosaic.studies import leads
from mosaic.studies.leads import Choice, Lead, OneSet
from mosaic.texts.labelled import FAMILIAR, NEW, LabelledTexts

UP, DOWN, LEVEL = Difference(0.05, 0.02, 0.08, 0.0), Difference(-0.05, -0.08, -0.02, 0.0), Difference(0.0, -0.1, 0.1, 1)


def one_set(seed: int, accuracy: dict, validation: dict, new: dict | None = None, n: int = 200) -> OneSet:
    """Options that are right as often as told, on test and, where `new` tells it, on new words."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(["a", "b"], n).astype(object)

    def predicted(share: float) -> np.ndarray:
        right = rng.random(n) < share
        return np.where(right, truth, np.where(truth == "a", "b", "a"))

    parts = None if new is None else np.repeat([FAMILIAR, NEW], n)
    labels = truth if new is None else np.concatenate([truth, truth])
    results = {}
    for option, share in accuracy.items():
        there = [predicted(share)] if new is None else [predicted(share), predicted(new[option])]
        held = (truth, predicted(validation[option]), None)
        results[option] = SimpleNamespace(validation=validation[option], predicted=np.concatenate(there), held=held)
    return OneSet(LabelledTexts("toy", [str(i) for i in range(len(labels))], labels, parts=parts), results)


def test_validation_chooses_and_the_lead_is_measured_on_test():
    validation = {"1": 0.7, "3": 0.9, "5": 0.89}
    sets = [one_set(seed, {"1": 0.99, "3": 0.9, "5": 0.6}, validation) for seed in range(4)]
    choice = leads.choose(sets)
    assert (choice.winner, choice.next, choice.again) == ("3", "5", 1.0)
    assert choice.validation_lead.difference == pytest.approx(0.01)
    # Layer 1, which validation put last, is ahead on test: the strongest rival is the one that beats the winner.
    assert choice.lead.rival == "1" and choice.lead.difference.high < 0 < choice.lead.over["5"].low
    assert choice.new_words is None and choice.summary()["new_words"] is None
    assert "it is behind its strongest rival, layer 1" in leads.sentence("layer", choice)


def test_a_clear_winner_is_one_and_equal_options_are_not_told_apart():
    clear = leads.choose([one_set(s, {"x": 0.9, "y": 0.7}, {"x": 0.9, "y": 0.7}) for s in range(4)])
    assert clear.lead.difference.low > 0 and clear.validation_lead.low > 0
    even = leads.choose([one_set(s, {"x": 0.8, "y": 0.8}, {"x": 0.8, "y": 0.8}) for s in range(4)])
    assert even.winner == "x" and even.lead.difference.low < 0 < even.lead.difference.high


def test_sets_that_disagree_leave_the_lead_open_however_many_texts_they_have():
    """x is far ahead on two sets and far behind on one: on average over sets nothing is sure."""
    apart = [({"x": 0.95, "y": 0.7}), ({"x": 0.95, "y": 0.7}), ({"x": 0.6, "y": 0.9})]
    sets = [one_set(i, accuracy, accuracy, n=2000) for i, accuracy in enumerate(apart)]
    choice = leads.choose(sets)
    assert choice.winner == "x" and choice.lead.difference.low < 0 < choice.lead.difference.difference
    assert 0.5 < choice.again < 1


def test_new_words_are_a_question_of_their_own_and_only_of_sets_that_have_them():
    validation = {"x": 0.9, "y": 0.7}
    sets = [one_set(0, {"x": 0.9, "y": 0.7}, validation, new={"x": 0.6, "y": 0.9}) for _ in range(3)]
    choice = leads.choose([*sets, one_set(9, {"x": 0.9, "y": 0.7}, validation)])
    assert (choice.lead.n_sets, choice.new_words.n_sets) == (4, 3)
    assert choice.lead.difference.low > 0 > choice.new_words.difference.high


def test_one_option_has_no_lead():
    choice = leads.choose([one_set(0, {"x": 0.9}, {"x": 0.9})])
    assert choice.lead is choice.next is choice.validation_lead is None
    assert leads.sentence("layer", choice) == "There is one layer only, x."
    assert "nothing can be said" in leads.new_words_sentence("layer", choice)


def choice(d: Difference, new: Difference | None = None) -> Choice:
    lead = Lead("max", {"max": d}, 7)
    beyond = None if new is None else Lead("max", {"max": new}, 2)
    return Choice("sum", {"sum": 0.9, "max": 0.89}, "max", Difference(0.01, -0.01, 0.03, 0.3), 0.755, lead, beyond)


@pytest.mark.parametrize(
    ("d", "words"),
    [
        (UP, "it leads its strongest rival, pooling max, by +0.050 (95 % +0.020 to +0.080): it is the best"),
        (
            DOWN,
            "it is behind its strongest rival, pooling max, −0.050 (95 % −0.080 to −0.020): what validation chose is not",
        ),
        (
            LEVEL,
            "it cannot be told from its strongest rival, pooling max, 0.000 (95 % −0.100 to +0.100): no best pooling can be named",
        ),
    ],
)
def test_a_sentence_for_each_outcome(d, words):
    said = leads.sentence("pooling", choice(d))
    assert words in said
    assert said.startswith("Validation chooses pooling sum: 0.90 on average over 7 sets, ahead of pooling max by ")
    assert said.endswith("the same in 76 % of the draws.")
    alone = dataclasses.replace(choice(d), lead=Lead("max", {"max": d}, 1))
    assert "1 set," in leads.sentence("pooling", alone) and "draws" not in leads.sentence("pooling", alone)
    new = leads.new_words_sentence("pooling", choice(LEVEL, d))
    assert new.startswith("On new words (2 sets), ") and words in new


def test_means_go_over_the_sets_that_have_the_part():
    rows = [
        {"set": "a", "layer": 1, "macro_f1": 0.9, "parts": {FAMILIAR: {"macro_f1": 0.9}, NEW: {"macro_f1": 0.5}}},
        {"set": "b", "layer": 1, "macro_f1": 0.7, "parts": {"test": {"macro_f1": 0.7}}},
    ]
    assert leads.mean_of(rows, "layer") == {1: pytest.approx(0.8)}
    assert leads.mean_of(rows, "layer", NEW) == {1: 0.5}
    assert list(leads.table_parts(rows)) == ["test", "familiar", "new"]
    headings = [heading for heading, _ in leads.table_parts(rows).values()]
    assert headings == ["macro-F1 (test, 2 sets)", f"{FAMILIAR} (1 set)", f"{NEW} (1 set)"]
    assert list(leads.table_parts(rows[:1])) == ["familiar", "new"] and list(leads.table_parts(rows[1:])) == ["test"]
