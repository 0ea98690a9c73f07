import json
from types import SimpleNamespace

import pytest
import scale_toy

from mosaic.errors import MosaicError
from mosaic.probing.candidates import Setting
from mosaic.probing.scores import Difference
from mosaic.studies import layers
from mosaic.studies.leads import Choice, Lead
from mosaic.texts.labelled import FAMILIAR, NEW

SCALE = scale_toy.scale(pair=False)
UP, LEVEL = Difference(0.05, 0.02, 0.08, 0.0), Difference(0.0, -0.1, 0.1, 1.0)


def row(title, features, layer, test, new=None, pooling="max"):
    interval = {"low": test - 0.1, "high": test + 0.1}
    parts = {"test": {"macro_f1": test, **interval}}
    if new is not None:
        parts = {FAMILIAR: parts["test"], NEW: {"macro_f1": new, "low": new, "high": new}}
    values = {"pooling": pooling, "macro_f1": test, **interval, "parts": parts}
    return {"set": title, "features": features, "layer": layer, **values}


ROWS = (
    row("a", "sae", 0, 0.9, 0.4), row("a", "sae", 2, 0.6, 0.3, "last"), row("a", "sae", 5, 0.7, 0.2),
    row("b", "sae", 0, 0.9), row("b", "sae", 2, 0.4), row("b", "sae", 5, 0.5),
    row("a", "hidden", 0, 0.2, 0.1), row("a", "hidden", 2, 0.9, 0.8), row("a", "hidden", 5, 0.9, 0.7),
    row("b", "hidden", 0, 0.4), row("b", "hidden", 2, 0.9), row("b", "hidden", 5, 0.9),
)  # fmt: skip


def choice(winner="2", rival="5", d=LEVEL, new=None):
    lead = Lead(rival, {rival: d}, 2)
    validation = {"0": 0.5, "2": 0.7, "5": 0.65}
    return Choice(winner, validation, rival, UP, 0.8, lead, None if new is None else Lead(rival, {rival: new}, 1))


def made_up(rows=ROWS):
    choices = {"sae": choice(new=UP), "hidden": choice("0")}
    return layers.Layers(SimpleNamespace(name="p", layers=[0, 2, 5]), rows, choices, ("max", "last"), SCALE)


def test_the_pooling_of_each_layer_is_the_one_validation_chose():
    def result(layer, pooling, validation, test):
        return SimpleNamespace(setting=Setting("sae", layer, "1k", pooling), validation=validation, score=test)

    results = [result(3, "sum", 0.6, 0.1), result(1, "sum", 0.5, 0.9), result(1, "max", 0.7, 0.2)]
    chosen = layers.chosen_at_each_layer(results)
    assert {key: r.setting.pooling for key, r in chosen.items()} == {("sae", 3): "sum", ("sae", 1): "max"}


def test_three_layers_are_early_middle_and_late_others_keep_their_number():
    assert [layers.position(layer, (0, 2, 5)) for layer in (0, 2, 5)] == ["early", "middle", "late"]
    assert layers.position(2, (0, 2)) == "2"


@pytest.mark.parametrize(
    ("winner", "d", "words"),
    [
        ("2", UP, "The middle layer is best: its lead on test over its strongest rival, layer 5, is +0.050"),
        ("0", UP, "Not the middle layer is best but the early one: its lead"),
        ("2", LEVEL, "Whether the middle layer is best is undecided: validation chooses the middle one"),
        (
            "0",
            Difference(-0.05, -0.1, -0.01, 0.0),
            "is undecided: validation chooses the early one, whose lead on test",
        ),
    ],
)
def test_whether_the_middle_layer_is_best(winner, d, words):
    assert words in layers.middle_sentence(choice(winner, "5", d), (0, 2, 5))


def test_two_layers_answer_nothing_about_the_middle():
    assert "not answered" in layers.middle_sentence(choice("2", "5", UP), (2, 5))


