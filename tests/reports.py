"""A report of a made-up problem, without a model; and what the tests hold a page to in the browser."""

import re
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import toy

from mosaic.interpretation.passages import Passage
from mosaic.models.language import ModelSpec
from mosaic.probing import comparison, learning
from mosaic.probing.curves import SIZES
from mosaic.probing.examine import k_sparse, top_latents
from mosaic.probing.problem import Problem
from mosaic.probing.said import best_linear
from mosaic.probing.saved import SavedProbe
from mosaic.profiles.profile import Profile, Shape
from mosaic.saes.source import SAESource
from mosaic.studies.probe_report import Report
from mosaic.studies.report_settings import Run

SAES = tuple(SAESource(4, width, release="r", id=width) for width in ("2k", "8k"))
PROFILE = Profile("toy", "a toy", ModelSpec("hub/id"), Shape(4, 8, 1, 1), SAES, ("max",), (), 4, "2k")
MADE = {
    "model": "hub/id", "revision": None, "model_weights": "0" * 32, "tokenizer": "1" * 32, "dtype": "float32", "specials": False,
    "device": "cpu", "products": "float32",
}  # fmt: skip

# What a hostile file may hold. Each would set `window.pwned`, open a dialog or ask for something, if it ran.
HOSTILE = (
    "<script>window.pwned=1;alert(1)</script>",
    '"><img src=x onerror="window.pwned=2;alert(2)">',
    "</script><script>window.pwned=3</script>",
    "<!--<script>",
    "--></script><svg onload=window.pwned=4>",
    "';window.pwned=5;//",
    "\u202eevil\u202c \u2066isolated\u2069 \x00\x1b[31m",
    "{{ 7 * 7 }}{% raw %}",
    '<iframe src="https://example.invalid/"></iframe><link rel=stylesheet href=//example.invalid/a.css>',
    "<style>*{background:url(//example.invalid/b)}</style>",
    "</textarea></title></style></template><base href=//example.invalid/>",
    "javascript:window.pwned=6 &lt;b&gt; \u2028 \u2029",
)


def hostile(problem: Problem) -> Problem:
    """The same with hostile texts and labels."""
    labels = {"a": f"a {HOSTILE[2]}", "b": f"b {HOSTILE[1]}"}

    # Every third test text is labelled wrongly, so that there are errors to look at, one of each hostile text.
    other = {"a": "b", "b": "a"}
    flipped = [other[x] if i % 3 == 1 else x for i, x in enumerate(problem.test.labels)]
    problem = replace(problem, test=replace(problem.test, labels=np.array(flipped, dtype=object)))

    def part(one, start):
        texts = [f"{text} {HOSTILE[(start + i // 3) % len(HOSTILE)]}" for i, text in enumerate(one.texts)]
        return replace(
            one,
            name="<b onclick=alert(1)>.csv",
            texts=texts,
            labels=np.array([labels[x] for x in one.labels], dtype=object),
        )

    return replace(problem, train=part(problem.train, 0), test=part(problem.test, 5))


def made(problem: Problem | None = None, names=None, files=()) -> Report:
    """A whole report; the problem's tables get the provenance that a model would give them."""
    problem = problem or toy.problem()
    problem = replace(problem, tables=tuple(replace(t, provenance={**t.provenance, **MADE}) for t in problem.tables))
    results = comparison.evaluate(problem, trees=False)
    latents = top_latents(problem, best_linear(results), 4)
    passages = {
        int(one.name.rsplit("/", 1)[1]): [
            Passage(
                text,
                tuple(re.findall(r"\s*\S+", text)),
                tuple(0.5 * (i % 3) for i in range(len(text.split()))),
                True,
                False,
            )
            for text in one.examples
        ]
        for one in latents
    }
    curve = learning.learning_curve(problem, results, rates=(0.2, 0.5))
    sparse = k_sparse(problem, best_linear(results), SIZES[:4])
    run = Run(tuple(files), "a toy", "hub/id", ((4, "2k", "r/2k"),), (("text column", HOSTILE[1]),), curve.n_fits)
    return Report(
        problem, results, SavedProbe.of(problem, results, PROFILE), curve, sparse, latents, passages, names or {}, run
    )


@contextmanager
def opened(browser, path, **settings):
    """The file in a page of its own. `trouble`: errors, dialogs, requests of anything but the file itself."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.trouble = []
    page.on("console", lambda m: page.trouble.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    page.on("request", lambda r: page.trouble.append(r.url) if r.url != path.as_uri() else None)

    def dismissed(dialog):
        page.trouble.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", dismissed)
    page.goto(path.as_uri())
    yield page
    context.close()


def nothing_ran(page) -> bool:
    """No dialog, error or request; no global set; no element or handler that the template does not have."""
    foreign = page.evaluate(
        """() => [...document.querySelectorAll('img,iframe,link,object,embed,base,video,audio,b,[onclick],[onload],[onerror]')]
        .map(e => e.outerHTML)"""
    )
    assert page.trouble == [] and foreign == [], (page.trouble, foreign)
    assert page.evaluate("document.scripts.length") == 2
    return page.evaluate("window.pwned") is None
