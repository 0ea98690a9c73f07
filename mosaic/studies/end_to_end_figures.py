"""Figures of the chapter on end-to-end SAEs: L0 against added cross-entropy, and errors after each block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mosaic.reporting import plots
from mosaic.reporting.colours import INK, looks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Where a mark's number stands, loss by loss: curves may lie on one another.
SIDES = (
    {"textcoords": "offset points", "xytext": (7, 5)},
    {"textcoords": "offset points", "xytext": (-7, -12), "ha": "right"},
    {"textcoords": "offset points", "xytext": (7, 5)},
)


def frontier(marks: Mapping[str, Sequence[Mapping]]) -> Figure:
    """marks: {loss: [{l0, ce: {value, interval}, lambda}]}; both axes are logarithmic, and lower and further left is better."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

    ax = plt.subplots(figsize=(6.4, 4.4))[1]
    for (loss, points), look in zip(marks.items(), looks(list(marks)), strict=True):
        x, y = (np.array([point[name]["value"] for point in points]) for name in ("l0", "ce"))
        errors = [_error([point[name] for point in points]) for name in ("l0", "ce")]
        drawn = {"color": look.colour, "marker": look.marker, "linestyle": look.dash}
        ax.errorbar(x, y, xerr=errors[0], yerr=errors[1], label=loss, capsize=2, **drawn)
        beside = SIDES[list(marks).index(loss) % len(SIDES)]
        for point, a, b in zip(points, x, y, strict=True):
            ax.annotate(f"{point['lambda']:g}", (a, b), color=INK, fontsize="x-small", **beside)
    ax.set(xscale="log", yscale="log", xlabel="L0 (latents per token)", ylabel="added cross-entropy (nats per token)")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FormatStrFormatter("%g"))
        axis.set_minor_locator(NullLocator())
    plots.legend_below(ax.figure, ax)
    return plots.finished(ax)


def _error(points: Sequence[Mapping]) -> np.ndarray:
    """[2, n]: how far below and above each value its interval reaches."""
    ends = [(p["value"] - p["interval"][0], p["interval"][1] - p["value"]) for p in points]
    return np.maximum(np.array(ends).T, 0)


def downstream(found: Mapping[str, Mapping], row: Mapping) -> Figure:
    """Squared error after the SAE's own block and each later one. found: {loss: figures}; row: of any SAE."""
    import matplotlib.pyplot as plt

    ax = plt.subplots()[1]
    for (loss, figures), look in zip(found.items(), looks(list(found)), strict=True):
        errors = {row["layer"]: figures["error"], **{int(k): value for k, value in figures["downstream"].items()}}
        ax.plot(
            list(errors), list(errors.values()), label=loss, color=look.colour, marker=look.marker, linestyle=look.dash
        )
    ax.set_xticks(list(errors))
    ax.set(ylim=(0, None), xlabel="after block", ylabel="squared error per token")
    plots.legend_below(ax.figure, ax)
    return plots.finished(ax)
