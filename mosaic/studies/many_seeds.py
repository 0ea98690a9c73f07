"""Many SAEs of one setting: how many latents all of them have, how many only one, and what more seeds would find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.agreement import floor
from mosaic.agreement.pairwise import Seeds, over_pairs, recorded
from mosaic.agreement.presence import Presence, only_in_one
from mosaic.agreement.resampling import jackknife, quantiles, widest
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, published, tables
from mosaic.reporting.beside import beside_published
from mosaic.reporting.results import NOT_MEASURED, shown
from mosaic.saes.dictionary import random_dictionary
from mosaic.studies import many_seeds_slider
from mosaic.studies.problems import CACHE
from mosaic.studies.seeds import base_of, seeds_of
from mosaic.studies.shapes import floor_record, floor_sentence, u_sentence, u_shape
from mosaic.studies.study import Study
from mosaic.studies.wording import between, read_here

THRESHOLDS = (0.5, 0.6, 0.7, 0.8)


@dataclass(frozen=True)
class ManySeeds(Study):
    """S SAEs of one setting.

    rows: of their card. presence: in which of them each latent is. at: shares of latents in exactly 1, ..., S of them at
    other thresholds. alone: the same of a random dictionary among random ones. shared: the shared fraction over pairs.
    triangles: the share of latents whose partners close, of every triple (i, j, k) of SAEs; chance_triangles: of random ones.
    by_threshold: (of the SAEs, of random dictionaries) at every threshold, for the slider alone.
    """

    name: ClassVar[str] = "many_seeds"
    needs: ClassVar[tuple[str, ...]] = ("seeds",)

    rows: tuple[dict, ...]
    presence: Presence
    at: dict[float, np.ndarray]
    alone: np.ndarray
    shared: dict
    triangles: dict[tuple[int, int, int], float]
    chance_triangles: dict[tuple[int, int, int], float]
    by_threshold: tuple[many_seeds_slider.Shares, ...] = ()

    @property
    def n_seeds(self) -> int:
        return len(self.presence)

    @cached_property
    def floor(self) -> dict:
        """Both fits of the share in only one SAE, with intervals."""
        return floor_record(self.presence)

    def summary(self) -> dict:
        shares, shape, fitted = self.presence.shares, u_shape(self.presence), self.floor
        cycle = closing(self.triangles, self.chance_triangles, self.n_seeds)
        return {
            "n_seeds": self.n_seeds,
            "membership": membership_record(self.presence),
            "only_one": shares[0],
            "all": shares[-1],
            "u_shape": shape,
            "shared": self.shared,
            "only_in_one": {str(size): share for size, share in only_in_one(shares).items()},
            "floor": fitted,
            "cycle": cycle,
            "sentences": {
                "read": read_here(self.rows),
                "shape": u_sentence(shape, self.n_seeds),
                "floor": floor_sentence(fitted),
                "triangles": triangle_sentence(cycle),
            },
        }

    def figure(self):
        """Share of latents in exactly so many SAEs, bands 95 %, random dictionaries; beside it the published counts."""
        found = membership_record(self.presence)
        here = [(m, one["mean"], *(one["interval"] or (one["mean"], one["mean"]))) for m, one in found.items()]
        chance = [(str(m), share, share, share) for m, share in enumerate(self.alone, 1)]
        series = {"this run": here, "chance: random dictionaries": chance}
        counts = published.series("seeds.membership.count")
        known = {m: counts[m] / sum(counts.values()) for m in sorted(counts)}
        labels = ("nine SAEs of Pythia-160M", "in exactly so many SAEs", "share of latents")
        return plots.finished(beside_published(series, known, *labels))

    def at_thresholds(self):
        """The same shares at other thresholds, one line each."""
        values = np.array(list(self.at.values()))
        labels = [str(m) for m in range(1, self.n_seeds + 1)]
        ax = plots.heatmap(values, [f"{t}" for t in self.at], labels, "share of latents")
        ax.set(xlabel="in exactly so many SAEs", ylabel="threshold")
        return plots.finished(ax)

    def threshold_slider(self) -> tables.Html:
        """Latents that all SAEs have and that only one has, as the threshold moves."""
        return many_seeds_slider.slider(*self.by_threshold)

    def more_seeds(self):
        """The share in only one SAE as more are compared, both fits (on to twice as many), chance, the published values."""
        series = {"this run": only_in_one(self.presence.shares), "chance: random dictionaries": only_in_one(self.alone)}
        for name, fit in {"fit, free floor": self.floor["fit"], "fit, no floor": self.floor["without"]}.items():
            if fit:
                series[name] = {s: floor.at(fit, s) for s in range(2, 2 * self.n_seeds + 1)}
        series["published (Pythia-160M, 32k)"] = published.series("seeds.only_in_one")
        return plots.finished(plots.steps(series, "SAEs compared", "share of latents in only one").figure)

    def table(self) -> tables.Html:
        """Triangles of decoder partners that close, beside chance. Without a row where there are two SAEs."""
        found = closing(self.triangles, self.chance_triangles, self.n_seeds)
        trained = {"what": "trained SAEs", "triples": len(self.triangles)}
        chance = {"what": "chance (random dictionaries)", "triples": len(self.chance_triangles)}
        if self.triangles:
            trained |= {"mean": found["mean"], "interval": shown([found["low"], found["high"]])}
            chance["mean"] = found["chance"]
        columns = {"what": "", "mean": "triangles that close", "interval": "95 % over SAEs", "triples": "triples"}
        return tables.table([trained, chance], columns)


def run(profile: str | Profile, *, device: str = "cpu", cache: Path | None = CACHE) -> ManySeeds:
    """Match all pairs of the base's seeds, and as many random dictionaries. cache: not used, nothing is extracted."""
    profile, base = base_of(profile)
    seeds = seeds_of(profile, base.rows, device)
    n = len(seeds)
    random = Seeds.of([random_dictionary(seeds.dictionaries[0], i) for i in range(n)], device)
    triples = list(combinations(range(n), 3))
    return ManySeeds(
        profile,
        rows=tuple(base.rows),
        presence=Presence.of(seeds),
        at={threshold: Presence.of(seeds, threshold).shares for threshold in THRESHOLDS},
        alone=Presence.of(random).shares,
        shared=over_pairs(seeds, lambda pair: pair.shared().sum() / pair.n),
        triangles={triple: seeds.cycle(*triple) for triple in triples},
        chance_triangles={triple: random.cycle(*triple) for triple in triples},
        by_threshold=tuple(map(many_seeds_slider.by_threshold, (seeds, random))),
    )


