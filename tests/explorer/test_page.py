"""The page in headless Chromium, opened from the disk: addresses, search, keys, hostile texts, widths, contrast."""

import re
import time
from dataclasses import replace

import axe
import pytest
from explorer_made import HOSTILE, control, folder, panels

pytestmark = pytest.mark.site


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """{which: address of its index.html}"""
    root = tmp_path_factory.mktemp("pages")
    made = {"plain": None, "hostile": HOSTILE}
    return {name: folder(root / name, panels(words=words), words=words).as_uri() for name, words in made.items()}


@pytest.fixture
def page(browser, places):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(20_000)
    page.trouble = []
    page.on("console", lambda m: page.trouble.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    page.on("request", lambda r: page.trouble.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
    yield page
    page.close()


def until(page, holds: str, seconds: float = 30) -> None:
    """Wait until a JavaScript expression holds. Asked again and again: the page's policy lets no test wait inside it."""
    end = time.monotonic() + seconds
    while not page.evaluate(holds):
        assert time.monotonic() < end, f"never so: {holds}"
        page.wait_for_timeout(50)


def heading(page, text):
    page.locator("h1", has_text=text).wait_for()


def test_an_address_of_an_sae_without_pages_says_so_and_shows_no_other_latent(page, places):
    page.goto(places["plain"] + "#9/<b>/7")
    heading(page, "No page for this latent")
    assert "no SAE of layer 9, width <b>." in page.locator("main").inner_text()
    page.get_by_role("link", name="Latents of layer 3, width 1k").click()
    heading(page, "Latents of layer 3")
    assert page.trouble == []


def test_a_latents_address_opens_it_and_back_leads_back(page, places):
    page.goto(places["plain"] + "#3/1k/7")
    heading(page, "Latent 7")
    assert "word7" in page.locator("dl.facts").inner_text()
    page.locator("ol.near a").first.click()
    until(page, "!location.hash.endsWith('/7')")
    page.go_back()
    heading(page, "Latent 7")
    page.goto(places["plain"] + "#3/1k/39")
    heading(page, "Latent 39")
    assert "fires on none of the texts" in page.locator("main").inner_text()
    page.goto(places["plain"] + "#9/nonsense/%E0%A4%A/x")
    heading(page, "Latents of layer 3")
    page.locator("#sae").select_option("5/<b>")
    heading(page, "Latents of layer 5, width <b>")
    assert page.trouble == []


def test_search_filters_and_order(page, places):
    page.goto(places["plain"])
    heading(page, "Latents of layer 3")
    numbers = "[...document.querySelectorAll('ol.latents b')].map(b => Number(b.textContent))"
    assert page.evaluate(numbers) == list(range(39))
    page.locator("#search").fill("word7")
    found = page.evaluate(numbers)
    assert 7 in found and len(found) < 39
    page.locator("#search").fill("12")
    assert page.evaluate(numbers) == [12]
    page.locator("#search").fill("no such thing")
    assert page.evaluate(numbers) == [] and "0 latents of 39" in page.locator("main").inner_text()
    page.locator("#search").fill("")
    page.locator("#show").select_option("named")
    named = page.evaluate(numbers)
    assert named == [one["n"] for one in panels().records() if one["factor"]["named"] or one["name"]]
    page.locator("#show").select_option("all")
    page.locator("#sort").select_option("often")
    rates = {one["n"]: one["rate"] for one in panels().records()}
    assert page.evaluate(numbers) == sorted(rates, key=lambda n: (-rates[n], n))


def test_the_keyboard_alone_does(page, places):
    page.goto(places["plain"] + "#3/1k/7")
    heading(page, "Latent 7")
    page.keyboard.press("j")
    heading(page, "Latent 8")
    page.keyboard.press("ArrowLeft")
    heading(page, "Latent 7")
    page.keyboard.press("k")
    heading(page, "Latent 6")
    page.locator(".contexts p").first.focus()
    first = page.locator(".readout").inner_text()
    assert "100 % of the largest" in first
    page.keyboard.press("ArrowRight")
    assert page.locator("h1").inner_text().startswith("Latent 6"), "inside a context arrows step through its tokens"
    page.keyboard.press("/")
    heading(page, "Latents of layer 3")
    until(page, "document.activeElement.id === 'search'")
    page.keyboard.type("7j")
    assert page.locator("#search").input_value() == "7j", "letters typed are letters"
    page.keyboard.press("Enter")
    assert page.locator("h1").inner_text().startswith("Latents of"), "nothing was found"
    page.locator("#search").fill("12")
    composed = "new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true})"
    page.evaluate(f"document.querySelector('#search').dispatchEvent({composed})")
    page.wait_for_timeout(200)
    assert page.locator("h1").inner_text().startswith("Latents of"), "Enter ends a word that is being composed"
    page.keyboard.press("Enter")
    heading(page, "Latent 12")
    page.keyboard.press("Escape")
    heading(page, "Latents of layer 3")
    page.locator("#search").fill("")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    heading(page, "Latent 1")
    page.keyboard.press("Escape")
    heading(page, "Latents of layer 3")
    assert page.trouble == []


def test_hostile_texts_are_shown_and_do_not_run(page, places):
    for n in (0, 3, 7, 38):
        page.goto(f"{places['hostile']}#3/1k/{n}")
        heading(page, f"Latent {n}")
        page.locator(".contexts .token.fires").first.hover()
        page.keyboard.press("r")
        page.locator(".random .contexts .token.fires").first.hover()
        page.keyboard.press("r")
    page.goto(places["hostile"])
    heading(page, "Latents of layer 3")
    page.locator("#search").fill(HOSTILE[1])
    page.wait_for_timeout(100)
    assert page.evaluate("window.hacked") is None and page.trouble == []
    assert page.locator("main script, main img, main b b").count() == 0
    assert "<script>window.hacked" in page.locator("#about").inner_text()


@pytest.mark.parametrize("which", ["plain", "hostile"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_cut(page, places, width, which):
    page.set_viewport_size({"width": width, "height": 850})
    for place in ("", "#3/1k/7", "#5/%3Cb%3E/38"):
        page.goto("about:blank")
        page.goto(places[which] + place)
        page.locator("h1").wait_for()
        page.keyboard.press("r")
        until(page, "location.hash.split('/').length < 3 || document.querySelectorAll('.random .quiet').length > 5")
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, place
        assert page.evaluate("[...document.querySelectorAll('section')].every(s => s.scrollWidth <= s.clientWidth)"), (
            place
        )


CONTRAST = """() => {
  const number = text => { const p = text.match(/[\\d.]+/g).map(Number);
    return text.startsWith('color(srgb') ? [255 * p[0], 255 * p[1], 255 * p[2], p[3] ?? 1] : [p[0], p[1], p[2], p[3] ?? 1]; };
  const light = rgb => rgb.slice(0, 3).map(c => c / 255).map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const behind = e => { const layers = []; for (; e; e = e.parentElement) layers.push(number(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((under, [r, g, b, a]) => [r, g, b].map((c, i) => c * a + under[i] * (1 - a)), [255, 255, 255]); };
  return [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() &&
      [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && !e.closest('svg, :disabled, .skip, #status, option')).map(e => {
    const [a, b] = [light(number(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    return [(a + .05) / (b + .05), e.tagName + '.' + e.className, e.textContent.slice(0, 20)]; }).sort((x, y) => x[0] - y[0])[0] }"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_readable(page, places, theme):
    page.emulate_media(color_scheme=theme)
    for place in ("", "#3/1k/7"):
        page.goto(places["plain"] + place)
        page.locator("h1").wait_for()
        page.keyboard.press("r")
        page.wait_for_timeout(200)
        worst = page.evaluate(CONTRAST)
        assert worst[0] >= 4.5, worst
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (theme == "light")


def test_the_books_theme_comes_before_the_systems(page, places):
    page.goto(places["plain"])
    page.evaluate("localStorage.setItem('mode', 'dark')")
    page.reload()
    page.locator("h1").wait_for()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    page.evaluate("localStorage.clear()")


def test_a_missing_file_is_said(page, tmp_path):
    index = folder(tmp_path, panels())
    for path in (tmp_path / "data").glob("*.js"):
        if path.read_text(encoding="utf-8").startswith("mosaic.latents"):
            path.unlink()
    page.goto(index.as_uri() + "#3/1k/7")
    heading(page, "A file of this page is missing")
    assert re.search(r"data/[0-9a-f]{20}\.js could not be read", page.locator("main").inner_text())
    page.goto(folder(tmp_path, panels()).as_uri())
    heading(page, "Latents of layer 3")
    for path in (tmp_path / "data").glob("*.js"):
        path.write_text(path.read_text(encoding="utf-8").replace('"bins":', '"gone":'), encoding="utf-8")
    page.goto(index.as_uri() + "#3/1k/7")
    heading(page, "This page cannot be shown")
    assert "not of one version" in page.locator("main").inner_text()
    (tmp_path / "data" / "index.js").unlink()
    page.reload()
    assert "data/index.js could not be read" in page.locator("main").inner_text()


def test_partners_in_other_seeds_are_told(page, places):
    page.goto(places["plain"] + "#3/1k/8")
    heading(page, "Latent 8")
    section = page.locator("section", has=page.locator("h2", has_text="In SAEs of other seeds"))
    assert "Shared with 2 of 2 SAEs" in section.inner_text() and section.locator("tbody tr").count() == 2
    page.goto(places["plain"] + "#3/1k/9")
    heading(page, "Latent 9")
    assert "An orphan: shared with none of 2 SAEs" in section.inner_text()


def test_probes_that_use_it_are_told(page, places):
    page.goto(places["plain"] + "#3/1k/8")
    heading(page, "Latent 8")
    section = page.locator("section", has=page.locator("h2", has_text="Probes that use it"))
    cells = section.locator("tbody td").all_inner_texts()
    (_, _, coefficient, rank, top, same), *_ = next(one for one in panels().records() if one["n"] == 8)["probes"]
    assert cells[0] == " word0".strip() and cells[3] == f"{rank} of 39"
    assert cells[1] == ("against " if coefficient < 0 else "") + "word1" and cells[4:6] == [
        f"{top} of 5 folds",
        f"{same} of 5 folds",
    ]
    assert cells[6] == "0.90 (0.85 to 0.95)"
    page.goto(places["plain"] + "#3/1k/0")
    heading(page, "Latent 0")
    assert "None: it fires in no training text" in section.inner_text()


def test_every_panel_is_shown_beside_a_random_latents_on_demand(page, places):
    page.goto(places["plain"] + "#3/1k/8")
    heading(page, "Latent 8")
    assert page.locator(".random").count() == 0
    buttons = page.get_by_role("button", name="Beside a random latent")
    assert buttons.count() == page.locator(".panels > section").count() == 8
    buttons.nth(2).focus()
    page.keyboard.press("Enter")
    shown = page.locator(".random")
    shown.locator("h3", has_text="A random dictionary's latent, 104").wait_for()
    other = next(one for one in control().records() if one["n"] == 104)
    assert shown.locator(".contexts li").count() == len(other["contexts"])
    assert buttons.nth(2).get_attribute("aria-expanded") == "true"
    page.keyboard.press("j")
    heading(page, "Latent 9")
    shown.locator("h3", has_text="104").wait_for()
    assert shown.count() == 1, "the panel that was opened stays open at the next latent, the others stay closed"
    page.keyboard.press("j")
    shown.locator("h3", has_text="105").wait_for()
    page.keyboard.press("r")
    until(
        page,
        "document.querySelectorAll('.random h3').length >= 8 && ![...document.querySelectorAll('.random h3')].some(h => h.textContent === '…')",
    )
    assert shown.count() == 8 and page.locator(".random a").count() == 0, "random latents have no pages of their own"
    page.keyboard.press("r")
    assert shown.count() == 0 and page.trouble == []


def test_a_latent_without_a_random_one_has_no_button(page, tmp_path):
    index = folder(tmp_path, replace(panels(), twin={}))
    page.goto(index.as_uri() + "#3/1k/8")
    heading(page, "Latent 8")
    assert page.locator("section button").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(page, places, theme):
    page.emulate_media(color_scheme=theme)
    for place in ("", "#3/1k/8"):
        page.goto(places["plain"] + place)
        page.locator("h1").wait_for()
        page.keyboard.press("r")
        page.wait_for_timeout(300)
        assert axe.serious(page) == []
