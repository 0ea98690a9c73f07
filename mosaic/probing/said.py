"""What is said of a comparison beside its table: the paired differences, and what to know of how settings were chosen."""

from __future__ import annotations

from collections.abc import Sequence

from mosaic.probing import scores
from mosaic.probing.comparison import selected
from mosaic.probing.problem import Problem
from mosaic.probing.selection import Result


def differences(problem: Problem, results: Sequence[Result]) -> dict[str, scores.Difference]:
    """{family: the chosen SAE setting minus the one that validation chose there}, on the test rows."""
    best, test = selected(results, "sae"), problem.test
    others = dict.fromkeys(result.setting.features for result in results if result.setting.features != "sae")
    return {family: scores.compare(*scores.paired(test, best, selected(results, family))) for family in others}


def best_linear(results: Sequence[Result], family: str = "sae") -> Result:
    """The logistic setting of a family that is best on validation (results come best first)."""
    return next(r for r in results if r.setting.features == family and r.setting.classifier == "logistic")


def verdict(found: scores.Difference) -> str:
    """ "better", "worse", or "undecided" where the interval of a difference holds zero."""
    return "better" if found.low > 0 else "worse" if found.high < 0 else "undecided"


def choices(results: Sequence[Result]) -> list[str]:
    """What a reader should know of how the settings were chosen, one sentence each; empty where there is nothing."""
    found = []
    for end, beyond in (("low", "smaller"), ("high", "larger")):
        at = [result for result in results if result.selected and result.edge == end]
        if at:
            names = " and ".join(result.setting.features for result in at)
            found.append(f"validation chose C = {at[0].strength:g} for {names}, the {end} end of the grid; a {beyond} one "
                         "may be better.")  # fmt: skip
    unsolved = [result for result in results if not result.converged]
    if unsolved:
        fits = sum(result.n_unconverged for result in unsolved)
        chosen = sum(result.selected for result in unsolved)
        found.append(f"{fits} of {sum(result.n_fits for result in results)} fits ended before they were solved, in "
                     f"{len(unsolved)} of {len(results)} settings ({chosen} of them chosen).")  # fmt: skip
    return found
