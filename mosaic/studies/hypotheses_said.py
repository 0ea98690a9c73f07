"""What is said of hypotheses, each by its verdict, and of the chapter's comparisons, chosen by their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mosaic import numerals
from mosaic.interpretation.hypotheses import CONFIRMED, CONTRARY, Tested
from mosaic.printable import printable
from mosaic.reporting.results import shown
from mosaic.studies.wording import between, side, sign, signed

SIDES = {"above": "more", "below": "less"}


def texts_with(words: Sequence[str]) -> str:
    """`texts with "not", "never" or "no"`."""
    quoted = [f"'{word}'" if '"' in word else f'"{word}"' for word in map(printable, words)]
    return f"texts with {quoted[0] if len(quoted) == 1 else ', '.join(quoted[:-1]) + ' or ' + quoted[-1]}"


def sentence(tested: Tested, words: Sequence[str]) -> str:
    """A hypothesis as its test leaves it: confirmed, open, or contrary to what the training texts said."""
    label, who = printable(tested.hypothesis.label), texts_with(words)
    if tested.effect is None:
        where = "every held-out text" if tested.n_matching else "no held-out text"
        return f"whether {who} are more often {label} is open: {where} has such a word"
    numbers = (
        f"{numerals.share(tested.matching)} against {numerals.share(tested.others)} ({_two(tested.effect, '+')}, "
        f"95 %: {_two(tested.low)} to {_two(tested.high)}), in {numerals.share(tested.prevalence)} of texts"
    )
    if tested.verdict == CONFIRMED:
        return f"{who} are more often {label}: {numbers}"
    if tested.verdict == CONTRARY:
        return f"{who} are less often {label}, against what the training texts said: {numbers}"
    return f"whether {who} are more often {label} is open: {numbers}"


def _two(value: float, sign: str = "") -> str:
    return f"{round(value, 2) + 0.0:{sign}.2f}"


def list_of(title: str, found: Mapping, chance: Mapping) -> str:
    """How many of a set's hypotheses are confirmed, beside shuffled labels. found, chance: {count, n}."""
    if not found["n"]:
        return f"{title}: no latent has words that say what it is, so there is no hypothesis."
    by_chance = f" (with shuffled labels {chance['count']} of {chance['n']})" if chance["n"] else ""
    return f"{title}: {found['count']} of {found['n']} hypotheses are confirmed{by_chance}."


def arms(share: Mapping, others: Mapping[str, Mapping], minus: Mapping[str, Mapping]) -> str:
    """The trained SAE's confirmed share, and beside each arm's. others: {arm: its share}; minus: {arm: the difference to it}."""
    if not share["n"]:
        return "The trained SAE has no hypothesis, so there is none to confirm."
    said = [f"Of the trained SAE's hypotheses, a share of {shown(share['share'])} is confirmed."]
    return " ".join([*said, *(beside(arm, others[arm], found) for arm, found in minus.items())])


def beside(arm: str, other: Mapping, found: Mapping) -> str:
    """Whether the trained SAE's confirmed share is more than an arm's. found: their difference."""
    if found["interval"] is None:
        return f"Beside {arm} nothing can be said: one of the two has no hypothesis."
    words = {"above": "more than with", "below": "less than with", "between": "not told apart from"}
    return (
        f"That is {words[sign(found['interval'])]} {arm} ({shown(other['share'])}; difference {signed(found['difference'])}, "
        f"{between(found['interval'])})."
    )


def truth(precision: Mapping, recall: Mapping, words: Mapping, n_cues: int, random: Mapping | None = None) -> str:
    """What the confirmed hypotheses found of the planted cues. words: {precision, recall} of single words. random: precision of random
    dictionaries."""
    if not recall["n"]:
        return "Of these sets nobody knows what is planted in them."
    if not precision["n"]:
        return f"Of {n_cues} planted cues the trained SAE's hypotheses find none: none of them is confirmed."
    half = {"above": "more than half", "below": "half at most", "between": "not told from half"}
    return (
        f"Of the confirmed hypotheses {precision['count']} of {precision['n']} are right ({shown(precision['share'])}, "
        f"{between(precision['interval'])}: {half[side(precision['interval'], 0.5)]}), and they find {recall['count']} of {recall['n']} "
        f"planted cues. Single words are right in {words['precision']['count']} of {words['precision']['n']} and find "
        f"{words['recall']['count']} of {words['recall']['n']}."
        + (
            f" Those of random dictionaries are right in {random['count']} of {random['n']}."
            if random and random["n"]
            else ""
        )
    )


def rules(found: Mapping[str, Mapping]) -> str:
    """Confirmed of tested, by the rule that latents are chosen by."""
    parts = [f"{one['count']} of {one['n']} by {name.replace('-', ' ')}" for name, one in found.items()]
    return f"By the rule that chooses latents, confirmed are {', '.join(parts)}."


def left_out(titles: Sequence[str]) -> str:
    """Sets that could not be had; nothing where there is none."""
    return f"Left out, as they cannot be had here: {', '.join(titles)}." if titles else ""
