"""The forest of many sets: SAE features minus a baseline, one row a set, their mean at the top."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mosaic.printable import printable
from mosaic.reporting import plots
from mosaic.reporting.colours import INK, looks
from mosaic.reporting.tables import shorten
from mosaic.studies.bench import CALLED, LOSS, OURS, TIE, WIN, Tally

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME_CHARACTERS = 40
SAID = {WIN: "SAE features win", TIE: "tie", LOSS: "SAE features lose"}


def forest(tally: Tally) -> Figure:
    """A win has the colour of SAE features, a loss the baseline's; what Holm's correction leaves undecided is grey and
    hollow. Names are the user's: they are shown as they are, never read as formulas."""
    import matplotlib.pyplot as plt

    ours, theirs = looks([OURS, tally.baseline])
    drawn = {WIN: (ours.colour, ours.marker), LOSS: (theirs.colour, theirs.marker), TIE: (INK, "o")}
    rows = list(tally.sets.values())
    figure, ax = plt.subplots(figsize=(7.2, 1.7 + 0.34 * (len(rows) + 1)))
    ax.axhspan(-0.5, 0.5, color=INK, alpha=0.1, linewidth=0)
    ax.axvline(0, color=INK, linewidth=1)
    _mark(ax, 0, tally.mean, color=INK, fmt="D", label="mean, over sets and texts")
    for verdict, (colour, marker) in drawn.items():
        label = SAID[verdict]
        for y, against in enumerate(rows, start=1):
            if against.verdict == verdict:
                fill = "none" if verdict == TIE else colour
                _mark(ax, y, against.difference, color=colour, fmt=marker, markerfacecolor=fill, label=label)
                label = None  # one entry of the legend a verdict
    ax.set_yticks(range(len(rows) + 1), ["mean", *(shorten(printable(name), NAME_CHARACTERS) for name in tally.sets)])
    for tick in ax.get_yticklabels():
        tick.set_parse_math(False)
    ax.get_yticklabels()[0].set_fontweight("bold")
    ax.set_ylim(len(rows) + 0.6, -0.6)
    ax.grid(False, axis="y")
    ax.set_xlabel(f"macro-F1 (test): SAE features minus {CALLED[tally.baseline]}, 95 %")
    plots.legend_below(figure, ax)
    return figure


def _mark(ax, y: float, d, **drawn) -> None:
    # A percentile interval can miss the point estimate by a hair; an error bar cannot be negative.
    error = np.maximum([[d.difference - d.low], [d.high - d.difference]], 0)
    ax.errorbar([d.difference], [y], xerr=error, markersize=6, elinewidth=1.4, **drawn)
