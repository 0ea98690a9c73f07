"""The English probe on texts translated to English, beside training on the language itself and transfer as it is.

Parallel rows are each other's translation: the English row of a message is what its row in another language says. Where
rows are not parallel, a profile may name sets of translations (`CrossedSet.translated`). All three ways label the same
test rows, so that their differences are paired over messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.probing import scores
from mosaic.probing.scores import Difference, Mean
from mosaic.profiles.profile import HOME
from mosaic.studies import abroad
from mosaic.studies.headline import SCORES, numbers, outcome
from mosaic.texts.labelled import LabelledTexts

NONE = -1  # the row number of a translation that is not there
NATIVE, TRANSLATED, TRANSFER = "native", "translated", "transfer"
WAYS = {  # what was trained on, and what was read
    NATIVE: "each language itself",
    TRANSLATED: "English, read in translation",
    TRANSFER: "English, read as it is",
}
NOT_AT_HAND = "No translation of these texts to English is at hand."


@dataclass(frozen=True)
class Translated:
    """One set's test texts in the foreign languages that have a translation, labelled in three ways.

    test: the rows of those languages, English not among them. predicted: {features: {way of WAYS: [rows of test]}}.
    """

    test: LabelledTexts
    predicted: Mapping[str, Mapping[str, np.ndarray]]

    @property
    def languages(self) -> list[str]:
        return abroad.foreign(self.test)

    def mean(self, features: str, way: str, part: str | None = None) -> Mean:
        """Mean macro-F1 over the languages on one part (None: the first), its interval over messages."""
        return abroad.mean([(self.test, [self.predicted[features][way]])], part)

    def by_language(self, features: str, way: str) -> dict[str, dict]:
        """{language: {"macro_f1", "low", "high", "n"}} on the first part."""
        return abroad.by_language(self.test, [self.predicted[features][way]])

    def summary(self) -> dict:
        return {
            features: {way: self.by_language(features, way) for way in predicted}
            for features, predicted in self.predicted.items()
        }


def translated(
    test: LabelledTexts,
    english: Mapping[str, np.ndarray],
    native: Mapping[str, np.ndarray],
    named: Mapping[str, Mapping[str, np.ndarray]],
) -> Translated | None:
    """What the English probes say in translation, beside what they and the native ones say; None where nothing is translated.

    english, native: {features: predictions [rows of test]}. named: {language: {features: what the English probe says of the
    translation of each of its test rows}}, of sets of translations; other languages are read in parallel rows.
    """
    other = counterparts(test)
    languages = [
        language
        for language in abroad.foreign(test)
        if language in named or (other[test.languages == language] != NONE).all()
    ]
    if not languages:
        return None

    def read(features: str) -> np.ndarray:
        there = english[features][
            other
        ]  # where there is no such row, another's, of a language that is left out or named
        for language, of in named.items():
            there[test.languages == language] = of[features]
        return there

    rows = np.flatnonzero(np.isin(test.languages, languages))
    ways = {
        features: {NATIVE: native[features], TRANSLATED: read(features), TRANSFER: english[features]}
        for features in english
    }
    return Translated(
        test.take(rows),
        {features: {way: predicted[rows] for way, predicted in of.items()} for features, of in ways.items()},
    )


def counterparts(test: LabelledTexts) -> np.ndarray:
    """[rows of test] the English row that says the same: of the same group, part and label.

    NONE where there is no such row, or where there are several, of which nobody knows which it is.
    """
    if test.groups is None or test.languages is None:
        return np.full(len(test), NONE)
    parts = np.full(len(test), "") if test.parts is None else test.parts
    keys = list(zip(test.groups, parts, test.labels, strict=True))
    english: dict[tuple, int] = {}
    for row in np.flatnonzero(test.languages == HOME).tolist():
        english[keys[row]] = NONE if keys[row] in english else row
    return np.array([english.get(key, NONE) for key in keys])


def of_each(texts: LabelledTexts, translations: LabelledTexts) -> LabelledTexts | None:
    """The texts, each as its translation; None where one has none.

    A translation's group is the text that it is of, or that text's own group. The label must be the same: a set that was
    cleaned since is another set.
    """
    if translations.groups is None:
        return None
    found = {key: i for i, key in reversed([*enumerate(zip(translations.groups, translations.labels, strict=True))])}
    groups = texts.texts if texts.groups is None else texts.groups
    rows = [
        found.get((text, label), found.get((group, label), NONE))
        for text, group, label in zip(texts.texts, groups, texts.labels, strict=True)
    ]
    if NONE in rows:
        return None
    return LabelledTexts(
        texts.name, [translations.texts[i] for i in rows], texts.labels, texts.groups, texts.languages, texts.parts
    )


def minus(found: Sequence[Translated], features: str, a: str, b: str, part: str | None = None) -> Difference:
    """One way minus another, mean over the sets and their translated languages; the interval is over messages and sets."""
    cases = []
    for one in found:
        ways = one.predicted[features]
        labels, (first, second), groups = abroad.crossed(one.test, [ways[a], ways[b]], part)
        cases.append((labels, [first], [second], groups))
    return scores.compare_draws(cases, over_sets=True)


def over_sets(sets: Sequence[Translated | None], part: str | None = None) -> dict | None:
    """What is recorded of several sets; None where no set has a translation. n_pairs: of a set and a language."""
    found = [one for one in sets if one is not None]
    if not found:
        return None
    return {
        "n_sets": len(found),
        "n_pairs": sum(len(one.languages) for one in found),
        **{
            features: {
                "mean": {
                    way: float(np.mean([one.mean(features, way, part).macro_f1 for one in found])) for way in WAYS
                },
                "native_minus_translated": minus(found, features, NATIVE, TRANSLATED, part).summary(),
                "translated_minus_transfer": minus(found, features, TRANSLATED, TRANSFER, part).summary(),
            }
            for features in found[0].predicted
        },
    }


def sentence(name: str, sets: Mapping[str, Translated | None], features: str) -> str:
    """What the numbers say of one kind of features. name: as it begins a sentence; sets: {title: its three ways}."""
    found = {title: one for title, one in sets.items() if one is not None}
    if not found:
        return NOT_AT_HAND
    ways = [*found.values()]
    native, transfer = minus(ways, features, NATIVE, TRANSLATED), minus(ways, features, TRANSLATED, TRANSFER)
    lacking = [title for title in sets if title not in found]
    over = f"{'mean over' if len(found) > 1 else 'on'} {' and '.join(found)}"
    more = f" Of {' and '.join(lacking)} no translation is at hand." if lacking else ""
    return (
        f"{name}: probes trained on the language itself {SCORES[outcome(native)]} the English probe on texts translated to "
        f"English ({numbers(native)}), which {_reads(transfer)} the same probe on the texts as they are "
        f"({numbers(transfer)}; {over}).{more}"
    )


def _reads(difference: Difference) -> str:
    """ "scores above", of one probe: SCORES speaks of several."""
    return SCORES[outcome(difference)].replace("score ", "scores ")
