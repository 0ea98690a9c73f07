"""A call in a chapter leads to the line that defines what it calls; what cannot be told has no link."""

import re
from pathlib import Path

import pytest

from mosaic.reporting import source_links

ROOT = Path(__file__).parents[2]
CHAPTER = """
import pandas as pd
from mosaic.reporting import plots
from mosaic.studies import layers
from mosaic.studies.toy_sae import Recipe as Way

plots.style()
study = layers.run("mini")
study.record();
print(study.figure(), Way(k=3))
study.rows.figure()
unknown.figure()
pd.DataFrame(study.rows)
other = pd.concat([])
other.figure()
study.no_such_method()
"""


def test_each_call_is_found_where_it_is_defined():
    found = source_links.calls(CHAPTER)
    assert set(found) == {
        ("plots", "style"), ("layers", "run"), ("study", "record"), ("study", "figure"), ("", "Way"),
    }  # fmt: skip
    defined = {
        "style": "def style(",
        "run": "def run(",
        "record": "def record(",
        "figure": "def figure(",
        "Way": "class Recipe",
    }
    for (_, name), (module, line) in found.items():
        text = source_links.path_of(module).read_text(encoding="utf-8").splitlines()[line - 1]
        assert text.strip().startswith(defined[name]), (name, module, line)
    assert found["study", "figure"][0] == "mosaic.studies.layers", "the class's own before its base's"
    assert found["study", "record"][0] == "mosaic.studies.study", "a base's, where the class has none"


def test_a_name_that_is_bound_anew_is_what_it_is_then():
    script = 'from mosaic.studies import layers\nstudy = layers.run("mini")\nstudy = 3\nstudy.figure()\n'
    assert set(source_links.calls(script)) == {("layers", "run")}


def test_only_calls_in_highlighted_code_become_links():
    code = '<span class="n">study</span><span class="o">.</span><span class="n">{}</span><span class="p">{}</span>'
    body = code.format("figure", "()") + code.format("figure", ",") + code.format("figures", "()") + "study.figure()"
    made = source_links.linked(body, {("study", "figure"): ("mosaic.studies.layers", 7)}, lambda m, n: f"s/{m}?<#L-{n}")
    link = '<a class="to-source" href="s/mosaic.studies.layers?&lt;#L-7" title="mosaic.studies.layers, line 7"><span class="n">figure</span></a>'
    assert made.count("<a ") == 1 and f'<span class="o">.</span>{link}<span class="p">()' in made
    assert re.sub("</?a[^>]*>", "", made) == body


def test_a_function_called_by_its_bare_name_is_no_method_of_that_name():
    body = '<span class="n">x</span><span class="o">.</span><span class="n">Way</span><span class="p">()</span> <span class="n">Way</span><span class="p">()</span>'
    made = source_links.linked(body, {("", "Way"): ("m", 1)}, lambda m, n: "a")
    assert made.count("<a ") == 1 and made.index("<a ") > body.index("</span> ")


def test_a_page_has_an_anchor_for_each_line_and_asks_for_nothing():
    made = source_links.page("mosaic.reporting.style")
    lines = source_links.path_of("mosaic.reporting.style").read_text(encoding="utf-8").count("\n")
    assert len(re.findall(r'id="L-\d+"', made)) == lines and "<script" not in made
    assert "src=" not in made and "href=" not in made


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("[0-9]*.py")), ids=lambda path: path.stem)
def test_every_chapter_links_its_run_and_its_figures(path):
    found = source_links.calls(path.read_text(encoding="utf-8"))
    study = path.stem.split("_", 1)[1]
    assert found[study, "run"][0] == f"mosaic.studies.{study}" and sum(owner == "study" for owner, _ in found) >= 3
