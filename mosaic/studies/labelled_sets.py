"""What is known of the miniature's labelled sets before any model reads them, and the sentences these numbers choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mosaic.reporting.results import shown
from mosaic.world import cues, sets

CUE_MESSAGES = 3000  # drawn to look for cues
CUE_BOUND = 0.72  # how often a cue may tell a told label: by design .70 at most in the long run, and a sample's play
COIN = 0.1  # what a reader or a code has less than this above one half, or above the largest class, counts as chance


def describe_set(name: str) -> dict:
    """One labelled set, in English: the share of its largest class; its best cues, in counts and in word order, each
    with its accuracy; what a reader reaches who adds all of them up; how far the corpus's log tells the label, by its
    verdict and by one code in its place; the ceilings; the share of test messages without a new word."""
    from mosaic.miniature.card import set_figures

    parts = sets.labelled(name)
    labels = [row.label for part in ("train", "validation", "test") for row in parts[part]]
    ranked = cues.cues(name, CUE_MESSAGES)
    count, accuracy = next(row for row in ranked if not row[0].startswith(cues.PLACES))
    order, in_order = next(row for row in ranked if row[0].startswith(cues.PLACES))
    log = cues.told_by_log(name, CUE_MESSAGES)
    return {
        "set": name,
        "told": sets.SETS[name].told,
        "why": sets.SETS[name].why,
        "largest class": largest_share(labels),
        "best count": count,
        "its accuracy": accuracy,
        "best order": order,
        "accuracy of order": in_order,
        "added up": cues.added_up(name, CUE_MESSAGES),
        "by the verdict": dict(log)["verdict"],
        "by one code": next(share for code, share in log if ": " in code),
        **{key.removesuffix(f" {name}"): value for key, value in set_figures(name).items()},
    }


# --- sentences that the numbers choose ---------------------------------------------------------------------------


def cues_sentence(rows: Sequence[Mapping]) -> str:
    """Does anything simple give a told label away? rows: of `describe_set`."""
    told = [row for row in rows if row["told"]]
    worst = max(told, key=_best_cue)
    added = max(told, key=lambda row: row["added up"])
    further = (
        f"A reader who weighs and adds up all counts and what stands in each place, without joining any, is right in "
        f"{shown(added['added up'])} at most ({added['set']})."
    )
    leaking = [row["set"] for row in told if _best_cue(row) > CUE_BOUND]
    if not leaking:
        return (
            f"No count, no pair of counts and no two things across the full stop tell a told label more often than "
            f"{shown(_best_cue(worst))} ({worst['set']}). {further}"
        )
    return (
        f"In {len(leaking)} of {len(told)} sets with a told label a cue gives it away more often than "
        f"{shown(CUE_BOUND)}: {', '.join(leaking)} (most in {worst['set']}, {shown(_best_cue(worst))}). {further}"
    )


def comparisons_sentence(rows: Sequence[Mapping]) -> str:
    """What words can say of the labels never told, which compare two statements."""
    never = [row for row in rows if not row["told"]]
    added = max(never, key=lambda row: row["added up"])
    fixed = [row["set"] for row in never if _best_cue(row) > CUE_BOUND]
    above = added["added up"] - added["largest class"]
    reach = (
        f"hardly more than the largest class ({shown(added['largest class'])})" if above < COIN else
        f"which is more than the largest class ({shown(added['largest class'])}): words alone tell part of it"
    )  # fmt: skip
    counted = (
        f"In {len(fixed)} of {len(never)} a pair of things looked up together fixes them, since a comparison is a matter "
        f"of odd and even ({', '.join(fixed)})." if fixed else "No pair of things looked up together fixes any."
    )  # fmt: skip
    return (
        f"The labels never told are comparisons. {counted} A reader who only adds up is right in "
        f"{shown(added['added up'])} at most ({added['set']}), {reach}."
    )


def log_sentence(rows: Sequence[Mapping]) -> str:
    """Are the told labels in the log, and the others not?"""
    told, never = ([row for row in rows if row["told"] is kind] for kind in (True, False))
    least, most = min(row["by the verdict"] for row in told), max(row["by the verdict"] for row in never)
    code = max(row["by one code"] for row in never)
    written = (
        f"The verdict of the log gives every told label ({shown(least)})" if least == 1 else
        f"The verdict of the log gives told labels in {shown(least)} of the messages at least"
    )  # fmt: skip
    silent = max(most, code) < 0.5 + COIN
    return (
        f"{written}; {'it says next to nothing of' if silent else 'but it tells part of'} those never told: the "
        f"verdict {shown(most)} at most, one code in its place {shown(code)}, where a coin has about one half."
    )


def unchanged_sentence(rows: Sequence[Mapping]) -> str:
    """Which test messages have no new word."""
    same = {row["set"]: row["no new word"] for row in rows if row["no new word"] > 0}
    if not same:
        return "Every test message has a new word."
    shares = ", ".join(f"{shown(share)} in {name}" for name, share in same.items())
    return f"Test messages that have no word to change stay as they are ({shares}); all others have a new word."


def _best_cue(row: Mapping) -> float:
    return max(row["its accuracy"], row["accuracy of order"])


def largest_share(labels: Sequence[str]) -> float:
    """Share of the most frequent label."""
    return max(labels.count(label) for label in set(labels)) / len(labels)
