"""What the chapter on images says, chosen by its numbers: each sentence has a branch for every outcome."""

from __future__ import annotations

from collections.abc import Mapping

from mosaic import numerals
from mosaic.probing.scores import Difference
from mosaic.studies.headline import ABOVE, BELOW, SCORES, UNDECIDED, numbers, outcome


def images(hidden: Difference, random: Difference, untrained: Difference, what: str, n_draws: int) -> str:
    """SAE features against hidden states and the controls on images. what: "with all latents"."""
    first = {
        ABOVE: f"On images, {what}, text SAEs' features score above hidden states",
        BELOW: f"On images, {what}, text SAEs' features score below hidden states",
        UNDECIDED: f"On images, {what}, text SAEs' features cannot be told apart from hidden states",
    }[outcome(hidden)]
    second = {
        ABOVE: f"They score above {n_draws} random dictionaries",
        BELOW: f"They score below {n_draws} random dictionaries",
        UNDECIDED: f"They cannot be told apart from {n_draws} random dictionaries",
    }[outcome(random)]
    so = {
        ABOVE: "So what the SAEs learned from texts counts",
        BELOW: "So what the SAEs learned from texts is a hindrance here",
        UNDECIDED: "So nothing shows that what the SAEs learned from texts counts",
    }[outcome(random)]
    third = {
        ABOVE: "They score above an untrained language model behind the same tower",
        BELOW: "They score below an untrained language model behind the same tower",
        UNDECIDED: "They cannot be told apart from an untrained language model behind the same tower",
    }[outcome(untrained)]
    return f"{first} ({numbers(hidden)}). {second} ({numbers(random)}). {so}. {third} ({numbers(untrained)})."


def off_text(of_images: Mapping[str, float], texts: float) -> str:
    """Whether image tokens are explained worse than texts. of_images: {set: fraction of variance unexplained}."""
    *first, last = [f"{numerals.shown(value)} ({name})" for name, value in of_images.items()]
    values = f"{', '.join(first)} and {last}" if first else last
    found = f"{values} of the variance of image tokens unexplained, {numerals.shown(texts)} of that of test texts"
    if min(of_images.values()) > texts:
        return f"Image tokens are not what the SAE was trained on: its reconstruction leaves {found}."
    if max(of_images.values()) <= texts:
        return f"Image tokens are no stranger to the SAE than texts: its reconstruction leaves {found}."
    return f"Some image tokens are stranger to the SAE than texts, others not: its reconstruction leaves {found}."


def without_the_language_model(tower: Difference, pixels: Difference) -> str:
    """SAE features against what is there before the language model reads an image."""
    said = [
        f"{SCORES[outcome(difference)]} {name} ({numbers(difference)})"
        for name, difference in (("the vision tower's own features", tower), ("the pixels themselves", pixels))
    ]
    return f"Beside what no language model has read, text SAEs' features {said[0]} and {said[1]}."


def set_by_set(by_kind: Mapping[str, Mapping[str, Difference]]) -> str:
    """Where a mean hides sets that disagree. by_kind: {what, with its article: {set: SAE features minus it}}."""
    said = []
    words = {ABOVE: "ahead on", BELOW: "behind on", UNDECIDED: "not told apart on"}
    for kind, by_set in by_kind.items():
        sides = {side: [name for name, d in by_set.items() if outcome(d) == side] for side in words}
        parts = [f"{words[side]} {' and '.join(names)}" for side, names in sides.items() if names]
        said.append(f"against {kind}, {', '.join(parts)}")
    return f"Set by set, SAE features are: {'; '.join(said)}."
