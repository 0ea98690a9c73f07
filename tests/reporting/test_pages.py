"""What the book's own directives and tables make, without building it."""

import importlib.util
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes

from mosaic.reporting import results, tables
from mosaic.reporting.book import for_the_site
from mosaic.reporting.claims import BOUNDS, VERDICTS, Claim, Expected
from mosaic.reporting.verdicts import judge

ROOT = Path(__file__).parent.parent.parent
MODULE = '''
"""A module."""
from dataclasses import dataclass


def shown(a: int, *, b: str = "x") -> list[int]:
    """Does `a` and *not* markup_ |here|.

    A second paragraph.
    """


def _hidden():
    """No."""


def undocumented():
    pass


@dataclass(frozen=True)
class Pair:
    """Two."""

    one: int
    two: str = "2"

    def sum(self, scale: float = 1.0) -> float:
        """Both."""
'''


def extension(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "book" / "_ext" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_public_names_are_listed_with_signature_and_docstring(tmp_path):
    api = extension("mosaic_api")
    path = tmp_path / "module.py"
    path.write_text(MODULE)
    function, pair = api.entries(path)
    assert function.signature == "shown(a: int, *, b: str='x') -> list[int]"
    assert [p.astext() for p in api.prose(function.docstring)] == [
        "Does a and *not* markup_ |here|.",
        "A second paragraph.",
    ]
    assert [node.tagname for node in api.prose(function.docstring)[0].children] == ["#text", "literal", "#text"]
    assert pair.signature == "class Pair(one: int, two: str = '2')"
    assert [method.signature for method in pair.methods] == ["sum(scale: float=1.0) -> float"]
    assert (function.name, pair.name, pair.methods[0].name) == ("shown", "Pair", "sum"), "its address on the page"


def test_every_floor_is_on_one_of_the_pages_of_functions():
    pages = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "book").glob("api*.md"))]
    listed = [floor for page in pages for floors in re.findall(r"{mosaic-api} (.+)", page) for floor in floors.split()]
    floors = {path.parent.name for path in (ROOT / "mosaic").glob("*/__init__.py")}
    assert sorted(listed) == sorted(floors - {"cli"})


@pytest.mark.parametrize(
    ("text", "stepping_back"),
    [
        ("above TF-IDF (+0.177, 95 % +0.099 to +0.262), and no more (here).", ["(+0.177, 95 % +0.099 to +0.262)"]),
        ("of 9 (a (1) b) sets", ["(1)"]),
        ("(2) and (3)", ["(2)", "(3)"]),
        ("0.37", []),
        ("an open (1", []),
    ],
)
def test_numbers_in_parentheses_step_back_and_no_letter_is_lost(text, stepping_back):
    found = extension("mosaic_results").said(text)
    assert "".join(node.astext() for node in found) == text
    assert [node.astext() for node in found if isinstance(node, nodes.inline)] == stepping_back


@pytest.fixture
def faults(tmp_path, monkeypatch):
    """The directive of the fault campaign, as a page of the book runs it, on results of one's own."""
    monkeypatch.setenv("MOSAIC_RESULTS", str(tmp_path))
    directive = object.__new__(extension("mosaic_results").Faults)
    env = SimpleNamespace(note_dependency=lambda path: None)
    directive.state = SimpleNamespace(document=SimpleNamespace(settings=SimpleNamespace(env=env)))
    directive.error = ValueError
    return directive, tmp_path / "faults.json"


def test_the_campaigns_table_says_how_often_each_fault_held(faults):
    directive, path = faults
    (said,) = directive.run()
    assert said.astext().startswith("Not run here: `make faults`")
    row = {"fault": "<kill>", "must": "same bytes", "tries": 1000, "held": 1000, "first": ""}
    path.write_text(json.dumps({"length": "long", "rows": [row, {**row, "fault": "a full disk", "held": 999}]}))
    said, before, table, after = directive.run()
    assert 'download="what-was-done-what-must-hold-tries.csv"' in after.astext()
    assert said.astext() == "The long run: 1 of 2 held every time."
    assert before.astext().startswith('<div class="table-scroll wide"')
    cells = [entry.astext() for entry in table.findall(nodes.entry)]
    assert cells[4:] == ["<kill>", "same bytes", "1,000", "1,000", "a full disk", "same bytes", "1,000", "999"]


