import json
from types import SimpleNamespace

import numpy as np
import pytest

from mosaic.probing.candidates import Setting
from mosaic.probing.scores import Difference
from mosaic.reporting import published
from mosaic.reporting.claims import load_claims
from mosaic.reporting.strips import strips
from mosaic.studies import width
from mosaic.studies.leads import Choice, Lead
from mosaic.studies.width import Median
from mosaic.texts.labelled import FAMILIAR, NEW


def result(size, pooling, score):
    return SimpleNamespace(setting=Setting("sae", 3, size, pooling), score=SimpleNamespace(macro_f1=score))


def test_a_pair_is_two_neighbouring_widths_with_one_pooling():
    results = [result("4k", "max", 0.7), result("1k", "max", 0.5), result("16k", "max", 0.6)]
    results += [result("1k", "sum", 0.9), result("4k", "sum", 0.9), result("16k", "sum", 0.8)]
    found = width.steps(results, ["1k", "4k", "16k"])
    assert found == {"1k to 4k": pytest.approx([0.2, 0.0]), "4k to 16k": pytest.approx([-0.1, -0.1])}


def test_the_median_is_of_all_pairs_and_its_interval_over_sets():
    found = width.median({"a": [0.0, 0.1], "b": [0.2, 0.3], "c": [0.4, -0.5]})
    assert (found.median, found.n_pairs) == (pytest.approx(0.15), 6) and found.mean == pytest.approx(0.5 / 6)
    assert found.low < 0.15 < found.high
    one = width.median({"a": [0.0, 0.1, 0.5]})
    assert (one.median, one.low, one.high) == (pytest.approx(0.1), None, None)
    same = width.median({name: [0.01, 0.03] for name in "abcd"})
    assert (same.low, same.high) == (pytest.approx(0.02), pytest.approx(0.02))


@pytest.mark.parametrize(
    "median,low,high,words",
    [
        (0.05, 0.03, 0.07, "Wider is better: the median difference is +0.050 (95 % over sets"),
        (-0.05, -0.07, -0.03, "Wider is worse: the median difference is −0.050"),
        (0.0, -0.01, 0.01, "Width hardly matters to the median pair: 0.000"),
        (0.01, -0.01, 0.05, "Whether width matters is undecided: the median difference is +0.010"),
        (0.01, None, None, "of one set, so that it has no interval"),
    ],
)
def test_the_answer_follows_the_interval(median, low, high, words):
    assert words in width.answer(Median(median, low, high, median, 60), ["1k", "4k"])


def test_the_chapters_band_is_that_of_the_claim():
    claim = next(claim for claim in load_claims() if claim.id == "width-does-not-matter")
    assert claim.rule == {"within": [0, width.BAND]}


def test_the_published_pairs_are_those_of_which_the_median_is_published():
    found = width.published_differences()
    assert len(found) == published.value("mosaic.width.n")
    assert np.median(found) == published.value("mosaic.width.difference")


def made_up():
    def row(title, size, score):
        interval = {"macro_f1": score, "low": score - 0.1, "high": score + 0.1}
        return {"set": title, "width": size, "pooling": "max", **interval, "parts": {FAMILIAR: interval, NEW: interval}}

    rows = tuple(row(title, size, score) for title in "ab" for size, score in (("1k", 0.6), ("4k", 0.7)))
    lead = Lead("1k", {"1k": Difference(0.1, 0.05, 0.15, 0.0)}, 2)
    choice = Choice("4k", {"1k": 0.6, "4k": 0.7}, "1k", Difference(0.1, 0.0, 0.2, 0.1), 0.9, lead, lead)
    differences = {title: {"1k to 4k": [0.1, 0.2]} for title in "ab"}
    profile = SimpleNamespace(name="p", middle=3)
    median = width.median({title: by["1k to 4k"] for title, by in differences.items()})
    return width.Width(profile, {"1k": 1024, "4k": 4096}, rows, choice, differences, median)


def test_summary_table_and_figures_of_known_rows():
    study = made_up()
    summary = json.loads(json.dumps(study.summary()))
    assert summary["mean"] == pytest.approx({"1k": 0.6, "4k": 0.7}) and summary["n_pairs"] == 4
    assert summary["median_difference"] == pytest.approx(0.15) and summary["sets"]["a"]["4k"]["macro_f1"] == 0.7
    assert "4k (chosen)" in study.table()
    assert [label.get_text() for label in study.figure().axes[0].get_xticklabels()] == ["1k", "4k"]
    (ax,) = study.pairs_figure().axes
    assert [label.get_text() for label in ax.get_yticklabels()][1].startswith("published, Gemma 2")


def test_a_strip_shows_every_value_and_its_median():
    ax = strips({"this run": [0.3, 0.1, 0.2], "published": [0.5]}, "x")
    assert sorted(ax.collections[0].get_offsets()[:, 0]) == [0.1, 0.2, 0.3]
    assert ax.lines[1].get_xdata()[0] == pytest.approx(0.2) and len(ax.collections[1].get_facecolors()) == 0
