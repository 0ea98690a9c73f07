"""SAE features against hidden states, bags of words and the majority class; and against nothing learned at all.

Every comparison gives each family every pooling of the profile. The score of a set is that of its first part: familiar
words, or the whole test where it is one; the new words stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from mosaic.probing import comparison, examine, selection
from mosaic.probing.examine import TopLatent
from mosaic.probing.scores import Difference
from mosaic.probing.selection import Result
from mosaic.profiles.opening import available
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.studies import (
    classifiers,
    controls,
    few_latents_slider,
    headline_figure,
    headline_tables,
    pairs,
    paper_values,
)
from mosaic.studies.best_mean_setting import best_mean_setting
from mosaic.studies.classifiers import Classifiers
from mosaic.studies.compared_sets import ALL, NEVER_TOLD, OTHER, TOLD, UNKNOWN, ComparedSet, Group, by_part, grouped
from mosaic.studies.controls import best_linear
from mosaic.studies.effort import effort
from mosaic.studies.equal_budget import EqualBudget, equal_budget
from mosaic.studies.few_latents import few_latents, mean_difference
from mosaic.studies.headline_figure import Line
from mosaic.studies.headline_said import said
from mosaic.studies.problems import CACHE, latent_names, opened, problems
from mosaic.studies.study import Study
from mosaic.texts.labelled import NEW

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAMILIES = ("sae", "hidden", "tfidf", "majority")
BASELINES = FAMILIES[1:]
N_LATENTS = 5


@dataclass(frozen=True)
class SaeAgainstBaselines(Study):
    """D(b) = F(sae) - F(b): macro-F1 on test, each family with the setting that validation chose for it.

    rows: one a set and family, with every part; controls: one a set and control, at an equal budget. groups: {name of
    `compared_sets.GROUPS`: means and differences}. per_set: {set: {part: {baseline: difference}}}. equal: what was
    learned, at an equal budget. pairs: the share of pairs in which the SAE is ahead, and against the last token alone.
    few: {set: how few latents suffice}; few_difference: {"first", "new": the few minus all, mean over the sets}. effort:
    {family: what was tried}. best_mean: the one setting for all sets. classifiers: linear probes against trees. latents: {set: the largest weights of its linear
    probe}; tracked: {latent: the factor it tracks best}, empty where factors are not known. ranked: {set: its latents, the most
    different between classes first}, for the slider alone.
    """

    name: ClassVar[str] = "sae_against_baselines"

    rows: tuple[dict, ...]
    controls: tuple[dict, ...]
    groups: dict[str, Group | None]
    per_set: dict[str, dict[str, dict[str, Difference]]]
    equal: EqualBudget
    pairs: pairs.Share | None
    pairs_against_last: pairs.Share | None
    few: dict[str, dict]
    few_difference: dict[str, Difference | None]
    effort: dict[str, dict]
    best_mean: dict
    classifiers: Classifiers
    latents: dict[str, list[TopLatent]]
    tracked: dict[str, str]
    ranked: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def summary(self) -> dict:
        whole = self.groups[ALL].summary()
        return {
            "rows": self.rows,
            "controls": self.controls,
            "poolings": self.profile.poolings,
            "effort": self.effort,
            "mean": whole["mean"],
            "mean_interval": whole["mean_interval"],
            "difference": whole["difference"],
            "over": {name: group and group.summary() for name, group in self.groups.items()},
            "per_set": self.per_set,
            "equal_budget": self.equal.summary(),
            "pairs": self.pairs
            and {
                **self.pairs.summary(),
                "against_last": self.pairs_against_last and self.pairs_against_last.summary(),
            },
            "few_latents": self.few,
            "few_difference": {part: d and d.summary() for part, d in self.few_difference.items()},
            "best_mean_setting": self.best_mean,
            "classifiers": self.classifiers.summary(),
            "n_sets": len(self.per_set),
            "sentences": self.sentences,
        }

    @cached_property
    def sentences(self) -> dict[str, str]:
        """{name: what the numbers say}, each chosen by `headline`."""
        first, known = self.few_difference["first"], self.profile.truth
        of = {(row["set"], row["features"]): headline_tables.first_part(row)["macro_f1"] for row in self.rows}
        scored = {title: (of[title, "sae"], of[title, "hidden"]) for title in self.per_set}
        found = said(
            self.groups,
            self.per_set,
            scored,
            self.equal,
            self.pairs,
            self.pairs_against_last,
            self.few,
            first,
            self.effort,
            known,
        )
        return {**found, "classifiers": self.classifiers.sentence()}

    def kinds(self) -> dict[str, str]:
        """{set: what its labels are to the model}."""
        return {row["set"]: row["kind"] for row in self.rows}

    def figure(self) -> Figure:
        """Every set's scores and SAE minus hidden states, by the kind of its labels."""
        return plots.finished(headline_figure.headline_figure(self.lines()))

    def lines(self) -> list[Line]:
        """The figure's lines: each kind's mean, its sets below it."""
        kinds, names = self.kinds(), {TOLD: "told", NEVER_TOLD: "never_told", OTHER: "neither", UNKNOWN: ALL}
        found = []
        for kind, name in names.items():
            titles = [title for title, of in kinds.items() if of == kind]
            if len(titles) > 1:
                found.append(self._mean_line(kind, name))
            for title in titles:
                one = self._line(title)
                found.append(one if len(titles) > 1 else replace(one, label=f"{one.label} ({kind})", begins=True))
        return found

    def _line(self, title: str) -> Line:
        rows = {row["features"]: row["parts"] for row in self.rows if row["set"] == title}
        return Line(
            title.removeprefix("mini/"),
            {
                family: {part: (v["macro_f1"], v["low"], v["high"]) for part, v in parts.items()}
                for family, parts in rows.items()
            },
            {part: _triple(by["hidden"]) for part, by in self.per_set[title].items()},
            published=paper_values.at_best_setting(title),
        )

    def _mean_line(self, kind: str, name: str) -> Line:
        """A mean in new words only where all its sets have them."""
        groups = {"first": self.groups[name], NEW: self.groups.get(f"{name}_new_words")}
        groups = {part: g for part, g in groups.items() if g and g.n_sets == self.groups[name].n_sets}
        return Line(
            f"mean: {kind}" if kind != UNKNOWN else "mean of all sets",
            {
                family: {
                    part: (m.macro_f1, m.low, m.high) for part, m in ((p, g.means[family]) for p, g in groups.items())
                }
                for family in FAMILIES
            },
            {part: _triple(g.differences["hidden"]) for part, g in groups.items()},
            mean=True,
            begins=True,
            published=paper_values.best_mean() if name == ALL else {},
        )

    def k_sparse_curves(self) -> Figure:
        """Score against the number of latents kept, one panel a set; what all latents reach, and the size chosen."""
        panels = {
            title.removeprefix("mini/"): {"sae": [(p["k"], p["macro_f1"], p["low"], p["high"]) for p in found["curve"]]}
            for title, found in self.few.items()
        }
        figure = plots.panels(panels, "latents kept")
        for ax, found in zip(figure.axes, self.few.values(), strict=False):
            headline_figure.mark_few(ax, found)
        return plots.finished(figure)

    def few_slider(self) -> tables.Html:
        """One set at a time: the score of k latents, and which they are."""
        return few_latents_slider.slider(self.few, self.ranked, self.tracked)

    def table(self) -> tables.Html:
        return headline_tables.settings_table(self.rows)

    def controls_table(self) -> tables.Html:
        return headline_tables.controls_table(self.controls)

    def effort_table(self) -> tables.Html:
        equal = {f"{what}, equal budget": found for what, found in self.equal.effort.items()}
        return headline_tables.effort_table({**self.effort, **equal})

    def few_table(self) -> tables.Html:
        return headline_tables.few_table(self.few)

    def latents_table(self) -> tables.Html:
        return headline_tables.latents_table(self.latents, self.tracked)


