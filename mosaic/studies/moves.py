"""Along a sweep: what a figure of agreement does from one end to the other, and at equal sparsity.

`found` is the card's settings (`sweep.seed_groups`), the base first; `measured` has the figures of each, by the name of its
first SAE: {"shared": {"mean", "low", "high"}, "pw_mcc": ..., "l0": ..., "fvu": ...}. Ranges are over pairs of seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mosaic.saes.sweep import SeedGroup, along

NOT_VARIED = "(not varied)"
NOT_COMPARABLE = "(not comparable)"
DENSE = ("relu", "gated")  # architectures that have no k: their sparsity is a matter of a penalty


class Point(NamedTuple):
    """One setting of a sweep. value: of what varies; mean, low, high: of the figure over pairs of seeds."""

    value: str
    mean: float
    low: float
    high: float


def points(found: Sequence[SeedGroup], measured: Mapping[str, Mapping], what: str, figure: str) -> list[Point]:
    """A figure along the sweep of `what`, the base in its place; one point where it was not varied.

    A figure that is one number for all pairs, such as chance, has no range.
    """
    line = []
    for group in along(found, what):
        value = measured[group.rows[0]["name"]][figure]
        value = value if isinstance(value, Mapping) else dict.fromkeys(("mean", "low", "high"), value)
        line.append(Point(group.value, value["mean"], value["low"], value["high"]))
    return line


def ends(line: Sequence[Point]) -> dict:
    """How far a figure moves from the first point to the last.

    interval: from the pairs of seeds nearest to each other to those farthest apart. spearman: rank correlation of the
    figure with its place in the sweep. Only text, "(not varied)", where there is one point.
    """
    if len(line) == 1:
        return dict.fromkeys(("from", "to", "start", "end"), NOT_VARIED)
    first, last = line[0], line[-1]
    ranks = np.argsort(np.argsort([point.mean for point in line]))
    return {
        "from": first.value,
        "to": last.value,
        "start": first.mean,
        "end": last.mean,
        "difference": last.mean - first.mean,
        "interval": [last.low - first.high, last.high - first.low],
        "spearman": float(np.corrcoef(ranks, np.arange(len(line)))[0, 1]),
    }


def layers(line: Sequence[Point]) -> dict:
    """`ends`, the layer that is best, and by how much the first layer lies below the least of the others."""
    if len(line) == 1:
        return {"best": NOT_VARIED}
    first, others = line[0], line[1:]
    return {
        **ends(line),
        "best": max(line, key=lambda point: point.mean).value,
        "first_below": {
            "difference": min(point.mean for point in others) - first.mean,
            "interval": [
                min(point.low for point in others) - first.high,
                max(point.high for point in others) - first.low,
            ],
        },
    }


def topk_line(found: Sequence[SeedGroup], measured: Mapping[str, Mapping]) -> list[tuple[str, Mapping]]:
    """(k, figures) of the TopK SAEs of the sweep over k, the base among them; empty where the base is no TopK SAE."""
    if found[0].rows[0]["architecture"] != "topk":
        return []
    return [(group.value, measured[group.rows[0]["name"]]) for group in along(found, "k")]


def at_equal(x: float, line: Sequence[tuple[float, float]], scale: Callable[[float], float] = float) -> float | None:
    """y of a line of (x, y) at this x, between the two nearest points (straight over scale(x)).

    None where x lies outside the line, or the line is empty: nothing is extrapolated.
    """
    if not line:
        return None
    xs, ys = np.array([scale(a) for a, _ in line]), np.array([b for _, b in line])
    if not xs.min() <= scale(x) <= xs.max():
        return None
    order = np.argsort(xs)
    return float(np.interp(scale(x), xs[order], ys[order]))


def architectures(found: Sequence[SeedGroup], measured: Mapping[str, Mapping]) -> list[dict]:
    """One row an architecture: what it shares, its L0 and FVU, and what a TopK SAE of that L0 or FVU would share."""
    line = [figures for _, figures in topk_line(found, measured)]

    def topk_at(values: Mapping, key: str, figure: str) -> float | None:
        known = [(other[key], other[figure]["mean"]) for other in line]
        return at_equal(values[key], known, np.log if key == "l0" else float)

    rows = []
    for group in along(found, "architecture"):
        values = measured[group.rows[0]["name"]]
        rows.append(
            {
                "architecture": group.value,
                "shared": values["shared"]["mean"],
                "low": values["shared"]["low"],
                "high": values["shared"]["high"],
                "pw_mcc": values["pw_mcc"]["mean"],
                "l0": values["l0"],
                "fvu": values["fvu"],
                "topk_at_l0": topk_at(values, "l0", "shared"),
                "topk_at_fvu": topk_at(values, "fvu", "shared"),
                "topk_pw_at_l0": topk_at(values, "l0", "pw_mcc"),
            }
        )
    return rows


def dense_over_topk(rows: Sequence[Mapping]) -> dict:
    """By how much ReLU and gated SAEs share more than TopK SAEs of the same L0, and the same of ReLU by PW-MCC.

    Text in place of the difference where neither architecture is in the sweep ("(not varied)"), or no TopK SAEs
    around its L0 are ("(not comparable)").
    """
    dense = [row for row in rows if row["architecture"] in DENSE]
    beside = [row for row in dense if row["topk_at_l0"] is not None]
    if not beside:
        return {"relu_and_gated_over_topk": {"difference": NOT_COMPARABLE if dense else NOT_VARIED}}
    beside.sort(key=lambda row: DENSE.index(row["architecture"]))
    found = {
        "relu_and_gated_over_topk": {
            "difference": float(np.mean([row["shared"] - row["topk_at_l0"] for row in beside])),
            "interval": [
                min(row["low"] - row["topk_at_l0"] for row in beside),
                max(row["high"] - row["topk_at_l0"] for row in beside),
            ],
        }
    }
    for row in beside:
        if row["architecture"] == "relu":
            found["topk_over_relu_pw_mcc"] = row["topk_pw_at_l0"] - row["pw_mcc"]
    return found
