"""One data set of the chapter on what training is worth: the probes of every family for every number of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from mosaic.features.request import Request
from mosaic.machine import cores
from mosaic.probing import comparison, folds, kept_curves
from mosaic.probing.curves import Fit
from mosaic.probing.directions import MeanDifference, RandomDirections
from mosaic.probing.problem import Problem, make_problem, stratified_rows
from mosaic.studies.controls import FROZEN, OF_UNTRAINED, RANDOM, TRAINED, Controls
from mosaic.texts.labelled import NEW, LabelledTexts

DIRECTIONS, PCA, UNITS, SUPERVISED = "random directions", "PCA components", "hidden units", "difference of class means"
FAMILIES = (TRAINED, RANDOM, FROZEN, OF_UNTRAINED, DIRECTIONS, PCA, UNITS, SUPERVISED)
N_DIRECTIONS = 5
SHARES = (0.01, 0.05, 0.2)  # of the training rows: few labels
N_SAMPLES = 5  # of each share
FEW = 8  # latents, where labels are few

Draws = Sequence[Mapping[str, Fit]]  # {size: fit} of each draw of a family


@dataclass(frozen=True)
class SetCurves:
    """What each family reached on one set.

    test: its test texts. draws: {family: a curve for each draw: SAE seed, random dictionary, rotation}, of the FAMILIES
    that the profile has. few_labels:
    {share of the training rows: {TRAINED, RANDOM: a curve for each sample of rows}}.
    """

    title: str
    test: LabelledTexts
    draws: Mapping[str, Draws]
    few_labels: Mapping[float, Mapping[str, Draws]]

    @property
    def has_new_words(self) -> bool:
        return NEW in self.test.part_rows()


def set_curves(
    title: str, train: LabelledTexts, test: LabelledTexts, controls: Controls, cache: Path | None
) -> SetCurves:
    """Every family on one set; features from the cache, one curve a job, kept there too."""
    problem, dictionaries, hidden = _features(train, test, controls, cache)
    jobs = {family: [partial(_whole, problem, m) for m in of] for family, of in dictionaries.items()}
    jobs |= {
        DIRECTIONS: [partial(_whole, problem, hidden, RandomDirections(seed)) for seed in range(N_DIRECTIONS)],
        PCA: [partial(_whole, problem, hidden, _pca())],
        UNITS: [partial(_whole, problem, hidden)],
        SUPERVISED: [partial(_whole, problem, hidden, MeanDifference())],
    }
    few = {
        (share, family): [partial(_few, problem, of[i % len(of)], share, i) for i in range(N_SAMPLES)]
        for share in SHARES
        for family, of in dictionaries.items()
        if family in (TRAINED, RANDOM)
    }
    found = _run(jobs | few)
    by_share = {share: {family: found[share, family] for family in (TRAINED, RANDOM)} for share in SHARES}
    return SetCurves(title, test, {family: found[family] for family in FAMILIES if family in found}, by_share)


def _features(train: LabelledTexts, test: LabelledTexts, controls: Controls, cache: Path | None):
    """(the problem without its tables, {family of dictionaries: a matrix an encoder}, the hidden states' matrix).

    Two passes at most: what the language model has, and what the untrained one has. Processes are sent a matrix each.
    """
    here = controls.dictionaries()
    read = Request(sum(here.values(), ()), (controls.layer,), controls.poolings)
    problem = make_problem(train, test, controls.lm, read, cache)
    *matrices, hidden = [table.matrix for table in problem.tables]
    left = iter(matrices)
    found = {family: [next(left) for _ in encoders] for family, encoders in here.items()}
    if controls.of_untrained:
        read = Request(controls.of_untrained, (), controls.poolings)
        other = make_problem(train, test, controls.untrained, read, cache)
        found[OF_UNTRAINED] = [table.matrix for table in other.tables]
    return replace(problem, tables=()), found, hidden


def _run(jobs: Mapping) -> dict:
    """{key: the results of its jobs}, all of them in parallel."""
    flat = [job for of in jobs.values() for job in of]
    results = comparison.in_parallel(flat, min(cores(), len(flat)))
    return {key: [next(results) for _ in of] for key, of in jobs.items()}


def _whole(problem: Problem, matrix, directions=None) -> dict[str, Fit]:
    """One curve from all training rows."""
    return kept_curves.curve(problem, matrix, folds.splits(problem.train)[0], directions=directions)


def _few(problem: Problem, matrix, share: float, seed: int) -> dict[str, Fit]:
    """FEW latents and all, from a sample of the training rows; C from folds of that sample alone."""
    n = len(problem.train)
    rows = stratified_rows(problem.train.labels, max(1, round(share * n)), seed)
    sample = replace(problem, train=problem.train.take(rows))
    of_test = np.arange(n, matrix.shape[0])
    return kept_curves.curve(sample, matrix[np.append(rows, of_test)], folds.splits(sample.train)[0], (FEW,))


def _pca():
    """All components of the fit rows."""
    from sklearn.decomposition import PCA as Components

    return Components(svd_solver="full")
