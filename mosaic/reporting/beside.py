"""Figures of this run beside published values: two panels of one scale, because their settings lie far apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mosaic.reporting import plots


def beside_published(
    series: Mapping[str, Sequence[tuple]], known: Mapping[float | str, float], what: str, xlabel: str, ylabel: str
):
    """`plots.curves` of this run on the left; on the right the published values, hollow, on an axis of their own.

    series: as in `plots.curves`. known: {setting: value}. what: what the published values are of. Returns the Figure.
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(6.6, 3.9), sharey=True, gridspec_kw={"width_ratios": (1.4, 1)})
    plots.curves(series, xlabel, ylabel, left)
    left.get_legend().remove()
    left.set_title("this run", fontsize="medium")
    points = [(short(x), value, value, value) for x, value in known.items()]
    plots.curves({f"published: {what}": points}, xlabel, "", right)
    right.get_legend().remove()
    right.set_title(f"published:\n{what}", fontsize="medium")
    if len(points) > 4 and max(len(label) for label, *_ in points) > 2:
        right.tick_params(axis="x", rotation=60, labelsize="small")
    plots.legend_below(figure, left)
    return figure


def short(x: float | str) -> str:
    """A setting as an axis has room for it: 0.8B, 131,072."""
    if isinstance(x, str):
        return x
    return f"{x / 1e9:g}B" if x >= 1e8 else f"{x:,}"
