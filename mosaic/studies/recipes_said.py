"""What the chapter on recipes says, chosen by its numbers."""

from __future__ import annotations

from collections.abc import Mapping

from mosaic.reporting.results import NOT_MEASURED, shown
from mosaic.studies.recipes_read import ARCHETYPAL, COMMON
from mosaic.studies.wording import between, sign, signed

CLOSE_L0 = 0.10  # of TopK's
CLOSE_FVU = 0.02


def agree(found: Mapping[str, Mapping], what: str) -> str:
    """Which recipes' seeds agree more than TopK's. found: {recipe: difference to TopK's}."""
    groups: dict[str | None, list[str]] = {}
    for name, one in found.items():
        groups.setdefault(sign(one["interval"]), []).append(f"{_named(name)} ({_difference(one)})")
    words = {
        "above": "These agree more than TopK's",
        "below": "These agree less than TopK's",
        "between": "These are not told apart from TopK's",
        None: "These give no interval",
    }
    parts = [f"{text}: {_listed(groups[key])}." for key, text in words.items() if key in groups]
    return f"Each recipe's seeds are set beside TopK's by their {what}. {' '.join(parts)}"


def both(found: Mapping[str, tuple[Mapping, Mapping]]) -> str:
    """Whether recipes whose decoders agree more share more latents, too. found: {recipe: differences of PW-MCC and of shared}."""
    more = {name: shared for name, (cosine, shared) in found.items() if sign(cosine["interval"]) == "above"}
    if not more:
        return "No recipe's decoders agree more than TopK's."
    words = {
        "above": "share more latents than TopK's",
        "below": "share fewer latents than TopK's",
        "between": "share neither more nor fewer latents than TopK's that can be told",
        None: "share latents, beside TopK's, without an interval",
    }
    parts = [
        f"Seeds of {_named(name)} {words[sign(one['interval'])]} ({_difference(one)})." for name, one in more.items()
    ]
    return (
        "A latent is shared where its encoder and its decoder both find the same partner. Take the recipes whose decoders agree "
        f"more than TopK's. {' '.join(parts)}"
    )


def comparable(found: Mapping[str, tuple[float, float]], base: str) -> str:
    """Which recipes reach TopK's L0 and FVU. found: {recipe: (L0, FVU)}, `base` among them."""
    l0, fvu = found[base]
    off = [
        f"{name} (L0 {shown(float(a))}, FVU {shown(float(b))})"
        for name, (a, b) in found.items()
        if abs(a / l0 - 1) > CLOSE_L0 or abs(b - fvu) > CLOSE_FVU
    ]
    start = f"TopK has L0 {shown(float(l0))} and leaves {shown(float(fvu))} of the variance unexplained."
    if not off:
        return f"{start} All others are within {CLOSE_L0:.0%} of that L0 and within {CLOSE_FVU} of that FVU."
    return (
        f"{start} Not comparable (off by more than {CLOSE_L0:.0%} of L0 or {CLOSE_FVU} of FVU): {_listed(off)}. What sets their "
        "agreement apart may be what sets their reconstruction apart."
    )


def conversion(found: Mapping | None) -> str:
    """What one threshold in TopK's place does."""
    if found is None:
        return f"What conversion does is {NOT_MEASURED}."
    change = found["fvu_change"]
    words = {
        "above": "more is left unexplained",
        "below": "less is left unexplained",
        "between": "no change can be told",
    }
    told = words.get(sign(change["interval"]), "a point estimate")
    return (
        f"After conversion {shown(found['l0'])} latents are active on average, {shown(found['l0_ratio']['mean'])} times TopK's "
        f"({between(found['l0_ratio']['interval'])}), but with a standard deviation of {shown(found['l0_sd_by_token'])} from token to "
        f"token; FVU changes by {signed(change['mean'])} ({told}; {between(change['interval'], signed)})."
    )


def annealing(found: Mapping | None) -> str:
    """Whether annealing K leaves fewer dead latents."""
    if found is None:
        return f"What annealing does is {NOT_MEASURED}."
    fewer = found["fewer_dead"]
    words = {
        "above": "Annealing K leaves fewer dead latents",
        "below": "Annealing K leaves more dead latents",
        "between": "Whether annealing K leaves fewer dead latents cannot be told",
    }
    told = words.get(sign(fewer["interval"]), "From so few seeds no interval can be had")
    return (
        f"{told}: {shown(found['dead_with'])} of them with it, {shown(found['dead_without'])} without (difference "
        f"{signed(fewer['mean'])}, {between(fewer['interval'], signed)})."
    )


def ordered(found: Mapping | None) -> str:
    """Whether a Matryoshka SAE's latents stand in the same order in every seed."""
    if found is None:
        return f"The order of latents is {NOT_MEASURED}."
    words = {
        "above": "more in one order than TopK's",
        "below": "less in one order than TopK's",
        "between": "not told apart from TopK's in their order",
    }
    told = words.get(sign(found["minus_topk"]["interval"]), "without an interval")
    said = f"Matryoshka's latents are {told}: {shown(found['order']['mean'])} against {shown(found['order_of_topk']['mean'])}."
    if found["topk_by_frequency"] is None:
        return said
    return f"{said} Numbered by how often they fire, TopK's latents have an order, too: {shown(found['topk_by_frequency']['mean'])}."


def archetypal(against: Mapping[str, Mapping], centroids: Mapping | None, learned: Mapping | None) -> str:
    """What of an archetypal dictionary's agreement its centroids give. against: differences to TopK, by recipe. learned: of
    the one with centroids of its own, to such centroids alone."""
    own, common = against.get(ARCHETYPAL), against.get(COMMON)
    if own is None or common is None or centroids is None or learned is None:
        return f"How much of archetypal dictionaries' agreement the centroids give is {NOT_MEASURED}."
    beside = {
        "above": "agree more than TopK's",
        "below": "agree less than TopK's",
        "between": "are not told apart from TopK's",
        None: "give no interval beside TopK's",
    }
    where = sign(learned["interval"])
    learning = {
        "above": "Learning adds to it",
        "below": "Learning takes from it",
        "between": "That learning changes it cannot be told",
        None: "What learning does to it has no interval",
    }[where]
    given = " So what these seeds agree on was given to them." if where == "below" else ""
    return (
        f"With the same centroids for every seed, archetypal decoders {beside[sign(common['pw_mcc']['interval'])]} "
        f"({_difference(common['pw_mcc'])}). With centroids of their own, they {beside[sign(own['pw_mcc']['interval'])]} "
        f"({_difference(own['pw_mcc'])}). Centroids of two draws alone, before anything is learned, have a mean matched cosine of "
        f"{shown(centroids['mean'])}. {learning} ({_difference(learned)}).{given}"
    )


def probes(found: Mapping) -> str:
    """Whether the probes of the most stable recipe agree more than TopK's."""
    if found["recipe"] is None:
        return "No recipe's seeds agree more than TopK's, so whether probes follow is not to be seen here."
    one = found["probes_agree"]
    words = {"above": "agree more", "below": "agree less", "between": "are not told apart", None: "give no interval"}
    return (
        f"The recipe whose seeds agree most is {found['recipe']}. Beside TopK's, its probes {words[sign(one['interval'])]}: two seeds say "
        f"the same of {shown(found['of'])} of the test texts, TopK's of {shown(found['topk'])} ({_difference(one)})."
    )


def _difference(one: Mapping) -> str:
    return f"{signed(one['difference'])}, {between(one['interval'], signed)}"


def _named(recipe: str) -> str:
    """A recipe's title among others: its comma would read as one more recipe."""
    return recipe.replace(", ", " with ")


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
