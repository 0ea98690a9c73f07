"""What hangs on a choice that validation cannot make: ranges of known scores, and each branch of the sentence."""

from types import SimpleNamespace

import pytest
from transfer_toy import parallel

from mosaic.studies import abroad
from mosaic.studies import languages_tied as tied


def scores(sae, hidden, chance=0.5):
    """A set whose level settings score so abroad, beside one that is not level; the arms are right everywhere."""
    test = parallel(n=12)
    rows = [
        {"features": kind, "as_good": good, "abroad": value}
        for kind, values in (("sae", sae), ("hidden", hidden))
        for value, good in [*((v, True) for v in values), (0.01, False)]
    ]
    arms = {arm: [test.labels] for arm in ("random dictionary", "hidden", "sae, native")}
    return SimpleNamespace(test=test, settings=rows, arms=arms, chance=chance)


def test_means_over_sets_range_over_what_each_set_may_take():
    found = tied.over_choices({"a": scores([0.7, 0.9], [1.0]), "b": scores([0.5, 0.3, 0.4], [0.6, 0.2], chance=0.3)})
    assert found["others"] == {"sae": {"a": 1, "b": 2}, "hidden": {"a": 0, "b": 1}}
    assert found["abroad"]["sae"] == pytest.approx([0.5, 0.7]) and found["abroad"]["hidden"] == pytest.approx(
        [0.6, 0.8]
    )
    assert found["minus"]["chance"] == pytest.approx([0.1, 0.3])
    assert found["minus"]["hidden"] == pytest.approx([-0.5, -0.3])  # the arms score 1
    assert found["minus"]["native"] == pytest.approx([0.3, 0.5])
    assert found["minus_either"] == pytest.approx([-0.3, 0.1])


def test_the_range_holds_every_combination():
    sets = {"a": scores([0.7, 0.9], [1.0]), "b": scores([0.5, 0.3, 0.4], [0.6])}
    low, high = tied.over_choices(sets)["abroad"]["sae"]
    every = [(a + b) / 2 for a in (0.7, 0.9) for b in (0.5, 0.3, 0.4)]
    assert (low, high) == (pytest.approx(min(every)), pytest.approx(max(every)))
    test = sets["a"].test
    assert abroad.value(test, test.labels) == 1


@pytest.mark.parametrize(
    ("extent", "both"),
    [((-0.1, 0.1), True), ((0.1, 0.2), False), ((-0.2, -0.1), False), ((-0.0004, 0.1), False), ((0, 0), False)],
)
def test_a_sign_turns_where_both_are_shown(extent, both):
    assert tied.turns(extent) == both


def found(others=(1, 0), either=(-0.2, -0.1), **minus):
    signs = {"chance": [0.1, 0.3], "random dictionary": [0.1, 0.2], "hidden": [-0.2, -0.1], "native": [0.1, 0.2]}
    named = dict(zip(("sae", "hidden"), ({"toxicity": n, "sentiment": 2 * n} for n in others), strict=True))
    return {"others": named, "abroad": {"sae": [0.75, 0.95]}, "minus": signs | minus, "minus_either": either}


def test_signs_that_hold_for_all_settings():
    sentence = tied.sentence(found())
    assert "cannot tell 1 other setting on toxicity and 2 on sentiment from" in sentence
    assert (
        "0.75 to 0.95 abroad" in sentence
        and "The sign is one and the same for all of them against chance (+0.100 to" in sentence
    )
    assert "turns" not in sentence and "as well" not in sentence


def test_signs_that_turn_with_the_choice_are_named():
    sentence = tied.sentence(found(**{"random dictionary": [-0.174, 0.026]}))
    assert (
        "turns with the choice against random dictionaries (−0.174 to +0.026); it is one and the same for" in sentence
    )
    assert "and for native minus English (+0.100 to +0.200)." in sentence
    every = {arm: [-0.1, 0.1] for arm in tied.AGAINST}
    assert "Every sign turns with the choice: against chance (−0.100 to +0.100)," in tied.sentence(found(**every))


def test_hidden_states_have_their_own_level_settings():
    sentence = tied.sentence(found((1, 2), either=(-0.2, 0.2)))
    assert "(2 other settings on toxicity and 4 on sentiment)" in sentence
    assert "−0.200 to +0.200, and the sign turns with the choice." in sentence
    alone = tied.sentence(found((0, 1)))
    assert (
        alone.startswith("Hidden states have such settings") and "the sign is one and the same for all of them" in alone
    )


def test_nothing_hangs_on_a_choice_that_validation_makes():
    assert tied.sentence(found((0, 0))).startswith("None of this hangs on a tie")
