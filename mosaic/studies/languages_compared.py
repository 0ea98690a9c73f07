"""Over several sets in several languages: SAE features above chance, minus the other arms, and native training minus English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mosaic.probing.scores import Difference
from mosaic.studies import abroad, translated
from mosaic.studies.language_scores import NATIVE, LanguageScores

OTHERS = {  # arms trained on English that linear SAE features are compared with, as sentences name them
    "tree": "trees on SAE features",
    "hidden": "hidden states",
    "tfidf": "TF-IDF",
    "majority": "the majority class",
    "random dictionary": "random dictionaries",
    "random language model": "an untrained language model's hidden states",
}
NAMES = {  # as sentences name them
    "en": "English",
    "es": "Spanish",
    "de": "German",
    "fr": "French",
    "it": "Italian",
    "pt": "Portuguese",
    "ru": "Russian",
    "uk": "Ukrainian",
    "zh": "Chinese",
    "ar": "Arabic",
    "hi": "Hindi",
    "am": "Amharic",
}


class Below(NamedTuple):
    """One set in one foreign language where linear SAE features trained on English lie below chance, by their interval."""

    where: str
    macro_f1: float
    chance: float


def over_sets(sets: Sequence[LanguageScores], part: str | None = None) -> dict:
    """What is recorded of several sets, on one part (None: the first). minus: linear SAE features minus each of OTHERS."""
    return {
        "above_chance": above_chance(sets, part),
        "native_minus_english": {family: minus(sets, f"{family}, native", family, part).summary() for family in NATIVE},
        "minus": {arm: minus(sets, "sae", arm, part).summary() for arm in OTHERS},
        "translated": translated.over_sets([found.translated for found in sets], part),
    }


def minus(sets: Sequence[LanguageScores], a: str, b: str, part: str | None = None) -> Difference:
    """One arm minus another, mean over the sets and foreign languages."""
    return abroad.difference([(found.test, found.arms[a], found.arms[b]) for found in sets], part)


def above_chance(sets: Sequence[LanguageScores], part: str | None = None) -> dict:
    """Linear SAE features trained on English, abroad, minus the mean chance of the sets."""
    mean = abroad.mean([(found.test, found.arms["sae"]) for found in sets], part)
    return abroad.above(mean, float(np.mean([found.chance for found in sets])))


def below_chance(sets: Mapping[str, LanguageScores]) -> tuple[int, list[Below]]:
    """(how many sets and foreign languages there are, those below chance), familiar words. sets: {name: its scores}."""
    n, below = 0, []
    for name, found in sets.items():
        for language, scored in abroad.by_language(found.test, found.arms["sae"]).items():
            if language != abroad.HOME:
                n += 1
                if scored["high"] < found.chance:
                    below.append(Below(f"{name} in {NAMES.get(language, language)}", scored["macro_f1"], found.chance))
    return n, below
