"""What is read off a figure is what was drawn, for every kind of figure the chapters have."""

import csv
import io

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

from mosaic.reporting import drawn, figure_html, plots, strips
from mosaic.reporting.plots import finished

CURVE = [("1", 0.5, 0.4, 0.6), ("3", 0.7, 0.65, 0.75), ("5", 0.6, 0.5, 0.7)]


def close(row, **expected):
    return all(
        row.get(key, "") == (pytest.approx(value) if isinstance(value, float) else value)
        for key, value in expected.items()
    )


def test_curves_with_bands_by_the_names_of_their_places():
    found = drawn.rows(finished(plots.curves({"sae": CURVE, "hidden": [("3", 0.2, 0.1, 0.3)]}, "layer")))
    assert len(found) == 4
    for row, (x, y, low, high) in zip(found, CURVE, strict=False):
        assert close(row, series="SAE features", x=x, y=y, y_low=low, y_high=high)
    assert close(found[3], series="hidden states", x="3", y=0.2, y_low=0.1, y_high=0.3)


def test_panels_are_told_apart_and_hidden_ones_left_out():
    figure = plots.panels({name: {"sae": CURVE} for name in "abcde"}, "layer")
    found = drawn.rows(finished(figure))
    assert [row["panel"] for row in found] == [name for name in "abcde" for _ in CURVE]


def test_published_marks_are_in_it():
    published = {"published, Gemma 2: SAE features": [("3", 0.9, 0.9, 0.9)]}
    found = drawn.rows(finished(plots.curves({"sae": CURVE} | published, "layer")))
    assert close(found[-1], series="published, Gemma 2: SAE features", x="3", y=0.9)


def test_intervals_stand_on_the_line_of_their_set():
    marks = [
        {"set": name, "features": kind, "macro_f1": 0.5 + i / 10, "low": 0.4, "high": 0.9}
        for i, name in enumerate(["one", "two"])
        for kind in ("sae", "hidden", "tfidf")
    ]
    found = drawn.rows(finished(plots.intervals(marks, zero=True)))
    assert {(row["series"], row["y"], row["x"]) for row in found} == {
        (plots.NAMES[mark["features"]], mark["set"], mark["macro_f1"]) for mark in marks
    }, "the line at zero is no series"
    assert all(close(row, x_low=0.4, x_high=0.9) for row in found)


def test_a_matrix_by_its_names():
    values = np.arange(6.0).reshape(2, 3)
    found = drawn.rows(finished(plots.heatmap(values, ["a", "b"], ["x", "y", "z"], "score")))
    assert "colour: score" in figure_html.description(
        finished(plots.heatmap(values, ["a", "b"], ["x", "y", "z"], "score"))
    )
    assert [(row["y"], row["x"], row["value"]) for row in found] == [
        (line, column, values[i, j]) for i, line in enumerate("ab") for j, column in enumerate("xyz")
    ], "numbers written into cells are not told twice"


def test_counts_of_two_quantities_by_their_edges():
    found = drawn.rows(
        finished(plots.joint(np.array([0.1, 0.1, 0.9]), np.array([1.0, 1.0, 2.0]), "cosine", "frequency"))
    )
    assert sorted(row["value"] for row in found) == [1, 2]
    for row in found:
        assert row["x_low"] < row["x_high"] and row["y_low"] < row["y_high"]


