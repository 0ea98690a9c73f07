"""What the chapter on an honest probe says, chosen by its numbers."""

from __future__ import annotations

from collections.abc import Mapping

from mosaic.probing.scores import Difference
from mosaic.reporting.results import shown
from mosaic.studies.wording import between, sign, signed


def majority(accuracy: float, macro_f1: float) -> str:
    """Why accuracy alone flatters."""
    kept = "far less" if macro_f1 < accuracy - 0.05 else "about as much"
    return (
        f"Saying the largest class every time is right on {accuracy:.0%} of the texts. Its macro-F1 is {kept}, {shown(macro_f1)}: a class "
        "that is never said counts as zero."
    )


def beats(first: str, second: str, found: Difference) -> str:
    """Which of two ways is ahead, by the paired test."""
    words = {"above": "is ahead of", "below": "is behind", "between": "cannot be told apart from"}[_sign(found)]
    return f"{first} {words} {second}: {_numbers(found)}."


def control(found: Difference) -> str:
    """What the random dictionary says of what the SAE learned."""
    numbers = _numbers(found)
    return {
        "above": f"The trained SAE is ahead of the random dictionary ({numbers}): what it learned counts here.",
        "below": f"The random dictionary is ahead of the trained SAE ({numbers}): what was learned costs score here.",
        "between": f"The trained SAE cannot be told apart from the random dictionary ({numbers}): the score alone is no evidence that "
        "its latents mean anything.",
    }[_sign(found)]


def optimism(found: Mapping, n: int, per_test: int) -> str:
    """What the best of n settings on the test set promised and kept."""
    numbers = (
        f"The best of {n} settings on a test set of {per_test} texts promised {shown(found['promised'])} and kept {shown(found['kept'])} on "
        f"other texts (mean difference {signed(found['difference'])}, {between(found['interval'])})"
    )
    return {
        "above": f"{numbers}: choosing on the test set is optimistic.",
        "below": f"{numbers}: here the choice did better elsewhere.",
        "between": f"{numbers}: no optimism can be shown here.",
    }[sign(found["interval"])]


def nested(found: Mapping) -> str:
    """Whether the setting that validation chose keeps what it shows."""
    numbers = f"{shown(found['promised'])} on the test sets, {shown(found['kept'])} on other texts; difference {signed(found['difference'])}, {between(found['interval'])}"
    return {
        "above": f"Even the setting that validation chose shows more than it keeps ({numbers}).",
        "below": f"The setting that validation chose keeps more than it shows ({numbers}).",
        "between": f"The setting that validation chose shows no such gap ({numbers}).",
    }[sign(found["interval"])]


def shuffled(found: Mapping, chance: float) -> str:
    """The same where there is nothing to find."""
    numbers = f"{shown(found['promised'])} on the test set, {shown(found['kept'])} elsewhere, where guessing among equal classes gives about {shown(chance)}"
    more = f"difference {signed(found['difference'])}, {between(found['interval'])}"
    if sign(found["interval"]) == "above":
        return f"With shuffled labels there is nothing to find. Yet the best setting shows {numbers} ({more}). The surplus is made of luck alone."
    return f"With shuffled labels the best setting shows {numbers} ({more}): no surplus can be shown."


def size(found: Mapping) -> str:
    """Optimism beside the distance between two methods."""
    words = {"above": "larger than", "below": "smaller than", "between": "not told apart from"}[sign(found["interval"])]
    return (
        f"The optimism, {shown(found['optimism'])}, is {words} the distance between SAE features and hidden states, {shown(found['distance'])} "
        f"(difference {signed(found['difference'])}, {between(found['interval'])})."
    )


def coverage(found: Mapping) -> str:
    """How many intervals hold what they are to hold."""
    share = found["hold"] / found["n"]
    words = "about as many as promised" if share >= 0.85 else "fewer than promised"
    return (
        f"{found['hold']} of {found['n']} intervals hold the score on all fresh texts, {shown(found['truth'])}: {words}. "
        f"An interval of 95 % should miss one time in twenty."
    )


def pairing(found: Mapping) -> str:
    """What pairing does to an interval."""
    paired, unpaired = (high - low for low, high in (found["paired"], found["unpaired"]))
    words = (
        "narrower than"
        if paired < 0.95 * unpaired
        else "wider than"
        if paired > 1.05 * unpaired
        else "about as wide as"
    )
    decided = {"above": "ahead", "below": "behind", "between": "undecided"}
    first, second = decided[sign(found["paired"])], decided[sign(found["unpaired"])]
    verdict = (
        f"Both give the same verdict: {first}."
        if first == second
        else f"With pairing the verdict is {first}, without it {second}."
    )
    return f"The interval on the same texts is {words} the one of two scores on texts of their own ({paired:.3f} against {unpaired:.3f} wide). {verdict}"


def _sign(found: Difference) -> str:
    return sign([found.low, found.high])


def _numbers(found: Difference) -> str:
    return f"difference {signed(found.difference)}, {between([found.low, found.high])}"
