"""If SAEs of other seeds disagree, do probes on them? Beside it: how far any probe wavers with its training texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.agreement import probe_agreement
from mosaic.agreement.pairwise import Seeds
from mosaic.agreement.probe_agreement import TOP, Pairs, ProbeRun
from mosaic.errors import MosaicError
from mosaic.features.request import Request
from mosaic.probing.problem import Problem, make_problem
from mosaic.profiles.opening import available, load_model
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.reporting.results import NOT_MEASURED
from mosaic.studies.probe_spread import Figures, kept_less, kept_sentence, mean_pairs, spread, top_sentence
from mosaic.studies.problems import CACHE, load_cut
from mosaic.studies.seeds import base_of, seed_encoders, seeds_of
from mosaic.studies.study import Study
from mosaic.studies.wording import read_here
from mosaic.texts.labelled import NEW

KINDS = ("all", "shared", "random", "orphan")


@dataclass(frozen=True)
class SetProbes:
    """The probes on one set. by_seed: one a seed; by_draw: the first seed's, its training texts drawn again. kept: {kind of
    latents: one a seed, or None}. top: overlaps of top latents, by pair of seeds. parts: {part: its test rows}."""

    by_seed: tuple[ProbeRun, ...]
    by_draw: tuple[ProbeRun, ...]
    kept: dict[str, list[ProbeRun | None]]
    top: dict[str, Pairs]
    parts: dict[str, np.ndarray]

    def figures(self, part: str) -> Figures:
        rows = self.parts[part]
        return Figures(
            *(np.array([probe.scores[part] for probe in probes]) for probes in (self.by_seed, self.by_draw)),
            *(probe_agreement.agreement(probes, rows) for probes in (self.by_seed, self.by_draw)),
        )

    def kept_scores(self, part: str) -> dict[str, list[float | None]]:
        """{kind of latents: macro-F1, one a seed}."""
        return {kind: [probe and probe.scores[part] for probe in probes] for kind, probes in self.kept.items()}


@dataclass(frozen=True)
class ProbesOfSeeds(Study):
    """The same probe on the features of several seeds' SAEs, and on one seed's with the training texts drawn again.

    rows: of the SAEs' card. sets: by title. shared_latents: the share of an SAE's latents that another seed has, the mean over
    seeds. The headline is each set's first part (familiar words, or the whole).
    """

    name: ClassVar[str] = "probes_of_seeds"
    needs: ClassVar[tuple[str, ...]] = ("seeds",)

    rows: tuple[dict, ...]
    pooling: str
    sets: dict[str, SetProbes]
    shared_latents: float

    @property
    def n_seeds(self) -> int:
        return len(self.rows)

    def summary(self) -> dict:
        sets = list(self.sets.values())
        first = [next(iter(one.parts)) for one in sets]
        found = spread([one.figures(part) for one, part in zip(sets, first, strict=True)])
        new = [one.figures(NEW) for one in sets if NEW in one.parts]
        new = spread(new) if new else None
        kept = [one.kept_scores(part) for one, part in zip(sets, first, strict=True)]
        means = {kind: _mean([_mean(one[kind]) for one in kept]) for kind in KINDS}
        less = {
            "shared_less_all": kept_less(kept, "shared", "all"),
            "shared_less_random": kept_less(kept, "shared", "random"),
            "orphan_less_shared": kept_less(kept, "orphan", "shared"),
        }
        top = {name: mean_pairs([one.top[name] for one in sets]) for name in ("before", "after", "shared")}
        same = mean_pairs([one.figures(part).same_seeds for one, part in zip(sets, first, strict=True)])
        return {
            "n_seeds": self.n_seeds,
            "n_draws": len(sets[0].by_draw),
            "pooling": self.pooling,
            "sets": {title: set_record(one) for title, one in self.sets.items()},
            "mean": {
                **{key: found[key] for key in MEANS},
                **{f"top_{name}": _mean(list(pairs.values())) for name, pairs in top.items()},
                **{f"kept_{kind}": means[kind] for kind in KINDS},
                "shared_latents": self.shared_latents,
            },
            "kept": less,
            "ratio": found["ratio"],
            "lower": found["lower"],
            "answer": found["answer"],
            "reason": found["reason"],
            "new_words": new,
            "sentences": {
                "read": read_here(self.rows),
                "answer": answer_sentence(found),
                "new_words": new_words_sentence(new),
                "top": top_sentence(top, same, TOP),
                "kept": kept_sentence(means, less),
            },
        }

    def figure(self):
        """Macro-F1 of each set, mean and range over seeds."""
        rows = []
        for title, one in self.sets.items():
            scores = [probe.macro_f1 for probe in one.by_seed]
            rows.append((title, float(np.mean(scores)), min(scores), max(scores)))
        ax = plots.bars(rows, "macro-F1 (test), range over seeds")
        for name in ax.get_xticklabels():
            name.set(rotation=40, ha="right", rotation_mode="anchor")
        return plots.finished(ax.figure)

    def table(self) -> tables.Html:
        """The spread over seeds beside the spread over draws, and how often two probes predict the same, part by part."""
        rows = []
        for title, one in self.sets.items():
            for part in one.parts:
                found = part_record(one.figures(part))
                sds = {key: f"{found[key]:.4f}" for key in ("sd_seeds", "sd_draws")}
                rows.append({"set": title, "part": part, **found, **sds})
        columns = {
            "set": "set",
            "part": "part of the test set",
            "f1": "macro-F1",
            "sd_seeds": "sd over seeds",
            "sd_draws": "sd over draws",
            "agreement_seeds": "two seeds say the same",
            "agreement_draws": "two draws say the same",
        }
        return tables.table(rows, columns)

    def top_table(self) -> tables.Html:
        """How many of one probe's top latents are among another seed's."""
        columns = {"set": "set", "before": "by number", "after": "by matched partner", "shared": "by shared partner"}
        rows = [
            {"set": title, **{name: _mean(list(pairs.values())) for name, pairs in one.top.items()}}
            for title, one in self.sets.items()
        ]
        return tables.table(rows, columns)

    def kept_table(self) -> tables.Html:
        """Macro-F1 of probes that see a part of the latents alone, part by part of the test set."""
        columns = {
            "set": "set",
            "part": "part of the test set",
            "all": "all latents",
            "shared": "shared only",
            "random": "as many at random",
            "orphan": "orphans only",
        }
        rows = [
            {"set": title, "part": part, **{kind: _mean(values) for kind, values in one.kept_scores(part).items()}}
            for title, one in self.sets.items()
            for part in one.parts
        ]
        return tables.table(rows, columns)


MEANS = ("f1", "sd_seeds", "sd_draws", "agreement_seeds", "agreement_draws")


def run(
    profile: str | Profile,
    *,
    pooling: str = "mean",
    n_seeds: int = 8,
    n_draws: int = 8,
    device: str = "cpu",
    cache: Path | None = CACHE,
) -> ProbesOfSeeds:
    """Probe every set of the profile on the features of the base's first `n_seeds` SAEs, and on `n_draws` draws of its texts.

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
        sets[choice.title] = probes_of_set(make_problem(train, test, lm, request, cache), seeds, n_draws)
    shared = [(seeds.membership(i) > 1).mean() for i in range(len(seeds))]
    return ProbesOfSeeds(profile, tuple(rows), pooling, sets, float(np.mean(shared)))


