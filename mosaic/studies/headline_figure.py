"""The headline in one figure: every set's scores on the left, SAE minus hidden states on the right, told and never told apart.

Filled marks are familiar words (or the whole test, where it is one), hollow ones the same messages in new words; grey and
hollow is what the paper published of the same task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mosaic.reporting import plots
from mosaic.reporting.colours import INK, looks
from mosaic.studies import paper_values
from mosaic.texts.labelled import NEW

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINT = "majority"  # knows nothing, and needs no interval
Interval = tuple[float, float, float]  # value, low, high


@dataclass(frozen=True)
class Line:
    """One line of the figure: a set, or the mean of a group of sets.

    scores: {family: {part: (value, low, high)}}. lead: {part: SAE minus hidden states}. mean: whether it is a mean.
    begins: whether a group of sets begins here. published: {family: macro-F1 in the paper}.
    """

    label: str
    scores: Mapping[str, Mapping[str, Interval]]
    lead: Mapping[str, Interval]
    mean: bool = False
    begins: bool = False
    published: Mapping[str, float] = field(default_factory=dict)


def headline_figure(lines: Sequence[Line]) -> Figure:
    """One line each, from above; a wider gap before every group. A mean stands above its sets."""
    import matplotlib.pyplot as plt

    y = np.cumsum([0.0, *(1.35 if line.begins else 1.0 for line in lines[1:])])
    figure, (left, right) = plt.subplots(
        1, 2, sharey=True, width_ratios=[3, 2], figsize=(7.0, 1.5 + 0.56 * (y[-1] + 1))
    )
    families = list(lines[0].scores)
    step = 0.72 / len(families)
    for i, (family, look) in enumerate(zip(families, looks(families), strict=True)):
        at = y + (i - (len(families) - 1) / 2) * step
        marks = [line.scores[family] for line in lines]
        if family == POINT:
            marks = [dict([next(iter(parts.items()))]) for parts in marks]  # words are nothing to it
        _marks(left, marks, at, look, step / 3, bars=family != POINT)
        left.errorbar([], [], fmt=look.marker, color=look.colour, label=plots.NAMES.get(family, family), markersize=5)
    lead = looks(["sae"])[0]
    _marks(right, [line.lead for line in lines], y, lead, 0.13, bars=True)
    if any(NEW in line.lead for line in lines):
        left.plot([], [], "o", color=INK, label="familiar words")
        left.plot([], [], "o", color=INK, markerfacecolor="none", label=NEW)
    _published(left, lines, y)
    right.axvline(0, color=INK, linewidth=1)
    for ax in (left, right):
        for line, height in zip(lines, y, strict=True):
            if line.mean:
                ax.axhspan(height - 0.5, height + 0.5, color=INK, alpha=0.1, linewidth=0)
        ax.grid(False, axis="y")
    left.set_yticks(y, [line.label for line in lines])
    for tick, line in zip(left.get_yticklabels(), lines, strict=True):
        tick.set_fontweight("bold" if line.mean else "normal")
    left.set_ylim(y[-1] + 0.6, -0.6)
    left.set_xlabel("macro-F1 (test), 95 %")
    right.set_xlabel("SAE minus hidden, 95 %")
    plots.legend_below(figure, left)
    return figure


def _marks(ax, parts: Sequence[Mapping[str, Interval]], y: np.ndarray, look, apart: float, bars: bool) -> None:
    """Filled marks of the first parts; hollow ones, a little lower, of the new words."""
    first = [(next(iter(of.values())), height) for of, height in zip(parts, y, strict=True)]
    second = [(of[NEW], height + apart) for of, height in zip(parts, y, strict=True) if NEW in of]
    for points, fill, alpha in ((first, look.colour, 1.0), (second, "none", 0.75)):
        if not points:
            continue
        (value, low, high), at = np.array([point for point, _ in points]).T, [height for _, height in points]
        # A percentile interval can miss the point estimate by a hair; an error bar cannot be negative.
        error = np.maximum([value - low, high - value], 0) if bars else None
        drawn = {"color": look.colour, "markerfacecolor": fill, "markersize": 5, "elinewidth": 1.4}
        ax.errorbar(value, at, xerr=error, fmt=look.marker, alpha=alpha, **drawn)


def _published(ax, lines: Sequence[Line], y: np.ndarray) -> None:
    """What the paper published, at the upper edge of each line: beside this run's marks, never among them."""
    for family in ("sae", "hidden"):
        points = [
            (line.published[family], at - 0.42) for line, at in zip(lines, y, strict=True) if family in line.published
        ]
        if points:
            name = paper_values.series_name(family)
            (look,) = looks([name])
            drawn = {"marker": look.marker, "linestyle": "none", "color": look.colour, "markerfacecolor": "none"}
            ax.plot(*zip(*points, strict=True), **drawn, markersize=5, label=name)


def mark_few(ax, found: Mapping) -> None:
    """On one panel of the curves: what all latents reach, and the size that validation chose. found: `FewLatents.row`."""
    sizes = [point["k"] for point in found["curve"]]
    look = looks(["sae"])[0]
    every = next(iter(found["parts"].values()))["all"]
    ax.axhline(every, color=INK, linestyle="--", linewidth=1, label="all latents")
    if found["k"] is not None:
        place = sizes.index(found["k"])
        chosen = found["curve"][place]["macro_f1"]
        ax.plot([place], [chosen], look.marker, color=look.colour, markersize=11)
    ax.set_xticks(range(len(sizes)), [str(size) for size in sizes])
    for tick in ax.xaxis.get_major_ticks()[1::2]:  # no room for every size
        tick.label1.set_visible(False)
