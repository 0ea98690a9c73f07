"""The page in a real browser: what it computes is what Python computes, and it works as a person would use it."""

import json
from pathlib import Path

import numpy as np
import pytest

from mosaic.playground.offered import POOLINGS
from mosaic.world.lexicon import LANGUAGES

pytestmark = [pytest.mark.site, pytest.mark.timeout(600)]
ROOT = Path(__file__).parent.parent.parent
CLOSE = 1e-4
NEAR = 2e-5  # more than a pooled value differs between browser and Python
HOSTILE = (
    "<script>window.hacked = true</script>", "<img src=x onerror='window.hacked = true'>", "a", ".", "▁▁ ▁x", "  two  spaces ",
    "one\ntwo\n\nthree", "tab\there", "naïve café", "👩‍👩‍👧 🙂", "<bos> you are stupid", "你很笨。不是吗？", "e\u0301 \u200b zero",
    "UPPER lower", "12345 67.8", "«a» „b“ “c”", "the " * 60, "\\u003c/script>",
)  # fmt: skip


def texts() -> list[str]:
    """Two hundred: of the miniature's five languages, and some that it never saw."""
    from mosaic.world import sets

    own = [row.text for language in LANGUAGES for row in sets.truths(language, 12, seed=5)][: 48 * len(LANGUAGES)]
    return [*own[:: len(own) // (200 - len(HOSTILE)) or 1][: 200 - len(HOSTILE)], *HOSTILE]


def opened_page(page, address, **address_of):
    from urllib.parse import urlencode

    page.goto(
        f"{address}playground.html" + (f"#{urlencode(address_of)}" if address_of else ""), wait_until="networkidle"
    )
    page.wait_for_selector(".pg-token")
    return page


def test_two_hundred_texts_come_out_as_in_python(page, address, made, opened, with_runtime):
    """Tokens equal; latents within 1e-4 (one that stands that near its threshold may be on here and off there); answers too."""
    from mosaic.models.residuals import at_real_tokens

    _, lm, saes = opened
    given, about = texts(), made[1]["models"][0]
    assert len(given) == 200
    opened_page(page, address)
    found = page.evaluate(
        """async texts => { const m = mosaicPlayground.models.get('mini');
        return Promise.all(texts.map(t => m.analyse(t))) }""",
        given,
    )
    tokens, edge = lm.tokenize(given), np.zeros(len(given), dtype=int)
    codes = {sae.layer: [] for sae in saes}
    for i, one in enumerate(found):
        real = tokens.ids[i][~tokens.special[i]]
        assert one["ids"] == real.tolist(), given[i]
        assert one["cut"] == bool(tokens.truncated[i])
        rows, _ = at_real_tokens(lm, tokens, [i], [sae.layer for sae in saes])
        for sae in saes:
            here = sae.encode(rows[sae.layer]).toarray()
            there = np.zeros_like(here)
            for t, row in enumerate(one["codes"][str(sae.layer)]):
                for latent, value in row:
                    there[t, latent] = value
            differ = np.abs(here - there) > CLOSE
            near = np.maximum(here, there) - sae.threshold.numpy() < CLOSE
            assert not (differ & ~near).any(), given[i]
            edge[i] += differ.sum()
            codes[sae.layer].append(here)
    assert edge.sum() <= 3, "hardly any latent stands at its threshold"
    assert page.evaluate("window.hacked") is None and page.trouble == []
    answers_agree(page, made[0], about, given, codes, edge == 0)


def answers_agree(page, folder, about, given, codes, same):
    """Every probe of every setting: the same answer, probabilities within 1e-3, unless a value stands at a threshold."""
    for question in about["questions"]:
        said = page.evaluate(
            """async ([texts, name]) => { const { pool, answer, probeOf } = mosaicPlayground, m = mosaicPlayground.models.get('mini');
            const q = m.about.questions.find(q => q.name === name), out = [];
            for (const s of q.settings) { const probe = await probeOf(m, s);
              out.push(await Promise.all(texts.map(async t => { const one = await m.analyse(t);
                return answer(pool(one.codes[s.layer], s.pooling), probe, q.classes.length, s.threshold, new Set()).probabilities }))); }
            return out }""",
            [given, question["name"]],
        )
        assert len(said) == len(POOLINGS) * 3 * 2
        for setting, there in zip(question["settings"], np.array(said), strict=True):
            here, sure = python_answers(codes[setting["layer"]], setting, folder / "mini" / setting["file"])
            sure &= same
            assert sure.mean() > 0.9, (setting["layer"], setting["pooling"], setting["threshold"])
            assert np.abs(here - there)[sure].max() < 1e-3, (setting["layer"], setting["pooling"])
            clear = sure & (np.diff(np.sort(here, axis=1)[:, -2:]).ravel() > 2e-3)
            assert (here.argmax(1) == there.argmax(1))[clear].all() and clear.mean() > 0.8


def python_answers(codes: list[np.ndarray], setting: dict, file: Path) -> tuple[np.ndarray, np.ndarray]:
    """([n, n_classes] probabilities, [n] bool: whether no pooled value of the text stands at the threshold)."""
    from scipy.sparse import csr_matrix
    from scipy.special import expit, softmax

    from mosaic.features.pooling import pool_sparse

    probe, pooling = json.loads(file.read_text()), setting["pooling"]
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows in codes])])
    pooled = pool_sparse(csr_matrix(np.concatenate(codes)), starts, [pooling])[pooling]
    x, sure = pooled.toarray()[:, probe["columns"]].astype(np.float64), np.ones(len(codes), dtype=bool)
    if setting["binarized"]:
        if setting["threshold"] > 0 and pooling != "count":  # counts are whole numbers, and above 0 is active
            sure = ~(np.abs(x - setting["threshold"]) < NEAR).any(1)
        x = (x > setting["threshold"]).astype(float)
    scores = x @ np.array(probe["weights"]).T + probe["intercept"]
    return (np.hstack([expit(-scores), expit(scores)]) if scores.shape[1] == 1 else softmax(scores, 1)), sure


