"""Figures with a slider: what they hold, that text stays text, and that the page shows what Python computed."""

import html
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import axe
import pytest

from mosaic.errors import MosaicError
from mosaic.reporting import slider_drawing, sliders
from mosaic.reporting.slider_drawing import BOTTOM, LEFT, RIGHT, TOP, Bars, Chart, Level, Line
from mosaic.reporting.sliders import Case, Place

STATIC = Path(__file__).parent.parent.parent / "book" / "_static"
HOSTILE = "<script>window.hacked = true</script>'\"&<img src=x onerror='window.hacked = true'>"

CURVE = Chart(
    "kept", "score", (0.0, 1.0), [(0.0, "0"), (1.0, "-1")], [(0.0, "0"), (1.0, "1")],
    lines=[Line("one", [(0.0, 0.2), (0.5, 0.5), (1.0, 0.9)]), Line("two", [(0.0, 0.1), (0.5, 0.1)])],
    levels=[Level("raw", 0.4, 0.3, 0.5)],
)  # fmt: skip
BARS = Chart(
    "cosine", "share", (0.0, 0.5), [(0.0, "0")], [(0.5, "0.5")],
    bars=Bars("lit", "not lit", [0.0, 0.5, 1.0], [0.5, 0.25]), outlines=[Line("beside", [(0.0, 0.1), (1.0, 0.2)])],
)  # fmt: skip


@pytest.mark.parametrize(
    ("values", "span", "n"),
    [([0.7, 0.4], (0.4, 0.7), 4), ([0.41, 0.99], (0.4, 1.0), 7), ([0.05, 1.0], (0.0, 1.0), 6), ([1.0], (0.9, 1.0), 2), ([0.0], (0.0, 0.1), 2)],
)  # fmt: skip
def test_an_axis_of_scores_ends_at_tenths_and_holds_them_all(values, span, n):
    got = slider_drawing.scores_axis(values)
    assert got["span"] == span and len(got["y_ticks"]) == n and got["y_ticks"][0] == (span[0], f"{span[0]:.1f}")


def curve(title="first", start=1):
    places = [
        Place("0.10", "said a", 0.0, [(0.2, 0.1, 0.3), (0.1, 0.0, 0.2)], marks={0: "2", 1: "1"}),
        Place("0.20", "said b", 0.5, [(0.5, 0.4, 0.6), (0.1, 0.0, 0.2)], marks={1: "-1"}),
        Place("0.30", "said c", 1.0, [(0.9, 0.8, 1.0), None]),
    ]
    return Case(title, "Line: a score.", CURVE, places, ["tok", "en"], "A text.", start=start)


def bars(appear=True):
    places = [
        Place("0", "both", 0.0, bars=[0, 1], marks={0: "", 1: ""}),
        Place("1", "the right one", 0.5, bars=[1], marks={0: ""}),
    ]
    return Case("second", "Histogram.", BARS, places, ["latent 7", "latent 9"], "Latents:", appear)


def figure(*cases, name="Threshold"):
    return sliders.figure(
        name, cases, [{"set": case.title, "n": len(case.places)} for case in cases], {"set": "set", "n": "n"}
    )


def data(markup):
    return json.loads(html.unescape(re.search("data-places='([^']*)'", markup)[1]))


def test_positions_are_shares_of_the_plot():
    assert slider_drawing.across(0) == LEFT and slider_drawing.across(1) == RIGHT
    assert slider_drawing.across(0.25) == LEFT + (RIGHT - LEFT) / 4
    assert slider_drawing.up(BARS, 0.0) == BOTTOM and slider_drawing.up(BARS, 0.5) == TOP
    assert slider_drawing.up(BARS, 0.25) == (BOTTOM + TOP) / 2
    assert slider_drawing.up(BARS, 7.0) == TOP and slider_drawing.up(BARS, -7.0) == BOTTOM, "it stays in the plot"


