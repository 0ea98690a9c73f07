"""What the book's extensions make of pages after they are written, and what stands around the chapters' text."""

import importlib.util
import json
import sys
import time
from pathlib import Path

import pytest
from docutils import nodes

from mosaic.reporting import downloads, formulas, results, revision

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def extension(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    monkeypatch.setenv("MOSAIC_RESULTS", str(tmp_path))
    monkeypatch.setenv("MOSAIC_PROFILE", "mini")
    monkeypatch.setenv("MOSAIC_EXECUTED", str(tmp_path / "executed"))

    def load(name: str):
        spec = importlib.util.spec_from_file_location(name, ROOT / "book" / "_ext" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return load


# --- weight -----------------------------------------------------------------------------------------------------------


def test_scripts_that_a_page_does_not_use_are_left_out_and_the_search_page_keeps_its_own(extension):
    pages = extension("light_pages")
    search = '<script src="../_static/searchtools.js"></script>'
    page = (
        '<meta name="viewport" content="a"><meta name="viewport" content="b">'
        "<!-- So that users can add custom icons -->\n"
        '<script defer src="../_static/scripts/fontawesome.js?digest=1"></script>'
        f'{search}<p><code class="docutils literal notranslate"><span class="pre">a</span> <span class="pre">b</span></code></p>'
    )
    assert pages.light(page, "a.html") == '<meta name="viewport" content="a"><p><code class="literal">a b</code></p>'
    assert search in pages.light(page, "search.html")


def test_rules_for_what_no_page_has_are_left_out_and_all_others_stay(extension):
    pages = extension("light_pages")
    there = pages.classes(['<p class="note wide">'], ['element.classList.add("shown")'])
    style = (
        "@font-face{font-family:Font Awesome\\ 6 Free;src:url(x)}p{a:b}.note,.fa-bars:before{c:d}.absent .note{e:f}"
        "@media print{.wide{g:h}.gone{i:j}}.shown{k:l}@keyframes x{50%{m:n}}p:not(.gone){o:p}"
    )
    assert pages.used_rules(style, there) == (
        "p{a:b}.note{c:d}@media print{.wide{g:h}}.shown{k:l}@keyframes x{50%{m:n}}p:not(.gone){o:p}"
    )


def test_figures_and_tables_of_a_chapter_are_numbered(extension):
    page = '<figure class="drawn">A<figcaption>a</figcaption></figure><p class="table-foot">t</p>' * 2
    got = extension("light_pages").numbered(page, 7)
    assert got.count("<b>Figure 7.") == got.count("<b>Table 7.") == 2
    assert '<figure class="drawn" id="figure-7.2">A<figcaption><b>Figure 7.2.</b> a' in got and 'id="table-7.1"' in got


def test_what_is_said_directly_under_a_figure_is_its_caption(extension):
    figure = '<div><figure class="drawn">A<figcaption><span class="drawn-caption">y by x.</span> <a>CSV</a></figcaption></figure></div>'
    told = '\n<div class="caption docutils">\n<p>Each <a href="#">dot</a> is a set.</p>\n</div>\n<p>More.</p>'
    captioned = extension("light_pages").captioned
    assert captioned(figure + told) == (
        '<div><figure class="drawn">A<figcaption><span class="drawn-caption">Each <a href="#">dot</a> is a set.</span> <a>CSV</a>'
        "</figcaption></figure></div>\n<p>More.</p>"
    )
    for other in (figure + "<p>Between.</p>" + told, figure, told):
        assert captioned(other) == other


def test_a_page_of_unfinished_captions_takes_no_minutes(extension):
    page = '<span class="drawn-caption">y by x.</span>' * 15_000
    start = time.process_time()
    assert extension("light_pages").captioned(page) == page
    assert time.process_time() - start < 5


def test_a_heavy_page_loses_the_second_drawings_of_its_heaviest_figures_and_no_first_one(extension):
    pages = extension("light_pages")
    figure = '<div class="drawing"><img alt="a &gt; b" src="data:{first}"><img class="narrow" hidden alt="a &gt; b" src="data:{second}"></div>'
    light, heavy = (figure.format(first="f" * n, second="s" * n) for n in (1000, 400_000))
    assert pages.lean(light + light) == light + light
    got = pages.lean(light + heavy)
    assert len(got.encode()) <= pages.MOST_BYTES and got.startswith(light) and "f" * 400_000 in got
    assert got.count("<img") == 3 and got.count("narrow") == 1


def test_icons_say_nothing_and_buttons_have_names(extension):
    pages = extension("light_pages")
    got = pages.said('<i class="fa-solid fa-bars"></i><button class="b" title="Menu"><pre>x</pre>')
    assert '<i aria-hidden="true" class="fa-solid' in got and '<button aria-label="Menu" class="b"' in got
    assert '<pre tabindex="0">' in got or "<pre>" in got


def test_no_name_hides_what_stands_on_a_thing(extension):
    pages = extension("light_pages")
    page = '<summary aria-label="Toggle hidden content"><button class="btn search-button-field" aria-label="Search">'
    page += '<div role="list" class="citation-list"><div class="citation" role="doc-biblioentry">'
    got = pages.plain_names(page)
    assert got == '<summary><button class="btn search-button-field"><div class="citation-list"><div class="citation">'


def test_every_icon_that_the_theme_shows_is_drawn():
    style = (ROOT / "book" / "_static" / "icons.css").read_text(encoding="utf-8")
    for name in ("bars", "list", "magnifying-glass", "sun", "moon", "circle-half-stroke", "expand", "arrow-up", "angle-left",
                 "angle-right", "xmark"):  # fmt: skip
        assert f".fa-{name} {{" in style


# --- formulas ---------------------------------------------------------------------------------------------------------


def test_a_formula_is_one_path_on_the_line_of_the_words(extension):
    drawn = formulas.svg(r"\tfrac12 \lVert x \rVert \ge 0.7", r"said <&>")
    assert drawn.count("<path") == 1 and 'fill="currentColor"' in drawn and 'aria-label="said &lt;&amp;&gt;"' in drawn
    assert formulas.in_mathtext(r"\tfrac12 \ge \text{with } c \big(\geq") == r"\frac{1}{2} \geq \mathrm{with\ } c (\geq"
    assert formulas.lines_of(r"\begin{aligned} a &= b \\ &= c \end{aligned}") == ["a = b", "= c"]
    with pytest.raises(ValueError):
        formulas.svg(r"\nosuchcommand", "")


def test_every_formula_of_the_book_can_be_drawn(extension):
    import re

    found = 0
    for path in [*(ROOT / "notebooks").glob("*.py"), *(ROOT / "book").glob("*.md")]:
        text = "\n".join(
            line.removeprefix("# ").removeprefix("#") for line in path.read_text(encoding="utf-8").splitlines()
        )
        text = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
        for displayed, inline in re.findall(r"\$\$(.+?)\$\$|(?<![\w$\\])\$([^$\n]+?)\$(?!\w)", text, flags=re.DOTALL):
            for line in formulas.lines_of(displayed) if displayed else [inline]:
                assert "<path" in formulas.svg(line, line), path.name
                found += 1
    assert found > 40


# --- the strip, the head, the foot ------------------------------------------------------------------------------------


def test_the_strip_says_what_a_chapter_was_run_on(extension, tmp_path, monkeypatch):
    strip = extension("chapter_strip")
    results.record("mini", "layers", {"sets": {"mini/stance": 1, "toxicity": 2, "another <latent>": 3}}, tmp_path)
    (tmp_path / "executed").mkdir()
    (tmp_path / "executed" / "05_layers.json").write_text('{"seconds": 130.0}')
    shown = strip.strip("notebooks/05_layers", "layers")
    for part in ("<dt>Chapter</dt><dd>5</dd>", "mini-small, 1.7 million parameters", "<dd>mini/stance, toxicity</dd>",
                 "2 minutes where this was built", 'href="../downloads/05_layers.ipynb"', 'href="../data/layers.json"',
                 "mosaic reproduce --profile mini --only 05_layers"):  # fmt: skip
        assert part in shown
    with monkeypatch.context() as patch:
        patch.setattr(strip, "known", lambda name, of: True)
        assert "another &lt;latent&gt;, mini/stance" in strip.strip("notebooks/05_layers", "layers")
    unmeasured = strip.strip("notebooks/06_width", None)
    assert "../data/" not in unmeasured and "where this was built" not in unmeasured
    section = nodes.section("", nodes.title("", "2. Which layer?"), nodes.paragraph("", "text"))
    doctree = nodes.document(None, None, "", section)
    strip.add_strip(type("App", (), {"env": type("Env", (), {"docname": "notebooks/05_layers"})})(), doctree)
    assert isinstance(section[1], nodes.raw)
    assert strip.sets_of({"rows": [{"set": "a"}, {"set": "b"}, {"set": "a"}]}) == ["a", "b"] and strip.sets_of({}) == []


@pytest.mark.parametrize("seconds,words", [(10, "less than a minute"), (60, "a minute"), (130, "2 minutes")])
def test_minutes_are_in_words(tmp_path, seconds, words):
    (tmp_path / "a.json").write_text(json.dumps({"seconds": seconds}))
    assert downloads.minutes(tmp_path, "a") == words and downloads.minutes(tmp_path, "b") is None


def test_a_chapters_notebook_has_the_profile_no_outputs_and_the_same_bytes(tmp_path):
    source = tmp_path / "03_a.py"
    source.write_text('# needs: seeds\n# %% [markdown]\n# # A\n\n# %% tags=["parameters"]\nprofile = "mini"\nn = 2\n')
    made = json.loads(downloads.notebook(source, "minilm"))
    assert [cell["cell_type"] for cell in made["cells"]] == ["markdown", "code"]
    assert made["cells"][1]["source"] in ("profile = 'minilm'\nn = 2", ["profile = 'minilm'\n", "n = 2"])
    again = downloads.notebook(source, "minilm")
    assert made["cells"][1]["outputs"] == [] and again == downloads.notebook(source, "minilm")


def test_a_page_is_described_by_its_first_paragraph(extension):
    head = extension("page_head")
    text = "word " * 80
    doctree = nodes.document(None, None, "", nodes.paragraph("", "short"), nodes.paragraph("", text))
    said = head.description(doctree)
    assert said.startswith("word word") and len(said) <= head.LONGEST + 2 and said.endswith("word …")
    tags = head.tags('A "title"', "<said>", "../_static/card.png")
    assert '<meta name="description" content="&lt;said&gt;" />' in tags and 'content="A &quot;title&quot;"' in tags
    assert 'property="og:image" content="../_static/card.png"' in tags


def test_the_card_is_the_same_for_the_same_verdicts(extension, tmp_path):
    head = extension("page_head")
    for name in "ab":
        head.draw_card(tmp_path / f"{name}.png", {"holds here": 3, "undecided": 1})
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_project_and_its_papers_are_cited_in_bibtex(extension):
    import yaml

    head = extension("page_head")
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    first = head.bibtex(found["references"][0])
    assert (
        first.startswith("@misc{gallifant2025,")
        and "Gallifant, Jack and Chen, Shan" in first
        and "arXiv 2502.11367" in first
    )
    assert "title = {MOSAIC, the companion}" in head.bibtex(found)


def test_a_site_says_its_commit_and_date(tmp_path, monkeypatch):
    assert revision.revision(tmp_path) == ("", "")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert revision.revision(tmp_path) == ("", "1970-01-02")
