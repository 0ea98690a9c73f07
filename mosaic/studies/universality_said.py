"""What the chapter on universal feature spaces says, chosen by its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mosaic.reporting.results import shown
from mosaic.studies.wording import between, sign, signed

NAMES = {"svcca": "SVCCA", "rsa": "RSA"}


def alike(first: str, second: str, found: Mapping[str, Mapping]) -> str:
    """Whether two feature spaces are more alike than a permuted pairing makes them. found: {svcca, rsa: summaries}."""
    said = []
    for measure, one in found.items():
        words = {
            "above": "above what a permuted pairing gives",
            "below": "below what a permuted pairing gives",
            "between": "not told apart from a permuted pairing",
        }[sign(one["interval"])]
        numbers = f"{one['value']:.3f}, permuted {round(one['null'], 3) + 0.0:.3f}; excess {signed(one['excess'])}, {between(one['interval'])}"
        said.append(f"{NAMES[measure]} is {words} ({numbers})")
    n = next(iter(found.values()))["n"]
    return f"{first} against {second}, {shown(n)} pairs: {'; '.join(said)}."


def grid(share: Mapping[str, Mapping]) -> str:
    """How many layer pairs are above chance. share: {svcca, rsa: {k, n}}."""
    parts = [f"{one['k']} of {one['n']} by {NAMES[measure]}" for measure, one in share.items()]
    return f"Of all pairs of layers, these are above a permuted pairing at a false-discovery rate of 5 %: {' and '.join(parts)}."


def control(name: str, found: Mapping) -> str:
    """The trained SAE's RSA beside a control's. found: their difference."""
    words = {"above": "more alike", "below": "less alike", "between": "not told apart"}[sign(found["interval"])]
    n, m = found["n_pairs"]
    return (
        f"Beside {name}, the trained SAE's space is {words} ({shown(found['of'])} against {shown(found['other'])}, on {n} and {m} "
        f"pairs; {signed(found['difference'])}, {between(found['interval'])})."
    )


def one_component(rows: Sequence[Mapping], main: Mapping, share: Mapping, best: float) -> str:
    """What the published code computed, and what it gives here. rows: {n_pairs, measured, theory}. main: of the middle layers;
    share: of the pairs of layers above a permuted pairing; best: the largest value."""
    parts = [f"{row['measured']:.4f} for {row['n_pairs']:,} pairs ({row['theory']:.4f} in theory)" for row in rows]
    words = {"above": "above", "below": "below", "between": "not told apart from"}[sign(main["interval"])]
    return (
        f"Permuted pairings of unrelated rows have a mean correlation of {' and '.join(parts)}. By that measure the middle layers "
        f"are {words} a permuted pairing here ({main['value']:.3f}, permuted {main['null']:.3f}), {share['k']} of {share['n']} "
        f"pairs of layers are above it, and the highest is {best:.3f}."
    )


def groups(found: Mapping[str, Mapping]) -> str:
    """Whether latents of one kind of factor are more alike than as many drawn from all."""
    if not found:
        return "Too few latents of a kind have a name here to compare kinds."
    words = {"above": "more alike", "below": "less alike", "between": "not told apart"}
    parts = [
        f"{name}: {words[sign(one['interval'])]} ({signed(one['difference'])}, {between(one['interval'])}; {one['n']} pairs)"
        for name, one in found.items()
    ]
    return f"RSA within a kind of factor, beside as many pairs drawn from all: {'; '.join(parts)}."
