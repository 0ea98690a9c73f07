import json
from types import SimpleNamespace

import pytest

from mosaic import numerals
from mosaic.errors import MosaicError
from mosaic.probing.scores import Difference
from mosaic.studies import binarisation
from mosaic.texts.labelled import FAMILIAR, NEW

UP, DOWN, LEVEL = (
    Difference(0.2, 0.1, 0.3, 0.01),
    Difference(-0.2, -0.3, -0.1, 0.01),
    Difference(0.0, -0.1, 0.1, 0.9),
)

SELECTION = SimpleNamespace(summary=lambda: {"arms": {}})  # tests/studies/test_feature_selection.py has its own


def rows(n_sets):
    scored = {
        ("sum", "raw"): 0.5, ("sum", "binarized"): 0.7, ("sum", "published"): 0.5,
        ("max", "raw"): 0.6, ("max", "binarized"): 0.4, ("max", "published"): 0.2,
    }  # fmt: skip
    return tuple(
        {
            "set": f"set {i}", "pooling": pooling, "form": form, "macro_f1": value + 0.1 * (i % 2),
            "parts": {FAMILIAR: {"macro_f1": value + 0.1 * (i % 2)}, NEW: {"macro_f1": value / 2}},
        }
        for i in range(n_sets)
        for (pooling, form), value in scored.items()
    )  # fmt: skip


def made_up(n_sets, new_words=True):
    curve = [{"threshold": t, "kept": 1 - t, "macro_f1": 0.5 + t / 4} for t in (0.0, 0.5)]
    sweeps = {f"set {i}": {"curve": curve, "published": {**curve[1], "threshold": 1.0}} for i in range(n_sets)}
    differences = {"tuned": {"sum": UP, "max": DOWN}, "published": {"sum": LEVEL, "max": DOWN}}
    kept = {f"set {i}": {"sum": 1.0, "max": 0.5 + 0.1 * i} for i in range(n_sets)}
    new = {"tuned": {"sum": DOWN, "max": DOWN}, "published": {}} if new_words else {"tuned": {}, "published": {}}
    profile = SimpleNamespace(name="p", middle=3)
    return binarisation.Binarisation(profile, rows(n_sets), differences, new, kept, sweeps, SELECTION)


def test_means_over_sets_keep_the_forms_apart():
    means = binarisation.mean_over_sets(rows(2))
    assert means["sum"] == pytest.approx({"raw": 0.55, "binarized": 0.75, "published": 0.55})
    assert binarisation.mean_over_sets(rows(2), NEW)["max"]["raw"] == pytest.approx(0.3)


def test_the_summary_of_known_rows():
    summary = made_up(2).summary()
    assert summary["sets"]["set 1"]["max"]["binarized"]["macro_f1"] == 0.5
    assert summary["difference"]["published"]["sum"] == {"difference": 0.0, "interval": [-0.1, 0.1], "p": 0.9}
    assert summary["difference_new_words"]["tuned"]["sum"]["difference"] == -0.2
    assert summary["kept"] == pytest.approx({"sum": 1.0, "max": 0.55}) and summary["kept_by_set"]["set 1"]["max"] == 0.6
    # Raw sums are at .5 and .6 on the two sets, the curves at .5 and .625 on both.
    assert summary["mean_curve"] == [
        {"kept": 1.0, "difference": pytest.approx(-0.05)},
        {"kept": 0.5, "difference": pytest.approx(0.075)},
    ]
    assert {"tuned_sum", "published_max", "kept", "counts", "curve"} <= set(summary["sentences"])
    assert (
        "no top-20 counts" in summary["sentences"]["published_top20"]
    )  # the chapter names it whatever the profile has


def test_the_slider_has_every_set_and_needs_no_text():
    markup = made_up(2).threshold_slider()
    assert "<option>set 1</option>" in markup and markup.count("<tr>") == 1 + 2 * 3 and "0.60 raw" in markup


def test_new_words_stand_in_the_table_where_there_are_any():
    assert "+0.200 (+0.100 to +0.300)" in made_up(2).table() and "chosen on validation, new words" in made_up(2).table()
    assert "new words" not in made_up(2, new_words=False).table()


@pytest.mark.parametrize("n_sets", [1, 7, 10])
def test_no_set_is_left_out_of_the_threshold_curve(n_sets):
    """Seven sets were once zipped with six colours."""
    study = made_up(n_sets)
    ax = study.threshold_curve().axes[0]
    lines = [line for line in ax.get_lines() if line.get_label() in study.sweeps]
    assert [line.get_label() for line in lines] == list(study.sweeps)
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == n_sets
    assert len(ax.get_lines()) == 2 * n_sets + 1  # each with the mark of the published threshold, and the level of raw
    assert lines[0].get_ydata() == pytest.approx([0.0, 0.125])  # beside its own raw score


