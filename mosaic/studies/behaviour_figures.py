"""The figures of forecasts: who ranks and who is calibrated, and what came true of what was forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mosaic.probing.forecasts import Measured
from mosaic.reporting import plots
from mosaic.reporting.colours import INK, TABLE, looks

LABELS = {
    "small, sae": "small: SAE features",
    "small, hidden": "small: hidden states",
    "small, tfidf": "bag of words",
    "small, length": "question length",
    "small, majority": "majority class",
    "own, sae": "own: SAE features",
    "own, hidden": "own: hidden states",
    "own, confidence": "own confidence, fitted",
    "own, confidence as it is": "own confidence, as it is",
}
SHOWN = ("small, sae", "small, hidden", "own, sae", "own, confidence as it is")  # with a curve of their own


def kind(name: str) -> str:
    """ "small, sae" -> sae: what its colour hangs on."""
    return name.partition(", ")[2].split(" ")[0]


def ranks(ranking: Mapping[str, Measured], calibration: Mapping[str, Measured], noise: Mapping[str, float]):
    """Two panels, a line a forecast: AUROC with the line of a toss; calibration error, with a tick at what right forecasts
    would show."""
    import matplotlib.pyplot as plt

    names = [name for name in LABELS if name in calibration]
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 0.9 + 0.34 * len(names)), sharey=True)
    for ax, found in ((left, ranking), (right, calibration)):
        for name in (name for name in names if name in found):
            one, look = found[name], looks([kind(name)])[0]
            error = np.maximum([[one.value - one.low], [one.high - one.value]], 0)
            face = "none" if "as it is" in name else look.colour
            ax.errorbar([one.value], [names.index(name)], xerr=error, fmt=look.marker, color=look.colour,
                        markerfacecolor=face, markersize=9 if look.marker == "*" else 6)  # fmt: skip
    left.axvline(0.5, color=INK, linestyle=TABLE["chance"].dash)
    for y, name in enumerate(names):
        right.plot([noise[name]], [y], marker="|", markersize=12, color=INK, linestyle="none")
    left.set_yticks(range(len(names)), [LABELS[name] for name in names])
    left.invert_yaxis()
    left.set_xlabel("AUROC, 95 % interval")
    right.set_xlabel("calibration error, 95 %")
    right.set_xlim(left=0)
    return plots.finished(figure)


def reliability(found: Mapping[str, Sequence[Mapping]]):
    """What came true over what was forecast, a panel a forecast, a dot a bin; right ones lie on the line."""
    import matplotlib.pyplot as plt

    names = [name for name in SHOWN if name in found]
    columns = min(2, len(names))
    lines = -(-len(names) // columns)
    size = (5.6, 0.5 + 2.7 * lines)
    figure, axes = plt.subplots(lines, columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    for ax in axes.flat[len(names) :]:
        ax.set_visible(False)
    for ax, name in zip(axes.flat, names, strict=False):
        look = looks([kind(name)])[0]
        x, y, low, high = (np.array([row[key] for row in found[name]]) for key in ("forecast", "share", "low", "high"))
        ax.plot([0, 1], [0, 1], color=INK, linestyle=TABLE["chance"].dash, linewidth=1)
        error = np.maximum([y - low, high - y], 0)
        ax.errorbar(
            x, y, yerr=error, fmt=look.marker, linestyle=look.dash, color=look.colour, markersize=4, linewidth=1
        )
        ax.set_title(LABELS[name], fontsize="medium")
        ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
        ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        ax.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    figure.supxlabel("forecast", fontsize="medium", color=INK)
    for ax in axes[:, 0]:
        ax.set_ylabel("came true")
    return plots.finished(figure)
