"""The figures of the chapter on few labels: levels and differences against the share of the labels; toxicity by language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mosaic.reporting import plots
from mosaic.reporting.colours import INK
from mosaic.studies.few_labels_ways import (
    BINARISED,
    EVERY,
    HIDDEN,
    L1,
    MEAN_DIFFERENCE,
    SELECTED,
    TFIDF,
    TOP_N,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# As `reporting.colours` knows them: SAE features have one hue, what is chosen of them hues of their own.
SHOWN = {
    BINARISED: "SAE, all latents binarised",
    EVERY: "SAE, all latents as they are",
    MEAN_DIFFERENCE: f"{SELECTED} latents by mean difference",
    L1: f"{SELECTED} latents by L1",
    TOP_N: f"top-{SELECTED} counts of latents",
    HIDDEN: "hidden states",
    TFIDF: "tfidf",
}

Points = Sequence[tuple]  # (rate, value, low, high)


def curves(levels: Mapping[str, Points], against: Mapping[str, Points], reference: str) -> Figure:
    """levels: {way: points}, macro-F1. against: {way: points}, each way minus the reference, which is the line at zero."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(2, 1, figsize=(6.4, 8.4), sharex=True)
    label = "share of the labelled training texts"
    plots.curves(named(levels), "", "macro-F1 (test), mean over sets", left)
    plots.curves(named(against), label, f"macro-F1 minus that of {SHOWN[reference]}", right)
    right.axhline(0, color=INK, linewidth=1)
    for ax in (left, right):
        ax.get_legend().remove()
    plots.legend_below(figure, left, 2)
    return plots.finished(figure)


def by_language(panels: Mapping[str, Mapping[str, Points]]) -> Figure:
    """{language: {way: points}}, a panel each."""
    shown = {name: named(of, "{:.0f}") for name, of in panels.items()}
    return plots.finished(plots.panels(shown, "% of the labels", columns=3))


def named(series: Mapping[str, Points], form: str = "{:.0f}%") -> dict[str, list[tuple]]:
    """By the names of the legend, shares in per cent."""
    return {SHOWN[way]: [(form.format(100 * rate), *rest) for rate, *rest in points] for way, points in series.items()}
