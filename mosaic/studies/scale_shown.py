"""Depth and scale as a figure and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mosaic import numerals
from mosaic.reporting import plots, tables
from mosaic.reporting.colours import looks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mosaic.studies.scale import Depths, Scale

PANELS = {"hidden": "hidden states, every block", "sae": "SAE features, layers with an SAE"}


def figure(scale: Scale) -> Figure:
    """Mean macro-F1 over the sets along the depth, a panel a kind of features, a line a model; bands are 95 % over texts,
    the large mark is the layer that validation chose."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(PANELS), figsize=(7.0, 3.8), sharex=True, sharey=True)
    named = looks([one.model for one in scale.models])
    for ax, (features, title) in zip(axes, PANELS.items(), strict=True):
        for one, look in zip(scale.models, named, strict=True):
            _line(ax, one, features, look)
        ax.set_title(title, fontsize="medium")
        ax.set(xlim=(0, 1.05), xlabel="share of the model's blocks passed")
    axes[0].set_ylabel("macro-F1 (test)")
    plots.legend_below(figure, axes[0])
    return plots.finished(figure)


def _line(ax, one: Depths, features: str, look) -> None:
    points = {one.depth(layer): mean for layer, mean in one.means[features].items()}
    drawn = {"color": look.colour, "marker": look.marker}
    ax.plot(list(points), [mean.macro_f1 for mean in points.values()], linestyle=look.dash, label=one.model, **drawn)
    low, high = zip(*((mean.low, mean.high) for mean in points.values()), strict=True)
    ax.fill_between(list(points), low, high, color=look.colour, alpha=0.15, linewidth=0, label=f"_{one.model}")
    chosen = one.every.winner if features == "hidden" else one.at_saes[features].winner
    ax.plot([one.depth(chosen)], [one.means[features][chosen].macro_f1], **drawn, markersize=11, linestyle="none")


def table(scale: Scale) -> tables.Html:
    """Each model and kind of features: among which layers validation chose, which, where it lies, what it reaches."""
    rows = []
    for one in scale.models:
        compared = {
            "hidden states, every block": ("hidden", one.every, one.blocks),
            "hidden states": ("hidden", one.at_saes["hidden"], one.layers),
            "SAE features": ("sae", one.at_saes["sae"], one.layers),
        }
        for what, (features, choice, layers) in compared.items():
            reached = one.means[features][choice.winner]
            rows.append(
                {
                    "model": one.model,
                    "features": what,
                    "layers": f"{layers[0]} to {layers[-1]}" if layers == one.blocks else ", ".join(map(str, layers)),
                    "chosen": choice.winner,
                    "third": one.third(choice.winner),
                    "depth": one.depth(choice.winner),
                    "again": numerals.share(choice.again),
                    "test": reached.macro_f1,
                    "interval": numerals.interval(reached.low, reached.high),
                }
            )
    columns = {
        "model": "model",
        "features": "features",
        "layers": "layers compared",
        "chosen": "chosen",
        "third": "third",
        "depth": "share of blocks passed",
        "again": "chosen again",
        "test": "macro-F1 (test)",
        "interval": "95 % over texts",
    }
    return tables.table(rows, columns)
