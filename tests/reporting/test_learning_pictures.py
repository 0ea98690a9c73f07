"""Pictures that are SVG of our own: what they hold, that texts stay text, and that the slider works in a browser."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from mosaic.reporting import frames
from mosaic.reporting.frames import Frame
from mosaic.reporting.pipeline import OTHERS, Pipeline

ROOT = Path(__file__).parent.parent.parent
HOSTILE = '<script>alert("x")</script>&'


def picture(tokens=("a", "b"), name="negation") -> Pipeline:
    return Pipeline(
        tokens=tokens,
        residuals=np.linspace(-1, 1, 24 * len(tokens)).reshape(len(tokens), 24),
        n_dimensions=128,
        n_latents=1024,
        names=(name,),
        activations=np.array([[0.0]] * (len(tokens) - 1) + [[2.5]]),
        pooling="largest value",
        pooled=np.array([2.5]),
        contributions={name: 0.5, OTHERS: -1.25},
        answer="fine",
        probability=0.75,
        layer=3,
    )


def drawings(html: str) -> list:
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", html, re.S)]


def test_a_picture_says_what_it_shows():
    whole = picture()
    assert "negation 2.5, at “b”" in whole.said() and "“fine” (75%)" in whole.said() and "1,024 latents" in whole.said()
    wide, narrow = drawings(whole.html())
    for drawing in (wide, narrow):
        texts = [node.text for node in drawing.iter("text")]
        assert {"a", "b", "2.50", "+0.50", "−1.25", OTHERS} <= set(texts)
        assert drawing.get("aria-label") == whole.said()
    width, height = map(float, narrow.get("viewBox").split()[2:])
    boxes = re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h-\3z", " ".join(p.get("d") for p in narrow.iter("path")))
    assert len(boxes) > 10
    for x, y, across, down in (map(float, box) for box in boxes):
        assert x >= 0 and x + across <= width and y + down <= height


def test_texts_never_run():
    for html in (
        picture((HOSTILE, "b"), HOSTILE).html(),
        frames.slider(HOSTILE, [Frame(HOSTILE, "<svg/>", HOSTILE)]),
        frames.matrix(np.ones((1, 1)), HOSTILE, HOSTILE, HOSTILE),
    ):
        assert "<script" not in html and "&lt;script&gt;" in html


def test_a_matrix_draws_what_can_be_seen():
    (drawing,) = drawings(frames.matrix(np.array([[1.0, 0.1], [-0.5, 0.51]]), "across", "down", "said"))
    drawn = [path for path in drawing.iter() if path.get("fill-opacity")]
    assert [(path.get("fill-opacity"), path.get("d")) for path in drawn] == [
        ("0.5", "M24 34h9v9h-9zM34 34h9v9h-9z"),
        ("1", "M24 24h9v9h-9z"),
    ]


def test_the_slider_shows_one_frame_at_a_time_and_answers_to_the_keyboard(tmp_path, browser):
    found = [Frame(f"k = {i}", f'<svg viewBox="0 0 9 9"><title>{i}</title></svg>', f"said {i}") for i in range(3)]
    page = browser.new_page()
    (tmp_path / "page.html").write_text(
        f"<meta charset=utf-8><script>{(ROOT / 'book/_static/learn.js').read_text()}</script>{frames.slider('k', found, 1)}"
    )
    page.goto((tmp_path / "page.html").as_uri())
    assert page.locator(".frame:visible").count() == 1 and "said 1" in page.locator(".frame:visible").inner_text()
    assert page.locator("output").inner_text() == "k = 1"
    page.locator("input").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".frame:visible").count() == 1 and "said 2" in page.locator(".frame:visible").inner_text()
    assert page.locator("input").get_attribute("aria-valuetext") == "k = 2"
    page.close()


def test_without_a_script_every_frame_stands_there():
    html = frames.slider("k", [Frame("k = 1", "<svg/>", "one"), Frame("k = 2", "<svg/>", "two")])
    assert html.count('class="frame"') == 2 and 'class="frame" hidden' not in html and "one" in html and "two" in html
