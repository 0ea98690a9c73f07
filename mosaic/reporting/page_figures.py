"""Figures of a page of its own, drawn as SVG without matplotlib, which `mosaic probe` does not ask for.

Marks take their colours from the page's style sheet (classes), so that one drawing serves the light and the dark page; no
attribute holds a style, which the page's Content-Security-Policy forbids. Every text is escaped. Units: pixels of a drawing that
is WIDTH wide and is shown a little larger or smaller.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.printable import printable

WIDTH, LEFT, RIGHT = 440, 132, 14
LINE = 30  # pixels of a line of a forest plot
MARGIN = 40  # below a plot: ticks and the axis' name
HEIGHT = 250  # of a plot of curves
LETTER = 8  # pixels of a letter of a legend, on a narrow page, where letters are largest


@dataclass(frozen=True)
class Row:
    """One line of a forest plot. kind: the class of its colour."""

    label: str
    value: float
    low: float
    high: float
    kind: str


def forest(rows: Sequence[Row], xlabel: str, said: str, zero: bool = False) -> str:
    """Dots with intervals, one line each. said: the figure's words. zero: a line at 0, for differences."""
    ends = [value for row in rows for value in (row.low, row.high, row.value)] + ([0.0] if zero else [])
    ticks = nice(min(ends), max(ends))
    x = _scale((ticks[0], ticks[-1]), (LEFT, WIDTH - RIGHT))
    bottom = 8 + LINE * len(rows)
    parts = _upright(ticks, x, 4, bottom, xlabel)
    if zero:
        parts.append(f'<line class="zero" x1="{x(0):.1f}" x2="{x(0):.1f}" y1="4" y2="{bottom}"/>')
    for i, row in enumerate(rows):
        y = 8 + LINE * (i + 0.5)
        parts.append(_text(LEFT - 10, y + 4.5, row.label, "end"))
        parts.append(f'<g class="{row.kind}"><title>{_said(row)}</title>'
                     f'<line class="bar" x1="{x(row.low):.1f}" x2="{x(row.high):.1f}" y1="{y}" y2="{y}"/>'
                     f'{_mark(row.kind, x(row.value), y)}</g>')  # fmt: skip
    return _svg(parts, bottom + MARGIN, said)


def curves(series: Mapping[str, Sequence[tuple]], xlabel: str, said: str, names: Mapping[str, str]) -> str:
    """Lines with bands. series: kind -> [(x, value, low, high), ...]; x on a logarithmic axis. names: kind -> its name."""
    points = [point for of in series.values() for point in of]
    ticks = nice(min(p[2] for p in points), max(p[3] for p in points))
    places = sorted({point[0] for point in points})
    log = _scale((np.log(places[0]), np.log(places[-1])), (54, WIDTH - RIGHT - 12))
    y = _scale((ticks[0], ticks[-1]), (HEIGHT - MARGIN, 10))
    parts = []
    for tick in ticks:
        parts.append(f'<line class="grid" x1="46" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>')
        parts.append(_text(40, y(tick) + 4.5, _number(tick), "end"))
    before = -1e9
    for place in places:
        if log(np.log(place)) - before > 30:
            before = log(np.log(place))
            parts.append(_text(before, HEIGHT - MARGIN + 18, f"{place:,}", "middle"))
    parts.append(_text((46 + WIDTH) / 2, HEIGHT - 4, xlabel, "middle"))
    for kind, of in series.items():
        at = [(log(np.log(p[0])), y(p[1]), y(p[2]), y(p[3]), p) for p in of]
        band = (
            " ".join(f"{a[0]:.1f},{a[3]:.1f}" for a in at) + " " + " ".join(f"{a[0]:.1f},{a[2]:.1f}" for a in at[::-1])
        )
        line = " ".join(f"{a[0]:.1f},{a[1]:.1f}" for a in at)
        marks = "".join(
            f"<g><title>{html.escape(names[kind])}, {p[0]:,}: {p[1]:.3f} ({p[2]:.3f} to {p[3]:.3f})</title>{_mark(kind, a, b)}</g>"
            for a, b, _, _, p in at
        )
        parts.append(
            f'<g class="{kind}"><polygon class="band" points="{band}"/><polyline class="line" points="{line}"/>{marks}</g>'
        )
    height = HEIGHT
    if len(series) > 1:
        height += 24
        start = 46.0
        for kind in series:
            parts.append(f'<g class="{kind}"><line class="line" x1="{start}" x2="{start + 22}" y1="{HEIGHT + 12}" y2="{HEIGHT + 12}"/>'
                         f"{_mark(kind, start + 11, HEIGHT + 12)}</g>{_text(start + 27, HEIGHT + 16.5, names[kind], 'start')}")  # fmt: skip
            start += 27 + LETTER * len(names[kind]) + 14
    return _svg(parts, height, said)


