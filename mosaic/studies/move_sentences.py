"""What the chapter on what moves agreement says of its sweeps, chosen by the intervals."""

from __future__ import annotations

from collections.abc import Mapping

from mosaic.reporting.results import NOT_MEASURED, shown
from mosaic.studies.moves import NOT_COMPARABLE, NOT_VARIED
from mosaic.studies.wording import between, side, sign, signed

MOVED = {
    "above": "rises",
    "below": "falls",
    "between": "goes",
    None: "goes",
}
UNTOLD = {
    "between": ", which so few SAEs cannot tell from no change",
    None: ", without an interval",
}
NAMES = {"relu": "ReLU", "gated": "gated"}


def moved(found: Mapping, what: str) -> str:
    """Along one sweep: does the shared fraction rise, fall, or can it not be told? what: with %s for its two ends."""
    if found["start"] == NOT_VARIED:
        return f"{what % ('...', '...')}: not varied on this profile."
    where = side(found["interval"], 0)
    return (
        f"{what % (found['from'], found['to'])} the shared fraction {MOVED[where]} from {shown(found['start'])} to "
        f"{shown(found['end'])}{UNTOLD.get(where, '')} (difference {signed(found['difference'])}, "
        f"{between(found['interval'], signed)})."
    )


def best_layer(found: Mapping) -> str:
    """Which layer agrees most, where its lead is one, and whether the first agrees least."""
    if found["best"] == NOT_VARIED:
        return "Layers: not varied on this profile."
    lead, below = found["lead"], found["first_below"]
    told = f"lead {signed(lead['difference'])}, {between(lead['interval'], signed)}"
    best, second = found["best"], found["runner_up"]
    first = {
        "above": f"Layer {best} agrees most ({told} over layer {second}).",
        None: f"Layer {best} agrees most and layer {second} next, without an interval ({signed(lead['difference'])}).",
    }.get(side(lead["interval"], 0), f"Layers {best} and {second} agree most and cannot be told apart ({told}).")
    said = {
        "above": "less than every other layer",
        "below": "more than some other layer",
        "between": "perhaps less than every other layer, but that cannot be told",
        None: "less than every other layer, without an interval" if below["difference"] > 0 else "not the least",
    }[sign(below["interval"])]
    return (
        f"{first} Layer {found['from']} shares {said} (the least difference {signed(below['difference'])}, "
        f"{between(below['interval'], signed)})."
    )


def against_topk(found: Mapping) -> str:
    """ReLU and gated SAEs against TopK SAEs of their L0: each by the share, ReLU by the mean matched cosine too."""
    missing = found["relu_and_gated_over_topk"]["difference"]
    if missing == NOT_VARIED:
        return "Architectures: neither ReLU nor gated SAEs are in this sweep."
    if missing == NOT_COMPARABLE:
        return "Architectures: no TopK SAEs of the L0 of ReLU or gated ones are in this sweep, so nothing is compared."
    words = {
        "above": "share more than TopK SAEs",
        "below": "share less than TopK SAEs",
        "between": "cannot be told from TopK SAEs",
        None: "differ, without an interval, from TopK SAEs",
    }
    parts = [
        f"{NAMES[name]} SAEs {words[sign(one['interval'])]} ({signed(one['difference'])}, "
        f"{between(one['interval'], signed)})"
        for name, one in found["each"].items()
    ]
    text = f"At equal L0, {' and '.join(parts)}."
    both = found["relu_and_gated_over_topk"]
    if len(parts) > 1 and both["interval"]:
        text += (
            f" These intervals are each of one difference; for the lesser of the two, one that answers for both at once is "
            f"wider ({signed(both['difference'])}, {between(both['interval'], signed)}), and the claims page judges by that. "
            "TopK's own spread is in all of them."
        )
    cosine = found["topk_over_relu_pw_mcc"]
    if isinstance(cosine["difference"], str):
        return text
    told = {
        "above": "TopK SAEs agree more than ReLU ones",
        "below": "TopK SAEs agree less than ReLU ones",
        "between": "TopK SAEs and ReLU ones cannot be told apart",
        None: "TopK SAEs and ReLU ones differ, without an interval",
    }[sign(cosine["interval"])]
    return (
        f"{text} By mean matched cosine {told} (TopK minus ReLU {signed(cosine['difference'])}, "
        f"{between(cosine['interval'], signed)})."
    )


def batches(same: bool | None) -> str:
    """Whether the seeds of each setting saw the same batches."""
    return {
        True: "the seeds of each setting saw the same batches in the same order: a hash of every batch says so",
        False: "the seeds of a setting did NOT see the same batches: the hashes of their cards differ",
        None: f"whether the seeds of each setting saw the same batches is {NOT_MEASURED}: their cards have no hashes",
    }[same]
