"""What is said of binarisation in the place of feature selection, chosen by the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from mosaic.probing.scores import Difference
from mosaic.reporting.results import shown
from mosaic.studies import leads
from mosaic.studies.feature_selection_arms import NAMES
from mosaic.studies.headline import numbers

# What may be lost where performance is "maintained": about what the paper's own baseline moves by when it is retrained
# (.017 on average), rounded up. When it was written the mini's number was known, as its claim says.
MARGIN = 0.02


class HasRatio(Protocol):
    ratio: float
    interval: tuple


def maintains(d: Difference, n_sets: int) -> str:
    """All latents binarised minus all raw."""
    return _kept(d, "Binarising all latents", "no selection and no binarising", n_sets)


def replaces(d: Difference, n_sets: int, new: Difference | None) -> str:
    """All latents binarised minus the raw selection that validation chooses for each set."""
    said = _kept(d, "Binarising all latents", "the selection that validation chooses", n_sets)
    return said + leads.on_new_words(new)


def each(by_way: Mapping[str, Difference]) -> str:
    """All latents binarised minus each way of selection, raw."""
    return f"One by one, all latents binarised {_by_side(by_way, 'are above', 'are below', 'cannot be told from')}."


def worth(d: Difference) -> str:
    """The selection that validation chooses minus no selection, both raw."""
    by = numbers(d)
    return leads.side(
        d,
        above=f"Selection itself pays on these features: what validation chooses is ahead of all latents ({by}).",
        below=f"Selection itself costs on these features: what validation chooses is behind all latents ({by}).",
        level=f"Whether selection itself pays or costs on these features cannot be told (minus all latents, both raw, {by}).",
    )


def after(by_way: Mapping[str, Difference]) -> str:
    """{way: its latents binarised minus the same way's raw ones}."""
    words = ("helps after", "hurts after", "makes no difference that can be told after")
    return f"Done to selected latents, binarising {_by_side(by_way, *words)}."


def bytes_taken(ratio: HasRatio, binarised: float, chosen: float) -> str:
    """ratio: bytes of all latents binarised over those of the selection that validation chooses, raw; binarised, chosen:
    bytes per text."""
    low, high = ratio.interval
    by = f"{shown(ratio.ratio)} times the bytes"
    by += "" if low is None else f" (95 % {shown([low, high])})"
    sizes = f"{binarised:,.0f} bytes per text beside {chosen:,.0f}"
    if low is None:
        side = "less" if ratio.ratio < 1 else "more" if ratio.ratio > 1 else "as much"
        return f"On this one set all latents binarised take {side} room than the selection, raw: {sizes}."
    if high < 1:
        return f"All latents binarised take less room than the selection that validation chooses, raw: {sizes}, {by}."
    if low > 1:
        return f"All latents binarised take more room than the selection that validation chooses, raw: {sizes}, {by}."
    return f"Which takes less room cannot be told over sets: all latents binarised take {sizes} of the selection, {by}."


def both(d: Difference, binarised: float, chosen: float) -> str:
    """All latents binarised minus the chosen selection's latents binarised; bytes per text of both."""
    by, sizes = leads.told(d), f"{chosen:,.0f} bytes per text instead of {binarised:,.0f}"
    return leads.side(
        d,
        above=f"Binarising the selected latents takes {sizes}, and scores below binarising all: all are ahead by {by}.",
        below=f"Binarising the selected latents takes {sizes} and scores above binarising all: all are behind, {by}.",
        level=f"Binarising the selected latents takes {sizes}, and cannot be told from binarising all: all minus these {by}.",
    )


def latents(binarised: float, chosen: float, every: float) -> str:
    """Latents that have to be computed for a new text: binarised, of the selection, of no selection."""
    share = chosen / binarised
    less = (
        f"whoever selects needs {chosen:,.0f}, {shown(share)} of them"
        if share < 1
        else "a selection saves none of them"
    )
    return (
        f"Bytes are not all: binarising all still needs {binarised:,.0f} latents of a new text (of {every:,.0f} that are "
        f"ever active in training), and {less}."
    )


def _kept(d: Difference, what: str, other: str, n_sets: int) -> str:
    """Whether a score is kept against another within MARGIN, improved, lost, or none of these can be said."""
    by, over = leads.told(d), "on one set" if n_sets == 1 else f"on average over {n_sets} sets"
    if d.low > 0:
        return f"{what} improves on {other} {over}: {by}."
    if d.high < -MARGIN:
        return f"{what} loses more than {MARGIN} against {other} {over}: {by}."
    if d.low > -MARGIN:
        return f"{what} loses no more than {MARGIN} against {other} {over}: {by}."
    if d.high < 0:
        return f"{what} scores below {other} {over}; whether by more than {MARGIN} is open: {by}."
    return f"Whether {what[0].lower()}{what[1:]} loses no more than {MARGIN} against {other} is undecided {over}: {by}."


def _by_side(by_way: Mapping[str, Difference], above: str, below: str, level: str) -> str:
    """Ways with the differences, those of one outcome together: "are above L1 (...) and cannot be told from ..."."""
    groups: dict[str, list[str]] = {}
    for way, d in by_way.items():
        groups.setdefault(leads.side(d, above, below, level), []).append(f"{NAMES[way]} ({numbers(d)})")
    return _listed([f"{words} {_listed(ways)}" for words, ways in groups.items()])


def _listed(parts: list[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
