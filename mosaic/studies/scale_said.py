"""What the numbers on depth and scale say: each sentence is chosen by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mosaic import numerals
from mosaic.probing.scores import Difference
from mosaic.reporting import plots
from mosaic.reporting.results import shown
from mosaic.studies import leads
from mosaic.studies.leads import Choice
from mosaic.texts.labelled import NEW


class Place(NamedTuple):
    """Where validation chooses to read one model's SAE features. again: share of draws of the sets with the same choice."""

    layer: str
    depth: float
    third: str
    again: float


def thirds_sentence(choice: Choice, thirds: Mapping[str, str]) -> str:
    """Which third of the blocks is best for hidden states. thirds: {block: early, middle or late}.

    The chosen block is held against its strongest rival outside its own third: neighbours may well be as good.
    """
    here = thirds[choice.winner]
    over = {} if choice.lead is None else {b: d for b, d in choice.lead.over.items() if thirds[b] != here}
    if not over:
        return "All blocks lie in one third of this model's depth, so that thirds are not compared."
    rival = min(over, key=lambda block: over[block].low)
    other, by, chosen = f"block {rival} ({thirds[rival]})", leads.told(over[rival]), f"block {choice.winner} ({here})"
    return leads.side(
        over[rival],
        above=f"The {here} third of the blocks is best: {chosen} leads every block outside it, the strongest, {other}, by {by}.",
        below=f"No third of the blocks is best: validation chooses {chosen}, which is behind {other}, {by}.",
        level=f"Which third of the blocks is best is undecided: validation chooses {chosen}, which cannot be told from {other}, "
        f"{by}.",
    )


def beyond_sentence(block: str, layer: str, beyond: Difference | None) -> str:
    """What is missed by reading only layers with an SAE. beyond: the best of all blocks minus the best of those, on test."""
    if beyond is None:
        return f"Nothing is missed by reading only layers with an SAE: of all blocks validation chooses one of them, {block}."
    by = f"block {block} minus layer {layer} is {leads.told(beyond)}"
    return leads.side(
        beyond,
        above=f"Something is missed by reading only layers with an SAE: {by}.",
        below=f"Nothing is missed by reading only layers with an SAE; the block chosen of all is the worse one on test: {by}.",
        level=f"Whether anything is missed by reading only layers with an SAE cannot be told: {by}.",
    )


def no_pair_sentence(profile: str) -> str:
    return f"The profile {profile} names no larger model (key `larger`), so that there is no pair to compare here."


def larger_sentence(features: str, large: str, small: str, d: Difference, new: Difference | None) -> str:
    """Whether the larger model's features classify better. d: larger minus smaller, each at its chosen layer; new: the same
    on new words."""
    of = plots.NAMES[features]
    by = f"{leads.told(d)}" + (f"; on {NEW} {leads.told(new)}" if new else "")
    return leads.side(
        d,
        above=f"The {of} of {large}, the larger model, classify better than those of {small}: {by}.",
        below=f"The {of} of {large}, the larger model, classify worse than those of {small}: {by}.",
        level=f"The {of} of {large}, the larger model, cannot be told from those of {small}: {by}.",
    )


def position_sentence(places: Mapping[str, Place]) -> str:
    """Whether both models' SAE features are read in the same third of their depth, and how sure each choice is.

    places: {model: where validation reads it}, two of them.
    """
    said = " and ".join(
        f"layer {at.layer} of {model} ({at.third}: {shown(at.depth)} of its blocks are passed there; chosen again in "
        f"{numerals.share(at.again)} of the draws of other sets)"
        for model, at in places.items()
    )
    same = len({at.third for at in places.values()}) == 1
    which = "the same third" if same else "different thirds"
    return f"Validation reads SAE features in {which} of the two models: {said}."
