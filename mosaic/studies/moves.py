"""Along a sweep: what a figure of agreement does from one end to the other, and at equal sparsity.

`found` is the card's settings (`sweep.seed_groups`), the base first; `measured` has the figures of each, by the name of its
first SAE, as `pairwise.over_pairs` gives them: {"shared": {"mean", "se", "df", ...}, "pw_mcc": ..., "l0": ..., "fvu": ...}.
Every interval is 95 % over SAEs, each left out in turn; settings are independent of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mosaic.agreement.resampling import Estimate, least, linear
from mosaic.saes.sweep import SeedGroup, along

NOT_VARIED = "(not varied)"
NOT_COMPARABLE = "(not comparable)"
DENSE = ("relu", "gated")  # architectures that have no k: their sparsity is a matter of a penalty


class Point(NamedTuple):
    """One setting of a sweep. value: of what varies; figure: of agreement, over pairs of seeds."""

    value: str
    figure: Estimate

    @property
    def drawn(self) -> tuple[str, float, float, float]:
        """(value, mean, low, high), within 0 and 1; no width where there is no interval."""
        low, high = self.figure.share_interval() or (self.figure.value, self.figure.value)
        return self.value, self.figure.value, low, high


def estimate(value: Mapping | float) -> Estimate:
    """A recorded figure; one that is a single number for all pairs, such as chance, has no error."""
    if isinstance(value, Mapping):
        return Estimate(value["mean"], value["se"], value["df"])
    return Estimate(value)


def points(found: Sequence[SeedGroup], measured: Mapping[str, Mapping], what: str, figure: str) -> list[Point]:
    """A figure along the sweep of `what`, the base in its place; one point where it was not varied."""
    return [Point(group.value, estimate(measured[group.rows[0]["name"]][figure])) for group in along(found, what)]


def ends(line: Sequence[Point]) -> dict:
    """How far a figure moves from the first point to the last, with an interval over SAEs.

    spearman: rank correlation of the figure with its place in the sweep. Only text, "(not varied)", where there is one point.
    """
    if len(line) == 1:
        return dict.fromkeys(("from", "to", "start", "end", "difference"), NOT_VARIED) | {"interval": None}
    first, last = line[0], line[-1]
    ranks = np.argsort(np.argsort([point.figure.value for point in line]))
    return {
        "from": first.value,
        "to": last.value,
        "start": first.figure.value,
        "end": last.figure.value,
        **_recorded(linear([(1, last.figure), (-1, first.figure)])),
        "spearman": float(np.corrcoef(ranks, np.arange(len(line)))[0, 1]),
    }


def layers(line: Sequence[Point]) -> dict:
    """`ends`, the layer that is best and its lead over the next, and by how much the first layer lies below the others.

    first_below: the least of the differences to the others, so above 0 only where the first shares less than each.
    """
    if len(line) == 1:
        nothing = {"difference": NOT_VARIED, "interval": None}
        return {**ends(line), "best": NOT_VARIED, "runner_up": NOT_VARIED, "lead": nothing, "first_below": nothing}
    first, others = line[0], line[1:]
    best, runner_up = sorted(line, key=lambda point: -point.figure.value)[:2]
    return {
        **ends(line),
        "best": best.value,
        "runner_up": runner_up.value,
        "lead": _recorded(linear([(1, best.figure), (-1, runner_up.figure)])),
        "first_below": least([linear([(1, point.figure), (-1, first.figure)]) for point in others]),
    }


def topk_line(found: Sequence[SeedGroup], measured: Mapping[str, Mapping]) -> list[tuple[str, Mapping]]:
    """(k, figures) of the TopK SAEs of the sweep over k, the base among them; empty where the base is no TopK SAE."""
    if found[0].rows[0]["architecture"] != "topk":
        return []
    return [(group.value, measured[group.rows[0]["name"]]) for group in along(found, "k")]


def weights_at(x: float, xs: Sequence[float], scale: Callable[[float], float] = float) -> np.ndarray | None:
    """[len(xs)]: how much each point of a line counts at this x: the two nearest, straight over scale(x); sums to 1.

    None where x lies outside the line, or the line is empty: nothing is extrapolated.
    """
    if not len(xs):
        return None
    at, scaled = scale(x), np.array([scale(one) for one in xs])
    if not scaled.min() <= at <= scaled.max():
        return None
    order = np.argsort(scaled)
    return np.array([np.interp(at, scaled[order], np.eye(len(xs))[i][order]) for i in range(len(xs))])


def topk_at(values: Mapping, line: Sequence[Mapping], key: str, figure: str) -> list[tuple[float, Estimate]] | None:
    """(weight, figure) of the TopK SAEs that together have this setting's L0 or FVU (`key`); None where none are around it."""
    weights = weights_at(values[key], [other[key] for other in line], np.log if key == "l0" else float)
    return weights if weights is None else [(w, estimate(o[figure])) for w, o in zip(weights, line, strict=True)]


