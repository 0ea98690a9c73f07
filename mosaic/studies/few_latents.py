"""How few latents suffice? The size is chosen on validation, and the test only says what it costs.

A size suffices where validation cannot tell it from all latents: their difference, on the same held-out rows, is at most
one standard error, the rule by which settings are called tied (`selection.tied`). Read off the test instead, the
smallest of nine noisy points that reaches a bound would look better than it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mosaic.probing import examine, folds, scores
from mosaic.probing.problem import Problem
from mosaic.probing.scores import Difference
from mosaic.probing.selection import Result
from mosaic.texts.labelled import LabelledTexts

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True)
class FewLatents:
    """The same linear probe on all latents, and on the k of largest mean difference for each k.

    best: the SAE result that validation chose, linear or not. test: the test texts. every: the linear result on all
    latents. by_size: {k: the result on k}. chosen: the smallest k that suffices on validation, or None.
    """

    title: str
    best: Result
    test: LabelledTexts
    every: Result
    by_size: Mapping[int, Result]
    chosen: int | None

    @property
    def short(self) -> bool:
        """Whether all latents fall short of the chosen setting, a tree: few latents may do as well as what does not do."""
        truth, predicted, groups = self.best.held
        lead, error = scores.lead(truth, predicted, self.every.held[1], groups)
        return lead > error

    def difference(self, part: str | None = None) -> Difference | None:
        """The chosen few minus all latents on one part of the test (the first where none is named)."""
        if self.chosen is None:
            return None
        return scores.compare(*scores.paired(self.test, self.by_size[self.chosen], self.every, part))

    def curve(self) -> list[dict]:
        return [
            {"k": k, "macro_f1": r.score.macro_f1, "low": r.score.low, "high": r.score.high, "validation": r.validation}
            for k, r in self.by_size.items()
        ]

    def row(self) -> dict:
        """k and scores of every part: few, all and their difference; None where nothing was chosen."""
        parts = {}
        for part in self.test.part_rows():
            d = self.difference(part)
            parts[part] = {
                "few": None if d is None else self.by_size[self.chosen].parts[part].macro_f1,
                "all": self.every.parts[part].macro_f1,
                "difference": None if d is None else d.difference,
                "interval": None if d is None else [d.low, d.high],
            }
        return {"k": self.chosen, "short": self.short, "parts": parts, "curve": self.curve()}


def few_latents(title: str, problem: Problem, best: Result, every: Result, sizes: Sequence[int] = SIZES) -> FewLatents:
    """best, every: the SAE result that validation chose, and the first linear one. C is chosen anew for each size."""
    splits = folds.splits(problem.train)
    by_size = examine.k_sparse(problem, every, sizes, splits)
    return FewLatents(title, best, problem.test, every, by_size, smallest(every, by_size))


def smallest(every: Result, by_size: Mapping[int, Result]) -> int | None:
    """The smallest k that validation cannot tell from all latents (or finds better); None where there is none."""
    truth, predicted, groups = every.held
    for k in sorted(by_size):
        lead, error = scores.lead(truth, predicted, by_size[k].held[1], groups)
        if lead <= error:
            return k
    return None


def mean_difference(found: Sequence[FewLatents], part: str | None = None) -> Difference | None:
    """The chosen few minus all latents, mean over the sets where a size was chosen, a linear probe does, and that have the part."""
    cases = [
        scores.paired(few.test, few.by_size[few.chosen], few.every, part)
        for few in found
        if few.chosen is not None and not few.short and (part is None or part in few.test.part_rows())
    ]
    return scores.compare_over_sets(cases) if cases else None
