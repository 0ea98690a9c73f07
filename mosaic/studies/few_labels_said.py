"""What the chapter on few labels says, chosen by its numbers: each sentence has a branch for every outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from mosaic.probing.scores import Difference
from mosaic.reporting.results import shown
from mosaic.studies.few_labels_curves import NEARLY, Every
from mosaic.studies.few_labels_ways import (
    BINARISED,
    EVERY,
    HIDDEN,
    L1,
    MEAN_DIFFERENCE,
    OTHERS,
    SELECTED,
    STRENGTH,
    TFIDF,
    TOP_N,
)
from mosaic.studies.gains import LOSS, TIE, WIN, outcome, span
from mosaic.studies.headline import numbers, signed
from mosaic.studies.languages_compared import NAMES as LANGUAGES

NAMED = {
    BINARISED: "all latents binarised",
    EVERY: "all latents as they are",
    MEAN_DIFFERENCE: f"the {SELECTED} latents of largest mean difference",
    L1: f"the {SELECTED} latents that an L1 penalty chooses",
    TOP_N: f"top-{SELECTED} counts",
    HIDDEN: "hidden states",
    TFIDF: "TF-IDF",
}
SAID = {WIN: "score above", TIE: "cannot be told apart from", LOSS: "score below"}


def percent(rate: float) -> str:
    return f"{rate:.0%}"


def versus(first: str, second: str, d: Difference, before: str | None = None) -> str:
    """before: the way that the sentence before speaks of; the same one is not named again."""
    return f"{'They' if before == first else NAMED[first]} {SAID[outcome(d)]} {NAMED[second]} ({numbers(d)})"


def each(found: Mapping[tuple[str, str], Difference]) -> list[str]:
    """`versus` of each pair. found: {(way, other way): difference}."""
    befores = [None, *(first for first, _ in found)]
    return [versus(*pair, d, before) for (pair, d), before in zip(found.items(), befores, strict=False)]


def answer(found: Mapping[tuple[str, str], Difference], most: float, n_sets: int) -> str:
    """found: {(way, other way): difference at few labels}. most: the largest rate that counts as few."""
    sets = f"{n_sets} sets" if n_sets > 1 else "one set"
    return (
        f"With {percent(most)} of the labels or fewer, {_sentences(each(found))} All are differences of macro-F1: means over "
        f"{sets} and these shares of the labels."
    )


def with_all(pairs: Mapping[tuple[str, str], tuple[Difference, Difference]]) -> str:
    """pairs: {(way, other way): (with few labels, with all)}: whether what holds for few labels holds for all."""
    same = ["as with few" if outcome(few) == outcome(full) else "unlike with few" for few, full in pairs.values()]
    said = each({pair: full for pair, (_, full) in pairs.items()})
    return f"With all labels, {_sentences([f'{one}, {whether}' for one, whether in zip(said, same, strict=True)])}"


def selection(by_rate: Mapping[float, Difference], chosen: str) -> str:
    """by_rate: {rate: latents chosen by the labels minus all latents as they are}."""
    rates = [percent(rate) for rate in by_rate]
    of = {kind: [percent(r) for r, d in by_rate.items() if outcome(d) == kind] for kind in (WIN, LOSS)}
    ends = [(percent(rate), d) for rate, d in by_rate.items()]
    numbered = f"({ends[0][0]}: {numbers(ends[0][1])}; {ends[-1][0]}: {numbers(ends[-1][1])})"
    subject = f"Keeping {NAMED[chosen]}"
    if not of[WIN] and not of[LOSS]:
        return f"{subject} neither helps nor hurts so that it could be told, with any share of the labels {numbered}."
    parts = [f"helps with {span(of[WIN], rates)} of the labels"] if of[WIN] else []
    parts += [f"hurts with {span(of[LOSS], rates)} of the labels"] if of[LOSS] else []
    return f"{subject}, instead of all, {' and '.join(parts)} {numbered}."


def every(first: str, second: str, found: Every) -> str:
    """Whether a way is ahead of another at every rate, some, or none that can be told."""
    low, high = found.interval
    least = f"least lead {signed(found.difference)}, with {percent(found.rate)} of the labels"
    start = f"{NAMED[first][0].upper()}{NAMED[first][1:]}"
    other = NAMED[second]
    if low > 0:
        return f"{start} score above {other} with every share of the labels ({least})."
    if high < 0:
        return f"{start} score below {other} with some share of the labels ({least})."
    return f"Whether {NAMED[first]} score above {other} with every share of the labels is undecided ({least})."


def best(levels: Mapping[str, Mapping[float, float]]) -> str:
    """levels: {way: {rate: mean macro-F1}}: whose mean is highest, rate by rate; no test."""
    rates = list(next(iter(levels.values())))
    by_way: dict[str, list[str]] = {}
    for rate in rates:
        by_way.setdefault(max(levels, key=lambda way: levels[way][rate]), []).append(percent(rate))
    parts = [f"{NAMED[way]} with {span(of, [*map(percent, rates)])}" for way, of in by_way.items()]
    return f"Highest on average are {'; '.join(parts)}. One of {len(levels)} is always highest, which is no finding by itself."


def enough(rates: Mapping[str, float], last: Mapping[str, float], before: float) -> str:
    """rates: {way: the smallest share of the labels from which on it is within NEARLY of what all give}. last: {way: what
    it gains from the largest share short of all, `before`, to all}."""
    by_rate: dict[float, list[str]] = {}
    for way, rate in rates.items():
        by_rate.setdefault(rate, []).append(NAMED[way])
    least, most = min(last.values()), max(last.values())
    still = f"from {percent(before)} of the labels to all of them the ways still gain {signed(least)} to {signed(most)}"
    enough_for = "; ".join(f"{percent(rate)} for {', '.join(of)}" for rate, of in sorted(by_rate.items()) if rate < 1)
    if not enough_for:
        return (
            f"No way can be said to reach with fewer labels what it reaches with all (the whole interval within {NEARLY}): "
            f"{still}."
        )
    rest = f"; for {', '.join(by_rate[1])} no share short of all" if 1 in by_rate else ""
    return f"Within {NEARLY} of what all labels give (the whole interval) comes {enough_for}{rest}: {still}."


def labels(n: Mapping[float, Sequence[int]], floor: int, floored: Sequence[float]) -> str:
    """n: {rate: labelled texts, one a set}. floored: rates at which some set is raised to the floor of rows per class."""
    least, most = min(n), max(n)

    def texts(rate: float) -> str:
        low, high = min(n[rate]), max(n[rate])
        return f"{low:,}" if low == high else f"{low:,} to {high:,}"

    said = f"{percent(least)} of the labels are {texts(least)} texts, {percent(most)} are {texts(most)}"
    if not floored:
        return f"{said}; every class has its {floor} texts in every draw without help."
    where = span([*map(percent, floored)], [*map(percent, n)])
    said = f"{said}; every class keeps {floor} texts at least, which raises some sets at {where}"
    rates, n_sets, alike = sorted(n), len(n[least]), []
    for rate, after in pairwise(rates):
        if same := sum(a == b for a, b in zip(n[rate], n[after], strict=True)):
            alike.append(f"{percent(rate)} and {percent(after)} on {same} of {n_sets} sets")
    if not alike:
        return f"{said}."
    return f"{said}. So two shares can be equally many texts ({'; '.join(alike)}): a curve is flat between them."


def new_words(found: Mapping[tuple[str, str], Difference] | None, n_sets: int) -> str:
    """The answer, on new words."""
    if not found:
        return "No set here has a test of new words."
    return f"On new words ({n_sets} sets have them) and with few labels, {_sentences(each(found))}"


def strengths(found: Mapping[tuple[str, str], tuple[float, Mapping[float, float]]]) -> str:
    """found: {(way, other way): (difference, {C: with another C})} at few labels: whether the fixed C decides a sign."""
    parts, turned = [], []
    for (first, second), (plain, others) in found.items():
        shown_there = " and ".join(f"{signed(others[C])} with {C:g}" for C in OTHERS)
        parts.append(f"{NAMED[first]} minus {NAMED[second]} {signed(plain)}, {shown_there}")
        if any(d * plain < 0 for d in others.values()):
            turned.append(f"{NAMED[first]} minus {NAMED[second]}")
    said = (
        "No other C turns a sign of these differences" if not turned else
        f"Another C turns the sign of {' and of '.join(turned)}, which therefore hangs on it"
    )  # fmt: skip
    return f"{said}: with C = {STRENGTH:g}, {'; '.join(parts)}."


def _sentences(said: Sequence[str]) -> str:
    """Each with its full stop; the first goes on from the words before it."""
    first, *rest = said
    return " ".join([f"{first}.", *(f"{one[:1].upper()}{one[1:]}." for one in rest)])


def languages(found: Mapping[str, Difference]) -> str:
    """found: {language: binarised minus hidden states at few labels}, on toxicity."""
    if not found:
        return "What holds by language is not measured here: the set in five languages is the miniature's."
    kinds = {WIN: "score above", TIE: "cannot be told apart from", LOSS: "score below"}
    parts = [
        f"{words} hidden states in {', '.join(names)}"
        for kind, words in kinds.items()
        if (
            names := [
                f"{LANGUAGES.get(language, language)} ({numbers(d)})"
                for language, d in found.items()
                if outcome(d) == kind
            ]
        )
    ]
    return f"On toxicity alone and with few labels, {NAMED[BINARISED]} {'; '.join(parts)}."


def top_n(left_out: float | None) -> str:
    """What per-token counts leave of this SAE."""
    if left_out is None:
        return f"What the top-{SELECTED} counts leave out is not measured here."
    if left_out == 0:
        return f"Here no token has more than {SELECTED} active latents: the top-{SELECTED} counts leave nothing out, and select nothing."
    return f"Here the top-{SELECTED} counts leave out {shown(left_out)} of all activations."
