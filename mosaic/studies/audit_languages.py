"""Lines of the audit that need one set in several languages: the cross-lingual script (A8), English stop words (A11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic.features.request import Request
from mosaic.models.language import LanguageModel
from mosaic.probing.candidates import TableFeatures, TfidfFeatures
from mosaic.probing.contrasts import Arm, Case, contrast
from mosaic.probing.problem import Problem, make_problem
from mosaic.probing.scores import macro_f1
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile
from mosaic.studies import abroad
from mosaic.studies.audit_fits import SUM, EnglishWords, fitted
from mosaic.studies.audit_lines import Line, measured
from mosaic.studies.problems import load_cut
from mosaic.texts.labelled import LabelledTexts, concatenate
from mosaic.world.lexicon import LANGUAGES

HOME = abroad.HOME
CROSSED = "mini/toxicity"  # as the paper; two classes, so that a binary F1 exists
WORDED = ("mini/toxicity", "mini/sentiment")
FOLDS = 5  # of the published diagonal


@dataclass(frozen=True)
class Parallel:
    """One set in every language: {language: (training texts, test texts in familiar words)}; messages are parallel."""

    name: str
    parts: Mapping[str, tuple[LabelledTexts, LabelledTexts]]

    @classmethod
    def load(cls, profile: Profile, name: str) -> Parallel:
        found = {language: load_cut(profile, name, language) for language in LANGUAGES}
        return cls(name, {language: (train, first_part(test)) for language, (train, test) in found.items()})

    @property
    def foreign(self) -> list[str]:
        return [language for language in self.parts if language != HOME]

    @property
    def abroad(self) -> LabelledTexts:
        """The test texts of every language but the one trained on."""
        return concatenate([self.parts[language][1] for language in self.foreign])


def first_part(test: LabelledTexts) -> LabelledTexts:
    """The rows of a test set's first part."""
    return test.take(next(iter(test.part_rows().values())))


def crossed(test: LabelledTexts, labels: np.ndarray) -> np.ndarray:
    """Labels with their language, "de toxic": macro-F1 over them is the mean over languages of each one's."""
    return np.array([f"{said} {label}" for said, label in zip(test.languages, labels, strict=True)], dtype=object)


# --- A8 ----------------------------------------------------------------------------------------------------------


def cross_lingual(profile: Profile, lm: LanguageModel, cache: Path | None) -> Line:
    """A8: English probes on other languages: the binary F1 of a probe trained on every English text, the tested messages
    among them, against the macro-F1 of one trained on other messages; each fault alone beside it.

    facts: what the diagonal comes to, by cross-validation on the training texts (binary F1) and by test (macro-F1).
    """
    if not profile.truth:
        return Line("a8", why="it needs one set in several languages, and a model that reads them all")
    both = Parallel.load(profile, CROSSED)
    train, known = both.parts[HOME]
    sides = {"right": train, "everything": concatenate([train, known])}
    made = {side: english(profile, lm, rows, both.abroad, cache) for side, rows in sides.items()}
    results = {side: fitted(rows, both.abroad, {side: made[side]}, cache)[side] for side, rows in sides.items()}
    positive = tuple(f"{language} {train.classes[-1]}" for language in both.foreign)

    def arm(side: str, labels: tuple[str, ...] | None = None) -> Arm:
        return Arm(crossed(both.abroad, results[side].predicted), 1.0, labels)

    def case(first: Arm) -> Case:
        return Case(crossed(both.abroad, both.abroad.labels), [first], [arm("right")], both.abroad.groups)

    return measured(
        "a8",
        {CROSSED: case(arm("everything", positive))},
        parts={
            "binary instead of macro-F1": contrast([case(arm("right", positive))]),
            "trained on the tested messages too": contrast([case(arm("everything"))]),
        },
        facts=diagonal(profile, lm, both, results["right"].strength, cache) | {"positive": train.classes[-1]},
    )


