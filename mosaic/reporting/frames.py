"""Pictures that a slider steps through: drawn by the run, each with its sentence; without a script all of them stand in a column.

The script (book/_static/learn.js) only hides and shows. The slider is the browser's own, so the arrow keys move it.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.reporting.colours import TABLE
from mosaic.reporting.tables import Html

FAINT = 0.25  # cells below it are left out: they would not be seen
SHADES = 20  # of a matrix; the cells of one shade are one path, a quarter of the bytes of a rectangle each


@dataclass(frozen=True)
class Frame:
    """label: the slider's value at this frame, "k = 2". drawing: SVG markup. said: a sentence on it."""

    label: str
    drawing: str
    said: str


def slider(name: str, frames: Sequence[Frame], start: int = 0) -> Html:
    """The frames and the slider that chooses one of them. name: of what it changes. start: the frame that is seen first."""
    parts = "".join(
        f'<div class="frame" data-label="{html.escape(frame.label)}"><p class="frame-label">{html.escape(frame.label)}</p>'
        f"{frame.drawing}<p>{html.escape(frame.said)}</p></div>"
        for frame in frames
    )
    control = (
        f'<label class="frame-control" hidden>{html.escape(name)} <input type="range" min="0" max="{len(frames) - 1}" step="1" '
        f'value="{start}"> <output></output></label>'
    )
    return Html(f'<div class="frames">{control}<div aria-live="polite">{parts}</div></div>')


def matrix(values: np.ndarray, across: str, down: str, said: str, cell: int = 10) -> str:
    """SVG of a matrix of numbers between -1 and 1, the larger the darker; cells near zero are left out. said: for who cannot see it."""
    height, width = values.shape
    size, colour, side = np.minimum(1, np.abs(values)), TABLE["sae"].colour, cell - 1
    shades = np.where(size >= FAINT, np.rint(SHADES * size), 0)
    cells = "".join(
        f'<path fill-opacity="{shade / SHADES:g}" d="'
        + "".join(f"M{24 + cell * j} {24 + cell * i}h{side}v{side}h-{side}z" for i, j in np.argwhere(shades == shade))
        + '"/>'
        for shade in np.unique(shades[shades > 0])
    )
    w, h = 28 + cell * width, 28 + cell * height
    return (
        f'<svg class="learn-svg" viewBox="0 0 {w} {h}" style="max-width: {w}px" role="img" aria-label="{html.escape(said)}">'
        f'<rect x="23" y="23" width="{cell * width + 1}" height="{cell * height + 1}" fill="none" stroke="currentColor" '
        f'stroke-opacity="0.35"/><g fill="{colour}">{cells}</g><g fill="currentColor" font-size="13">'
        f'<text x="24" y="16">{html.escape(across)}</text>'
        f'<text x="-24" y="16" text-anchor="end" transform="rotate(-90)">{html.escape(down)}</text></g></svg>'
    )
