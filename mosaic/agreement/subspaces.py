"""Whether some of the pairs of two feature spaces are more alike than as many drawn from all of them.

    difference = m(X_S, Y_S) - mean_n m(X_Sn, Y_Sn),   S the chosen pairs, S_n random ones, |S_n| = |S|,

for a measure m: mean correlation of the pairs' firing, SVCCA, SVCCA of one component, RSA. As many, because SVCCA hangs on how
many pairs there are: with no more pairs than dimensions it is near one for any pairing. Lan et al. (arXiv 2410.06981) ask this of
semantic subspaces.

Shapes: M pairs, rows x [M, d] and y [M, d'], r [M] correlations of firing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.agreement.universality import rsa, svcca

MEASURES = ("r", "svcca", "one_component", "rsa")
DRAWS = 200
DIGITS = 9  # what is one for any pairing is equal, not above by the last digit


@dataclass(frozen=True, eq=False)
class Within:
    """n chosen pairs. values: {measure: of them}. drawn: {measure: [draws] of as many random ones}."""

    n: int
    values: dict[str, float]
    drawn: dict[str, np.ndarray]

    def summary(self, measure: str) -> dict:
        """{value, of_any, difference, interval, p}: p is the share of draws that reach the value, one added to both."""
        return beside(self.values[measure], self.drawn[measure])


def within(
    x: np.ndarray, y: np.ndarray, r: np.ndarray, chosen: Sequence[int], draws: int = DRAWS, measures=MEASURES
) -> Within:
    """The measures of the chosen pairs beside those of random ones. Raises MosaicError as `svcca` and `rsa` do."""
    rng, n = np.random.default_rng(len(chosen)), len(chosen)
    found = [_measured(x[rows], y[rows], r[rows], measures) for rows in _subsets(rng, len(x), n, draws)]
    values = _measured(x[chosen], y[chosen], r[chosen], measures)
    return Within(n, values, {measure: np.array([one[measure] for one in found]) for measure in measures})


def mean_within(of: Sequence[Within], measure: str) -> dict:
    """The mean over several choices of pairs, beside the mean of their draws, as `Within.summary`."""
    value = float(np.mean([one.values[measure] for one in of]))
    return beside(value, np.mean([one.drawn[measure] for one in of], axis=0))


def beside(value: float, drawn: np.ndarray) -> dict:
    """A value beside drawn ones; the interval is over draws."""
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {
        "value": float(value),
        "of_any": float(drawn.mean()),
        "difference": float(value - drawn.mean()),
        "interval": [float(value - high), float(value - low)],
        "p": (1 + int((drawn >= value).sum())) / (1 + len(drawn)),
    }


def _subsets(rng: np.random.Generator, total: int, n: int, draws: int):
    for _ in range(draws):
        yield rng.choice(total, n, replace=False)


def _measured(x: np.ndarray, y: np.ndarray, r: np.ndarray, measures: Sequence[str]) -> dict[str, float]:
    make = {
        "r": lambda: float(r.mean()),
        "svcca": lambda: svcca(x, y, permutations=0).observed,
        "one_component": lambda: svcca(x, y, None, permutations=0).observed,
        "rsa": lambda: rsa(x, y, permutations=0).observed,
    }
    return {measure: round(make[measure](), DIGITS) for measure in measures}
