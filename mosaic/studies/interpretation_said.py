"""What the chapter on explanations says, chosen by its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mosaic import numerals
from mosaic.reporting.results import shown
from mosaic.studies.interpretation_labels import BOTH, INPUT, PROJECTED, SHUFFLED
from mosaic.studies.interpretation_sets import RANDOM, TRAINED, UNITS, UNTRAINED
from mosaic.studies.wording import between, sign, signed

NAMES = {
    UNITS: "hidden units",
    RANDOM: "random dictionaries",
    UNTRAINED: "an SAE of the untrained model",
}
ASKED = {
    "detection": "Detection",
    "near": "Detection among contexts with much the same words",
    "fuzzing": "Fuzzing",
}


def compared(score: str, sets: Mapping[str, Mapping], minus: Mapping[str, Mapping]) -> str:
    """A trained SAE's latents beside each control, by one score."""
    words = {"above": "the trained SAE's is higher", "below": "the trained SAE's is lower", "between": "not told apart"}
    parts = [
        f"{called} {shown(sets[name][score]['value'])} ({words[sign(one['interval'])]}: {signed(one['difference'])}, {between(one['interval'])})"
        for name, called in NAMES.items()
        if name in minus
        for one in [minus[name][score]]
    ]
    return f"{ASKED[score]}, median latent: trained SAE {shown(sets[TRAINED][score]['value'])}; {'; '.join(parts)}."


def lead(sets: Mapping[str, Mapping], minus: Mapping[str, Mapping]) -> str:
    """What came out, score by score: where the trained SAE's median latent is above, below or not told apart."""
    return " ".join(_lead(score, sets, minus) for score in ASKED)


def _lead(score: str, sets: Mapping[str, Mapping], minus: Mapping[str, Mapping]) -> str:
    words = {"above": "above", "below": "below", "between": "not told apart from"}
    groups: dict[str, list[str]] = {}
    by = f"{ASKED[score][0].lower()}{ASKED[score][1:]}"
    for name, called in NAMES.items():
        if name in minus:
            place = words[sign(minus[name][score]["interval"])]
            groups.setdefault(place, []).append(f"{called} ({shown(sets[name][score]['value'])})")
    told = " ".join(f"It is {place} {_listed(names)}." for place, names in groups.items())
    return f"By {by}, a trained SAE's median latent has {shown(sets[TRAINED][score]['value'])}. {told}"


def at_equal_rates(found: Mapping[str, Mapping]) -> str:
    """Whether scores are as they are because latents fire more or less often. found: {control: {score: difference}}."""
    words = {"above": "above", "below": "below", "between": "not told apart from"}

    def of(score: str) -> str:
        parts = [
            f"{words[sign(one['interval'])]} {called} ({signed(one['difference'])}, {between(one['interval'])})."
            for name, called in NAMES.items()
            if (one := found.get(name, {}).get(score))
        ]
        return f"The trained SAE's {score} is {' It is '.join(parts)}"

    scores = [score for score in ("detection", "fuzzing") if any(score in one for one in found.values())]
    return f"Each latent is set beside one that fires equally often. {' '.join(map(of, scores))}"


def chance(found: Mapping[str, Mapping]) -> str:
    """Whether another latent's explanation is worth nothing."""
    parts = []
    for score in ("detection", "fuzzing"):
        low, high = found[score]["interval"]
        words = {"above": "above chance", "below": "below chance", "between": "at chance"}[
            sign([low - 0.5, high - 0.5])
        ]
        parts.append(f"{shown(found[score]['value'])} in {score} ({words}; {between(found[score]['interval'])})")
    return f"By the explanation of another latent, the median is {' and '.join(parts)}."


def deciles(fall: Mapping) -> str:
    """Whether weak activations are harder to tell."""
    words = {
        "below": "Weak activations are harder to tell than strong ones",
        "above": "Weak activations are easier to tell than strong ones",
        "between": "Weak and strong activations are told equally well, as far as this can say",
    }[sign(fall["interval"])]
    return f"{words}: from the strongest tenth to the weakest, detection changes by {signed(fall['value'])} ({between(fall['interval'])})."


def agreement(found: Mapping[str, Mapping]) -> str:
    """How far detection and fuzzing rank latents alike."""
    one = found["detection and fuzzing"]
    if one["value"] is None:
        return "Too few latents were judged to say whether scores agree."
    words = {
        "above": "rank latents alike",
        "below": "rank latents against one another",
        "between": "are not shown to rank latents alike",
    }
    said = f"Detection and fuzzing, which share one rule, {words[sign(one['interval'])]}: Spearman's correlation is {shown(one['value'])} ({between(one['interval'])}; {one['n']:,} latents)."
    rest = {
        pair: other for pair, other in found.items() if pair != "detection and fuzzing" and other["value"] is not None
    }
    if not rest:
        return said
    alike = [f"{pair} ({shown(other['value'])})" for pair, other in rest.items() if sign(other["interval"]) == "above"]
    n = max(other["n"] for other in rest.values())
    told = f"do so too: {', '.join(alike)}" if alike else "are shown to do so"
    return f"{said} Of the other {len(rest)} pairs of scores, on {n} latents, {len(alike) or 'none'} {told}."


def labels(share: Mapping[str, Mapping], minus: Mapping[str, Mapping]) -> str:
    """How often a label is right, and which side is right more often."""
    if not share:
        return "What the texts are about is not known on this profile, so no label can be right or wrong."
    said = f"Of the {share[INPUT]['n']} latents that track a factor, the label by what they fire on names it for {_share(share[INPUT])}"
    if PROJECTED in share:
        said += f", the one by what their decoder row writes for {_share(share[PROJECTED])}, both together for {_share(share[BOTH])}"
    said += f" (another latent's label: {_share(share[SHUFFLED])})." if SHUFFLED in share else "."
    key = f"{BOTH} minus {INPUT}"
    if key in minus:
        words = {
            "above": "are right more often than",
            "below": "are right less often than",
            "between": "are not told apart from",
        }
        parts = [
            f"{words[sign(minus[k]['interval'])]} {name} ({signed(minus[k]['value'])}, {between(minus[k]['interval'])})"
            for k, name in ((key, "what they fire on alone"), (f"{BOTH} minus {PROJECTED}", "what they write alone"))
        ]
        said += f" Both together {' and '.join(parts)}."
    return said


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _share(one: Mapping) -> str:
    return numerals.share(one["value"])
