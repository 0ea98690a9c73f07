"""What the chapter on transfer says, chosen by its numbers: each sentence has a branch for every outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from mosaic.probing.scores import Difference
from mosaic.studies.diagnosis import SMALL, Diagnosis
from mosaic.studies.headline import ABOVE, BELOW, UNDECIDED, numbers, outcome, signed
from mosaic.studies.languages_compared import Below

MENDED = {  # what it means that a repair brings back most
    "mean": "each language's mean has moved, and the intercept does not follow: moved back, which takes texts without labels, "
    "the probe reads again",
    "intercept": "the intercept is off, by other than the move of the language's mean: refitted on labelled texts, it reads "
    "again",
    "directions": "the probe leans on directions that tell languages apart: trained again without them, it reads again",
    "mean and scale": "mean and spread of the columns are other than in English: with both moved, the probe reads again",
    "none": "none of the repairs brings back half of what was lost",
}


def compared(first: str, second: str, difference: Difference, where: str) -> str:
    """Two arms by their difference."""
    verb = {ABOVE: "score above", BELOW: "score below", UNDECIDED: "cannot be told apart from"}[outcome(difference)]
    return f"{first} {verb} {second} {where} ({numbers(difference)})."


def viable(above_chance: Mapping, cells: tuple[int, Sequence[Below]], random: Difference, native: Difference) -> str:
    """Whether English transfer is viable (above chance on average), where it is not, how far that is the SAE's doing, and
    whether native training is better. above_chance: see `abroad.above`; cells: see `languages_compared.below_chance`; random:
    SAE features minus random dictionaries."""
    low, high = above_chance["interval"]
    above = ABOVE if low > 0 else BELOW if high < 0 else UNDECIDED
    first = {
        ABOVE: "Transfer from English is viable on average: SAE features lie above chance abroad",
        BELOW: "Transfer from English is not viable on average: SAE features lie below chance abroad",
        UNDECIDED: "Whether transfer from English is viable on average is undecided: SAE features abroad cannot be told from "
        "chance",
    }[above]
    second = {
        ABOVE: "they score above random dictionaries",
        BELOW: "they score below random dictionaries",
        UNDECIDED: "they cannot be told apart from random dictionaries",
    }[outcome(random)]
    third = {
        ABOVE: "training on the language itself is better",
        BELOW: "training on the language itself is worse",
        UNDECIDED: "training on the language itself cannot be told apart from it",
    }[outcome(native)]
    chance = f"{signed(above_chance['difference'])}, 95 % {signed(low)} to {signed(high)}"
    return (
        f"{first} ({chance}). {_below(*cells)} Abroad, {second} ({numbers(random)}); {third} "
        f"(native minus English {numbers(native)})."
    )


def _below(n: int, below: Sequence[Below]) -> str:
    """In which sets and languages, of n, a probe scores below what guessing gives."""
    if not below:
        return f"In none of the {n} pairs of a set and a language do they lie below it."
    each = ", ".join(f"{where} {_said(score)} where guessing gives {_said(chance)}" for where, score, chance in below)
    return f"In {len(below)} of the {n} pairs of a set and a language they lie below it: {each}."


def why(name: str, found: Sequence[Diagnosis], chosen: str) -> str:
    """Why poolings of one kind of features fall abroad, where they do. name: "Hidden states on toxicity"; chosen: the
    pooling that English validation chose, of which is spoken first."""
    taken = next(d for d in found if d.pooling == chosen)
    start = (
        f"{name}: {chosen}, chosen in English, has {_said(taken.home)} there and {_said(taken.as_is.macro_f1)} abroad"
    )
    start += f" (AUROC abroad {_said(taken.auroc)})"
    if taken.explanation == "nothing":
        return f"{start}: at {_said(taken.chance)} for chance there is nothing to lose."
    start += "." if taken.explanation == "small" else f": {_mended(taken)}."
    others = [d for d in found if d is not taken]
    fallen = [d for d in others if d.explanation not in ("small", "nothing")]
    if not fallen:
        return f"{start} No other pooling that tells anything in English loses more than {SMALL:g} abroad."
    each = "; ".join(_fall(d) for d in fallen)
    counts = Counter(d.explanation for d in fallen)
    most = [kind for kind, n in counts.items() if n == max(counts.values())]
    said = " or ".join(MENDED[kind] for kind in most)
    return (
        f"{start} Of the {len(others)} others {len(fallen)} lose more than {SMALL:g} abroad: {each}. What explains most of "
        f"them ({max(counts.values())} of {len(fallen)}): {said}."
    )


def _mended(found: Diagnosis) -> str:
    """What explains one pooling's fall, with the score that the repair reaches."""
    return f"{MENDED[found.explanation]} ({_said(found.repaired[_repair(found)].macro_f1)})"


def _repair(found: Diagnosis) -> str:
    """The repair that explains, or the best where none does."""
    if found.explanation in found.repaired:
        return found.explanation
    return max(found.repaired, key=lambda repair: found.repaired[repair].macro_f1)


