"""Figures: one style, one function a kind of figure, each returning its Axes. Looks come from one table (colours.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mosaic.errors import MosaicError
from mosaic.reporting.colours import INK, TABLE, looks
from mosaic.reporting.style import COLUMNS, LEGEND, WIDEST, WIDTH, style

__all__ = ["COLUMNS", "LEGEND", "WIDEST", "WIDTH", "style"]

LONG = 20  # letters of an axis's name that a panel of several has room for
ROOM = 24  # letters of the numbers along an axis that such a panel has room for
NAMES = {
    "sae": "SAE features",
    "hidden": "hidden states",
    "tfidf": "TF-IDF",
    "majority": "majority class",
    "random": "random dictionary",
    "tree": "SAE features, tree",
    "length": "question length",
    "confidence": "own confidence",
}


def finished(figure, said: str = "", rows: Sequence[Mapping] | None = None):
    """Close a figure and give it back: a notebook shows it once, as the value of its cell; a script can save it.

    Takes a Figure, or any of its Axes. said: its alternative text, rows: its numbers, where `drawn` cannot read them off.
    """
    import matplotlib.pyplot as plt

    plt.close(figure.figure)
    figure.figure.set_label(said)
    figure.figure.told = rows
    return figure.figure


def shades():
    """The colours of numbers in a matrix: viridis without its dark end, so that black digits are readable in any cell."""
    import matplotlib
    from matplotlib.colors import ListedColormap

    return ListedColormap(matplotlib.colormaps["viridis"](np.linspace(0.5, 1, 256)))


def curves(series: Mapping[str, Sequence[tuple]], xlabel: str, ylabel: str = "macro-F1 (test)", ax=None):
    """Lines with 95 % intervals. series: name -> [(x, value, low, high), ...]; every x has its place on the axis,
    where a series that no line joins (published values) may have several marks."""
    import matplotlib.pyplot as plt

    alone = ax is None
    ax = ax or plt.subplots()[1]
    places = {x: i for i, x in enumerate(dict.fromkeys(point[0] for points in series.values() for point in points))}
    for (name, points), drawn in zip(series.items(), _lines(list(series)), strict=True):
        x, value, low, high = (list(column) for column in zip(*points, strict=True))
        x = [places[v] for v in x]
        ax.plot(x, value, label=NAMES.get(name, name), **drawn)
        if drawn["markerfacecolor"] != "none":  # what others published has no interval
            band = f"_{NAMES.get(name, name)}"  # `drawn` finds a line's band by it
            ax.fill_between(x, low, high, color=drawn["color"], alpha=0.15, linewidth=0, label=band)
    ax.set_xticks(list(places.values()), [str(x) for x in places])
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if alone and len(series) > 3:
        legend_below(ax.figure, ax)
    else:
        ax.legend()
    return ax


def panels(
    groups: Mapping[str, Mapping[str, Sequence[tuple]]], xlabel: str, ylabel="macro-F1 (test)", columns: int = COLUMNS
):
    """`curves`, one panel a group (such as a data set), `columns` in a line, one legend for all. Returns the Figure."""
    import matplotlib.pyplot as plt

    columns = min(columns, len(groups))
    lines = -(-len(groups) // columns)
    size = (max(3.6, min(2.15 * columns + 0.6, WIDEST)), 2.45 * lines + 0.5)
    figure, grid = plt.subplots(lines, columns, figsize=size, sharey=True, squeeze=False)
    for i, (ax, (title, series)) in enumerate(zip(grid.flat, groups.items(), strict=False)):
        below = i + columns >= len(groups)
        curves(series, xlabel if below and len(xlabel) <= LONG else "", ylabel if i % columns == 0 else "", ax)
        ax.set_title(title, fontsize="medium")
        ax.get_legend().remove()
        names = ax.get_xticklabels()
        texts = [name.get_text() for name in names]
        if sum(map(len, texts)) + len(texts) > ROOM and all(text.isdecimal() for text in texts):
            for name in names[-2::-2]:  # unseen, not taken away: the figure's rows are named by them
                name.set_alpha(0)
    if len(xlabel) > LONG:  # two of them would run into one another: one, in the middle of the line
        middle = (columns - 1) // 2
        below = grid[(len(groups) - 1 - middle) // columns, middle].xaxis
        below.set_label_text(xlabel)
        below.label.set_x(0.5 if columns % 2 else 1.05)
    for ax in grid.flat[len(groups) :]:
        ax.set_visible(False)
    legend_below(figure, grid.flat[: len(groups)])
    return figure


def legend_below(figure, ax, columns: int | None = None) -> None:
    """One legend under a figure, of the series of one of its Axes, or of several: each series once."""
    named = {label: mark for one in np.ravel(ax) for mark, label in zip(*one.get_legend_handles_labels(), strict=True)}
    fitting = max(1, min(len(named), int(figure.get_size_inches()[0] * 11.5 / (6 + max(map(len, named))))))
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=columns or fitting, fontsize=LEGEND)


def intervals(rows: Sequence[Mapping], xlabel: str = "macro-F1 (test), 95 % interval", zero: bool = False, ax=None):
    """Dots with 95 % intervals, one line a data set, one colour a kind of features.

    rows: mappings with set, features, macro_f1, low, high. zero: a line at 0, for differences.
    """
    import matplotlib.pyplot as plt

    sets = list(dict.fromkeys(row["set"] for row in rows))
    kinds = list(dict.fromkeys(row["features"] for row in rows))
    ax = ax or plt.subplots(figsize=(WIDTH + 0.6, 1.3 + 0.62 * len(sets)))[1]
    for k, (kind, look) in enumerate(zip(kinds, looks(kinds), strict=True)):
        members = [row for row in rows if row["features"] == kind]
        y = [sets.index(row["set"]) + (k - (len(kinds) - 1) / 2) * min(0.16, 0.8 / len(kinds)) for row in members]
        x = np.array([row["macro_f1"] for row in members])
        error = np.array([[row["macro_f1"] - row["low"], row["high"] - row["macro_f1"]] for row in members]).T
        # A percentile interval can miss the point estimate by a hair; an error bar cannot be negative.
        error = np.maximum(error, 0)
        drawn = {"fmt": look.marker or "|", "color": look.colour, "mfc": "none" if look.hollow else look.colour}
        ax.errorbar(x, y, xerr=error, **drawn, label=NAMES.get(kind, kind), markersize=5)
    if zero:
        ax.axvline(0, color=INK, linewidth=1)
    ax.set_yticks(range(len(sets)), sets)
    ax.set_ylim(len(sets) - 0.5, -0.5)  # the first line at the top, none cut
    ax.set_xlabel(xlabel)
    legend_below(ax.figure, ax)
    return ax


def heatmap(
    values: np.ndarray, rows: Sequence[str], columns: Sequence[str], label: str, ax=None, digits: int = 2, tall=False,
    scale: tuple[float | None, float | None] = (None, None),
):  # fmt: skip
    """A labelled matrix. values: [len(rows), len(columns)]. tall: as high as its rows need. scale: least and most of the colours."""
    import matplotlib.pyplot as plt
    import seaborn

    height = 0.9 + 0.26 * len(rows) if tall else min(6.0, 0.9 + 0.42 * len(rows))
    names = 0.085 * max(len(str(name)) for name in rows)  # inches
    width = min(WIDEST, 1.6 + names + max(0.62, 0.17 * (digits + 2)) * len(columns))
    ax = ax or plt.subplots(figsize=(width, height))[1]
    seaborn.heatmap(
        values,
        annot=True,
        annot_kws={"color": "black"},
        fmt=f".{digits}f",
        xticklabels=columns,
        yticklabels=rows,
        cmap=shades(),
        vmin=scale[0],
        vmax=scale[1],
        cbar_kws={"label": label},
        linewidths=0.5,
        linecolor="none",
        ax=ax,
    )
    ax.tick_params(axis="y", rotation=0)
    ax.grid(False)
    return ax


def distribution(groups: Mapping[str, np.ndarray], xlabel: str, lines: Mapping[str, float] | None = None, ax=None):
    """Stacked histograms of cosines between 0 and 1. groups: name -> values; lines: name -> where it stands."""
    import matplotlib.pyplot as plt

    ax = ax or plt.subplots()[1]
    colours = [look.colour for look in looks(list(groups))]
    if len(set(colours)) < len(colours):
        raise MosaicError(f"two of the histograms {', '.join(groups)} would have one colour.")
    ax.hist(list(groups.values()), bins=np.linspace(0, 1, 41), stacked=True, color=colours, label=list(groups))
    for i, (name, x) in enumerate((lines or {}).items()):
        ax.axvline(x, color=INK, linestyle=("--", ":", "-.")[i % 3], label=name)
    ax.set(xlabel=xlabel, ylabel="latents")
    ax.legend()
    return ax


def steps(
    series: Mapping[str, Mapping[float, float]],
    xlabel: str,
    ylabel: str,
    ax=None,
    marks: Mapping[str, tuple[float, float]] | None = None,
):
    """Lines over a numeric axis. series: name -> {x: y}. marks: name -> one point of its series to be seen, (x, y)."""
    import matplotlib.pyplot as plt

    ax = ax or plt.subplots(figsize=(WIDTH, 4.8 if len(series) > 5 else 3.6))[1]
    for (name, points), drawn in zip(series.items(), _lines(list(series)), strict=True):
        many = len(points) > 12
        every = max(1, len(points) // 8)
        ax.plot(
            list(points), list(points.values()), label=NAMES.get(name, name), markevery=every if many else 1, **drawn
        )
        if marks and name in marks:
            x, y = marks[name]
            ax.plot([x], [y], color=drawn["color"], marker=drawn["marker"] or "o", markersize=11, linestyle="none")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if len(series) > 5:
        legend_below(ax.figure, ax)
    else:
        ax.legend()
    return ax


def bars(
    rows: Sequence[tuple],
    ylabel: str,
    xlabel: str = "",
    chance: Mapping[str, float] | None = None,
    ax=None,
    of: str = "sae",
):
    """Bars with a range. rows: (label, value, low, high). chance: label -> what knowing nothing gives, a dash.

    of: what is measured, a name of the table of colours.
    """
    import matplotlib.pyplot as plt

    ax = ax or plt.subplots()[1]
    labels, value, low, high = (list(column) for column in zip(*rows, strict=True))
    error = np.maximum([np.subtract(value, low), np.subtract(high, value)], 0)
    ax.bar(range(len(rows)), value, yerr=error, color=looks([of])[0].colour, ecolor=INK, capsize=4, width=0.6)
    if chance:
        x = [i for i, label in enumerate(labels) if label in chance]
        y = [chance[labels[i]] for i in x]
        ax.hlines(y, np.subtract(x, 0.4), np.add(x, 0.4), color=INK, linestyle="--", label="chance")
    ax.set_xticks(range(len(rows)), labels)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.grid(False, axis="x")
    if chance:
        ax.legend()
    return ax


def joint(x: np.ndarray, y: np.ndarray, xlabel: str, ylabel: str, ax=None):
    """A two-dimensional histogram of latents, counts on a log scale."""
    import matplotlib.pyplot as plt
    from matplotlib.colors import LogNorm

    ax = ax or plt.subplots(figsize=(WIDTH + 0.6, 4.4))[1]
    image = ax.hist2d(x, y, bins=(36, 30), cmap=shades(), norm=LogNorm(), cmin=1)[3]
    bar = ax.figure.colorbar(image, ax=ax, label="latents")
    bar.outline.set_visible(False)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return ax


def scatter(groups: Mapping[str, Sequence[tuple]], xlabel: str, ylabel: str, chance: float, ax=None):
    """Dots with vertical ranges; those of one group are joined and labelled. groups: name -> [(label, x, y, low, high), ...]."""
    import matplotlib.pyplot as plt

    ax = ax or plt.subplots()[1]
    for (name, points), look in zip(groups.items(), looks(list(groups)), strict=True):
        labels, x, y, low, high = (list(column) for column in zip(*points, strict=True))
        error = np.maximum([np.subtract(y, low), np.subtract(high, y)], 0)
        joined = look.dash if len(points) > 1 else "none"
        drawn = {"color": look.colour, "marker": look.marker or "o", "linestyle": joined}
        ax.errorbar(x, y, yerr=error, label=name, capsize=3, **drawn)
        for label, a, b in zip(labels, x, y, strict=True) if len(points) > 1 else ():
            ax.annotate(label, (a, b), textcoords="offset points", xytext=(6, 5), fontsize="small", color=INK)
    ax.axhline(chance, color=INK, linestyle=TABLE["chance"].dash, label="chance")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()
    return ax


def _lines(names: Sequence[str]) -> list[dict]:
    """Colour, dash, marker and width of each line: a later one is thinner, so that what it covers is seen at its sides.
    What others found stands apart: hollow, thin, and the widths of this run's lines do not depend on it."""
    found = looks(names)
    n = sum(not look.hollow for look in found)
    widths = iter(np.linspace(2.6, 1.2, n) if n > 1 else [1.8])
    return [
        {
            "color": look.colour,
            "linestyle": look.dash,
            "marker": look.marker,
            "markerfacecolor": "none" if look.hollow else look.colour,
            "linewidth": (width := 1.2 if look.hollow else next(widths)),
            "markersize": 4 + 1.6 * width,
            "zorder": 2 + i / 100,
        }
        for i, look in enumerate(found)
    ]
