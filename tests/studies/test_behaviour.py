"""Forecasts of the large model's answers: made-up ones of known outcome, every sentence, the miniature's answers."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import toy
from transfer_toy import ABOVE, BELOW, OPEN, forecast

from mosaic.probing import comparison, forecasts
from mosaic.probing.forecasts import Measured
from mosaic.studies import behaviour_figures, behaviour_forecasts, behaviour_said
from mosaic.studies.behaviour_forecasts import AS_IT_IS, answers_of, log_odds, table, with_table


def test_the_summary_ranks_and_calibrates_as_forecast():
    found = forecast()
    summary = found.summary()
    assert "majority" not in summary["auroc"]["small"] and "majority" in summary["calibration"]["small"]
    assert summary["auroc"]["own"]["confidence"]["value"] == summary["auroc"]["own"][AS_IT_IS]["value"] > 0.75
    low, high = summary["auroc_minus"]["own"][AS_IT_IS]["interval"]
    assert low < high < 0 and summary["auroc_minus"]["small"]["length"]["interval"][0] > 0
    assert summary["calibration"]["own"][AS_IT_IS]["value"] > 0.2 > summary["calibration"]["own"]["sae"]["value"]
    assert 0 < summary["calibration"]["own"]["sae"]["noise"] < 0.15
    assert sum(row["n"] for row in summary["reliability"]["small"]["sae"]) == 200 and summary["agreed"] == 0.97
    sentences = found.sentences()
    assert "foresee which questions" in sentences["foreseen"] and "no need of them" in sentences["against_confidence"]
    assert "too much (without" in sentences["too_sure"] and "features are off by less" in sentences["calibrated"]
    assert "rank worse than the large model's own SAE features" in sentences["ranked"]


def test_every_sentence_has_every_outcome():
    said = behaviour_said
    chances = [said.above_chance(Measured(v, v - 0.05, v + 0.05)) for v in (0.7, 0.5, 0.3)]
    assert ["foresee" in c for c in chances] == [True, True, False]
    assert "cannot be told from a toss" in chances[1] and "wrong answers above its right" in chances[2]
    confident = [said.against_confidence(d) for d in (ABOVE, OPEN, BELOW)]
    assert "better than" in confident[0] and "cannot be told" in confident[1] and "worse than" in confident[2]
    ranked = said.ranked({"small, tfidf": ABOVE, "small, hidden": OPEN, "own, sae": BELOW, "own, confidence": BELOW})
    assert ranked.index("rank better than a bag") < ranked.index("cannot be told apart from the small model's hidden")
    assert ranked.endswith("rank worse than the large model's own SAE features (−0.100, 95 % −0.150 to −0.050).")
    length = [said.against_length(d) for d in (ABOVE, OPEN, BELOW)]
    assert (
        "know more than that (" in length[0]
        and "cannot be told from the length" in length[1]
        and "worse than the length" in length[2]
    )
    both = {name: Measured(0.1, 0.05, 0.15) for name in ("small, sae", said.AS_IT_IS)}
    off = [said.calibrated(both, dict.fromkeys(both, 0.03), d) for d in (ABOVE, OPEN, BELOW)]
    assert "off by more" in off[0] and "cannot be told apart" in off[1] and "off by less" in off[2]
    assert all("0.10, 95 % 0.050 to 0.150" in one and "0.030" in one for one in off)
    sure = [said.too_sure(p, 0.4) for p in (0.5, 0.4, 0.3)]
    assert "0.10 too much" in sure[0] and "what comes true" in sure[1] and "0.10 too little" in sure[2]
    assert len({*chances, *confident, *length, *off, *sure}) == 15


def test_a_few_numbers_a_text_are_probed_as_all_others_are():
    problem = toy.problem()
    right = np.concatenate([problem.train.labels, problem.test.labels]) == "a"
    found = with_table(problem, "confidence", log_odds(np.where(right, 0.9, 0.2)))
    assert len(found.tables) == len(problem.tables) + 1
    chosen = comparison.selected(comparison.evaluate(found, families=("confidence",), trees=False), "confidence")
    assert chosen.score.macro_f1 == 1 and chosen.setting.layer is None
    p = forecasts.of_probe(found, chosen, "a")
    assert ((p > 0.5) == right[len(problem.train) :]).all()
    assert log_odds(np.array([0.0, 0.5, 1.0])).ravel() == pytest.approx([-13.8, 0, 13.8], abs=0.1)
    assert table("length", np.ones((2, 2)), ["a", "b"]).provenance["features"] == "length"


def test_the_answers_of_a_kind_are_those_that_there_are():
    from mosaic.world import sets

    rows = sets.questions("en")[:6]
    choices, right = answers_of([row[0] for row in rows])
    assert [len(each) for each in choices] == [10, 6, 8] * 2 and choices[0] == choices[3] and choices[0] != choices[1]
    assert [each[i] for each, i in zip(choices, right, strict=True)] == [row[1].rstrip(".") for row in rows]


def test_confidence_is_the_models_share_and_agrees_with_the_labels(tmp_path):
    from mosaic.profiles.profile import load_profile
    from mosaic.texts.sources import load_set

    test = load_set("mini/behaviour", "en")[1].take(np.arange(24))
    sure, agreed = behaviour_forecasts.confidence(load_profile("mini-large-it"), [test], "cpu", tmp_path)
    assert sure.shape == (24,) and ((sure > 0.1) & (sure <= 1)).all() and agreed > 0.85
    again, _ = behaviour_forecasts.confidence(load_profile("mini-large-it"), [test], "cpu", tmp_path)
    assert (again == sure).all()


def test_length_counts_tokens_and_characters():
    from mosaic.studies.problems import opened

    lm = opened("mini")[1]
    found = behaviour_forecasts.lengths(["where does Alan live?", "no"], lm)
    assert found.shape == (2, 2) and found[:, 1].tolist() == [21, 2] and found[0, 0] > found[1, 0] > 0


def test_figures_show_every_forecast_once():
    found = forecast()
    figure = behaviour_figures.ranks(found.ranking, found.calibration, found.noise)
    left, right = figure.axes
    labels = [label.get_text() for label in left.get_yticklabels()]
    assert labels == [behaviour_figures.LABELS[n] for n in behaviour_figures.LABELS if n in found.of]
    assert len(left.containers) == len(found.ranking) and len(right.containers) == len(found.of)
    panels = behaviour_figures.reliability(found.reliability).axes
    assert [ax.get_title() for ax in panels] == [behaviour_figures.LABELS[n] for n in behaviour_figures.SHOWN]
    assert all(a < b for a, b in pairwise(row["forecast"] for row in found.reliability["own, sae"]))
    only = {"small, sae": found.reliability["small, sae"]}
    assert len(behaviour_figures.reliability(only).axes) == 1
    assert replace(found, agreed=1.0).summary()["agreed"] == 1.0
