"""Sphinx extension: numbers in prose come from results/<profile>/*.json; a missing one fails the build,
one that is null on this profile reads "not measured here". {published}`seeds.width.N=32` writes a published value
(`mosaic.reporting.published`); an unknown key fails the build.

{result}`layers.best_mean.sae` writes the number at that key. Directives: {mosaic-faults} writes the
fault campaign's table, {mosaic-profile} what this site was run on. Pages are rebuilt when a file they read changes.
"""

import html
import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from mosaic.errors import MosaicError
from mosaic.profiles.profile import Profile, load_profile
from mosaic.reporting import published, results
from mosaic.reporting.tables import csv_link, scrolling

log = logging.getLogger(__name__)
NUMBERS = re.compile(r"(\([^()]*\d[^()]*\))")  # what stands in parentheses and has a number


def folder() -> Path:
    return Path(os.environ.get("MOSAIC_RESULTS", "results"))


def profile() -> Profile:
    return load_profile(os.environ.get("MOSAIC_PROFILE", "mini"))


def profile_name() -> str:
    return profile().name


class Result(SphinxRole):
    def run(self):
        name = self.text.split(".")[0]
        self.env.note_dependency(str((folder() / profile_name() / f"{name}.json").resolve()))
        try:
            text = results.shown(results.lookup(profile_name(), self.text, folder()))
        except MosaicError as error:
            log.warning("result %s is missing: %s", self.text, error, location=self.get_location())
            text = "?"
        return [nodes.inline("", "", *said(text), classes=["result"])], []


def said(text: str) -> list[nodes.Node]:
    """A sentence whose numbers in parentheses step back, so that its words are read first."""
    parts = enumerate(NUMBERS.split(text))
    return [nodes.inline("", part, classes=["numbers"]) if i % 2 else nodes.Text(part) for i, part in parts if part]


class PublishedValue(SphinxRole):
    """{published}`seeds.width.N=32` writes that published value; hovering says what it is and where it stands."""

    def run(self):
        for path in published.FOLDER.glob("*.csv"):
            self.env.note_dependency(str(path))
        try:
            entry = published.entry(self.text)
        except MosaicError as error:
            log.warning("%s", error, location=self.get_location())
            return [nodes.inline("", "?", classes=["published"])], []
        title = html.escape(f"{entry.quantity}. {entry.source}; {entry.provenance}", quote=True)
        markup = f'<span class="published" title="{title}">{html.escape(entry.shown())}</span>'
        return [nodes.raw("", markup, format="html")], []


def table_row(cells) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        entry, paragraph = nodes.entry(), nodes.paragraph()
        paragraph += cell
        entry += paragraph
        row += entry
    return row


def table_of(heads: Sequence[tuple[str, int]], rows: Iterable) -> list[nodes.Node]:
    """A table in its box. heads: (column, width). rows: each a sequence of cells (nodes)."""
    table = nodes.table(classes=["mosaic-table"])
    group = nodes.tgroup(cols=len(heads))
    table += group
    for _, width in heads:
        group += nodes.colspec(colwidth=width)
    group += nodes.thead("", table_row(nodes.Text(head) for head, _ in heads))
    group += nodes.tbody("", *map(table_row, rows))
    return in_box(table)


def in_box(table: nodes.table) -> list[nodes.Node]:
    """The table in the box of `tables.scrolling`, and a link to its rows as a file."""
    rows = [[_plain(entry) for entry in row.findall(nodes.entry)] for row in table.findall(nodes.row)]
    heads = rows[0] if rows else []
    before, after = scrolling("\n", wide=True, headings=heads).split("\n")
    link = csv_link(heads, rows[1:]) if rows else ""
    return [nodes.raw("", before, format="html"), table, nodes.raw("", after + link, format="html")]


def _plain(entry: nodes.entry) -> str:
    """A cell as text: its markup left out."""
    parts = [part for paragraph in entry.children for part in paragraph.children]
    texts = (re.sub("<[^>]*>", " ", part.astext()) if isinstance(part, nodes.raw) else part.astext() for part in parts)
    return " ".join(html.unescape(" ".join(texts)).split())


class Faults(SphinxDirective):
    """What was broken on purpose | what must hold | in how many tries it held (results/faults.json)."""

    HEADS = (("what was done", 30), ("what must hold", 46), ("tries", 8), ("held", 8))

    def run(self):
        path = folder() / "faults.json"
        self.env.note_dependency(str(path.resolve()))
        if not path.is_file():
            return [nodes.paragraph("", "Not run here: `make faults` runs the campaign and writes this table.")]
        try:
            run = json.loads(path.read_text(encoding="utf-8"))
            rows = [
                [str(row["fault"]), str(row["must"]), f"{row['tries']:,}", f"{row['held']:,}"] for row in run["rows"]
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise self.error(f"{path} is not what `make faults` writes: {error}") from error
        held = sum(row["held"] == row["tries"] for row in run["rows"])
        said = f"The {run['length']} run: {held} of {len(rows)} held every time."
        return [nodes.paragraph("", said), *table_of(self.HEADS, [list(map(nodes.Text, row)) for row in rows])]


class ProfileBox(SphinxDirective):
    def run(self):
        shown = profile()
        sets = ", ".join(choice.title for choice in shown.datasets)
        layers, widths = ", ".join(map(str, shown.layers)), ", ".join(shown.widths)
        text = (
            f"This site was run on the profile {shown.name}: {shown.title}; layers {layers}, widths {widths}; "
            f"sets {sets}."
        )
        box = nodes.note("", nodes.paragraph("", text))
        return [box]


def setup(app):
    app.add_role("result", Result())
    app.add_role("published", PublishedValue())
    app.add_directive("mosaic-profile", ProfileBox)
    app.add_directive("mosaic-faults", Faults)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": False}
