"""Sphinx extension: {mosaic-answers} opens the book: the answers in plain sentences, under each its numbers, drawn with their intervals."""

import html
from collections.abc import Sequence

from docutils import nodes
from mosaic_claims import depend
from mosaic_results import folder, profile_name
from sphinx.util.docutils import SphinxDirective

from mosaic.reporting.answers import Answer, Contrast, answers

WIDTH, HEIGHT = 200, 16


class Answers(SphinxDirective):
    def run(self):
        depend(self)
        found = answers(profile_name(), folder())
        differences = [c for answer in found for c in answer.contrasts if c.reference == 0]
        reach = max((abs(end) for c in differences for end in (c.low, c.high)), default=1.0) or 1.0
        uri = self.env.app.builder.get_relative_uri
        chapters = {doc.split("_", 1)[-1]: doc for doc in sorted(self.env.found_docs) if doc.startswith("notebooks/")}
        links = {study: uri(self.env.docname, doc) for study, doc in chapters.items()}
        numbers = {study: doc.split("/")[-1].split("_")[0].lstrip("0") for study, doc in chapters.items()}
        items = "".join(item(a, reach, links.get(a.chapter), numbers.get(a.chapter)) for a in found)
        return [nodes.raw("", f'<ol class="answers">{items}</ol>', format="html")]


def item(answer: Answer, reach: float, link: str | None, number: str | None) -> str:
    """One answer: its sentence, its contrasts as lines, the sentence with all its numbers, folded."""
    to = f' <a href="{html.escape(link)}">Chapter {number}</a>' if link else ""
    lines = "".join(line(contrast, reach) for contrast in answer.contrasts)
    full = f"<details><summary>In full</summary><p>{html.escape(answer.full)}</p></details>"
    return f'<li><p><strong>{html.escape(answer.sentence)}</strong>{to}</p><div class="contrasts">{lines}</div>{full}</li>'


def line(contrast: Contrast, reach: float) -> str:
    """A contrast: its label, its interval drawn about the reference, its numbers. A share is drawn from 0 to 1."""
    low, high = (-reach, reach) if contrast.reference == 0 else (0.0, 1.0)
    at = {name: x(value, low, high) for name, value in _drawn(contrast)}
    side = {1: "above", 0: "within", -1: "below"}[contrast.side]
    drawing = (
        f'<svg class="interval {side}" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">'
        f'<line class="reference" x1="{at["reference"]}" x2="{at["reference"]}" y1="0" y2="{HEIGHT}"/>'
        f'<line class="reach" x1="{at["low"]}" x2="{at["high"]}" y1="{HEIGHT / 2}" y2="{HEIGHT / 2}"/>'
        f'<circle cx="{at["value"]}" cy="{HEIGHT / 2}" r="4.5"/></svg>'
    )
    return f'<span>{html.escape(contrast.label)}</span>{drawing}<span class="number">{html.escape(contrast.text())}</span>'


def _drawn(contrast: Contrast) -> Sequence[tuple[str, float]]:
    return [(name, getattr(contrast, name)) for name in ("low", "high", "value", "reference")]


def x(value: float, low: float, high: float) -> float:
    """Where a value lies between both ends of the drawing, with room for the dot."""
    return round(6 + (WIDTH - 12) * (value - low) / (high - low), 1)


def setup(app):
    app.add_directive("mosaic-answers", Answers)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": False}
