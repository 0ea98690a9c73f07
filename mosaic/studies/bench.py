"""Many labelled sets: on how many SAE features win, tie or lose, and the sentence these numbers choose.

A set is won where the paired test says so after Holm's correction over the sets (Holm 1979), for each baseline by itself:
of a hundred sets on which nothing differs, one in twenty single tests would call five won or lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.probing import scores
from mosaic.probing.measured import Measured
from mosaic.probing.scores import RESAMPLES, Difference
from mosaic.probing.strong import FAMILY as STRONG
from mosaic.reporting.plots import NAMES
from mosaic.studies.leads import told

OURS = "sae"
WIN, TIE, LOSS = "win", "tie", "loss"
LEVEL = 0.05  # of the family of tests, one a set
SETS_A_BOOTSTRAP = 5
CALLED = {**NAMES, "majority": "the majority class", STRONG: "the strong baseline on hidden states"}


@dataclass(frozen=True)
class Against:
    """SAE features minus a baseline on one set: the difference, its p among the tests of all sets, and what it comes to.

    p: of the paired bootstrap, adjusted: the same by Holm's correction.
    """

    difference: Difference
    p: float
    adjusted: float

    @property
    def verdict(self) -> str:
        return verdict(self.difference.difference, self.adjusted)

    def summary(self) -> dict:
        d = self.difference
        return {"difference": d.difference, "interval": [d.low, d.high], "p": self.p, "p_holm": self.adjusted, "verdict": self.verdict}  # fmt: skip


@dataclass(frozen=True)
class Tally:
    """SAE features against one baseline. sets: {name: one set}. mean: difference over the sets, the interval over
    sets and test texts."""

    baseline: str
    sets: Mapping[str, Against]
    mean: Difference

    def count(self, verdict: str) -> int:
        return sum(against.verdict == verdict for against in self.sets.values())

    def summary(self) -> dict:
        counts = {name: self.count(verdict) for name, verdict in (("wins", WIN), ("ties", TIE), ("losses", LOSS))}
        return {**counts, "mean": self.mean.summary(), "answer": answer(self)}


def tally(sets: Mapping[str, Measured], baseline: str) -> Tally:
    """SAE features against one baseline on the sets, in their order."""
    cases = [one.case(OURS, baseline) for one in sets.values()]
    p = [p_value(case, len(cases)) for case in cases]
    each = [Against(scores.compare(*case), *tested) for case, *tested in zip(cases, p, holm(p), strict=True)]
    return Tally(baseline, dict(zip(sets, each, strict=True)), scores.compare_over_sets(cases))


def p_value(case: tuple, n_sets: int) -> float:
    """Two-sided p of the paired bootstrap of `scores.compare`, on enough resamples for n_sets tests.

    One of R resamples gives no p below 2 / (R + 1), which times the number of sets could stay above any level; so a
    bootstrap is run for every few sets, each with its seed, and theirs are taken as one: p = 2 (tail + 1) / (R + 1), tail:
    resamples on the other side of zero. Up to SETS_A_BOOTSTRAP sets it is the p of `mosaic probe`.
    """
    n = -(-n_sets // SETS_A_BOOTSTRAP)
    tail = sum(scores.compare(*case, seed=seed).p * (RESAMPLES + 1) / 2 - 1 for seed in range(n))
    return min(1.0, 2 * (tail + 1) / (n * RESAMPLES + 1))


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p: the i-th smallest of m times m - i + 1, none below one before it, at most 1."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted.tolist()


def verdict(difference: float, adjusted: float) -> str:
    """WIN or LOSS by the sign of the difference where the adjusted p is at most LEVEL, else TIE."""
    if adjusted > LEVEL or difference == 0:
        return TIE
    return WIN if difference > 0 else LOSS


def mean_ranks(sets: Mapping[str, Measured]) -> dict[str, float]:
    """{family: its rank by macro-F1 on test, mean over the sets}; 1 is the best, equal ones share the mean of theirs."""
    from scipy.stats import rankdata

    families = next(iter(sets.values())).families
    ranks = [rankdata([-one.chosen[family]["macro_f1"] for family in families]) for one in sets.values()]
    return dict(zip(families, np.mean(ranks, axis=0).tolist(), strict=True))


# --- sentences ---------------------------------------------------------------------------------------------------


def answer(tally: Tally) -> str:
    """Are SAE features better than the baseline on these sets? One or two sentences, chosen by the numbers."""
    name, n = CALLED.get(tally.baseline, tally.baseline), len(tally.sets)
    wins, ties, losses = (tally.count(verdict) for verdict in (WIN, TIE, LOSS))
    if n == 1:
        how = "are ahead of" if wins else "are behind" if losses else "cannot be told from"
        return f"On the one set, SAE features {how} {name}: {told(tally.mean)}; of other sets this says nothing."
    mean = tally.mean
    side = "above" if mean.low > 0 else "below" if mean.high < 0 else "level"
    how = {"above": "are ahead of", "below": "are behind", "level": "cannot be told from"}[side]
    said = (
        f"On average over {n} sets, SAE features {how} {name}: {told(mean)}. Set by set (Holm's correction) they win "
        f"{wins}, tie {ties} and lose {losses}"
    )
    return f"{said}{_turn(side, wins, losses)}."


def _turn(side: str, wins: int, losses: int) -> str:
    """What the single sets add to the average."""
    if wins and losses:
        return ": which is better depends on the set"
    if not wins and not losses:
        return ": no single set tells the two apart" if side == "level" else ": it shows on the average alone"
    if side == "level":
        return f": where the two can be told apart, SAE features are {'better' if wins else 'worse'}"
    against = losses if side == "above" else wins
    return ": the single sets that can be told apart say the opposite" if against else ""