def matrix(counts: np.ndarray, classes: Sequence[str], said: str) -> str:
    """A confusion matrix of many classes, as shades of each row's shares: only what is not zero is drawn."""
    n, side = len(classes), WIDTH - 60
    cell, total = side / n, np.maximum(counts.sum(axis=1), 1)
    parts = [f'<rect class="frame" x="50" y="6" width="{side}" height="{side}"/>']
    for i, j in zip(*np.nonzero(counts), strict=True):
        title = f"true {classes[i]}, predicted {classes[j]}: {counts[i, j]}"
        parts.append(f'<rect class="q{shade(counts[i, j] / total[i])}" x="{50 + j * cell:.2f}" y="{6 + i * cell:.2f}" width="{cell:.2f}" '
                     f'height="{cell:.2f}"><title>{html.escape(printable(title))}</title></rect>')  # fmt: skip
    parts.append(_text(50 + side / 2, side + 26, "predicted class, in the table's order", "middle"))
    parts.append(
        f'<text transform="translate(36 {6 + side / 2:.0f}) rotate(-90)" text-anchor="middle">true class</text>'
    )
    return _svg(parts, side + 34, said)


def shade(share: float) -> int:
    """0 (none) to 9: a class of the style sheet."""
    return 0 if share <= 0 else min(9, 1 + int(8.999 * min(share, 1.0)))


def nice(low: float, high: float) -> list[float]:
    """Ticks at round numbers that hold low and high between the first and the last."""
    width = max(high - low, 0.02)
    step = next(s for s in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if width / s <= 5.5)
    first, last = int(np.floor(low / step + 1e-9)), int(np.ceil(high / step - 1e-9))
    return [round(i * step, 6) for i in range(first, max(last, first + 1) + 1)]


def _upright(ticks: Sequence[float], x, top: float, bottom: float, label: str) -> list[str]:
    parts = []
    for tick in ticks:
        parts.append(f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top}" y2="{bottom}"/>')
        parts.append(_text(x(tick), bottom + 17, _number(tick), "middle"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, bottom + MARGIN - 4, label, "middle"))
    return parts


def _mark(kind: str, x: float, y: float) -> str:
    """A mark of the kind's own shape, so that colour is not the only sign."""
    if kind == "hidden":
        return f'<rect class="mark" x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9"/>'
    if kind == "tfidf":
        return f'<path class="mark" d="M{x:.1f} {y - 5.5:.1f}l5.5 10h-11z"/>'
    if kind == "majority":
        return f'<path class="mark" d="M{x:.1f} {y - 5.5:.1f}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>'
    return f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'


def _said(row: Row) -> str:
    return html.escape(
        printable(f"{row.label}: {_number(row.value, 3)} ({_number(row.low, 3)} to {_number(row.high, 3)})")
    )


def _number(value: float, digits: int | None = None) -> str:
    """With a true minus sign; as many decimals as a tick needs, or `digits`."""
    text = f"{value:.{digits}f}" if digits is not None else f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text.replace("-", "\N{MINUS SIGN}")


def _scale(data: tuple[float, float], pixels: tuple[float, float]):
    width = (data[1] - data[0]) or 1.0
    return lambda value: pixels[0] + (value - data[0]) / width * (pixels[1] - pixels[0])


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(printable(text))}</text>'


def _svg(parts: Sequence[str], height: float, said: str) -> str:
    label = html.escape(printable(said))
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
