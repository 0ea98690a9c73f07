import json
from types import SimpleNamespace

import pytest

from mosaic.errors import MosaicError
from mosaic.probing.candidates import Setting
from mosaic.studies import layers


def row(title, features, layer, validation, test):
    values = {"validation_macro_f1": validation, "macro_f1": test, "low": test - 0.1, "high": test + 0.1}
    return {"set": title, "features": features, "layer": layer, **values}


ROWS = tuple(
    row(title, features, layer, validation, test)
    for title, features, scores in (
        ("a", "sae", ((0, 0.5, 0.9), (2, 0.8, 0.6), (5, 0.6, 0.7))),
        ("b", "sae", ((0, 0.5, 0.9), (2, 0.6, 0.4), (5, 0.7, 0.5))),
        ("a", "hidden", ((0, 0.7, 0.2), (2, 0.6, 0.9), (5, 0.1, 0.9))),
        ("b", "hidden", ((0, 0.5, 0.4), (2, 0.6, 0.9), (5, 0.1, 0.9))),
    )
    for layer, validation, test in scores
)


def test_validation_chooses_the_layer_and_never_the_test_score():
    assert layers.best_layer(ROWS, "sae") == 2
    assert layers.best_layer(ROWS, "hidden") == 0  # equal at layers 0 and 2: the lowest
    assert layers.mean_over_sets(ROWS, "sae") == pytest.approx({0: 0.9, 2: 0.5, 5: 0.6})


def test_the_pooling_of_each_layer_is_the_one_validation_chose():
    def result(layer, pooling, validation, test):
        return SimpleNamespace(setting=Setting("sae", layer, "1k", pooling), validation=validation, score=test)

    results = [result(3, "sum", 0.6, 0.1), result(1, "sum", 0.5, 0.9), result(1, "max", 0.7, 0.2)]
    chosen = layers.chosen_at_each_layer(results)
    assert {key: r.setting.pooling for key, r in chosen.items()} == {("sae", 3): "sum", ("sae", 1): "max"}


def test_three_layers_are_early_middle_and_late_others_keep_their_number():
    assert [layers.position(layer, (0, 2, 5)) for layer in (0, 2, 5)] == ["early", "middle", "late"]
    assert layers.position(2, (0, 2)) == "2"


def test_the_summary_of_known_rows():
    study = layers.Layers(SimpleNamespace(name="p", layers=[0, 2, 5]), ROWS)
    summary = study.summary()
    assert summary["best_layer"] == {"sae": "2", "hidden": "0"}
    assert summary["best_position"] == {"sae": "middle", "hidden": "early"}
    assert summary["best_mean"] == pytest.approx({"sae": 0.5, "hidden": 0.3})
    assert summary["n_sets"] == 2 and summary["sets"]["a"]["sae"][5]["macro_f1"] == 0.7
    assert "2 (chosen)" in study.table() and "0 (chosen)" in study.table()
    assert [ax.get_title() for ax in study.figure().axes] == ["a", "b"]


def test_from_a_profile_to_the_recorded_numbers(small_profile, tmp_path):
    study = layers.run(small_profile, poolings=("mean",), cache=tmp_path / "cache")
    values = json.loads(study.record(tmp_path).read_text())["values"]
    assert list(values["sets"]) == ["mini/intent", "mini/sentiment (en)"]
    assert {row["pooling"] for row in study.rows} == {"mean"}
    for curves in values["sets"].values():
        assert {features: list(by_layer) for features, by_layer in curves.items()} == {
            "sae": ["0", "1", "3"],
            "hidden": ["0", "1", "3"],
        }


def test_a_pooling_the_profile_lacks_is_named(small_profile):
    with pytest.raises(MosaicError, match=r"small does not compute the pooling 'top50'.*Add it to the profile"):
        layers.run(small_profile, poolings=("sum", "top50"), cache=None)
