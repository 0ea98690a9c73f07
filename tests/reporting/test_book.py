"""End to end: notebooks through papermill, the strict book, the site in a real browser.

The run uses the miniature on small made-up sets, which hold hostile texts, in a copy of the project.
"""

import csv
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import axe
import numpy as np
import pytest
import yaml

from mosaic.studies import NAMES

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.timeout(1200)  # a guard against hanging: chapters beside other work take their time
HOSTILE = "<script>window.hacked = true</script><img src=x onerror='window.hacked = true'> &amp; $x$ {{jinja}} `code`"
PROFILE = """
title: the end-to-end test
model: {{id: weights/mini/mini-small, max_length: 128}}
shape: {{n_layers: 6, d_model: 128, parameters: 197120, embedding: 524288}}
saes:
  - {{layer: 1, width: 1k, path: weights/mini/saes-small/layer_1_width_1k_seed_0}}
  - {{layer: 3, width: 1k, path: weights/mini/saes-small/layer_3_width_1k_seed_0}}
  - {{layer: 3, width: 4k, path: weights/mini/saes-small/layer_3_width_4k_seed_0}}
  - {{layer: 5, width: 1k, path: weights/mini/saes-small/layer_5_width_1k_seed_0}}
middle: 3
width: 1k
poolings: [sum, mean, max, last, count, top20]
datasets: [sst2, trec]
max_train: 60
max_test: 30
crossed:
  - {{name: mini/toxicity, languages: [en, de]}}
  - {{name: mini/agreement, languages: [en, de]}}
truth: true
vision:
  model: {{id: weights/mini/mini-vision}}
  sets: [digits, shapes]
  image_tokens: weights/mini/controls/image_tokens/layer_3_width_1k_seed_0
others: [mini-large]
end_to_end: weights/mini/end_to_end
seeds: weights/mini/seeds
recipes: weights/mini/recipes
training: {{corpora: [mini]}}
"""
CHAPTERS = NAMES
MOST_BYTES = 1_000_000


def rows(n: int, seed: int, names: list[str]) -> str:
    rng = np.random.default_rng(seed)
    words = {"good": "lovely happy bright fine", "bad": "awful sad broken poor", "odd": "strange weird curious eerie"}
    out = []
    for i in range(n):
        label = names[i % len(names)]
        text = f"It was {rng.choice(words[label].split())} and {rng.choice(words[label].split())} number {i}. {HOSTILE}"
        out.append(json.dumps({"text": text, "label": label}))
    return "\n".join(out)


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    for name in ("notebooks", "book"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "CITATION.cff", root)
    smaller = {
        "10_few_labels": ("10", "2"),
        "11_training_worth": ("2000", "300"),
        "16_truth": ("160", "60"),
        "17_two_seeds": ("200_000", "30_000"),
        "20_which_latents": ("6000", "600"),
        "21_probes_of_seeds": ("8", "3"),
        "22_universality": ("2000", "150"),
        "23_interpretation": ("3000", "400"),
        "25_description_choice": ("10", "2"),
        "26_end_to_end": ("500", "40"),
        "27_recipes": ("1000", "150"),
    }
    for name, (given, enough) in smaller.items():
        notebook = root / "notebooks" / f"{name}.py"
        text, n = re.subn(rf" = {given}\b", f" = {enough}", notebook.read_text())
        assert n, f"{name} has no parameter of {given}"
        notebook.write_text(text)
    shutil.copytree(ROOT / "results", root / "results")  # so that the page of claims has several profiles
    (root / "e2e.yml").write_text(PROFILE.format())
    for i, (name, labels) in enumerate({"sst2": ["good", "bad"], "trec": ["good", "bad", "odd"]}.items()):
        (root / "data" / name).mkdir(parents=True)
        for part, n in (("train", 72), ("test", 36)):
            (root / "data" / name / f"{part}.jsonl").write_text(rows(n, i + n, labels))
    return root


def mosaic(project: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "MOSAIC_DATA": str(project / "data")}
    command = [sys.executable, "-m", "mosaic", *arguments]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=1100)