def run(profile: str | Profile, *, device: str = "cpu", cache: Path | None = CACHE) -> SaeAgainstBaselines:
    """The nested comparison on every set of the profile with every pooling, and its controls.

    SAEs of the profile's main width, every layer: so both kinds of features are chosen from the same layers and poolings.
    """
    profile, lm = opened(profile, device)
    control = controls.Controls(profile, lm, profile.middle, profile.width, profile.poolings)
    sets, rows, control_rows, latents, few, ranked, every, with_trees = [], [], [], {}, {}, {}, [], []
    tried: dict[str, list[Result]] = {family: [] for family in FAMILIES}
    unlearned: dict[str, list[Result]] = {}
    for choice, (title, problem) in zip(
        available(profile), problems(profile, lm, widths=[profile.width], cache=cache), strict=True
    ):
        found = comparison.evaluate(problem, families=FAMILIES)
        drawn = control.results(problem, cache)
        kind = kind_of(profile, choice.name)
        best = {family: comparison.selected(found, family) for family in FAMILIES}
        with_tree = {what: [of[0] for of in draws] for what, draws in drawn.items()}
        draws = {what: [best_linear(of) for of in draws] for what, draws in drawn.items()}
        rows += [
            {"set": title, "kind": kind, "n_tied": selection.tied(found, family), **best[family].row()}
            for family in FAMILIES
        ]
        control_rows += controls.rows(title, draws)
        linear = {family: best_linear(found, family) for family in ("sae", "hidden")}
        latents[title] = examine.top_latents(problem, linear["sae"], n=N_LATENTS, n_examples=1)
        few[title] = few_latents(title, problem, best["sae"], linear["sae"])
        ranked[title] = few_latents_slider.ranked(problem, linear["sae"])
        sets.append(ComparedSet(title, kind, problem.test, best, linear, draws, with_tree))
        every.append(found)
        with_trees.append((problem.test, classifiers.evaluate(problem, profile.middle)))
        for family in FAMILIES:
            tried[family] += [r for r in every[-1] if r.setting.features == family]
        for what, results in drawn.items():
            unlearned.setdefault(what, []).extend(r for of in results for r in of)
    return SaeAgainstBaselines(
        profile=profile,
        rows=tuple(rows),
        controls=tuple(control_rows),
        groups=grouped(sets, FAMILIES),
        per_set={one.title: by_part(one, FAMILIES) for one in sets},
        equal=equal_budget(
            sets, control, {what: effort(results, len(sets) * len(drawn[what])) for what, results in unlearned.items()}
        ),
        pairs=pairs.share({one.title: pairs.differences(r) for one, r in zip(sets, every, strict=True)}),
        pairs_against_last=pairs.share(
            {one.title: pairs.differences(r, pairs.LAST) for one, r in zip(sets, every, strict=True)}
        ),
        few={title: found.row() for title, found in few.items()},
        few_difference={"first": mean_difference([*few.values()]), "new": mean_difference([*few.values()], NEW)},
        effort={family: effort(tried[family], len(sets), [one.best[family] for one in sets]) for family in FAMILIES},
        best_mean=best_mean_setting([(one.test, results) for one, results in zip(sets, every, strict=True)]),
        classifiers=classifiers.compare(profile.middle, with_trees),
        latents=latents,
        tracked=latent_names(profile, lm, cache),
        ranked=ranked,
    )


def kind_of(profile: Profile, name: str) -> str:
    """What a set's labels are to the profile's model: told in its training, never told, neither, or not known.

    Known only of models whose training texts are the miniature's.
    """
    if not profile.truth:
        return UNKNOWN
    from mosaic.world.sets import told

    return {True: TOLD, False: NEVER_TOLD, None: OTHER}[told(name)]


def _triple(difference: Difference) -> tuple[float, float, float]:
    return difference.difference, difference.low, difference.high
