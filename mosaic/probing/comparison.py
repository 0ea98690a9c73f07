"""The comparison: SAE features against hidden states, TF-IDF and the majority class, chosen honestly."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mosaic.probing import estimators, selection
from mosaic.probing.candidates import Majority, TableFeatures, TfidfFeatures
from mosaic.probing.problem import Problem
from mosaic.probing.selection import Result
from mosaic.progress import Progress

FAMILIES = ("sae", "hidden", "tfidf", "majority")


@dataclass(frozen=True)
class Budget:
    """How much validation a setting gets.

    rows: training rows used for selection (more classes need more: at least 30 a class). n_folds: validation
    folds; strength and threshold are chosen on the first, settings by the mean over all. seed: of the folds.
    """

    rows: int = 1500
    n_folds: int = 3
    seed: int = estimators.SEED


def evaluate(
    problem: Problem,
    budget: Budget = Budget(),
    families: Sequence[str] = FAMILIES,
    binarize: bool = True,
    trees: bool = True,
) -> list[Result]:
    """Score every setting of the wanted families; in each family the one chosen on validation is marked `selected`.

    Returns results family by family, best validation first. binarize: also threshold the SAE poolings.
    trees: add a shallow tree for the best pooling of each layer and width.
    """
    candidates = [TableFeatures(problem, table) for table in problem.tables if table.provenance["features"] in families]
    if binarize:
        candidates += [replace(c, binarized=True) for c in candidates if c.table.provenance["features"] == "sae"]
    if "tfidf" in families:
        candidates += [TfidfFeatures(problem, kind) for kind in ("word", "char")]
    if "majority" in families:
        candidates.append(Majority(problem))
    splits = selection.splits(problem.train, budget.rows, budget.n_folds, budget.seed)
    with Progress("probing", len(candidates), unit="settings") as progress:
        results = _in_parallel(lambda candidate: selection.fit(candidate, problem, splits), candidates, progress)
        if trees:
            best = selection.best_of_each_encoder(candidates, results)
            results += _in_parallel(lambda chosen: selection.fit_tree(chosen, problem, splits), best, progress)
    return _marked(results, families)


def _in_parallel(job, items: Sequence, progress: Progress) -> list:
    """Results in the order of the items; one thread a core, each with single-threaded matrix products."""
    import os

    from joblib import Parallel, delayed
    from threadpoolctl import threadpool_limits

    found = []
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="lbfgs failed to converge")
        workers = Parallel(n_jobs=len(os.sched_getaffinity(0)), prefer="threads", return_as="generator")
        for result in workers(delayed(job)(item) for item in items):
            found.append(result)
            progress.advance(1, 0)
    return found


def selected(results: Iterable[Result], family: str) -> Result:
    """The result of a family that validation chose."""
    return next(r for r in results if r.selected and r.setting.features == family)


def _marked(results: list[Result], families: Sequence[str]) -> list[Result]:
    ordered = []
    for family in families:
        members = sorted((r for r in results if r.setting.features == family), key=lambda r: -r.validation)
        ordered += [replace(result, selected=i == 0) for i, result in enumerate(members)]
    return ordered
