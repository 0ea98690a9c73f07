"""A figure with a slider: the run computes every place that the slider has, the page only chooses one of them.

Python draws the figure at its first place and hands each other place over as positions and words; the script
(book/_static/sliders.js) puts them in, and computes nothing. Without it, and on paper, the figure stands as drawn, with
every place in a table. Where each place is a picture of its own, `frames` is the simpler way.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mosaic.errors import MosaicError
from mosaic.numerals import minus
from mosaic.reporting import slider_drawing as drawing
from mosaic.reporting.slider_drawing import Chart
from mosaic.reporting.tables import Html, table


@dataclass(frozen=True)
class Place:
    """One place of the slider.

    label: its value, "0.70". said: the readout, a sentence or three. x: where the cursor stands, a share of the plot's width.
    dots: one a line of the chart, (value, low, high), or None where the line has none here. bars: numbers of the bars that are
    lit. marks: {number of a mark that is lit: what stands below it, "" for nothing}.
    """

    label: str
    said: str
    x: float
    dots: Sequence[tuple[float, float, float] | None] = ()
    bars: Sequence[int] = ()
    marks: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One figure of those that the reader chooses from. title: its name. said: what is drawn, for who cannot see it. marks: words
    that are lit or not, in their order, below marks_said. appear: what is not lit is not there. start: the first place."""

    title: str
    said: str
    chart: Chart
    places: Sequence[Place]
    marks: Sequence[str] = ()
    marks_said: str = ""
    appear: bool = False
    start: int = 0


def figure(
    name: str, cases: Sequence[Case], rows: Sequence[Mapping], columns: Mapping[str, str], of: str = "Set"
) -> Html:
    """HTML of the figure, its controls and the table of every place. name: of what the slider changes. of: of what a case is,
    as the menu says it. rows, columns: of the table, as `tables.table` has them. Every text is escaped.

    Raises MosaicError where there is no case, a case without a place, or one whose place has not a dot for every line.
    """
    _check(cases)
    shown = "".join(_case(case, hidden=i > 0) for i, case in enumerate(cases))
    places = json.dumps(
        [[state(case, place) for place in case.places] for case in cases], ensure_ascii=False, separators=(",", ":")
    )
    data = places.replace("&", "&amp;").replace("'", "&#39;").replace("<", "&lt;").replace(">", "&gt;")
    starts = " ".join(str(case.start) for case in cases)
    return Html(
        f'<figure class="slider-figure" data-starts="{starts}" data-places=\'{data}\'>{_controls(name, cases, of)}{shown}'
        f"<details><summary>All values as a table</summary>{table(rows, columns)}</details></figure>"
    )


def state(case: Case, place: Place) -> dict:
    """What the script puts in at a place: words, and positions in the drawing's own units. marks: a note for each that is lit, None
    for one that is not; those after the last that is lit are left out."""
    found = {"label": place.label, "said": place.said, "x": drawing.across(place.x)}
    if place.dots:
        found["dots"] = [dot and [drawing.up(case.chart, value) for value in dot] for dot in place.dots]
    if case.chart.bars:
        found["bars"] = list(place.bars)
    if case.marks:
        last = max(place.marks, default=-1)
        notes = (place.marks.get(number) for number in range(last + 1))
        found["marks"] = [None if note is None else minus(note) for note in notes]
    return found


def _check(cases: Sequence[Case]) -> None:
    if not cases:
        raise MosaicError("a slider without a case has nothing to show; give at least one.")
    for case in cases:
        if not case.places:
            raise MosaicError(f"the slider's case {case.title!r} has no place; give at least one.")
        for place in case.places:
            if len(place.dots) != len(case.chart.lines):
                raise MosaicError(
                    f"the slider's case {case.title!r} has {len(case.chart.lines)} lines, its place {place.label!r} "
                    f"{len(place.dots)} dots; give one for each line, None where there is none."
                )
            numbers = [place.x, *(value for dot in place.dots if dot for value in dot)]
            if not all(map(math.isfinite, numbers)):
                raise MosaicError(
                    f"the slider's case {case.title!r} has {numbers} at {place.label!r}; give finite numbers."
                )


def _controls(name: str, cases: Sequence[Case], of: str) -> str:
    first = cases[0]
    menu = ""
    if len(cases) > 1:
        options = "".join(f"<option>{html.escape(case.title)}</option>" for case in cases)
        menu = f'<label>{html.escape(of)} <select autocomplete="off">{options}</select></label>'
    return (
        f'<div class="slider-controls" hidden>{menu}<div class="slider-range"><label>{html.escape(name)} <input type="range" min="0" '
        f'max="{len(first.places) - 1}" step="1" value="{first.start}" autocomplete="off"></label> <output aria-hidden="true"></output>'
        "</div></div>"
    )


def _case(case: Case, hidden: bool) -> str:
    at = state(case, case.places[case.start])
    marks = ""
    if case.marks:
        items = "".join(_mark(case, i, text, at["marks"]) for i, text in enumerate(case.marks))
        marks = f'<p class="slider-marks-said">{html.escape(case.marks_said)}</p><ul class="slider-marks">{items}</ul>'
    title = f'<p class="slider-title">{html.escape(case.title)}</p>' if case.title else ""
    return (
        f'<div class="slider-case"{" hidden" if hidden else ""}{" data-appear" if case.appear else ""}>'
        f"{title}{drawing.svg(case.chart, case.said, at)}"
        f'{drawing.legend(case.chart)}<p class="slider-said" aria-live="polite">{html.escape(at["said"])}</p>{marks}</div>'
    )


def _mark(case: Case, number: int, text: str, notes: Sequence[str | None]) -> str:
    note = notes[number] if number < len(notes) else None
    classes = "" if note is None else ' class="lit"'
    gone = " hidden" if case.appear and note is None else ""
    return f"<li{classes}{gone}>{html.escape(text)} <small>{html.escape(note or '')}</small></li>"