def test_the_summary_of_known_rows():
    study = made_up()
    summary = study.summary()
    assert summary["best_layer"] == {"sae": "2", "hidden": "0"}
    assert summary["best_position"] == {"sae": "middle", "hidden": "early"}
    assert summary["choice"]["sae"]["position"] == "middle" and summary["choice"]["sae"]["again"] == 0.8
    assert summary["choice"]["sae"]["lead"]["interval"] == [-0.1, 0.1]
    assert summary["best_mean"] == pytest.approx({"sae": 0.5, "hidden": 0.3})
    assert summary["mean_new_words"]["sae"] == pytest.approx({0: 0.4, 2: 0.3, 5: 0.2})
    assert summary["n_sets"] == 2 and summary["sets"]["a"]["sae"][5]["macro_f1"] == 0.7
    assert set(summary["sentences"]) == {"sae", "hidden", "sae_new", "hidden_new", "middle", *SCALE.sentences()}
    assert summary["every_block"]["n_blocks"] == 6 and summary["pair"] is None


def test_the_table_shows_familiar_and_new_words_and_the_poolings_that_were_chosen():
    table = made_up().table()
    assert "2 (chosen)" in table and "0 (chosen)" in table and "last 1, max 1" in table
    assert "familiar words" in table and "0.30" in table


def test_a_panel_a_set_and_new_words_only_of_those_that_have_them():
    assert [ax.get_title() for ax in made_up().figure().axes] == ["a", "b"]
    (ax,) = made_up().new_words_figure().axes
    assert ax.get_title() == "a" and ax.get_lines()[0].get_ydata().tolist() == [0.4, 0.3, 0.2]
    assert "No set here" in made_up(tuple(r for r in ROWS if r["set"] == "b")).new_words_figure()


def test_published_marks_stand_on_the_panel_of_the_same_task_alone():
    rows = tuple({**r, "set": {"a": "mini/toxicity (en)", "b": "mini/agreement"}[r["set"]]} for r in ROWS)
    published, none = made_up(rows).figure().axes
    assert [line.get_label() for line in published.get_lines()][2:] == [
        "published, Gemma 2: SAE features",
        "published, Gemma 2: hidden states",
    ]
    assert len(none.get_lines()) == 2 and len(made_up(rows).new_words_figure().axes[0].get_lines()) == 2


def test_the_depth_has_a_figure_and_a_table():
    assert len(made_up().scale_figure().axes) == 2 and "every block" in made_up().scale_table()


def test_from_a_profile_to_the_recorded_numbers(small_profile, tmp_path):
    study = layers.run(small_profile, poolings=("mean",), cache=tmp_path / "cache")
    values = json.loads(study.record(tmp_path).read_text())["values"]
    assert list(values["sets"]) == ["mini/intent", "mini/sentiment (en)"] and values["poolings"] == ["mean"]
    assert {row["pooling"] for row in study.rows} == {"mean"}
    for curves in values["sets"].values():
        assert {features: list(by_layer) for features, by_layer in curves.items()} == {
            "sae": ["0", "1", "3"],
            "hidden": ["0", "1", "3"],
        }
    assert list(values["every_block"]["mean"]) == ["0", "1", "2", "3"] and values["pair"] is None
    assert "small names no larger model" in values["sentences"]["pair"]
    lead = values["choice"]["sae"]["lead"]
    winner = values["best_layer"]["sae"]
    assert lead["difference"] == pytest.approx(
        values["mean"]["sae"][winner] - values["mean"]["sae"][lead["rival"]], abs=2e-6
    )


def test_every_pooling_of_the_profile_is_given_to_both_kinds_of_features(small_profile, monkeypatch):
    """Seen at the comparison itself: which tables it was handed."""
    seen = []

    def evaluate(problem, **_):
        seen.append({(t.provenance["features"], t.provenance["pooling"]) for t in problem.tables})
        raise StopIteration

    monkeypatch.setattr(layers.comparison, "evaluate", evaluate)
    with pytest.raises(StopIteration):
        layers.run(small_profile, cache=None)
    assert seen == [{(features, p) for features in layers.FEATURES for p in small_profile.poolings}]


def test_a_pooling_the_profile_lacks_is_named(small_profile):
    with pytest.raises(MosaicError, match=r"small does not compute the pooling 'top50'.*Add it to the profile"):
        layers.run(small_profile, poolings=("sum", "top50"), cache=None)
