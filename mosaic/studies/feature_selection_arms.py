"""The arms of feature selection, by key, in the order in which they are shown, and their names."""

from __future__ import annotations

from mosaic.probing.narrowed import L1, MEAN_DIFFERENCE, MUTUAL_INFORMATION, WAYS

NO_SELECTION, BINARISED, PUBLISHED, CHOSEN = "all", "all_binarised", "all_published", "chosen"
NAMES = {
    NO_SELECTION: "no selection",
    L1: "L1",
    MEAN_DIFFERENCE: "mean difference",
    MUTUAL_INFORMATION: "mutual information",
    CHOSEN: "selection chosen on validation",
}


def binarised(way: str) -> str:
    """The arm whose columns a way chooses and which reads them as on or off."""
    return f"{way}_binarised"


ARMS = (
    NO_SELECTION,
    BINARISED,
    PUBLISHED,
    *(arm for way in WAYS for arm in (way, binarised(way))),
    CHOSEN,
    binarised(CHOSEN),
)
SAME = (CHOSEN, binarised(CHOSEN))  # arms that on each set are another one


def form(arm: str) -> str:
    """How an arm's values are read: raw, binarised, binarised at 1.0."""
    return "binarised at 1.0" if arm == PUBLISHED else "binarised" if arm.endswith("_binarised") else "raw"


def way(arm: str) -> str:
    """The name of how an arm's latents are chosen."""
    return NAMES[NO_SELECTION if arm == PUBLISHED else arm.removesuffix("_binarised")]


def named(arm: str) -> str:
    """`L1, binarised`"""
    return f"{way(arm)}, {form(arm)}"
