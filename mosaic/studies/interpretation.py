"""What do latents mean? Explanations that no language model wrote, how well they tell, and how often they are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.errors import MosaicError
from mosaic.interpretation import over_latents
from mosaic.interpretation.contexts import CONTEXT, DECILES
from mosaic.interpretation.meanings import Rightness
from mosaic.interpretation.scores import Judged
from mosaic.interpretation.tracking import NAMED
from mosaic.profiles.opening import load_saes, located, select_saes
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.saes.dictionary import load_dictionary
from mosaic.studies import interpretation_labels as labels
from mosaic.studies import interpretation_said as said
from mosaic.studies import interpretation_tables as listed
from mosaic.studies.interpretation_examples import Example, Strip, examples, strips
from mosaic.studies.interpretation_scorers import scorers
from mosaic.studies.interpretation_sets import RANDOM, SHUFFLED, TOKENS, TRAINED, explained
from mosaic.studies.problems import CACHE, opened
from mosaic.studies.seeds import held_out_texts
from mosaic.studies.study import Study

LEAST_JUDGED = 10  # latents of a set, below which it has no median
SCORES = {"detection": "detection", "near": "detection, alike contexts", "fuzzing": "fuzzing"}
PAIRS = {
    "detection": "detection",
    "fuzzing": "fuzzing",
    "embedding": "embedding",
    "surprisal": "surprisal",
    "intruder": "intruder",
}


@dataclass(frozen=True)
class Interpretation(Study):
    """judged: {set: the scores of each of its dictionaries}, SHUFFLED among them. scored: {score: of the same few latents}.
    rightness: {SAE: which of its labels name the factor}, the main one first; empty where factors are unknown, and None for a
    dictionary none of whose latents tracks one. examples, strips: some latents, as the chapter shows them.
    """

    name: ClassVar[str] = "interpretation"

    n_texts: int
    n_tokens: int
    judged: Mapping[str, Sequence[Judged]]
    scored: Mapping[str, np.ndarray]
    rightness: Mapping[str, Rightness]
    examples: Sequence[Example]
    strips: Strip

    def summary(self) -> dict:
        sets, minus = self.sets, self.minus
        return {
            "n_texts": self.n_texts,
            "n_tokens": self.n_tokens,
            "context": CONTEXT,
            "tokens": TOKENS,
            "named": NAMED,
            "sets": sets,
            "minus": minus,
            "at_equal_rates": self.at_equal_rates,
            "deciles": {name: [one["value"] for one in found] for name, found in self.deciles.items()},
            "weakest_minus_strongest": self.fall,
            "agreement": self.agreement,
            "labels": self.labels,
            "by_sae": {name: self._shares(found) for name, found in self.rightness.items()},
            "label_minus": self.label_minus,
            "examples": [one.row() for one in self.examples],
            "sentences": {
                "lead": said.lead(sets, minus),
                "detection": said.compared("detection", sets, minus),
                "near": said.compared("near", sets, minus),
                "fuzzing": said.compared("fuzzing", sets, minus),
                "rates": said.at_equal_rates(self.at_equal_rates),
                "chance": said.chance(sets[SHUFFLED]),
                "deciles": said.deciles(self.fall),
                "agreement": said.agreement(self.agreement),
                "labels": said.labels(self.labels, self.label_minus),
            },
        }

    @cached_property
    def sets(self) -> dict:
        """{set: {score: median, interval, n}}."""
        names = (*SCORES, "auroc", "intruder")
        return {
            name: {
                score: over_latents.median(_all(of, score))
                for score in names
                if name != SHUFFLED or score != "intruder"
            }
            for name, of in self.judged.items()
        }

    @cached_property
    def minus(self) -> dict:
        """{control: {score: median of the trained SAE's latents minus that of the control's}}, and what random ones have beyond chance."""
        trained = self.judged[TRAINED]
        found = {
            name: {score: over_latents.median_difference(_all(trained, score), _all(of, score)) for score in SCORES}
            for name, of in self.judged.items()
            if name != TRAINED
        }
        if RANDOM in self.judged:
            of = self.judged[RANDOM], self.judged[SHUFFLED]
            found["random minus chance"] = {
                s: over_latents.median_difference(*(_all(one, s) for one in of)) for s in SCORES
            }
        return found

    @cached_property
    def at_equal_rates(self) -> dict:
        """{control: {score: the trained SAE's latents minus the control's of the nearest firing rate}}: ten tokens tell more of a latent
        that fires on few."""
        trained = self.judged[TRAINED]
        return {
            name: {
                score: over_latents.at_equal_rates(
                    _all(trained, score), _all(trained, "rate"), _all(of, score), _all(of, "rate")
                )
                for score in SCORES
            }
            for name, of in self.judged.items()
            if name not in (TRAINED, SHUFFLED)
        }

    @cached_property
    def deciles(self) -> dict:
        """{set: mean detection in each tenth of the activation}."""
        return {
            name: [over_latents.mean(_all(of, "deciles")[:, d]) for d in range(DECILES)]
            for name, of in self.judged.items()
        }

    @cached_property
    def fall(self) -> dict:
        """Detection in the weakest tenth minus that in the strongest, mean over the trained SAE's latents."""
        found = _all(self.judged[TRAINED], "deciles")
        return over_latents.mean(found[:, 0] - found[:, -1])

    @cached_property
    def agreement(self) -> dict:
        """{"detection and fuzzing": rank correlation, ...}: those two over all judged latents, others over the few that have them."""
        (judged,) = self.judged[TRAINED]
        found = {"detection and fuzzing": over_latents.rank_correlation(judged.detection, judged.fuzzing)}
        for i, one in enumerate(PAIRS):
            for other in list(PAIRS)[i + 1 :]:
                if {one, other} <= set(self.scored):
                    key = f"{one} and {other}"
                    found.setdefault(key, over_latents.rank_correlation(self.scored[one], self.scored[other]))
        return found

    @cached_property
    def labels(self) -> dict:
        """{label: share of the main SAE's latents for which it names the factor they track}."""
        return self._shares(next(iter(self.rightness.values()))) if self.rightness else {}

    @cached_property
    def label_minus(self) -> dict:
        """{"one minus other": difference of two labels' shares, latent by latent}."""
        if not self.rightness:
            return {}
        found = next(iter(self.rightness.values()))
        pairs = [(labels.BOTH, labels.INPUT), (labels.BOTH, labels.PROJECTED), (labels.PROJECTED, labels.INPUT)]
        pairs += [(labels.INPUT, labels.SHUFFLED), (labels.BOTH, labels.SHUFFLED)]
        return {f"{a} minus {b}": found.minus(a, b) for a, b in pairs if {a, b} <= set(found.right)}

    def figure(self):
        """Detection in each tenth of the activation, from the weakest to the strongest."""
        series = {
            name: [(d + 1, one["value"], *one["interval"]) for d, one in enumerate(found) if one["interval"]]
            for name, found in self.deciles.items()
        }
        series = {name: points for name, points in series.items() if points}
        ax = plots.curves(series, "tenth of a latent's contexts, by activation", "balanced accuracy")
        return plots.finished(ax.figure)

    def scores_figure(self):
        """Every score's median, set by set."""
        rows = [
            {"set": label, "features": name, "macro_f1": found[score]["value"], "low": low, "high": high}
            for score, label in SCORES.items()
            for name, found in self.sets.items()
            if found[score]["interval"]
            for low, high in [found[score]["interval"]]
        ]
        return plots.finished(plots.intervals(rows, "balanced accuracy, median over latents, 95 %"))

    def labels_figure(self):
        """Share of latents whose label names the factor they track."""
        if not self.labels:
            return listed.UNKNOWN
        rows = [
            {
                "set": label,
                "features": "this run",
                "macro_f1": one["value"],
                "low": one["interval"][0],
                "high": one["interval"][1],
            }
            for label, one in self.labels.items()
        ]
        return plots.finished(
            plots.intervals(rows, "share of labels that name the factor, 95 % over factors", zero=True)
        )

    def table(self) -> tables.Html:
        """Medians of every score, set by set."""
        return listed.of_sets(self.sets, SCORES)

    def agreement_table(self) -> tables.Html:
        """Rank correlations of scores, beside the published ones."""
        return listed.of_agreement(self.agreement)

    def by_sae(self) -> tables.Html:
        """Share of right labels, SAE by SAE."""
        return listed.of_saes({name: (len(one.truth), self._shares(one)) for name, one in self.rightness.items()})

    def examples_table(self) -> tables.Html:
        """Some latents, from the best to the worst explained."""
        return listed.of_examples(self.examples, bool(self.rightness))

    def contexts(self) -> tables.Html:
        """One latent's contexts, one of each tenth of its activation."""
        return self.strips.html()

    def _shares(self, found: Rightness) -> dict:
        return {label: found.share(label) for label in found.right}


