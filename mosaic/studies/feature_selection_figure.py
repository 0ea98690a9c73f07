"""Score against bytes: one mark an arm of feature selection, on a logarithmic axis of bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mosaic.reporting import plots
from mosaic.reporting.colours import INK, looks
from mosaic.studies.feature_selection_arms import (
    L1,
    MEAN_DIFFERENCE,
    MUTUAL_INFORMATION,
    NAMES,
    NO_SELECTION,
    form,
    way,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

APART = 1.04  # by so much stand the marks of two ways apart that take the same
# In the order of their colours: all latents have that of SAE features, the others those of the chapter on few labels.
COLOURED = [NAMES[key] for key in (NO_SELECTION, MEAN_DIFFERENCE, L1, MUTUAL_INFORMATION)]
MARKERS = {"raw": "o", "binarised": "D", "binarised at 1.0": "s"}


@dataclass(frozen=True)
class Mark:
    """One arm: bytes per text, macro-F1 with its interval."""

    arm: str
    bytes: float
    macro_f1: float
    low: float
    high: float


def score_against_bytes(marks: Sequence[Mark]) -> Figure:
    """A colour a way of selection, a marker a form; a line leads from a way's raw latents to the same ones binarised."""
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D
    from matplotlib.ticker import FuncFormatter

    ways = list(dict.fromkeys(way(mark.arm) for mark in marks))
    ordered = [name for name in COLOURED if name in ways]
    found = looks(["sae" if name == NAMES[NO_SELECTION] else name for name in ordered])
    colours = {name: look.colour for name, look in zip(ordered, found, strict=True)}
    figure, ax = plt.subplots(figsize=(6.4, 4.6))
    for i, name in enumerate(ways):
        aside = APART ** (i - (len(ways) - 1) / 2)
        members = [replace(mark, bytes=mark.bytes * aside) for mark in marks if way(mark.arm) == name]
        for mark in members:
            error = [[max(mark.macro_f1 - mark.low, 0)], [max(mark.high - mark.macro_f1, 0)]]
            drawn = {"color": colours[name], "marker": MARKERS[form(mark.arm)]}
            ax.errorbar([mark.bytes], [mark.macro_f1], yerr=error, markersize=8, capsize=3, **drawn)
        for mark in members[1:]:
            x, y = [members[0].bytes, mark.bytes], [members[0].macro_f1, mark.macro_f1]
            ax.plot(x, y, color=colours[name], linewidth=1, alpha=0.6)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    ax.set(xlabel="bytes per text, in the smallest form (logarithmic)", ylabel="macro-F1 (test, 95 %)")
    shown = [Line2D([], [], color=colours[name], linewidth=3, label=name) for name in ways]
    there = {form(mark.arm) for mark in marks}
    shown += [
        Line2D([], [], color=INK, marker=marker, linestyle="none", label=name)
        for name, marker in MARKERS.items()
        if name in there
    ]
    figure.legend(handles=shown, loc="outside lower center", ncols=4, fontsize="small")
    return plots.finished(figure, rows=[_row(mark) for mark in marks])


def _row(mark: Mark) -> dict:
    """A mark's numbers: drawn a little aside, so that marks of one size stay apart, it is told where it is."""
    return {
        "series": way(mark.arm),
        "label": form(mark.arm),
        "x": mark.bytes,
        "y": mark.macro_f1,
        "y_low": mark.low,
        "y_high": mark.high,
    }
