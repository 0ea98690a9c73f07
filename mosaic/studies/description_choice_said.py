"""What the chapter on choosing by descriptions says, chosen by its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mosaic.probing.scores import Difference
from mosaic.studies.description_choice_ways import (
    BY_DESCRIPTION,
    IN_SEQUENCE,
    L1,
    MEAN_DIFFERENCE,
    MRMR,
    MUTUAL_INFORMATION,
    RANDOM,
    SHUFFLED,
    THEN_DATA,
)
from mosaic.studies.few_labels_said import SAID
from mosaic.studies.gains import LOSS, TIE, WIN, outcome
from mosaic.studies.headline import numbers

SHOWN = {
    BY_DESCRIPTION: "their descriptions",
    IN_SEQUENCE: "their descriptions, one after another",
    THEN_DATA: "descriptions, then mean difference",
    SHUFFLED: "other latents' descriptions",
    RANDOM: "nothing, at random",
    MEAN_DIFFERENCE: "mean difference",
    L1: "L1",
    MUTUAL_INFORMATION: "mutual information",
    MRMR: "MRMR",
}


def levels(mean: Mapping[str, float], least: int, most: int, n_sets: int) -> str:
    """Macro-F1 with few labels. mean: {way: over sets and rates}. least, most: labelled texts, in the median set."""
    parts = [f"{SHOWN[way]} {value:.3f}" for way, value in mean.items()]
    return f"With {least} to {most} labelled texts (macro-F1 on test, mean over {n_sets} sets), latents chosen by {', by '.join(parts)}."


def answer(few: Mapping[str, Difference], n_sets: int) -> str:
    """few: {contrast: difference with few labels}."""
    data, l1 = few["description_minus_mean_difference"], few["description_minus_L1"]
    return (
        f"With few labels, latents chosen by their descriptions {SAID[outcome(data)]} those that mean difference chooses from the same "
        f"labels ({numbers(data)}). They {SAID[outcome(l1)]} those of L1 ({numbers(l1)}). Both are {f'means over {n_sets} sets' if n_sets > 1 else 'of one set'}."
    )


def with_all(full: Mapping[str, Difference]) -> str:
    data, l1 = full["description_minus_mean_difference"], full["description_minus_L1"]
    return (
        f"With all labels, latents chosen by description {SAID[outcome(data)]} those of mean difference ({numbers(data)}) and "
        f"{SAID[outcome(l1)]} those of L1 ({numbers(l1)})."
    )


def text(another: Difference, nothing: Difference) -> str:
    """Whether the words carry anything."""
    words = {
        WIN: "The words carry something: a latent's own description is worth more than another latent's",
        TIE: "That the words carry anything is not shown. A latent's own description is not told apart from another latent's",
        LOSS: "The words mislead: a latent's own description is worth less than another latent's",
    }[outcome(another)]
    drawn = {
        WIN: "Chosen by description, latents score above latents drawn at random",
        TIE: "That choosing by description is better than drawing latents at random is not shown",
        LOSS: "Chosen by description, latents score below latents drawn at random",
    }[outcome(nothing)]
    return f"{words} ({numbers(another)}). {drawn} ({numbers(nothing)})."


def by_set(found: Mapping[str, Difference]) -> str:
    """The two ends over the sets. found: {set: descriptions minus mean difference with few labels}."""
    ordered = sorted(found, key=lambda title: (round(found[title].difference, 9), title))
    worst, best = (f"{title} ({numbers(found[title])})" for title in (ordered[0], ordered[-1]))
    return (
        f"Set by set, descriptions minus mean difference with few labels reach from {worst} to {best}."
        if len(found) > 1
        else ""
    )


def overtaken(found: Mapping) -> str:
    """From how many labels on data is ahead. found: `overtaken`'s."""
    low, high = found["interval"]
    where = _range(low, high, found)
    if high is not None and high <= found["first"]:
        return f"Data is ahead at every number of labels tried; the fewest was {found['first']:,.0f}. Below how many descriptions win was not reached."
    if low is None:
        return f"Up to {found['last']:,.0f} labels, the most there are, data does not overtake descriptions for good ({where})."
    if high is None:
        return f"From how many labels on data is ahead is not told ({where})."
    if found["value"] is not None and found["value"] <= found["first"]:
        return f"Data is ahead at every number of labels tried, from {found['first']:,.0f} on; that it overtakes descriptions later is not ruled out ({where})."
    return f"Data is ahead for good from about {found['value']:,.0f} labels on ({where})."


def then_data(d: Difference) -> str:
    return f"Where descriptions leave a shortlist and mean difference chooses from it, the latents {SAID[outcome(d)]} those that mean difference chooses from all ({numbers(d)})."


def unnamed(titles: Sequence[str]) -> str:
    """Which sets are left out."""
    if not titles:
        return "Every set of this profile has classes with names."
    return f"Left out, since their classes have codes for names: {', '.join(titles)}."


def sequence(d: Difference) -> str:
    return f"Latents chosen by description one after another, without what repeats, {SAID[outcome(d)]} the ones with the best scores ({numbers(d)})."


def _range(low: float | None, high: float | None, found: Mapping) -> str:
    first = f"{found['first']:,.0f} or fewer" if low is not None and low <= found["first"] else _number(low, found)
    last = f"{found['first']:,.0f} or fewer" if high is not None and high <= found["first"] else _number(high, found)
    return f"95 %: {first}" if first == last else f"95 %: {first} to {last}"


def _number(value: float | None, found: Mapping) -> str:
    return f"more than {found['last']:,.0f}" if value is None else f"{value:,.0f}"
