"""What probes reach on images: SAE features of image tokens beside what learned nothing, with all latents and with few."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mosaic.models.language import LanguageModel
from mosaic.probing import comparison, examine, scores
from mosaic.probing.selection import Result
from mosaic.profiles.profile import Profile
from mosaic.studies.image_problems import image_problems

POOLINGS = ("mean", "max")
FEW = 16  # latents
SIZES = (2, 4, 8, 16, 32, 64, 128)  # of the curve


@dataclass(frozen=True)
class ImageScores:
    """One set of images. full, few: `beside_the_sae` with all latents and with FEW. curves: {kind: points over SIZES}."""

    full: dict
    few: dict
    curves: dict[str, list[dict]]


def score_images(profile: Profile, lm: LanguageModel, name: str) -> ImageScores:
    """Probes on every kind of features of one set of images; layer and pooling are chosen on validation."""
    problems = image_problems(profile, lm, name, POOLINGS)
    full, few, curves = {}, {}, {}
    for kind, (family, problem) in problems.items():
        found = comparison.evaluate(problem, families=[family], binarize=False, trees=False)
        full[kind] = comparison.selected(found, family)
        few[kind] = examine.k_sparse_at(problem, full[kind], FEW)
        curves[kind] = examine.k_sparse_curve(problem, full[kind], SIZES)
    truth = problems["SAE"][1].test.labels
    return ImageScores(beside_the_sae(full, truth), beside_the_sae(few, truth), curves)


def beside_the_sae(results: Mapping[str, Result], truth: np.ndarray) -> dict:
    """{kind: its row, "against": {other kind: macro-F1 of the SAE minus its, with a 95 % interval}}.

    results: of the kinds of features, "SAE" among them, on the same test images with these labels.
    """
    against = {}
    for kind, result in results.items():
        if kind != "SAE":
            difference = scores.compare(truth, results["SAE"].predicted, result.predicted)
            against[kind] = {"difference": difference.difference, "interval": [difference.low, difference.high]}
    rows = {
        kind: {key: value for key, value in result.row().items() if key != "selected"}
        for kind, result in results.items()
    }
    return {**rows, "against": against}
