"""The binarisation threshold, moved by hand: what is left of a text against a count, latent by latent."""

import numpy as np
import pytest
from conftest import sae_folder

from mosaic.features import extract
from mosaic.features.extract import token_codes
from mosaic.saes.loading import load_encoder
from mosaic.studies import binarisation_slider as slider
from mosaic.studies.binarisation_slider import Example
from mosaic.texts.labelled import LabelledTexts

TEXT = Example("yes <b>", ("the", " cat", " "), np.array([0.5, 2.0, 3.0, 4.0]), np.array([0, 1, 1, 2]))
AXIS = {"span": (0.0, 1.0), "y_ticks": [(0.0, "0.0")]}
RAW = {"macro_f1": 0.55, "low": 0.5, "high": 0.6}


def sweep(*kept):
    curve = [
        {"threshold": float(i), "kept": share, "macro_f1": 0.6 - i / 20, "low": 0.5 - i / 20, "high": 0.7 - i / 20}
        for i, share in enumerate(kept)
    ]
    return {"curve": curve, "published": {**curve[0], "threshold": 1.5}}


@pytest.fixture(scope="module")
def read(tiny, tmp_path_factory):
    """A small model and SAE; texts of which the second is the first that is short."""
    from mosaic.saes.source import SAESource

    lm = tiny("llama")
    folder = sae_folder(tmp_path_factory.mktemp("slider"), "topk", d_sae=64)
    encoder = load_encoder(SAESource(2, "64", path=str(folder)), "tiny", 64)
    texts = ["cat " * 60, "the happy cat sat on the red mat .", "a dog"]
    return lm, encoder, LabelledTexts("t", texts, np.array(["a", "b", "a"], dtype=object))


def test_a_text_is_read_as_the_sums_that_the_probe_gets(read):
    lm, encoder, test = read
    got = slider.example(test, lm, encoder)
    (table,) = extract.extract([test.texts[1]], lm, extract.Request((encoder,), (), ("sum",)))
    assert got.label == "b" and "".join(got.tokens) == test.texts[1]
    np.testing.assert_allclose(np.sort(got.sums), np.sort(table.matrix.data), rtol=1e-4, atol=2e-5)
    _, codes = token_codes(test.texts[1], lm, encoder)
    values = codes.toarray()
    for threshold in (0.0, float(np.median(got.sums)), 1e9):
        slow = [0] * len(got.tokens)
        for latent in range(values.shape[1]):
            if values[:, latent].sum() > threshold:
                slow[int(values[:, latent].argmax())] += 1
        assert got.left(threshold).tolist() == slow
    assert got.left(0.0).sum() == len(got.sums) > 0


def test_where_no_text_is_short_the_shortest_is_shown(read, monkeypatch):
    lm, encoder, test = read
    monkeypatch.setattr(slider, "LONGEST", 2)
    assert "".join(slider.example(test, lm, encoder).tokens) == "a dog"


def test_every_threshold_stands_once_with_the_published_one_in_its_place():
    found = slider.points(sweep(1.0, 0.6, 0.2))
    assert [point["threshold"] for point in found] == [0.0, 1.0, 1.5, 2.0]
    same = slider.points({"curve": [{"threshold": 1.0, "kept": 0.4}], "published": {"threshold": 1.0, "kept": 0.4}})
    assert same == [{"threshold": 1.0, "kept": 0.4}]


def test_a_place_says_what_python_counted():
    point = {"threshold": 1.0, "kept": 0.25, **RAW}
    got = slider.place(point, {"macro_f1": 0.5}, TEXT)
    assert got.said == (
        "Threshold 1.00: 25 % of the active values are kept. Macro-F1 0.55 (0.50 to 0.60) binarised, 0.50 raw. "
        "In the text below the figure, 3 of 4 active latents stay on."
    )
    assert got.marks == {1: "2", 2: "1"} and got.x == 0.75 and got.dots == [(0.55, 0.5, 0.6)]
    assert slider.place(point, RAW, None).marks == {} and "text" not in slider.place(point, RAW, None).said


def test_a_set_begins_where_half_is_kept_and_its_axis_holds_all_that_is_drawn():
    points = slider.points(sweep(1.0, 0.6, 0.2))
    made = slider.case("mini/set", points, RAW, TEXT, slider.scores_axis(slider.drawn(points, RAW)))
    assert made.title == "set" and made.places[made.start].x == pytest.approx(0.4)
    low, high = made.chart.span
    assert low <= 0.4 and high >= 0.7 and all(low <= value <= high for value, _ in made.chart.y_ticks)
    assert made.marks == ("the", "cat", "␣") and "labelled “yes <b>”" in made.marks_said
    assert made.chart.levels[0].low == 0.5


def test_long_texts_are_cut_and_said_to_be():
    long = Example("a", ("x",) * 60, np.ones(2), np.array([3, 59]))
    made = slider.case("t", slider.points(sweep(1.0, 0.5)), RAW, long, AXIS)
    assert len(made.marks) == slider.MOST_TOKENS and f"first {slider.MOST_TOKENS} tokens" in made.marks_said
    assert made.places[0].marks == {3: "1"} and "2 of 2 active latents" in made.places[0].said


def test_thresholds_of_one_picture_are_one_place():
    found = slider.points(sweep(1.0, 0.6))[:1] * 2 + slider.points(sweep(1.0, 0.6))[1:2]
    found = [{**point, "threshold": threshold} for point, threshold in zip(found, (0.0, 1.0, 2.0), strict=True)]
    first, second = slider.apart(found)
    assert (first["above"], first["threshold"]) == (0.0, 1.0) and second == found[2]
    made = slider.case("t", found, RAW, TEXT, AXIS)
    assert [place.label for place in made.places] == ["0.00 to 1.00", "2"]
    assert made.places[0].said.startswith("Threshold 0.00 to 1.00: 100 %")
    other = [found[0], {**found[1], "macro_f1": 0.1}], [found[0], {**found[1], "kept": 0.9}]
    assert [slider.apart(one) for one in other] == list(other), "another score, another share: another picture"


def test_all_sets_have_one_axis():
    low = {
        "curve": [{"threshold": 0.0, "kept": 1.0, "macro_f1": 0.12}],
        "published": {"threshold": 1.0, "kept": 0.5, "macro_f1": 0.2},
    }
    markup = slider.slider({"a": sweep(1.0, 0.6), "b": low}, {"a": RAW, "b": RAW}, {})
    first, second = markup.split("slider-case")[1:3]
    assert all(">0.1<" in one and ">0.7<" in one for one in (first, second))


def test_the_markup_is_escaped_light_and_has_every_threshold():
    titles = [f"set {i}" for i in range(10)]
    sweeps = {title: sweep(*np.linspace(1, 0.1, 9)) for title in titles}
    markup = slider.slider(sweeps, dict.fromkeys(titles, RAW), dict.fromkeys(titles, TEXT))
    assert markup.count("<tr>") == 1 + 10 * 10 and "yes &lt;b&gt;" in markup and "<b>" not in markup
    assert len(markup.encode()) < 100_000
    assert "latents left" not in slider.slider(sweeps, dict.fromkeys(titles, RAW), {}), "a study may have no texts"