def test_histograms_steps_bars_dots_and_strips():
    found = drawn.rows(finished(plots.distribution({"shared": np.array([0.11, 0.12, 0.9])}, "cosine", {"chance": 0.3})))
    counted = [row for row in found if row["series"] == "shared" and row["y"] > 0]
    assert [row["y"] for row in counted] == [2, 1] and close(counted[0], x_low=0.1, x_high=0.125)
    assert [row["x"] for row in found if row["series"] == "chance"] == [0.3]

    found = drawn.rows(finished(plots.steps({"shared": {0.1: 0.9, 0.7: 0.2}}, "threshold", "share")))
    assert [(row["x"], row["y"]) for row in found] == [(0.1, 0.9), (0.7, 0.2)]

    rows = [("one", 0.5, 0.4, 0.6), ("two", 0.3, 0.1, 0.35)]
    bars = [row for row in drawn.rows(finished(plots.bars(rows, "score"))) if row["series"] != "chance"]
    assert [(row["x"], row["y"], row["y_low"], row["y_high"]) for row in bars] == [
        (name, value, pytest.approx(low), pytest.approx(high)) for name, value, low, high in rows
    ]

    found = drawn.rows(
        finished(plots.scatter({"width": [("1k", 1.0, 0.5, 0.4, 0.6), ("2k", 2.0, 0.6, 0.5, 0.7)]}, "x", "y", 0.1))
    )
    of = [row for row in found if row["series"] == "width"]
    assert [(row["label"], row["x"], row["y"]) for row in of] == [("1k", 1, 0.5), ("2k", 2, 0.6)]
    assert [row["y"] for row in found if row["series"] == "chance"] == [0.1]

    found = drawn.rows(finished(strips.strips({"4k to 1k": [0.1, -0.2, 0.3]}, "difference")))
    assert {row["y"] for row in found} == {"4k to 1k"} and {0.1, -0.2, 0.3} <= {row["x"] for row in found}


def test_numbers_written_into_a_figure_are_numbers():
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    ax.text(0, 1, "−.02")
    ax.text(1, 0, "both")
    ax.text(0.5, 0.5, "of the page, not of the data", transform=ax.transAxes)
    ax.set_xticks([0, 1], ["8", "16"])
    ax.set_yticks([0, 1], ["mean", "trec"])
    found = drawn.rows(finished(figure))
    assert close(found[0], x="8", y="trec", value=-0.02) and close(found[1], x="16", y="mean", label="both")
    assert len(found) == 2 and figure_html.description(figure).startswith("A matrix of numbers.")


def test_numbers_that_stand_for_themselves_are_no_names():
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    ax.plot([0.1, 0.6], [1, 2], label="forecast")
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    assert [row["x"] for row in drawn.rows(finished(figure))] == [0.1, 0.6]


def test_the_sentence_names_axes_panels_and_series_with_their_ranges():
    said = figure_html.description(finished(plots.panels({"trec": {"sae": CURVE}, "sst2": {"sae": CURVE}}, "layer")))
    assert said == (
        "Lines with bands: horizontal axis: layer, vertical axis: macro-F1 (test). 2 panels: trec; sst2. "
        "SAE features, 0.5 to 0.7."
    )
    many = figure_html.description(finished(plots.panels({f"set {i}": {"sae": CURVE} for i in range(15)}, "layer")))
    assert "15 panels: set 0;" in many and "and 3 more" in many
    import matplotlib.pyplot as plt

    assert figure_html.description(finished(plt.figure(), "Five hand-written digits.")) == "Five hand-written digits."


def test_the_html_has_the_drawing_the_words_and_the_file():
    figure = finished(plots.curves({'<b>&"it"': [("=1+1", 0.5, 0.4, 0.6)]}, "layer"))
    shown = figure_html.shown(figure)
    assert shown == figure_html.shown(figure), "the same bytes again"
    assert "<b>" not in shown and 'src="data:image/svg+xml;base64,' in shown and "&lt;b&gt;" in shown
    assert 'download="macro-f1-test-by-layer.csv"' in shown
    lines = list(csv.DictReader(io.StringIO(figure_html.as_csv(drawn.rows(figure)))))
    assert lines == [{"series": '<b>&"it"', "x": "'=1+1", "y": "0.5", "y_low": "0.4", "y_high": "0.6"}]


def test_a_picture_has_words_and_no_file():
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    ax.imshow(np.zeros((4, 4, 3)))
    ax.axis("off")
    shown = figure_html.shown(finished(figure, "A black square."))
    assert 'alt="A black square."' in shown and "download" not in shown
