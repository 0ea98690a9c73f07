"""What probes reach on images: text SAEs at the image tokens beside hidden states and beside what learned nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mosaic.probing import examine, scores
from mosaic.probing.problem import Problem
from mosaic.probing.scores import Difference
from mosaic.probing.selection import Result
from mosaic.profiles.profile import Profile
from mosaic.studies.image_problems import Images
from mosaic.studies.language_scores import at_layers, every_pooling

FEW = 16  # latents
SIZES = (2, 4, 8, 16, 32, 64, 128)  # of the curve
SAE, HIDDEN, RANDOM, UNTRAINED = "SAE", "hidden states", "random dictionary", "random language model"
TOWER, PIXELS = "vision tower", "pixels"
AT_LAYER = "SAE, middle layer"  # at the layer that the controls read
PARTNER = {RANDOM: AT_LAYER, UNTRAINED: AT_LAYER}  # who a control is held against: as many settings on both sides


@dataclass(frozen=True)
class ImageScores:
    """One set of images. labels: of its test images. full, few: {kind: the chosen result of each draw}, with all latents
    and with FEW. curves: {kind: points over SIZES}, of the first draw. unexplained: fraction of variance of image tokens that the
    middle layer's SAE leaves."""

    labels: np.ndarray
    full: dict[str, list[Result]]
    few: dict[str, list[Result]]
    curves: dict[str, list[dict]]
    unexplained: float

    def summary(self) -> dict:
        return {"all": self._beside(self.full), "few": self._beside(self.few)}

    def _beside(self, results: Mapping[str, Sequence[Result]]) -> dict:
        """{kind: its mean over draws, and their rows; "against": SAE minus each other kind}."""
        return {
            **{
                kind: {"macro_f1": mean_of(draws), "n_draws": len(draws), "rows": [result.row() for result in draws]}
                for kind, draws in results.items()
            },
            "against": {kind: d.summary() for kind, d in against([(self.labels, results)]).items()},
        }


def score_images(profile: Profile, name: str, device: str = "cpu") -> ImageScores:
    """Linear probes on one set of images. SAE features and hidden states choose among every layer and pooling; random
    dictionaries, the untrained language model and, beside them, the SAE of that layer among every pooling of the middle
    layer; the vision tower's features among every pooling. All on validation, nothing binarised."""
    shown = Images.load(profile, name, device)
    read, blank = shown.read(), shown.read_by_untrained()
    learned = read.learned
    families = {
        SAE: only(learned, "sae"),
        HIDDEN: only(learned, "hidden"),
        AT_LAYER: at_layers(learned, {"sae": profile.middle}),
    }
    best = {kind: [every_pooling(problem)[0]] for kind, problem in families.items()}
    others = {RANDOM: read.random_dictionaries, UNTRAINED: [blank], TOWER: [read.tower], PIXELS: [shown.raw()]}
    best |= {kind: [every_pooling(problem)[0] for problem in problems] for kind, problems in others.items()}
    problems = {kind: [problem] for kind, problem in families.items()} | others
    few = {
        kind: [examine.k_sparse_at(p, result, FEW) for p, result in zip(problems[kind], results, strict=True)]
        for kind, results in best.items()
    }
    curves = {
        kind: examine.k_sparse_curve(problems[kind][0], results[0], SIZES)
        for kind, results in best.items()
        if kind != AT_LAYER
    }
    return ImageScores(shown.test.labels, best, few, curves, read.unexplained)


def only(problem: Problem, features: str) -> Problem:
    """The problem with the tables of one kind of features alone."""
    return replace(problem, tables=tuple(t for t in problem.tables if t.provenance["features"] == features))


def against(cases: Sequence[tuple[np.ndarray, Mapping[str, Sequence[Result]]]]) -> dict[str, Difference]:
    """{other kind: macro-F1 of the SAE features (of its PARTNER) minus its}, mean over sets and draws; intervals over images
    and draws.

    cases: (labels of the test images, {kind: the result of each draw}) of every set.
    """
    return {
        kind: scores.compare_draws(
            [
                (labels, _predicted(results[PARTNER.get(kind, SAE)]), _predicted(results[kind]), None)
                for labels, results in cases
            ]
        )
        for kind in cases[0][1]
        if kind not in (SAE, AT_LAYER)
    }


def mean_of(results: Sequence[Result]) -> float:
    return float(np.mean([result.score.macro_f1 for result in results]))


def _predicted(results: Sequence[Result]) -> list[np.ndarray]:
    return [result.predicted for result in results]