def test_a_campaign_that_cannot_be_read_fails_the_build(faults):
    directive, path = faults
    path.write_text('{"rows": [{}]}')
    with pytest.raises(ValueError, match="faults.json is not what `make faults` writes"):
        directive.run()


def test_the_shipped_campaign_is_a_long_one_and_held():
    run = json.loads((ROOT / "results" / "faults.json").read_text(encoding="utf-8"))
    assert run["length"] == "long" and not [row["fault"] for row in run["rows"] if row["held"] < row["tries"]]


def test_a_table_is_escaped_and_scrolls_in_a_box_that_the_keyboard_reaches():
    shown = tables.table([{"a": "<script>", "b": 0.12345, "c": None}], {"a": "A & B", "b": "b", "c": "c"})
    assert shown.startswith('<div class="table-scroll" tabindex="0" role="region"')
    assert '<td>&lt;script&gt;</td><td class="number">0.12</td><td></td>' in shown
    assert '<th scope="col">A &amp; B</th><th scope="col" class="number">b</th>' in shown
    assert 'aria-label="table: A &amp; B, b, c"' in shown
    assert shown._repr_html_() == shown and type(shown) is tables.Html
    listed = tables.items(["a < b", "<script>"])
    assert listed == "<ul><li>a &lt; b</li><li>&lt;script&gt;</li></ul>" and type(listed) is tables.Html


@pytest.mark.parametrize("rows,columns", [([{"a": "a long text of more than 24 letters"}], 1), ([{}], 6)])
def test_tables_of_texts_or_many_columns_have_the_whole_page(rows, columns):
    wide = tables.table(rows, {letter: letter for letter in "abcdef"[:columns]})
    assert re.match(r'<div class="table-scroll wide"', wide)


