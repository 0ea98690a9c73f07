"""Are a trained SAE's latents easier to predict from the tokens around them than those of what learned less?

The detection score (`mosaic.interpretation.detection`) stands in for a reader: what counted tokens predict, a person could
have been told in a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mosaic import numerals
from mosaic.reporting import tables
from mosaic.reporting.results import shown
from mosaic.studies.controls import OF_UNTRAINED, TRAINED, Controls
from mosaic.studies.wording import between, sign, signed

if TYPE_CHECKING:
    from mosaic.models.language import LanguageModel
    from mosaic.saes.encoder import Encoder

RESAMPLES = 1000
TOKENS = 60_000  # read at most: sets of long texts would take hours


@dataclass(frozen=True)
class Readable:
    """Detection scores of every family of dictionaries on texts that no SAE was trained on.

    score, another: {family: [D] of each dictionary}: balanced accuracy of each latent's explanation, and of another
    latent's in its place; NaN for a latent that fires too seldom to be scored. A family with a dictionary of which no latent
    is scored is not there; neither is any where that is the trained SAE.
    """

    score: Mapping[str, Sequence[np.ndarray]]
    another: Mapping[str, Sequence[np.ndarray]]

    def summary(self) -> dict:
        return {
            "mean": {family: mean(of) for family, of in self.score.items()},
            "another_latent": {family: mean(of) for family, of in self.another.items()},
            "scored": {family: float(np.mean(np.isfinite(np.concatenate(of)))) for family, of in self.score.items()},
            "trained_minus": {family: self.minus(family) for family in self.score if family != TRAINED},
        }

    def minus(self, family: str) -> dict:
        """Mean score of the trained SAE's latents minus that of a family's; the interval is over latents."""
        return difference(self.score[TRAINED], self.score[family])

    def table(self) -> tables.Html:
        """A row a family: the mean score, what another latent's explanation gets, and the difference."""
        found = self.summary()
        rows = [
            {
                "of": family,
                "mean": found["mean"][family],
                "another": found["another_latent"][family],
                "scored": numerals.share(found["scored"][family]),
                "minus": "" if family == TRAINED else _told(self.minus(family)),
            }
            for family in self.score
        ]
        headings = {"of": "latents of", "mean": "detection score", "another": "another latent's explanation"}
        return tables.table(rows, {**headings, "scored": "latents scored", "minus": "trained SAE minus"})


def read(controls: Controls, texts: Sequence[str]) -> Readable:
    """Score every dictionary that the chapter has; one pass of the language model, and one of the untrained one."""
    here, texts = controls.dictionaries(), cut(controls.lm, texts)
    score, another = _scores(controls.lm, texts, here)
    if controls.of_untrained:
        own = _scores(controls.untrained, texts, {OF_UNTRAINED: controls.of_untrained})
        score, another = score | own[0], another | own[1]
    enough = [family for family, of in score.items() if all(np.isfinite(scores).any() for scores in of)]
    if TRAINED not in enough:
        enough = []
    return Readable(*({family: found[family] for family in enough} for found in (score, another)))


def cut(lm: LanguageModel, texts: Sequence[str], tokens: int = TOKENS) -> list[str]:
    """The texts, or, where they have more than so many real tokens, as many drawn ones as fit, in their order."""
    counts = lm.tokenize(texts).counts
    order = np.random.default_rng(0).permutation(len(texts))
    drawn = order[: np.searchsorted(counts[order].cumsum(), tokens, side="right")]
    return [texts[i] for i in sorted(drawn)]


def _scores(lm: LanguageModel, texts: Sequence[str], families: Mapping[str, Sequence[Encoder]]) -> tuple[dict, dict]:
    from mosaic.interpretation import detection
    from mosaic.progress import Progress

    observed = detection.firings(texts, lm, [encoder for of in families.values() for encoder in of])
    found: tuple[dict, dict] = ({}, {})
    with Progress("explaining latents", len(observed.codes), "dictionaries") as progress:
        left = iter(observed.codes)
        for family, encoders in families.items():
            for codes in (next(left) for _ in encoders):
                found[0].setdefault(family, []).append(detection.detection_scores(observed, codes))
                found[1].setdefault(family, []).append(detection.detection_scores(observed, codes, shuffle=0))
                progress.advance(1)
    return found


def mean(of: Sequence[np.ndarray]) -> float:
    """Mean over the dictionaries of the mean over the latents that were scored."""
    return float(np.mean([np.nanmean(scores) for scores in of]))


def difference(of: Sequence[np.ndarray], other: Sequence[np.ndarray], seed: int = 0) -> dict:
    """Mean of `of` minus mean of `other`, {difference, interval}: latents, and dictionaries where there are several,
    drawn anew 1,000 times."""
    rng = np.random.default_rng(seed)
    drawn = [mean_drawn(of, rng) - mean_drawn(other, rng) for _ in range(RESAMPLES)]
    return {"difference": mean(of) - mean(other), "interval": np.quantile(drawn, [0.025, 0.975]).tolist()}


def mean_drawn(of: Sequence[np.ndarray], rng: np.random.Generator) -> float:
    """`mean` of as many dictionaries, and as many scored latents of each, drawn with replacement."""
    chosen = [of[i][np.isfinite(of[i])] for i in rng.integers(len(of), size=len(of))]
    return float(np.mean([rng.choice(scores, len(scores)).mean() for scores in chosen]))


def sentence(found: Readable) -> str:
    """How readable the trained SAE's latents are beside those of every other family."""
    if not found.score:
        return "The latents of the trained SAE fire too seldom on these texts to be predicted."
    said = {
        "above": "easier to predict than those of",
        "below": "harder to predict than those of",
        "between": "not told apart from those of",
    }
    parts = [
        f"{said[sign(d['interval'])]} the {family} ({_told(d)})"
        for family in found.score
        if family != TRAINED and (d := found.minus(family))
    ]
    own, others = mean(found.score[TRAINED]), mean(found.another[TRAINED])
    beside = f"; they are {', '.join(parts)}" if parts else ""
    return f"The trained SAE's latents are predicted at {shown(own)}, by another latent's explanation at {shown(others)}{beside}."


def _told(d: Mapping) -> str:
    return f"{signed(d['difference'])}, {between(d['interval'], signed)}"
