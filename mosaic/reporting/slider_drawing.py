"""The drawing of a figure with a slider: a plot with lines or bars, and a cursor that stands at one place. SVG of numbers alone.

Positions along the horizontal axis are shares of the plot's width; values along the vertical one are the chart's own.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mosaic.numerals import minus
from mosaic.reporting.colours import DASHES, INK, Look, looks

WIDTH, HEIGHT = 420, 262  # small, so that on a phone its words stay readable
LEFT, RIGHT, TOP, BOTTOM = 44, 408, 30, 212
FAINT = 0.12  # of bars that are not lit, also where the style sheet is not there
STROKES = {"-": "", "--": "7 4", "-.": "7 3 2 3", ":": "2 3"}


@dataclass(frozen=True)
class Line:
    """points: (x, value) in the order in which they are joined."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Level:
    """A value beside which the lines are read, with its interval where it has one."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Bars:
    """Bars between neighbouring edges. name: of what is lit. faint: of what is not. edges: [n + 1] shares of the width. values: [n]."""

    name: str
    faint: str
    edges: Sequence[float]
    values: Sequence[float]


@dataclass(frozen=True)
class Chart:
    """x, y: the axes' names. span: the ends of the vertical axis. x_ticks, y_ticks: (where, words). lines: with a dot at the
    cursor. outlines: without."""

    x: str
    y: str
    span: tuple[float, float]
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    lines: Sequence[Line] = ()
    levels: Sequence[Level] = ()
    bars: Bars | None = None
    outlines: Sequence[Line] = ()

    def looks(self) -> dict[str, Look]:
        """{name: how it is drawn} of all that is drawn, in the legend's order; no two outlines have one dash."""
        bars = [self.bars.name] if self.bars else []
        names = [*bars, *(one.name for one in (*self.lines, *self.outlines))]
        found = dict(zip(names, looks(names), strict=True))
        dashes = {one.name: DASHES[i % len(DASHES)] for i, one in enumerate(self.outlines)}
        levels = {one.name: Look(INK, DASHES[1 + i % (len(DASHES) - 1)]) for i, one in enumerate(self.levels)}
        return {name: replace(look, dash=dashes.get(name, look.dash)) for name, look in found.items()} | levels


def scores_axis(values: Iterable[float]) -> dict:
    """span and y_ticks of an axis that holds all of these shares, with ends at tenths; one for all cases keeps its scale when a
    reader changes the case."""
    tenths = [round(10 * value, 9) for value in values]  # 0.7 times ten is a hair more than seven
    high = max(1, min(10, math.ceil(max(tenths))))
    low = max(0, min(math.floor(min(tenths)), high - 1))
    step = 1 if high - low <= 6 else 2
    return {"span": (low / 10, high / 10), "y_ticks": [(i / 10, f"{i / 10:.1f}") for i in range(low, high + 1, step)]}


def across(x: float) -> float:
    """A share of the plot's width, in the drawing's units."""
    return round(LEFT + (RIGHT - LEFT) * x, 1)


def up(chart: Chart, value: float) -> float:
    """A value of the vertical axis, in the drawing's units; what lies beyond the axis stands at its end."""
    low, high = chart.span
    share = min(1.0, max(0.0, (value - low) / (high - low)))
    return round(BOTTOM - (BOTTOM - TOP) * share, 1)


def svg(chart: Chart, said: str, at: Mapping) -> str:
    """The drawing with its cursor where `at` (of `sliders.state`) says. said: what is drawn, in words."""
    look = chart.looks()
    parts = [_axes(chart)]
    parts += [_level(chart, one, look[one.name]) for one in chart.levels]
    if chart.bars:
        parts.append(_bars(chart, look[chart.bars.name].colour, at["bars"]))
    parts += [_path(chart, one, look[one.name]) for one in (*chart.outlines, *chart.lines)]
    parts.append(
        f'<g class="slider-cursor" transform="translate({at["x"]:g} 0)"><path d="M0 {TOP}V{BOTTOM}" stroke="currentColor"/>'
    )
    dots = at.get("dots", ())
    parts += [_dot(dot, look[line.name].colour) for dot, line in zip(dots, chart.lines, strict=True)]
    parts.append("</g>")
    return (
        f'<svg class="learn-svg slider-svg" style="max-width: 34rem" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(said)}">'
        f'<g fill="currentColor" font-size="13">{"".join(parts)}</g></svg>'
    )