def run(
    profile: str | Profile, *, n_texts: int = 3000, device: str = "cpu", cache: Path | None = CACHE
) -> Interpretation:
    """Explain and judge the latents of the profile's middle SAE, and those that stand in its place, on texts it was not trained on.

    Where factors are known, the labels of every SAE are held against them. Raises MosaicError where no latent can be judged.
    """
    profile, lm = opened(profile, device)
    texts = held_out_texts(profile, n_texts)
    (encoder,) = load_saes(profile, lm, [profile.middle], [profile.width])
    (source,) = select_saes(profile, [profile.middle], [profile.width])
    decoder = load_dictionary(located(source)).decoder
    found = explained(profile, lm, encoder, texts)
    (trained,) = found[TRAINED]
    if not enough([trained.judged]):
        raise MosaicError(
            f"fewer than {LEAST_JUDGED} latents of {encoder.name} fire often enough on {len(texts)} texts, and not everywhere, to be "
            "judged. Read more texts (n_texts), or longer ones."
        )
    causal = labels.head_of(profile, lm)
    judged = {name: [one.judged for one in of] for name, of in found.items()} | {SHUFFLED: [trained.shuffled()]}
    shown_latents = examples(profile, lm, encoder, trained, decoder, causal, texts, cache)
    return Interpretation(
        profile,
        n_texts=len(texts),
        n_tokens=len(trained.windows.found.text),
        judged={name: of for name, of in judged.items() if enough(of)},
        scored=scorers(lm, trained, causal),
        rightness=labels.of_every_sae(profile, lm, texts, trained, causal, cache) if profile.truth else {},
        examples=shown_latents,
        strips=strips(lm, trained, shown_latents),
    )


def enough(of: Sequence[Judged]) -> bool:
    """Whether a set has LEAST_JUDGED latents with every score."""
    return all(np.isfinite(_all(of, score)).sum() >= LEAST_JUDGED for score in SCORES)


def _all(of: Sequence[Judged], score: str) -> np.ndarray:
    """A score of all latents of a set's dictionaries."""
    return np.concatenate([getattr(one, score) for one in of])
