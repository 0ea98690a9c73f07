"""The picture of the whole way, from a sentence to a probe's answer, from this profile's own model, SAE and probe.

`pipeline("mini").html()` draws it for the profile's example; the landing page may show the same.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mosaic.features.extract import extract, token_codes
from mosaic.features.request import Request
from mosaic.models.language import LanguageModel
from mosaic.probing import estimators
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile
from mosaic.reporting.pipeline import OTHERS, Pipeline
from mosaic.saes.encoder import Encoder
from mosaic.studies.named_latents import best_latents
from mosaic.studies.problems import CACHE, load_cut, opened

SHOWN = 24  # dimensions of the residual stream
LATENTS = 3
POOLING = "max"
STRENGTH = 1.0  # of the probe: a fixed one, the picture compares nothing
SET, LANGUAGE = "mini/toxicity", "en"


def pipeline(
    profile: str | Profile, *, sentence: str | None = None, device: str = "cpu", cache: Path | None = CACHE
) -> Pipeline:
    """The way of one sentence (None: the profile's example) through the middle layer's SAE and a probe for toxicity.

    Shown are the latents that find quotation, insult and negation best where factors are known, else those that weigh most in the answer.
    """
    from mosaic.models.residuals import text_by_text

    profile, lm = opened(profile, device)
    (encoder,) = load_saes(profile, lm, [profile.middle], [profile.width])
    sentence = sentence or profile.example
    tokens, codes = token_codes(sentence, lm, encoder)
    added, answer, probability = asked(profile, lm, encoder, sentence, cache)
    if profile.truth:
        named = {name: found.latent for name, found in best_latents(lm, encoder, cache).items()}
    else:
        named = {f"latent {j}": int(j) for j in np.argsort(-np.abs(added), kind="stable")[:LATENTS]}
    columns = list(named.values())
    activations = codes[:, columns].toarray()
    contributions = {name: float(added[j]) for name, j in named.items()}
    x = text_by_text(lm, [sentence], profile.middle).cpu().numpy()
    return Pipeline(
        tokens=tokens,
        residuals=x[:, :SHOWN],
        n_dimensions=x.shape[1],
        n_latents=encoder.n_latents,
        names=list(named),
        activations=activations,
        pooling="largest value",
        pooled=activations.max(0),
        contributions=contributions | {OTHERS: float(added.sum() - sum(added[j] for j in set(columns)))},
        answer=answer,
        probability=probability,
        layer=profile.middle,
    )


def asked(
    profile: Profile, lm: LanguageModel, encoder: Encoder, sentence: str, cache: Path | None
) -> tuple[np.ndarray, str, float]:
    """([D] what each latent adds to the score of the second class, the probe's answer, its probability). What latents add is taken
    against the mean training text, so that the intercept plays no part."""
    train, _ = load_cut(profile, SET, LANGUAGE)
    rows, own = (
        extract(texts, lm, Request((encoder,), (), (POOLING,)), kept)[0].matrix
        for texts, kept in ((train.texts, cache), ([sentence], None))
    )
    rows, own = rows.toarray(), own.toarray()
    probe = estimators.logistic(STRENGTH).fit(rows, train.labels)
    (probabilities,) = probe.predict_proba(own)
    best = int(probabilities.argmax())
    weights = probe[-1].coef_[0] / probe[0].scale_
    return weights * (own[0] - rows.mean(0)), str(probe.classes_[best]), float(probabilities[best])
