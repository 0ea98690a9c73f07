"""Sphinx extension: what search engines, link previews and readers who cite see of a page: description, title, card, the
commit at the foot, a box that says how to cite.

The card is drawn from this run's verdicts. MOSAIC_SITE, where the site's own address is known, makes its address whole.
"""

import html
import os
import posixpath
import re
from collections import Counter
from pathlib import Path

import yaml
from docutils import nodes
from mosaic_results import folder, profile_name
from sphinx.util.docutils import SphinxDirective

from mosaic.reporting import claims, verdicts

CARD = "_static/card.png"
LONGEST = 200  # characters of a description
CITATION = Path("CITATION.cff")
COLOURS = {
    "reproduced": "#1c786d", "holds here": "#1c786d", "undecided": "#65469e", "does not hold here": "#b5441c",
    "not reproduced": "#b5441c",
}  # fmt: skip
REST = "#5c656e"


def description(doctree) -> str:
    """A page's first paragraph, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree is not None else ():
        text = " ".join(paragraph.astext().split())
        if len(text) > 40:
            return text if len(text) <= LONGEST else text[: text.rindex(" ", 0, LONGEST)] + " …"
    return ""


def tags(title: str, said: str, card: str) -> str:
    """The meta elements of a page's head."""
    found = [("name", "description", said)] if said else []
    found += [("property", "og:title", title), ("property", "og:type", "article"), ("property", "og:image", card)]
    found += [("property", "og:description", said)] if said else []
    found += [("property", "og:site_name", "MOSAIC, the companion"), ("name", "twitter:card", "summary_large_image")]
    return "".join(
        f'<meta {kind}="{name}" content="{html.escape(text, quote=True)}" />\n' for kind, name, text in found
    )


def add_tags(app, pagename, templatename, context, doctree):
    up = posixpath.relpath(CARD, posixpath.dirname(pagename) or ".")
    site = os.environ.get("MOSAIC_SITE", "").rstrip("/")
    title = str(context.get("title") or "MOSAIC, the companion")
    title = html.unescape(re.sub("<[^>]*>", "", title))
    shown = tags(title, description(doctree), f"{site}/{CARD}" if site else up)
    context["metatags"] = (context.get("metatags") or "") + shown


def foot(app, config):
    """The commit and its date, at every page's foot."""
    commit, date = os.environ.get("MOSAIC_COMMIT", ""), os.environ.get("MOSAIC_DATE", "")
    parts = [f"profile {profile_name()}", f"commit {commit}" if commit else "", date]
    said = ", ".join(filter(None, parts))
    options = config.html_theme_options
    options["extra_footer"] = f"{options.get('extra_footer', '')}<p>Built from {html.escape(said)}.</p>"


def tally() -> dict[str, int]:
    """{verdict: how many claims} on this site's profile."""
    counts = Counter(verdict.verdict for verdict in verdicts.judge_all(profile_name(), folder()))
    return {name: counts[name] for name in claims.VERDICTS if counts[name]}


def draw_card(path: Path, counts: dict[str, int]) -> None:
    """1,200 by 630 pixels: the title, and a bar of what became of the published claims. The same bytes for the same counts."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(12, 6.3), dpi=100, facecolor="white")
        figure.text(0.06, 0.8, "MOSAIC, the companion", fontsize=40, color="#1b1f24")
        figure.text(0.06, 0.69, "How well do sparse-autoencoder features classify text?", fontsize=23, color="#3b434b")
        ax = figure.add_axes((0.06, 0.36, 0.88, 0.16))
        ax.axis("off")
        left = 0
        for i, (name, n) in enumerate(counts.items()):
            ax.barh([0], [n], left=left, color=COLOURS.get(name, REST), edgecolor="white", height=1)
            left += n
            said = {"x": 0.06 + 0.44 * (i % 2), "y": 0.25 - 0.08 * (i // 2)}
            figure.text(**said, s=f"{n} {name}", fontsize=20, color=COLOURS.get(name, REST))
        ax.set_xlim(0, max(left, 1))
        figure.text(0.06, 0.57, f"{left} published claims, on {profile_name()}:", fontsize=20, color="#3b434b")
        figure.savefig(path, metadata={"Software": None})


def write_card(app, exception):
    if exception is None and app.builder.format == "html":
        draw_card(Path(app.outdir) / CARD, tally())


def bibtex(entry: dict) -> str:
    """One reference of CITATION.cff as BibTeX."""
    authors = " and ".join(
        f"{one['family-names']}, {one['given-names']}" if "family-names" in one else f"{{{one['name']}}}"
        for one in entry.get("authors", [])
    )
    first = entry["authors"][0]
    key = f"{first.get('family-names', first.get('name', 'mosaic')).split()[0].lower()}{entry.get('year', '')}"
    fields = {
        "title": entry["title"],
        "author": authors,
        "year": entry.get("year"),
        "note": entry.get("notes"),
        "url": entry.get("url"),
    }
    inner = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@misc{{{key},\n{inner}}}"


class Cite(SphinxDirective):
    """How to cite: the project and its papers, from CITATION.cff, in BibTeX."""

    def run(self):
        self.env.note_dependency(str(CITATION.resolve()))
        found = yaml.safe_load(CITATION.read_text(encoding="utf-8"))
        entries = [found, *found.get("references", [])]
        text = "\n\n".join(map(bibtex, entries))
        return [nodes.literal_block(text, text, language="bibtex")]


def setup(app):
    app.connect("html-page-context", add_tags)
    app.connect("config-inited", foot)
    app.connect("build-finished", write_card)
    app.add_directive("mosaic-cite", Cite)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": False}
