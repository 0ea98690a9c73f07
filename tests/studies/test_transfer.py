"""The chapter on transfer: its arms on made-up texts, its summary, figures and tables on made-up scores."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import toy
from transfer_toy import ABOVE, BELOW, OPEN, diagnosis, forecast, parallel

from mosaic.miniature import vision
from mosaic.probing import comparison
from mosaic.probing.candidates import Setting
from mosaic.studies import controls, image_problems, image_scores, languages, transfer
from mosaic.studies.behaviour import MARGIN, Behaviour
from mosaic.studies.image_scores import HIDDEN, RANDOM, SAE, UNTRAINED, ImageScores
from mosaic.studies.languages import LanguageScores
from mosaic.studies.languages_compared import below_chance
from mosaic.studies.transfer import Transfer
from mosaic.texts.labelled import FAMILIAR, NEW

KINDS = (SAE, HIDDEN, RANDOM, UNTRAINED)


def scored(value: float) -> dict:
    return {"macro_f1": value, "low": value - 0.1, "high": value + 0.1}


def result(predicted, f1=0.5, **setting):
    predicted = np.array(predicted, dtype=object)
    return SimpleNamespace(
        predicted=predicted,
        score=SimpleNamespace(macro_f1=f1),
        row=lambda: {"macro_f1": f1},
        setting=Setting(**{"features": "sae", **setting}),
        validation=f1,
    )


# --- arms ----------------------------------------------------------------------------------------------------------


def test_linear_and_tree_are_chosen_apart_and_every_pooling_has_its_own():
    """The tree's score never stands for the linear probe's: what the chapter's first version got wrong."""
    problem = toy.problem()
    found = comparison.evaluate(problem, binarize=False)
    assert languages.of_kind(found, "sae").setting.classifier == "logistic"
    assert languages.of_kind(found, "sae", "tree").setting.classifier == "tree"
    hidden = [r for r in found if r.setting.features == "hidden"]
    assert {r.setting.pooling for r in hidden} == {"mean", "last"}
    each = languages.of_each_pooling([r for r in found if r.setting.pooling in ("max", "mean", "last")] + [
        replace(r, setting=replace(r.setting, pooling=p))
        for r, p in ((hidden[0], "max"), *((languages.of_kind(found, "sae"), p) for p in ("mean", "last")))
    ], ("max", "mean", "last"))  # fmt: skip
    assert [(r.setting.features, r.setting.pooling) for r in each] == [
        (features, pooling) for features in ("sae", "hidden") for pooling in ("max", "mean", "last")
    ]


def test_native_problems_read_one_layer_of_each_kind():
    problem = toy.problem()
    assert languages.at_layers(problem, {"sae": 4, "hidden": 5}).tables == problem.tables[:3]
    assert languages.at_layers(problem, {"sae": 3, "hidden": 4}).tables == problem.tables[3:]


def test_native_predictions_stand_in_their_languages_rows():
    test = parallel()
    n = int((test.languages == "de").sum())
    home = result(["home"] * len(test))
    learned = {language: [result([language] * n, features="tfidf"), result(["x"] * n)] for language in ("de", "zh")}
    predicted, rows = languages.natives(test, home, learned, "tfidf")
    said = {language: set(predicted[test.languages == language]) for language in ("en", "de", "zh")}
    assert said == {"en": {"home"}, "de": {"de"}, "zh": {"zh"}}
    assert [row["language"] for row in rows] == ["de", "zh"] and set(home.predicted) == {"home"}


def test_dictionaries_that_ran_together_are_taken_apart():
    problem = toy.problem()
    named = [replace(t, provenance={**t.provenance, "sae": name}) for name in "ab" for t in problem.tables[:2]]
    found = languages.apart(replace(problem, tables=tuple(named)))
    assert [[t.provenance["sae"] for t in one.tables] for one in found] == [["a", "a"], ["b", "b"]]


def test_every_setting_has_a_score_at_home_and_abroad():
    test = parallel()
    truth = result(test.labels, features="hidden", layer=3, pooling="last")
    rows = languages.every_setting(test, [truth, result(test.labels, features="tfidf", pooling="word")])
    assert rows == [
        {"features": "hidden", "layer": 3, "pooling": "last", "validation": 0.5, "home": 1.0, "abroad": 1.0}
    ]


# --- images --------------------------------------------------------------------------------------------------------

TRUTH = np.array(["a", "b"] * 30, dtype=object)
HALF = ["a", "b", "a", "a"] * 15