def test_both_thresholds_stand_beside_each_other():
    (ax,) = study_axes = made_up(1).figure().axes
    labels = {text.get_text() for text in ax.figure.legends[0].get_texts()}
    published = {"published, Gemma 2: threshold 1.0"}  # of sums, which the paper has
    assert len(study_axes) == 1 and labels == {"threshold chosen on validation", "threshold 1.0"} | published


@pytest.mark.parametrize(
    ("d", "words"),
    [
        (UP, "helps: +0.200 (95 % +0.100 to +0.300)."),
        (DOWN, "hurts: −0.200"),
        (LEVEL, "no difference that can be told"),
    ],
)
def test_whether_binarising_helps(d, words):
    said = binarisation.difference_sentence("sum", "published", d, None)
    assert words in said and "binarising sums, threshold 1.0," in said and "new words" not in said
    assert "On new words this difference lies below zero: −0.200" in binarisation.difference_sentence(
        "sum", "tuned", d, DOWN
    )


@pytest.mark.parametrize(
    ("kept", "words"), [(0.999, "hardly more than whether"), (0.01, "leaves hardly anything"), (0.6, "does divide")]
)
def test_what_the_published_threshold_does(kept, words):
    said = binarisation.kept_sentence("sum", kept)
    assert words in said and f"{numerals.share(kept)} lie above 1.0" in said


@pytest.mark.parametrize(("kept", "words"), [(1.0, "sums, all lie above"), (0.9998, "sums, all but a few lie above")])
def test_nearly_all_values_are_not_all(kept, words):
    assert words in binarisation.kept_sentence("sum", kept)


def test_counts_are_told_of_where_there_are_any():
    assert "holds for 0.25 of the active values" in binarisation.counts_sentence({"top20": 0.25})
    assert "no top-20 counts" in binarisation.counts_sentence({"sum": 0.25})


@pytest.mark.parametrize(
    ("differences", "words"),
    [
        (
            (0.1, 0.0, -0.2),
            "where everything active is kept (+0.100 beside raw sums); at its ends it has +0.100 and −0.200",
        ),
        ((0.0, 0.1, -0.2), "between the ends, where 0.50 of the active values are kept (+0.100"),
        ((-0.3, -0.2, -0.1), "at the strictest threshold tried, which keeps 0.10 of the active values (−0.100"),
    ],
)
def test_where_the_curve_is_highest(differences, words):
    curve = list(zip((1.0, 0.5, 0.1), differences, strict=True))
    assert words.replace("0.000 and", "+0.000 and") in binarisation.curve_sentence(curve)


def test_from_a_profile_to_the_recorded_numbers(small_profile, tmp_path):
    study = binarisation.run(small_profile, poolings=("sum", "count"), kept_latents=(2, 8), cache=tmp_path / "cache")
    values = json.loads(study.record(tmp_path).read_text())["values"]
    assert set(values["difference"]) == {"tuned", "published"}
    means = values["mean"]["sum"]
    for kind, form in (("tuned", "binarized"), ("published", "published")):
        difference = values["difference"][kind]["sum"]["difference"]
        assert difference == pytest.approx(means[form] - means["raw"], abs=2e-6)
    for title, sweep in values["sweeps"].items():
        assert sweep["published"]["threshold"] == 1.0 and sweep["curve"][0]["kept"] == 1.0
        assert sweep["published"]["kept"] == values["kept_by_set"][title]["sum"]
        # The point at 1.0 is the arm at 1.0: each has a C of its own, chosen in the same way.
        assert sweep["published"]["macro_f1"] == values["sets"][title]["sum"]["published"]["macro_f1"]
    assert list(study.examples) == list(study.sweeps) and "examples" not in values
    assert all(text.left(0.0).sum() == len(text.sums) for text in study.examples.values())
    assert {row["threshold"] for row in study.rows if row["form"] == "published"} == {1.0}
    selection, sums = values["selection"], values["mean"]["sum"]
    # No selection and all binarised are the very fits that the rest of the chapter shows.
    for arm, form in (("all", "raw"), ("all_binarised", "binarized"), ("all_published", "published")):
        assert selection["arms"][arm]["mean"] == pytest.approx(sums[form], abs=2e-6)
    assert selection["binarised_minus"]["all"] == values["difference"]["tuned"]["sum"]
    assert {row["l1"]["k"] for row in selection["sets"].values()} <= {2, 8} and selection["grid"] == [2, 8]


def test_poolings_without_sum_are_refused_before_any_work():
    with pytest.raises(MosaicError, match="needs the pooling 'sum' beside max, count"):
        binarisation.run("no such profile", poolings=("max", "count"))