def _fall(found: Diagnosis) -> str:
    name = _repair(found)
    repair = (
        f"{'mended by' if name == found.explanation else 'at best, by'} {name}: {_said(found.repaired[name].macro_f1)}"
    )
    fall = f"{_said(found.home)} to {_said(found.as_is.macro_f1)}"
    return f"{found.pooling} {fall} (AUROC abroad {_said(found.auroc)}; {repair})"


def _said(value: float) -> str:
    return f"{value:.3f}"


def spread(name: str, settings: Sequence[Mapping], chosen: Mapping, tied: int) -> str:
    """What the choice made in English is worth abroad. settings: those of one kind of features (`languages.every_setting`);
    tied: how many of them English validation cannot tell from the chosen one, that one included."""
    best = max(settings, key=lambda row: row["abroad"])
    taken = next(row for row in settings if (row["layer"], row["pooling"]) == (chosen["layer"], chosen["pooling"]))
    of = f"of the {len(settings) - 1} other settings"
    choice = (
        f"English validation cannot tell {tied - 1} {of} from the one it chose"
        if tied > 1
        else f"English validation tells all {of} from the one it chose"
    )
    place = f"layer {taken['layer']}, {taken['pooling']}, {_said(taken['abroad'])} abroad"
    low = _said(min(row["abroad"] for row in settings))
    end = (
        f"which is also the best abroad, where settings begin at {low}"
        if taken is best
        else f"which is not the best abroad, where settings range from {low} to {_said(best['abroad'])} "
        f"(layer {best['layer']}, {best['pooling']})"
    )
    return f"{name}: {choice} ({place}), {end}."


def nearly_as_well(difference: Difference, margin: float) -> str:
    """The small model's features against the large one's own, with a margin for "nearly as well"."""
    found = f"small minus own {numbers(difference)}; margin {margin:g}"
    if difference.low > 0:
        return f"The small model's SAE features are better than the large model's own ({found})."
    if difference.low > -margin:
        return f"The small model's SAE features predict the large model's answers nearly as well as its own ({found})."
    if difference.high <= -margin:
        return f"The small model's SAE features fall behind the large model's own by more than the margin ({found})."
    return f"Whether the small model's SAE features do nearly as well as the large model's own is undecided ({found})."


def signal(against: Mapping[str, Difference], names: Mapping[str, str]) -> str:
    """Which baselines the small model's SAE features beat. against: {baseline: difference}."""
    groups: dict[str, list[str]] = {ABOVE: [], UNDECIDED: [], BELOW: []}
    for baseline, difference in against.items():
        groups[outcome(difference)].append(f"{names[baseline]} ({numbers(difference)})")
    words = {ABOVE: "score above", UNDECIDED: "cannot be told apart from", BELOW: "score below"}
    said = "; they ".join(f"{words[kind]} {' and '.join(members)}" for kind, members in groups.items() if members)
    return f"The small model's SAE features {said}."


def images(hidden: Difference, random: Difference, untrained: Difference, what: str, n_draws: int) -> str:
    """SAE features against hidden states and the controls on images. what: "with all latents"."""
    first = {
        ABOVE: f"On images, {what}, text SAEs' features score above hidden states",
        BELOW: f"On images, {what}, text SAEs' features score below hidden states",
        UNDECIDED: f"On images, {what}, text SAEs' features cannot be told apart from hidden states",
    }[outcome(hidden)]
    second = {
        ABOVE: f"they score above {n_draws} random dictionaries: what the SAEs learned from texts counts",
        BELOW: f"they score below {n_draws} random dictionaries: what the SAEs learned from texts is a hindrance here",
        UNDECIDED: f"they cannot be told apart from {n_draws} random dictionaries: nothing shows that what the SAEs "
        "learned from texts counts",
    }[outcome(random)]
    third = {
        ABOVE: "they score above an untrained language model behind the same tower",
        BELOW: "they score below an untrained language model behind the same tower",
        UNDECIDED: "they cannot be told apart from an untrained language model behind the same tower",
    }[outcome(untrained)]
    return f"{first} ({numbers(hidden)}); {second} ({numbers(random)}); {third} ({numbers(untrained)})."


def off_text(of_images: Mapping[str, float], texts: float) -> str:
    """Whether image tokens are explained worse than texts. of_images: {set: fraction of variance unexplained}."""
    values = " and ".join(f"{_said(value)} ({name})" for name, value in of_images.items())
    found = f"{values} of the variance of image tokens unexplained, {_said(texts)} of that of the test messages above"
    if min(of_images.values()) > texts:
        return f"Image tokens are not what the SAE was trained on: its reconstruction leaves {found}."
    if max(of_images.values()) <= texts:
        return f"Image tokens are no stranger to the SAE than texts: its reconstruction leaves {found}."
    return f"Some image tokens are stranger to the SAE than texts, others not: its reconstruction leaves {found}."
