"""The strongest simple baseline on hidden states, chosen on validation: what has to be beaten for "beats" to mean much.

Source: SAE-Probes (Kantamneni et al. 2025), which lets validation choose among logistic regression, PCA + logistic
regression, k nearest neighbours and gradient boosting. Here all read the hidden states of the layer and pooling that
validation chose for the family `hidden`, on the same folds; its own probe is one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from mosaic.machine import cores
from mosaic.probing import folds
from mosaic.probing.candidates import STRENGTHS, TableFeatures
from mosaic.probing.comparison import in_parallel, selected, workers
from mosaic.probing.estimators import SEED
from mosaic.probing.linear import LogisticProbe
from mosaic.probing.problem import Problem
from mosaic.probing.selection import Result, Validation, final
from mosaic.progress import Progress

FAMILY = "strong baseline"


@dataclass(frozen=True)
class Option:
    """One estimator. size: components, neighbours or leaves at most. C: of a logistic regression."""

    method: str
    size: int
    C: float | None = None

    @property
    def name(self) -> str:
        return f"{self.method}, {self.size}"

    def make(self, rows: int, columns: int):
        """A new estimator for a training matrix [rows, columns], which may be smaller than the size."""
        from sklearn.decomposition import PCA
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.neighbors import KNeighborsClassifier
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        if self.method == "boosting":
            return HistGradientBoostingClassifier(
                max_leaf_nodes=self.size, class_weight="balanced", early_stopping=False, random_state=SEED
            )
        if self.method == "neighbours":
            return make_pipeline(StandardScaler(), KNeighborsClassifier(min(self.size, rows)))
        n = min(self.size, rows, columns)
        return make_pipeline(StandardScaler(), PCA(n, svd_solver="full"), LogisticProbe(self.C))


METHODS = {
    "PCA + logistic": tuple(Option("PCA + logistic", size, C) for size in (8, 32, 128) for C in STRENGTHS),
    "neighbours": tuple(Option("neighbours", size) for size in (1, 4, 16, 64)),
    "boosting": tuple(Option("boosting", size) for size in (4, 16)),
}


def strongest(problem: Problem, results: Sequence[Result], budget: folds.Budget = folds.DEFAULT) -> Result:
    """The best on validation of the chosen hidden-state probe and METHODS, as the one result of FAMILY.

    results: of `comparison.evaluate`, which has chosen the layer and the pooling. Of equal ones the linear probe.
    """
    linear = selected(results, "hidden")
    table = next(t for t in problem.tables if TableFeatures(problem, t).setting.encoder == linear.setting.encoder
                 and t.provenance["pooling"] == linear.setting.pooling)  # fmt: skip
    texts = replace(problem, tables=())
    candidate = TableFeatures(texts, table)
    splits = folds.splits(problem.train, budget)
    jobs = [partial(fit, options, candidate, texts, splits) for options in METHODS.values()]
    found = [linear]
    with Progress("strong baseline", len(jobs), unit="kinds") as progress:
        for result in in_parallel(jobs, workers([candidate.cells] * len(jobs), cores())):
            found.append(result)
            progress.advance(1, 0)
    best = max(found, key=lambda result: result.validation)
    return replace(best, setting=replace(best.setting, features=FAMILY), selected=True)


def fit(options: Sequence[Option], candidate: TableFeatures, problem: Problem, splits) -> Result:
    """The option that the first split chooses, valued on all splits, refitted on all training rows."""
    labels, seen = problem.train.labels, Validation(problem)

    def predicted(option: Option, split, first, second):
        seen.count(True)
        return option.make(*first.shape).fit(first, labels[split[0]]).predict(second)

    prepared = candidate.matrices(*splits[0], None)[:2]
    tried = {option: predicted(option, splits[0], *prepared) for option in options}
    option = max(tried, key=lambda option: seen.value(splits[0][1], tried[option]))
    seen.add(splits[0][1], tried[option])
    for split in splits[1:]:
        seen.add(split[1], predicted(option, split, *candidate.matrices(*split, None)[:2]))
    setting = replace(candidate.setting, classifier=option.name)
    shape = (len(problem.train), candidate.table.matrix.shape[1])
    return final(candidate, setting, option.make(*shape), option.C, None, seen)
