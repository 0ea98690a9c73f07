"""The chapter on languages: its arms on made-up texts, its summary, figures and tables on made-up scores."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import toy
from transfer_toy import diagnosis, parallel, result

from mosaic.errors import MosaicError
from mosaic.features.request import Request
from mosaic.probing import comparison
from mosaic.probing.problem import make_problem
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import CrossedSet
from mosaic.studies import controls, language_scores, languages, languages_said
from mosaic.studies.language_matrix import Matrix
from mosaic.studies.language_scores import LanguageScores
from mosaic.studies.languages_compared import below_chance
from mosaic.studies.latent_overlap import Overlap
from mosaic.studies.translated import NOT_AT_HAND, translated
from mosaic.texts.labelled import FAMILIAR, NEW

SETS = ("toxicity", "sentiment", "agreement")


# --- arms ----------------------------------------------------------------------------------------------------------


def test_linear_and_tree_are_chosen_apart_and_every_pooling_has_its_own():
    """The tree's score never stands for the linear probe's: what the chapter's first version got wrong."""
    problem = toy.problem()
    found = comparison.evaluate(problem, binarize=False)
    assert language_scores.of_kind(found, "sae").setting.classifier == "logistic"
    assert language_scores.of_kind(found, "sae", "tree").setting.classifier == "tree"
    hidden = [r for r in found if r.setting.features == "hidden"]
    assert {r.setting.pooling for r in hidden} == {"mean", "last"}
    each = language_scores.of_each_pooling([r for r in found if r.setting.pooling in ("max", "mean", "last")] + [
        replace(r, setting=replace(r.setting, pooling=p))
        for r, p in ((hidden[0], "max"), *((language_scores.of_kind(found, "sae"), p) for p in ("mean", "last")))
    ], ("max", "mean", "last"))  # fmt: skip
    assert [(r.setting.features, r.setting.pooling) for r in each] == [
        (features, pooling) for features in ("sae", "hidden") for pooling in ("max", "mean", "last")
    ]


def test_native_problems_read_one_layer_of_each_kind():
    problem = toy.problem()
    assert language_scores.at_layers(problem, {"sae": 4, "hidden": 5}).tables == problem.tables[:3]
    assert language_scores.at_layers(problem, {"sae": 3, "hidden": 4}).tables == problem.tables[3:]


def test_native_predictions_stand_in_their_languages_rows():
    test = parallel()
    n = int((test.languages == "de").sum())
    home = result(["home"] * len(test))
    learned = {language: [result([language] * n, features="tfidf"), result(["x"] * n)] for language in ("de", "zh")}
    predicted, rows = language_scores.natives(test, home, learned, "tfidf")
    said = {language: set(predicted[test.languages == language]) for language in ("en", "de", "zh")}
    assert said == {"en": {"home"}, "de": {"de"}, "zh": {"zh"}}
    assert [row["language"] for row in rows] == ["de", "zh"] and set(home.predicted) == {"home"}


def test_dictionaries_that_ran_together_are_taken_apart():
    problem = toy.problem()
    named = [replace(t, provenance={**t.provenance, "sae": name}) for name in "ab" for t in problem.tables[:2]]
    found = language_scores.apart(replace(problem, tables=tuple(named)))
    assert [[t.provenance["sae"] for t in one.tables] for one in found] == [["a", "a"], ["b", "b"]]


def test_every_setting_has_a_score_at_home_and_abroad():
    test = parallel()
    truth = result(test.labels, features="hidden", layer=3, pooling="last")
    rows = language_scores.every_setting(test, [truth, result(test.labels, features="tfidf", pooling="word")])
    assert rows == [
        {
            "features": "hidden",
            "layer": 3,
            "pooling": "last",
            "validation": 0.5,
            "as_good": True,
            "home": 1.0,
            "abroad": 1.0,
        }
    ]
    best, less = truth, result(test.labels, f1=0.4, features="hidden", layer=1, pooling="last")
    assert [row["as_good"] for row in language_scores.every_setting(test, [less, best])] == [False, True]


# --- the study -----------------------------------------------------------------------------------------------------


