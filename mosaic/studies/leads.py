"""A choice made on validation (a layer, a pooling), and whether the chosen one is ahead of the others on test.

The largest of a few means is always ahead of the others; whether it would be again is another question. Two answers
stand here: the lead on test over the strongest rival among them, with an interval over sets and test texts, and how often
validation would choose the same had other sets been drawn.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from mosaic import numerals
from mosaic.probing import scores
from mosaic.probing.scores import Difference
from mosaic.probing.selection import Result
from mosaic.reporting.results import shown
from mosaic.texts.labelled import FAMILIAR, NEW, LabelledTexts


class OneSet(NamedTuple):
    """One data set. test: its test texts. results: {option: its result}, the same options in every set."""

    test: LabelledTexts
    results: Mapping[str, Result]


@dataclass(frozen=True)
class Lead:
    """The chosen option minus its strongest rival: of the others the one over which the lower end of the interval is lowest,
    which is not always the one of the nearest mean."""

    rival: str
    over: dict[str, Difference]  # every other option
    n_sets: int

    @property
    def difference(self) -> Difference:
        return self.over[self.rival]

    def summary(self) -> dict:
        """As results record it."""
        others = {option: d.summary() for option, d in self.over.items()}
        return {**self.difference.summary(), "rival": self.rival, "over": others, "n_sets": self.n_sets}


@dataclass(frozen=True)
class Choice:
    """winner: the option of the highest validation score, mean over the sets; of equal ones the first.

    validation: {option: that mean}. next: the option that comes second there, None where there is one option only.
    validation_lead: the winner over the next on validation, the interval over sets and validation rows. again: share of resamples of the sets in which validation chooses the winner again. lead: on the first part of each
    test set; new_words: on the new words of those that have them, None where none has.
    """

    winner: str
    validation: dict[str, float]
    next: str | None
    validation_lead: Difference | None
    again: float
    lead: Lead | None
    new_words: Lead | None

    def summary(self) -> dict:
        """As results record it."""
        return {
            "winner": self.winner,
            "validation": self.validation,
            "next": self.next,
            "validation_lead": None if self.validation_lead is None else self.validation_lead.summary(),
            "again": self.again,
            "lead": _recorded(self.lead),
            "new_words": _recorded(self.new_words),
        }


def choose(sets: Sequence[OneSet]) -> Choice:
    """The option that validation chooses for all the sets together, and its lead over the others on test."""
    options = list(sets[0].results)
    validation = np.array([[one.results[option].validation for option in options] for one in sets])
    ranked = np.argsort(-validation.mean(0), kind="stable")
    winner = options[ranked[0]]
    second = options[ranked[1]] if len(options) > 1 else None
    return Choice(
        winner=winner,
        validation=dict(zip(options, validation.mean(0).tolist(), strict=True)),
        next=second,
        validation_lead=None if second is None else validation_lead(sets, winner, second),
        again=chosen_again(validation),
        lead=lead(sets, winner),
        new_words=lead([one for one in sets if NEW in one.test.part_rows()], winner, NEW),
    )


def validation_lead(sets: Sequence[OneSet], a: str, b: str) -> Difference:
    """Option a minus option b on validation: the difference of the mean scores over folds that the choice is made by;
    its interval over sets and validation rows, all folds together."""
    cases = []
    for one in sets:
        (truth, first, groups), (_, second, _) = one.results[a].held, one.results[b].held
        cases.append((truth, first, second, groups))
    means = [np.mean([one.results[option].validation for one in sets]) for option in (a, b)]
    return replace(scores.compare_over_sets(cases), difference=float(means[0] - means[1]))


def chosen_again(validation: np.ndarray, seed: int = 0) -> float:
    """Share of resamples of the sets in which the option that is best on average is the one that is best on all of them.

    validation: [sets, options].
    """
    n = len(validation)
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=scores.RESAMPLES)
    return float(np.mean((counts @ validation / n).argmax(1) == validation.mean(0).argmax()))


def lead(sets: Sequence[OneSet], winner: str, part: str | None = None) -> Lead | None:
    """The winner's lead on one part of every test set (None: its first); None where there is no set, or no other option."""
    others = [option for option in (sets[0].results if sets else ()) if option != winner]
    if not others:
        return None
    over = {option: difference(sets, winner, option, part) for option in others}
    return Lead(min(over, key=lambda option: over[option].low), over, len(sets))


