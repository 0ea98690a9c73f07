"""The comparison: SAE features against hidden states, TF-IDF and the majority class, chosen honestly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from mosaic.errors import MosaicError
from mosaic.machine import cores
from mosaic.probing import folds, selection
from mosaic.probing.candidates import Majority, TableFeatures, TfidfFeatures
from mosaic.probing.folds import Budget
from mosaic.probing.kept import Kept
from mosaic.probing.problem import Problem
from mosaic.probing.selection import Result
from mosaic.progress import Progress

FAMILIES = ("sae", "hidden", "tfidf", "majority")
# Numbers in the matrices of all workers together. A fit keeps about two copies of its own in float32 (as taken and
# scaled, which the solver reads as it is), so that the fits together stay near 5 GB, whatever the number of cores.
CELLS_AT_ONCE = 400_000_000
SMALL = 100_000  # numbers in the largest matrix: hundreds of such fits take less than starting a process


def evaluate(
    problem: Problem,
    budget: Budget = folds.DEFAULT,
    families: Sequence[str] = FAMILIES,
    binarize: bool = True,
    trees: bool = True,
    every_tree: bool = False,
) -> list[Result]:
    """Score every setting of the wanted families; in each family the one chosen on validation is marked `selected`.

    Returns results family by family, best validation first. binarize: also threshold the SAE poolings.
    trees: add a shallow tree for the best pooling of each layer and width; every_tree: for each of them that is not
    binarised, so that trees and linear probes have the same features to choose from.
    """
    texts = replace(problem, tables=())  # what a process is sent beside its own table
    candidates = [TableFeatures(texts, table) for table in problem.tables if table.provenance["features"] in families]
    if binarize:
        candidates += [replace(c, binarized=True) for c in candidates if c.table.provenance["features"] == "sae"]
    if "tfidf" in families:
        candidates += [TfidfFeatures(texts, kind) for kind in ("word", "char")]
    if "majority" in families:
        candidates.append(Majority(texts))
    splits = folds.splits(problem.train, budget)
    kept = Kept.of(texts, splits)
    n_workers = workers([candidate.cells for candidate in candidates], cores())
    n_fits = [selection.count_fits(candidate, splits) for candidate in candidates]
    n_tree_fits = [selection.count_tree_fits(splits)] * _count_trees(candidates, trees, every_tree)
    with Progress("probing", sum(n_fits) + sum(n_tree_fits), unit="fits") as progress:
        results = []
        for result, n in zip(in_parallel([partial(kept.fit, c) for c in candidates], n_workers), n_fits, strict=True):
            results.append(result)
            progress.advance(n, 0)
        if trees:
            best = selection.best_of_each_encoder(candidates, results)
            grown = [(c, None) for c in candidates if _plain(c)] if every_tree else best
            jobs = [partial(kept.fit_tree, candidate, threshold) for candidate, threshold in grown]
            for result, n in zip(in_parallel(jobs, n_workers), n_tree_fits, strict=True):
                results.append(result)
                progress.advance(n, 0)
    return _marked(results, families)


def _count_trees(candidates: Sequence, trees: bool, every: bool) -> int:
    if not trees:
        return 0
    return sum(map(_plain, candidates)) if every else len({c.setting.encoder for c in candidates} - {None})


def _plain(candidate) -> bool:
    """Whether it reads features of a layer as they are."""
    return candidate.setting.encoder is not None and not candidate.setting.binarized


def workers(cells: Sequence[int], cores: int) -> int:
    """How many fits run at once: one a core, fewer where together they could hold more than CELLS_AT_ONCE numbers, and one,
    in this process, where all are SMALL.

    cells: numbers that each candidate's matrices hold at most.
    """
    if max(cells, default=0) < SMALL:
        return 1
    return max(1, min(cores, CELLS_AT_ONCE // max(1, max(cells, default=1))))


def in_parallel(jobs: Sequence[Callable[[], Result]], n_workers: int) -> Iterator[Result]:
    """Results in the order of the jobs, as they come; each with single-threaded matrix products, in processes of their own.

    A solver makes thousands of small products, between which threads of one process would wait for one another. Raises
    MosaicError where a process is killed.
    """
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    try:
        yield from Parallel(n_jobs=n_workers, return_as="generator")(delayed(_alone)(job) for job in jobs)
    except TerminatedWorkerError as error:
        raise MosaicError(
            "a process that fitted probes was ended from outside, as a system does that runs out of memory. Give fewer "
            "layers, poolings or texts, or a larger machine; with a cache, finished fits are kept and the same command "
            "goes on from them."
        ) from error


def _alone(job: Callable[[], Result]) -> Result:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return job()


def selected(results: Iterable[Result], family: str) -> Result:
    """The result of a family that validation chose."""
    return next(r for r in results if r.selected and r.setting.features == family)


def _marked(results: list[Result], families: Sequence[str]) -> list[Result]:
    ordered = []
    for family in families:
        members = sorted((r for r in results if r.setting.features == family), key=lambda r: -r.validation)
        ordered += [replace(result, selected=i == 0) for i, result in enumerate(members)]
    return ordered
