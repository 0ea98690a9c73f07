"""Which colour, dash and marker stand for what: one table, the same in every chapter.

Three groups of hues that never meet: kinds of features; what is measured between dictionaries and models; a chapter's
own series, such as data sets, in their order. Every hue has at least 3:1 against white and against the dark page, the ink
of words 4.5:1 (on the dark page once `BRIGHTER` is applied, which the site's style sheet does).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mosaic.errors import MosaicError

INK = "#6c757f"  # words, axes and what knows nothing
BRIGHTER = 1.15  # brightness of figures on dark pages: no one ink has 4.5:1 on both
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D")


@dataclass(frozen=True)
class Look:
    """How one series is drawn. Two lines of equal values stay two: dash and marker differ as well.

    dash: "none" for marks that no line joins. hollow: unfilled marks, for what others found.
    """

    colour: str
    dash: str = "-"
    marker: str = "o"
    hollow: bool = False


TEAL, ORANGE, PURPLE, GREY, KHAKI, BLUE = "#2a9d8f", "#d96c2c", "#8e6bbf", "#808080", "#968a3a", "#3f7fbf"
CRIMSON, LIME, VIOLET, ROSE = "#c61e54", "#37a013", "#b40eae", "#c9708f"
ORDERED = ("#ea3f9f", "#22770a", "#504ff0", "#9c5313")

TABLE = {
    # Kinds of features, and what is put in their place
    "sae": Look(TEAL),
    "hidden": Look(ORANGE, "--", "s"),
    "tfidf": Look(PURPLE, "-.", "^"),
    "majority": Look(GREY, ":", "D"),
    "tree": Look(BLUE, (0, (6, 1, 1, 1)), "v"),
    "length": Look(KHAKI, (0, (1, 2)), "<"),
    "confidence": Look(BLUE, (0, (5, 1)), "*"),
    "random dictionary": Look(KHAKI, "--", "P"),
    "random language model": Look(KHAKI, ":", "X"),
    "SAE with a frozen decoder": Look(TEAL, "--", "v"),
    "SAE of an untrained model": Look(TEAL, ":", "X"),
    "threshold chosen on validation": Look(TEAL, "-", "D"),
    "threshold 1.0": Look(INK, "--", "s"),
    # What two dictionaries share
    "shared": Look(CRIMSON),
    "shared, alive only": Look(ROSE, "--", "s"),
    "mean matched cosine": Look(LIME, "-.", "^"),
    "they disagree": Look(LIME, "-", "s"),
    "this run": Look(CRIMSON, "-", "D"),
    "fit": Look(CRIMSON, ":", ""),
    # Architectures
    "TopK": Look(CRIMSON, "-", "v"),
    "relu": Look(LIME, "-", "o"),
    "gated": Look(VIOLET, "-", "D"),
    "jumprelu": Look(ROSE, "-", "P"),
    "batchtopk": Look(CRIMSON, "-", "X"),
    # What an SAE is trained to keep
    "local": Look(ROSE),
    "e2e": Look(LIME, "--", "s"),
    "e2e+ds": Look(VIOLET, "-.", "^"),
    # Models
    "mini-small": Look(VIOLET),
    "mini-large": Look(ROSE, "-.", "^"),
    # What knows nothing, and what others found
    "chance": Look(INK, "--", ""),
    "published": Look(INK, "-", "o", hollow=True),
    "published, Gemma 2": Look(INK, "none", "o", hollow=True),
    "published, Gemma 2: SAE features": Look(INK, "none", "D", hollow=True),
    "published, Gemma 2: hidden states": Look(INK, "none", "s", hollow=True),
}
ALIASES = {
    "SAE": "sae",
    "trained SAE": "sae",
    "hidden states": "hidden",
    "hidden units": "hidden",
    "random": "random dictionary",
    "all latents": "shared",
    "alive only": "shared, alive only",
    "decoder and encoder agree": "shared",
    "topk": "TopK",
    "standard": "relu",
    "local of equal L0": "local",
}


def looks(names: Sequence[str]) -> list[Look]:
    """The look of each series: the table's for a name it has, the next of the ordered ones for any other.

    "chance: shuffled" or "TopK, k = 8" go by their first words; several of one kind differ in dash and marker.
    Where every kind comes under the same conditions ("SAE, abroad", "hidden states, abroad"), a condition has one dash and
    marker, whatever the kind. Raises MosaicError where there are more series than can be told apart.
    """
    if crossed := _crossed(names):
        return crossed
    own = [name for name in names if known(name) is None]
    ordered = [Look(colour, *kind) for kind in zip(DASHES, MARKERS, strict=True) for colour in ORDERED]
    if len(own) > len(ordered):
        raise MosaicError(
            f"{len(own)} series in one figure cannot be told apart, {len(ordered)} can: {', '.join(own)}. "
            "Draw fewer, or one panel each."
        )
    places, taken, found = iter(ordered), set(), []
    for name in names:
        base = known(name)
        look = next(places) if base is None else TABLE[base]
        dashes = {"-": DASHES, "none": ("none",)}.get(look.dash, DASHES[1:])
        others = (replace(look, dash=dash, marker=look.marker and marker) for dash in dashes for marker in MARKERS)
        while look in taken:
            look = next(others, None)
            if look is None:
                raise MosaicError(f"too many series are called {base!r} to be told apart: {', '.join(names)}.")
        taken.add(look)
        found.append(look)
    return found


def _crossed(names: Sequence[str]) -> list[Look] | None:
    """Looks of series that are kinds times conditions, two of each or more: one colour a kind, one dash and marker a
    condition. None where the names are no such product."""
    parts = [(known(name), name.partition(", ")[2]) for name in names]
    kinds, conditions = list(dict.fromkeys(k for k, _ in parts)), list(dict.fromkeys(c for _, c in parts))
    if None in kinds or len(kinds) < 2 or not 2 <= len(conditions) <= len(MARKERS):
        return None
    if not len(parts) == len(set(parts)) == len(kinds) * len(conditions):
        return None
    shapes = dict(zip(conditions, zip(DASHES, MARKERS, strict=True), strict=False))
    found = [replace(TABLE[kind], dash=shapes[condition][0], marker=shapes[condition][1]) for kind, condition in parts]
    return found if len(set(found)) == len(found) else None  # two kinds may have one hue


def known(name: str) -> str | None:
    """The table's entry that a series' name is, or begins with before a comma, a colon or a bracket."""
    candidates = {**{key: key for key in TABLE}, **ALIASES}
    whole = [
        key for key in candidates if name == key or name.startswith(tuple(key + end for end in (": ", ", ", " (")))
    ]
    return candidates[max(whole, key=len)] if whole else None
