"""Strips of dots: every single value of a group on one line, the median marked, so that no summary hides how they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mosaic.reporting.colours import INK, looks

GOLDEN = (5**0.5 - 1) / 2  # its multiples spread dots evenly over a strip, the same in every run


def strips(groups: Mapping[str, Sequence[float]], xlabel: str, ax=None):
    """One strip a group (name -> values), the first at the top; a bar at each median, a line at 0. Returns the Axes."""
    import matplotlib.pyplot as plt

    ax = ax or plt.subplots(figsize=(6.6, 0.9 + 0.75 * len(groups)))[1]
    ax.axvline(0, color=INK, linewidth=1)
    for i, (values, look) in enumerate(zip(groups.values(), looks(list(groups)), strict=True)):
        x = np.sort(np.asarray(values, dtype=float))
        y = i + 0.5 * ((np.arange(len(x)) * GOLDEN) % 1 - 0.5)
        face = {"facecolors": "none", "edgecolors": look.colour} if look.hollow else {"color": look.colour}
        ax.scatter(x, y, s=18, alpha=0.75, linewidths=0.9, **face)
        ax.plot([np.median(x)] * 2, [i - 0.38, i + 0.38], color=look.colour, linewidth=2.5)
    ax.set_yticks(range(len(groups)), list(groups))
    ax.set(xlabel=xlabel, ylim=(len(groups) - 0.45, -0.55))
    return ax
