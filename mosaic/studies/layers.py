"""Which layer? Every layer with an SAE against the hidden states of the same layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.probing import comparison
from mosaic.probing.selection import Result
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.studies.problems import CACHE, opened, problems
from mosaic.studies.study import Study

FEATURES = ("sae", "hidden")


@dataclass(frozen=True)
class Layers(Study):
    """F(l) = macro-F1 on test of the pooling that validation chose at layer l, for SAE features and hidden states.

    rows: one a set, kind of features and layer, as `mosaic probe --json` writes them, with the set's title.
    """

    name: ClassVar[str] = "layers"

    rows: tuple[dict, ...]

    def summary(self) -> dict:
        means = {features: mean_over_sets(self.rows, features) for features in FEATURES}
        best = {features: best_layer(self.rows, features) for features in FEATURES}
        sets = {title: self._of(title) for title in self.titles}
        return {
            "sets": sets,
            "mean": means,
            "best_layer": {features: str(layer) for features, layer in best.items()},
            "best_position": {features: position(layer, self.profile.layers) for features, layer in best.items()},
            "best_mean": {features: means[features][layer] for features, layer in best.items()},
            "n_sets": len(sets),
        }

    def figure(self):
        """Layer curves, one panel a set; bands are 95 % bootstrap intervals over test texts."""
        panels = {
            title: {
                features: [(layer, r["macro_f1"], r["low"], r["high"]) for layer, r in by_layer.items()]
                for features, by_layer in self._of(title).items()
            }
            for title in self.titles
        }
        return plots.finished(plots.panels(panels, "layer"))

    def table(self) -> tables.Html:
        """Means over the sets, layer by layer; the layer that validation chose is marked."""
        columns = {"features": "features", "layer": "layer", "validation": "validation", "test": "macro-F1 (test)"}
        rows = []
        for features in FEATURES:
            validation = mean_over_sets(self.rows, features, "validation_macro_f1")
            test, best = mean_over_sets(self.rows, features), best_layer(self.rows, features)
            rows += [
                {
                    "features": plots.NAMES[features],
                    "layer": f"{layer} (chosen)" if layer == best else layer,
                    "validation": validation[layer],
                    "test": test[layer],
                }
                for layer in test
            ]
        return tables.table(rows, columns)

    @property
    def titles(self) -> list[str]:
        return list(dict.fromkeys(row["set"] for row in self.rows))

    def _of(self, title: str) -> dict[str, dict[int, dict]]:
        """{features: {layer: row}} of one set."""
        by_layer = {features: {} for features in FEATURES}
        for row in self.rows:
            if row["set"] == title:
                by_layer[row["features"]][row["layer"]] = {key: value for key, value in row.items() if key != "set"}
        return by_layer


def run(
    profile: str | Profile,
    *,
    poolings: Sequence[str] = ("sum", "mean", "max"),
    device: str = "cpu",
    cache: Path | None = CACHE,
) -> Layers:
    """Compare the layers of the profile's SAEs of its one width, each with the pooling validation chooses."""
    profile, lm = opened(profile, device)
    rows = []
    for title, problem in problems(profile, lm, widths=[profile.width], poolings=poolings, cache=cache):
        found = comparison.evaluate(problem, families=FEATURES, binarize=False, trees=False)
        chosen = chosen_at_each_layer(found)
        rows += [{"set": title, **chosen[features, layer].row()} for features in FEATURES for layer in profile.layers]
    return Layers(profile, tuple(rows))


def chosen_at_each_layer(results: Iterable[Result]) -> dict[tuple[str, int], Result]:
    """{(features, layer): the result with the best validation score}; of equal ones the first. The test score is not read."""
    best: dict[tuple[str, int], Result] = {}
    for result in results:
        key = (result.setting.features, result.setting.layer)
        if key not in best or result.validation > best[key].validation:
            best[key] = result
    return best


def mean_over_sets(rows: Iterable[Mapping], features: str, value: str = "macro_f1") -> dict[int, float]:
    """{layer: mean of a column over the sets}, layers ascending."""
    found: dict[int, list[float]] = {}
    for row in rows:
        if row["features"] == features:
            found.setdefault(row["layer"], []).append(row[value])
    return {layer: float(np.mean(found[layer])) for layer in sorted(found)}


def best_layer(rows: Iterable[Mapping], features: str) -> int:
    """The layer whose validation score, averaged over the sets, is highest; of equal ones the lowest."""
    validation = mean_over_sets(rows, features, "validation_macro_f1")
    return max(validation, key=validation.__getitem__)


def position(layer: int, layers: Sequence[int]) -> str:
    """early, middle or late, where three layers are compared; otherwise the layer's own number."""
    names = ("early", "middle", "late")
    return names[list(layers).index(layer)] if len(layers) == len(names) else str(layer)
