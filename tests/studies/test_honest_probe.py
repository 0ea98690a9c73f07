"""Choosing on a test set against a slow reference, on made-up predictions whose worth is known; every sentence's branches."""

import numpy as np
import pytest

from mosaic.errors import MosaicError
from mosaic.probing import scores
from mosaic.probing.problem import Problem
from mosaic.probing.scores import Difference
from mosaic.studies import honest_probe, many_settings
from mosaic.studies import honest_probe_said as said
from mosaic.studies.many_settings import ManySettings
from mosaic.texts.labelled import LabelledTexts
from mosaic.world import sets


def guesses(n_settings: int = 30, n: int = 400, n_tests: int = 8, seed: int = 0) -> ManySettings:
    """Settings that know nothing."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(["a", "b"], n).astype(object)
    predicted = rng.choice(["a", "b"], (n_settings, n)).astype(object)
    return ManySettings([str(i) for i in range(n_settings)], predicted, truth, rng.random(n_settings), n_tests)


def test_the_best_on_test_against_a_slow_reference():
    many = guesses(5, 60, 3)
    promised, kept = many.best_of()
    for c in range(3):
        rows = list(range(20 * c, 20 * c + 20))
        others = [i for i in range(60) if i not in rows]
        here = [scores.macro_f1(many.truth[rows], p[rows]) for p in many.predicted]
        best = here.index(max(here))
        assert promised[c] == pytest.approx(max(here))
        assert kept[c] == pytest.approx(scores.macro_f1(many.truth[others], many.predicted[best][others]))


def test_luck_alone_looks_like_skill_and_validation_is_not_fooled():
    many = guesses()
    found, nested = many.optimism(), many.nested_optimism()
    assert found["interval"][0] > 0.03 and found["kept"] == pytest.approx(0.5, abs=0.06)
    assert nested["interval"][0] < 0 < nested["interval"][1]
    assert many.nested == int(np.argmax(many.validation))


def test_one_setting_leaves_no_choice_and_more_settings_promise_more():
    many = guesses()
    by_number = many.by_number((1, 5, 30))
    assert abs(by_number[1]["difference"]) < 0.03 < by_number[5]["difference"] < by_number[30]["difference"]
    assert by_number[30]["interval"] == pytest.approx(many.optimism()["interval"]), "all settings are all settings"
    right = ManySettings(["right"], many.truth[None], many.truth, np.array([1.0]), 8)
    assert right.optimism()["promised"] == right.optimism()["kept"] == 1


def test_other_test_sets_of_the_same_texts():
    many = guesses()
    assert many_settings.cut(many, 4).on_test.shape == (30, 4)
    small, large = (many_settings.cut(many, n).optimism()["difference"] for n in (20, 2))
    assert small > large, "a small test set is luckier"
    with pytest.raises(MosaicError, match="400 texts cannot be cut into 7 equal test sets"):
        many_settings.cut(many, 7)
    assert ">200</td>" in many_settings.table(many, (2,))


def test_shuffling_keeps_texts_and_counts():
    texts = LabelledTexts("t", [str(i) for i in range(40)], np.array(["a"] * 10 + ["b"] * 30, dtype=object))
    problem = honest_probe.shuffle(Problem(texts, texts, ()))
    assert problem.train.texts == texts.texts and sorted(problem.train.labels) == sorted(texts.labels)
    assert (problem.train.labels != texts.labels).any() and (problem.train.labels != problem.test.labels).any()


def test_fresh_texts_are_new_and_carry_the_truth():
    rows, parts = sets.fresh("stance", 30), sets.labelled("stance")
    known = {row.text for part in parts.values() for row in part}
    assert len({row.text for row in rows} - known) == 30
    assert all(row.label == row.truth for row in rows) and rows == sets.fresh("stance", 30)
    with pytest.raises(MosaicError, match="no miniature set 'nope'"):
        sets.fresh("nope", 3)


def test_sentences_follow_their_numbers():
    up, down, none = (Difference(d, d - 0.1, d + 0.1, 0.5) for d in (0.2, -0.2, 0.0))
    assert "is ahead of" in said.beats("A", "B", up) and "is behind" in said.beats("A", "B", down)
    assert "cannot be told apart" in said.beats("A", "B", none)
    assert (
        "counts here" in said.control(up)
        and "costs score" in said.control(down)
        and "no evidence" in said.control(none)
    )
    assert "far less" in said.majority(0.9, 0.3) and "about as much" in said.majority(0.5, 0.5)
    gap = {"promised": 0.9, "kept": 0.8, "difference": 0.1, "interval": [0.05, 0.15]}
    back, unsure = gap | {"interval": [-0.2, -0.1]}, gap | {"interval": [-0.1, 0.2]}
    assert "is optimistic" in said.optimism(gap, 9, 100) and "did better" in said.optimism(back, 9, 100)
    assert "no optimism" in said.optimism(unsure, 9, 100)
    assert (
        "more than it keeps" in said.nested(gap)
        and "keeps more" in said.nested(back)
        and "no such gap" in said.nested(unsure)
    )
    assert "luck alone" in said.shuffled(gap, 0.5) and "no surplus" in said.shuffled(unsure, 0.5)
    sizes = {"optimism": 0.1, "distance": 0.05, "difference": 0.05}
    for interval, words in (([0.1, 0.2], "larger"), ([-0.2, -0.1], "smaller"), ([-0.1, 0.1], "not told apart")):
        assert words in said.size(sizes | {"interval": interval})
    assert "about as many" in said.coverage({"hold": 19, "n": 20, "truth": 0.8})
    assert "fewer" in said.coverage({"hold": 12, "n": 20, "truth": 0.8})
    pair = {"difference": 0.1, "paired": [0.05, 0.15], "unpaired": [-0.1, 0.3]}
    assert "narrower" in said.pairing(pair) and "without it undecided" in said.pairing(pair)
    assert "the same verdict: ahead" in said.pairing(pair | {"unpaired": [0.01, 0.4]}) and "wider" in said.pairing(
        pair | {"unpaired": [0.09, 0.11]}
    )
