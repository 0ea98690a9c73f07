"""The threshold of "shared", moved by hand: how many latents of one SAE are found again in the other, beside those of chance."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mosaic import numerals
from mosaic.agreement.cosines import TOLERANCE
from mosaic.agreement.stability import CURVE, THRESHOLD, Match
from mosaic.reporting import sliders, tables
from mosaic.reporting.slider_drawing import Bars, Chart, Line
from mosaic.reporting.sliders import Case, Place

LIT, FAINT = "shared: same partner, cosines reach the threshold", "same partner, cosines do not reach it"
LOWEST = -0.1  # of the axis; what lies below stands at its left end
UNMATCHED = -2.0
APART = "two seeds, partners differ"
EDGES = tuple(round(LOWEST + 0.05 * i, 2) for i in range(23))  # -0.10, -0.05, ..., 1.00: thresholds are edges


def slider(pair: Match, chance: Mapping[str, Match]) -> tables.Html:
    """pair: the two SAEs. chance: {name: a pair that knows nothing}."""
    found = {"two seeds": pair, **chance}
    rows = [
        {"threshold": t, **{name: share(one, t) for name, one in found.items()}, "alike": alike(pair, t)} for t in CURVE
    ]
    columns = {
        "threshold": "threshold",
        **{name: f"shared, {name}" for name in found},
        "alike": "two seeds, partners aside",
    }
    return sliders.figure("Cosine threshold", [case(pair, chance)], rows, columns)


def lower(pair: Match) -> np.ndarray:
    """[len(a)]: the smaller of a latent's two matched cosines; where a matching left it out, below all."""
    return np.nan_to_num(np.minimum(pair.decoder.cosine, pair.encoder.cosine), nan=UNMATCHED)


def share(pair: Match, threshold: float) -> float:
    """The shared fraction."""
    return float(pair.shared(threshold).sum() / pair.n)


def alike(pair: Match, threshold: float) -> float:
    """The fraction whose two cosines reach the threshold, whichever partners they have."""
    return float((lower(pair) >= threshold - TOLERANCE).sum() / pair.n)


def histogram(pair: Match, which: np.ndarray) -> np.ndarray:
    """[bins of EDGES]: shares of all latents, of those that `which` ([len(a)] bool) names, by their smaller cosine. A cosine at an
    edge, to within TOLERANCE, is above it, as for `Match.shared`; those beyond the ends are in the first and the last bin."""
    matched = which & (lower(pair) > UNMATCHED)
    place = np.searchsorted(np.array(EDGES) - TOLERANCE, lower(pair)[matched], side="right") - 1
    return np.bincount(np.clip(place, 0, len(EDGES) - 2), minlength=len(EDGES) - 1) / pair.n


def case(pair: Match, chance: Mapping[str, Match]) -> Case:
    """The figure: bars of the latents whose partners agree, lines of those that do not and of chance."""
    same = histogram(pair, pair.equal)
    others = {APART: histogram(pair, ~pair.equal)}
    others |= {name: histogram(one, np.ones(len(one.a), bool)) for name, one in chance.items()}
    top = max(float(values.max()) for values in (same, *others.values()))
    step = next(one for one in (0.02, 0.05, 0.1, 0.2) if top <= 5 * one)
    top = step * np.ceil(top / step - 1e-9)
    chart = Chart(
        "smaller cosine of decoder and encoder",
        "share of latents",
        (0.0, top),
        [(where(t), f"{t:.1f}") for t in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)],
        [(float(v), f"{v:.0%}") for v in np.arange(0, top + 1e-9, step)],
        bars=Bars(LIT, FAINT, list(map(where, EDGES)), same.tolist()),
        outlines=[Line(name, outline(values)) for name, values in others.items()],
    )
    said = (
        "Histogram: latents of one SAE by the smaller of the two cosines with their partners in the other. Bars: both "
        f"matchings give the same partner. Lines: they give different ones; and all latents of {', '.join(chance)}."
    )
    return Case("", said, chart, [place(t, pair, chance) for t in CURVE], start=CURVE.index(THRESHOLD))


def place(threshold: float, pair: Match, chance: Mapping[str, Match]) -> Place:
    """One threshold: the bars right of it are lit."""
    shared, reached = ([of(one, threshold) for one in (pair, *chance.values())] for of in (share, alike))
    beside = ", ".join(f"{name} {numerals.share(value)}" for name, value in zip(chance, shared[1:], strict=True))
    aside = ", ".join(map(numerals.share, reached[1:]))
    said = (
        f"At a threshold of {threshold:.2f} the two seeds share {numerals.share(shared[0])} of their latents. By chance: {beside}. "
        f"Without the rule on partners it would be {numerals.share(reached[0])}, and by chance {aside}."
    )
    bars = [i for i, edge in enumerate(EDGES[:-1]) if edge >= threshold]
    return Place(f"{threshold:.2f}", said, where(threshold), bars=bars)


def where(cosine: float) -> float:
    """A cosine's place on the axis."""
    return (cosine - LOWEST) / (1 - LOWEST)


def outline(values: np.ndarray) -> list[tuple[float, float]]:
    """The upper edge of a histogram, as points."""
    points = [(where(EDGES[0]), 0.0)]
    for left, right, value in zip(EDGES, EDGES[1:], values.tolist(), strict=False):
        points += [(where(left), value), (where(right), value)]
    return [*points, (where(EDGES[-1]), 0.0)]
