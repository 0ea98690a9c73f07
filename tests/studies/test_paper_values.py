"""Published series beside this run's: the right key for each mark, nothing where nothing is published."""

import pytest

from mosaic.profiles.profile import load_profile
from mosaic.reporting import colours, plots, published
from mosaic.studies import paper_values
from mosaic.studies.paper_values import Setting

KEY = "mosaic.gemma-2-2b.textdetox/multilingual_toxicity_dataset.en"
SAE, HIDDEN = (paper_values.series_name(kind) for kind in paper_values.KINDS)


def test_a_title_leads_to_the_papers_set_of_the_same_task():
    toxicity = paper_values.of_set("mini/toxicity (en)")
    assert toxicity == paper_values.of_set("toxicity", "en") and toxicity != paper_values.of_set("toxicity", "de")
    assert toxicity[Setting("sae", 5, "16k", "sum", False)] == published.value(f"{KEY}.L5.16k.sae.sum.raw.linear")
    runs = [published.value(f"{KEY}.L12.16k.hidden.last.raw.linear{end}") for end in ("", ".2", ".3", ".4")]
    assert toxicity[Setting("hidden", 12, "16k", "last", False)] == pytest.approx(sum(runs) / 4), (
        "four runs of one setting"
    )
    assert paper_values.of_set("mini/sentiment (en)") == paper_values.of_set("sentiment_tweets (en)") != {}
    assert paper_values.of_set("mini/refusal") and paper_values.of_set("stance_abortion")
    for unpublished in ("mini/agreement", "mini/behaviour", "sst2", "sib200 (en)", "jailbreak", "my own"):
        assert paper_values.of_set(unpublished) == {}, unpublished


def test_every_counterpart_is_a_set_of_the_registry():
    assert set(paper_values.SAME_TASK.values()) <= set(paper_values.REGISTRY)


def test_the_papers_layers_are_those_of_its_profile():
    profile = load_profile("gemma-2-2b")
    assert tuple(profile.layers) == paper_values.LAYERS and profile.width == paper_values.WIDTH
    assert profile.model.id.endswith(paper_values.MODEL)


def test_early_middle_and_late_stand_at_this_runs_layers():
    series = paper_values.by_layer("mini/toxicity (en)", [1, 3, 5])
    raw = published.value(f"{KEY}.L5.16k.sae.sum.raw.linear")
    assert list(series) == [SAE, HIDDEN] and (1, raw, raw, raw) in series[SAE]
    assert {x for x, *_ in series[HIDDEN]} == {1, 3} and len(series[HIDDEN]) == 2
    assert paper_values.by_layer("mini/toxicity (en)", [1, 3]) == {}
    assert paper_values.by_layer("mini/agreement", [1, 3, 5]) == {}


def test_widths_poolings_and_languages():
    widths = paper_values.by_width("mini/stance")
    assert list(widths) == [SAE] and {x for x, *_ in widths[SAE]} == {"16k", "65k"}
    poolings = paper_values.by_pooling("mini/stance", ("sum", "mean", "last"))
    assert {x for x, *_ in poolings[SAE]} == {"sum"} and [x for x, *_ in poolings[HIDDEN]] == ["last"]
    languages = paper_values.by_language("toxicity", ("en", "es", "de", "ru", "zh"))
    assert [x for x, *_ in languages[SAE]] == ["en", "es", "de", "ru", "zh"]
    for language, value, *_ in languages[SAE]:
        assert value == pytest.approx(published.value(f"mosaic.toxicity.{language}.sae"), abs=1e-3)
    assert paper_values.by_language("agreement", ("en", "es")) == {}


def test_the_best_setting_the_thresholds_and_the_images():
    best = paper_values.at_best_setting("mini/toxicity (en)")
    assert best["sae"] == published.value(f"{KEY}.L12.16k.sae.sum.binarised.linear") and "hidden" in best
    assert paper_values.at_best_setting("mini/alike") == {}
    assert paper_values.best_mean() == {"sae": published.value("mosaic.mean.best")}
    rows = paper_values.binarising(("sum", "mean", "top20"))
    assert [row["set"] for row in rows] == ["sum", "top20"]
    assert [row["macro_f1"] for row in rows] == [0.032, -0.011]
    assert [row["macro_f1"] for row in paper_values.images()][:2] == [0.987, 0.759]


def test_published_marks_are_hollow_and_no_line_joins_them():
    names = ["sae", "hidden", SAE, HIDDEN]
    points = [(x, 0.5, 0.4, 0.6) for x in (1, 3)]
    marks = [(1, 0.7, 0.7, 0.7), (1, 0.8, 0.8, 0.8)]
    ax = plots.curves({"sae": points, "hidden": points, SAE: marks, HIDDEN: marks}, "layer")
    own, known = ax.get_lines()[:2], ax.get_lines()[2:]
    assert {line.get_linestyle() for line in known} == {"None"} and {line.get_markerfacecolor() for line in known} == {
        "none"
    }
    assert {line.get_color() for line in known} == {colours.INK} and len({line.get_marker() for line in known}) == 2
    alone = plots.curves({"sae": points, "hidden": points}, "layer").get_lines()
    assert [line.get_linewidth() for line in own] == [line.get_linewidth() for line in alone], (
        "own lines stay as they are"
    )
    assert [look.hollow for look in colours.looks(names)] == [False, False, True, True]


def test_a_legend_names_what_one_panel_alone_has():
    points = [(1, 0.5, 0.4, 0.6)]
    figure = plots.panels({"a": {"sae": points}, "b": {"sae": points, SAE: points}}, "layer")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["SAE features", SAE]