@pytest.fixture
def study():
    test = parallel(n=12)
    one = np.full(len(test), "good", dtype=object)
    good_in = {"sae": test.labels, "sae, native": test.labels, "random dictionary": one}
    arms = {arm: [good_in.get(arm, one)] * (5 if arm == "random dictionary" else 1) for arm in language_scores.ARMS}
    chosen = {arm: [{"layer": 3, "pooling": "last"}] for arm in arms}
    settings = [
        {"features": f, "layer": 3, "pooling": "last", "as_good": True, "abroad": 0.4} for f in ("sae", "hidden")
    ]
    found = [replace(diagnosis("last", there=0.4, mean=0.9), features=features) for features in ("sae", "hidden")]
    found += [replace(diagnosis("sum"), features=features) for features in ("sae", "hidden")]
    right = {language: test.labels for language in ("en", "de", "zh")}
    matrix = Matrix(test, {"sae": right, "hidden": {language: one for language in right}, "tfidf": right})
    overlap = Overlap({"de": np.array([0.5, 0.7]), "zh": np.array([0.3, 0.5])}, np.array([0.8, 0.9]), 0.1)
    read = translated(test, dict.fromkeys(("sae", "hidden"), test.labels), dict.fromkeys(("sae", "hidden"), one), {})
    scores = LanguageScores(test, arms, chosen, settings, found, 0.5, {"sae": 3, "hidden": 1}, matrix, overlap, read)
    return languages.Languages(
        SimpleNamespace(name="p", poolings=("sum", "last")), {name: scores for name in SETS}, ("agreement",)
    )


def test_the_summary_of_known_scores(study):
    found = study.summary()
    assert found["above_chance"]["difference"] == pytest.approx(0.5) and found["above_chance"]["interval"][0] > 0
    assert found["native_minus_english"]["sae"]["interval"] == [0, 0]
    assert found["minus"]["random dictionary"]["interval"][0] > 0
    assert set(found["parts"]) == {FAMILIAR, NEW} and found["parts"][FAMILIAR]["minus"] == found["minus"]
    assert found["over_choices"]["abroad"] == {"sae": [0.4, 0.4], "hidden": [0.4, 0.4]}
    assert "None of this hangs on a tie" in found["sentences"]["over_choices"]
    assert (
        "on agreement" in found["sentences"]["on_themselves"] and "on toxicity" in found["sentences"]["on_themselves"]
    )
    assert "On agreement the probe has" in found["sentences"]["collapse_never_told"]
    assert found["sentences"]["translated_sae_never_told"].endswith("; on agreement).")
    assert found["counted"] == ["toxicity", "sentiment"] and found["never_told"]["above_chance"]["difference"] > 0
    arm = found["sets"]["toxicity"]["arms"]["hidden"]
    assert list(arm["parts"]) == [FAMILIAR, NEW] and set(arm["parts"][NEW]["by_language"]) == {"en", "de", "zh"}
    assert found["sets"]["toxicity"]["diagnosis"]["hidden"]["last"]["explanation"] == "mean"
    assert found["sets"]["toxicity"]["matrix"]["sae"]["cells"]["de"]["zh"]["mean"] == 1
    assert found["matrix"]["sae_minus_hidden"]["transfer"]["interval"][0] > 0
    assert found["matrix"]["native_minus_transfer"]["sae"]["interval"] == [0, 0]
    assert found["overlap"]["share"]["mean"] == pytest.approx(0.5)
    assert found["overlap"]["by_language"] == pytest.approx({"de": 0.6, "zh": 0.4})
    assert "viable" in found["sentences"]["viable"]
    assert found["sentences"]["abroad"].endswith("languages of toxicity and sentiment.")
    assert "Hidden states on sentiment" in found["sentences"]["why_hidden"]
    assert "mean has moved" in found["sentences"]["why_hidden"] and "agreement" not in found["sentences"]["why_hidden"]
    assert found["translated"]["n_sets"] == 2 and found["translated"] == found["parts"][FAMILIAR]["translated"]
    assert found["translated"]["hidden"]["native_minus_translated"]["interval"][1] < 0
    assert found["sets"]["toxicity"]["translated"]["sae"]["translated"]["de"]["macro_f1"] == 1
    assert "itself score below the English probe on texts translated" in found["sentences"]["translated_sae"]
    untranslated = {name: replace(one, translated=None) for name, one in study.sets.items()}
    none = replace(study, sets=untranslated).summary()
    assert none["translated"] is None and none["sentences"]["translated_hidden"] == NOT_AT_HAND
    alone = replace(study, sets={"sib200": study.sets["toxicity"]}, never_told=()).summary()
    assert alone["never_told"] is None and all(alone["sentences"][key] is None for key in languages_said.NEVER)


