"""Which latents probes of two languages lean on, and how many of the first k they share (the paper: of the first 20).

A probe's latents change with its texts, so each is fitted on seeded halves of the messages: two languages are compared
on the same half, and the ceiling is one language on both halves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.probing import examine
from mosaic.probing.candidates import TableFeatures
from mosaic.probing.problem import Problem
from mosaic.probing.selection import Result
from mosaic.profiles.profile import HOME
from mosaic.texts import labelled

TOP = 20
N_DRAWS = 10


@dataclass(frozen=True)
class Overlap:
    """Shares of the TOP largest latents (by the absolute weight of the scaled column, the largest over the classes).

    shared: {language: [draws] share that its probe has in common with English's}. ceiling: [draws] of two English probes,
    fitted on the two halves. chance: expected of two random choices among the latents that are active in English.
    """

    shared: Mapping[str, np.ndarray]
    ceiling: np.ndarray
    chance: float

    @property
    def above_chance(self) -> np.ndarray:
        """[draws] mean share over the languages, minus chance."""
        return np.mean(list(self.shared.values()), axis=0) - self.chance

    def summary(self) -> dict:
        named = {language: spread(values) for language, values in self.shared.items()}
        return {
            "k": TOP,
            "n_draws": N_DRAWS,
            "chance": self.chance,
            "ceiling": spread(self.ceiling),
            "languages": named,
        }


def spread(draws: np.ndarray) -> dict:
    """{"mean", "interval"}: the interval holds 95 % of the draws."""
    low, high = np.quantile(draws, (0.025, 0.975))
    return {"mean": float(np.mean(draws)), "interval": [float(low), float(high)]}


def overlap(problems: Mapping[str, Problem], result: Result, n_draws: int = N_DRAWS, top: int = TOP) -> Overlap:
    """problems: {language: its own training texts}, English among them; result: the linear SAE result whose table and C all
    probes have."""
    candidates = {language: examine.candidate_of(problem, result) for language, problem in problems.items()}
    home = candidates[HOME]
    shared = {language: [] for language in problems if language != HOME}
    ceiling = []
    for draw in range(n_draws):
        first = {language: half(found.problem, draw) for language, found in candidates.items()}
        own = leading(home, np.flatnonzero(first[HOME]), result, top)
        ceiling.append(share(own, leading(home, np.flatnonzero(~first[HOME]), result, top)))
        for language, values in shared.items():
            values.append(share(own, leading(candidates[language], np.flatnonzero(first[language]), result, top)))
    active = (home.table.matrix[: len(home.problem.train)].getnnz(axis=0) > 0).sum()
    return Overlap({language: np.array(v) for language, v in shared.items()}, np.array(ceiling), min(1.0, top / active))


def half(problem: Problem, draw: int) -> np.ndarray:
    """[rows of train] whether a row is in the first half of a draw: whole groups, the same ones in every language."""
    groups = labelled.together(problem.train)
    names = np.arange(len(problem.train)) if groups is None else groups
    different = np.unique(names)
    chosen = np.random.default_rng(draw).permutation(different)[: len(different) // 2]
    return np.isin(names, chosen)


def leading(candidate: TableFeatures, rows: np.ndarray, result: Result, top: int) -> set[int]:
    """The `top` latents of largest absolute weight of a probe fitted on some rows."""
    x, _, columns = candidate.matrices(rows, rows[:1], result.threshold)
    probe = candidate.probe(result.strength).fit(x, candidate.problem.train.labels[rows])
    weights = np.abs(probe[-1].coef_).max(axis=0)
    return set(columns[np.argsort(-weights, kind="stable")[:top]].tolist())


def share(first: set[int], second: set[int]) -> float:
    """Share of the first set that is in the second."""
    return len(first & second) / max(1, len(first))


def over_sets(sets: Sequence[Overlap]) -> dict:
    """Means over sets and languages: the share in common with English, its excess over chance, the ceiling."""
    excess = spread(np.mean([one.above_chance for one in sets], axis=0))
    by_language: dict[str, list[float]] = {}
    for one in sets:
        for language, values in one.shared.items():
            by_language.setdefault(language, []).append(float(values.mean()))
    return {
        "k": TOP,
        "share": spread(np.mean([one.above_chance + one.chance for one in sets], axis=0)),
        "by_language": {language: float(np.mean(values)) for language, values in by_language.items()},
        "above_chance": {"difference": excess["mean"], "interval": excess["interval"]},
        "ceiling": spread(np.mean([one.ceiling for one in sets], axis=0)),
        "chance": float(np.mean([one.chance for one in sets])),
    }