def test_the_sae_is_ahead_of_what_is_worse_and_behind_what_is_better():
    kinds = {SAE: [result(HALF)], HIDDEN: [result(TRUTH)], RANDOM: [result(["a"] * 60), result(["a"] * 60)]}
    found = image_scores.against([(TRUTH, kinds), (TRUTH, kinds)])
    assert set(found) == {HIDDEN, RANDOM}
    assert found[HIDDEN].high < 0 < found[RANDOM].low
    assert found[HIDDEN].difference < 0 < found[RANDOM].difference


def test_the_draws_of_a_control_enter_mean_and_interval():
    apart = {SAE: [result(HALF)], RANDOM: [result(TRUTH, 1.0), result(["a"] * 60, 0.0)]}
    assert image_scores.mean_of(apart[RANDOM]) == 0.5
    found = image_scores.against([(TRUTH, apart)])[RANDOM]
    assert found.low < -0.2 and found.high > 0.2
    summary = ImageScores(TRUTH, apart, apart, {}).summary()
    assert summary["all"][RANDOM]["n_draws"] == 2 and summary["all"]["against"][RANDOM]["interval"][0] == found.low


def test_one_kind_of_features_alone():
    problem = toy.problem()
    assert {t.provenance["features"] for t in image_scores.only(problem, "hidden").tables} == {"hidden"}


def test_what_a_reconstruction_leaves_unexplained():
    x = torch.randn(50, 4)
    assert image_problems.unexplained(x, x) == 0.0
    assert image_problems.unexplained(x, x.mean(0).expand_as(x)) == pytest.approx(1.0)
    assert image_problems.unexplained(x, (x + x.mean(0)) / 2) == pytest.approx(0.25)


def test_image_batches_stand_on_the_device_asked_for():
    tokenizer = lambda text: {"input_ids": [2, 9]}  # noqa: E731
    images = np.zeros((3, 32, 32, 3), np.uint8)
    batch = next(vision.image_batches(tokenizer, images, device="meta"))
    assert {value.device.type for value in batch.values()} == {"meta"}


# --- the study -----------------------------------------------------------------------------------------------------


@pytest.fixture
def study():
    test = parallel(n=12)
    one = np.full(len(test), "good", dtype=object)
    good_in = {"sae": test.labels, "sae, native": test.labels, "random dictionary": one}
    arms = {arm: [good_in.get(arm, one)] * (5 if arm == "random dictionary" else 1) for arm in languages.ARMS}
    chosen = {arm: [{"layer": 3, "pooling": "last"}] for arm in arms}
    settings = [{"features": f, "layer": 3, "pooling": "last", "abroad": 0.4} for f in ("sae", "hidden")]
    found = [replace(diagnosis("last", there=0.4, mean=0.9), features=features) for features in ("sae", "hidden")]
    found += [replace(diagnosis("sum"), features=features) for features in ("sae", "hidden")]
    scores = LanguageScores(test, arms, chosen, settings, found, 0.5, {"sae": 3, "hidden": 1})
    rows = [
        {"set": "small's view", "view": "small", "features": "sae", **scored(0.6)},
        {"set": "large's own", "view": "own", "features": "sae", **scored(0.7)},
    ]
    against = {"hidden": OPEN, "tfidf": ABOVE, "majority": ABOVE}
    kinds = {SAE: [result(TRUTH, 0.9)], HIDDEN: [result(HALF)], RANDOM: [result(HALF)] * 5, UNTRAINED: [result(HALF)]}
    images = ImageScores(TRUTH, kinds, kinds, {kind: [{"k": k, **scored(0.5)} for k in (2, 4)] for kind in KINDS})
    return Transfer(
        SimpleNamespace(name="p", poolings=("sum", "last")),
        {"toxicity": scores, "sentiment": scores, "agreement": scores},
        Behaviour(tuple(rows), OPEN, against, OPEN, BELOW, forecast(), 0.4),
        {name: images for name in transfer.IMAGE_SETS},
        {"digits": 0.4, "texts": 0.05},
    )


