"""The first page's answers: plain sentences, each chosen by the recorded numbers that stand beside it.

An answer's words follow from where the 95 % intervals of its contrasts lie. Above their
reference (0 for a difference, a half for a share) reads "better" or "most", below it "worse" or "few", and an interval that holds the
reference reads "cannot be told apart". What was not measured on a profile is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mosaic import numerals
from mosaic.errors import MosaicError
from mosaic.reporting import results

ABOVE, WITHIN, BELOW = 1, 0, -1
SCORES = {ABOVE: "score above", WITHIN: "cannot be told apart from", BELOW: "score below"}
ALL = "all"


@dataclass(frozen=True)
class Contrast:
    """One number with its 95 % interval. reference: what an interval must leave out to say something."""

    label: str
    value: float
    low: float
    high: float
    reference: float = 0.0

    def __post_init__(self) -> None:
        numbers = (self.value, self.low, self.high)
        if not all(isinstance(one, int | float) and math.isfinite(one) for one in numbers) or self.low > self.high:
            raise MosaicError(f"{self.label}: {numbers} is no number with the lower and the upper end of its interval.")

    @property
    def side(self) -> int:
        """ABOVE or BELOW the reference with the whole interval, or WITHIN."""
        return ABOVE if self.low > self.reference else BELOW if self.high < self.reference else WITHIN

    def text(self) -> str:
        """`+0.177 (+0.099 to +0.262)`, or of a share `37 % (34 % to 39 %)`."""
        value, low, high = (
            numerals.shown(number, True) if self.reference == 0 else f"{number:.0%}".replace("%", " %")
            for number in (self.value, self.low, self.high)
        )
        return f"{value} ({low} to {high})"


@dataclass(frozen=True)
class Answer:
    """sentence: plain words. contrasts: what chose them. chapter: which measures them. full: the recorded sentence, with its numbers."""

    sentence: str
    contrasts: tuple[Contrast, ...]
    chapter: str
    full: str


def answers(profile: str, folder: Path = results.FOLDER) -> list[Answer]:
    """What this profile's results say of the book's five questions, in its order; a question without results has no answer."""
    found = []
    for study, answer in QUESTIONS.items():
        try:
            found.append(answer(results.read(profile, study, folder)))
        except (KeyError, TypeError, ValueError, AttributeError, MosaicError):  # other, older or damaged numbers
            continue
    return found


def against_the_alternatives(values: Mapping) -> Answer:
    """SAE features against bags of words and hidden states, each side's setting chosen on validation."""
    tfidf = _contrast("SAE features − TF-IDF", values["difference"]["tfidf"])
    hidden = _contrast("SAE features − hidden states", values["difference"]["hidden"])
    new = _where_measured(values["over"], "new_words", "difference", "hidden")
    there = f"the same, in new words ({values['over']['new_words']['n_sets']} sets)" if new else ""
    contrasts = (tfidf, hidden, *([_contrast(there, new)] if new else []))
    sentence = f"SAE features {_both(tfidf, 'counted words', hidden, 'the hidden states that they are made from')}."
    return Answer(sentence, contrasts, "sae_against_baselines", values["sentences"]["answer"])


def worth_of_training(values: Mapping) -> Answer:
    """The trained SAE against dictionaries of random directions, by the number of latents that a probe may read."""
    by_size = {
        size: _contrast(f"trained − random, {_latents(size)}", found)
        for size, found in values["trained_minus"]["random dictionary"]["first"].items()
    }
    few = {size: contrast for size, contrast in by_size.items() if size != ALL}
    largest = max(few, key=lambda size: few[size].value)
    ahead = sum(contrast.side == ABOVE for contrast in few.values())
    every = by_size[ALL].side
    with_all = f"with all latents it {_singular(SCORES[every])} random directions"
    if every == ABOVE and ahead == len(few):
        sentence = "A trained SAE scores above random directions, however many latents a probe may read."
    elif ahead == 0:
        joined = "and" if every == WITHIN else "but"
        sentence = (
            f"With few latents, a trained SAE cannot be shown to score above random directions, {joined} {with_all}."
        )
    elif 2 * ahead > len(few):
        sentence = f"A trained SAE scores above random directions when a probe may read few latents. W{with_all[1:]}."
    else:
        sentence = f"A trained SAE scores above random directions with {ahead} of the {len(few)} small numbers of latents tried. W{with_all[1:]}."
    contrasts = (by_size[next(iter(by_size))], few[largest], by_size[ALL])
    return Answer(sentence, tuple(dict.fromkeys(contrasts)), "training_worth", values["sentences"]["answer"])


