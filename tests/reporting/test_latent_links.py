"""Links from the book's pages to latents: what becomes one, where it leads, what stays text."""

import importlib.util
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document

from mosaic.reporting import tables

ROOT = Path(__file__).parent.parent.parent
PAGES = {"3/1k": [7, 17], "5/1k": [9], "3/4k": [133]}


@pytest.fixture
def latents(tmp_path, monkeypatch):
    """The extension beside an explorer of three SAEs, of which a few latents have pages."""
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    monkeypatch.setenv("MOSAIC_EXPLORER", str(tmp_path))
    monkeypatch.setenv("MOSAIC_PROFILE", "mini")
    monkeypatch.setenv("MOSAIC_RESULTS", str(tmp_path / "results"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "pages.json").write_text(json.dumps(PAGES))
    (tmp_path / "results" / "mini").mkdir(parents=True)
    (tmp_path / "results" / "mini" / "truth.json").write_text(json.dumps({"values": {"latent": 17, "share": 0.5}}))
    spec = importlib.util.spec_from_file_location("mosaic_latents", ROOT / "book" / "_ext" / "mosaic_latents.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def links(markup):
    return re.findall(r'<a class="latent" href="([^"]*)">([^<]*)</a>', markup)


def test_names_in_a_table_lead_to_their_pages(latents):
    names = ["layer_3/width_1k/17", "3/width_1k/17", "layer 3, 1k, 17", "layer 3, 4k, 133"]
    table = tables.table([{"name": name, "n": 17} for name in names], {"name": "chosen", "n": "number"})
    found = latents.linked(SimpleNamespace(), "notebooks/16_truth", table)
    where = ["#3/1k/17"] * 3 + ["#3/4k/133"]
    assert links(found) == [(f"../explorer/index.html{at}", name) for at, name in zip(where, names, strict=True)]
    assert re.sub(r"</?a class=\"latent\"[^>]*>|(?<=\d)</a>", "", found) == table, (
        "nothing else is changed, the rows' file least"
    )


@pytest.mark.parametrize(
    "text",
    ["layer_3/width_1k/18", "layer_4/width_1k/17", "layer 3, 1k, 170", "3 of 17", "17"],
)
def test_what_has_no_page_stays_text(latents, text):
    html = f"<td>{text}</td>"
    assert latents.linked(SimpleNamespace(), "intro", html) == html


def test_bare_numbers_are_links_under_their_heading_alone(latents):
    rows = [{"set": "7", "latent": 7, "k": 17}, {"set": "17", "latent": 8, "k": 7}]
    table = tables.table(rows, {"set": "set", "latent": "latent", "k": "latents"})
    assert links(latents.linked(SimpleNamespace(), "intro", table)) == [("explorer/index.html#3/1k/7", "7")]
    import pandas as pd

    frame = pd.DataFrame({"layer": [5, 3, 3], "width": ["1k", "4k", "1k"], "latent": [9, 133, 133]})
    found = links(latents.linked(SimpleNamespace(), "a/b/c", frame._repr_html_()))
    assert found == [("../../explorer/index.html#5/1k/9", "9"), ("../../explorer/index.html#3/4k/133", "133")]


def test_what_is_marked_is_a_link(latents):
    marked = tables.latent(3, "1k", 7, "latent 7") + tables.latent(3, "1k", 8, "<b>")
    found = latents.linked(SimpleNamespace(), "intro", f"<p>{marked}</p>")
    assert links(found) == [("explorer/index.html#3/1k/7", "latent 7")] and "&lt;b&gt;" in found
    assert "<b>" not in found


def test_no_link_stands_in_a_link_or_a_script(latents):
    for html in (
        "<a href='x'>see <b>layer_3/width_1k/17</b></a>",
        "<script>layer_3/width_1k/17</script>",
        '<td title="layer_3/width_1k/17">x</td>',
        "<style>.a {} layer_3/width_1k/17</style>",
    ):
        assert latents.linked(SimpleNamespace(), "intro", html) == html
    after = "<a href='x'>y</a><p>layer_3/width_1k/17</p>"
    assert len(links(latents.linked(SimpleNamespace(), "intro", after))) == 1


def test_outputs_of_a_page_are_linked_and_drawings_left_alone(latents):
    page = new_document("page")
    drawn = "<img src=\"data:image/svg+xml,<svg a='layer_3/width_1k/17'>\"> layer_3/width_1k/17"
    page += [nodes.raw("", text, format="html") for text in ("<p>layer 3, 1k, 17</p>", drawn, "<p>nothing</p>")]
    page += nodes.raw("", "layer 3, 1k, 17", format="latex")
    app = SimpleNamespace(builder=SimpleNamespace(format="html"))
    latents.link_outputs(app, page, "notebooks/03")
    shown = [raw.astext() for raw in page.findall(nodes.raw)]
    assert links(shown[0]) == [("../explorer/index.html#3/1k/17", "layer 3, 1k, 17")]
    assert shown[1:] == [drawn, "<p>nothing</p>", "layer 3, 1k, 17"]


@pytest.mark.parametrize(
    "text,shown,address",
    [
        ("middle/main/17", "layer 3, 1k, 17", "../explorer/index.html#3/1k/17"),
        ("5/1k/9", "layer 5, 1k, 9", "../explorer/index.html#5/1k/9"),
        ("3/1k/18", "layer 3, 1k, 18", None),
        ("middle/main/truth.latent", "layer 3, 1k, 17", "../explorer/index.html#3/1k/17"),
        ("middle/main/truth.share", "?", None),
        ("middle/main/truth.nothing", "?", None),
        ("seventeen", "seventeen", None),
    ],
)
def test_the_role_writes_a_latent_as_a_link_where_it_has_a_page(latents, text, shown, address, caplog):
    role = latents.Latent()
    env = SimpleNamespace(app=SimpleNamespace(), docname="notebooks/01", note_dependency=lambda path: None)
    settings = SimpleNamespace(env=env)
    role.text, role.inliner = text, SimpleNamespace(document=SimpleNamespace(settings=settings))
    role.get_location = lambda: "page.md:1"
    (node,), _ = role.run()
    assert node.astext() == shown and node.get("refuri") == address


def test_a_site_without_an_explorer_links_nothing(latents, tmp_path):
    (tmp_path / "data" / "pages.json").unlink()
    table = tables.table([{"latent": 7}], {"latent": "latent"})
    assert latents.linked(SimpleNamespace(), "intro", table) == table