def english(profile, lm, train: LabelledTexts, test: LabelledTexts, cache: Path | None) -> TableFeatures:
    """Sums of the middle layer's SAE features of these texts."""
    problem = middle(profile, lm, train, test, cache)
    return TableFeatures(Problem(train, test, (), cache), problem.tables[0])


def middle(profile, lm, train: LabelledTexts, test: LabelledTexts, cache: Path | None) -> Problem:
    """The problem with one table: summed SAE features of the middle layer; the pass is that of other chapters."""
    request = Request(load_saes(profile, lm, widths=[profile.width]), tuple(profile.layers), profile.poolings)

    def wanted(what: dict) -> bool:
        return (what["features"], what["layer"], what["pooling"]) == ("sae", profile.middle, SUM)

    return make_problem(train, test, lm, request, cache, wanted)


def diagonal(profile, lm, both: Parallel, strength: float, cache: Path | None) -> dict[str, float]:
    """{"native_published", "native"}: each foreign language's own probe, mean over languages: F1 of the second class by
    cross-validation on the training texts, rows drawn singly; macro-F1 on the test texts. One C for all."""
    from sklearn.metrics import f1_score
    from sklearn.model_selection import KFold

    found = {"native_published": [], "native": []}
    for language in both.foreign:
        train, test = both.parts[language]
        candidate, n = english(profile, lm, train, test, cache), len(train)

        def predicted(fit, other, candidate=candidate, train=train) -> np.ndarray:
            x, rest, _ = candidate.matrices(fit, other, None)
            return candidate.probe(strength).fit(x, train.labels[fit]).predict(rest)

        splits = KFold(FOLDS, shuffle=True, random_state=42).split(train.texts)
        binary = [
            f1_score(train.labels[held], predicted(fit, held), pos_label=train.classes[-1]) for fit, held in splits
        ]
        found["native_published"].append(np.mean(binary))
        tested = predicted(np.arange(n), np.arange(n, n + len(test)))
        found["native"].append(macro_f1(test.labels, tested))
    return {name: float(np.mean(values)) for name, values in found.items()}


# --- A11 ---------------------------------------------------------------------------------------------------------


def stop_words(profile: Profile, cache: Path | None) -> Line:
    """A11: TF-IDF without English stop words against words or characters, as validation chooses, in every language.

    facts: {"by_language": {language: [published, right]}}, mean over the sets.
    """
    named = {choice.name for choice in profile.datasets}
    sets = [name for name in WORDED if name in named]
    if not sets:
        return Line("a11", why="no set of this profile is in several languages")
    cases, by_language = {}, {language: [] for language in LANGUAGES}
    for name in sets:
        both, arms = Parallel.load(profile, name), []
        for language, (train, test) in both.parts.items():
            texts = Problem(train, test, ())
            tried = {"published": EnglishWords(texts, "word, English stop words")}
            tried |= {kind: TfidfFeatures(texts, kind) for kind in ("word", "char")}
            results = fitted(train, test, tried, cache)
            right = max((results[kind] for kind in ("word", "char")), key=lambda result: result.validation)
            arms.append((test, results["published"].predicted, right.predicted))
            by_language[language].append([macro_f1(test.labels, predicted) for predicted in arms[-1][1:]])
        cases[name] = _joined(arms)
    means = {language: np.mean(values, axis=0).tolist() for language, values in by_language.items()}
    return measured("a11", cases, facts={"by_language": means})


def _joined(arms: list[tuple[LabelledTexts, np.ndarray, np.ndarray]]) -> Case:
    """One case of all languages: a message is resampled in all of them at once."""
    whole = concatenate([test for test, _, _ in arms])
    first, second = (crossed(whole, np.concatenate([arm[i] for arm in arms])) for i in (1, 2))
    return Case(crossed(whole, whole.labels), [Arm(first)], [Arm(second)], whole.groups)
