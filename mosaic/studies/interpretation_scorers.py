"""Five scorers of the same latents: those that need a model too, a few latents' worth of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mosaic.interpretation import language_scores
from mosaic.interpretation.contexts import Sample
from mosaic.interpretation.descriptions import NONE
from mosaic.interpretation.scores import judge
from mosaic.models.causal import CausalModel
from mosaic.models.language import LanguageModel
from mosaic.models.opening import open_model, resolve
from mosaic.profiles.profile import load_profile
from mosaic.studies.interpretation_sets import Explained

LATENTS = 30
SENTENCES = "minilm"  # the profile whose model embeds explanations and contexts


def scorers(lm: LanguageModel, one: Explained, causal: CausalModel | None) -> dict[str, np.ndarray]:
    """{score: [L]} of LATENTS latents, drawn at random; surprisal only with a causal model, embedding where the sentence encoder can
    be had."""
    sampled = drawn(one.sampled)
    judged = judge(one.windows, sampled, one.codes, one.matches)
    found = {"detection": judged.detection, "fuzzing": judged.fuzzing, "intruder": judged.intruder}
    ids = [[int(t) for t in one.told.tokens[sample.latent] if t != NONE] for sample in sampled]
    if causal is not None:
        found["surprisal"] = language_scores.surprisal(one.windows, sampled, ids, causal)
    if (encoder := sentence_encoder(lm.device)) is not None:
        found["embedding"] = language_scores.embedding(
            one.windows,
            sampled,
            [_words(lm, label) for label in ids],
            lambda context: lm.tokenizer.decode(list(map(int, context))),
            encoder,
        )
    return found


def drawn(sampled: Sequence[Sample], n: int = LATENTS) -> list[Sample]:
    if len(sampled) <= n:
        return list(sampled)
    return [sampled[i] for i in np.sort(np.random.default_rng(0).choice(len(sampled), n, replace=False))]


def sentence_encoder(device: str) -> LanguageModel | None:
    """The small sentence encoder, if it is on this machine: a book must not wait for a download for one score."""
    spec = load_profile(SENTENCES).model
    return open_model(spec, device) if Path(resolve(spec)).is_dir() else None


def _words(lm: LanguageModel, ids: Sequence[int]) -> str:
    return ", ".join(lm.tokenizer.decode([i]).strip() for i in ids)
