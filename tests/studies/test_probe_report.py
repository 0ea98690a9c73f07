"""The report as a page: what is in it, that it works, that nothing in a file of texts runs, that it stays small."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import reports
import toy
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import expect
from reports import HOSTILE, made, nothing_ran, opened

from mosaic.errors import MosaicError
from mosaic.probing.saved import Prediction
from mosaic.probing.scores import Difference
from mosaic.reporting import pages
from mosaic.reporting.text_page import strip
from mosaic.studies import report_errors, report_settings, report_texts
from mosaic.studies.probe_report import answer
from mosaic.texts.labelled import LabelledTexts

PANELS = (
    "comparison",
    "confusion",
    "curves",
    "learning",
    "sparse",
    "latents",
    "errors",
    "repeated",
    "truncated",
    "settings",
    "cite",
)


@pytest.fixture(scope="module")
def report():
    return made(reports.hostile(toy.problem()), names={f"layer_4/width_2k/{i}": HOSTILE[0] for i in range(40)})


@pytest.fixture(scope="module")
def path(report, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(report.page())
    return path


@given(
    st.recursive(st.text(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
)
def test_data_comes_back_from_its_block_and_cannot_end_it(data):
    block = pages.as_block(data)
    assert json.loads(block) == data
    assert not re.search("[<>&\u2028\u2029]", block)


def test_the_policy_lets_in_the_pages_own_style_and_script_and_nothing_else(path):
    page = path.read_text(encoding="utf-8")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    policy = policy.replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "img-src" not in policy
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.S)
    script = re.findall(r"<script>(.*?)</script>", page, re.S)[-1]
    assert f"'sha256-{pages.digest(style)}'" in policy and f"'sha256-{pages.digest(script)}'" in policy
    assert not re.search(r'\sstyle="|\son\w+="', page) and page.count("<script") == 2


def test_nothing_in_texts_labels_and_names_runs(browser, path):
    with opened(browser, path) as page:
        assert nothing_ran(page)
        assert page.locator("h1").inner_text() == "<b onclick=alert(1)>.csv"
        for button in page.locator("button:visible").all():
            button.click()
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert nothing_ran(page)
        text = page.locator("main").inner_text()
        assert "\u202e" not in text and "\\u202e" in text, "direction marks are shown as escapes"
        assert "{{ 7 * 7 }}" in page.locator("#data").text_content(), "a text is no template"


def test_markup_from_elsewhere_would_not_run_even_if_it_came_through(browser, path, tmp_path):
    """The policy by itself: with a script put into the page, nothing runs and something is said."""
    broken = tmp_path / "broken.html"
    broken.write_text(
        path.read_text(encoding="utf-8").replace("<header", "<script>window.pwned=9</script><header", 1),
        encoding="utf-8",
    )
    with opened(browser, broken) as page:
        assert page.evaluate("window.pwned") is None and "Content Security Policy" in " ".join(page.trouble)
        assert (
            page.evaluate(
                "(() => {try {document.body.innerHTML = '<p>'; return 'set'} catch (e) {return 'refused'}})()"
            )
            == "refused"
        )


def test_every_panel_is_there_with_words_for_every_figure(browser, path):
    with opened(browser, path) as page:
        for name in PANELS:
            assert page.locator(f"#{name}").is_visible(), name
        told = [one.get_attribute("aria-label") for one in page.locator("svg").all()]
        assert len(told) == 4
        for words, begin in zip(
            told,
            ("Macro-F1 on test with", "Difference in", "Macro-F1 on test against", "Macro-F1 on test of"),
            strict=True,
        ):
            assert words.startswith(begin) and re.search(r"\d\.\d\d", words)
        assert page.locator(".answer li").count() == 3
        assert page.locator(".latent").count() == 4 and page.locator("mark").count() > 8
        assert page.locator("#versions, #settings").inner_text().count("scikit-learn") == 1


def test_tables_sort_both_ways_numbers_as_numbers(browser, path):
    with opened(browser, path) as page:
        page.locator("summary", has_text="Every setting").click()
        table = page.locator("#all-settings")
        column = [h.strip() for h in table.locator("thead th").all_inner_texts()].index("macro-F1")

        def values():
            return [float(row.locator("td").nth(column).inner_text()) for row in table.locator("tbody tr").all()]

        button = table.locator("thead th").nth(column).locator("button")
        before = values()
        button.click()
        assert (
            values() == sorted(before, reverse=True) and button.locator("..").get_attribute("aria-sort") == "descending"
        )
        button.focus()
        page.keyboard.press("Enter")
        assert values() == sorted(before) and button.locator("..").get_attribute("aria-sort") == "ascending"
        assert page.locator("#all-settings [aria-sort]").count() == 1
        paired = page.locator("table.sortable").first
        paired.locator("thead button").nth(1).click()
        shown = [
            float(t.replace("\N{MINUS SIGN}", "-"))
            for t in paired.locator("tbody tr td:nth-child(2)").all_inner_texts()
        ]
        assert shown == sorted(shown, reverse=True)


def test_errors_are_the_wrong_ones_and_can_be_filtered_and_searched(browser, path, report):
    truth, said = report.problem.test.labels, report.predicted.labels
    wrong = np.flatnonzero(truth != said)
    assert len(wrong) > 3, "the made-up problem has errors to look at"
    a, b = report.probe.classes
    n_ab = int(((truth == a) & (said == b)).sum())
    with opened(browser, path) as page:
        found = page.locator("#found")
        assert found.inner_text().startswith(f"{len(wrong)} of {len(wrong)} errors")
        page.locator("#of-true").select_option(index=1)
        page.locator("#of-predicted").select_option(index=2)
        assert found.inner_text().startswith(f"{n_ab} of ") and page.locator("#list > li").count() == min(n_ab, 20)
        for head in page.locator("#list .head bdi").all_inner_texts()[:2]:
            assert head in (a, b)
        page.locator("#of-predicted").select_option(index=1)
        assert found.inner_text().startswith("0 of ")
        page.get_by_role("button", name="Show all").click()
        expect(found).to_have_text(
            re.compile(f"^{len(wrong)} of ")
        )  # no function to wait for: the page allows no script but its own
        page.locator("#of-text").fill(report.problem.test.texts[wrong[0]].split()[1])
        assert f"test text {wrong[0] + 1}:" in page.locator("#list").inner_text()
        page.locator("#of-text").fill("no such words in any text")
        assert found.inner_text().startswith("0 of ")
        page.locator(".matrix button").first.click()
        assert not found.inner_text().startswith("0 of ") and page.locator("#of-text").input_value() == ""
        assert nothing_ran(page)


def test_what_led_an_error_is_what_the_probe_says(report):
    errors = report_errors.embedded(report.problem.test, report.predicted, {})
    wrong = np.flatnonzero(report.predicted.labels != report.problem.test.labels)
    assert [row[0] for row in errors.data["errors"]] == wrong.tolist() and errors.n == errors.shown == len(wrong)
    row = errors.data["errors"][0]
    leading = [(f"layer_4/width_2k/{errors.data['latents'][i][0]}", value) for i, value in row[7]]
    assert leading == [(name, round(value, 3)) for name, value in report.predicted.leading[wrong[0]]]


def test_tokens_are_reached_by_keyboard_one_stop_a_line(browser, path):
    with opened(browser, path) as page:
        line = page.locator(".strip").first
        assert line.locator("mark[tabindex='0']").count() == 1
        line.locator("mark").first.focus()
        value = page.evaluate("getComputedStyle(document.activeElement, '::after').content")
        assert re.search(r"\d", value)
        page.keyboard.press("ArrowRight")
        assert (
            page.evaluate(
                "[...document.activeElement.parentElement.querySelectorAll('mark')].indexOf(document.activeElement)"
            )
            == 1
        )
        assert line.locator("mark[tabindex='0']").count() == 1


CONTRAST = """() => {
  const rgb = text => { const n = text.match(/[\\d.]+/g).map(Number); return [...n.slice(0, 3), n.length > 3 ? n[3] : 1]; };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const under = e => { const layers = []; for (; e; e = e.parentElement) layers.push(rgb(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((below, [r, g, b, a]) => [r, g, b].map((v, i) => v * a + below[i] * (1 - a)), [255, 255, 255]); };
  const poor = [];
  for (const e of document.querySelectorAll('body *')) {
    if (e.closest('svg') || !e.checkVisibility() || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(under(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) poor.push(`${e.tagName}.${e.className} ${((a + .05) / (b + .05)).toFixed(2)}`);
  }
  return [...new Set(poor)];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_screen_and_can_be_read(browser, path, scheme, width):
    with opened(browser, path, viewport={"width": width, "height": 844}, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CONTRAST) == []
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (colour == "rgb(255, 255, 255)") == (scheme == "light")
        page.emulate_media(media="print")
        assert not page.locator("nav").is_visible()


def test_ten_thousand_long_texts_stay_within_fifteen_megabytes(report):
    """All of them wrong, each longer than the page shows, in letters of three bytes."""
    n = 10_000
    test = LabelledTexts("t", [f"{i} " + "漢" * 3000 for i in range(n)], np.array(["a"] * n, dtype=object))
    leading = [[(f"layer_4/width_2k/{(i * 5 + j) % 16384}", 0.123456) for j in range(5)] for i in range(n)]
    predicted = Prediction(("a", "b"), np.array(["b"] * n, dtype=object), np.full((n, 2), 0.5), leading)
    errors = report_errors.embedded(test, predicted, {})
    assert errors.n == n and 1000 < errors.shown < n and errors.n_cut == errors.shown
    rows = [row[0] for row in errors.data["errors"]]
    assert rows[0] == 0 and rows[-1] == n - 1 and max(np.diff(rows)) - min(np.diff(rows)) <= 1, "spread evenly"
    size = len(pages.as_block(errors.data).encode())
    assert report_errors.BYTES * 0.7 < size < report_errors.BYTES * 1.2

    class Long(type(report)):
        predicted = None

    long = object.__new__(Long)
    long.__dict__.update({**report.__dict__, "predicted": predicted, "problem": replace(report.problem, test=test)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Long, "_confusion", lambda self: report._confusion())
        patch.setattr("mosaic.studies.probe_report.cautions", lambda problem: [])
        patch.setattr(
            "mosaic.studies.report_texts.texts", lambda problem, keep=report_texts.texts: keep(report.problem)
        )
        page = long.page()
    assert len(page) < 15_000_000
    assert f"The page holds {errors.shown:,} of these errors" in page.decode()


def test_a_text_that_alone_is_too_long_leaves_no_error():
    test = LabelledTexts("t", ["x" * 1400], np.array(["a"], dtype=object))
    predicted = Prediction(("a", "b"), np.array(["b"], dtype=object), np.full((1, 2), 0.5), [[]])
    assert report_errors.embedded(test, predicted, {}, limit=100).shown == 0
    assert report_errors.embedded(test, predicted, {}, limit=2000).shown == 1


def test_the_same_report_is_the_same_bytes_and_has_no_time(report, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    page = report.page()
    assert page == report.page() and report_settings.day() == "" and b"  year" not in page
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert (
        b"Report of <code>mosaic probe</code>, 2023-11-14" in report.page()
        and "year    = {2023}" in report.page().decode()
    )
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(MosaicError, match="SOURCE_DATE_EPOCH is 'yesterday'; seconds since 1970"):
        report_settings.day()


def test_no_path_of_the_machine_is_on_the_page(tmp_path):
    assert report_settings.public(str(tmp_path / "models" / "mine")) == "mine"
    assert report_settings.titled(f"{tmp_path} with 1 SAE", str(tmp_path)) == f"{tmp_path.name} with 1 SAE"
    assert report_settings.public("google/gemma-2-2b") == "google/gemma-2-2b"


def test_what_draws_for_the_book_is_not_needed():
    """`mosaic probe` runs without the extra [book]."""
    import subprocess
    import sys

    code = (
        "import sys; sys.modules.update(matplotlib=None, seaborn=None, jupyter_book=None)\n"
        "import reports, toy; assert b'Learning curve' in reports.made(toy.problem()).page()"
    )
    path = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_it_is_cited_as_the_project_says():
    import yaml

    said = yaml.safe_load((Path(__file__).parents[2] / "CITATION.cff").read_text(encoding="utf-8"))
    assert report_settings.cite(made_run())["text"] == f"{said['title']}, version {said['version']}. Software."
    assert said["authors"][0]["name"] in report_settings.cite(made_run())["bibtex"]
    for paper, reference in zip(report_settings.PAPERS, said["references"], strict=True):
        assert reference["title"] in paper and reference["notes"] in paper and str(reference["year"]) in paper
        assert all(one["family-names"] in paper for one in reference["authors"])


def made_run():
    return report_settings.Run((), "p", "hub/id", (), (), 0)


def test_the_answer_goes_by_the_sign_and_the_interval(report):
    best = next(r for r in report.results if r.selected)
    found = {
        "hidden": Difference(0.1, 0.05, 0.2, 0.01),
        "tfidf": Difference(0.1, -0.05, 0.2, 0.3),
        "majority": Difference(-0.2, -0.3, -0.1, 0.01),
    }
    first, *others = answer(best, found, 80)
    assert first.startswith("On 80 test texts, a linear probe on SAE features reaches a macro-F1 of ")
    assert others == [
        "SAE features do better than hidden states (+0.100, 95 % interval +0.050 to +0.200).",
        "These texts do not decide between SAE features and TF-IDF (+0.100, 95 % interval −0.050 to +0.200).",
        "SAE features do worse than the majority class (−0.200, 95 % interval −0.300 to −0.100).",
    ]


def test_repeated_and_cut_texts_are_told_those_that_disagree_first():
    problem = toy.problem(20, 10)
    texts = [*problem.train.texts]
    texts[1:3] = [texts[0]] * 2
    texts[5] = texts[4]
    labels = problem.train.labels.copy()
    labels[:3], labels[4:6] = "a", ["a", "b"]
    table = replace(problem.tables[0], truncated=np.arange(30) == 7)
    problem = replace(problem, train=replace(problem.train, texts=texts, labels=labels), tables=(table,))
    found = report_texts.texts(problem)
    assert (found["n_repeated"], found["n_rows"], found["n_torn"], found["n_cut"]) == (2, 5, 1, 1)
    assert [(row["n"], row["labels"]) for row in found["repeated"]] == [(2, "a, b"), (3, "a")]
    assert found["cut"][0]["text"] == texts[7]


def test_shades_are_shares_of_the_largest_of_all_passages():
    passage = reports.Passage("x", ("a", " b", " c"), (0.0, 1.0, 2.0), True, False)
    assert [t["shade"] for t in strip(passage)["tokens"]] == [0, 5, 9]
    assert [t["shade"] for t in strip(passage, "", 4.0)["tokens"]] == [0, 3, 5]
    assert [t["shade"] for t in strip(replace(passage, activations=(0.0, 0.0, 0.0)))["tokens"]] == [0, 0, 0]
