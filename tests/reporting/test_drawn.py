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


def test_published_marks_are_in_it_and_have_no_intervals():
    name = "published, Gemma 2: SAE features"
    published = {name: [("3", 0.9, 0.9, 0.9), ("3", 0.7, 0.7, 0.7), ("5", 0.8, 0.8, 0.8)]}
    found = drawn.rows(finished(plots.curves({"sae": CURVE} | published, "layer")))
    assert [row["y"] for row in found[3:]] == [0.9, 0.7, 0.8]
    assert all(close(row, series=name, y_low="", y_high="") for row in found[3:])


def test_series_of_one_colour_keep_their_own_bands():
    """The SAE, its frozen decoder and the untrained model's share a colour; dash and marker tell them apart."""
    own = {"sae": 0.9, "SAE with a frozen decoder": 0.7, "SAE of an untrained model": 0.5}
    series = {name: [(x, y, y - 0.05, y + 0.02) for x in (1, 2)] for name, y in own.items()}
    found = drawn.rows(finished(plots.curves(series, "number of features")))
    assert [row["y"] for row in found] == [0.9, 0.9, 0.7, 0.7, 0.5, 0.5]
    assert all(close(row, y_low=row["y"] - 0.05, y_high=row["y"] + 0.02) for row in found)


def test_panels_without_titles_are_told_apart_by_their_axes():
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2)
    for ax, label, y in ((left, "macro-F1", 0.8), (right, "difference", 0.1)):
        ax.plot([1, 2, 3], [y, y, y], label="SAE")
        ax.set_ylabel(label)
    assert {(row["panel"], row["y"]) for row in drawn.rows(finished(figure))} == {
        ("macro-F1", 0.8),
        ("difference", 0.1),
    }
    assert "SAE, 0.8; SAE, 0.1" in figure_html.description(figure)


def test_a_mark_drawn_again_is_one_and_a_hollow_one_is_of_its_series():
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    ax.plot([1, 2, 3], [0.1, 0.2, 0.3], "o-", color="#123456", label="SAE")
    ax.plot([2], [0.2], "o", color="#123456", markersize=11)
    ax.plot([0, 1], [0, 1], color="#999999")  # a diagonal
    ax.errorbar([4], [0.4], yerr=[[0.1], [0.1]], fmt="o", color="#123456", mfc="none")
    found = drawn.rows(finished(figure))
    assert [(row["x"], row["label"]) for row in found if row["series"] == "SAE"] == [(1, ""), (2, drawn.LARGE), (3, "")]
    (hollow,) = [row for row in found if row["series"] != "SAE"]
    assert close(hollow, series="SAE (hollow mark)", x=4.0, y_low=0.3, y_high=0.5)


def test_a_number_that_is_none_ends_nothing():
    marks = [{"set": "a", "features": "sae", "macro_f1": y, "low": y, "high": 1.0} for y in (0.5, float("nan"))]
    assert "download" in figure_html.shown(finished(plots.intervals(marks)))
    assert "<img" in figure_html.shown(finished(plots.curves({"sae": [(1, float("nan"), float("nan"), 1.0)]}, "x")))


def test_a_figure_may_bring_its_rows():
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    ax.plot([984.6], [0.8], "o")
    found = drawn.rows(finished(figure, rows=[{"series": "all", "x": 1024.0, "y": 0.8}]))
    assert found == [{"panel": "", "series": "all", "x": 1024.0, "y": 0.8}]


def test_words_of_a_figure_steer_nothing():
    said = figure_html.description(finished(plots.panels({"a\u202egnp": {"sae": CURVE}, "b": {"sae": CURVE}}, "layer")))
    assert "\u202e" not in said and "u202e" in said


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
    assert {row["y"] for row in found} == {"4k to 1k"} and [row["x"] for row in found] == [-0.2, 0.1, 0.3]


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
    figure, again = (finished(plots.curves({'<b>&"it"': [("=1+1", 0.5, 0.4, 0.6)]}, "layer")) for _ in range(2))
    shown = figure_html.shown(figure)
    assert shown == figure_html.shown(again), "drawn again, the same bytes"
    assert "<b>" not in shown and 'src="data:image/svg+xml,<svg ' in shown and "&lt;b&gt;" in shown
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


def test_a_drawing_is_made_smaller_and_stays_the_same_path():
    svg = '<?xml version="1.0"?>\n<svg>\n <path d="M 1.5 -2 L -3 4.256789 \nQ 1 2 -0.00012 1e-05 z " style="fill: none; stroke: #000"/>\n</svg>'
    assert (
        figure_html.compact(svg)
        == '<svg><path d="M1.5-2L-3 4.26Q1 2-0.00012 1e-05z" style="fill:none;stroke:#000"/></svg>'
    )
