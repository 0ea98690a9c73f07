"""One labelled set in several languages: what is learned from English texts, what natively, and what by what knows nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mosaic.features.request import Request
from mosaic.models.language import LanguageModel
from mosaic.probing import comparison, selection
from mosaic.probing.problem import Problem, make_problem, subsample
from mosaic.probing.selection import Result
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import CrossedSet, Profile
from mosaic.studies import abroad
from mosaic.studies.controls import (
    N_DICTIONARIES,
    calibration_texts,
    random_dictionaries,
    untrained,
)
from mosaic.studies.diagnosis import Diagnosis, diagnose
from mosaic.studies.language_matrix import Matrix, refitted
from mosaic.studies.latent_overlap import Overlap, overlap
from mosaic.studies.problems import load_cut
from mosaic.studies.translated import Translated, of_each, translated
from mosaic.texts.labelled import LabelledTexts, concatenate
from mosaic.texts.sources import load_set

log = logging.getLogger("mosaic")
DIAGNOSED = ("sae", "hidden")
NATIVE = ("sae", "hidden", "tfidf")
# Each kind is chosen on validation among its own. The linear probes have every pooling and, but for the controls and the
# native ones, every layer; nothing is binarised, so that SAE features and hidden states have equally many settings.
ARMS = {
    "sae": ("SAE features, linear", "English"),
    "tree": ("SAE features, tree", "English"),
    "hidden": ("hidden states, linear", "English"),
    "hidden, tree": ("hidden states, tree", "English"),
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
    hidden states, in English and abroad. diagnosis: of each pooling, why it falls abroad where it does. chance: macro-F1 of knowing
    nothing. tied: {features: linear settings that English validation cannot tell from the chosen one, that one included}.
    matrix: every language against every other. overlap: of the latents that probes of the languages lean on.
    translated: the English probes on texts translated to English, None where no translation is at hand.
    """

    test: LabelledTexts
    arms: dict[str, list[np.ndarray]]
    chosen: dict[str, list[dict]]
    settings: list[dict]
    diagnosis: list[Diagnosis]
    chance: float
    tied: dict[str, int]
    matrix: Matrix
    overlap: Overlap
    translated: Translated | None = None

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
            "tied": self.tied,
            "diagnosis": {
                features: {d.pooling: d.summary() for d in self.diagnosis if d.features == features}
                for features in DIAGNOSED
            },
            "matrix": self.matrix.summary(),
            "overlap": self.overlap.summary(),
            "translated": self.translated and self.translated.summary(),
        }


def parted(profile: Profile, choice: CrossedSet) -> dict[str, tuple[LabelledTexts, LabelledTexts]]:
    """{language: (train, test)}, as many training texts in each: those of the language that has fewest."""
    parts = {language: load_cut(profile, choice.name, language) for language in choice.languages}
    n = min(len(train) for train, _ in parts.values())
    return {language: (subsample(train, n), test) for language, (train, test) in parts.items()}


def score_languages(profile: Profile, lm: LanguageModel, choice: CrossedSet, cache: Path | None) -> LanguageScores:
    """All arms on one set: trained on English, or on each language itself, as many texts."""
    parts = parted(profile, choice)
    train, test = parts[abroad.HOME][0], concatenate([test for _, test in parts.values()])
    request = Request(load_saes(profile, lm, widths=[profile.width]), tuple(profile.layers), profile.poolings)
    home = make_problem(train, test, lm, request, cache)
    found = comparison.evaluate(home, binarize=False)
    best = {
        "sae": of_kind(found, "sae"),
        "tree": of_kind(found, "sae", "tree"),
        "hidden": of_kind(found, "hidden"),
        "hidden, tree": of_kind(found, "hidden", "tree"),
        "tfidf": of_kind(found, "tfidf"),
        "majority": of_kind(found, "majority", "majority"),
    }
    natively = {
        language: make_problem(*both, lm, request, cache) for language, both in parts.items() if language != abroad.HOME
    }
    layers = {family: best[family].setting.layer for family in ("sae", "hidden")}
    learned = {
        language: comparison.evaluate(at_layers(problem, layers), families=NATIVE, binarize=False, trees=False)
        for language, problem in natively.items()
    }
    crossed = {
        language: make_problem(parts[language][0], test, lm, request, cache, reads(of_native(results)))
        for language, results in learned.items()
    }
    taught = {
        family: {
            abroad.HOME: best[family].predicted,
            **{
                language: refitted(crossed[language], of_kind(results, family)) for language, results in learned.items()
            },
        }
        for family in NATIVE
    }
    controls = random_arms(home, profile, lm, best, cache)
    native = {f"{family}, native": natives(test, best[family], learned, family) for family in NATIVE}
    chance = abroad.chance(test.labels, abroad.value(test, best["majority"].predicted))
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
        [diagnose(home, result, natively, chance) for result in of_each_pooling(found, profile.poolings)],
        chance,
        {features: tied(found, features) for features in DIAGNOSED},
        Matrix(test, taught),
        overlap({abroad.HOME: home, **natively}, best["sae"]),
        translated(
            test,
            {family: best[family].predicted for family in DIAGNOSED},
            {family: native[f"{family}, native"][0] for family in DIAGNOSED},
            in_translation(choice, parts, {family: best[family] for family in DIAGNOSED}, lm, request, cache),
        ),
    )


