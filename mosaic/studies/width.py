"""Which width? SAEs of one layer and several widths, everything else alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mosaic.errors import MosaicError
from mosaic.probing import comparison
from mosaic.probing.scores import RESAMPLES
from mosaic.probing.selection import Result
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, published, tables
from mosaic.reporting.results import shown
from mosaic.reporting.strips import strips
from mosaic.studies import leads, paper_values
from mosaic.studies.leads import Choice, OneSet
from mosaic.studies.problems import CACHE, opened, problems
from mosaic.studies.study import Study
from mosaic.texts.labelled import NEW

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PUBLISHED_WIDTHS = ("16k", "65k")
BAND = 0.02  # of the claim `width-does-not-matter`: a median within it is no difference


@dataclass(frozen=True)
class Median:
    """The median of paired differences. low, high: 95 % over sets, each drawn with all its pairs; None for a single set."""

    median: float
    low: float | None
    high: float | None
    mean: float
    n_pairs: int


@dataclass(frozen=True)
class Width(Study):
    """D = F(w') - F(w): macro-F1 on test of the next wider SAE minus that of width w, same set, layer and pooling.

    n_latents: {width: of its SAE}, ascending. rows: one a set and width, with the pooling that validation chose. choice:
    the width that validation chooses for all sets, and its lead on test. differences: {set: D of every pooling and
    neighbouring pair of widths}; median: of all of them.
    """

    name: ClassVar[str] = "width"
    needs: ClassVar[tuple[str, ...]] = ("widths",)

    n_latents: dict[str, int]
    rows: tuple[dict, ...]
    choice: Choice
    differences: dict[str, dict[str, list[float]]]
    median: Median

    def summary(self) -> dict:
        return {
            "layer": self.profile.middle,
            "n_latents": self.n_latents,
            "sets": {
                title: {row["width"]: _without_set(row) for row in self.rows if row["set"] == title}
                for title in self.differences
            },
            "mean": leads.mean_of(self.rows, "width"),
            "mean_new_words": leads.mean_of(self.rows, "width", NEW),
            "choice": self.choice.summary(),
            "median_difference": self.median.median,
            "median_interval": None if self.median.low is None else [self.median.low, self.median.high],
            "mean_difference": self.median.mean,
            "n_pairs": self.median.n_pairs,
            "differences": self.differences,
            "n_sets": len(self.differences),
            "sentences": self.sentences(),
        }

    def sentences(self) -> dict[str, str]:
        """What the numbers say, chosen by them."""
        return {
            "answer": answer(self.median, list(self.n_latents)),
            "choice": leads.sentence("width", self.choice),
            "new_words": leads.new_words_sentence("width", self.choice),
        }

    def figure(self) -> Figure:
        """Scores against width, one panel a set; each width with the pooling that validation chose for it. Hollow marks are
        what the paper published of the same task, every pooling."""
        panels = {
            title: {
                "sae": [
                    (row["width"], row["macro_f1"], row["low"], row["high"]) for row in self.rows if row["set"] == title
                ],
                **paper_values.by_width(title),
            }
            for title in self.differences
        }
        return plots.finished(plots.panels(panels, "width (latents)"))

    def pairs_figure(self) -> Figure:
        """Every pair's difference: this run's, a line a step of widths, and the published ones."""
        groups = {f"{step} ({self.profile.name})": values for step, values in self._by_step().items()}
        first, second = PUBLISHED_WIDTHS
        groups[f"published, Gemma 2: {first} to {second}"] = published_differences()
        return plots.finished(strips(groups, "macro-F1 (test), wider minus narrower"))

    def table(self) -> tables.Html:
        """Means over the sets, width by width; the width that validation chose is marked."""
        parts = leads.table_parts(self.rows)
        means = {column: leads.mean_of(self.rows, "width", part) for column, (_, part) in parts.items()}
        rows = [
            {
                "width": f"{width} (chosen)" if width == self.choice.winner else width,
                "latents": n,
                "validation": self.choice.validation[width],
                **{column: mean[width] for column, mean in means.items()},
            }
            for width, n in self.n_latents.items()
        ]
        headings = {column: heading for column, (heading, _) in parts.items()}
        return tables.table(rows, {"width": "width", "latents": "latents", "validation": "validation", **headings})

    def _by_step(self) -> dict[str, list[float]]:
        steps: dict[str, list[float]] = {}
        for by_step in self.differences.values():
            for step, values in by_step.items():
                steps.setdefault(step, []).extend(values)
        return steps


def run(
    profile: str | Profile,
    *,
    poolings: Sequence[str] | None = None,
    device: str = "cpu",
    cache: Path | None = CACHE,
) -> Width:
    """Compare the widths that the profile has at its middle layer: every pooling (None: all of the profile), linear probes.

    Raises MosaicError where there is one width only.
    """
    profile, lm = opened(profile, device)
    poolings = tuple(poolings or profile.poolings)
    saes = load_saes(profile, lm, [profile.middle])
    n_latents = dict(sorted(((sae.width, sae.n_latents) for sae in saes), key=lambda pair: pair[1]))
    if len(n_latents) < 2:
        raise MosaicError(
            f"profile {profile.name} has one width at layer {profile.middle}, {', '.join(n_latents)}; add an SAE of another."
        )
    rows, sets, differences = [], [], {}
    here = {"layers": [profile.middle], "widths": list(n_latents), "poolings": poolings}
    for title, problem in problems(profile, lm, **here, cache=cache):
        found = comparison.evaluate(problem, families=["sae"], binarize=False, trees=False)
        best = {width: next(r for r in found if r.setting.width == width) for width in n_latents}
        rows += [{"set": title, **result.row()} for result in best.values()]
        sets.append(OneSet(problem.test, best))
        differences[title] = steps(found, list(n_latents))
    every = {title: [d for values in by_step.values() for d in values] for title, by_step in differences.items()}
    return Width(profile, n_latents, tuple(rows), leads.choose(sets), differences, median(every))


def steps(results: Sequence[Result], widths: Sequence[str]) -> dict[str, list[float]]:
    """{"1k to 4k": the wider minus the narrower of every pooling} for neighbouring widths (ascending), first part of the test."""
    scored = {(r.setting.width, r.setting.pooling): r.score.macro_f1 for r in results}
    poolings = dict.fromkeys(pooling for _, pooling in scored)
    return {
        f"{narrow} to {wide}": [scored[wide, pooling] - scored[narrow, pooling] for pooling in poolings]
        for narrow, wide in pairwise(widths)
    }


def median(by_set: Mapping[str, Sequence[float]], seed: int = 0) -> Median:
    """The median over all pairs of all sets. by_set: {set: differences of its pairs}, equally many in every set."""
    pairs = np.array(list(by_set.values()))
    low = high = None
    if len(pairs) > 1:
        drawn = np.random.default_rng(seed).integers(len(pairs), size=(RESAMPLES, len(pairs)))
        low, high = np.quantile(np.median(pairs[drawn].reshape(RESAMPLES, -1), axis=1), [0.025, 0.975]).tolist()
    return Median(float(np.median(pairs)), low, high, float(pairs.mean()), pairs.size)


def answer(found: Median, widths: Sequence[str], band: float = BAND) -> str:
    """Whether width matters to the median pair: no where its interval lies within the band around zero."""
    over = f"over {found.n_pairs} pairs of neighbouring widths ({', '.join(widths)})"
    by = f"{shown(found.median, sign=True)}"
    if found.low is None:
        return f"The median difference is {by} {over}, of one set, so that it has no interval."
    by += f" (95 % over sets {shown([found.low, found.high], sign=True)})"
    if found.low > band:
        return f"Wider is better: the median difference is {by} {over}."
    if found.high < -band:
        return f"Wider is worse: the median difference is {by} {over}."
    if -band <= found.low and found.high <= band:
        return f"Width hardly matters to the median pair: {by} {over}."
    return f"Whether width matters is undecided: the median difference is {by} {over}."


def published_differences() -> list[float]:
    """Macro-F1 at width 65k minus 16k of every published pair: equal model, set, layer, pooling, threshold; linear probes."""
    narrow, wide = PUBLISHED_WIDTHS
    found = []
    for key, entry in published.table().items():
        parts = key.split(f".{wide}.sae.")
        other = f".{narrow}.sae.".join(parts)
        if len(parts) == 2 and key.endswith(".linear") and other in published.table():
            found.append(entry.value - published.value(other))
    return found


def _without_set(row: Mapping) -> dict:
    return {key: value for key, value in row.items() if key != "set"}
