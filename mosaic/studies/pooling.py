"""Which pooling? Every pooling given to SAE features and to hidden states alike, at one layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mosaic.probing import comparison, scores
from mosaic.probing.scores import Difference
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.studies.problems import CACHE, check_poolings, opened, problems
from mosaic.studies.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEATURES = ("sae", "hidden")
COMPARED = ("mean", "last")  # the published hidden-state baseline reads the last token only


@dataclass(frozen=True)
class Pooling(Study):
    """F(p) = macro-F1 on test with pooling p, for SAE features and hidden states of the middle layer.

    rows: one a set, kind of features and pooling, as `mosaic probe --json` writes them, with the set's title.
    mean_minus_last: {features: mean pooling minus last token, averaged over the sets}.
    """

    name: ClassVar[str] = "pooling"

    rows: tuple[dict, ...]
    mean_minus_last: dict[str, Difference]

    def summary(self) -> dict:
        sets: dict[str, dict] = {}
        for row in self.rows:
            by_pooling = sets.setdefault(row["set"], {}).setdefault(row["features"], {})
            by_pooling[row["pooling"]] = {key: value for key, value in row.items() if key != "set"}
        means = {features: mean_of_poolings(self.rows, features) for features in FEATURES}
        return {
            "layer": self.profile.middle,
            "sets": sets,
            "mean": means,
            "best": {features: max(means[features], key=means[features].get) for features in FEATURES},
            "mean_minus_last": {features: d.summary() for features, d in self.mean_minus_last.items()},
        }

    def figure(self, features: str = "sae") -> Figure:
        """A line a set, a column a pooling, of one kind of features ("sae" or "hidden")."""
        values, titles, poolings = grid(self.rows, features)
        return plots.finished(plots.heatmap(values, titles, poolings, "macro-F1 (test)"))

    def table(self) -> tables.Html:
        """Mean pooling minus last token, over the sets."""
        rows = [
            {"features": plots.NAMES[features], "difference": d.difference, "interval": f"{d.low:.3f} to {d.high:.3f}"}
            for features, d in self.mean_minus_last.items()
        ]
        return tables.table(
            rows, {"features": "features", "difference": "mean minus last, macro-F1", "interval": "95 %"}
        )


def run(profile: str | Profile, *, device: str = "cpu", cache: Path | None = CACHE) -> Pooling:
    """Score every pooling of the profile at its middle layer. Raises MosaicError where it lacks mean or last."""
    profile, lm = opened(profile, device)
    check_poolings(profile, COMPARED)
    rows, cases = [], {features: [] for features in FEATURES}
    for title, problem in problems(profile, lm, layers=[profile.middle], widths=[profile.width], cache=cache):
        found = comparison.evaluate(problem, families=FEATURES, binarize=False, trees=False)
        results = {(r.setting.features, r.setting.pooling): r for r in found}
        for features in FEATURES:
            rows += [{"set": title, **results[features, pooling].row()} for pooling in profile.poolings]
            mean, last = (results[features, pooling].predicted for pooling in COMPARED)
            cases[features].append((problem.test.labels, mean, last, problem.test.groups))
    return Pooling(profile, tuple(rows), {features: scores.compare_mean(cases[features]) for features in FEATURES})


def grid(rows: Iterable[Mapping], features: str) -> tuple[np.ndarray, list[str], list[str]]:
    """(macro-F1 [sets, poolings], titles, poolings) of one kind of features, in the order of the rows."""
    values = {(row["set"], row["pooling"]): row["macro_f1"] for row in rows if row["features"] == features}
    titles, poolings = (list(dict.fromkeys(keys)) for keys in zip(*values, strict=True))
    return np.array([[values[title, pooling] for pooling in poolings] for title in titles]), titles, poolings


def mean_of_poolings(rows: Iterable[Mapping], features: str) -> dict[str, float]:
    """{pooling: mean macro-F1 over the sets}."""
    values, _, poolings = grid(rows, features)
    return dict(zip(poolings, values.mean(0).tolist(), strict=True))
