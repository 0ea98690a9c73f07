"""One labelled set in several languages: what is learned from English texts, what natively, and what by what knows nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mosaic.features.request import Request
from mosaic.models.language import LanguageModel
from mosaic.probing import comparison
from mosaic.probing.problem import Problem, make_problem
from mosaic.probing.selection import Result
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile
from mosaic.studies import abroad
from mosaic.studies.controls import (
    N_DICTIONARIES,
    calibration_texts,
    every_pooling,
    random_dictionaries,
    untrained,
)
from mosaic.studies.diagnosis import Diagnosis, diagnose
from mosaic.studies.problems import load_cut
from mosaic.texts.labelled import LabelledTexts, concatenate
from mosaic.world.lexicon import LANGUAGES

DIAGNOSED = ("sae", "hidden")
NATIVE = ("sae", "hidden", "tfidf")
# Each kind is chosen on validation among its own. The linear probes have every pooling and, but for the controls and the
# native ones, every layer; nothing is binarised, so that SAE features and hidden states have equally many settings.
ARMS = {
    "sae": ("SAE features, linear", "English"),
    "tree": ("SAE features, tree", "English"),
    "hidden": ("hidden states, linear", "English"),
    "tfidf": ("TF-IDF", "English"),
    "majority": ("majority class", "English"),
    "random dictionary": (f"random dictionary, linear (mean of {N_DICTIONARIES})", "English"),
    "random language model": ("hidden states of an untrained model", "English"),
    "sae, native": ("SAE features, linear", "each language itself"),
    "hidden, native": ("hidden states, linear", "each language itself"),
    "tfidf, native": ("TF-IDF", "each language itself"),
}


@dataclass(frozen=True)
class LanguageScores:
    """What classified the test texts of one set, in every language.

    arms: {arm: its predictions, one array [rows of test] a draw}. chosen: {arm: the rows of the settings that validation
    chose, with `language` where they were chosen natively}. settings: every layer and pooling of SAE features and
    hidden states, in English and abroad. diagnosis: {features: why they fall abroad}. chance: macro-F1 of knowing
    nothing.
    """

    test: LabelledTexts
    arms: dict[str, list[np.ndarray]]
    chosen: dict[str, list[dict]]
    settings: list[dict]
    diagnosis: dict[str, Diagnosis]
    chance: float

    def summary(self) -> dict:
        parts = list(self.test.part_rows())
        return {
            "chance": self.chance,
            "arms": {
                arm: {
                    "chosen": self.chosen[arm],
                    "parts": {
                        part: {
                            "abroad": abroad.mean([(self.test, predicted)], part).summary(),
                            "by_language": abroad.by_language(self.test, predicted, part),
                        }
                        for part in parts
                    },
                }
                for arm, predicted in self.arms.items()
            },
            "settings": self.settings,
            "diagnosis": {features: found.summary() for features, found in self.diagnosis.items()},
        }


def score_languages(profile: Profile, lm: LanguageModel, name: str, cache: Path | None) -> LanguageScores:
    """All arms on one miniature set: trained on English, or on each language itself, as many texts."""
    parts = {language: load_cut(profile, f"mini/{name}", language) for language in LANGUAGES}
    train, test = parts[abroad.HOME][0], concatenate([test for _, test in parts.values()])
    request = Request(load_saes(profile, lm, widths=[profile.width]), tuple(profile.layers), profile.poolings)
    home = make_problem(train, test, lm, request, cache)
    found = comparison.evaluate(home, binarize=False)
    best = {
        "sae": of_kind(found, "sae"),
        "tree": of_kind(found, "sae", "tree"),
        "hidden": of_kind(found, "hidden"),
        "tfidf": of_kind(found, "tfidf"),
        "majority": of_kind(found, "majority", "majority"),
    }
    natively = {
        language: native_problem(*parts[language], profile, lm, best, cache)
        for language in LANGUAGES
        if language != abroad.HOME
    }
    learned = {
        language: comparison.evaluate(problem, families=NATIVE, binarize=False, trees=False)
        for language, problem in natively.items()
    }
    controls = random_arms(home, profile, lm, best, cache)
    native = {f"{family}, native": natives(test, best[family], learned, family) for family in NATIVE}
    majority = abroad.mean([(test, [best["majority"].predicted])]).macro_f1
    return LanguageScores(
        test,
        {
            **{arm: [result.predicted] for arm, result in best.items()},
            **{arm: [result.predicted for result in results] for arm, results in controls.items()},
            **{arm: [predicted] for arm, (predicted, _) in native.items()},
        },
        {
            **{arm: [result.row()] for arm, result in best.items()},
            **{arm: [result.row() for result in results] for arm, results in controls.items()},
            **{arm: rows for arm, (_, rows) in native.items()},
        },
        every_setting(test, found),
        {features: diagnose(home, best[features], natively) for features in DIAGNOSED},
        abroad.chance(test.labels, majority),
    )


def of_kind(results: Iterable[Result], features: str, classifier: str = "logistic") -> Result:
    """The result of one kind that validation chose; `evaluate` gives each family's best first."""
    return next(r for r in results if (r.setting.features, r.setting.classifier) == (features, classifier))


