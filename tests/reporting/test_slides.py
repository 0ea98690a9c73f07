"""Slides are chosen by rule from an executed chapter, and a deck is a page that needs nothing."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mosaic.errors import MosaicError
from mosaic.reporting import branch, decks, slides

ROOT = Path(__file__).parents[2]
FIGURE = (
    '<figure class="drawn"><div class="drawing"><img alt="Lines &gt; dots" width="600" height="{height}" '
    'src="data:image/svg+xml,<svg viewBox=\'0 0 1 1\'></svg>"></div><figcaption><span class="drawn-caption">Score &amp; layer.</span> '
    '<a download="x.csv" href="data:text/csv,a">numbers</a></figcaption></figure>'
)
LEAD = """# Which one?

*You need:* nothing.

One <b>asks</b> {cite}`someone2025` of the {term}`probes <probe>` and of $k$, as [chapter 3](03_x) does. What came out: {result}`toy.sentences.all`

Another paragraph, of {result}`toy.n`."""
ASKED = """## Curves

Prose.

::::{admonition} Predict before you look
:class: tip predict
Where?

:::{dropdown} What came out
There: {result}`toy.sentences.all`
:::
::::"""
TAKEN = """## Check

:::{dropdown} Why?
Because.
:::

:::{admonition} To take away
:class: takeaway
Choose {result}`toy.n`.
:::"""


def text(source: str, *tags: str) -> dict:
    return {"cell_type": "markdown", "source": source, "metadata": {"tags": list(tags)} if tags else {}}


def code(*outputs: str, tags=()) -> dict:
    shown = [{"output_type": "execute_result", "data": {"text/html": markup}} for markup in outputs]
    return {"cell_type": "code", "source": "study.figure()", "metadata": {"tags": list(tags)}, "outputs": shown}


CELLS = [
    text(LEAD),
    text(ASKED),
    code(FIGURE.format(height=300)),
    text(":::{div} caption\nOne line, of {term}`probes <probe>`.\n:::\n\nThe same on new words:"),
    code(FIGURE.format(height=500)),
    code("<table><tr><td>1</td></tr></table>"),
    text(":::{admonition} Exercise 1\n:class: takeaway\nNo slide.\n:::", "exercise"),
    code(FIGURE.format(height=300), tags=["solution"]),
    text(TAKEN),
]


@pytest.fixture
def chapter(tmp_path):
    path = tmp_path / "05_layers.ipynb"
    path.write_text(json.dumps({"cells": CELLS}), encoding="utf-8")
    return path


def test_what_becomes_a_slide_and_in_which_order():
    found = slides.slides_of(CELLS)
    assert [(slide.kind, slide.heading) for slide in found] == [
        ("title", "Which one?"),
        ("question", "Curves"),
        ("figure", "Curves"),
        ("answer", "Curves"),
        ("figure", "Curves"),
        ("takeaway", "To take away"),
    ]
    title, question, first, answer, second, last = found
    assert title.text.startswith("One <b>asks</b>") and "came out" not in title.text, (
        "the answer comes after the question"
    )
    assert question.text == "Where?" and answer.text == "There: {result}`toy.sentences.all`"
    assert (
        first.caption == "One line, of {term}`probes <probe>`."
        and first.image.startswith("<img alt=")
        and first.image.endswith('</svg>">')
    )
    assert second.caption == "Score & layer.", "where the prose says nothing, the axes' names"
    assert (first.text, second.text) == ("", "The same on new words:")
    assert not first.tall and second.tall
    numbered = [text(LEAD.replace("# Which", "# 5. Which")), *CELLS[1:]]
    assert slides.slides_of(numbered)[0].heading == "Which one?", "as the site numbers it"
    assert last.text == "Choose {result}`toy.n`."


def test_a_caption_is_of_the_figure_directly_above():
    slider = code('<figure class="slider-figure"></figure>')
    told = ":::{div} caption\n%s\n:::\n\nProse."
    cells = [
        text("# T\n\nLead."),
        code(FIGURE.format(height=300)),
        text(told % "Dots."),
        slider,
        text(told % "The slider."),
    ]
    assert [slide.caption for slide in slides.slides_of(cells)] == ["", "Dots."]


def test_a_figure_with_no_words_between_keeps_the_heading_alone():
    cells = [
        text("# T\n\nLead."),
        text("## One\n\nLook:"),
        code(FIGURE.format(height=300)),
        code(FIGURE.format(height=300)),
    ]
    assert [slide.text for slide in slides.slides_of(cells)] == ["Lead.", "Look:", ""]


def test_a_notebook_without_a_title_is_named(tmp_path):
    path = tmp_path / "05_layers.ipynb"
    path.write_text(json.dumps({"cells": [text("No title.")]}))
    with pytest.raises(MosaicError, match="05_layers.ipynb: a chapter without a title has no slides"):
        slides.read(path)


def test_a_deck_is_one_file_that_asks_for_nothing(chapter, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results" / "mini"
    folder.mkdir(parents=True)
    values = {"n": 1234, "sentences": {"all": "all <i>of</i> them"}}
    (folder / "toy.json").write_text(json.dumps({"values": values, "versions": {}}), encoding="utf-8")
    written = decks.write_all([chapter], "mini", tmp_path / "out")
    assert [path.name for path in written] == ["05_layers.html", "index.html"]
    page = written[0].read_text(encoding="utf-8")
    assert page.count("<section") == 6 and page.count("<h1>") == 1 and "1 of 6" in page
    assert 'One &lt;b&gt;asks&lt;/b&gt; of the probes and of <span class="math inline"><svg' in page, (
        "markup as text, no citation, a drawn formula"
    )
    assert "as chapter 3 does" in page and "There: all &lt;i&gt;of&lt;/i&gt; them" in page and "Choose 1,234." in page
    assert "<script" not in page and "{" not in re.sub(r"(?s)<style>.*?</style>", "", page)
    inside = {*re.findall(r'href="#(\w+)"', page)}
    assert inside <= {*re.findall(r' id="(\w+)"', page)} and len(inside) == 6
    asked = re.findall(r'(?:src|href)="(?!#|data:)([^"]*)"', page)
    assert asked == ["index.html"] and "url(" not in page
    assert 'href="05_layers.html">5. Which one?</a> (6 slides)' in written[1].read_text(encoding="utf-8")
    again = decks.write_all([chapter], "mini", tmp_path / "again")
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in written]


@pytest.mark.parametrize(
    "content", [b"", b'{"cells"', b"[]", b"\xff\xfe", b'{"cells": [{"cell_type": "markdown"}]}', b'{"cells": 3}']
)
def test_what_is_no_whole_notebook_is_named_with_what_to_run(tmp_path, content):
    path = tmp_path / "05_layers.ipynb"
    path.write_bytes(content)
    for read in (slides.read, lambda path: branch.ready(path, "", str)):
        with pytest.raises(MosaicError, match="05_layers.ipynb is no whole notebook .*--only 05_layers`"):
            read(path)


def test_a_page_of_somebody_elses_is_not_replaced(chapter, tmp_path):
    for name in ("index.html", f"{chapter.stem}.html"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_text("mine")
        with pytest.raises(MosaicError, match=f"{name} is no page that `mosaic slides` wrote. Name another folder."):
            decks.write_all([chapter], "mini", folder)
        assert [path.read_text() for path in folder.iterdir()] == ["mine"]


def test_without_an_executed_chapter_it_says_what_to_run(tmp_path):
    with pytest.raises(MosaicError, match="run `mosaic reproduce --profile minilm` first"):
        decks.write_all([], "minilm", tmp_path)


def test_every_core_chapter_has_a_question_and_something_to_take_away():
    import jupytext

    sources = decks.core((ROOT / "notebooks").glob("[0-9]*.py"))
    assert [path.stem.split("_", 1)[1] for path in sources] == list(slides.CORE)
    for path in sources:
        found = slides.slides_of(jupytext.read(path).cells)
        kinds = [slide.kind for slide in found]
        assert kinds[0] == "title" and found[0].text and "question" in kinds and kinds[-1] == "takeaway", path.name
        assert all(slide.text for slide in found if slide.kind != "figure"), path.name


def test_the_command_says_where_it_can_run(tmp_path):
    command = [sys.executable, "-m", "mosaic", "slides", "--out", str(tmp_path / "slides")]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT), "PATH": ""}
    )
    assert done.returncode == 1 and "run this in the project's folder" in done.stderr


def test_the_teachers_page_names_chapters_that_a_book_lacks_without_a_link(monkeypatch):
    import importlib
    from types import SimpleNamespace

    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    teaching = importlib.import_module("mosaic_teaching")
    here = teaching.named(SimpleNamespace(found_docs={"notebooks/17_two_seeds"}), "two_seeds")
    assert here["refuri"] == "notebooks/17_two_seeds.html" and here.astext() == "chapter 17, Two seeds, one question"
    absent = teaching.named(SimpleNamespace(found_docs=set()), "two_seeds")
    assert absent.tagname == "inline" and absent.astext().endswith("(not in this profile's book)")
    with pytest.raises(MosaicError, match="no chapter of the study 'seeds'; there are from_nothing, "):
        teaching.named(SimpleNamespace(found_docs=set()), "seeds")


def test_every_belief_names_a_sentence_that_its_own_chapter_cites():
    page = (ROOT / "book" / "teaching.md").read_text(encoding="utf-8")
    keys = re.findall(r"(?m)^:::\{mosaic-belief\} .+\n:result: (\S+)$", page)
    assert 8 <= len(keys) == page.count("{mosaic-belief}")
    for key in keys:
        (source,) = (ROOT / "notebooks").glob(f"[0-9][0-9]_{key.split('.')[0]}.py")
        assert f"{{result}}`{key}`" in source.read_text(encoding="utf-8"), key
