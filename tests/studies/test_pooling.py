import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from mosaic.errors import MosaicError
from mosaic.probing.scores import Difference
from mosaic.studies import inverse_frequency, pooling
from mosaic.studies.inverse_frequency import InverseFrequency
from mosaic.studies.leads import Choice, Lead

SCORES = {
    ("a", "sae"): {"sum": 0.5, "last": 0.9},
    ("b", "sae"): {"sum": 0.7, "last": 0.1},
    ("a", "hidden"): {"sum": 0.2, "last": 0.4},
    ("b", "hidden"): {"sum": 0.4, "last": 0.6},
}
ROWS = tuple(
    {"set": title, "features": features, "pooling": name, "macro_f1": value, "parts": {"test": {"macro_f1": value}}}
    for (title, features), by_pooling in SCORES.items()
    for name, value in by_pooling.items()
)
UP, DOWN = Difference(0.05, 0.02, 0.08, 0.0), Difference(-0.05, -0.08, -0.02, 0.0)
LEVEL = Difference(0.1, -0.05, 0.2, 0.3)
WEIGHTED = InverseFrequency(
    dict.fromkeys((inverse_frequency.SCALED, inverse_frequency.PLAIN, inverse_frequency.WEIGHTED), 0.5),
    {inverse_frequency.PLAIN: UP, inverse_frequency.SCALED: DOWN},
)


def choice(winner):
    other = "last" if winner == "sum" else "sum"
    return Choice(winner, {"sum": 0.8, "last": 0.7}, other, UP, 0.9, Lead(other, {other: LEVEL}, 2), None)


def made_up(new=None):
    choices = {"sae": choice("sum"), "hidden": choice("last")}
    return pooling.Pooling(
        SimpleNamespace(name="p", middle=3), ROWS, choices, {"sae": LEVEL, "hidden": DOWN}, new or {}, WEIGHTED
    )


def test_the_grid_is_sets_by_poolings_of_one_kind_of_features():
    values, titles, poolings = pooling.grid(ROWS, "sae")
    assert (titles, poolings) == (["a", "b"], ["sum", "last"])
    assert values.tolist() == [[0.5, 0.9], [0.7, 0.1]]


def test_counts_and_sums_by_their_difference():
    assert "counts of latents score above their sums" in pooling.counts_sentence(UP)
    assert "counts of latents score below their sums" in pooling.counts_sentence(DOWN)
    assert "cannot be told apart" in pooling.counts_sentence(LEVEL) and pooling.counts_sentence(None) is None
    summary = made_up().summary()
    assert summary["counts_minus_sums"] is None and summary["sentences"]["counts"] is None
    measured = replace(made_up(), counts_minus_sums=UP).summary()
    assert measured["counts_minus_sums"]["interval"] == [0.02, 0.08]


def test_the_summary_of_known_rows():
    summary = made_up().summary()
    assert {features: c["winner"] for features, c in summary["choice"].items()} == {"sae": "sum", "hidden": "last"}
    assert summary["layer"] == 3 and summary["mean"]["hidden"] == pytest.approx({"sum": 0.3, "last": 0.5})
    assert summary["mean_new_words"]["sae"] == {} and summary["mean_minus_last_new_words"] is None
    assert summary["sets"]["b"]["sae"]["last"]["macro_f1"] == 0.1
    assert summary["mean_minus_last"]["sae"] == {"difference": 0.1, "interval": [-0.05, 0.2], "p": 0.3}
    assert "−0.050 to +0.200" in made_up().last_table() and "new words" not in made_up().last_table()
    assert "new words" in made_up({"sae": DOWN}).last_table()
    assert "sum (chosen)" in made_up().table() and "last (chosen)" in made_up().table()
    shown = made_up().figure("hidden").axes[0].collections[0].get_array()
    np.testing.assert_allclose(np.ravel(shown), [0.2, 0.4, 0.4, 0.6])


def test_published_poolings_have_a_panel_where_the_paper_has_the_task():
    rows = tuple({**row, "set": "mini/stance" if row["set"] == "a" else "b", "low": 0.0, "high": 1.0} for row in ROWS)
    known = replace(made_up(), profile=SimpleNamespace(poolings=("sum", "last")), rows=rows)
    (ax,) = known.published_figure().axes
    assert ax.get_title() == "mini/stance" and len(ax.get_lines()) == 4
    assert "Nothing is published" in replace(known, rows=ROWS).published_figure()


@pytest.mark.parametrize(
    ("d", "words"),
    [
        (
            UP,
            "For hidden states, mean pooling scores above the last token: mean minus last is +0.050 (95 % +0.020 to +0.080).",
        ),
        (DOWN, "For hidden states, the last token scores above mean pooling: mean minus last is −0.050"),
        (LEVEL, "For hidden states, mean pooling and the last token cannot be told apart: +0.100"),
    ],
)
def test_what_the_last_token_costs(d, words):
    assert words in pooling.last_sentence("hidden states", d, None)
    assert pooling.last_sentence("hidden states", d, DOWN).endswith(
        "On new words this difference lies below zero: −0.050 (95 % −0.080 to −0.020)."
    )


def test_whether_one_pooling_serves_both():
    assert "sum for SAE features and last for hidden" in pooling.baseline_sentence(
        {"sae": choice("sum"), "hidden": choice("last")}
    )
    assert "the same pooling, sum," in pooling.baseline_sentence({"sae": choice("sum"), "hidden": choice("sum")})


def test_from_a_profile_to_the_recorded_numbers(small_profile, tmp_path):
    study = pooling.run(small_profile, cache=tmp_path / "cache")
    values = json.loads(study.record(tmp_path).read_text())["values"]
    assert values["layer"] == 1 and set(values["mean"]["hidden"]) == set(small_profile.poolings)
    assert {row["layer"] for row in study.rows} == {1}
    for features in ("sae", "hidden"):
        mean, last = (values["mean"][features][name] for name in ("mean", "last"))
        assert values["mean_minus_last"][features]["difference"] == pytest.approx(mean - last, abs=2e-6)
        assert set(values["choice"][features]["validation"]) == set(small_profile.poolings)


def test_a_profile_without_last_is_told_so():
    profile = SimpleNamespace(name="p", poolings=("sum", "mean"))
    with pytest.raises(MosaicError, match="p does not compute the pooling 'last'"):
        pooling.check_poolings(profile, pooling.COMPARED)


def test_the_weighted_mean_is_shown_beside_the_others():
    summary = made_up().summary()
    assert summary["inverse_frequency"]["minus"][inverse_frequency.PLAIN]["difference"] == 0.05
    assert "gains by the weighting (macro-F1, weighted minus plain +0.050" in summary["sentences"]["weighted"]
    assert "scores below the standardising probe" in summary["sentences"]["weighted"]
    assert made_up().weighted_table().count("<tr>") == 4
