"""A small model's view of a large one: do its features tell whether the large model will answer right?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic.features.request import Request
from mosaic.models.language import LanguageModel
from mosaic.probing import comparison, scores
from mosaic.probing.problem import make_problem
from mosaic.probing.scores import Difference
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile
from mosaic.saes.loading import model_name
from mosaic.studies.problems import load_cut, opened

LARGE = "mini-large-it"  # whose answers are the labels
MARGIN = (
    0.05  # macro-F1: "nearly as well" is not more than this behind. Arbitrary; the claim's rule has the same number.
)


@dataclass(frozen=True)
class Behaviour:
    """Macro-F1 on whether LARGE answers a question right, on questions about people of whom none was trained on.

    rows: every family's chosen setting, the small model's view and the large one's own. minus_own: the small model's
    SAE features minus the large one's. against: minus the small model's other families. correct: share of the test
    questions that LARGE answers right. Intervals are over people.
    """

    rows: tuple[dict, ...]
    minus_own: Difference
    against: dict[str, Difference]
    hidden_minus_own: Difference
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
            "correct": self.correct,
            "rows": self.rows,
        }


def behaviour(profile: Profile, small: LanguageModel, device: str, cache: Path | None) -> Behaviour:
    """Both models at an equal budget: every layer and pooling, one width, linear probes, nothing binarised."""
    train, test = load_cut(profile, "mini/behaviour", "en")
    other, large = opened(LARGE, device)

    def best(profile: Profile, lm: LanguageModel, families) -> dict:
        request = Request(load_saes(profile, lm, widths=[profile.width]), tuple(profile.layers), profile.poolings)
        problem = make_problem(train, test, lm, request, cache)
        found = comparison.evaluate(problem, families=families, binarize=False, trees=False)
        return {family: comparison.selected(found, family) for family in families}

    view, own = best(profile, small, comparison.FAMILIES), best(other, large, ("sae", "hidden"))
    named = {"small": f"{model_name(profile.model.id)}'s view", "own": f"{LARGE}'s own"}
    return Behaviour(
        rows=tuple(
            {"set": named[whose], "view": whose, **result.row()}
            for whose, chosen in (("small", view), ("own", own))
            for result in chosen.values()
        ),
        minus_own=scores.compare(*scores.paired(test, view["sae"], own["sae"])),
        hidden_minus_own=scores.compare(*scores.paired(test, view["hidden"], own["hidden"])),
        against={
            family: scores.compare(*scores.paired(test, view["sae"], result))
            for family, result in view.items()
            if family != "sae"
        },
        correct=float(np.mean(test.labels == "correct")),
    )
