"""If two SAEs disagree on their latents, do the probes built on them agree?

The same probe, with one regularisation chosen once, on the features of SAEs that differ in their seed alone; beside
it the same probe on one SAE's features with the training texts drawn again, which is how far any probe wavers.

Shapes: S seeds, n training texts, D latents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mosaic.agreement.pairwise import Seeds
from mosaic.agreement.stability import THRESHOLD
from mosaic.probing import estimators
from mosaic.probing.candidates import Setting
from mosaic.probing.comparison import evaluate
from mosaic.probing.folds import Budget
from mosaic.probing.problem import Problem

TOP = 20


Pairs = dict[tuple[int, int], float]


@dataclass(frozen=True)
class ProbeRun:
    """One fitted probe. predicted: labels of all test rows; scores: {part of the test set: macro-F1}, the headline's first;
    top: its TOP latents by size of weight."""

    predicted: np.ndarray
    scores: dict[str, float]
    top: tuple[int, ...]

    @property
    def macro_f1(self) -> float:
        """Of the first part (familiar words, or the whole where it has no parts)."""
        return next(iter(self.scores.values()))


def chosen_strength(problem: Problem) -> float:
    """The regularisation C that validation folds of the training set choose for the first seed's features."""
    alone = Problem(problem.train, problem.test, problem.tables[:1])
    first = problem.tables[0].provenance
    wanted = Setting("sae", first["layer"], first["width"], first["pooling"])
    found = evaluate(alone, families=["sae"], budget=Budget(n_folds=2), binarize=False, trees=False)
    return next(result for result in found if result.setting == wanted).strength


def run(
    problem: Problem, seed: int, strength: float, latents: np.ndarray | None = None, draw: int | None = None
) -> ProbeRun:
    """The probe on one seed's features. latents: only these. draw: the training rows drawn again, with replacement."""
    from sklearn.metrics import f1_score

    matrix = problem.tables[seed].matrix
    columns = np.arange(matrix.shape[1]) if latents is None else np.asarray(latents)
    n = len(problem.train)
    rows = np.arange(n) if draw is None else _drawn(problem.train.labels, draw)
    x = matrix[:, columns]
    probe = estimators.logistic(strength).fit(x[:n][rows], problem.train.labels[rows])
    predicted = probe.predict(x[n:])
    size = np.abs(probe[-1].coef_).max(0)
    top = tuple(int(columns[i]) for i in np.argsort(-size, kind="stable")[:TOP])
    truth = problem.test.labels
    scores = {
        part: float(f1_score(truth[rows], predicted[rows], average="macro"))
        for part, rows in problem.test.part_rows().items()
    }
    return ProbeRun(predicted, scores, top)


def agreement(runs: Sequence[ProbeRun], rows: np.ndarray | slice = slice(None)) -> Pairs:
    """{(i, j): share of test texts (or of these rows) on which probes i and j say the same}."""
    return {
        (i, j): float(np.mean(runs[i].predicted[rows] == runs[j].predicted[rows]))
        for i, j in combinations(range(len(runs)), 2)
    }


def top_overlap(runs: Sequence[ProbeRun], seeds: Seeds) -> dict[str, Pairs]:
    """Share of one probe's top latents among another's, pair by pair: by index ("before"), and after every latent is replaced
    by its partner in the decoder's matching ("after"); "shared": only partners that count as shared."""
    found: dict[str, Pairs] = {"before": {}, "after": {}, "shared": {}}
    for i, j in combinations(range(len(runs)), 2):
        ours, theirs = list(runs[i].top), set(runs[j].top)
        partner, both = seeds.partner(i, j), seeds.shared(i, j)
        found["before"][i, j] = float(np.mean([x in theirs for x in ours]))
        found["after"][i, j] = float(np.mean([partner[x] in theirs for x in ours]))
        found["shared"][i, j] = float(np.mean([both[x] and partner[x] in theirs for x in ours]))
    return found


def restricted(
    problem: Problem, seeds: Seeds, strength: float, threshold: float = THRESHOLD
) -> dict[str, list[ProbeRun | None]]:
    """One probe a seed that sees all latents, those shared with at least one other seed, those that no other seed has, and as
    many as are shared, drawn at random. None for a seed that has no latent of a kind: where nothing is shared, "shared"."""
    out: dict[str, list[ProbeRun | None]] = {"all": [], "shared": [], "orphan": [], "random": []}
    for i, dictionary in enumerate(seeds.dictionaries):
        member = seeds.membership(i, threshold)
        shared, orphan = np.flatnonzero(member > 1), np.flatnonzero(member == 1)
        chance = np.sort(np.random.default_rng(i).permutation(len(dictionary))[: len(shared)])
        for name, latents in (("all", None), ("shared", shared), ("orphan", orphan), ("random", chance)):
            seen = latents is None or len(latents)
            out[name].append(run(problem, i, strength, latents) if seen else None)
    return out


def _drawn(labels: np.ndarray, draw: int) -> np.ndarray:
    """Rows drawn with replacement, class by class, so that no class is lost."""
    generator = np.random.default_rng([draw, 7])
    parts = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return np.sort(np.concatenate([generator.choice(part, len(part)) for part in parts]))
