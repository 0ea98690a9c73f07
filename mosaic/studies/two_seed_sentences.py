"""What the chapter on two seeds says of its pairs, chosen by the intervals."""

from __future__ import annotations

from collections.abc import Mapping

from mosaic.agreement.resampling import Estimate, linear
from mosaic.agreement.stability import THRESHOLD
from mosaic.reporting.results import NOT_MEASURED, shown
from mosaic.studies.wording import between, side, signed


def disagree(found: Mapping) -> str:
    """Whether the threshold makes the clause on equal partners superfluous."""
    if not found["n"]:
        return "The two matchings disagree nowhere, so the threshold loses nothing."
    told = {
        "above": "so the threshold alone removes practically all of them",
        "below": "so the threshold alone does not remove them all: the clause on equal partners is needed",
        "between": "but whether that is more than 99 % cannot be told from so few",
    }[side(found["interval"], 0.99)]
    pairs = "one pair" if found["pairs"] == 1 else f"{found['pairs']} disjoint pairs"
    return (
        f"Where the two matchings disagree ({found['n']:,} latents of {pairs} of SAEs), "
        f"{shown(found['below'])} of the latents lie below {THRESHOLD:g} ({between(found['interval'])}), {told}."
    )


def minority(control: Mapping) -> str:
    """Whether two seeds share a minority of their latents."""
    told = {
        "above": "most of their latents",
        "below": "a minority of their latents",
        "between": "a part of their latents that cannot be told from one half",
        None: "a part of their latents for which one pair gives no interval",
    }[side(control["interval"], 0.5)]
    pairs = "pair" if control["pairs"] == 1 else f"{control['pairs']} pairs"
    return f"Over the {pairs} of seeds, two SAEs share {told}: {shown(control['shared'])} ({between(control['interval'])})."


def same_start(controls: Mapping[str, Mapping]) -> str:
    """Whether SAEs of one start that saw other texts look more alike than SAEs of other starts that saw the same."""
    if "same_start" not in controls:
        return f"SAEs of one start that saw other texts: {NOT_MEASURED}."
    same, other = (Estimate(one["shared"], one["se"], one["df"]) for one in (controls["same_start"], controls["seeds"]))
    difference = linear([(1, same), (-1, other)])
    told = {
        "above": "more than SAEs of other starts that saw the same texts: a common start alone looks like stability",
        "below": "no more than SAEs of other starts that saw the same texts",
        "between": "which cannot be told from SAEs of other starts that saw the same texts",
        None: "without an interval",
    }[side(difference.interval(), 0)]
    return (
        f"SAEs of one start that saw other texts share {shown(same.value)}, {told} (difference {signed(difference.value)}, "
        f"{between(difference.interval(), signed)})."
    )


def batches(same: bool | None) -> str:
    """Whether the seeds saw the same batches."""
    return {
        True: "A hash of every batch says that they saw the same activations in the same order.",
        False: "They did NOT see the same activations in the same order: the hashes of their cards differ.",
        None: f"Whether they saw the same activations in the same order is {NOT_MEASURED}: their cards have no hashes.",
    }[same]