def test_what_the_script_gets_is_each_place_as_python_has_it():
    first, second = data(figure(curve(), bars()))
    assert [(place["label"], place["said"]) for place in first] == [
        ("0.10", "said a"),
        ("0.20", "said b"),
        ("0.30", "said c"),
    ]
    assert first[1]["dots"][0] == [slider_drawing.up(CURVE, value) for value in (0.5, 0.4, 0.6)]
    assert first[2]["dots"][1] is None and first[2]["marks"] == [] and first[1]["marks"] == [None, "−1"]
    assert [place["bars"] for place in second] == [[0, 1], [1]] and "bars" not in first[0] and "dots" not in second[0]
    assert second[1]["x"] == (LEFT + RIGHT) / 2


def test_the_drawing_is_whole_and_says_what_it_shows():
    drawing = ElementTree.fromstring(re.search('<svg class="learn.*?</svg>', figure(curve()), re.S)[0])
    assert drawing.get("role") == "img" and drawing.get("aria-label") == "Line: a score."
    assert {"kept", "score", "−1"} <= {node.text for node in drawing.iter("text")}
    (cursor,) = [node for node in drawing.iter("g") if node.get("class") == "slider-cursor"]
    assert cursor.get("transform") == f"translate({(LEFT + RIGHT) / 2:g} 0)"
    assert len(list(cursor.iter("circle"))) == 2
    lit = [
        rect.get("class")
        for rect in ElementTree.fromstring(slider_drawing.svg(BARS, "", {"x": 1, "bars": [1]})).iter("rect")
    ]
    assert lit == ["slider-bar", "slider-bar lit"]


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ([], "a slider without a case has nothing to show"),
        ([replace(curve(), places=[])], "the slider's case 'first' has no place"),
        ([replace(curve(), places=[Place("x", "", 0.0, [None])])], "'first' has 2 lines, its place 'x' 1 dots"),
        (
            [replace(curve(), places=[Place("x", "", float("nan"), [None, None])])],
            "'first' has .nan. at 'x'; give finite numbers",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused(cases, message):
    with pytest.raises(MosaicError, match=message):
        figure(*cases)


def hostile():
    chart = replace(
        CURVE, x=HOSTILE, y=HOSTILE, x_ticks=[(0.0, HOSTILE)], lines=[Line(HOSTILE, [(0.0, 0.1), (1.0, 0.2)])]
    )
    place = Place(HOSTILE, HOSTILE, 0.0, [(0.1, 0.0, 0.2)], marks={0: HOSTILE})
    return Case(HOSTILE, HOSTILE, chart, [place, place], [HOSTILE], HOSTILE)


def test_texts_never_run():
    markup = figure(hostile(), hostile(), name=HOSTILE)
    assert "<script" not in markup and "<img" not in markup and "&lt;script&gt;" in markup
    assert data(markup)[0][0]["said"] == HOSTILE, "nothing is lost either"


# --- in a browser --------------------------------------------------------------------------------------------------


def opened(browser, folder, markup, **options):
    style, script = (STATIC / "sliders.css").read_text(), (STATIC / "sliders.js").read_text()
    path = folder / "page.html"
    path.write_text(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>t</title><style>{style} .learn-svg {{ width: 100% }}</style>"
        f"<script>{script}</script><main><h1>t</h1>{markup}</main></html>"
    )
    page = browser.new_page(**options)
    page.trouble = []
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    page.goto(path.as_uri())
    return page


def drawn(page):
    """The visible case as the page has it: cursor, dots, bars, marks, words."""
    return page.evaluate(
        """() => { const part = document.querySelector('.slider-case:not([hidden])');
        const all = (what, of) => [...part.querySelectorAll(what)].map(of);
        return {cursor: part.querySelector('.slider-cursor').getAttribute('transform'),
          dots: all('.slider-dot', d => d.hasAttribute('hidden') ? null
            : [d.querySelector('path').getAttribute('d'), Number(d.querySelector('circle').getAttribute('cy'))]),
          bars: all('.slider-bar', b => b.classList.contains('lit')),
          marks: all('.slider-marks li', m => [m.className, m.hidden, m.textContent.trim()]),
          said: part.querySelector('.slider-said').textContent} }"""
    )


@pytest.mark.parametrize("made", [curve(), bars(), bars(appear=False)], ids=["lines", "bars", "bars, all there"])
def test_moved_by_the_keyboard_it_shows_what_python_would_have_drawn(tmp_path, browser, made):
    """At every place: the words, and the same drawing as one that begins there."""
    static = []
    for start in range(len(made.places)):
        page = opened(browser, tmp_path, figure(replace(made, start=start)).replace("data-places", "data-none"))
        static.append(drawn(page))
        page.close()
    page = opened(browser, tmp_path, figure(replace(made, start=0)))
    page.locator("input").focus()
    for i, place in enumerate(made.places):
        found = drawn(page)
        assert found["said"] == place.said
        assert found == static[i]
        assert (
            page.locator("output").inner_text() == page.locator("input").get_attribute("aria-valuetext") == place.label
        )
        assert page.locator(".slider-svg:visible").get_attribute("aria-label") == f"{made.said} {place.said}"
        page.keyboard.press("ArrowRight")
    assert page.trouble == []
    page.close()


def test_another_case_begins_at_its_own_place(tmp_path, browser):
    page = opened(browser, tmp_path, figure(curve(start=2), bars(), curve("third", start=1)))
    assert page.locator(".slider-case:visible").count() == 1 and page.locator("output").inner_text() == "0.30"
    page.get_by_role("combobox").select_option("second")
    assert (
        page.locator(".slider-said:visible").inner_text() == "both"
        and page.locator("input").get_attribute("max") == "1"
    )
    page.get_by_role("slider", name="Threshold", exact=True).press("End")
    assert page.locator(".slider-said:visible").inner_text() == "the right one"
    assert page.locator(".slider-marks li:visible").all_inner_texts() == ["latent 7"]
    page.get_by_role("combobox").select_option("third")
    assert (
        page.locator(".slider-case:visible .slider-title").text_content() == "third"
        and page.locator("output").inner_text() == "0.20"
    )
    page.close()


def test_without_a_script_and_on_paper_the_first_place_stands_with_a_table(tmp_path, browser):
    context = browser.new_context(java_script_enabled=False)
    page = opened(context, tmp_path, figure(curve(), bars()))
    assert not page.locator("input").is_visible() and page.locator(".slider-svg:visible").count() == 1
    assert page.locator(".slider-said:visible").inner_text() == "said b"
    page.get_by_text("All values as a table").click()
    assert page.locator("td", has_text="second").is_visible()
    context.close()
    page = opened(browser, tmp_path, figure(curve(), bars()))
    page.emulate_media(media="print")
    assert not page.locator("input").is_visible() and page.locator(".slider-svg:visible").count() == 1
    assert page.locator(".slider-title:visible").all_inner_texts() == ["first"], "the menu is not on paper"
    page.close()


def test_hostile_texts_are_shown_and_do_not_run(tmp_path, browser):
    page = opened(browser, tmp_path, figure(hostile(), hostile(), name=HOSTILE))
    page.locator("input").press("End")
    assert page.evaluate("window.hacked") is None and page.trouble == []
    assert page.locator(".slider-said:visible").inner_text() == HOSTILE
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_page_and_axe_finds_nothing_serious(tmp_path, browser, width):
    page = opened(browser, tmp_path, figure(curve(), bars()), viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    smallest = page.evaluate(
        "(() => { const svg = document.querySelector('.slider-svg'); return 13 * svg.getBoundingClientRect().width / 420 })()"
    )
    assert smallest >= 10, "words in the drawing stay readable"
    found = axe.serious(page)
    page.close()
    assert not found