def architectures(found: Sequence[SeedGroup], measured: Mapping[str, Mapping]) -> list[dict]:
    """One row an architecture: what it shares, its L0 and FVU, and what a TopK SAE of that L0 or FVU would share."""
    line = [figures for _, figures in topk_line(found, measured)]
    rows = []
    for group in along(found, "architecture"):
        values = measured[group.rows[0]["name"]]
        beside = {
            name: _value(topk_at(values, line, key, figure))
            for name, key, figure in (
                ("topk_at_l0", "l0", "shared"),
                ("topk_at_fvu", "fvu", "shared"),
                ("topk_pw_at_l0", "l0", "pw_mcc"),
            )
        }
        rows.append(
            {
                "architecture": group.value,
                "shared": values["shared"]["mean"],
                "low": values["shared"]["low"],
                "high": values["shared"]["high"],
                "pw_mcc": values["pw_mcc"]["mean"],
                "l0": values["l0"],
                "fvu": values["fvu"],
                **beside,
            }
        )
    return rows


def dense_over_topk(found: Sequence[SeedGroup], measured: Mapping[str, Mapping]) -> dict:
    """By how much ReLU and gated SAEs share more than TopK SAEs of the same L0, and TopK agree more than ReLU by PW-MCC.

    TopK's own spread is in every interval. relu_and_gated_over_topk: the least of the two differences, so above 0 only
    where TopK shares less than each; `each` has them one by one. Text in place of a difference where neither architecture is
    in the sweep ("(not varied)"), or no TopK SAEs are around its L0 ("(not comparable)").
    """
    line = [figures for _, figures in topk_line(found, measured)]
    dense = {g.value: measured[g.rows[0]["name"]] for g in along(found, "architecture") if g.value in DENSE}

    def over(name: str, figure: str) -> Estimate | None:
        beside = topk_at(dense[name], line, "l0", figure)
        return beside and linear([(1, estimate(dense[name][figure])), *((-weight, one) for weight, one in beside)])

    shared = {name: over(name, "shared") for name in DENSE if name in dense}
    shared = {name: one for name, one in shared.items() if one is not None}
    missing = {"difference": NOT_COMPARABLE if dense else NOT_VARIED, "interval": None}
    cosine = over("relu", "pw_mcc") if "relu" in dense else None
    return {
        "relu_and_gated_over_topk": least(list(shared.values())) if shared else missing,
        "each": {name: _recorded(one) for name, one in shared.items()},
        "topk_over_relu_pw_mcc": missing if cosine is None else _recorded(linear([(-1, cosine)])),
    }


def _value(beside: Sequence[tuple[float, Estimate]] | None) -> float | None:
    return None if beside is None else linear(beside).value


def _recorded(one: Estimate) -> dict:
    return {"difference": one.value, "interval": one.interval()}