@pytest.fixture(scope="session")
def built(project):
    done = mosaic(project, "reproduce", "--profile", "e2e.yml")
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    return done


def test_reproduce_executes_records_and_builds(project, built):
    assert str(Path("build/site/e2e/index.html")) in built.stdout
    assert (project / "build" / "site" / "index.html").is_file()
    names = {path.stem for path in (project / "results" / "e2e").glob("*.json")}
    assert names == set(CHAPTERS)
    written = (project / "build" / "recorded" / "e2e" / "written_here.txt").read_text().split()
    assert len(written) == len(CHAPTERS), "what a run records is known as its own: `mosaic results diff` depends on it"
    measured = json.loads((project / "results" / "e2e" / "text_to_features.json").read_text())["values"]
    assert measured["largest_difference"] < 1e-3, "the engine and SAELens must agree in the book too"


def test_unchanged_notebooks_do_not_run_again_and_results_repeat(project, built):
    files = sorted((project / "results" / "e2e").glob("*.json"))
    before = {path.name: path.read_bytes() for path in files}
    again = mosaic(project, "reproduce", "--profile", "e2e.yml", "--no-book")
    assert again.stdout.count("unchanged") == len(CHAPTERS)
    executed = project / "build" / "executed" / "e2e" / "07_pooling.ipynb"
    notebook = executed.read_bytes()
    (project / "results" / "e2e" / "pooling.json").unlink()
    lost = mosaic(project, "reproduce", "--profile", "e2e.yml", "--no-book")
    assert lost.stdout.count("unchanged") == len(CHAPTERS) - 1, "a lost results file is made again"
    assert {path.name: path.read_bytes() for path in files} == before
    assert executed.read_bytes() == notebook, "executed notebooks are byte-identical"


