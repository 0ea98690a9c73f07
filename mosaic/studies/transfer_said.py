"""What the chapter on transfer says of the large model's answers, chosen by its numbers."""

from __future__ import annotations

from collections.abc import Mapping

from mosaic.probing.scores import Difference
from mosaic.studies.behaviour_said import listed
from mosaic.studies.headline import ABOVE, BELOW, UNDECIDED, numbers, outcome


def nearly_as_well(difference: Difference, margin: float) -> str:
    """The small model's features against the large one's own, with a margin for "nearly as well"."""
    found = f"macro-F1, small minus own {numbers(difference)}; margin {margin:g}"
    if difference.low > 0:
        return f"The small model's SAE features are better than the large model's own ({found})."
    if difference.low > -margin:
        return f"The small model's SAE features predict the large model's answers nearly as well as its own ({found})."
    if difference.high <= -margin:
        return f"The small model's SAE features fall behind the large model's own by more than the margin ({found})."
    if difference.high < 0:
        return (
            "The small model's SAE features fall behind the large model's own; whether by more than the margin is undecided "
            f"({found})."
        )
    return f"Whether the small model's SAE features do nearly as well as the large model's own is undecided ({found})."


def signal(against: Mapping[str, Difference], names: Mapping[str, str]) -> str:
    """Which baselines the small model's SAE features beat. against: {baseline: difference}."""
    groups: dict[str, list[str]] = {ABOVE: [], UNDECIDED: [], BELOW: []}
    for baseline, difference in against.items():
        groups[outcome(difference)].append(f"{names[baseline]} ({numbers(difference)})")
    words = {ABOVE: "score above", UNDECIDED: "cannot be told apart from", BELOW: "score below"}
    said = "; they ".join(f"{words[kind]} {listed(members)}" for kind, members in groups.items() if members)
    return f"By macro-F1, the small model's SAE features {said}."
