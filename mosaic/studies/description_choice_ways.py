"""Twenty latents of a set, chosen by their descriptions, by data, or by neither, and what one probe makes of them.

Ways that see no label choose once a draw; the others choose from the labelled texts of the draw. Every way has the same candidates
(latents that have a description), the same number of latents, and the probe of the chapter on few labels.

Shapes: D candidates, n texts (train, then test), C classes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.probing import by_description, estimators, narrowed
from mosaic.probing.problem import Problem
from mosaic.probing.sparse_selection import LassoSelector
from mosaic.progress import Progress
from mosaic.studies.few_labels_draws import OnSet, draws
from mosaic.studies.few_labels_ways import SELECTED, STRENGTH, probe, root_mean_square

BY_DESCRIPTION, IN_SEQUENCE, THEN_DATA = "description", "description, one after another", "description, then data"
SHUFFLED, RANDOM = "another's description", "at random"
MEAN_DIFFERENCE, L1, MUTUAL_INFORMATION, MRMR = "mean difference", "L1", "mutual information", "MRMR"
UNSEEN = (BY_DESCRIPTION, IN_SEQUENCE, SHUFFLED, RANDOM)  # ways that see no label
WAYS = (*UNSEEN, THEN_DATA, MEAN_DIFFERENCE, L1, MUTUAL_INFORMATION, MRMR)
PREFILTERED = 200  # candidates that descriptions leave to data
RATES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # of the training texts
N_DRAWS = 10


@dataclass(frozen=True, eq=False)
class Said:
    """What is said of the candidates. latents: [D] columns of the set's table. vectors: [D, e], of length 1."""

    latents: np.ndarray
    vectors: np.ndarray


def on_set(title: str, problem: Problem, said: Said, names: np.ndarray, n_draws: int = N_DRAWS) -> OnSet:
    """Every way from every draw. names: [C, e], of length 1, the embedded names of the classes."""
    matrix = problem.tables[0].matrix[:, said.latents].toarray()
    scores = names @ said.vectors.T
    drawn = draws(problem.train.labels, n_draws, RATES)
    found: dict[str, dict[float, np.ndarray]] = {way: {} for way in WAYS}
    with Progress(f"choosing latents of {title}", len(WAYS) * len(drawn), "curves' points") as progress:
        for way in WAYS:
            for rate, of in drawn.items():
                found[way][rate] = np.stack(
                    [
                        predicted(
                            matrix,
                            chosen(way, matrix, scores, said, rows, problem, seed_of(title, rate, draw)),
                            problem,
                            rows,
                        )
                        for draw, rows in enumerate(of)
                    ]
                )
                progress.advance(1)
    return OnSet(title, problem.test, {rate: len(of[0]) for rate, of in drawn.items()}, {STRENGTH: found})


def chosen(
    way: str, matrix: np.ndarray, scores: np.ndarray, said: Said, rows: np.ndarray, problem: Problem, seed: int
) -> np.ndarray:
    """Candidates that a way takes, at most SELECTED. rows: the labelled texts. seed: of what is random."""
    rng = np.random.default_rng([seed, WAYS.index(way) if way != SHUFFLED else WAYS.index(BY_DESCRIPTION)])
    if way == BY_DESCRIPTION:
        return by_description.in_turns(scores, SELECTED, rng)
    if way == IN_SEQUENCE:
        return by_description.in_sequence(scores, said.vectors, SELECTED, rng)
    if way == SHUFFLED:
        return by_description.in_turns(
            scores[:, np.random.default_rng(seed).permutation(scores.shape[1])], SELECTED, rng
        )
    if way == RANDOM:
        return rng.choice(matrix.shape[1], min(SELECTED, matrix.shape[1]), replace=False)
    among = np.arange(matrix.shape[1])
    if way == THEN_DATA:
        among = np.sort(by_description.in_turns(scores, PREFILTERED, rng))
    return among[
        by_data(MEAN_DIFFERENCE if way == THEN_DATA else way, matrix[rows][:, among], problem.train.labels[rows])
    ]


def seed_of(title: str, rate: float, draw: int) -> int:
    """Of one draw of one set at one rate: draws that are resampled as independent ones are drawn as such."""
    return int.from_bytes(hashlib.sha256(f"{title}/{rate:g}/{draw}".encode()).digest()[:4], "big")


def by_data(way: str, X: np.ndarray, y: np.ndarray, k: int = SELECTED) -> np.ndarray:
    """Columns of X [n, p] chosen by the labels y, at most k, of those that vary."""
    varying = np.flatnonzero(np.ptp(X, axis=0) > 0)
    if not len(varying):
        return np.arange(1)
    X = X[:, varying]
    if way == MRMR:
        return varying[by_description.mrmr(X, y, k)]
    if way == MUTUAL_INFORMATION:
        from scipy.sparse import csr_matrix

        information = np.round(narrowed.mutual_information(csr_matrix(X), y), by_description.DIGITS)
        return varying[np.argsort(-information, kind="stable")[:k]]
    selector = {MEAN_DIFFERENCE: estimators.MeanDifferenceSelector, L1: LassoSelector}[way](k)
    return varying[selector.fit(X, y).get_support(indices=True)]


def predicted(matrix: np.ndarray, columns: np.ndarray, problem: Problem, rows: np.ndarray) -> np.ndarray:
    """[n_test] labels that the probe on these columns gives, fitted on the labelled texts alone."""
    first, second = matrix[rows][:, columns], matrix[len(problem.train) :][:, columns]
    deviation = first.std(0, dtype=np.float64)
    deviation = np.where(deviation > 0, deviation, 1.0)
    scaled = first / deviation
    length = root_mean_square(scaled)
    return probe(scaled / length, problem.train.labels[rows], second, deviation * length, (STRENGTH,))[0]


def crossing(labels: Sequence[float], lead: np.ndarray) -> float:
    """The number of labels from which on data is ahead for good, read off between two numbers on a logarithmic scale.

    labels: rising. lead: what descriptions have more than data at each. The first number where data is ahead everywhere (a tie is no lead of data's); infinity
    where descriptions are still ahead at the last.
    """
    ahead = np.flatnonzero(lead >= 0)
    if not len(ahead):
        return float(labels[0])
    last = int(ahead[-1])
    if last == len(labels) - 1:
        return float("inf")
    share = lead[last] / (lead[last] - lead[last + 1])
    return float(labels[last] * (labels[last + 1] / labels[last]) ** share)


def overtaken(labels: Sequence[float], observed: Sequence[float], resampled: Sequence[np.ndarray]) -> Mapping:
    """{value, interval, first, last, at_first, at_last}: the crossing, with 95 % over resamples. at_first, at_last: the shares of
    resamples in which data is ahead everywhere, and descriptions at the last number. None stands for a number beyond the last."""
    drawn = np.array([crossing(labels, lead) for lead in np.stack(resampled, axis=1)])
    ends = np.quantile(drawn, [0.025, 0.975], method="nearest")
    finite = [None if np.isinf(end) else float(end) for end in (crossing(labels, np.array(observed)), *ends)]
    return {
        "value": finite[0],
        "interval": finite[1:],
        "first": float(labels[0]),
        "last": float(labels[-1]),
        "at_first": float((drawn <= labels[0]).mean()),
        "at_last": float(np.isinf(drawn).mean()),
    }