def test_a_language_below_chance_is_found(study):
    scores = study.sets["toxicity"]
    assert below_chance({"toxicity": scores}) == (2, [])
    wrong = np.where(scores.test.labels == "good", "bad", "good").astype(object)
    wrong = np.where(scores.test.languages == "zh", wrong, scores.test.labels)
    below = replace(scores, arms={**scores.arms, "sae": [wrong]})
    assert below_chance({"toxicity": below}) == (2, [("toxicity in Chinese", 0.0, 0.5)])


def test_figures_and_tables(study):
    assert [ax.get_title() for ax in study.figure().axes] == list(SETS)
    assert [ax.get_title() for ax in study.poolings_figure().axes] == list(SETS)
    assert [ax.get_title() for ax in study.overlap_figure().axes] == list(SETS)
    assert "chance" in {text.get_text() for text in study.figure().legends[0].get_texts()}
    titles = [ax.get_title() for ax in study.matrix_figure().axes if ax.get_title()]
    assert titles[:2] == ["toxicity, SAE features", "toxicity, hidden states"] and len(titles) == 6
    scales = [ax.collections[0].get_clim() for ax in study.matrix_figure().axes if ax.get_title()]
    assert set(scales) == {(0, 1)}, "panels that are compared have one scale of colours"
    marks = {text.get_text() for text in study.native_figure().legends[0].get_texts()}
    assert "SAE, translated to English" in marks and len(marks) == 6
    assert study.translated_table().count("<tr>") == 1 + 3 * 2 * 2
    untranslated = replace(study, sets={name: replace(one, translated=None) for name, one in study.sets.items()})
    assert len(untranslated.native_figure().legends[0].get_texts()) == 4
    assert untranslated.translated_table().count("<tr>") == 1
    assert [ax.get_title() for ax in study.own_figure().axes] == list(SETS)
    named = [text.get_text() for text in study.own_figure().legends[0].get_texts()]
    assert "published, Gemma 2: SAE features" in named
    table = study.table()
    assert table.count("<tr>") == 1 + len(language_scores.ARMS) and f"toxicity, {NEW}" in table
    assert "SAE features, linear" in table and "SAE features, tree" in table
    assert study.diagnosis_table().count("<tr>") == 9
    for said in (study.explanations(), study.choices()):  # two kinds of features on the two sets that count
        assert said.count("<li>") == 4 and "Hidden states on sentiment: " in said and "agreement" not in said


def test_every_pooling_is_given_to_both_kinds_and_to_the_controls(monkeypatch, tmp_path):
    """The real thing on few texts in two languages: what is recorded of it tells which settings were tried."""
    from mosaic.profiles.profile import load_profile
    from mosaic.studies.problems import opened

    monkeypatch.setattr(
        language_scores, "random_dictionaries", lambda e, lm, t: controls.random_dictionaries(e, lm, t, n=2)
    )
    profile, lm = opened(replace(load_profile("mini"), max_train=40, max_test=24))
    choice = CrossedSet("mini/toxicity", ("en", "de"))
    found = language_scores.score_languages(profile, lm, choice, tmp_path)
    summary = found.summary()
    for features in ("sae", "hidden"):
        tried = [(row["layer"], row["pooling"]) for row in summary["settings"] if row["features"] == features]
        assert sorted(tried) == sorted((layer, pooling) for layer in profile.layers for pooling in profile.poolings)
        assert list(summary["diagnosis"][features]) == list(profile.poolings)
    assert set(summary["arms"]) == set(language_scores.ARMS) and len(found.arms["random dictionary"]) == 2
    assert all(1 <= n <= len(tried) for n in summary["tied"].values())
    assert summary["arms"]["tree"]["chosen"][0]["classifier"] == "tree"
    assert not any(row["binarized"] for arm in summary["arms"].values() for row in arm["chosen"])
    (native,) = summary["arms"]["sae, native"]["chosen"]
    assert native["language"] == "de" and native["layer"] == summary["arms"]["sae"]["chosen"][0]["layer"]
    assert native["n_train"] == summary["arms"]["sae"]["chosen"][0]["n_train"] == 40
    # What the native arms and the matrix say of one and the same probe is one and the same.
    rows = found.test.languages == "de"
    for family in language_scores.NATIVE:
        assert (found.matrix.predicted[family]["en"] == found.arms[family][0]).all()
        assert (found.matrix.predicted[family]["de"][rows] == found.arms[f"{family}, native"][0][rows]).all()
    # In the miniature the English row of a message is its translation: as many are read right as in English.
    for family in language_scores.DIAGNOSED:
        of = found.translated.predicted[family]
        assert (of["translated"] == found.arms[family][0][found.test.languages == "en"]).all()
        assert (of["native"] == found.arms[f"{family}, native"][0][rows]).all()
        assert (of["transfer"] == found.arms[family][0][rows]).all()
    assert set(found.overlap.shared) == {"de"} and 0 < found.overlap.chance < 1
    assert (found.overlap.ceiling >= 0).all() and (found.overlap.ceiling <= 1).all()