def test_the_page_shows_the_first_pair_and_loads_no_model_until_somebody_types(page, address, with_runtime):
    opened_page(page, address)
    assert page.locator(".pg-verdict").count() == 2
    page.get_by_role("button", name="Two languages").click()
    page.wait_for_function("document.querySelector('#pg-text-1').value.startsWith('du')")
    page.wait_for_function("document.querySelectorAll('.pg-sentence')[1].textContent.includes('dumm')")
    assert not [url for url in page.asked if url.endswith((".wasm", ".onnx", ".mjs"))]
    page.locator("#pg-text-0").press_sequentially(" the film is not boring.")
    page.wait_for_function("document.querySelector('.pg-status').textContent.includes('Computed')")
    assert [url for url in page.asked if url.endswith(".onnx")]
    assert page.trouble == []


def verdict(page, sentence: int = 0) -> str:
    return page.locator(".pg-verdict strong").nth(sentence).inner_text()


def test_typed_switched_off_and_on_again(page, address, made, with_runtime):
    """As a person would: type a sentence, switch off what speaks for its answer until the answer changes, switch all on again.

    With every latent off the probe's constant decides; a sentence is typed of which the probe says something else.
    """
    opened_page(page, address)
    model = made[1]["models"][0]
    question = next(q for q in model["questions"] if q["name"] == "mini-toxicity")
    constant = page.locator(".pg-sum").first.inner_text().split("constant ")[1].split(",")[0]
    focus = page.locator(".pg-class[aria-pressed=true] .pg-class-name").first.inner_text()
    alone = next(c for c in question["classes"] if (c == focus) == constant.startswith("+"))
    page.locator("#pg-two").click()
    first = alone
    for text in [one["text"] for one in question["examples"]] + [t for pair in model["pairs"] for t in pair["texts"]]:
        page.locator("#pg-text-0").fill(f"{text} ")
        page.wait_for_function(
            "([text, models]) => models.get('mini').texts.has(text) && document.querySelector('.pg-answer').textContent",
            arg=[f"{text} ", page.evaluate_handle("mosaicPlayground.models")],
        )
        page.wait_for_timeout(200)
        if (first := verdict(page)) != alone:
            break
    assert first != alone and "Computed" in page.locator(".pg-status").inner_text()
    pressed = page.locator(".pg-class[aria-pressed=true] .pg-class-name").first
    assert pressed.inner_text() == focus, "of two classes the signs stay as they are while one types"
    page.locator(".pg-class", has=page.get_by_text(first, exact=True)).first.click()
    page.get_by_role("button", name="more").click()
    before = page.locator("p.pg-spoken").inner_text()
    speaking = "tr:not(.pg-off):has(.pg-for) .pg-switch"
    while verdict(page) == first and page.locator(speaking).count():
        page.locator(speaking).first.focus()
        key = page.evaluate("document.activeElement.dataset.key")
        page.keyboard.press("Space")
        page.wait_for_function("key => !document.querySelector(`[data-key='${key}']`).checked", arg=key)
        page.wait_for_timeout(30)
        assert page.evaluate("document.activeElement.dataset.key") == key, "the focus stays on the switch"
    assert verdict(page) == alone, page.locator(".pg-latents").inner_text()
    assert f"(was {first}" in page.locator(".pg-was").first.inner_text()
    assert page.locator("p.pg-spoken").inner_text() != before
    assert f"before the change it was {first}" in page.locator("p.pg-spoken").inner_text()
    page.get_by_role("button", name="Switch all on").click()
    page.wait_for_function("!document.querySelector('.pg-was')")
    assert verdict(page) == first and page.trouble == []