def probes_of_set(problem: Problem, seeds: Seeds, n_draws: int) -> SetProbes:
    """One set: probes of one strength on every seed's features, and on the first seed's with the texts drawn again.

    problem.tables: one a seed, in the order of `seeds`. The strength is what validation folds choose for the first.
    """
    strength = probe_agreement.chosen_strength(problem)
    kept = probe_agreement.restricted(problem, seeds, strength)
    by_seed = kept["all"]
    by_draw = [probe_agreement.run(problem, 0, strength, draw=draw) for draw in range(n_draws)]
    top = probe_agreement.top_overlap(by_seed, seeds)
    return SetProbes(tuple(by_seed), tuple(by_draw), kept, top, problem.test.part_rows())


def set_record(one: SetProbes) -> dict:
    """What is recorded of one set: its parts, its top latents, its kinds of latents (first part)."""
    first = next(iter(one.parts))
    return {
        "parts": {part: part_record(one.figures(part)) for part in one.parts},
        "top": {name: _mean(list(pairs.values())) for name, pairs in one.top.items()},
        "kept": {kind: _mean(values) for kind, values in one.kept_scores(first).items()},
    }


def part_record(figures: Figures) -> dict:
    """{f1, low, high, seeds, sd_seeds, sd_draws, agreement_seeds, agreement_draws} of one part; low, high: range over seeds."""
    found = spread([figures])
    scores = [float(score) for score in figures.seeds]
    return {"low": min(scores), "high": max(scores), "seeds": scores, **{key: found[key] for key in MEANS}}


def new_words_sentence(found: Mapping | None) -> str:
    """The same answer on the parts of the test sets that are in new words."""
    if found is None:
        return f"In new words: {NOT_MEASURED}."
    return f"In new words the answer is {answer_sentence(found)}"


def answer_sentence(found: Mapping) -> str:
    """The answer, which goes on from "the answer is", and its reason."""
    return f"{found['answer']}. {found['reason'][0].upper()}{found['reason'][1:]}."


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean of those there are; None where there is none."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
