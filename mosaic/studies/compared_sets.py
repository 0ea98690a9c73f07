"""One data set of the comparison: what each family reached on it, and the groups of sets over which a mean is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.probing import scores
from mosaic.probing.scores import Difference, Mean
from mosaic.probing.selection import Result
from mosaic.texts.labelled import FAMILIAR, NEW, LabelledTexts

TOLD, NEVER_TOLD, OTHER = "told in training", "never told", "neither"
UNKNOWN = "sets"  # of a model of which nobody knows what it was told

# What a mean goes over: the first part of every set; both parts of the sets that have two; the sets of one kind of label.
ALL, FAMILIAR_ONLY, NEW_ONLY = "all", "familiar_words", "new_words"
GROUPS = (ALL, FAMILIAR_ONLY, NEW_ONLY, "told", "never_told", "neither", "told_new_words", "never_told_new_words")


@dataclass(frozen=True)
class ComparedSet:
    """What was reached on one set.

    title, kind: TOLD, NEVER_TOLD, OTHER or UNKNOWN (what its labels are to the model). test: its test texts.
    best: {family: the result that validation chose}. linear: the same among linear probes. draws: {what: one result a
    draw} at an equal budget (`controls.Controls`), linear probes; draws_with_tree: the same with a tree to choose from.
    """

    title: str
    kind: str
    test: LabelledTexts
    best: Mapping[str, Result]
    linear: Mapping[str, Result]
    draws: Mapping[str, Sequence[Result]]
    draws_with_tree: Mapping[str, Sequence[Result]]

    @property
    def parts(self) -> list[str]:
        return list(self.test.part_rows())

    def case(self, first: Sequence[Result], second: Sequence[Result], part: str) -> tuple:
        """(labels, predictions of the first, of the second, groups) on one part, as `scores.compare_draws` reads them."""
        return scores.paired_draws(self.test, first, second, part)


def in_groups(sets: Sequence[ComparedSet]) -> dict[str, list[tuple[ComparedSet, str]]]:
    """{group: its (set, part)}: every name of GROUPS, an empty list for one that this profile has not."""
    both = [s for s in sets if NEW in s.parts]
    kinds = {"told": TOLD, "never_told": NEVER_TOLD, "neither": OTHER}
    found = {ALL: [(s, s.parts[0]) for s in sets]}
    found |= {FAMILIAR_ONLY: [(s, FAMILIAR) for s in both], NEW_ONLY: [(s, NEW) for s in both]}
    found |= {name: [(s, s.parts[0]) for s in sets if s.kind == kind] for name, kind in kinds.items()}
    found |= {f"{name}_new_words": [(s, NEW) for s in both if s.kind == kinds[name]] for name in ("told", "never_told")}
    return {name: found[name] for name in GROUPS}


def difference(members: Sequence[tuple[ComparedSet, str]], first: str, second: str) -> Difference:
    """Mean difference of two families' chosen results over (set, part), its interval over texts and over sets."""
    return _difference([s.case([s.best[first]], [s.best[second]], part) for s, part in members])


def linear_difference(members: Sequence[tuple[ComparedSet, str]], first: str, second: str) -> Difference:
    """The same with linear probes alone."""
    return _difference([s.case([s.linear[first]], [s.linear[second]], part) for s, part in members])


def drawn_difference(
    members: Sequence[tuple[ComparedSet, str]], first: str, second: str, tree: bool = False
) -> Difference:
    """The same for two of the `draws` (of `draws_with_tree`): the interval is over texts, sets and draws."""
    cases = []
    for s, part in members:
        draws = s.draws_with_tree if tree else s.draws
        cases.append(s.case(draws[first], draws[second], part))
    return _difference(cases)


def _difference(cases: Sequence[tuple]) -> Difference:
    """What is said of a mean over sets is said of sets like them, so that its interval is over sets, too."""
    return scores.compare_draws(cases, over_sets=True)


def mean_score(members: Sequence[tuple[ComparedSet, str]], family: str) -> Mean:
    """Mean macro-F1 of a family's chosen results over (set, part), its interval over texts and over sets."""
    cases = []
    for s, part in members:
        labels, (predicted,), _, groups = s.case([s.best[family]], [], part)
        cases.append((labels, [predicted], groups))
    return scores.mean_interval(cases, over_sets=True)


def mean_drawn(members: Sequence[tuple[ComparedSet, str]], what: str, tree: bool = False) -> float:
    """Mean macro-F1 over (set, part) and draws."""
    draws = [(s.draws_with_tree if tree else s.draws)[what] for s, _ in members]
    return float(np.mean([[r.parts[part].macro_f1 for r in of] for of, (_, part) in zip(draws, members, strict=True)]))


@dataclass(frozen=True)
class Group:
    """Means over some sets (or parts of them). means: {family: Mean}; differences: {baseline: SAE minus it}; linear:
    SAE minus hidden states with linear probes alone."""

    n_sets: int
    means: dict[str, Mean]
    differences: dict[str, Difference]
    linear: Difference

    def summary(self) -> dict:
        return {
            "n_sets": self.n_sets,
            "mean": {family: mean.macro_f1 for family, mean in self.means.items()},
            "mean_interval": {family: [mean.low, mean.high] for family, mean in self.means.items()},
            "difference": {baseline: d.summary() for baseline, d in self.differences.items()},
            "linear": self.linear.summary(),
        }


def grouped(sets: Sequence[ComparedSet], families: Sequence[str]) -> dict[str, Group | None]:
    """{group: its means and differences}, None for a group without a set. The first family is held against the others."""
    first, *baselines = families
    return {
        name: Group(
            n_sets=len(members),
            means={family: mean_score(members, family) for family in families},
            differences={baseline: difference(members, first, baseline) for baseline in baselines},
            linear=linear_difference(members, first, "hidden"),
        )
        if members
        else None
        for name, members in in_groups(sets).items()
    }


def by_part(one: ComparedSet, families: Sequence[str]) -> dict[str, dict[str, Difference]]:
    """{part: {baseline: difference of the first family}} of one set."""
    first, *baselines = families
    return {part: {b: difference([(one, part)], first, b) for b in baselines} for part in one.parts}