def test_executed_notebooks_are_clean(project, built):
    import nbformat

    for path in (project / "build" / "executed" / "e2e").glob("[01]*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        text = path.read_text()
        assert "papermill" not in text and str(project) not in text
        parameters = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
        assert len(parameters) == 1 and "profile = 'e2e.yml'" in parameters[0].source
        assert not any("injected-parameters" in c.metadata.get("tags", []) for c in notebook.cells)


def test_a_profile_without_known_factors_has_no_chapter_on_them(project, built):
    from mosaic.profiles.profile import load_profile
    from mosaic.reporting.notebooks import applies

    notebooks = sorted((project / "notebooks").glob("*.py"))
    where_had = ("12_languages", "22_universality")  # apply where their sets, and another model, can be had
    assert [n.stem for n in notebooks if n.stem not in where_had and not applies(n, load_profile("minilm"))] == [
        "01_from_nothing", "02_miniature", "04_honest_probe", "13_transfer", "14_images", "16_truth", "18_what_moves_it",
        "26_end_to_end", "27_recipes",
    ]  # fmt: skip
    assert all(applies(n, load_profile("mini")) for n in notebooks)
    done = mosaic(project, "reproduce", "--profile", "minilm", "--only", "16_truth")
    assert done.returncode == 1 and "does not apply to profile minilm" in done.stderr


def test_a_missing_number_fails_the_build(project, built):
    page = project / "book" / "your_data.md"
    text = page.read_text()
    page.write_text(text + "\nWrong: {result}`layers.no_such_number`.\n")
    try:
        done = mosaic(project, "reproduce", "--profile", "e2e.yml")
    finally:
        page.write_text(text)
    assert done.returncode == 1 and "layers.no_such_number" in done.stderr and "Traceback" not in done.stderr
    assert (project / "build" / "site" / "e2e" / "index.html").is_file(), "the last good site stays"


def test_a_failing_notebook_is_named(project, built):
    notebook = project / "notebooks" / "05_layers.py"
    text = notebook.read_text()
    notebook.write_text(
        text.replace("# %% [markdown]\n# ## Layer curves", "# %%\n1 / 0\n\n# %% [markdown]\n# ## Layer curves")
    )
    try:
        done = mosaic(project, "reproduce", "--profile", "e2e.yml", "--only", "05_layers")
    finally:
        notebook.write_text(text)
    assert done.returncode == 1 and "05_layers.py failed: ZeroDivisionError" in done.stderr
    unknown = mosaic(project, "reproduce", "--only", "99_nope")
    assert unknown.returncode == 1 and "there is no notebook '99_nope'; there are 01_from_nothing" in unknown.stderr


# --- the site in a browser -----------------------------------------------------------------------------------------


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def site(project, built):
    handler = functools.partial(Quiet, directory=str(project / "build" / "site" / "e2e"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def page(browser, site):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.trouble = []
    page.on("console", lambda m: page.trouble.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    page.on("request", lambda r: page.trouble.append(r.url) if not r.url.startswith((site, "data:", "blob:")) else None)
    page.on("response", lambda r: page.trouble.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    yield page
    page.close()


TOC = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf-8"))
PAGES = [f"{TOC['root']}.html", *(f"{c['file']}.html" for part in TOC["parts"] for c in part["chapters"])]


TABLES = """() => [...document.querySelectorAll('article table')].map(table => {
  const scrolls = e => ['auto', 'scroll'].includes(getComputedStyle(e).overflowX);
  let box = table.parentElement;
  while (box && !scrolls(box)) box = box.parentElement;
  box = box || table;
  const inside = box.getBoundingClientRect();
  let left = 0, right = document.documentElement.clientWidth;
  for (let e = box.parentElement; e && e !== document.body; e = e.parentElement)
    if (getComputedStyle(e).overflowX !== 'visible') {
      const r = e.getBoundingClientRect(); left = Math.max(left, r.left); right = Math.min(right, r.right); }
  box.scrollLeft = 1e6;
  const end = table.getBoundingClientRect().right;
  box.scrollLeft = 0;
  const wider = box.scrollWidth - box.clientWidth;
  return {head: table.innerText.slice(0, 40), left: inside.left - left, right: right - inside.right,
          hidden: end - inside.right, wider,
          cue: wider <= 1 || getComputedStyle(box).backgroundImage.includes('gradient')} })"""


@pytest.mark.site
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_whole_offline_and_no_table_is_cut(page, site, name):
    """At 1280 and 390 px, everything unfolded. A table, or the box it scrolls in, lies inside the page and what clips it;
    scrolled, its last column is seen."""
    page.goto(f"{site}/{name}", wait_until="networkidle")
    assert page.trouble == []
    assert page.locator("article h1").count() == 1
    broken = page.evaluate("[...document.images].filter(i => !i.complete || i.naturalWidth === 0).map(i => i.src)")
    assert broken == []
    assert page.evaluate("window.hacked") is None
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 850})
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 1, f"{name} scrolls sideways by {overflow} px at {width} px"
        for table in page.evaluate(TABLES):
            assert table["left"] >= -1 and table["right"] >= -1, f"{name} at {width} px: {table}"
            assert table["hidden"] <= 1, f"{name} at {width} px: {table}"
            assert table["cue"], f"{name} at {width} px: nothing shows that there is more: {table}"


@pytest.mark.site
@pytest.mark.parametrize("name", [name for name in PAGES if name.startswith("notebooks/")])
def test_every_figure_has_words_and_its_numbers_a_click_away(page, site, name):
    page.goto(f"{site}/{name}", wait_until="networkidle")
    drawings = page.locator(".cell_output img:not(.narrow)")
    links = page.locator("figure.drawn a[download]")
    for second in page.locator(".cell_output img.narrow").all():
        first = second.locator("xpath=preceding-sibling::img")
        assert not second.is_visible() and first.get_attribute("alt") == second.get_attribute("alt")
    for drawing in drawings.all():
        assert len(drawing.get_attribute("alt").split()) >= 6, f"{name}: {drawing.get_attribute('alt')!r}"
    pictures = int(name == "notebooks/14_images.html")
    assert links.count() == drawings.count() - pictures
    for link in links.all():
        with page.expect_download() as saved:
            link.click()
        lines = list(csv.reader(saved.value.path().read_text(encoding="utf-8").splitlines()))
        assert saved.value.suggested_filename.endswith(".csv") and len(lines) > 1
        assert {"x", "y", "x_low", "value"} & set(lines[0]) and len({len(line) for line in lines}) == 1


@pytest.mark.site
@pytest.mark.parametrize("name", PAGES)
def test_a_page_weighs_less_than_a_megabyte_with_all_that_it_loads(page, site, name):
    sizes = {}
    page.on("response", lambda r: sizes.update({r.url: int(r.headers.get("content-length", 0))}) if r.ok else None)
    page.goto(f"{site}/{name}", wait_until="networkidle")
    loaded = {url: size for url, size in sizes.items() if url.startswith(site)}
    assert sum(loaded.values()) < MOST_BYTES, sorted(loaded.items(), key=lambda one: -one[1])[:5]


@pytest.mark.site
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "name", [*PAGES, "slides/index.html", "slides/05_layers.html", "sources/mosaic.studies.layers.html"]
)
def test_axe_finds_nothing_serious(browser, site, name, theme):
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=theme)
    page.goto(f"{site}/{name}", wait_until="networkidle")
    found = axe.serious(page)
    page.close()
    assert not found


@pytest.mark.site
def test_a_chapter_begins_with_what_it_was_run_on_and_what_can_be_taken_along(page, site):
    page.goto(f"{site}/notebooks/05_layers.html", wait_until="networkidle")
    strip = page.locator(".chapter-strip")
    said = strip.inner_text()
    assert "mini-small, 1.7 million parameters" in said and "where this was built" in said
    assert "mosaic reproduce --profile e2e.yml --only 05_layers" in said
    for link in strip.locator("a").all():
        got = page.request.get(f"{site}/notebooks/{link.get_attribute('href')}")
        assert got.ok and got.body()
    notebook = page.request.get(f"{site}/downloads/05_layers.ipynb").json()
    assert not any(cell.get("outputs") for cell in notebook["cells"])
    assert page.locator("figcaption b").first.inner_text() == "Figure 5.1."
    assert page.locator(".table-foot b").first.inner_text() == "Table 5.1."
    assert page.locator("meta[name=description]").count() == 1
    assert (
        page.request.get(f"{site}/_static/card.png").ok
        and page.locator("details:has-text('Show the code')").count() == 0
    )


@pytest.mark.site
def test_a_long_table_is_filtered_and_says_how_much_is_left(page, site):
    page.goto(f"{site}/claims.html", wait_until="networkidle")
    page.locator(".table-filter input").first.fill("no such words anywhere")
    rows = page.locator("table.claims tbody tr")
    assert page.locator(".table-filter output").first.inner_text() == f"0 of {rows.count()} rows"
    assert not any(row.is_visible() for row in rows.all()[:5])


@pytest.mark.site
def test_the_side_menu_reaches_its_end_on_a_low_screen(page, site):
    page.set_viewport_size({"width": 1280, "height": 600})
    page.goto(f"{site}/notebooks/05_layers.html", wait_until="networkidle")
    last = page.locator(".bd-sidebar-primary .toctree-l1 a").last
    last.scroll_into_view_if_needed()
    box = last.bounding_box()
    assert box["y"] >= 0 and box["y"] + box["height"] <= 600


@pytest.mark.site
def test_a_wide_table_is_scrolled_by_the_keyboard(page, site):
    page.set_viewport_size({"width": 390, "height": 850})
    page.goto(f"{site}/claims.html", wait_until="networkidle")
    box = page.locator(".table-scroll").first
    box.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.table-scroll').scrollLeft > 0")


@pytest.mark.site
def test_figures_and_formulas_are_rendered(page, site):
    page.goto(f"{site}/notebooks/03_text_to_features.html", wait_until="networkidle")
    formulas = page.locator(".formula svg[role=img]")
    assert formulas.count() >= 5 and "x \\in \\mathbb{R}^d" in [
        one.get_attribute("aria-label") for one in formulas.all()
    ]
    assert all(one.bounding_box()["width"] > 2 for one in formulas.all())
    assert "\\mathrm" not in page.locator("article").inner_text()
    assert page.locator(".token-strip .token").count() > 50
    assert page.locator("article .cell_output img, article .cell_output svg").count() >= 2
    numbers = page.locator(".result").all_inner_texts()
    assert len(numbers) >= 4 and "?" not in numbers


@pytest.mark.site
def test_hostile_texts_are_shown_and_do_not_run(page, site):
    page.goto(f"{site}/notebooks/09_sae_against_baselines.html", wait_until="networkidle")
    assert page.evaluate("window.hacked") is None
    assert "<script>window.hacked" in page.locator("article").inner_text()


SLIDERS = {
    "08_binarisation": 2,
    "09_sae_against_baselines": 2,
    "17_two_seeds": 1,
    "19_many_seeds": 1,
}  # with how many cases


@pytest.mark.site
@pytest.mark.parametrize("chapter", SLIDERS)
def test_a_slider_is_moved_by_the_keyboard_and_says_what_the_run_computed(page, site, chapter):
    page.goto(f"{site}/notebooks/{chapter}.html", wait_until="networkidle")
    box = page.locator(".slider-figure")
    cases = json.loads(box.get_attribute("data-places"))
    assert len(cases) == SLIDERS[chapter] and len(json.dumps(cases)) < 100_000
    slider, said = box.get_by_role("slider"), box.locator(".slider-said:visible")
    slider.press("Home")
    for place in cases[0]:
        assert said.inner_text() == place["said"] and slider.get_attribute("aria-valuetext") == place["label"]
        slider.press("ArrowRight")
    assert page.evaluate("window.hacked") is None and page.trouble == []


@pytest.mark.site
def test_the_explorer_opens_from_its_page_and_leads_back(page, site):
    page.goto(f"{site}/explorer.html")
    page.get_by_role("link", name="Open the explorer").click()
    page.locator("h1", has_text="Latents of layer 3").wait_for()
    page.locator("ol.latents a").first.click()
    page.locator(".contexts .token.fires").first.wait_for()
    page.locator("#home a").click()
    page.wait_for_url(f"{site}/intro.html")  # to which index.html leads
    assert page.trouble == []


def test_every_link_to_a_latent_leads_to_a_page_that_is_there(project, built):
    site = project / "build" / "site" / "e2e"
    pages = json.loads((site / "explorer" / "data" / "pages.json").read_text())
    found = []
    for path in site.rglob("*.html"):
        if path.parent.name != "explorer":
            text = path.read_text(encoding="utf-8")
            assert '<a class="latent" href="<' not in text
            for up, layer, width, number in re.findall(
                r'href="((?:\.\./)*)explorer/index\.html#(\d+)/(\w+)/(\d+)"', text
            ):
                assert (path.parent / up / "explorer" / "index.html").resolve() == (
                    site / "explorer" / "index.html"
                ).resolve()
                assert int(number) in pages[f"{layer}/{width}"], f"{path.name}: {layer}/{width}/{number}"
                found.append(path.stem)
    assert {"03_text_to_features", "23_interpretation"} <= set(found)
    named = re.findall(
        r"<td>(?:layer_)?(\d)/width_(\w+)/(\d+)</td>",
        (site / "notebooks" / "09_sae_against_baselines.html").read_text(),
    )
    assert [one for one in named if int(one[2]) in pages.get(f"{one[0]}/{one[1]}", ())] == [], (
        "named, with a page, and no link"
    )


@pytest.mark.site
def test_search_finds_a_page(page, site):
    page.goto(f"{site}/search.html?q=binarisation", wait_until="networkidle")
    page.wait_for_selector("#search-results li a")
    assert any("inar" in text for text in page.locator("#search-results li a").all_inner_texts())
    assert page.trouble == []


@pytest.mark.site
def test_claims_page_shows_a_verdict_for_each_claim(page, site):
    from mosaic.reporting.claims import VERDICTS, load_claims

    page.goto(f"{site}/claims.html", wait_until="networkidle")
    verdicts = page.locator(".verdict").all_inner_texts()
    opened = {f"open (by this alone: {verdict})" for verdict in VERDICTS}
    profiles = page.locator(".claims th .run-mark").count()
    assert profiles == 4, "the test's own, and those that ship with results"
    assert len(verdicts) == profiles * len(load_claims()) and set(verdicts) <= {*VERDICTS, *opened}
    assert {"not run", "not testable"} <= set(verdicts)
    assert {"holds here", "does not hold here", "undecided"} & set(verdicts)
    assert not {"reproduced", "not reproduced"} & set(verdicts), "no profile here has the paper's models"
    assert page.locator(".open-question").count() == sum(bool(claim.open) for claim in load_claims())
    assert "this run" in page.locator(".claims th .run-mark").first.inner_text()
    assert "computed by the run that built this site" in page.locator("article").inner_text()
    why = page.locator(".claims details.why").first
    assert why.locator("summary").is_visible() and why.get_attribute("open") is None


@pytest.mark.site
def test_a_tile_leads_to_its_claims_line_and_a_chapter_to_its_numbers(page, site):
    from mosaic.reporting.claims import load_claims

    page.goto(f"{site}/intro.html", wait_until="networkidle")
    tiles = page.locator("a.tile")
    assert tiles.count() == len(load_claims())
    tiles.first.click()
    page.wait_for_url("**/claims.html#claim-*")
    line = page.locator("tr:target")
    assert line.count() == 1 and line.locator("td").count() == 7
    page.goto(f"{site}/notebooks/05_layers.html", wait_until="networkidle")
    csv = page.request.get(f"{site}/data/layers.csv")
    assert page.locator(".data-links a").first.get_attribute("href") == "../data/layers.csv"
    assert csv.ok and csv.text().startswith("key,value\n") and "mean.sae." in csv.text()
    assert page.trouble == []


@pytest.mark.site
def test_a_press_on_a_columns_head_sorts_its_table(page, site):
    page.goto(f"{site}/notebooks/05_layers.html", wait_until="networkidle")
    table = page.locator("table.mosaic-table").first
    heads = table.locator("thead th").all_inner_texts()
    column = next(i for i, head in enumerate(heads) if head.strip().startswith("validation"))
    head = table.locator("thead th").nth(column)

    def values() -> list[float]:
        return [float(row.locator("td").nth(column).inner_text()) for row in table.locator("tbody tr").all()]

    before = sorted(values())
    head.click()
    assert values() == before and head.get_attribute("aria-sort") == "ascending"
    head.focus()
    page.keyboard.press("Enter")
    assert values() == before[::-1] and head.get_attribute("aria-sort") == "descending"


CONTRAST = """places => {
  const parts = c => c.match(/[\\d.]+/g).map(Number);
  const lum = c => { const v = parts(c).slice(0, 3).map(x => { x /= 255;
    return x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4 }); return .2126 * v[0] + .7152 * v[1] + .0722 * v[2] };
  const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (parts(c).length < 4 || parts(c)[3] === 1) return c } return 'rgb(255, 255, 255)' };
  return places.flatMap(s => [...document.querySelectorAll(s)].slice(0, 60).map(e => {
    const f = lum(getComputedStyle(e).color), b = lum(behind(e));
    return [(Math.max(f, b) + .05) / (Math.min(f, b) + .05), s, e.className] })).sort((a, b) => a[0] - b[0]) }"""


@pytest.mark.site
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "name,places",
    [
        ("notebooks/09_sae_against_baselines.html", ["article p", ".mosaic-table td", "article h1"]),
        (
            "claims.html",
            [".verdict", ".open-question", ".run-mark", ".expectation", "details.why summary", "article td"],
        ),
    ],
)
def test_text_is_readable_in_both_themes(browser, site, theme, name, places):
    page = browser.new_page(color_scheme=theme)
    page.goto(f"{site}/{name}", wait_until="networkidle")
    ratios = page.evaluate(CONTRAST, places)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    page.close()
    assert ratios and ratios[0][0] >= 4.5, ratios[:5]
