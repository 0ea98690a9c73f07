"""The figures of the chapter that begins from nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mosaic.reporting import plots
from mosaic.reporting.colours import INK, looks
from mosaic.reporting.frames import Frame, matrix, slider
from mosaic.reporting.tables import Html
from mosaic.studies.named_latents import NamedLatent
from mosaic.studies.toy_reading import BINS, Reading, shares
from mosaic.studies.toy_reading import along as read_along
from mosaic.studies.toy_sae import SAE
from mosaic.studies.toy_superposition import Learned

PRESENT, ABSENT = "feature present", "feature absent"


def plane(learned: Learned):
    """[n, 2] rows of W at each density, as lines from the origin."""
    import matplotlib.pyplot as plt

    densities = learned.toy.densities
    figure, axes = plt.subplots(1, len(densities), figsize=(7.2, 2.9), sharex=True, sharey=True)
    names = [f"feature {i + 1}" for i in range(learned.toy.n_features)]
    for place, (ax, density) in enumerate(zip(axes, densities, strict=True)):
        for name, look, (x, y) in zip(names, looks(names), learned.best(place), strict=True):
            ax.plot(
                [0, x],
                [0, y],
                color=look.colour,
                marker=look.marker,
                linestyle=look.dash,
                markevery=[1],
                label=name,
                linewidth=2,
            )
        ax.set_title(f"active in {density:.0%}", fontsize="medium")
        ax.set(aspect="equal", xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), xlabel="first number")
    axes[0].set_ylabel("second number")
    plots.legend_below(figure, axes)
    return plots.finished(figure)


def represented(by_model: Mapping[str, Mapping[str, Mapping]], d: int):
    """Lines with intervals over seeds, a dash at as many features as dimensions."""
    series = {
        name: [(f"{p}%", one["mean"], *one["interval"]) for p, one in by_density.items()]
        for name, by_density in by_model.items()
    }
    ax = plots.curves(series, "how often a feature is active", "features represented")
    ax.axhline(d, color=INK, linestyle=":", label="as many as dimensions")
    ax.legend()
    return plots.finished(ax)


def along(reading: Reading, feature: int):
    """Two panels: by the direction, by the latent; examples with the feature and without."""
    import matplotlib.pyplot as plt

    present = reading.amplitudes[:, feature] > 0
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)
    for ax, (how, values) in zip(axes, read_along(reading, feature).items(), strict=True):
        for name, look, rows in zip((PRESENT, ABSENT), looks(["sae", "hidden"]), (present, ~present), strict=True):
            ax.stairs(shares(values, rows), BINS, color=look.colour, linestyle=look.dash, linewidth=2, label=name)
        ax.set(xlabel=how, yscale="log", ylim=(1e-3, 1.2))
    axes[0].set_ylabel("share of examples (log)")
    plots.legend_below(figure, axes)
    rows = [
        {"panel": how, "series": name, "x": float(x), "value": float(v)}
        for how, values in read_along(reading, feature).items()
        for name, chosen in ((PRESENT, present), (ABSENT, ~present))
        for x, v in zip(BINS[:-1], shares(values, chosen), strict=True)
    ]
    what = "Two panels of histograms: one feature read by the product with its direction, and by its latent; with it and without it."
    return plots.finished(figure, what, rows)


def training(sae: SAE):
    """Three panels over the steps."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(sae.history), figsize=(7.2, 2.6))
    for ax, (name, values) in zip(axes, sae.history.items(), strict=True):
        ax.plot(sae.steps, values, color=looks(["sae"])[0].colour, linewidth=2)
        label = {"FVU": "variance unexplained"}.get(name, name)
        ax.set(xlabel="step", ylim=(0, 1.1 * max(values)))
        ax.set_title(label, fontsize="medium")
    return plots.finished(figure)


def cosines(trained: Reading, random: Reading):
    """Histogram of each latent's largest cosine with a true direction."""
    groups = {"trained SAE": trained.nearest, "random dictionary": random.nearest}
    return plots.finished(plots.distribution(groups, "cosine with the nearest true direction"))


def sparsity_slider(read: Mapping[int, Reading], start: int) -> Html:
    """One frame a k: cosines of latents with true features, latents in the order of the feature that each is nearest to."""
    frames = []
    for k, one in read.items():
        row = one.row()
        order = np.lexsort((-one.cosines.max(1), one.cosines.argmax(1)))
        heard = "" if row["heard"] is None else f" A found feature of amplitude 1 is given as {row['heard']:.2f}."
        said = (
            f"L0 {row['l0']:.1f}; {row['fvu']:.0%} of the variance unexplained; {row['found']} of {one.world.n_features} true features "
            f"found.{heard}"
        )
        drawing = matrix(
            one.cosines[order], "true features", "latents", f"Cosines of latents with true features at k = {k}. {said}"
        )
        frames.append(Frame(f"k = {k}", drawing, said))
    return slider("latents kept per example, k", frames, list(read).index(start))


def shrinkage(by_l1: Mapping[float, Reading], by_k: Mapping[int, Reading]):
    """Activation over amplitude against L0, for both kinds of sparsity; SAEs that found nothing are left out."""
    series = {
        "TopK": {one.l0: float(h.mean()) for one in by_k.values() if len(h := one.heard())},
        "relu": {one.l0: float(h.mean()) for one in by_l1.values() if len(h := one.heard())},
    }
    series = {name: dict(sorted(points.items())) for name, points in series.items() if points}
    ax = plots.steps(series, "L0", "activation / true amplitude")
    ax.axhline(1, color=INK, linestyle=":", label="right")
    ax.set_ylim(0, 1.2)
    ax.legend(["TopK", "ReLU with an L1 penalty", "right"][-len(ax.lines) :])
    return plots.finished(ax)


def with_and_without(latents: Sequence[NamedLatent]):
    """One panel a latent: its largest activation in texts with its factor and without."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(latents), figsize=(7.2, 3.0))
    rows = []
    for ax, one in zip(axes, latents, strict=True):
        bins = np.linspace(0, max(one.with_it.max(), one.without.max()) + 1e-6, 21)
        for name, look, values in zip(
            ("with it", "without"), looks(["sae", "hidden"]), (one.with_it, one.without), strict=True
        ):
            share = np.histogram(values, bins)[0] / max(len(values), 1)
            ax.stairs(share, bins, color=look.colour, linestyle=look.dash, linewidth=2, label=name)
            rows += [
                {"panel": one.name, "series": name, "x": float(x), "value": float(v)}
                for x, v in zip(bins[:-1], share, strict=True)
            ]
        ax.set(xlabel="largest activation in the text")
        ax.set_title(f"{one.name} (latent {one.latent})", fontsize="medium")
        ax.xaxis.label.set_fontsize("small")
    axes[0].set_ylabel("share of texts")
    plots.legend_below(figure, axes)
    names = ", ".join(f"latent {one.latent} for {one.name}" for one in latents)
    return plots.finished(
        figure, f"Histograms of the largest activation in texts with a factor and without: {names}.", rows
    )