def test_the_summary_of_known_scores(study):
    summary = study.summary()
    found = summary["languages"]
    assert found["above_chance"]["difference"] == pytest.approx(0.5) and found["above_chance"]["interval"][0] > 0
    assert found["native_minus_english"]["sae"]["interval"] == [0, 0]
    assert found["minus"]["random dictionary"]["interval"][0] > 0
    assert list(found["parts"]) == [FAMILIAR, NEW] and found["parts"][FAMILIAR]["minus"] == found["minus"]
    arm = found["sets"]["toxicity"]["arms"]["hidden"]
    assert list(arm["parts"]) == [FAMILIAR, NEW] and set(arm["parts"][NEW]["by_language"]) == {"en", "de", "zh"}
    assert found["sets"]["toxicity"]["diagnosis"]["hidden"]["last"]["explanation"] == "mean"
    assert summary["behaviour"]["small"]["sae"] == 0.6 and summary["behaviour"]["own"]["sae"] == 0.7
    assert summary["behaviour"]["margin"] == MARGIN
    assert summary["behaviour"]["minus_confidence"]["difference"] == BELOW.difference
    assert summary["behaviour"]["auroc"]["small"]["sae"]["interval"][0] > 0.5
    assert "foresee" in summary["sentences"]["foreseen"]
    assert summary["images_minus"][HIDDEN]["interval"][0] > 0 and summary["images_few"]["k"] == image_scores.FEW
    assert "viable" in summary["sentences"]["viable"] and "above" in summary["sentences"]["images"]
    assert "mean has moved" in summary["sentences"]["why_sentiment_hidden"]


def test_a_language_below_chance_is_found(study):
    scores = study.languages["toxicity"]
    assert below_chance({"toxicity": scores}) == (2, [])
    wrong = np.where(scores.test.labels == "good", "bad", "good").astype(object)
    wrong = np.where(scores.test.languages == "zh", wrong, scores.test.labels)
    below = replace(scores, arms={**scores.arms, "sae": [wrong]})
    assert below_chance({"toxicity": below}) == (2, [("toxicity in Chinese", 0.0, 0.5)])


def test_figures_and_tables(study):
    assert [ax.get_title() for ax in study.figure().axes] == [*transfer.TEXT_SETS, *transfer.NEVER_TOLD]
    assert [ax.get_title() for ax in study.poolings_figure().axes] == [*transfer.TEXT_SETS, *transfer.NEVER_TOLD]
    assert [ax.get_title() for ax in study.few_latents_figure().axes] == list(transfer.IMAGE_SETS)
    assert len(study.native_figure().axes) == len(study.behaviour_figure().axes) == 1
    assert len(study.ranks_figure().axes) == 2 and len(study.reliability_figure().axes) == 4
    assert len(study.pictures().axes) == len(transfer.DRAWN) * transfer.PICTURES
    table = study.table()
    assert table.count("<tr>") == 1 + len(languages.ARMS) and f"toxicity, {NEW}" in table
    assert "SAE features, linear" in table and "SAE features, tree" in table
    assert study.images_table().count("<tr>") == 4
    assert study.diagnosis_table("toxicity").count("<tr>") == 5


def test_the_margin_is_the_claims():
    from mosaic.reporting.claims import load_claims

    (claim,) = [claim for claim in load_claims() if claim.id == "small-predicts-large"]
    assert claim.rule["above"] == -MARGIN


def test_every_pooling_is_given_to_both_kinds_and_to_the_controls(monkeypatch, tmp_path):
    """The real thing on few texts in two languages: what is recorded of it tells which settings were tried."""
    from mosaic.profiles.profile import load_profile
    from mosaic.studies.problems import opened

    monkeypatch.setattr(languages, "LANGUAGES", ("en", "de"))
    monkeypatch.setattr(languages, "random_dictionaries", lambda e, lm, t: controls.random_dictionaries(e, lm, t, n=2))
    profile, lm = opened(replace(load_profile("mini"), max_train=40, max_test=24))
    found = languages.score_languages(profile, lm, "toxicity", tmp_path)
    summary = found.summary()
    for features in ("sae", "hidden"):
        tried = [(row["layer"], row["pooling"]) for row in summary["settings"] if row["features"] == features]
        assert sorted(tried) == sorted((layer, pooling) for layer in profile.layers for pooling in profile.poolings)
        assert list(summary["diagnosis"][features]) == list(profile.poolings)
    assert set(summary["arms"]) == set(languages.ARMS) and len(found.arms["random dictionary"]) == 2
    assert all(1 <= n <= len(tried) for n in summary["tied"].values())
    assert summary["arms"]["tree"]["chosen"][0]["classifier"] == "tree"
    assert not any(row["binarized"] for arm in summary["arms"].values() for row in arm["chosen"])
    (native,) = summary["arms"]["sae, native"]["chosen"]
    assert native["language"] == "de" and native["layer"] == summary["arms"]["sae"]["chosen"][0]["layer"]
    assert native["n_train"] == summary["arms"]["sae"]["chosen"][0]["n_train"] == 40
