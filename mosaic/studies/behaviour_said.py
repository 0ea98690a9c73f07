"""What the chapter on transfer says of forecasts of the large model's answers: each sentence has a branch for every outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mosaic import numerals
from mosaic.probing.forecasts import Measured
from mosaic.probing.scores import Difference
from mosaic.studies.headline import ABOVE, BELOW, UNDECIDED, numbers, outcome

CHANCE = 0.5  # AUROC of a toss
NAMES = {
    "small, hidden": "the small model's hidden states",
    "small, tfidf": "a bag of words",
    "small, length": "the question's length alone",
    "own, sae": "the large model's own SAE features",
    "own, hidden": "the large model's own hidden states",
    "own, confidence": "the large model's own confidence",
}
AS_IT_IS = "own, confidence as it is"


def _of(found: Measured) -> str:
    return f"{numerals.shown(found.value)}, 95 % {numerals.interval(found.low, found.high)}"


def above_chance(found: Measured) -> str:
    """Whether the small model's SAE features rank right above wrong answers at all."""
    if found.low > CHANCE:
        verb = "foresee which questions the large model answers right"
    elif found.high < CHANCE:
        verb = "rank the large model's wrong answers above its right ones"
    else:
        verb = "cannot be told from a toss in foreseeing the large model's answers"
    return f"The small model's SAE features {verb} (AUROC {_of(found)}; a toss has .5)."


def against_confidence(difference: Difference) -> str:
    """The small model's SAE features against asking the large model how sure it is."""
    verb = {
        ABOVE: "rank the large model's answers better than its own confidence does",
        BELOW: "rank the large model's answers worse than its own confidence does: whoever can run the large model has no need of them",
        UNDECIDED: "cannot be told from the large model's own confidence in how they rank its answers",
    }[outcome(difference)]
    return f"The small model's SAE features {verb} (AUROC, small minus confidence {numbers(difference)})."


def against_length(difference: Difference) -> str:
    """Whether the small model's SAE features know more than how long the question is."""
    verb = {
        ABOVE: "rank the large model's answers better than the length of the question does: they know more than that",
        BELOW: "rank the large model's answers worse than the length of the question alone",
        UNDECIDED: "cannot be told from the length of the question alone in how they rank the large model's answers",
    }[outcome(difference)]
    return f"The small model's SAE features {verb} (AUROC, small minus length {numbers(difference)})."


def ranked(differences: Mapping[str, Difference]) -> str:
    """The small model's SAE features against all the others, by how they rank. differences: {one of NAMES: AUROC minus}."""
    groups: dict[str, list[str]] = {ABOVE: [], UNDECIDED: [], BELOW: []}
    for name, words in NAMES.items():
        if name in differences and name not in ("own, confidence", "small, length"):
            groups[outcome(differences[name])].append(f"{words} ({numbers(differences[name])})")
    verbs = {ABOVE: "rank better than", UNDECIDED: "cannot be told apart from", BELOW: "rank worse than"}
    said = "; they ".join(f"{verbs[kind]} {listed(names)}" for kind, names in groups.items() if names)
    return f"By AUROC, the small model's SAE features {said}."


def calibrated(found: Mapping[str, Measured], noise: Mapping[str, float], difference: Difference) -> str:
    """How far forecasts are off, and whether those of the small model's SAE features are off by less than confidence as it
    is. noise: what right forecasts would show on so few questions; difference: small SAE features minus that confidence."""
    small = "small, sae"
    verb = {
        ABOVE: "those from the features are off by more",
        BELOW: "those from the features are off by less",
        UNDECIDED: "the two cannot be told apart",
    }[outcome(difference)]
    return (
        f"Forecasts from the small model's SAE features are off by {_of(found[small])} (right ones would show "
        f"{numerals.shown(noise[small])} on so few questions), the large model's confidence, as it is, by {_of(found[AS_IT_IS])} "
        f"({numerals.shown(noise[AS_IT_IS])}): {verb} ({numbers(difference)})."
    )


def too_sure(forecast: float, share: float) -> str:
    """How far confidence, as it is, says more or less on average than comes true; no interval goes with it."""
    gap = forecast - share
    if abs(gap) < 0.005:
        return f"On average that confidence says what comes true: {numerals.shown(forecast)} against {numerals.shown(share)}."
    kind = "too much" if gap > 0 else "too little"
    return (
        f"On average that confidence says {numerals.shown(forecast)} where {numerals.shown(share)} come true, {numerals.shown(abs(gap))} {kind} (without an "
        "interval)."
    )


def listed(names: Sequence[str]) -> str:
    """`a, b and c`"""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
