"""What changes when an SAE learns image tokens themselves: beside the one of texts, at one layer, by one recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mosaic import numerals
from mosaic.probing import examine, scores
from mosaic.probing.scores import Difference
from mosaic.probing.selection import Result
from mosaic.profiles.profile import Profile
from mosaic.reporting import tables
from mosaic.studies.headline import ABOVE, BELOW, UNDECIDED, numbers, outcome
from mosaic.studies.image_problems import Images, image_token_sae, text_sae, unexplained_by
from mosaic.studies.language_scores import every_pooling

TEXTS, IMAGES = "SAE of texts", "SAE of image tokens"
NONE_HERE = "This profile names no SAE that learned image tokens, so what learning them would change is not measured."


@dataclass(frozen=True)
class TwoSAEs:
    """Two SAEs of one layer, width and recipe on one set of images; each has every pooling to choose from.

    labels: of the test images. full, few: {TEXTS, IMAGES: the chosen result}, with all latents and with few. unexplained:
    {TEXTS, IMAGES: fraction of variance unexplained of the first test images' tokens}.
    """

    labels: np.ndarray
    full: dict[str, Result]
    few: dict[str, Result]
    unexplained: dict[str, float]

    def summary(self) -> dict:
        return {
            which: {"all": self.full[which].row(), "few": self.few[which].row(), "unexplained": self.unexplained[which]}
            for which in self.full
        }


def compare(profile: Profile, name: str, few: int, device: str = "cpu") -> TwoSAEs:
    """Both SAEs on a set of images by name, at the profile's middle layer; few: latents kept."""
    shown = Images.load(profile, name, device)
    sources = {TEXTS: text_sae(profile), IMAGES: image_token_sae(profile)}
    problems = {which: shown.read_by(source) for which, source in sources.items()}
    full = {which: every_pooling(problem)[0] for which, problem in problems.items()}
    return TwoSAEs(
        shown.test.labels,
        full,
        {which: examine.k_sparse_at(problems[which], result, few) for which, result in full.items()},
        {which: unexplained_by(source, shown) for which, source in sources.items()},
    )


def minus(sets: Mapping[str, TwoSAEs], which: str) -> Difference:
    """Macro-F1 of the SAE of image tokens minus that of texts, mean over the sets; the interval is over images.

    which: "full" or "few".
    """
    return scores.compare_draws(
        [
            (one.labels, *([getattr(one, which)[sae].predicted] for sae in (IMAGES, TEXTS)), None)
            for one in sets.values()
        ]
    )


def summary(sets: Mapping[str, TwoSAEs], layer: int) -> dict:
    if not sets:
        return {"layer": layer, "sets": {}}
    return {
        "layer": layer,
        "sets": {name: one.summary() for name, one in sets.items()},
        "minus": minus(sets, "full").summary(),
        "few_minus": minus(sets, "few").summary(),
        "unexplained": _unexplained(sets),
    }


def sentence(sets: Mapping[str, TwoSAEs], k: int) -> str:
    """What learning image tokens changes: how much of their variance is explained, and probes on all latents and on k."""
    if not sets:
        return NONE_HERE
    left = _unexplained(sets)
    head = (
        f"An SAE of image tokens leaves {numerals.shown(left[IMAGES])} of their variance unexplained, the one of texts "
        f"{numerals.shown(left[TEXTS])} (means over the sets)"
    )
    said = {ABOVE: "scores higher", BELOW: "scores lower", UNDECIDED: "cannot be told from it"}
    parts = [
        f"with {size} it {said[outcome(d)]} ({numbers(d)})"
        for size, d in (("all latents", minus(sets, "full")), (f"{k} latents", minus(sets, "few")))
    ]
    return f"{head}; as features of probes, {', and '.join(parts)}."


def table(sets: Mapping[str, TwoSAEs]) -> tables.Html:
    """Macro-F1 of either SAE, with all latents and with few, and what each leaves unexplained; a row a set and SAE."""
    rows = [
        {
            "set": name,
            "sae": sae,
            "all": one.full[sae].score.macro_f1,
            "few": one.few[sae].score.macro_f1,
            "unexplained": one.unexplained[sae],
        }
        for name, one in sets.items()
        for sae in (TEXTS, IMAGES)
    ]
    headings = {"set": "set", "sae": "SAE", "all": "all latents", "few": "few latents"}
    return tables.table(rows, {**headings, "unexplained": "variance unexplained"})


def _unexplained(sets: Mapping[str, TwoSAEs]) -> dict[str, float]:
    """{SAE: mean over the sets}."""
    return {sae: float(np.mean([one.unexplained[sae] for one in sets.values()])) for sae in (TEXTS, IMAGES)}
