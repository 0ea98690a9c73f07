"""Which layer? Every layer with an SAE against the hidden states of the same layer; every block, and a larger model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from mosaic.probing import comparison
from mosaic.probing.selection import Result
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.studies import leads, paper_values, scale, scale_shown
from mosaic.studies.leads import Choice, OneSet
from mosaic.studies.problems import CACHE, opened, problems
from mosaic.studies.scale import Scale
from mosaic.studies.study import Study
from mosaic.texts.labelled import NEW

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEATURES = ("sae", "hidden")


@dataclass(frozen=True)
class Layers(Study):
    """F(l) = macro-F1 on test of the pooling that validation chose at layer l, for SAE features and hidden states.

    rows: one a set, kind of features and layer, as `mosaic probe --json` writes them, with the set's title.
    choices: {features: the layer that validation chooses for all sets, and its lead on test}. poolings: from which
    validation chose, for either kind of features. scale: every block's hidden states, and the larger model of a pair.
    """

    name: ClassVar[str] = "layers"

    rows: tuple[dict, ...]
    choices: dict[str, Choice]
    poolings: tuple[str, ...]
    scale: Scale

    def summary(self) -> dict:
        means = {features: self._means(features) for features in FEATURES}
        best = {features: int(choice.winner) for features, choice in self.choices.items()}
        return {
            "sets": {title: self._of(title) for title in self.titles},
            "poolings": self.poolings,
            "mean": means,
            "mean_new_words": {features: self._means(features, NEW) for features in FEATURES},
            "choice": {
                features: {**choice.summary(), "position": position(best[features], self.profile.layers)}
                for features, choice in self.choices.items()
            },
            "best_layer": {features: str(layer) for features, layer in best.items()},
            "best_position": {features: position(layer, self.profile.layers) for features, layer in best.items()},
            "best_mean": {features: means[features][layer] for features, layer in best.items()},
            "n_sets": len(self.titles),
            **self.scale.summary(),
            "sentences": self.sentences(),
        }

    def sentences(self) -> dict[str, str]:
        """What the numbers say, chosen by them."""
        found = {features: leads.sentence("layer", choice) for features, choice in self.choices.items()}
        new = {f"{features}_new": leads.new_words_sentence("layer", self.choices[features]) for features in FEATURES}
        middle = middle_sentence(self.choices["sae"], self.profile.layers)
        return {**found, **new, "middle": middle, **self.scale.sentences()}

    def figure(self) -> Figure:
        """Layer curves, one panel a set, on the first part of its test; bands are 95 % bootstrap intervals over texts.
        Hollow marks are what the paper published of the same task."""
        known = {title: paper_values.by_layer(title, self.profile.layers) for title in self.titles}
        return self._curves(dict.fromkeys(self.titles), "test", known)

    def new_words_figure(self) -> Figure | tables.Html:
        """The same on new words, of the sets that have them; a sentence where none has."""
        having = {row["set"]: NEW for row in self.rows if NEW in row["parts"]}
        return self._curves(having, NEW) if having else tables.Html(f"<p>No set here has a test of {NEW}.</p>")

    def scale_figure(self) -> Figure:
        """Hidden states after every block and SAE features where there are SAEs, along the depth of one or both models."""
        return scale_shown.figure(self.scale)

    def _curves(
        self, parts: Mapping[str, str | None], label: str, known: Mapping[str, Mapping] | None = None
    ) -> Figure:
        """Panels of these sets, each on one part of its test (None: the first). known: {set: published series}."""

        def point(layer: int, row: Mapping, part: str | None) -> tuple:
            scored = row if part is None else row["parts"][part]
            return layer, scored["macro_f1"], scored["low"], scored["high"]

        panels = {
            title: {
                features: [point(layer, row, part) for layer, row in by_layer.items()]
                for features, by_layer in self._of(title).items()
            }
            | (known or {}).get(title, {})
            for title, part in parts.items()
        }
        return plots.finished(plots.panels(panels, "layer", f"macro-F1 ({label})"))

    def table(self) -> tables.Html:
        """Means over the sets, layer by layer; the layer that validation chose is marked."""
        parts, rows = leads.table_parts(self.rows), []
        for features, choice in self.choices.items():
            means = {column: self._means(features, part) for column, (_, part) in parts.items()}
            rows += [
                {
                    "features": plots.NAMES[features],
                    "layer": f"{layer} (chosen)" if layer == choice.winner else layer,
                    "validation": score,
                    **{column: mean[int(layer)] for column, mean in means.items()},
                    "poolings": chosen_poolings(self.rows, features, int(layer)),
                }
                for layer, score in choice.validation.items()
            ]
        headings = {column: heading for column, (heading, _) in parts.items()}
        first = {"features": "features", "layer": "layer", "validation": "validation"}
        return tables.table(rows, {**first, **headings, "poolings": "pooling chosen (sets)"})

    def scale_table(self) -> tables.Html:
        """What validation chose along the depth, with one pooling."""
        return scale_shown.table(self.scale)

    @property
    def titles(self) -> list[str]:
        return list(dict.fromkeys(row["set"] for row in self.rows))

    def _means(self, features: str, part: str | None = None) -> dict[int, float]:
        return leads.mean_of([row for row in self.rows if row["features"] == features], "layer", part)

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
    poolings: Sequence[str] | None = None,
    device: str = "cpu",
    cache: Path | None = CACHE,
) -> Layers:
    """Compare the layers of the profile's SAEs of its one width, each with the pooling that validation chooses from
    `poolings` (None: all that the profile computes, for SAE features and hidden states alike)."""
    profile, lm = opened(profile, device)
    poolings = tuple(poolings or profile.poolings)
    rows, sets = [], {features: [] for features in FEATURES}
    for title, problem in problems(profile, lm, widths=[profile.width], poolings=poolings, cache=cache):
        found = comparison.evaluate(problem, families=FEATURES, binarize=False, trees=False)
        chosen = chosen_at_each_layer(found)
        for features in FEATURES:
            rows += [{"set": title, **chosen[features, layer].row()} for layer in profile.layers]
            by_layer = {str(layer): chosen[features, layer] for layer in profile.layers}
            sets[features].append(OneSet(problem.test, by_layer))
    choices = {features: leads.choose(found) for features, found in sets.items()}
    beside = scale.run(profile, lm, poolings, device, cache)
    return Layers(profile, tuple(rows), choices, poolings, beside)


def chosen_at_each_layer(results: Iterable[Result]) -> dict[tuple[str, int], Result]:
    """{(features, layer): the result with the best validation score}; of equal ones the first. The test score is not read."""
    best: dict[tuple[str, int], Result] = {}
    for result in results:
        key = (result.setting.features, result.setting.layer)
        if key not in best or result.validation > best[key].validation:
            best[key] = result
    return best


def chosen_poolings(rows: Iterable[Mapping], features: str, layer: int) -> str:
    """`max 4, last 3`: on how many sets validation chose which pooling, the most frequent first."""
    chosen = Counter(row["pooling"] for row in rows if (row["features"], row["layer"]) == (features, layer))
    return ", ".join(f"{pooling} {n}" for pooling, n in chosen.most_common())


def position(layer: int, layers: Sequence[int]) -> str:
    """early, middle or late, where three layers are compared; otherwise the layer's own number."""
    names = ("early", "middle", "late")
    return names[list(layers).index(layer)] if len(layers) == len(names) else str(layer)


def middle_sentence(choice: Choice, layers: Sequence[int]) -> str:
    """Whether "the middle layer is best" stands for SAE features: the answer to the chapter's question."""
    place = position(int(choice.winner), layers)
    if choice.lead is None or len(layers) != 3:
        return "Early, middle and late layers are not all compared here, so that the question is not answered."
    by = leads.told(choice.lead.difference)
    if choice.lead.difference.low <= 0:
        return (
            f"Whether the middle layer is best is undecided: validation chooses the {place} one, whose lead on test over "
            f"its strongest rival, layer {choice.lead.rival}, is {by}."
        )
    answer = "The middle layer is best" if place == "middle" else f"Not the middle layer is best but the {place} one"
    return f"{answer}: its lead on test over its strongest rival, layer {choice.lead.rival}, is {by}."