def legend(chart: Chart) -> str:
    """What each line and colour stands for, as a list."""
    items = []
    for name, look in chart.looks().items():
        if chart.bars and name == chart.bars.name:
            items += [_key(_swatch(look.colour), name), _key(_swatch(look.colour, faint=True), chart.bars.faint)]
        else:
            items.append(_key(f'<path d="M1 6H27" {_stroke(look)}/>', name))
    return f'<ul class="slider-legend">{"".join(items)}</ul>'


def _key(drawing: str, name: str) -> str:
    return f'<li><svg width="28" height="12" aria-hidden="true">{drawing}</svg> {html.escape(name)}</li>'


def _swatch(colour: str, faint: bool = False) -> str:
    return f'<rect x="3" y="1" width="20" height="10" fill="{colour}" stroke="{colour}" fill-opacity="{FAINT if faint else 1}"/>'


def _axes(chart: Chart) -> str:
    grid = "".join(f"M{LEFT} {up(chart, value):g}H{RIGHT}" for value, _ in chart.y_ticks)
    ticks = "".join(f"M{across(x):g} {BOTTOM}v4" for x, _ in chart.x_ticks)
    left = "".join(_text(LEFT - 6, up(chart, value) + 4, words) for value, words in chart.y_ticks)
    below = "".join(_text(across(x), BOTTOM + 18, words) for x, words in chart.x_ticks)
    return (
        f'<g fill="none" stroke="currentColor"><path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}{ticks}" stroke-opacity="0.6"/>'
        f'<path d="{grid}" stroke-opacity="0.14"/></g><g text-anchor="end">{left}</g>'
        f'<g text-anchor="middle">{below}{_text((LEFT + RIGHT) / 2, HEIGHT - 8, chart.x)}</g>{_text(0, 14, chart.y)}'
    )


def _level(chart: Chart, level: Level, look) -> str:
    y = up(chart, level.value)
    band = ""
    if level.low is not None and level.high is not None:
        top, bottom = up(chart, level.high), up(chart, level.low)
        band = (
            f'<rect x="{LEFT}" y="{top}" width="{RIGHT - LEFT}" height="{round(bottom - top, 1)}" fill="{look.colour}" '
            'fill-opacity="0.13"/>'
        )
    return f'{band}<path d="M{LEFT} {y}H{RIGHT}" {_stroke(look)}/>'


def _bars(chart: Chart, colour: str, lit: Sequence[int]) -> str:
    parts = []
    for i, value in enumerate(chart.bars.values):
        left, right = across(chart.bars.edges[i]), across(chart.bars.edges[i + 1])
        y = up(chart, value)
        look = 'slider-bar lit"' if i in lit else f'slider-bar" fill-opacity="{FAINT}"'
        parts.append(
            f'<rect class="{look} x="{left + 0.5}" y="{y:g}" width="{right - left - 1:.1f}" height="{BOTTOM - y:.1f}"/>'
        )
    return f'<g fill="{colour}" stroke="{colour}">{"".join(parts)}</g>'


def _path(chart: Chart, line: Line, look) -> str:
    points = "L".join(f"{across(x):g} {up(chart, value):g}" for x, value in line.points)
    return f'<path d="M{points}" {_stroke(look)}/>'


def _dot(dot: Sequence[float] | None, colour: str) -> str:
    """A mark with its interval; JS moves the same attributes."""
    y, low, high = dot or (0, 0, 0)
    return (
        f'<g class="slider-dot" stroke="{colour}" fill="{colour}"{"" if dot else " hidden"}>'
        f'<path d="M0 {low:g}V{high:g}" stroke-width="2.5"/><circle cx="0" cy="{y:g}" r="5.5"/></g>'
    )


def _stroke(look) -> str:
    dash = look.dash if look.dash in DASHES else "-"
    dashes = f' stroke-dasharray="{STROKES[dash]}"' if STROKES[dash] else ""
    return f'fill="none" stroke="{look.colour}" stroke-width="2"{dashes}'


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x:g}" y="{y:g}">{html.escape(minus(text))}</text>'
