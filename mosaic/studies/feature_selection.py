"""Binarisation in the place of feature selection: the score beside what a feature table costs.

Arms: all latents as they are (no selection), all binarised, and the latents that L1, mean difference or mutual information
keep (`mosaic.probing.narrowed`), raw and binarised. All read one table of one pooling, on the same texts, folds and grid of
C; how many are kept, and thresholds, are chosen on validation. Costs are those that are the same in every run: latents kept, and the
bytes of the test texts' table. Seconds and memory are measured by benchmarks/selection.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mosaic import numerals
from mosaic.probing import examine, narrowed, scores
from mosaic.probing.candidates import TableFeatures
from mosaic.probing.narrowed import WAYS
from mosaic.probing.problem import Problem
from mosaic.probing.scores import Difference
from mosaic.probing.selection import Result
from mosaic.reporting import tables
from mosaic.studies import feature_selection_said as said
from mosaic.studies.feature_selection_arms import (
    ARMS,
    BINARISED,
    CHOSEN,
    NO_SELECTION,
    PUBLISHED,
    SAME,
    binarised,
    named,
)
from mosaic.studies.feature_selection_cost import Cost, Ratio, cost, ratio_over_sets
from mosaic.studies.feature_selection_figure import Mark, score_against_bytes
from mosaic.texts.labelled import NEW, LabelledTexts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMS = {"dense": "float32", "packed": "bits", "csr": "sparse"}


@dataclass(frozen=True)
class OneSelection:
    """One data set. results, costs: of each arm; sizes: {arm: the k that validation chose}; way: of the raw selections the
    one of the best validation, whose arm is `chosen`."""

    title: str
    test: LabelledTexts
    results: Mapping[str, Result]
    costs: Mapping[str, Cost]
    sizes: Mapping[str, int]
    way: str

    def row(self, arm: str) -> dict:
        result, cost = self.results[arm].row(), self.costs[arm]
        scored = {key: result[key] for key in ("macro_f1", "low", "high", "validation_macro_f1", "C", "threshold")}
        size = {"k": self.sizes[arm]} if arm in self.sizes else {}
        counted = {"latents": cost.latents, "n_texts": cost.n_texts, "active": cost.active}
        return {**scored, **size, **counted, "bytes": cost.least}


@dataclass(frozen=True)
class FeatureSelection:
    """sets: of each what every arm reached and takes. pooling: of all features. grid: the k that every way tries."""

    sets: tuple[OneSelection, ...]
    pooling: str
    grid: tuple[int, ...]

    def summary(self) -> dict:
        """As the chapter records it."""
        return {
            "pooling": self.pooling,
            "margin": said.MARGIN,
            "grid": list(self.grid),
            "arms": {arm: self._arm(arm) for arm in ARMS},
            "binarised_minus": _recorded(self.binarised_minus),
            "binarised_minus_new_words": _recorded(self.binarised_minus_new_words),
            "chosen_minus_all": self.chosen_minus_all.summary(),
            "binarised_after": _recorded(self.binarised_after),
            "bytes_ratio": {arm: asdict(ratio) for arm, ratio in self.bytes_ratio.items()},
            "chosen_way": {one.title: one.way for one in self.sets},
            "sets": {one.title: {arm: one.row(arm) for arm in ARMS if arm not in SAME} for one in self.sets},
            "sentences": self.sentences(),
        }

    def sentences(self) -> dict[str, str]:
        """What the numbers say, chosen by them."""
        chosen, n = self.binarised_minus[CHOSEN], len(self.sets)
        new = self.binarised_minus_new_words.get(CHOSEN)
        return {
            "maintains": said.maintains(self.binarised_minus[NO_SELECTION], n),
            "replaces": said.replaces(chosen, n, new),
            "each": said.each({way: self.binarised_minus[way] for way in WAYS}),
            "worth": said.worth(self.chosen_minus_all),
            "after": said.after(self.binarised_after),
            "bytes": said.bytes_taken(self.bytes_ratio[CHOSEN], self.per_text(BINARISED), self.per_text(CHOSEN)),
            "both": said.both(
                self.binarised_minus[binarised(CHOSEN)], self.per_text(BINARISED), self.per_text(binarised(CHOSEN))
            ),
            "latents": said.latents(self.latents(BINARISED), self.latents(CHOSEN), self.latents(NO_SELECTION)),
        }

    def figure(self) -> Figure:
        """Score against bytes per text, one mark an arm; the interval is over sets and texts."""
        marks = []
        for arm in ARMS:
            if arm not in SAME:
                mean = self.mean(arm)
                marks.append(Mark(arm, self.per_text(arm), mean.macro_f1, mean.low, mean.high))
        return score_against_bytes(marks)

    def table(self) -> tables.Html:
        """Every arm: score, latents kept, bytes per text in each form."""
        rows = [
            {"arm": named(arm), **self._arm(arm), **{f: _count(self.per_text(arm, f)) for f in FORMS},
             "latents": _count(self.latents(arm)), "macro_f1": _cell(self.mean(arm))}
            for arm in ARMS
        ]  # fmt: skip
        new = {"new_words": f"macro-F1, {NEW}"} if any(row["new_words"] is not None for row in rows) else {}
        columns = {"arm": "features", "macro_f1": "macro-F1 (test, 95 %)", **new, "latents": "latents kept"}
        return tables.table(rows, {**columns, **{form: f"bytes per text, {how}" for form, how in FORMS.items()}})

    def mean(self, arm: str, part: str | None = None) -> scores.Mean:
        """Mean over the sets (of those that have the part), the interval over sets and texts."""
        cases = []
        for one in self._having(part):
            labels, predicted, _, groups = scores.paired_draws(one.test, [one.results[arm]], [], part)
            cases.append((labels, predicted, groups))
        return scores.mean_interval(cases, over_sets=True)

    def per_text(self, arm: str, form: str = "least") -> float | None:
        """Bytes a test text, geometric mean over the sets: each set counts by its ratio. form: of `Cost.per_text`."""
        sizes = [one.costs[arm].per_text()[form] for one in self.sets]
        return None if None in sizes else float(np.exp(np.mean(np.log(sizes))))

    def latents(self, arm: str) -> float:
        """Latents kept, geometric mean over the sets."""
        return float(np.exp(np.mean(np.log([one.costs[arm].latents for one in self.sets]))))

    @cached_property
    def binarised_minus(self) -> dict[str, Difference]:
        """{arm: all latents binarised minus it}, threshold chosen on validation."""
        return {arm: self._difference(BINARISED, arm) for arm in ARMS if arm != BINARISED}

    @cached_property
    def binarised_minus_new_words(self) -> dict[str, Difference]:
        """The same on new words of the sets that have them; empty where none has."""
        if not self._having(NEW):
            return {}
        return {arm: self._difference(BINARISED, arm, NEW) for arm in ARMS if arm != BINARISED}

    @cached_property
    def chosen_minus_all(self) -> Difference:
        """The selection that validation chooses minus no selection, both raw."""
        return self._difference(CHOSEN, NO_SELECTION)

    @cached_property
    def binarised_after(self) -> dict[str, Difference]:
        """{way: its latents binarised minus the same way's raw ones}."""
        return {way: self._difference(binarised(way), way) for way in WAYS}

    @cached_property
    def bytes_ratio(self) -> dict[str, Ratio]:
        """{arm: bytes of all latents binarised over its bytes}, each in its smallest form."""
        return {
            arm: ratio_over_sets([one.costs[BINARISED].least / one.costs[arm].least for one in self.sets])
            for arm in ARMS
            if arm != BINARISED
        }

    def _arm(self, arm: str) -> dict:
        new = self.mean(arm, NEW).macro_f1 if self._having(NEW) else None
        per_text = {f"{form}_bytes": self.per_text(arm, form) for form in (*FORMS, "least")}
        return {**self.mean(arm).summary(), "new_words": new, "latents": self.latents(arm), **per_text}

    def _having(self, part: str | None) -> list[OneSelection]:
        return [one for one in self.sets if part is None or part in one.test.part_rows()]

    def _difference(self, a: str, b: str, part: str | None = None) -> Difference:
        members = self._having(part)
        return scores.compare_over_sets(
            [scores.paired(one.test, one.results[a], one.results[b], part) for one in members]
        )


def one_set(
    title: str, problem: Problem, all_raw: Result, all_binarised: Result, published: Result, grid: Sequence[int]
) -> OneSelection:
    """Every arm on one data set. all_raw, all_binarised, published: what the comparison found with all latents of the table
    that is read here."""
    table = examine.table_of(problem, all_raw.setting)
    raw, on_or_off = TableFeatures(problem, table), TableFeatures(problem, table, True)
    results = {NO_SELECTION: all_raw, BINARISED: all_binarised, PUBLISHED: published}
    candidates = {NO_SELECTION: raw, BINARISED: on_or_off, PUBLISHED: on_or_off}
    sizes = {}
    for way, found in narrowed.select(problem, table, grid).items():
        for on, arm in ((False, way), (True, binarised(way))):
            results[arm], candidates[arm], sizes[arm] = found.results[on], found.candidates[on], found.k
    costs = {arm: cost(candidate, results[arm].threshold) for arm, candidate in candidates.items()}
    way = max(WAYS, key=lambda way: results[way].validation)
    for arm, same in ((CHOSEN, way), (binarised(CHOSEN), binarised(way))):
        results[arm], costs[arm], sizes[arm] = results[same], costs[same], sizes[same]
    return OneSelection(title, problem.test, results, costs, sizes, way)


def _recorded(differences: Mapping[str, Difference]) -> dict:
    return {arm: d.summary() for arm, d in differences.items()}


def _count(value: float | None) -> str | None:
    return None if value is None else f"{value:,.0f}"


def _cell(mean: scores.Mean) -> str:
    return numerals.with_interval(mean.macro_f1, mean.low, mean.high)
