"""What the probes on labelled sets make of each latent: its coefficient, and whether another draw of the texts gives it again.

A probe is the linear one of the chapters on probes, on each latent's largest activation in a text,

    score_c(x) = b_c + sum_j w_cj x_j / s_j,      s_j the standard deviation of x_j over the training texts,

with the strength C that validation folds of the training texts choose. The coefficient w_cj is standardised, so that latents of one
probe compare. Stability: the same probe is fitted on FOLDS overlapping parts of the training texts, each without one fold; counted is in how
many of them the latent is among the TOP largest, and in how many its coefficient keeps its sign. Test texts only score.

Shapes: n texts, D latents, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mosaic.probing import examine, folds
from mosaic.probing.candidates import TableFeatures
from mosaic.probing.comparison import evaluate
from mosaic.probing.problem import Problem

FOLDS = 5
TOP = 20
DIGITS = 6  # to which coefficients are ranked; equal ones by number


@dataclass(frozen=True, eq=False)
class Used:
    """[D] each: coefficient of largest size (0 where the latent fires in no training text) and the class it speaks for; rank, from 1,
    by its size (0: none); top, same: folds in which it is among the TOP, and keeps its sign. n_folds: that were fitted. macro_f1, low,
    high: of the probe on the first part of the test texts. columns: latents that it reads."""

    coefficient: np.ndarray
    label: list[str]
    rank: np.ndarray
    top: np.ndarray
    same: np.ndarray
    n_folds: int
    macro_f1: float
    low: float
    high: float
    columns: int

    def of(self, latents: np.ndarray | slice) -> Used:
        """Of these latents alone; ranks and folds stay those among all."""
        label = [self.label[i] for i in np.arange(len(self.label))[latents]]
        arrays = {name: getattr(self, name)[latents] for name in ("coefficient", "rank", "top", "same")}
        return replace(self, label=label, **arrays)


def used(problem: Problem) -> Used:
    """Of a problem with the one table of an SAE's latents."""
    (result,) = evaluate(problem, families=["sae"], binarize=False, trees=False)
    probe, columns = examine.fitted(problem, result)
    classes = [str(name) for name in probe.classes_][-len(probe[-1].coef_) :]  # of two, one row: for the second
    weights = np.zeros((len(classes), problem.tables[0].matrix.shape[1]))
    weights[:, columns] = probe[-1].coef_
    largest = np.abs(np.round(weights, DIGITS)).argmax(0)
    at = largest, np.arange(weights.shape[1])
    again = [_refitted(problem, result.strength, rows, classes, weights.shape) for rows in _parts(problem)]
    rank = np.zeros(weights.shape[1], dtype=int)
    order = _order(weights)
    rank[order] = np.arange(1, len(order) + 1)
    score = result.score
    return Used(
        weights[at],
        [classes[c] for c in largest],
        np.where(weights[at] != 0, rank, 0),
        sum(np.isin(at[1], _order(one)[:TOP]).astype(int) for one in again),
        sum((np.sign(one[at]) == np.sign(weights[at])).astype(int) * (weights[at] != 0) for one in again),
        len(again),
        score.macro_f1,
        score.low,
        score.high,
        int((weights[at] != 0).sum()),
    )


def _parts(problem: Problem) -> list[np.ndarray]:
    """Training rows without one fold each; rows that belong together stay so."""
    return [rows for rows, _ in folds.splits(problem.train, folds.Budget(n_folds=FOLDS))]


def _refitted(problem: Problem, strength: float, rows: np.ndarray, classes: list[str], shape) -> np.ndarray:
    """[C, D] the coefficients of the probe on these training rows; 0 for a class or a latent that they lack."""
    features = TableFeatures(problem, problem.tables[0])
    x, _, columns = features.matrices(rows, rows[:1], None)
    probe = features.probe(strength).fit(x, problem.train.labels[rows])
    weights, found = np.zeros(shape), probe[-1].coef_
    for name, row in zip([str(one) for one in probe.classes_][-len(found) :], found, strict=True):
        weights[classes.index(name), columns] = row
    return weights


def _order(weights: np.ndarray) -> np.ndarray:
    """Latents by the size of their largest coefficient, those without one last; equal ones by number."""
    return np.argsort(-np.abs(np.round(weights, DIGITS)).max(0), kind="stable")
