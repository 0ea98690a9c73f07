"""Sphinx extension: latents that a page names lead to their pages in the explorer.

{latent}`3/1k/123` writes the latent's name as a link; the layer may be "middle", the width "main", and the number the key of a recorded
result. In what chapters show, three things become links by themselves: names, such as layer_3/width_1k/123 or "layer 3, 1k, 123"; what
`tables.latent` marked; and, in a table, bare numbers under "latent" or "chosen latent", which are of the profile's main SAE, or of the layer
and width beside them. A latent without a page (it fired on none of the explorer's texts, or the explorer has another SAE) stays text.

Which latents have pages stands in data/pages.json of MOSAIC_EXPLORER; where that is absent, nothing is linked.
"""

import html
import json
import os
import re
from pathlib import Path

from docutils import nodes
from mosaic_results import folder, profile, profile_name
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from mosaic.errors import MosaicError
from mosaic.reporting import results

log = logging.getLogger(__name__)
PAGE, PAGES = "explorer/index.html", "data/pages.json"
ROLE = re.compile(r"(middle|\d+)/(main|[0-9a-zA-Z]+)/([\w.=-]+)")
NAMED = re.compile(r"\b(?:layer_)?(\d+)/width_([0-9a-zA-Z]+)/(\d+)\b|\blayer (\d+), ([0-9]+k?), (\d+)\b")
MARKED = re.compile(r'<span data-latent="(\d+)/([0-9a-zA-Z]+)/(\d+)">([^<]*)</span>')
TAG = re.compile(r"(<[^>]*>)")
OPAQUE = ("a", "script", "style", "button")  # nothing inside is linked
DRAWN = ("<svg", "<img", "<script")  # markup with tags inside tags
TABLE, ROW, CELL = (re.compile(rf"<{tag}\b.*?</{tag}>", re.S) for tag in ("table", "tr", "(?:td|th)"))
HEADINGS = ("latent", "chosen latent")


def pages(app) -> dict[str, set[int]]:
    """{"3/1k": numbers of its latents that have a page}."""
    if not hasattr(app, "mosaic_latents"):
        path = Path(os.environ.get("MOSAIC_EXPLORER", "build/explorer")) / PAGES
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        app.mosaic_latents = {key: set(numbers) for key, numbers in found.items()}
    return app.mosaic_latents


def address(app, docname: str, layer: str, width: str, number: str) -> str | None:
    """The latent's page from a page of the book; None where it has none."""
    known = pages(app).get(f"{layer}/{width}", ())
    up = "../" * docname.count("/")
    return f"{up}{PAGE}#{layer}/{width}/{int(number)}" if int(number) in known else None


class Latent(SphinxRole):
    def run(self):
        match = ROLE.fullmatch(self.text)
        if match is None:
            log.warning(
                "latent %r: LAYER/WIDTH/NUMBER was expected, such as middle/main/123", self.text, location=self.get_location()
            )
            return [nodes.literal("", self.text)], []
        layer, width, number = match.groups()
        layer = str(profile().middle) if layer == "middle" else layer
        width = profile().width if width == "main" else width
        number = number if number.isdigit() else self.recorded(number)
        if number is None:
            return [nodes.inline("", "?", classes=["latent"])], []
        shown = f"layer {layer}, {width}, {number}"
        found = address(self.env.app, self.env.docname, layer, width, number)
        if found is None:
            return [nodes.inline("", shown, classes=["latent"])], []
        return [nodes.reference("", shown, refuri=found, internal=True, classes=["latent"])], []

    def recorded(self, key: str) -> str | None:
        """The whole number recorded at a key; None, and said, where there is none."""
        path = folder() / profile_name() / f"{key.split('.')[0]}.json"
        self.env.note_dependency(str(path.resolve()))
        try:
            value = results.lookup(profile_name(), key, folder())
        except MosaicError as error:
            log.warning("latent %s: %s", self.text, error, location=self.get_location())
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            log.warning("latent %s: %r is no latent's number", self.text, value, location=self.get_location())
            return None
        return str(value)


def linked(app, docname: str, markup: str) -> str:
    """HTML in which every latent that is named, and has a page, is a link. No link stands in a link."""

    def link(layer: str, width: str, number: str, text: str) -> str:
        found = address(app, docname, layer, width, number)
        return f'<a class="latent" href="{html.escape(found, quote=True)}">{text}</a>' if found else text

    markup = MARKED.sub(lambda match: link(*match.groups()), markup)
    markup = TABLE.sub(lambda table: _numbers(table[0], link), markup)
    out, inside = [], []
    for part in TAG.split(markup):
        if part.startswith("<") and (name := re.match(r"</?(\w+)", part)):
            if name[1] in OPAQUE:
                inside.pop() if part.startswith("</") and inside else inside.append(name[1])
        elif not inside:
            part = NAMED.sub(lambda match: link(*(one for one in match.groups() if one is not None), match[0]), part)
        out.append(part)
    return "".join(out)


def _numbers(table: str, link) -> str:
    """A table whose bare numbers of latents are links."""
    head = ROW.search(table)
    names = [_text(cell) for cell in CELL.findall(head[0])] if head else []
    if (at := next((i for i, name in enumerate(names) if name in HEADINGS), None)) is None:
        return table
    beside = [names.index(name) if name in names else None for name in ("layer", "width")]

    def row(match: re.Match) -> str:
        cells = list(CELL.finditer(match[0]))
        if len(cells) != len(names) or not (number := _text(cells[at][0])).isdecimal() or not number.isascii():
            return match[0]
        own = (str(profile().middle), profile().width)
        layer, width = (given if i is None else _text(cells[i][0]) for i, given in zip(beside, own, strict=True))
        start, end = cells[at].span()
        cell = re.sub(rf">{number}<", f">{link(layer, width, number, number)}<", match[0][start:end], count=1)
        return match[0][:start] + cell + match[0][end:]

    return ROW.sub(row, table)


def _text(cell: str) -> str:
    return html.unescape(re.sub("<[^>]*>", "", cell)).strip()


def link_outputs(app, doctree, docname) -> None:
    """What a chapter's cells showed, with links. Drawings stay as they are."""
    if not pages(app) or app.builder.format != "html":
        return
    for raw in list(doctree.findall(nodes.raw)):
        if raw.get("format") != "html" or any(tag in raw.astext() for tag in DRAWN):
            continue
        if (new := linked(app, docname, raw.astext())) != raw.astext():
            raw.replace_self(nodes.raw("", new, format="html", classes=raw.get("classes", [])))


def setup(app):
    app.add_role("latent", Latent())
    app.connect("doctree-resolved", link_outputs)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": False}
