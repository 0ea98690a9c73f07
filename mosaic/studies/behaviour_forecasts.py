"""Who foresees whether the large model answers right? Probes as forecasts, and the large model's own confidence.

Confidence is what somebody who uses the model would look at: the most probable answer's share of the probability of all the
answers that the question's kind has (ten cities, six colours, eight animals), by `mosaic.models.choices`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from mosaic.features.table import FeatureTable
from mosaic.models.causal import open_causal
from mosaic.models.language import LanguageModel
from mosaic.probing import forecasts
from mosaic.probing.forecasts import Measured, auroc, calibration_error
from mosaic.probing.problem import Problem
from mosaic.probing.scores import Difference
from mosaic.profiles.profile import Profile
from mosaic.studies import behaviour_labels
from mosaic.studies import behaviour_said as said
from mosaic.texts.ids import text_ids
from mosaic.texts.labelled import LabelledTexts
from mosaic.texts.questions import Questions

RIGHT = "correct"
LENGTH, CONFIDENCE, AS_IT_IS = "length", "confidence", "confidence as it is"
SMALL_SAE = "small, sae"  # what the others are compared with
BATCH = 64
STOP = ".!?。！？۔"  # the answer's own full stop is no part of a choice


@dataclass(frozen=True)
class Forecasts:
    """Probabilities that LARGE answers right, on the test questions. Intervals are over people.

    truth: [n] bool. groups: [n], who is asked about. of: {"small, sae": [n], ...}, "own, confidence as it is" among them, which
    no probe has seen. agreed: share of all questions in which the most probable answer is right where the label says so, and
    wrong where it does not.
    """

    truth: np.ndarray
    groups: np.ndarray
    of: Mapping[str, np.ndarray]
    agreed: float

    @cached_property
    def ranking(self) -> dict[str, Measured]:
        """AUROC of each; what always says the same is left out."""
        return {name: self._measured(auroc, p) for name, p in self.of.items() if len(set(p)) > 1}

    @cached_property
    def calibration(self) -> dict[str, Measured]:
        return {name: self._measured(calibration_error, p) for name, p in self.of.items()}

    @cached_property
    def ranking_minus(self) -> dict[str, Difference]:
        """AUROC of the small model's SAE features minus that of each other in `ranking`."""
        return self._minus(auroc, self.ranking)

    @cached_property
    def calibration_minus(self) -> dict[str, Difference]:
        return self._minus(calibration_error, self.calibration)

    @cached_property
    def noise(self) -> dict[str, float]:
        """The calibration error that each would show were it right."""
        return {name: forecasts.noise(p) for name, p in self.of.items()}

    @cached_property
    def reliability(self) -> dict[str, list[dict]]:
        return {name: forecasts.reliability(self.truth, p) for name, p in self.of.items()}

    def sentences(self) -> dict[str, str]:
        sure = self.of[f"own, {AS_IT_IS}"]
        return {
            "foreseen": said.above_chance(self.ranking[SMALL_SAE]),
            "against_confidence": said.against_confidence(self.ranking_minus[f"own, {AS_IT_IS}"]),
            "against_length": said.against_length(self.ranking_minus[f"small, {LENGTH}"]),
            "ranked": said.ranked(self.ranking_minus),
            "calibrated": said.calibrated(self.calibration, self.noise, self.calibration_minus[f"own, {AS_IT_IS}"]),
            "too_sure": said.too_sure(float(sure.mean()), float(self.truth.mean())),
        }

    def summary(self) -> dict:
        """As results record it, names as "small, sae" made to keys: {"small": {"sae": ...}, "own": {...}}."""
        calibration = {name: {**m.summary(), "noise": self.noise[name]} for name, m in self.calibration.items()}
        return {
            "auroc": _nested({name: m.summary() for name, m in self.ranking.items()}),
            "auroc_minus": _nested({name: d.summary() for name, d in self.ranking_minus.items()}),
            "calibration": _nested(calibration),
            "calibration_minus": _nested({name: d.summary() for name, d in self.calibration_minus.items()}),
            "reliability": _nested(self.reliability),
            "agreed": self.agreed,
        }

    def _minus(self, metric, names) -> dict[str, Difference]:
        return {
            name: forecasts.compare(metric, self.truth, self.of[SMALL_SAE], self.of[name], self.groups)
            for name in names
            if name != SMALL_SAE
        }

    def _measured(self, metric, p: np.ndarray) -> Measured:
        return forecasts.measure(metric, self.truth, p, self.groups)


def _nested(flat: Mapping) -> dict:
    found: dict = {}
    for name, value in flat.items():
        view, _, features = name.partition(", ")
        found.setdefault(view, {})[features] = value
    return found


# --- features that need no SAE ---------------------------------------------------------------------------------------


def lengths(texts: Sequence[str], lm: LanguageModel) -> np.ndarray:
    """[n, 2]: tokens and characters of each text."""
    return np.column_stack([lm.tokenize(texts).counts, [len(text) for text in texts]]).astype(np.float32)


def log_odds(confidence: np.ndarray) -> np.ndarray:
    """[n, 1]: log(p / (1 - p)), within what float32 tells from 1."""
    p = np.clip(confidence, 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))[:, None].astype(np.float32)


def table(features: str, values: np.ndarray, texts: Sequence[str]) -> FeatureTable:
    """A few numbers a text as a feature table, so that they are probed as all others are."""
    from scipy.sparse import csr_matrix

    n = len(texts)
    what = {"features": features, "layer": None, "width": None, "pooling": None}
    return FeatureTable(csr_matrix(values), text_ids(texts), np.ones(n, int), np.zeros(n, bool), what)


def with_table(problem: Problem, features: str, values: np.ndarray) -> Problem:
    """The problem with a table of its own beside the others, for rows of train, then test."""
    added = table(features, values, problem.train.texts + problem.test.texts)
    return replace(problem, tables=(*problem.tables, added))


# --- the large model's own confidence --------------------------------------------------------------------------------


def confidence(
    large: Profile, parts: Sequence[LabelledTexts], device: str, cache: Path | None
) -> tuple[np.ndarray, float]:
    """(the large model's confidence in its answer to each question of the parts [n]; how far its most probable answers agree
    with the labels, which are of greedy answers)."""
    from mosaic.miniature.tuning import turns

    texts = [text for part in parts for text in part.texts]
    choices, answers = answers_of(texts)
    prompts = [turns(text) for text in texts]
    questions = Questions("questions", prompts, choices, answers, lambda row: f"question {row}: {texts[row]!r}")
    labels = behaviour_labels.label(questions, open_causal(large.model, device), BATCH, cache)
    truth = np.concatenate([part.labels for part in parts]) == RIGHT
    return labels.confidence, float(np.mean(labels.right == truth))


def answers_of(texts: Sequence[str]) -> tuple[list[tuple[str, ...]], np.ndarray]:
    """(every answer there is to a question of each text's kind, which of them is right [n])."""
    from mosaic.world import sets

    known = {question: (answer.rstrip(STOP), relation) for question, answer, _, relation in sets.questions("en")}
    kinds: dict[str, dict[str, None]] = {}
    for answer, relation in known.values():
        kinds.setdefault(relation, {})[answer] = None
    choices = [tuple(kinds[known[text][1]]) for text in texts]
    return choices, np.array([each.index(known[text][0]) for each, text in zip(choices, texts, strict=True)])