def native_problem(train, test, profile: Profile, lm: LanguageModel, best: Mapping[str, Result], cache) -> Problem:
    """One language's own problem: SAE features and hidden states, each at the layer chosen in English, all poolings."""
    encoders = load_saes(profile, lm, [best["sae"].setting.layer], [profile.width])
    request = Request(encoders, (best["hidden"].setting.layer,), profile.poolings)
    return make_problem(train, test, lm, request, cache)


def natives(
    test: LabelledTexts, home: Result, learned: Mapping[str, Sequence[Result]], family: str
) -> tuple[np.ndarray, list[dict]]:
    """(predictions [rows of test], rows chosen): each language's rows by the probe trained on it, English's by `home`."""
    predicted, rows = home.predicted.copy(), []
    for language, results in learned.items():
        result = of_kind(results, family)
        predicted[test.languages == language] = result.predicted
        rows.append({"language": language, **result.row()})
    return predicted, rows


def random_arms(
    home: Problem, profile: Profile, lm: LanguageModel, best: Mapping[str, Result], cache: Path | None
) -> dict[str, list[Result]]:
    """Trained on English, tested everywhere: random dictionaries of the SAE's layer, width and sparsity, and hidden states of
    the model with random weights, at the layer of the trained one's; every pooling of the profile for both."""
    (encoder,) = load_saes(profile, lm, [best["sae"].setting.layer], [profile.width])
    dictionaries = random_dictionaries(encoder, lm, calibration_texts(profile))
    drawn = make_problem(home.train, home.test, lm, Request(dictionaries, (), profile.poolings), cache)
    request = Request((), (best["hidden"].setting.layer,), profile.poolings)
    blank = make_problem(home.train, home.test, untrained(profile, lm.device), request, cache)
    return {
        "random dictionary": [every_pooling(problem)[0] for problem in apart(drawn)],
        "random language model": [every_pooling(blank)[0]],
    }


def apart(problem: Problem) -> list[Problem]:
    """One problem for each SAE (by name) whose tables a problem has, in their order."""
    names = dict.fromkeys(table.provenance["sae"] for table in problem.tables)
    return [
        replace(problem, tables=tuple(table for table in problem.tables if table.provenance["sae"] == name))
        for name in names
    ]


def every_setting(test: LabelledTexts, results: Iterable[Result]) -> list[dict]:
    """{"features", "layer", "pooling", "validation", "home", "abroad"} of each linear result that reads a layer."""
    rows = []
    for result in results:
        setting = result.setting
        if setting.layer is not None and setting.classifier == "logistic":
            home = abroad.by_language(test, [result.predicted])[abroad.HOME]["macro_f1"]
            far = abroad.mean([(test, [result.predicted])]).macro_f1
            what = {"features": setting.features, "layer": setting.layer, "pooling": setting.pooling}
            rows.append({**what, "validation": result.validation, "home": home, "abroad": far})
    return rows
