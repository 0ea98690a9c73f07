"""A small model's view of a large one: do its features tell whether the large model will answer right?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic.features.request import Request
from mosaic.models.language import LanguageModel
from mosaic.probing import comparison, forecasts, scores
from mosaic.probing.problem import Problem, make_problem
from mosaic.probing.scores import Difference
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile
from mosaic.saes.loading import model_name
from mosaic.studies.behaviour_forecasts import (
    AS_IT_IS,
    CONFIDENCE,
    LENGTH,
    RIGHT,
    Forecasts,
    confidence,
    lengths,
    log_odds,
    with_table,
)
from mosaic.studies.problems import load_cut, opened

LARGE = "mini-large-it"  # whose answers are the labels
MARGIN = (
    0.05  # macro-F1: "nearly as well" is not more than this behind. Arbitrary; the claim's rule has the same number.
)


@dataclass(frozen=True)
class Behaviour:
    """Macro-F1 on whether LARGE answers a question right, on questions about people of whom none was trained on.

    rows: every family's chosen setting, the small model's view (with words, the question's length and the majority class) and
    the large one's own (with its confidence). minus_own: the small model's SAE features minus the large one's. against: minus
    the small model's other families; minus_confidence: minus the large model's confidence. forecasts: the same probes'
    probabilities. correct: share of the test questions that LARGE answers right. Intervals are over people.
    """

    rows: tuple[dict, ...]
    minus_own: Difference
    against: dict[str, Difference]
    hidden_minus_own: Difference
    minus_confidence: Difference
    forecasts: Forecasts
    correct: float

    def summary(self) -> dict:
        scored = {(row["view"], row["features"]): row["macro_f1"] for row in self.rows}
        return {
            "small": {features: value for (view, features), value in scored.items() if view == "small"},
            "own": {features: value for (view, features), value in scored.items() if view == "own"},
            "margin": MARGIN,
            **self.minus_own.summary(),
            "hidden": self.hidden_minus_own.summary(),
            "against": {family: d.summary() for family, d in self.against.items()},
            "minus_confidence": self.minus_confidence.summary(),
            **self.forecasts.summary(),
            "correct": self.correct,
            "rows": self.rows,
        }


def behaviour(profile: Profile, small: LanguageModel, device: str, cache: Path | None) -> Behaviour:
    """Both models at an equal budget: every layer and pooling, one width, linear probes, nothing binarised."""
    train, test = load_cut(profile, "mini/behaviour", "en")
    other, large = opened(LARGE, device)

    def problem_of(profile: Profile, lm: LanguageModel) -> Problem:
        request = Request(load_saes(profile, lm, widths=[profile.width]), tuple(profile.layers), profile.poolings)
        return make_problem(train, test, lm, request, cache)

    def best(problem: Problem, families) -> dict:
        found = comparison.evaluate(problem, families=families, binarize=False, trees=False)
        return {family: comparison.selected(found, family) for family in families}

    sure, agreed = confidence(other, (train, test), device, cache)
    of_small = with_table(problem_of(profile, small), LENGTH, lengths(train.texts + test.texts, small))
    of_large = with_table(problem_of(other, large), CONFIDENCE, log_odds(sure))
    view, own = best(of_small, (*comparison.FAMILIES, LENGTH)), best(of_large, ("sae", "hidden", CONFIDENCE))
    named = {"small": f"{model_name(profile.model.id)}'s view", "own": f"{LARGE}'s own"}
    probabilities = {
        f"{whose}, {family}": forecasts.of_probe(problem, result, RIGHT)
        for whose, problem, chosen in (("small", of_small, view), ("own", of_large, own))
        for family, result in chosen.items()
    }
    return Behaviour(
        rows=tuple(
            {"set": named[whose], "view": whose, **result.row()}
            for whose, chosen in (("small", view), ("own", own))
            for result in chosen.values()
        ),
        minus_own=scores.compare(*scores.paired(test, view["sae"], own["sae"])),
        hidden_minus_own=scores.compare(*scores.paired(test, view["hidden"], own["hidden"])),
        minus_confidence=scores.compare(*scores.paired(test, view["sae"], own[CONFIDENCE])),
        against={
            family: scores.compare(*scores.paired(test, view["sae"], result))
            for family, result in view.items()
            if family != "sae"
        },
        forecasts=Forecasts(
            test.labels == RIGHT,
            test.groups,
            {**probabilities, f"own, {AS_IT_IS}": sure[len(train) :]},
            agreed,
        ),
        correct=float(np.mean(test.labels == RIGHT)),
    )