def test_a_chapters_title_has_the_number_of_its_file(tmp_path):
    cells = [
        {"cell_type": "code", "metadata": {}, "source": "# 1"},
        {"cell_type": "markdown", "metadata": {}, "source": ["# Two seeds\n", "\n", "# no"]},
    ]
    (tmp_path / "12_two_seeds.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4}))
    for_the_site(tmp_path / "12_two_seeds.ipynb", tmp_path / "copy.ipynb")
    copied = json.loads((tmp_path / "copy.ipynb").read_text())
    assert copied["cells"][1]["source"] == "# 12. Two seeds\n\n# no" and copied["cells"][0] == cells[0]


# --- the claims page --------------------------------------------------------------------------------------------------


@pytest.fixture
def page(monkeypatch, tmp_path):
    """The extension of the claims page, on a folder of results of its own; this site's profile is mini."""
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    monkeypatch.setenv("MOSAIC_RESULTS", str(tmp_path))
    monkeypatch.setenv("MOSAIC_PROFILE", "mini")
    for name in ("mini", "minilm"):
        results.record(name, "r", {"value": 0.02, "interval": [0.01, 0.03], "low": [-0.01, 0.03]}, tmp_path)
    return extension("mosaic_claims")


def judged(tmp_path, profile="mini", **changes):
    base = dict(
        id="c", claim="A beats B.", published="> 0", source="arXiv 1", provenance="abstract", quantity="A minus B, macro-F1",
        result="r.value", interval="r.interval", rule={"above": 0}, frozen="2026-11-24",
    )  # fmt: skip
    return judge(Claim(**{**base, **changes}), profile, tmp_path)


def text(parts) -> str:
    return " ".join("".join(part.astext() for part in parts).split())


def classes(parts) -> list[str]:
    return [name for part in parts if isinstance(part, nodes.inline) for name in part["classes"]]


def test_a_value_says_what_it_is_and_when_its_rule_was_written(page, tmp_path):
    frozen = text(page.measured(judged(tmp_path).claim))
    assert frozen == "A minus B, macro-F1; holds where it is above 0. rule written 2026-11-24, before its run"
    late = judged(tmp_path, rule={"within": [0.8, 0.03]}, frozen="post hoc").claim
    assert text(page.measured(late)) == (
        "A minus B, macro-F1; holds within 0.8 ± 0.03. post hoc: written with or after its results"
    )


def test_a_cell_has_value_interval_verdict_expectation_and_why(page, tmp_path):
    expected = {"mini": Expected("holds here", "A reads <more>.")}
    parts = page.cell(judged(tmp_path, expected=expected))
    assert text(parts).startswith("0.020 (0.010 to 0.030) holds here as expected")
    assert classes(parts) == ["verdict", "verdict-holds-here", "expectation", "as-expected"]
    why = "The interval 0.010 to 0.030 lies above 0. Expected: holds here, because A reads &lt;more&gt;."
    assert why in parts[-1].astext()
    parts = page.cell(judged(tmp_path, interval="r.low", expected=expected))
    assert "undecided not as expected" in text(parts) and classes(parts)[1] == "verdict-undecided"
    assert text(page.cell(judged(tmp_path, interval=None))).startswith("0.020 (point estimate) holds here")
    assert classes(page.cell(judged(tmp_path, own=("mini",))))[1] == "verdict-reproduced"


def test_a_result_that_is_missing_is_named_without_this_machines_folders(page, tmp_path):
    (why,) = (part for part in page.cell(judged(tmp_path, result="absent.value")) if isinstance(part, nodes.raw))
    assert f"{tmp_path.name}/mini/absent.json does not exist" in why.astext() and str(tmp_path) not in why.astext()


def test_each_column_says_what_its_profile_is(page):
    said = page.profiles_sentence(["mini", "stories260k"])
    assert "mini: mini-small, " in said and "; stories260k: stories260K, a Llama" in said


def test_an_open_claim_has_no_coloured_verdict(page, tmp_path):
    parts = page.cell(judged(tmp_path, open="another paper says otherwise"))
    assert classes(parts) == ["verdict", "verdict-open"] and "open (by this alone: holds here)" in text(parts)
    absent = page.cell(judged(tmp_path, open="another paper says otherwise", result="absent.value"))
    assert classes(absent) == ["verdict", "verdict-not-run"]


def test_columns_are_marked_and_what_was_computed_here_is_said(page, tmp_path):
    assert [(name, page.mark(name)) for name in page.compared()] == [("mini", "this run"), ("minilm", "recorded")]
    ((versions, studies),) = results.recorded_versions("minilm", tmp_path)
    assert studies == ["r"] and "torch" in versions


def test_each_profile_has_a_line_on_what_chance_would_give(page, monkeypatch, tmp_path):
    monkeypatch.setattr(page.verdicts, "judge_all", lambda name, at: [judged(tmp_path, name)] * 20)
    monkeypatch.setattr(page, "depend", lambda directive: None)
    (lines,) = page.ByChance.run(None)
    said = [line.astext() for line in lines]
    assert [line.split(":")[0] for line in said] == ["mini", "minilm"]
    assert "20 intervals lie beyond zero on the side that the claim says, 0 on the other. By chance alone" in said[0]
    assert "nominally 0.5 would on each side" in said[0]


def test_every_kind_of_rule_and_verdict_has_its_words_and_its_colour(page):
    style = (ROOT / "book" / "_static" / "mosaic.css").read_text(encoding="utf-8")
    prose = (ROOT / "book" / "claims.md").read_text(encoding="utf-8")
    assert set(page.RULES) == set(BOUNDS)
    for verdict in VERDICTS:
        assert f".verdict-{verdict.replace(' ', '-')}" in style and f"*{verdict}*" in prose


@pytest.fixture
def tiles(page):
    return extension("mosaic_tiles")


def test_a_tile_says_claim_verdict_and_value_and_leads_to_the_claims_line(tiles, page, tmp_path):
    verdict = judged(tmp_path, claim="A beats <b>.", expected=None)
    markup = tiles.tile(verdict, "claims.html")
    assert markup.startswith('<a class="tile tile-holds-here" href="claims.html#claim-c">')
    assert "A beats &lt;b&gt;." in markup and ">holds here<" in markup and "0.020 (0.010 to 0.030)" in markup
    row = page.table_row([page.about(verdict.claim)])
    row["ids"].append(page.anchor(verdict.claim))
    assert row["ids"] == ["claim-c"]
    unmeasured = tiles.tile(judged(tmp_path, result="r.nothing", interval=None), "claims.html")
    assert "tile-not-run" in unmeasured and "tile-value" not in unmeasured


def test_tiles_stand_by_study_and_are_counted(tiles, tmp_path):
    found = [
        judged(tmp_path),
        judged(tmp_path),
        judged(tmp_path, result="other.value"),
        judged(tmp_path, interval="r.low"),
    ]
    found.append(judged(tmp_path, open="papers contradict each other"))
    placed = tiles.by_study(found, ["empty", "r"])
    assert [(study, len(members)) for study, members in placed.items()] == [("r", 4), ("", 1)]
    assert tiles.tally(found, "mini") == (
        "Of 5 published claims, on mini: 2 hold here, 1 undecided, 1 not run, 1 open. "
        "A tile leads to its number, rule and reason."
    )


def test_every_verdict_has_a_tile_of_its_colour(tiles):
    css = (ROOT / "book" / "_static" / "mosaic.css").read_text(encoding="utf-8")
    for name in [*VERDICTS, tiles.OPEN]:
        assert f".tile-{name.replace(' ', '-')}" in css


def test_a_chapters_title_is_its_first_heading(tiles, tmp_path):
    path = tmp_path / "05_layers.ipynb"
    path.write_text(json.dumps({"cells": [{"source": ["x = 1"]}, {"source": ["# Which layer?\n", "\n", "Text"]}]}))
    assert tiles.title(path) == "Which layer?"
    path.write_text(json.dumps({"cells": []}))
    assert tiles.title(path) == "05_layers"


@pytest.fixture
def data(page):
    return extension("mosaic_data")


def test_a_chapters_numbers_are_a_table_of_keys_and_values(data):
    values = {"mean": {"sae": 0.5, "none": None}, "rows": [{"set": "=1+1"}, {"set": "a, b"}], "n": 3}
    assert data.as_csv(values).splitlines() == [
        "key,value",
        "mean.sae,0.5",
        "mean.none,",
        "rows.0.set,'=1+1",
        'rows.1.set,"a, b"',
        "n,3",
    ]


def test_the_links_stand_under_chapters_that_recorded_numbers(data, tmp_path):
    def under(docname):
        doctree = nodes.document(None, None, nodes.section("", nodes.paragraph("", "text")))
        data.add_links(SimpleNamespace(env=SimpleNamespace(docname=docname)), doctree)
        return [link["refuri"] for link in doctree.findall(nodes.reference)]

    assert under("notebooks/03_r") == ["../data/r.csv", "../data/r.json"]
    assert under("notebooks/04_not_run") == under("claims") == []
    app = SimpleNamespace(outdir=tmp_path / "site", env=SimpleNamespace(found_docs={"notebooks/03_r", "claims"}))
    app.outdir.mkdir()
    data.write_files(app, None)
    assert sorted(path.name for path in (tmp_path / "site" / "data").iterdir()) == ["r.csv", "r.json"]