def in_translation(
    choice: CrossedSet,
    parts: Mapping[str, tuple[LabelledTexts, LabelledTexts]],
    best: Mapping[str, Result],
    lm: LanguageModel,
    request: Request,
    cache: Path | None,
) -> dict[str, dict[str, np.ndarray]]:
    """{language: {features: what the English probe says of its test texts in translation}}, of the sets of translations that
    the profile names; a language of which one text is not translated there is left out, and said so."""
    found = {}
    for language, name in choice.translated.items():
        # The two sets were split each by itself: the translation of a test text may stand in either part.
        texts = of_each(parts[language][1], concatenate(load_set(name, language)))
        if texts is None:
            log.warning("%s in %s is not read in translation: %s lacks texts of it.", choice.name, language, name)
            continue
        problem = make_problem(parts[abroad.HOME][0], texts, lm, request, cache, reads(best.values()))
        found[language] = {family: refitted(problem, result) for family, result in best.items()}
    return found


def of_native(results: Sequence[Result]) -> list[Result]:
    """What validation chose among a language's own results, for each kind of features."""
    return [of_kind(results, family) for family in NATIVE]


def reads(results: Iterable[Result]) -> Callable[[Mapping], bool]:
    """Tells by its provenance whether one of the results reads a table."""
    read = {(r.setting.features, r.setting.layer, r.setting.pooling) for r in results}
    return lambda what: (what["features"], what["layer"], what["pooling"]) in read


def of_kind(results: Iterable[Result], features: str, classifier: str = "logistic") -> Result:
    """The result of one kind that validation chose; `evaluate` gives each family's best first."""
    return next(r for r in results if (r.setting.features, r.setting.classifier) == (features, classifier))


def of_each_pooling(results: Iterable[Result], poolings: Sequence[str]) -> list[Result]:
    """For SAE features, then hidden states: the linear result of each pooling, at the layer that validation chose for it."""
    results = list(results)
    wanted = [(features, pooling) for features in DIAGNOSED for pooling in poolings]
    return [of_kind([r for r in results if r.setting.pooling == pooling], features) for features, pooling in wanted]


def tied(results: Iterable[Result], features: str) -> int:
    """How many linear settings validation cannot tell from the best one, that one included."""
    return selection.tied([r for r in results if r.setting.classifier == "logistic"], features)


def at_layers(problem: Problem, layers: Mapping[str, int]) -> Problem:
    """The problem with the tables of one layer for each kind of features: {"sae": 3, "hidden": 5}."""
    wanted = [t for t in problem.tables if layers.get(t.provenance["features"]) == t.provenance["layer"]]
    return replace(problem, tables=tuple(wanted))


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


def every_pooling(problem: Problem) -> list[Result]:
    """The linear results on the tables of one kind of features, best validation first."""
    family = problem.tables[0].provenance["features"]
    return comparison.evaluate(problem, families=[family], binarize=False, trees=False)


def every_setting(test: LabelledTexts, results: Iterable[Result]) -> list[dict]:
    """{"features", "layer", "pooling", "validation", "as_good", "home", "abroad"} of each linear result that reads a layer.

    as_good: validation cannot tell it from the best of its features (`selection.as_good`).
    """
    linear = [r for r in results if r.setting.classifier == "logistic"]
    level = {id(r) for features in {r.setting.features for r in linear} for r in selection.as_good(linear, features)}
    rows = []
    for result in linear:
        setting = result.setting
        if setting.layer is not None:
            home, far = abroad.at_home(test, result.predicted), abroad.value(test, result.predicted)
            what = {"features": setting.features, "layer": setting.layer, "pooling": setting.pooling}
            rows.append(
                {**what, "validation": result.validation, "as_good": id(result) in level, "home": home, "abroad": far}
            )
    return rows
