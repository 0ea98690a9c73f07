"""If SAEs of other seeds disagree, do probes on them? Beside it: how far any probe wavers with its training texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.agreement import probe_agreement
from mosaic.agreement.pairwise import Seeds
from mosaic.errors import MosaicError
from mosaic.features.request import Request
from mosaic.probing.problem import Problem, make_problem
from mosaic.profiles.opening import available, load_model
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.studies.problems import CACHE, load_cut
from mosaic.studies.seeds import base_of, seed_encoders, seeds_of
from mosaic.studies.study import Study

WIDER = 1.5  # times the spread over draws: more than this over seeds, and the answer is no
LOWER = 0.05  # of agreement between draws: less than this below it, and the answer is no


@dataclass(frozen=True)
class ProbesOfSeeds(Study):
    """The same probe on the features of several seeds' SAEs, and on one seed's with the training texts drawn again.

    sets: {title: {"seeds", "draws", "agreement", "top", "kept"}}, as `probes_of_set` gives them. shared_latents: the
    share of an SAE's latents that another seed has, the mean over seeds.
    """

    name: ClassVar[str] = "probes_of_seeds"
    needs: ClassVar[tuple[str, ...]] = ("seeds",)

    n_seeds: int
    pooling: str
    sets: dict[str, dict]
    shared_latents: float

    def summary(self) -> dict:
        mean = over_sets(list(self.sets.values())) | {"shared_latents": self.shared_latents}
        return {
            "n_seeds": self.n_seeds,
            "pooling": self.pooling,
            "sets": self.sets,
            "mean": mean,
            "ratio": spread_ratio(mean),
            "answer": "yes" if probes_agree(mean) else "no",
            "reason": (
                f"over seeds the score moves by {mean['sd_seeds']:.3f}, over training draws by {mean['sd_draws']:.3f}; "
                f"two seeds' probes say the same of {mean['agreement_seeds']:.3f} of the test texts, two draws' of "
                f"{mean['agreement_draws']:.3f}"
            ),
        }

    def figure(self):
        """Macro-F1 of each set, mean and range over seeds."""
        rows = [(title, *(v["seeds"][edge] for edge in ("mean", "low", "high"))) for title, v in self.sets.items()]
        ax = plots.bars(rows, "macro-F1 (test), range over seeds")
        ax.tick_params(axis="x", rotation=20)
        return plots.finished(ax.figure)

    def table(self) -> tables.Html:
        """The spread over seeds beside the spread over draws, and how often two probes predict the same."""
        rows = [
            {
                "set": title,
                "f1": found["seeds"]["mean"],
                "sd": found["seeds"]["sd"],
                "draws": found["draws"]["sd"],
                "agree": found["agreement"]["seeds"],
                "agree_draws": found["agreement"]["draws"],
            }
            for title, found in self.sets.items()
        ]
        columns = {
            "set": "set",
            "f1": "macro-F1",
            "sd": "sd over seeds",
            "draws": "sd over draws",
            "agree": "two seeds say the same",
            "agree_draws": "two draws say the same",
        }
        return tables.table(rows, columns)

    def top_table(self) -> tables.Html:
        """How many of one probe's top latents are among another seed's."""
        columns = {"set": "set", "before": "by number", "after": "by matched partner", "shared": "by shared partner"}
        return tables.table([{"set": title, **found["top"]} for title, found in self.sets.items()], columns)

    def kept_table(self) -> tables.Html:
        """Macro-F1 of probes that see a part of the latents alone."""
        columns = {
            "set": "set",
            "all": "all latents",
            "shared": "shared only",
            "random": "as many at random",
            "orphan": "orphans only",
        }
        return tables.table([{"set": title, **found["kept"]} for title, found in self.sets.items()], columns)


def run(
    profile: str | Profile,
    *,
    pooling: str = "mean",
    n_seeds: int = 5,
    device: str = "cpu",
    cache: Path | None = CACHE,
) -> ProbesOfSeeds:
    """Probe every set of the profile on the features of the base's first `n_seeds` SAEs.

    Raises MosaicError where the profile has no data set.
    """
    profile, base = base_of(profile)
    if not available(profile):
        raise MosaicError(f"profile {profile.name} has no data set that can be had here: there is nothing to probe.")
    rows = base.rows[:n_seeds]
    seeds = seeds_of(profile, rows, device)
    lm = load_model(profile, device)
    request = Request(seed_encoders(profile, lm, rows), (), (pooling,))
    sets = {}
    for choice in available(profile):
        train, test = load_cut(profile, choice.name, choice.language)
        sets[choice.title] = probes_of_set(make_problem(train, test, lm, request, cache), seeds)
    shared = [(seeds.membership(i) > 1).mean() for i in range(len(seeds))]
    return ProbesOfSeeds(profile, len(rows), pooling, sets, float(np.mean(shared)))


def probes_of_set(problem: Problem, seeds: Seeds) -> dict:
    """One set: probes of one strength on every seed's features, and on the first seed's with the texts drawn again.

    problem.tables: one a seed, in the order of `seeds`. The strength is what validation folds choose for the first.
    """
    strength = probe_agreement.chosen_strength(problem)
    by_seed = [probe_agreement.run(problem, seed, strength) for seed in range(len(seeds))]
    by_draw = [probe_agreement.run(problem, 0, strength, draw=draw) for draw in range(len(seeds))]
    kept = probe_agreement.restricted(problem, seeds, strength)
    over_seeds, over_draws = ([probe.macro_f1 for probe in probes] for probes in (by_seed, by_draw))
    return {
        "seeds": {
            "mean": float(np.mean(over_seeds)),
            "low": min(over_seeds),
            "high": max(over_seeds),
            "sd": float(np.std(over_seeds, ddof=1)),
        },
        "draws": {"mean": float(np.mean(over_draws)), "sd": float(np.std(over_draws, ddof=1))},
        "agreement": {"seeds": probe_agreement.agreement(by_seed), "draws": probe_agreement.agreement(by_draw)},
        "top": probe_agreement.top_overlap(by_seed, seeds),
        "kept": {name: _mean(values) for name, values in kept.items()},
    }


def over_sets(sets: Sequence[Mapping]) -> dict:
    """Means over the sets, and what a probe loses that sees shared latents alone (95 %: bootstrap over sets).

    A set that lacks a figure, because no latent is shared or none an orphan, is left out of that figure.
    """

    def mean(part: str, figure: str) -> float | None:
        return _mean([found[part][figure] for found in sets])

    return {
        "f1": mean("seeds", "mean"),
        "sd_seeds": mean("seeds", "sd"),
        "sd_draws": mean("draws", "sd"),
        **{f"agreement_{name}": mean("agreement", name) for name in ("seeds", "draws")},
        **{f"top_{name}": mean("top", name) for name in ("before", "after", "shared")},
        **{f"kept_{name}": mean("kept", name) for name in ("all", "shared", "orphan", "random")},
        "loss": loss_of_orphans([found["kept"] for found in sets]),
    }


def loss_of_orphans(kept: Sequence[Mapping]) -> dict:
    """{difference, interval} of all latents' score less the shared ones' alone, over sets; None where none is shared."""
    loss = [scores["all"] - scores["shared"] for scores in kept if scores["shared"] is not None]
    if not loss:
        return {"difference": None, "interval": None}
    draws = np.random.default_rng(0).choice(loss, (2000, len(loss))).mean(1)
    return {"difference": float(np.mean(loss)), "interval": [float(x) for x in np.quantile(draws, (0.025, 0.975))]}


def spread_ratio(mean: Mapping) -> float | None:
    """The spread over seeds in spreads over draws; None where the draws do not move the score at all."""
    return mean["sd_seeds"] / mean["sd_draws"] if mean["sd_draws"] else None


def probes_agree(mean: Mapping) -> bool:
    """Whether seeds move a probe hardly more than draws of its training texts do: WIDER and LOWER, fixed beforehand."""
    ratio = spread_ratio(mean)
    steady = ratio <= WIDER if ratio is not None else mean["sd_seeds"] == 0
    return steady and mean["agreement_seeds"] >= mean["agreement_draws"] - LOWER


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean of those there are; None where there is none."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