def test_settings_sentences_and_the_address(page, address, made, with_runtime):
    opened_page(page, address)
    assert page.locator(".pg-sentence:visible").count() == 2
    page.locator("label.pg-choice", has_text="last").click()
    page.locator("label.pg-choice", has_text="on or off").click()
    slider = page.locator("#pg-threshold")
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_function(
        "document.querySelectorAll('.pg-table tbody tr').length === 0 || document.querySelector('.pg-was')"
    )
    page.get_by_role("button", name="back to").click()
    page.locator(".pg-token").first.click()
    assert page.locator(".pg-token[aria-pressed=true]").count() == 1
    assert "Latents on" in page.locator(".pg-heading").inner_text()
    page.locator("#pg-two").click()
    assert page.locator(".pg-sentence:visible").count() == 1
    question = made[1]["models"][0]["questions"][1]
    page.locator("label.pg-choice", has_text=question["asks"]).click()
    page.wait_for_function("q => location.hash.includes(q)", arg=question["name"])
    shared = page.evaluate("location.hash")
    again = page.context.new_page()  # as another reader opens it
    again.goto(f"{address}playground.html{shared}", wait_until="networkidle")
    again.wait_for_selector(".pg-token")
    assert again.locator("#pg-text-0").input_value() == page.locator("#pg-text-0").input_value()
    assert again.locator("input[name=pg-question]:checked").get_attribute("value") == question["name"]
    again.close()
    assert page.trouble == []


def test_a_shared_sentence_waits_for_the_reader_before_a_model_loads(page, address, with_runtime):
    page.goto(f"{address}playground.html#a=you+are+not+clever.", wait_until="networkidle")
    page.goto(
        f"{address}playground.html#m=mini&q=mini-toxicity&l=3&p=max&a=you+are+not+clever.", wait_until="networkidle"
    )
    assert not [url for url in page.asked if url.endswith(".onnx")]
    page.get_by_role("button", name="Load it").click()
    page.wait_for_selector(".pg-verdict")
    assert verdict(page) in ("fine", "toxic") and page.trouble == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_readable_and_nothing_is_cut(browser, address, made, theme):
    page = browser.new_page(color_scheme=theme, viewport={"width": 1280, "height": 1000})
    page.goto(f"{address}playground.html", wait_until="networkidle")
    page.wait_for_selector(".pg-token")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
    ratios = page.evaluate(CONTRAST)
    page.close()
    assert len(ratios) > 40 and ratios[0][0] >= 4.5, ratios[:5]


CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = c => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1);
    const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255] };
  const over = (f, b) => f.slice(0, 3).map((v, i) => v * f[3] + b[i] * (1 - f[3]));
  const behind = e => { const above = []; for (; e; e = e.parentElement) above.push(rgba(getComputedStyle(e).backgroundColor));
    return above.reverse().reduce((b, f) => over(f, b), [255, 255, 255]) };
  const lum = c => { const v = c.map(x => { x /= 255; return x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4 });
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2] };
  return [...document.querySelectorAll('.playground *')].filter(e => e.checkVisibility()
      && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())).map(e => {
    const b = behind(e), f = over(rgba(getComputedStyle(e).color), b), [x, y] = [lum(f), lum(b)];
    return [(Math.max(x, y) + .05) / (Math.min(x, y) + .05), e.className, e.textContent.slice(0, 30)] }).sort((a, b) => a[0] - b[0]) }"""


def test_opened_as_a_file_it_names_the_command(browser, pages):
    page = browser.new_page()
    page.goto((pages / "playground.html").as_uri())
    said = page.locator(".pg-note").inner_text()
    page.close()
    assert "mosaic serve --profile mini" in said


def test_without_what_it_loads_the_page_says_so(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    from mosaic_playground import ABSENT, markup

    assert ABSENT in markup(tmp_path / "nowhere", "mini")
    (tmp_path / "playground.json").write_text(json.dumps({"models": [], "missing": ["</script><b>no npm"]}))
    said = markup(tmp_path, "mini")
    assert said.count("</script>") == 1 and "no npm" in said


def test_the_tokens_of_minilm_are_those_of_python(page, address, with_runtime):
    """Its tokenizer alone, which is of another kind (WordPiece, lower case, [SEP] behind); the weights are not loaded."""
    from mosaic.errors import MosaicError
    from mosaic.playground import tokenizer
    from mosaic.profiles.opening import load_model
    from mosaic.profiles.profile import load_profile

    try:
        lm = load_model(load_profile("minilm"))
    except MosaicError as error:
        pytest.skip(str(error))
    given = [text for text in texts() if "<bos>" not in text] + ["don't we, [SEP] re-open it?", "unbelievably " * 400]
    page.goto(f"{address}playground.html", wait_until="networkidle")
    found = page.evaluate(
        """async ([texts, files, about]) => {
        const { Tokenizer } = await import(new URL('playground/runtime/tokenizers.min.mjs', document.baseURI).href);
        const m = new mosaicPlayground.Model(about);
        m.tokenizer = new Tokenizer(files.tokenizer, files.config);
        return texts.map(text => m.tokenize(text).ids) }""",
        [given, tokenizer.for_browser(lm), {"max_length": lm.spec.max_length, "special": tokenizer.around(lm)}],
    )
    assert found == [ids.tolist() for ids in lm.tokenize(given).ids]
    assert len(found[-1]) == lm.spec.max_length and found[-1][-1] == lm.tokenizer.sep_token_id