def test_named_translations_are_read_by_the_probes_that_english_validation_chose(monkeypatch, tmp_path):
    """The same texts under another name: what the English probe says of them is what it says of the English rows."""
    from mosaic.studies.problems import load_cut, opened

    profile, lm = opened("mini")
    few = replace(profile, max_train=40)
    parts = {language: load_cut(few, "mini/toxicity", language) for language in ("en", "de")}
    parts = {language: (train, test.take(np.arange(24))) for language, (train, test) in parts.items()}
    request = Request(load_saes(profile, lm, [3], [profile.width]), (3,), ("last",))
    home = make_problem(*parts["en"], lm, request, tmp_path)
    found = comparison.evaluate(home, binarize=False)
    best = {family: language_scores.of_kind(found, family) for family in language_scores.DIAGNOSED}
    choice = CrossedSet("mini/toxicity", ("en", "de"), translated={"de": "ours"})

    def load_set(name, language):
        assert (name, language) == ("ours", "de")
        return parts["en"][1].take(np.arange(24)[::-1]), parts["en"][0]  # in another order, in another part

    monkeypatch.setattr(language_scores, "load_set", load_set)
    said = language_scores.in_translation(choice, parts, best, lm, request, tmp_path)
    assert {family: list(predicted) for family, predicted in said["de"].items()} == {
        family: list(result.predicted) for family, result in best.items()
    }
    monkeypatch.setattr(language_scores, "load_set", lambda *_: (parts["en"][0], parts["en"][0]))
    assert language_scores.in_translation(choice, parts, best, lm, request, tmp_path) == {}


def test_every_language_has_as_many_training_texts(monkeypatch):
    sizes = {"en": 40, "de": 60}

    def load_cut(profile, name, language):
        data = toy.problem().train
        rows = np.arange(sizes[language]) % len(data)
        return data.take(rows), data.take(rows)

    monkeypatch.setattr(language_scores, "load_cut", load_cut)
    parts = language_scores.parted(None, CrossedSet("x", ("en", "de")))
    assert [len(train) for train, _ in parts.values()] == [40, 40]
    assert [len(test) for _, test in parts.values()] == [40, 60]


def test_two_sets_of_like_names_both_keep_one():
    real, mini, other = (CrossedSet(name, ("en", "de")) for name in ("toxicity", "mini/toxicity", "mini/sentiment"))
    assert languages.titled([real, mini, other]) == {"toxicity": real, "mini/toxicity": mini, "sentiment": other}
    assert languages.titled([mini, other]) == {"toxicity": mini, "sentiment": other}


def test_sets_whose_labels_were_never_told_carry_no_claim_alone(monkeypatch):
    profile = SimpleNamespace(name="mine", truth=True)
    monkeypatch.setattr(languages, "opened", lambda *_: (profile, None))
    monkeypatch.setattr(languages, "crossed", lambda _: (CrossedSet("mini/agreement", ("en", "de")),))
    monkeypatch.setattr(languages, "score_languages", lambda *_: pytest.fail("it was scored first"))
    with pytest.raises(
        MosaicError, match="profile mine: .* states the labels of agreement, so no claim .* mini/toxicity"
    ):
        languages.run("mine")
