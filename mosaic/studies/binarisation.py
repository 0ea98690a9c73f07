"""On or off: what keeping only whether a pooled latent exceeds a threshold does to the score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mosaic.probing import comparison, examine, scores
from mosaic.probing.scores import Difference
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.studies.problems import CACHE, check_among, opened, problems
from mosaic.studies.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PUBLISHED_THRESHOLD = 1.0
SWEPT = "sum"  # the pooling whose whole threshold curve is drawn
KINDS = {"tuned": "threshold chosen on validation", "published": f"threshold {PUBLISHED_THRESHOLD}"}


@dataclass(frozen=True)
class Binarisation(Study):
    """D(p) = F(1[x > t]) - F(x): macro-F1 on test of binarised minus raw SAE features of pooling p.

    rows: one a set, pooling and form (raw, binarized), with the set's title. differences: {"tuned" (t chosen on
    validation) or "published" (t = 1.0): {pooling: mean over the sets}}. sweeps: {set: score against the threshold}.
    """

    name: ClassVar[str] = "binarisation"

    rows: tuple[dict, ...]
    differences: dict[str, dict[str, Difference]]
    sweeps: dict[str, dict]

    def summary(self) -> dict:
        sets: dict[str, dict] = {}
        for row in self.rows:
            forms = sets.setdefault(row["set"], {}).setdefault(row["pooling"], {})
            forms[form(row)] = {key: value for key, value in row.items() if key != "set"}
        return {
            "layer": self.profile.middle,
            "sets": sets,
            "difference": {
                kind: {pooling: d.summary() for pooling, d in by_pooling.items()}
                for kind, by_pooling in self.differences.items()
            },
            "mean": mean_over_sets(self.rows),
            "sweeps": self.sweeps,
        }

    def figure(self) -> Figure:
        """Binarised minus raw, a line a pooling, one colour a way to set the threshold."""
        rows = [
            {"set": pooling, "features": KINDS[kind], "macro_f1": d.difference, "low": d.low, "high": d.high}
            for kind, by_pooling in self.differences.items()
            for pooling, d in by_pooling.items()
        ]
        label = "macro-F1, binarised minus raw (mean over sets, 95 % interval)"
        return plots.finished(plots.intervals(rows, label, zero=True))

    def threshold_curve(self) -> Figure:
        """Score of binarised sums against the share of active values above the threshold, a line a set."""
        lines = {title: {p["kept"]: p["macro_f1"] for p in sweep["curve"]} for title, sweep in self.sweeps.items()}
        dots = {title: (s["published"]["kept"], s["published"]["macro_f1"]) for title, s in self.sweeps.items()}
        ax = plots.steps(lines, "share of active values above the threshold", "macro-F1 (test)", marks=dots)
        ax.invert_xaxis()
        return plots.finished(ax)

    def table(self) -> tables.Html:
        """Means over the sets, raw and binarised, and both differences."""
        rows = [
            {
                "pooling": pooling,
                **means,
                **{kind: shown(by_pooling[pooling]) for kind, by_pooling in self.differences.items()},
            }
            for pooling, means in mean_over_sets(self.rows).items()
        ]
        columns = {"pooling": "pooling", "raw": "raw", "binarized": "binarised", **KINDS}
        return tables.table(rows, columns)


def run(
    profile: str | Profile,
    *,
    poolings: Sequence[str] = ("sum", "max", "count", "top20"),
    device: str = "cpu",
    cache: Path | None = CACHE,
) -> Binarisation:
    """Compare raw and binarised SAE features of the profile's middle layer; `poolings` must hold sum.

    Raises MosaicError where it does not, or where the profile lacks one of the poolings.
    """
    check_among(poolings, SWEPT)
    profile, lm = opened(profile, device)
    rows, sweeps = [], {}
    cases = {kind: {pooling: [] for pooling in poolings} for kind in KINDS}
    here = {"layers": [profile.middle], "widths": [profile.width], "poolings": poolings}
    for title, problem in problems(profile, lm, **here, cache=cache):
        found = comparison.evaluate(problem, families=["sae"], trees=False)
        results = {(r.setting.pooling, r.setting.binarized): r for r in found}
        for pooling in poolings:
            raw, tuned = results[pooling, False], results[pooling, True]
            published = examine.binarised_at(problem, pooling, PUBLISHED_THRESHOLD)
            for kind, binarised in (("tuned", tuned), ("published", published)):
                case = (problem.test.labels, binarised.predicted, raw.predicted, problem.test.groups)
                cases[kind][pooling].append(case)
            rows += [{"set": title, **result.row()} for result in (raw, tuned)]
        sweeps[title] = examine.threshold_sweep(problem, SWEPT, published=PUBLISHED_THRESHOLD)
    differences = {
        kind: {pooling: scores.compare_mean(found) for pooling, found in by_pooling.items()}
        for kind, by_pooling in cases.items()
    }
    return Binarisation(profile, tuple(rows), differences, sweeps)


def form(row: Mapping) -> str:
    return "binarized" if row["binarized"] else "raw"


def mean_over_sets(rows: Iterable[Mapping]) -> dict[str, dict[str, float]]:
    """{pooling: {"raw" or "binarized": mean macro-F1 over the sets}}."""
    found: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        found.setdefault(row["pooling"], {}).setdefault(form(row), []).append(row["macro_f1"])
    return {pooling: {f: float(np.mean(values)) for f, values in forms.items()} for pooling, forms in found.items()}


def shown(d: Difference) -> str:
    return f"{d.difference:+.3f} ({d.low:+.3f} to {d.high:+.3f})"
