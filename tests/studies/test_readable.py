"""Which latents are easier to predict: differences from made-up scores, sentences by their sign, the pass on a toy."""

from types import SimpleNamespace

import numpy as np
import pytest
from conftest import sentences

from mosaic.studies import readable
from mosaic.studies.controls import FROZEN, OF_UNTRAINED, RANDOM, TRAINED
from mosaic.studies.readable import Readable


def around(level, n=300, seed=0):
    return np.random.default_rng(seed).normal(level, 0.05, n)


def test_a_difference_is_of_means_over_dictionaries_and_silent_latents_do_not_count():
    a, b = [np.array([0.8, np.nan, 1.0])], [np.array([0.5]), np.array([0.7, 0.7, np.nan])]
    assert readable.mean(a) == pytest.approx(0.9) and readable.mean(b) == pytest.approx(0.6)
    found = readable.difference(a, b)
    assert found["difference"] == pytest.approx(0.3)
    low, high = found["interval"]
    assert low == pytest.approx(0.8 - 0.7, abs=1e-9) and high == pytest.approx(1.0 - 0.5, abs=1e-9)


def test_many_latents_make_a_narrow_interval_and_dictionaries_that_differ_a_wide_one():
    one = readable.difference([around(0.8)], [around(0.7, seed=1)])["interval"]
    assert 0.08 < one[0] < 0.1 < one[1] < 0.12
    apart = readable.difference([around(0.8)], [around(0.6, seed=1), around(0.8, seed=2)])["interval"]
    assert apart[1] - apart[0] > 0.15
    assert readable.difference([around(0.8)], [around(0.7)]) == readable.difference([around(0.8)], [around(0.7)])


@pytest.mark.parametrize(
    ("level", "words"), [(0.6, "easier to predict than those of"), (0.9, "harder"), (0.75, "not told apart")]
)
def test_the_sentence_hangs_on_the_interval(level, words):
    scores = {TRAINED: [around(0.75)], FROZEN: [around(level)]}
    got = readable.sentence(Readable(scores, {TRAINED: [around(0.5)]}))
    assert words in got and f"the {FROZEN}" in got and got.startswith("The trained SAE's latents are predicted at 0.7")


def test_an_untrained_models_sae_is_scored_on_its_own_model(monkeypatch):
    asked = []

    def scores(lm, texts, families):
        asked.append((lm, list(families)))
        return {f: [around(0.7)] for f in families}, {f: [around(0.5)] for f in families}

    monkeypatch.setattr(readable, "_scores", scores)
    monkeypatch.setattr(readable, "cut", lambda lm, texts: texts)
    controls = SimpleNamespace(
        lm="trained", untrained="untrained", of_untrained=("u",), dictionaries=lambda: {TRAINED: ("a",), RANDOM: ("b",)}
    )
    found = readable.read(controls, ["a text"])
    assert asked == [("trained", [TRAINED, RANDOM]), ("untrained", [OF_UNTRAINED])]
    assert set(found.summary()["trained_minus"]) == {RANDOM, OF_UNTRAINED} and found.table().count("<tr>") == 4
    controls.of_untrained = ()
    assert set(readable.read(controls, []).score) == {TRAINED, RANDOM}


@pytest.mark.parametrize(("silent", "left"), [(RANDOM, {TRAINED}), (TRAINED, set())])
def test_a_family_that_is_never_scored_is_left_out_and_without_the_trained_sae_it_is_said(monkeypatch, silent, left):
    score = {TRAINED: [around(0.8)], RANDOM: [around(0.7), around(0.7)]}
    score[silent] = [*score[silent][1:], np.full(3, np.nan)]
    monkeypatch.setattr(readable, "_scores", lambda *_: (score, score))
    monkeypatch.setattr(readable, "cut", lambda lm, texts: texts)
    found = readable.read(SimpleNamespace(lm=None, of_untrained=(), dictionaries=dict), [])
    assert set(found.score) == left == set(found.summary()["mean"]) and found.table().count("<tr>") == 1 + len(left)
    assert ("fire too seldom" in readable.sentence(found)) == (not left)


def test_too_many_tokens_are_cut_to_drawn_texts_in_their_order(tiny):
    texts, lm = sentences(40, seed=3), tiny("llama")
    counts = lm.tokenize(texts).counts
    assert readable.cut(lm, texts) == texts
    some = readable.cut(lm, texts, int(counts.sum()) // 2)
    rows = [texts.index(text) for text in some]
    assert rows == sorted(rows) and 10 < len(rows) < 30 and rows != list(range(len(rows)))
    assert counts[rows].sum() <= counts.sum() // 2 and readable.cut(lm, texts, int(counts.sum()) // 2) == some


def test_scores_are_those_of_each_dictionary_in_turn(monkeypatch):
    from mosaic.interpretation import detection

    monkeypatch.setattr(detection, "firings", lambda texts, lm, encoders: SimpleNamespace(codes=tuple(encoders)))
    monkeypatch.setattr(detection, "detection_scores", lambda seen, codes, shuffle=None: (codes, shuffle))
    score, another = readable._scores(None, [], {"x": ("a", "b"), "y": ("c",)})
    assert score == {"x": [("a", None), ("b", None)], "y": [("c", None)]} and another["y"] == [("c", 0)]