def membership_record(presence: Presence) -> dict[str, dict]:
    """{"m": {mean, low, high, interval}}: the share in exactly m SAEs. low and high: the range over references; interval:
    95 %, over references and over latents, whichever reaches farther (an SAE that leaves would change m itself)."""
    counts, draws = presence.counts, presence.resampled_shares()
    return {
        str(m): {
            "mean": float(column.mean()),
            "low": float(column.min()),
            "high": float(column.max()),
            "interval": widest(over_references(column), quantiles(draws[:, m - 1])),
        }
        for m, column in enumerate(counts.T, 1)
    }


def over_references(column: np.ndarray) -> list[float] | None:
    """95 % of a mean over reference SAEs, within 0 and 1, from how far they differ; None for two."""
    total, n = column.sum(), len(column)
    return jackknife(float(column.mean()), [(total - one) / (n - 1) for one in column]).share_interval()


def closing(triangles: Mapping[tuple, float], chance: Mapping[tuple, float], n_seeds: int) -> dict:
    """{mean, low, high, chance}: triangles that close, 95 % over SAEs (None for three); all None where there is no triple."""
    if not triangles:
        return dict.fromkeys(("mean", "low", "high", "chance"))
    without = [_mean([value for triple, value in triangles.items() if i not in triple]) for i in range(n_seeds)]
    found = recorded(jackknife(_mean(list(triangles.values())), without))
    return {edge: found[edge] for edge in ("mean", "low", "high")} | {"chance": _mean(list(chance.values()))}


def triangle_sentence(cycle: Mapping) -> str:
    """How many triangles close, against chance."""
    if cycle["mean"] is None:
        return f"Two SAEs make no triangle: {NOT_MEASURED}."
    edges = None if cycle["low"] is None else [cycle["low"], cycle["high"]]
    above = (cycle["mean"] if edges is None else edges[0]) > cycle["chance"]
    told = "far from all, but more than chance" if above else "no more than chance"
    if above and (cycle["mean"] if edges is None else edges[1]) > 0.9:
        told = "nearly all, and more than chance"
    return f"Of the triangles of decoder partners {shown(cycle['mean'])} close ({between(edges)}), {told} ({shown(cycle['chance'])})."


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None
