"""Figures: one style, one function a kind of figure, each returning its Axes. Colours work on light and dark pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

COLOURS = {
    "sae": "#2a9d8f",
    "hidden": "#e07a3f",
    "tfidf": "#8e6bbf",
    "majority": "#8a8a8a",
    "random": "#b0a05a",
    "tree": "#3f7fbf",
}
NAMES = {
    "sae": "SAE features",
    "hidden": "hidden states",
    "tfidf": "TF-IDF",
    "majority": "majority class",
    "tree": "SAE features, tree",
}
INK = "#7d8590"  # readable on white and on near-black


def style() -> None:
    """Set the style of all figures: seaborn, SVG, no background, byte-identical from run to run."""
    import matplotlib
    import seaborn

    seaborn.set_theme(context="notebook", style="whitegrid", palette=list(COLOURS.values()))
    matplotlib.rcParams.update(
        {
            "figure.facecolor": "none",
            "axes.facecolor": "none",
            "savefig.facecolor": "none",
            "svg.hashsalt": "mosaic",
            "svg.fonttype": "path",
            "figure.figsize": (7.2, 3.8),
            "figure.constrained_layout.use": True,
            "legend.framealpha": 0.0,
            "grid.alpha": 0.35,
            **{key: INK for key in ("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor")},
            "grid.color": INK,
        }
    )
    try:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("svg", metadata={"Date": None})
    except ImportError:  # not in a notebook
        pass


def finished(figure):
    """Close a figure and give it back: a notebook shows it once, as the value of its cell; a script can save it."""
    import matplotlib.pyplot as plt

    plt.close(figure)
    return figure


def curves(series: Mapping[str, Sequence[tuple]], xlabel: str, ylabel: str = "macro-F1 (test)", ax=None):
    """Lines with 95 % intervals. series: name -> [(x, value, low, high), ...]; known names get their colour."""
    import matplotlib.pyplot as plt

    alone = ax is None
    ax = ax or plt.subplots()[1]
    for i, (name, points) in enumerate(series.items()):
        x, value, low, high = (list(column) for column in zip(*points, strict=True))
        chance = name.startswith("chance")
        colour = INK if chance else COLOURS.get(name, list(COLOURS.values())[i % len(COLOURS)])
        look = {"linestyle": (":", "--")[i % 2]} if chance else {"marker": "o"}
        ax.plot(range(len(x)), value, color=colour, label=NAMES.get(name, name), **look)
        ax.fill_between(range(len(x)), low, high, color=colour, alpha=0.18, linewidth=0)
        ax.set_xticks(range(len(x)), [str(v) for v in x])
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if alone and len(series) > 3:
        ax.figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    else:
        ax.legend()
    return ax


def intervals(rows: Sequence[Mapping], ax=None):
    """Dots with 95 % intervals, one line a data set, one colour a kind of features.

    rows: mappings with set, features, macro_f1, low, high.
    """
    import matplotlib.pyplot as plt

    sets = list(dict.fromkeys(row["set"] for row in rows))
    kinds = list(dict.fromkeys(row["features"] for row in rows))
    ax = ax or plt.subplots(figsize=(7.2, 1.3 + 0.62 * len(sets)))[1]
    for k, kind in enumerate(kinds):
        colour = COLOURS.get(kind, COLOURS["random"])
        members = [row for row in rows if row["features"] == kind]
        y = [sets.index(row["set"]) + (k - (len(kinds) - 1) / 2) * 0.16 for row in members]
        x = np.array([row["macro_f1"] for row in members])
        error = np.array([[row["macro_f1"] - row["low"], row["high"] - row["macro_f1"]] for row in members]).T
        # A percentile interval can miss the point estimate by a hair; an error bar cannot be negative.
        ax.errorbar(x, y, xerr=np.maximum(error, 0), fmt="o", color=colour, label=NAMES.get(kind, kind), markersize=5)
    ax.set_yticks(range(len(sets)), sets)
    ax.invert_yaxis()
    ax.set_xlabel("macro-F1 (test), 95 % interval")
    ax.figure.legend(loc="outside lower center", ncols=len(kinds), fontsize="small")
    return ax


def heatmap(
    values: np.ndarray, rows: Sequence[str], columns: Sequence[str], label: str, ax=None, digits: int = 2, tall=False
):
    """A labelled matrix. values: [len(rows), len(columns)]. tall: as high as its rows need."""
    import matplotlib.pyplot as plt
    import seaborn

    height = 0.9 + 0.26 * len(rows) if tall else min(6.0, 0.9 + 0.42 * len(rows))
    ax = ax or plt.subplots(figsize=(min(7.2, 1.8 + 0.85 * len(columns) + 1.5 * tall), height))[1]
    seaborn.heatmap(
        values,
        annot=True,
        fmt=f".{digits}f",
        xticklabels=columns,
        yticklabels=rows,
        cmap="viridis",
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
    colours = list(COLOURS.values())[: len(groups)]
    ax.hist(list(groups.values()), bins=np.linspace(0, 1, 41), stacked=True, color=colours, label=list(groups))
    for i, (name, x) in enumerate((lines or {}).items()):
        ax.axvline(x, color=INK, linestyle=("--", ":", "-.")[i % 3], label=name)
    ax.set(xlabel=xlabel, ylabel="latents")
    ax.legend()
    return ax


def steps(series: Mapping[str, Mapping[float, float]], xlabel: str, ylabel: str, ax=None):
    """Lines over a numeric axis. series: name -> {x: y}; names that begin with "chance" are dashed."""
    import matplotlib.pyplot as plt

    ax = ax or plt.subplots()[1]
    for i, (name, points) in enumerate(series.items()):
        chance = name.startswith("chance")
        colour = INK if chance else list(COLOURS.values())[i % len(COLOURS)]
        style = ("--", ":", "-.")[i % 3] if chance else "-"
        ax.plot(list(points), list(points.values()), color=colour, linestyle=style, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()
    return ax


def bars(rows: Sequence[tuple], ylabel: str, xlabel: str = "", chance: Mapping[str, float] | None = None, ax=None):
    """Bars with a range. rows: (label, value, low, high). chance: label -> what knowing nothing gives, a dash."""
    import matplotlib.pyplot as plt

    ax = ax or plt.subplots()[1]
    labels, value, low, high = (list(column) for column in zip(*rows, strict=True))
    error = np.maximum([np.subtract(value, low), np.subtract(high, value)], 0)
    ax.bar(range(len(rows)), value, yerr=error, color=COLOURS["sae"], ecolor=INK, capsize=4, width=0.6)
    if chance:
        x = [i for i, label in enumerate(labels) if label in chance]
        ax.hlines(
            [chance[labels[i]] for i in x],
            np.subtract(x, 0.4),
            np.add(x, 0.4),
            color=INK,
            linestyle="--",
            label="chance",
        )
        ax.legend()
    ax.set_xticks(range(len(rows)), labels)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.grid(False, axis="x")
    return ax


def joint(x: np.ndarray, y: np.ndarray, xlabel: str, ylabel: str, ax=None):
    """A two-dimensional histogram of latents, counts on a log scale."""
    import matplotlib.pyplot as plt
    from matplotlib.colors import LogNorm

    ax = ax or plt.subplots(figsize=(7.2, 4.4))[1]
    image = ax.hist2d(x, y, bins=(36, 30), cmap="viridis", norm=LogNorm(), cmin=1)[3]
    bar = ax.figure.colorbar(image, ax=ax, label="latents")
    bar.outline.set_visible(False)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return ax


def scatter(groups: Mapping[str, Sequence[tuple]], xlabel: str, ylabel: str, chance: float, ax=None):
    """Dots with vertical ranges; those of one group are joined and labelled. groups: name -> [(label, x, y, low, high), ...]."""
    import matplotlib.pyplot as plt

    ax = ax or plt.subplots()[1]
    for (name, points), colour in zip(groups.items(), COLOURS.values(), strict=False):
        labels, x, y, low, high = (list(column) for column in zip(*points, strict=True))
        error = np.maximum([np.subtract(y, low), np.subtract(high, y)], 0)
        joined = "-" if len(points) > 1 else ""
        ax.errorbar(x, y, yerr=error, fmt="o" + joined, color=colour, label=name, capsize=3)
        for label, a, b in zip(labels, x, y, strict=True) if joined else ():
            ax.annotate(label, (a, b), textcoords="offset points", xytext=(6, 5), fontsize="x-small", color=INK)
    ax.axhline(chance, color=INK, linestyle="--", label="chance")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend(fontsize="small")
    return ax
