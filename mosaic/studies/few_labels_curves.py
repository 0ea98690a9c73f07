"""Learning curves over sets: levels, differences of two ways at the same rates, and from which rate more labels add little.

One resample draws test texts (whole groups), draws of labelled texts, and sets; the same for every way, so that a difference
is of pairs. Draws of different rates and sets are independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mosaic.probing import scores
from mosaic.probing.scores import Difference, Mean
from mosaic.studies.few_labels_draws import OnSet, Reached
from mosaic.studies.few_labels_ways import STRENGTH

FEW = 0.1  # of the labels, or fewer: "few labels"
NEARLY = 0.02  # of macro-F1: the first paper's baselines, trained again, move by .017 on average


@dataclass(frozen=True)
class Every:
    """The least of several differences, each with its interval. Above zero where all intervals are, below where one is.

    rate: the one of the least difference. interval: from the lowest lower end to the lowest upper end.
    """

    rate: float
    difference: float
    interval: tuple[float, float]

    def summary(self) -> dict:
        return {"rate": self.rate, "difference": self.difference, "interval": list(self.interval)}


@dataclass(frozen=True)
class Curves:
    """sets: {way: {rate: what it reached}} of each set."""

    sets: Sequence[Mapping[str, Mapping[float, Reached]]]

    @property
    def rates(self) -> list[float]:
        return list(next(iter(self.sets[0].values())))

    def level(self, way: str, rate: float) -> Mean:
        """Mean over the sets; the interval is over test texts and draws, on these very sets, and within 0 and 1."""
        found = [one[way][rate] for one in self.sets]
        ends = np.quantile(np.mean([one.resampled for one in found], axis=0), [0.025, 0.975])
        low, high = np.clip(ends, 0, 1)  # the weights of draws are spread, and reach beyond it
        return Mean(float(np.mean([one.observed for one in found])), low.item(), high.item())

    def difference(self, first: str, second: str, rates: Sequence[float]) -> Difference:
        """first minus second, mean over rates and sets; the interval is over texts, draws and sets."""
        return self._over_sets([[_minus(one[first][rate], one[second][rate]) for rate in rates] for one in self.sets])

    def growth(self, way: str, rate: float, full: float = 1.0) -> Difference:
        """What a way has at one rate minus what it has at the full one, mean over sets."""
        return self._over_sets([[_minus(one[way][rate], one[way][full])] for one in self.sets])

    def every(self, first: str, second: str) -> Every:
        """The least difference over all rates."""
        found = {rate: self.difference(first, second, [rate]) for rate in self.rates}
        least = min(found, key=lambda rate: found[rate].difference)
        ends = (min(d.low for d in found.values()), min(d.high for d in found.values()))
        return Every(least, found[least].difference, ends)

    def enough(self, way: str) -> float:
        """The smallest rate from which on the way is within NEARLY of all labels, the whole interval of the difference
        above -NEARLY at it and at every larger rate."""
        found = 1.0
        for rate in sorted(self.rates, reverse=True):
            if rate < 1 and self.growth(way, rate).low <= -NEARLY:
                break
            found = rate
        return found

    def _over_sets(self, cells: Sequence[Sequence[Reached]]) -> Difference:
        """Mean of cells [sets][rates]."""
        return scores._difference(*self._resampled(cells))

    def resampled(self, first: str, second: str, rate: float) -> tuple[float, np.ndarray]:
        """(first minus second at one rate, mean over sets; the same in every resample)."""
        return self._resampled([[_minus(one[first][rate], one[second][rate])] for one in self.sets])

    @staticmethod
    def _resampled(cells: Sequence[Sequence[Reached]]) -> tuple[float, np.ndarray]:
        by_set = np.stack([np.mean([cell.resampled for cell in of], axis=0) for of in cells], axis=1)
        weights = scores.draw_weights(len(cells), np.random.default_rng(scores.RESAMPLES))
        observed = float(np.mean([[cell.observed for cell in of] for of in cells]))
        return observed, (by_set * weights).sum(axis=1)


class OverRates:
    """What a study has whose sets were probed at several shares of the labels. sets: what every way reached on each."""

    sets: Sequence[OnSet]

    @cached_property
    def first(self) -> Curves:
        """On the first part of each test."""
        return Curves([one.reached(seed=i) for i, one in enumerate(self.sets)])

    @property
    def rates(self) -> list[float]:
        return self.first.rates

    @property
    def few(self) -> list[float]:
        return [rate for rate in self.rates if rate <= FEW]

    @property
    def n_labels(self) -> dict[float, list[int]]:
        return {rate: [one.n_labels[rate] for one in self.sets] for rate in self.rates}

    @property
    def n_draws(self) -> int:
        return max(len(of) for way in self.sets[0].predicted[STRENGTH].values() for of in way.values())


def _minus(a: Reached, b: Reached) -> Reached:
    return Reached(a.observed - b.observed, a.resampled - b.resampled)
