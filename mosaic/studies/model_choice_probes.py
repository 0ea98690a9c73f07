"""What a probe makes of latents that a language model chose, beside latents that others chose from the same candidates.

The control of the words: the model's choice among descriptions that were dealt to other latents. A model is shown descriptions and
no latent, so that this is its own choice with the latents dealt anew; every deal is one draw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mosaic.interpretation.importance import Order
from mosaic.probing import by_description, estimators, scores
from mosaic.probing.problem import Problem
from mosaic.probing.scores import Difference, Mean
from mosaic.studies.description_choice_ways import by_data, predicted
from mosaic.studies.few_labels_said import SAID
from mosaic.studies.few_labels_ways import MEAN_DIFFERENCE
from mosaic.studies.gains import outcome
from mosaic.studies.headline import numbers
from mosaic.studies.interpretation_sets import derangement
from mosaic.studies.model_choice import Candidates

BY_MODEL, ANOTHER, AT_RANDOM = "the language model", "the same, descriptions of other latents", "nothing, at random"
BY_LABELS, BY_LABELS_OF_ALL = "mean difference on the labels", "mean difference, among all latents"
BY_SIMILARITY = "similarity to the classes' names (MiniLM)"
DRAWS = 10


@dataclass(frozen=True)
class Probed:
    """Macro-F1 on the held-out texts of a probe on k latents, mean over the draws. minus: the language model's choice minus this one."""

    way: str
    macro_f1: Mean
    minus: Difference | None
    draws: int

    def row(self) -> dict:
        minus = self.minus
        return {
            "way": self.way,
            "macro_f1": self.macro_f1.macro_f1,
            "low": self.macro_f1.low,
            "high": self.macro_f1.high,
            "draws": self.draws,
            "model_minus": None if minus is None else minus.difference,
            "model_minus_low": None if minus is None else minus.low,
            "model_minus_high": None if minus is None else minus.high,
        }


def probes(problem: Problem, among: Candidates, order: Order, k: int, seed: int = 0) -> list[Probed]:
    """Every way on the same texts with the same probe, fitted on all training texts; the language model's choice first."""
    table, labels, n = problem.tables[0].matrix, problem.train.labels, len(problem.train)
    matrix, rows = table[:, among.latents].toarray(), np.arange(n)
    taken = {way: [matrix[:, columns] for columns in of] for way, of in choices(among, order, k, seed).items()}
    taken[BY_LABELS] = [matrix[:, by_data(MEAN_DIFFERENCE, matrix[:n], labels, k)]]
    best = estimators.MeanDifferenceSelector(k).fit(table[:n], labels).get_support(indices=True)
    taken[BY_LABELS_OF_ALL] = [table[:, best].toarray()]
    said = {
        way: [predicted(features, np.arange(features.shape[1]), problem, rows) for features in of]
        for way, of in taken.items()
    }
    truth, groups = problem.test.labels, problem.test.groups
    return [
        Probed(
            way,
            scores.mean_interval([(truth, of, groups)]),
            None if way == BY_MODEL else scores.compare_draws([(truth, said[BY_MODEL], of, groups)]),
            len(of),
        )
        for way, of in said.items()
    ]


def choices(among: Candidates, order: Order, k: int, seed: int = 0) -> dict[str, list[np.ndarray]]:
    """{way that sees no label: the candidates it takes, [k] of each draw}."""
    chosen, d = order.places[:k], len(among)
    drawn = [np.random.default_rng([seed, i]) for i in range(DRAWS)]
    found = {
        BY_MODEL: [chosen],
        ANOTHER: [derangement(d, seed + i)[chosen] for i in range(DRAWS)],
        AT_RANDOM: [rng.choice(d, k, replace=False) for rng in drawn],
    }
    if among.similarity is not None:
        found[BY_SIMILARITY] = [by_description.in_turns(among.similarity, k, np.random.default_rng(seed))]
    return found


def sentence(found: list[Probed]) -> str:
    """What the comparison says, each clause by the sign of its difference and its interval."""
    by = {one.way: one.minus for one in found if one.minus is not None}
    told = [
        f"{SAID[outcome(d)]} {named} ({numbers(d)})"
        for way, named in (
            (ANOTHER, "those it chooses by descriptions of other latents"),
            (AT_RANDOM, "latents drawn at random"),
            (BY_LABELS, "those of mean difference on the labels"),
        )
        if (d := by.get(way)) is not None
    ]
    return f"On held-out texts, latents that the language model chose {', '.join(told[:-1])} and {told[-1]}."
