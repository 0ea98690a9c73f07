"""Figures drawn without matplotlib: where marks stand, what is said, what is escaped."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mosaic.reporting.page_figures import LEFT, RIGHT, WIDTH, Row, curves, forest, matrix, nice, shade

HOSTILE = '<script>"&\u202e'


def numbers(svg, tag, key):
    return [float(one.get(key)) for one in ElementTree.fromstring(svg).iter(tag) if one.get(key)]


@given(st.floats(-1, 1), st.floats(0, 2))
def test_ticks_are_round_few_and_hold_the_values(low, width):
    ticks = nice(low, low + width)
    steps = np.diff(ticks)
    assert ticks[0] <= low + 1e-6 and ticks[-1] >= low + width - 1e-6 and 2 <= len(ticks) <= 8
    assert np.allclose(steps, steps[0]) and all(round(tick, 3) == tick for tick in ticks)


@given(st.floats(0, 1))
def test_shades_rise_with_the_share_and_only_nothing_has_none(share):
    assert (shade(share) == 0) == (share == 0) and 0 <= shade(share) <= 9
    assert shade(share) <= shade(min(1.0, share + 0.2))


def test_marks_stand_between_the_ends_of_their_intervals():
    rows = [
        Row("one", 0.5, 0.4, 0.6, "sae"),
        Row(HOSTILE, 0.7, 0.7, 0.7, "tfidf"),
        Row("three", 0.2, 0.1, 0.3, "hidden"),
    ]
    svg = forest(rows, "score", HOSTILE)
    root = ElementTree.fromstring(svg)
    assert root.get("aria-label") == '<script>"&\\u202e' and root.get("role") == "img"
    bars = [(float(one.get("x1")), float(one.get("x2"))) for one in root.iter("line") if one.get("class") == "bar"]
    assert len(bars) == 3 and all(LEFT <= a <= b <= WIDTH - RIGHT for a, b in bars)
    (x,) = numbers(svg, "circle", "cx")
    assert x == pytest.approx(sum(bars[0]) / 2, abs=0.2)
    assert "<script" not in svg and "style=" not in svg
    titles = [one.text for one in root.iter("title")]
    assert titles[0] == "one: 0.500 (0.400 to 0.600)"


def test_differences_have_a_line_at_zero_and_a_true_minus_sign():
    svg = forest([Row("x", 0.3, 0.2, 0.4, "hidden"), Row("y", -0.2, -0.3, -0.1, "tfidf")], "d", "said", zero=True)
    assert 'class="zero"' in svg and "\N{MINUS SIGN}0.2" in svg and ">-" not in svg


def test_higher_scores_stand_higher_and_all_points_are_told():
    svg = curves({"sae": [(10, 0.2, 0.1, 0.3), (100, 0.8, 0.7, 0.9)]}, "labels", "said", {"sae": "SAE & co"})
    first, second = numbers(svg, "circle", "cy")
    assert first > second
    root = ElementTree.fromstring(svg)
    assert [one.text for one in root.iter("title")] == [
        "SAE & co, 10: 0.200 (0.100 to 0.300)",
        "SAE & co, 100: 0.800 (0.700 to 0.900)",
    ]
    assert ElementTree.fromstring(curves({"sae": [(1, 0.2, 0.1, 0.3)]}, "latents", "said", {"sae": "x"})) is not None


def test_a_legends_names_stand_one_after_the_other_within_the_figure():
    names = {"sae": "SAE features", "hidden": "hidden states", "tfidf": "TF-IDF"}
    points = [(10, 0.2, 0.1, 0.3), (100, 0.8, 0.7, 0.9)]
    svg = curves(dict.fromkeys(names, points), "labels", "said", names)
    starts = {t.text: float(t.get("x")) for t in ElementTree.fromstring(svg).iter("text") if t.text in names.values()}
    ends = {text: x + 8 * len(text) for text, x in starts.items()}
    assert ends["SAE features"] + 27 < starts["hidden states"] and ends["hidden states"] + 27 < starts["TF-IDF"]
    assert ends["TF-IDF"] <= WIDTH


def test_a_matrix_draws_what_is_not_zero():
    counts = np.diag([3, 0, 5])
    counts[0, 2] = 1
    svg = matrix(counts, ["a", HOSTILE, "c"], "said")
    cells = [one.get("class") for one in ElementTree.fromstring(svg).iter("rect") if one.get("class") != "frame"]
    assert cells == [f"q{shade(0.75)}", f"q{shade(0.25)}", "q9"]
    assert re.findall("<title>(.*?)</title>", svg)[1] == "true a, predicted c: 1"
