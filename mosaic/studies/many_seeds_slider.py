"""The threshold of "shared" among many SAEs, moved by hand: how many latents all of them have, and how many one alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mosaic import numerals
from mosaic.agreement.pairwise import Seeds
from mosaic.agreement.stability import CURVE, THRESHOLD
from mosaic.reporting import sliders, tables
from mosaic.reporting.slider_drawing import Chart, Line
from mosaic.reporting.sliders import Case, Place

Shares = Mapping[float, np.ndarray]  # {threshold: [S] shares of latents in exactly 1, ..., S of the SAEs}


def by_threshold(seeds: Seeds) -> dict[float, np.ndarray]:
    """The shares at every threshold of the curve; as `Presence.shares`, without its families."""
    n = len(seeds)
    return {
        t: np.mean(
            [np.bincount(m, minlength=n + 1)[1:] / len(m) for m in (seeds.membership(i, t) for i in range(n))], axis=0
        )
        for t in CURVE
    }


def slider(trained: Shares, random: Shares) -> tables.Html:
    """trained, random: of the SAEs, and of as many random dictionaries."""
    n = len(trained[THRESHOLD])
    rows = [
        {
            "threshold": t,
            "all": float(trained[t][-1]),
            "one": float(trained[t][0]),
            "random_all": float(random[t][-1]),
            "random_one": float(random[t][0]),
        }
        for t in CURVE
    ]
    columns = {
        "threshold": "threshold",
        "all": f"in all {n}",
        "one": "in only one",
        "random_all": f"random dictionaries, in all {n}",
        "random_one": "random dictionaries, in only one",
    }
    return sliders.figure("Cosine threshold", [case(trained, random)], rows, columns)


def case(trained: Shares, random: Shares) -> Case:
    """The figure: both ends of the count, by the threshold, and chance."""
    n = len(trained[THRESHOLD])
    lines = {
        f"in all {n}": (trained, -1),
        "in only one": (trained, 0),
        "chance: random dictionaries, in only one": (random, 0),
    }
    tenths = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    chart = Chart(
        "threshold on both cosines",
        "share of latents",
        (0.0, 1.0),
        [(t, f"{t:.1f}") for t in tenths],
        [(t, f"{t:.0%}") for t in tenths],
        lines=[Line(name, [(t, float(of[t][end])) for t in CURVE]) for name, (of, end) in lines.items()],
    )
    said = (
        f"Lines by the threshold: the share of latents that all {n} SAEs have, the share that only one has, and the latter of "
        "random dictionaries; marks at the threshold chosen."
    )
    places = []
    for t in CURVE:
        values = [float(of[t][end]) for of, end in lines.values()]
        whole, alone, chance = map(numerals.share, values)
        between = numerals.share(max(0.0, float(trained[t][1:-1].sum())))
        words = (
            f"At a threshold of {t:.2f}, {whole} of the latents are in all {n} SAEs, {alone} in only one, {between} between. "
            f"Of random dictionaries, {chance} of the latents are in only one."
        )
        places.append(Place(f"{t:.2f}", words, t, [(value, value, value) for value in values]))
    return Case("", said, chart, places, start=CURVE.index(THRESHOLD))
