"""Where the trained SAE wins, ties and loses: one cell a set and a number of latents; and every family's curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mosaic.probing.scores import Difference
from mosaic.reporting import plots
from mosaic.reporting.colours import TABLE
from mosaic.studies.gains import TIE, outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FULL = 0.2  # a difference from which the colour is the strongest


def wins_and_losses(rows: Mapping[str, Mapping[str, Difference]], n_means: int, label: str) -> Figure:
    """rows: {set or mean: {size: trained minus random}}, the n_means means first. A framed, bold number has its interval
    on one side of zero; teal: the trained SAE is ahead."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    names, sizes = list(rows), list(next(iter(rows.values())))
    values = np.array([[rows[name][size].difference for size in sizes] for name in names])
    # The means stand apart from the sets.
    y = np.arange(len(names)) + 0.35 * (np.arange(len(names)) >= n_means)
    figure, ax = plt.subplots(figsize=(7.0, 1.9 + 0.42 * (y[-1] + 1)))
    colours = _colours()
    for i, name in enumerate(names):
        for j, size in enumerate(sizes):
            value, decided = values[i, j], outcome(rows[name][size]) != TIE
            place = (j - 0.47, y[i] - 0.45)
            ax.add_patch(Rectangle(place, 0.94, 0.9, facecolor=colours((value / FULL + 1) / 2), linewidth=0))
            if decided:
                inside = (j - 0.42, y[i] - 0.395)  # on a dark page a black frame around a cell would not be seen
                ax.add_patch(Rectangle(inside, 0.84, 0.79, fill=False, edgecolor="black", linewidth=1.6))
            weight, ink = ("bold", "black") if decided else ("normal", "#4a4a4a")
            ax.text(j, y[i], _short(value), ha="center", va="center", color=ink, fontsize="small", fontweight=weight)
    ax.set(xlim=(-0.55, len(sizes) - 0.45), ylim=(y[-1] + 0.6, -0.6), xlabel="number of latents")
    ax.set_xticks(range(len(sizes)), sizes)
    ax.set_yticks(y, names)
    for tick in ax.get_yticklabels()[:n_means]:
        tick.set_fontweight("bold")
    ax.grid(False)
    for side in ax.spines.values():
        side.set_visible(False)
    bar = figure.colorbar(
        plt.cm.ScalarMappable(plt.Normalize(-FULL, FULL), colours), ax=ax, label=label, extend="both", aspect=30
    )
    bar.outline.set_visible(False)
    return plots.finished(figure)


def family_curves(series: Mapping[str, Sequence[tuple]]) -> Figure:
    """series: {family: [(size, mean, low, high), ...]}. A family of one feature is a line across, to hold the others against."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6.4, 4.8))
    plots.curves(series, "number of features", "macro-F1 (test), mean over sets", ax)
    for line in ax.get_lines():
        if len(line.get_xdata()) == 1:
            ax.axhline(line.get_ydata()[0], color=line.get_color(), linestyle=":", linewidth=1)
    ax.get_legend().remove()
    plots.legend_below(figure, ax)
    return plots.finished(figure)


def _colours():
    """From the random dictionary's colour over white to the SAE's, light enough for black digits in any cell."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("gain", ["#c9a227", "#f4f4f4", TABLE["sae"].colour])


def _short(value: float) -> str:
    """Two decimals and a sign: +.06; a zero without."""
    text = f"{value:+.2f}".replace("0.", ".", 1)
    return ".00" if text in ("+.00", "-.00") else text.replace("-", "\N{MINUS SIGN}")
