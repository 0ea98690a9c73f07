"""Which pooling? Every pooling given to SAE features and to hidden states alike, at one layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mosaic import numerals
from mosaic.probing import comparison
from mosaic.probing.scores import Difference
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.studies import inverse_frequency, leads, paper_values
from mosaic.studies.inverse_frequency import InverseFrequency
from mosaic.studies.leads import Choice, OneSet
from mosaic.studies.problems import CACHE, check_poolings, opened, problems
from mosaic.studies.study import Study
from mosaic.texts.labelled import NEW

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEATURES = ("sae", "hidden")
COMPARED = ("mean", "last")  # the published hidden-state baseline reads the last token only
COUNTED = ("top20", "sum")  # the poolings of SAE features that the paper compares


@dataclass(frozen=True)
class Pooling(Study):
    """F(p) = macro-F1 on test with pooling p, for SAE features and hidden states of the middle layer.

    rows: one a set, kind of features and pooling, as `mosaic probe --json` writes them, with the set's title.
    choices: {features: the pooling that validation chooses for all sets, and its lead on test}. mean_minus_last:
    {features: mean pooling minus last token, averaged over the sets}; on new words: {} where no set has any. weighted: SAE
    means weighted by inverse firing frequency. counts_minus_sums: the same of SAE features, COUNTED; None where the profile
    lacks one of them.
    """

    name: ClassVar[str] = "pooling"

    rows: tuple[dict, ...]
    choices: dict[str, Choice]
    mean_minus_last: dict[str, Difference]
    mean_minus_last_new: dict[str, Difference]
    weighted: InverseFrequency
    counts_minus_sums: Difference | None = None

    def summary(self) -> dict:
        sets: dict[str, dict] = {}
        for row in self.rows:
            by_pooling = sets.setdefault(row["set"], {}).setdefault(row["features"], {})
            by_pooling[row["pooling"]] = {key: value for key, value in row.items() if key != "set"}
        new = {features: d.summary() for features, d in self.mean_minus_last_new.items()}
        return {
            "layer": self.profile.middle,
            "sets": sets,
            "n_sets": len(sets),
            "mean": {features: self._means(features) for features in FEATURES},
            "mean_new_words": {features: self._means(features, NEW) for features in FEATURES},
            "choice": {features: choice.summary() for features, choice in self.choices.items()},
            "mean_minus_last": {features: d.summary() for features, d in self.mean_minus_last.items()},
            "mean_minus_last_new_words": new or None,
            "counts_minus_sums": self.counts_minus_sums and self.counts_minus_sums.summary(),
            "inverse_frequency": self.weighted.summary(),
            "sentences": self.sentences(),
        }

    def sentences(self) -> dict[str, str | None]:
        """What the numbers say, chosen by them."""
        found = {features: leads.sentence("pooling", choice) for features, choice in self.choices.items()}
        new = {f"{features}_new": leads.new_words_sentence("pooling", self.choices[features]) for features in FEATURES}
        last = {
            f"last_{features}": last_sentence(
                plots.NAMES[features], self.mean_minus_last[features], self.mean_minus_last_new.get(features)
            )
            for features in FEATURES
        }
        weighted = self.weighted.sentence()
        counts = counts_sentence(self.counts_minus_sums)
        baseline = baseline_sentence(self.choices)
        return {**found, **new, **last, "baseline": baseline, "counts": counts, "weighted": weighted}

    def figure(self, features: str = "sae") -> Figure:
        """A line a set, a column a pooling, of one kind of features ("sae" or "hidden"); both have one scale of colours."""
        values, titles, poolings = grid(self.rows, features)
        every = np.concatenate([grid(self.rows, one)[0].ravel() for one in FEATURES])
        scale = (float(every.min()), float(every.max()))
        return plots.finished(plots.heatmap(values, titles, poolings, "macro-F1 (test)", scale=scale))

    def published_figure(self) -> Figure | tables.Html:
        """Both kinds of features by pooling on the sets whose task the paper has, and hollow what it published; a sentence
        where it has none of them."""
        panels = {
            title: {features: [_point(row) for row in self._of(title, features)] for features in FEATURES} | known
            for title in dict.fromkeys(row["set"] for row in self.rows)
            if (known := paper_values.by_pooling(title, self.profile.poolings))
        }
        if not panels:
            return tables.Html("<p>Nothing is published of the sets compared here.</p>")
        figure = plots.panels(panels, "pooling")
        for ax in figure.axes:
            ax.tick_params(axis="x", rotation=40)
        return plots.finished(figure)

    def table(self) -> tables.Html:
        """Means over the sets, pooling by pooling; the pooling that validation chose is marked."""
        parts, rows = leads.table_parts(self.rows), []
        for features, choice in self.choices.items():
            means = {column: self._means(features, part) for column, (_, part) in parts.items()}
            rows += [
                {
                    "features": plots.NAMES[features],
                    "pooling": f"{pooling} (chosen)" if pooling == choice.winner else pooling,
                    "validation": score,
                    **{column: mean[pooling] for column, mean in means.items()},
                }
                for pooling, score in choice.validation.items()
            ]
        headings = {column: heading for column, (heading, _) in parts.items()}
        return tables.table(
            rows, {"features": "features", "pooling": "pooling", "validation": "validation", **headings}
        )

    def weighted_table(self) -> tables.Html:
        """SAE means standardised, as they are, and weighted by inverse firing frequency."""
        rows = [{"probe": arm, "macro_f1": value} for arm, value in self.weighted.means.items()]
        return tables.table(rows, {"probe": "SAE features are read as", "macro_f1": "macro-F1 (test)"})

    def last_table(self) -> tables.Html:
        """Mean pooling minus last token, over the sets."""
        by_test = {"test": self.mean_minus_last, NEW: self.mean_minus_last_new}
        rows = [
            {
                "features": plots.NAMES[features],
                "on": test,
                "difference": numerals.shown(d.difference, sign=True),
                "interval": numerals.interval(d.low, d.high, sign=True),
            }
            for test, by_features in by_test.items()
            for features, d in by_features.items()
        ]
        columns = {"features": "features", "on": "on", "difference": "mean minus last, macro-F1", "interval": "95 %"}
        return tables.table(rows, columns)

    def _of(self, title: str, features: str) -> list[dict]:
        return [row for row in self.rows if (row["set"], row["features"]) == (title, features)]

    def _means(self, features: str, part: str | None = None) -> dict[str, float]:
        return leads.mean_of([row for row in self.rows if row["features"] == features], "pooling", part)


def run(profile: str | Profile, *, device: str = "cpu", cache: Path | None = CACHE) -> Pooling:
    """Score every pooling of the profile at its middle layer. Raises MosaicError where it lacks mean or last."""
    profile, lm = opened(profile, device)
    check_poolings(profile, COMPARED)
    rows, sets, weighted = [], {features: [] for features in FEATURES}, []
    for title, problem in problems(profile, lm, layers=[profile.middle], widths=[profile.width], cache=cache):
        found = comparison.evaluate(problem, families=FEATURES, binarize=False, trees=False)
        results = {(r.setting.features, r.setting.pooling): r for r in found}
        for features in FEATURES:
            by_pooling = {pooling: results[features, pooling] for pooling in profile.poolings}
            rows += [{"set": title, **result.row()} for result in by_pooling.values()]
            sets[features].append(OneSet(problem.test, by_pooling))
        means = results["sae", inverse_frequency.MEAN]
        weighted.append((problem.test, inverse_frequency.compare(problem, means)))
    new = {features: [one for one in found if NEW in one.test.part_rows()] for features, found in sets.items()}
    return Pooling(
        profile,
        tuple(rows),
        {features: leads.choose(found) for features, found in sets.items()},
        {features: leads.difference(found, *COMPARED) for features, found in sets.items()},
        {features: leads.difference(found, *COMPARED, NEW) for features, found in new.items() if found},
        InverseFrequency.of(weighted),
        leads.difference(sets["sae"], *COUNTED) if set(COUNTED) <= set(profile.poolings) else None,
    )


def _point(row: Mapping) -> tuple:
    return row["pooling"], row["macro_f1"], row["low"], row["high"]


def grid(rows: Iterable[Mapping], features: str) -> tuple[np.ndarray, list[str], list[str]]:
    """(macro-F1 [sets, poolings], titles, poolings) of one kind of features, in the order of the rows."""
    values = {(row["set"], row["pooling"]): row["macro_f1"] for row in rows if row["features"] == features}
    titles, poolings = (list(dict.fromkeys(keys)) for keys in zip(*values, strict=True))
    return np.array([[values[title, pooling] for pooling in poolings] for title in titles]), titles, poolings


def last_sentence(features: str, d: Difference, new: Difference | None) -> str:
    """Whether one kind of features should be read by its last token alone. d: mean pooling minus last token."""
    more = leads.on_new_words(new)
    return (
        leads.side(
            d,
            above=f"For {features}, mean pooling scores above the last token: mean minus last is {leads.told(d)}.",
            below=f"For {features}, the last token scores above mean pooling: mean minus last is {leads.told(d)}.",
            level=f"For {features}, mean pooling and the last token cannot be told apart: {leads.told(d)}.",
        )
        + more
    )


def counts_sentence(d: Difference | None) -> str | None:
    """Whether counts of each token's largest latents score above sums of all. d: counts minus sums; None: not measured."""
    return d and leads.side(
        d,
        above=f"Top-20 counts of latents score above their sums: {leads.told(d)}.",
        below=f"Top-20 counts of latents score below their sums: {leads.told(d)}.",
        level=f"Top-20 counts of latents and their sums cannot be told apart: {leads.told(d)}.",
    )


def baseline_sentence(choices: Mapping[str, Choice]) -> str:
    """What the two choices mean for a comparison that gives hidden states one pooling and SAE features several."""
    sae, hidden = choices["sae"].winner, choices["hidden"].winner
    if sae == hidden:
        return f"Validation chooses the same pooling, {sae}, for both kinds of features."
    return (
        f"Validation chooses {sae} for SAE features and {hidden} for hidden states: a comparison that gives both one and the "
        "same pooling gives at least one of them another than it would choose."
    )
