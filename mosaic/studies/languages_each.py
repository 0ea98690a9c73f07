"""Sentences of one set at a time: each language read by its own probe, and probes that say one thing to all abroad."""

from __future__ import annotations

from collections.abc import Mapping

from mosaic import numerals
from mosaic.probing.scores import Difference
from mosaic.studies.diagnosis import Diagnosis
from mosaic.studies.headline import SCORES, numbers, outcome
from mosaic.studies.language_matrix import Matrix, minus

COLLAPSED = 0.9  # share of the texts abroad that get one answer, from which on a probe is said to have collapsed
SHOWN = 3  # decimals: scores that are one as shown are level


def on_themselves(found: Mapping[str, Matrix]) -> str:
    """SAE features against hidden states, each probe trained and tested in one language. found: {set: its matrix}."""
    said = [_on_itself(name, matrix) for name, matrix in found.items()]
    return f"Trained and tested in one language, SAE features {'; '.join(said)}."


def _on_itself(name: str, matrix: Matrix) -> str:
    difference = minus([matrix], "sae", "hidden", "native")
    ahead, behind = ahead_and_behind(matrix)
    level = len(matrix.languages) - ahead - behind
    counts = {"ahead in": ahead, "level in": level, "behind in": behind}
    where = ", ".join(f"{what} {n}" for what, n in counts.items() if n)
    return (
        f"{SCORES[outcome(difference)]} hidden states on {name} ({numbers(difference)}; by the scores as they stand "
        f"{where} of {len(matrix.languages)} languages)"
    )


def ahead_and_behind(matrix: Matrix) -> tuple[int, int]:
    """In how many languages SAE features trained there score above hidden states trained there, and in how many below."""
    leads = [
        round(a.macro_f1, SHOWN) - round(b.macro_f1, SHOWN)
        for language in matrix.languages
        for a, b in [[matrix.mean(kind, [(language, language)]) for kind in ("sae", "hidden")]]
    ]
    return sum(lead > 0 for lead in leads), sum(lead < 0 for lead in leads)


def collapse(found: Mapping[str, Diagnosis], majority: Difference) -> str:
    """Whether the chosen probe says one thing to nearly all texts abroad, which a score below chance may come from.

    found: {set: the diagnosis of the pooling that was chosen}; majority: SAE features minus the majority class, over the sets.
    """
    said = " ".join(_collapsed(name, one) for name, one in found.items())
    return f"{said} Abroad SAE features {SCORES[outcome(majority)]} the majority class ({numbers(majority)})."


def _collapsed(name: str, one: Diagnosis) -> str:
    answers = (
        f"on average {numerals.share(one.share)} of a language's texts get one and the same answer, where "
        f"{numerals.share(one.balanced)} have the most frequent label"
    )
    first = (
        f"On {name} the probe has collapsed: {answers}."
        if one.share >= COLLAPSED
        else f"On {name} the probe has not collapsed to one answer: {answers}."
    )
    return (
        f"{first} AUROC abroad, which asks for the order alone, is {numerals.shown(one.auroc)}, where a toss has 0.50."
    )
