"""Many SAEs of one setting: how many latents all of them have, how many only one, and what more seeds would find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.agreement.pairwise import Seeds, offset_power_law, over_pairs
from mosaic.agreement.stability import THRESHOLD
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.saes.dictionary import random_dictionary
from mosaic.studies.problems import CACHE
from mosaic.studies.seeds import base_of, ranges, seeds_of
from mosaic.studies.study import Study

THRESHOLDS = (0.5, 0.6, 0.7, 0.8)
SUBSETS = 20  # of each size, drawn at random where there are more
FIT_POINTS = 4  # numbers of seeds that a fit of three parameters needs
# Share of latents in only one of 2 to 9 SAEs (Pythia-160M, 32k latents): arXiv 2501.16615, the authors' notebook.
PUBLISHED = dict(zip(range(2, 10), (0.5831, 0.4843, 0.4359, 0.4061, 0.3854, 0.3700, 0.3579, 0.3481), strict=True))


@dataclass(frozen=True)
class ManySeeds(Study):
    """S SAEs of one setting.

    counts: [S, S], row i: the share of SAE i's latents that are in exactly 1, ..., S of the SAEs. at: the mean row at
    other thresholds. alone: the same of a random dictionary among random ones. only_one: number of SAEs -> share of
    latents that one of them alone has; chance_only_one: of random dictionaries. fit: a S^b + c of it, or None; floors:
    c with one SAE left out at a time. triangles: share that closes, of every triple; chance_triangles: of random ones.
    """

    name: ClassVar[str] = "many_seeds"
    needs: ClassVar[tuple[str, ...]] = ("seeds",)

    counts: np.ndarray
    at: dict[float, np.ndarray]
    alone: np.ndarray
    shared: dict
    only_one: dict[int, float]
    chance_only_one: dict[int, float]
    fit: dict[str, float] | None
    floors: tuple[float, ...]
    triangles: tuple[float, ...]
    chance_triangles: tuple[float, ...]

    @property
    def n_seeds(self) -> int:
        return len(self.counts)

    def summary(self) -> dict:
        mean = self.counts.mean(0)
        return {
            "n_seeds": self.n_seeds,
            "membership": {label: ranges(column) for label, column in self._columns()},
            "only_one": mean[0],
            "all": mean[-1],
            **u_shape(self.counts),
            "shared": self.shared,
            "only_in_one": {str(size): share for size, share in self.only_one.items()},
            "fit": self.fit,
            "floor": self.fit and self.fit["c"],
            "floor_interval": [min(self.floors), max(self.floors)] if self.floors else None,
            "cycle": triangles_record(self.triangles, self.chance_triangles),
        }

    def figure(self):
        """Share of latents in exactly so many SAEs: means over references, whiskers their range."""
        rows = [(label, *ranges(column).values()) for label, column in self._columns()]
        chance = {str(m): share for m, share in enumerate(self.alone, 1)}
        xlabel = f"in exactly so many of {self.n_seeds} SAEs"
        return plots.finished(plots.bars(rows, "share of latents", xlabel, chance, of="shared").figure)

    def at_thresholds(self):
        """The same shares at other thresholds, one line each."""
        values = np.array(list(self.at.values()))
        labels = [label for label, _ in self._columns()]
        return plots.finished(plots.heatmap(values, [f"{t}" for t in self.at], labels, "share of latents").figure)

    def more_seeds(self):
        """The share in only one SAE as more are compared, its fit (on to twice as many), chance, the published values."""
        series = {"this run": self.only_one, "chance: random dictionaries": self.chance_only_one}
        if self.fit:
            series["fit"] = {
                s: self.fit["a"] * s ** self.fit["b"] + self.fit["c"] for s in range(2, 2 * self.n_seeds + 1)
            }
        series["published (Pythia-160M, 32k)"] = PUBLISHED
        return plots.finished(plots.steps(series, "SAEs compared", "share of latents in only one").figure)

    def table(self) -> tables.Html:
        """Triangles of decoder partners that close, beside chance. Without a row where there are two SAEs."""
        trained = {"what": "trained SAEs", "triples": len(self.triangles)}
        chance = {"what": "chance (random dictionaries)", "triples": len(self.chance_triangles)}
        if self.triangles:
            trained |= ranges(self.triangles)
            chance["mean"] = float(np.mean(self.chance_triangles))
        columns = {"what": "", "mean": "triangles that close", "low": "lowest", "high": "highest", "triples": "triples"}
        return tables.table([trained, chance], columns)

    def _columns(self) -> list[tuple[str, np.ndarray]]:
        """("3", the share in exactly three SAEs, one value a reference), for every number of SAEs."""
        return [(str(m), column) for m, column in enumerate(self.counts.T, 1)]


def run(profile: str | Profile, *, device: str = "cpu", cache: Path | None = CACHE) -> ManySeeds:
    """Match all pairs of the base's seeds, and as many random dictionaries. cache: not used, nothing is extracted."""
    profile, base = base_of(profile)
    seeds = seeds_of(profile, base.rows, device)
    n = len(seeds)
    random = Seeds.of([random_dictionary(seeds.dictionaries[0], i) for i in range(n)], device)
    sizes = range(2, n + 1)
    only_one = only_in_one(seeds, sizes, range(n))
    return ManySeeds(
        profile,
        counts=membership_counts(seeds),
        at={threshold: membership_counts(seeds, threshold).mean(0) for threshold in THRESHOLDS},
        alone=membership_counts(random)[0],
        shared=over_pairs(seeds, lambda pair: pair.shared().sum() / pair.n),
        only_one=only_one,
        chance_only_one={size: random.only_in_one(range(size)) for size in sizes},
        fit=offset_power_law(list(only_one), list(only_one.values())) if len(only_one) >= FIT_POINTS else None,
        floors=tuple(floors_without_one(seeds)),
        triangles=tuple(seeds.cycle(*triple) for triple in combinations(range(n), 3)),
        chance_triangles=tuple(random.cycle(*triple) for triple in combinations(range(n), 3)),
    )


