"""What is said of latents, and how classes are called: the words that the chapter on choosing by description holds against one another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mosaic.errors import MosaicError
from mosaic.interpretation import detection
from mosaic.interpretation.contexts import Windows
from mosaic.interpretation.descriptions import NONE
from mosaic.models.language import LanguageModel
from mosaic.probing.problem import Problem
from mosaic.profiles.opening import load_saes, located, select_saes
from mosaic.profiles.profile import Profile
from mosaic.saes.dictionary import load_dictionary
from mosaic.studies.controls import calibration_texts
from mosaic.studies.interpretation_labels import head_of, projected
from mosaic.studies.interpretation_sets import TOKENS, Explained
from mosaic.studies.seeds import held_out_texts

TEXTS = 3000  # that latents are described by


def described(profile: Profile, lm: LanguageModel) -> tuple[np.ndarray, list[str]]:
    """(latents of the middle SAE that have a description, its words: what they fire on and, of a causal model, what they write).

    Described on documents of the miniature, on training texts of other profiles' sets: no test text is read for it.
    """
    texts = held_out_texts(profile, TEXTS) if profile.truth else calibration_texts(profile, TEXTS)
    encoders = load_saes(profile, lm, [profile.middle], [profile.width])
    found = detection.firings(texts, lm, encoders)
    told = Explained.of(Windows.of(found), found.codes[0]).told
    latents = np.flatnonzero(np.isfinite(told.score))
    if not len(latents):
        raise MosaicError(
            f"no latent of {encoders[0].name} fires often enough on {len(texts)} texts to be described. Choose another SAE."
        )
    ids = [list(told.tokens[j]) for j in latents]
    if (causal := head_of(profile, lm)) is not None:
        (source,) = select_saes(profile, [profile.middle], [profile.width])
        raised = projected(causal, load_dictionary(located(source)).decoder[latents], TOKENS).raised
        ids = [[*one, *more] for one, more in zip(ids, raised, strict=True)]
    return latents, [_words(lm, one) for one in ids]


def is_name(label) -> bool:
    """Whether a class is called by a word: two letters in a row, or one sign of a script that writes words so."""
    return re.search(r"[^\W\d_]{2,}|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", str(label)) is not None


def query(title: str, name: str) -> str:
    """How a class is put to the encoder: its set's name and its own, "sentiment: negative"."""
    return f"{title.rsplit('/', 1)[-1].split(' (')[0].replace('_', ' ')}: {str(name).replace('_', ' ')}"


def of_latents(problem: Problem) -> Problem:
    """The problem with its table of SAE features alone."""
    return replace(problem, tables=tuple(t for t in problem.tables if t.provenance["features"] == "sae"))


def _words(lm: LanguageModel, ids: Sequence[int]) -> str:
    words = (lm.tokenizer.decode([int(i)]).strip() for i in ids if i != NONE)
    return ", ".join(dict.fromkeys(word for word in words if word))
