"""Intervals for what several SAEs have in common: over SAEs, and over their latents.

The SAE is the independent unit: one seed makes all its latents, and S SAEs give S (S - 1) / 2 pairs that are not
independent. So figures are jackknifed over SAEs: each is left out in turn, with every pair it stands in, and

    se^2 = (S - 1) / S  sum_i (theta_(-i) - mean theta_(-.))^2,

which is above the variance on average (Efron and Stein, 1981, doi 10.1214/aos/1176345462), with Student's t of S - 1
degrees of freedom. What SAEs would other seeds have given? That is the question it answers.

The other question, what other latents there might have been in these SAEs, is answered by a bootstrap over families: a
latent that several SAEs share stands in the figures several times, so a family, whole, is drawn or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
DRAWS = 2000
AT_ONCE = 2_000_000  # numbers of a bootstrap held at a time


@dataclass(frozen=True)
class Estimate:
    """A figure, its standard error over SAEs and the degrees of freedom of that; both None where none can be had."""

    value: float
    se: float | None = None
    df: float | None = None

    def interval(self, level: float = LEVEL) -> list[float] | None:
        """[low, high] by Student's t."""
        from scipy.stats import t

        if self.se is None:
            return None
        reach = float(t.ppf(0.5 + level / 2, self.df)) * self.se if self.se else 0.0
        return [self.value - reach, self.value + reach]

    def share_interval(self) -> list[float] | None:
        """The same of a share, or of best partners' cosines: within 0 and 1."""
        interval = self.interval()
        return interval and [max(0.0, interval[0]), min(1.0, interval[1])]


def jackknife(value: float, left_out: Sequence[float | None]) -> Estimate:
    """A figure of S SAEs from its values with each of them left out; without an error where those do not exist."""
    n = len(left_out)
    if n < 3 or any(one is None for one in left_out):
        return Estimate(value)
    without = np.asarray(left_out, dtype=float)
    return Estimate(value, float(np.sqrt((n - 1) / n * np.sum((without - without.mean()) ** 2))), n - 1)


def pair_mean(values: Mapping[tuple[int, int], float]) -> Estimate:
    """The mean of a figure over all pairs (i, j) of S SAEs, jackknifed: an SAE goes with all its pairs."""
    ids = sorted({i for pair in values for i in pair})
    without = [[value for pair, value in values.items() if i not in pair] for i in ids]
    return jackknife(
        float(np.mean(list(values.values()))), [float(np.mean(rest)) if rest else None for rest in without]
    )


def linear(terms: Sequence[tuple[float, Estimate]]) -> Estimate:
    """sum_t c_t x_t of independent figures (SAEs of different settings); degrees of freedom by Welch and Satterthwaite.

    Each figure may stand once: what stands twice is one figure, with the sum of its weights.
    """
    value = float(sum(weight * one.value for weight, one in terms))
    terms = [(weight, one) for weight, one in terms if weight]
    if any(one.se is None for _, one in terms):
        return Estimate(value)
    parts = np.array([(weight * one.se) ** 2 for weight, one in terms])
    df = np.array([one.df for _, one in terms])
    if not parts.sum():
        return Estimate(value, 0.0, float(df.min()))
    return Estimate(value, float(np.sqrt(parts.sum())), float(parts.sum() ** 2 / np.sum(parts**2 / df)))


def least(differences: Sequence[Estimate]) -> dict:
    """Are all of these above 0? {difference, interval} of the least of them.

    The interval lies above 0 only where each of theirs does, and below 0 only where one of theirs does: [least of the
    lower edges, least of the upper edges], each at a level that is right for all of them together (Bonferroni).
    """
    smallest = min(one.value for one in differences)
    edges = [one.interval(1 - (1 - LEVEL) / len(differences)) for one in differences]
    return {"difference": smallest, "interval": least_edges(edges)}


def least_edges(edges: Sequence[Sequence[float] | None]) -> list[float] | None:
    """[least lower edge, least upper edge]; None where an interval is missing."""
    if any(edge is None for edge in edges):
        return None
    return [min(low for low, _ in edges), min(high for _, high in edges)]


def widest(*intervals: Sequence[float] | None) -> list[float] | None:
    """From the lowest to the highest edge of several intervals; None where one is missing."""
    if any(interval is None for interval in intervals):
        return None
    return [float(min(low for low, _ in intervals)), float(max(high for _, high in intervals))]


def quantiles(draws: np.ndarray, level: float = LEVEL) -> list[float] | None:
    """[low, high] of draws; those that are no number (a draw without the latents it needs) are left out."""
    known = draws[np.isfinite(draws)]
    if not len(known):
        return None
    return [float(x) for x in np.quantile(known, ((1 - level) / 2, (1 + level) / 2))]


def resampled_sums(family: np.ndarray, columns: np.ndarray, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """[draws, C]: sums of `columns` over latents, families drawn with replacement. family: [n]; columns: [n, C]."""
    _, number = np.unique(family, return_inverse=True)
    n_families = int(number.max()) + 1
    sums = np.stack([np.bincount(number, column, n_families) for column in np.asarray(columns, float).T], axis=1)
    # Families of equal sums are alike: how many of each kind are drawn is all that counts.
    kinds, times = np.unique(sums, axis=0, return_counts=True)
    generator = np.random.default_rng(seed)
    step = max(1, AT_ONCE // len(kinds))
    sizes = [min(step, draws - start) for start in range(0, draws, step)]
    return np.concatenate([generator.multinomial(n_families, times / n_families, size) @ kinds for size in sizes])


def resampled_means(
    values: np.ndarray, groups: Sequence[np.ndarray], family: np.ndarray, draws: int = DRAWS
) -> np.ndarray:
    """[draws, G]: mean of `values` in each group of latents, all groups from one draw of families; NaN where it drew none.

    values: [n]; groups: G masks [n] of latents that have a value.
    """
    member = np.stack(groups, axis=1).astype(float)
    n_groups = member.shape[1]
    sums = resampled_sums(family, np.concatenate([np.nan_to_num(values)[:, None] * member, member], axis=1), draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[:, :n_groups] / sums[:, n_groups:]