def membership_counts(seeds: Seeds, threshold: float = THRESHOLD) -> np.ndarray:
    """[S, S]: row i has the share of SAE i's latents that are in exactly 1, 2, ..., S of the SAEs."""
    n = len(seeds)
    return np.array(
        [
            np.bincount(seeds.membership(i, threshold), minlength=n + 1)[1:] / len(seeds.dictionaries[i])
            for i in range(n)
        ]
    )


def u_shape(counts: np.ndarray) -> dict:
    """How far the smaller end of the membership counts stands above the bottom between them.

    counts: [references, S]. difference: of the mean over references; interval: the range, a reference at a time. With
    two SAEs nothing lies between, and every figure is None.
    """
    if counts.shape[1] < 3:
        return {"lowest_between": None, "u_shape": {"difference": None, "interval": None}}
    mean = counts.mean(0)
    each = [above_bottom(reference) for reference in counts]
    return {
        "lowest_between": mean[1:-1].min(),
        "u_shape": {"difference": above_bottom(mean), "interval": [min(each), max(each)]},
    }


def above_bottom(shares: np.ndarray) -> float:
    """min(first, last) - min(between): above 0 where the shares have the shape of a U."""
    return min(shares[0], shares[-1]) - shares[1:-1].min()


def subsets(among: Sequence[int], size: int) -> list[tuple[int, ...]]:
    """SUBSETS of so many SAEs, drawn at random; all of them where there are fewer."""
    every = list(combinations(among, size))
    return [every[i] for i in np.random.default_rng(size).permutation(len(every))[:SUBSETS]]


def only_in_one(seeds: Seeds, sizes: Sequence[int], among: Sequence[int]) -> dict[int, float]:
    """{number of SAEs: share of latents that one of them alone has}, the mean over `subsets`."""
    return {size: float(np.mean([seeds.only_in_one(part) for part in subsets(among, size)])) for size in sizes}


def floors_without_one(seeds: Seeds) -> list[float]:
    """The fitted floor c with one SAE left out at a time: how much it hangs on which were trained. Empty for few SAEs."""
    n = len(seeds)
    sizes = range(2, n)
    if len(sizes) < FIT_POINTS:
        return []
    floors = []
    for left_out in range(n):
        shares = only_in_one(seeds, sizes, [i for i in range(n) if i != left_out])
        floors.append(offset_power_law(list(shares), list(shares.values()))["c"])
    return floors


def triangles_record(triangles: Sequence[float], chance: Sequence[float]) -> dict:
    """{mean, low, high, chance}; None throughout where there is no triple."""
    if not triangles:
        return dict.fromkeys(("mean", "low", "high", "chance"))
    return {**ranges(triangles), "chance": float(np.mean(chance))}