def on_or_off(values: Mapping) -> Answer:
    """Binarised sums against the sums themselves, the threshold chosen on validation."""
    tuned = _contrast("on or off − sums as they are", values["difference"]["tuned"]["sum"])
    new = _where_measured(values, "difference_new_words", "tuned", "sum")
    contrasts = (tuned, *([_contrast("the same, in new words", new)] if new else []))
    sentence = {
        ABOVE: "Keeping only whether a latent was on scores above keeping how strongly it fired.",
        WITHIN: "Keeping only whether a latent was on cannot be told apart from keeping how strongly it fired.",
        BELOW: "Keeping only whether a latent was on scores below keeping how strongly it fired.",
    }[tuned.side]
    return Answer(sentence, contrasts, "binarisation", values["sentences"]["tuned_sum"])


def with_few_labels(values: Mapping) -> Answer:
    """The published way (all latents, binarised) where labels are few, against words and hidden states; and whether few latents do."""
    tfidf, hidden, chosen = (
        _contrast(label, values["minus"][name]["few"])
        for name, label in (
            ("binarised_minus_tfidf", "all latents, on or off − TF-IDF"),
            ("binarised_minus_hidden", "all latents, on or off − hidden states"),
            ("mean_difference_minus_all", "20 chosen latents − all latents, as they are"),
        )
    )
    sentence = (
        f"With few labels, SAE features {_both(tfidf, 'counted words', hidden, 'hidden states')}. "
        f"A few chosen latents {SCORES[chosen.side]} all latents together."
    )
    return Answer(sentence, (tfidf, hidden, chosen), "few_labels", values["sentences"]["answer"])


def trained_again(values: Mapping) -> Answer:
    """The share of latents that two SAEs of different seeds have in common."""
    seeds = values["controls"]["seeds"]
    kind = values["setting"]
    label = f"share of latents found again ({kind['width']:,} latents, {kind['k']} active per token)"
    shared = Contrast(label, seeds["shared"], *seeds["interval"], reference=0.5)
    sentence = {
        ABOVE: "Trained again from another random start, an SAE finds most of its latents again.",
        WITHIN: "Trained again from another random start, an SAE finds about half of its latents again; on which side of a half cannot be told.",
        BELOW: "Trained again from another random start, an SAE finds less than half of its latents again.",
    }[shared.side]
    return Answer(sentence, (shared,), "two_seeds", values["sentences"]["minority"])


QUESTIONS: dict[str, Callable[[Mapping], Answer]] = {
    "sae_against_baselines": against_the_alternatives,
    "training_worth": worth_of_training,
    "binarisation": on_or_off,
    "few_labels": with_few_labels,
    "two_seeds": trained_again,
}


def _where_measured(values: Mapping, *keys: str) -> Mapping | None:
    """The record below these keys; None where one of them is absent or null: not measured on this profile."""
    for key in keys:
        if (values := values.get(key)) is None:
            return None
    return values


def _contrast(label: str, found: Mapping) -> Contrast:
    return Contrast(label, found["difference"], *found["interval"])


def _both(first: Contrast, this: str, second: Contrast, that: str) -> str:
    """`score above this and below that`, `cannot be told apart from this or that`."""
    before, after = SCORES[first.side], SCORES[second.side]
    if first.side == second.side:
        return f"{before} {this} {'or' if first.side == WITHIN else 'and'} {that}"
    if WITHIN not in (first.side, second.side):
        after = after.removeprefix("score ")
    return f"{before} {this} and {after} {that}"


def _latents(size: str) -> str:
    return "one latent" if size == "1" else "all latents" if size == ALL else f"{size} latents"


def _singular(verb: str) -> str:
    return verb.replace("score ", "scores ")
