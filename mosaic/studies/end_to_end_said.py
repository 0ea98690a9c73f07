"""What the chapter on end-to-end SAEs says, chosen by its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mosaic.reporting.results import shown
from mosaic.studies.wording import between, side, sign, signed

NO_RANGE = "have no range of their curves in common, so nothing is said of them"


def at_equal(what: str, found: Mapping[str, Mapping]) -> str:
    """Ratios at equal something. what: "L0 at equal added cross-entropy"; found: {"e2e over local": {ratio, interval, range}}."""
    first, *rest = [_ratio(name, one) for name, one in found.items()]
    ranges = [
        f"{shown(one['range'][0])} to {shown(one['range'][1])}" for one in found.values() if one["ratio"] is not None
    ]
    where, order = what.rpartition("equal ")[2], ", in this order" if len(ranges) > 1 else ""
    read = f" The curves are read where {where} is {_listed(ranges)}{order}." if ranges else ""
    return f"{what}: {' '.join([first, *(f'{one[0].upper()}{one[1:]}' for one in rest)])}{read}"


def _ratio(name: str, one: Mapping) -> str:
    first, second = name.split(" over ")
    if one["ratio"] is None:
        return f"{first} and {second} {NO_RANGE}."
    words = {"above": "above", "below": "below", "between": "not told apart from", None: "beside"}
    where = words[_strictly(one["interval"], 1)]
    return f"that of {first} is {where} that of {second} ({shown(one['ratio'])} times it, {between(one['interval'])})."


def order(found: Mapping[str, Mapping]) -> str:
    """Is L0 at equal added cross-entropy ordered e2e < e2e+ds < local? found: ratios by pair."""
    places = {name: one["ratio"] is not None and _strictly(one["interval"], 1) for name, one in found.items()}
    if all(place == "below" for place in places.values()):
        return "The published order holds here: e2e needs the fewest latents, then e2e+ds, then local."
    if any(place == "above" for place in places.values()):
        turned = [name for name, place in places.items() if place == "above"]
        return f"The published order does not hold here. Turned round is {_listed([*map(_below, turned)])}."
    holding = [name for name, place in places.items() if place == "below"]
    open_ones = [name for name, place in places.items() if place != "below"]
    beside = f" As published: {_listed([*map(_below, holding)])}." if holding else ""
    return f"The published order of L0 holds in part at most.{beside} Undecided: {_listed([*map(_below, open_ones)])}."


def _below(name: str) -> str:
    """What is published of a pair: "e2e below local"."""
    return name.replace(" over ", " below ")


def agreement(found: Mapping[str, Mapping], differences: Mapping[str, Mapping]) -> str:
    """What seeds share, loss by loss. found: {loss: {shared_alive, random_dictionary, decoder_alone}}; differences: {"e2e minus local": ...}."""
    levels = ", ".join(f"{loss} {shown(one['shared_alive']['mean'])}" for loss, one in found.items())
    decoders = ", ".join(f"{loss} {shown(one['decoder_alone'])}" for loss, one in found.items())
    random = max(one["random_dictionary"]["shared_fraction"] for one in found.values())
    n = min(one["n_saes"] for one in found.values())
    parts = [_difference(name, one) for name, one in differences.items()]
    return (
        f"Of the latents that fire, pairs of {n} seeds share: {levels} (random dictionaries {shown(random)}). {' '.join(parts)} "
        f"By decoders alone: {decoders}."
    )


def geometry(found: Mapping[str, Mapping], differences: Mapping[str, Mapping]) -> str:
    """The mean largest cosine within an SAE. found: {loss: {nearest}}."""
    levels = ", ".join(f"{loss} {shown(one['nearest']['value'])}" for loss, one in found.items())
    parts = [_difference(name, one) for name, one in differences.items()]
    return f"The nearest other latent of the same SAE has a cosine of: {levels}. {' '.join(parts)}"


def _difference(name: str, one: Mapping) -> str:
    words = {"above": "is above 0", "below": "is below 0", "between": "is undecided", None: "has no interval"}
    return f"The difference {name} {words[sign(one['interval'])]} ({signed(one['difference'])}, {between(one['interval'], signed)})."


def probes(scores: Mapping[str, float], differences: Mapping[str, Mapping], n_sets: int) -> str:
    """Macro-F1 of probes on latents of each loss. scores: {loss: mean}; differences: {"e2e minus local": {difference, interval}}."""
    levels = ", ".join(f"{loss} {shown(value)}" for loss, value in scores.items())
    words = {"above": "better than", "below": "worse than", "between": "not told apart from"}
    parts = []
    for name, one in differences.items():
        first, second = name.split(" minus ")
        parts.append(
            f"The score of {first} is {words[sign(one['interval'])]} that of {second} ({signed(one['difference'])}, "
            f"{between(one['interval'], signed)})."
        )
    return f"Macro-F1 on test, mean over {n_sets} sets: {levels}. {' '.join(parts)}"


def alive(found: Mapping[str, Sequence[int]], width: int) -> str:
    """How many latents fire at all. found: {loss: [of each SAE along it]}."""
    parts = [
        f"{loss} {min(counts)}" if min(counts) == max(counts) else f"{loss} {min(counts)} to {max(counts)}"
        for loss, counts in found.items()
    ]
    return f"Of {width:,} latents, these fire on the texts read: {', '.join(parts)}."


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _strictly(interval: Sequence[float] | None, bound: float) -> str | None:
    """`side`, but an interval that ends at the bound is not below it."""
    where = side(interval, bound)
    return "between" if where == "below" and interval[1] == bound else where