def difference(sets: Sequence[OneSet], a: str, b: str, part: str | None = None) -> Difference:
    """Option a minus option b on one part of every test set, mean over the sets, the interval over sets and texts."""
    return scores.compare_over_sets([scores.paired(one.test, one.results[a], one.results[b], part) for one in sets])


def mean_of(rows: Iterable[Mapping], key: str, part: str | None = None) -> dict:
    """{value of `key`: mean macro-F1 of its rows, on one part (None: the headline's)}; rows without the part are left
    out. The values stand in the order in which they come first."""
    found: dict = {}
    for row in rows:
        if part is None or part in row["parts"]:
            scored = row["macro_f1"] if part is None else row["parts"][part]["macro_f1"]
            found.setdefault(row[key], []).append(scored)
    return {value: float(np.mean(scored)) for value, scored in found.items()}


def table_parts(rows: Sequence[Mapping]) -> dict[str, tuple[str, str | None]]:
    """{column: (heading, part)} of a table of means: test; where some sets have parts, familiar and new words of these.

    A heading says over how many sets its means go.
    """
    titles = {row["set"] for row in rows}
    having = {row["set"] for row in rows if NEW in row["parts"]}
    whole = {"test": (f"macro-F1 (test, {_sets(titles)})", None)}
    parts = {key: (f"{part} ({_sets(having)})", part) for key, part in (("familiar", FAMILIAR), ("new", NEW))}
    if not having:
        return whole
    return parts if having == titles else {**whole, **parts}


# --- sentences ---------------------------------------------------------------------------------------------------


def sentence(what: str, choice: Choice) -> str:
    """What validation chooses, and whether it leads on test. what: "layer", "pooling"."""
    if choice.lead is None:
        return f"There is one {what} only, {choice.winner}."
    n = choice.lead.n_sets
    said = (
        f"Validation chooses {what} {choice.winner}: {shown(choice.validation[choice.winner])} on average over "
        f"{n} {'set' if n == 1 else 'sets'}, ahead of {what} {choice.next} by {told(choice.validation_lead)}. "
        f"On test, {verdict(what, choice.winner, choice.lead)}"
    )
    if n == 1:  # other sets cannot be drawn from one
        return said
    return f"{said} Had other sets been drawn, validation would have chosen the same in {numerals.share(choice.again)} of the draws."


def new_words_sentence(what: str, choice: Choice) -> str:
    """The same on new words, of the sets that have them."""
    if choice.new_words is None:
        return f"On {NEW} nothing can be said of the {what}: no set with several of them has a test of new words."
    n = choice.new_words.n_sets
    return f"On {NEW} ({n} {'set' if n == 1 else 'sets'}), {verdict(what, choice.winner, choice.new_words)}"


def verdict(what: str, winner: str, lead: Lead) -> str:
    """Whether the winner is ahead of its strongest rival, and so of all others, behind it, or not to be told from it."""
    rival, by = f"its strongest rival, {what} {lead.rival}", told(lead.difference)
    return side(
        lead.difference,
        above=f"it leads {rival}, by {by}: it is the best of those compared.",
        below=f"it is behind {rival}, {by}: what validation chose is not what is best there.",
        level=f"it cannot be told from {rival}, {by}: no best {what} can be named.",
    )


def side(d: Difference, above: str, below: str, level: str) -> str:
    """One of three texts, by where the interval of a difference lies: above zero, below it, or around it."""
    return above if d.low > 0 else below if d.high < 0 else level


def told(d: Difference) -> str:
    """`+0.012 (95 % +0.003 to +0.020)`"""
    return f"{shown(d.difference, sign=True)} (95 % {shown([d.low, d.high], sign=True)})"


def on_new_words(d: Difference | None) -> str:
    """The same difference in new words, a sentence of its own with a space before it; nothing where there is none."""
    if d is None:
        return ""
    where = side(d, above="lies above zero", below="lies below zero", level="cannot be told from zero")
    return f" On {NEW} this difference {where}: {told(d)}."


def _sets(titles: Collection[str]) -> str:
    return f"{len(titles)} {'set' if len(titles) == 1 else 'sets'}"


def _recorded(lead: Lead | None) -> dict | None:
    return None if lead is None else lead.summary()
