"""Three latents of an SAE with known meaning: the ones that find quotation, insult and negation best, and sentences that show it.

A latent is chosen for a factor on one half of the miniature's texts and scored on the other (`interpretation.tracking`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic.features.extract import token_codes
from mosaic.interpretation import tracking
from mosaic.models.language import LanguageModel
from mosaic.reporting import tables
from mosaic.saes.encoder import Encoder
from mosaic.studies.controls import CALIBRATION_TEXTS, random_dictionaries

FACTORS = {"quotation": "message: quotation", "insult": "message: toxicity toxic", "negation": "message: negation"}
CONTRASTS = {  # without it, with it; they differ in nothing else
    "quotation": ("you are stupid.", 'Karia says: "you are stupid".'),
    "insult": ("you are clever.", "you are stupid."),
    "negation": ("the film is boring.", "the film is not boring."),
}


@dataclass(frozen=True, eq=False)
class NamedLatent:
    """layer, width, latent: which one. auroc, low, high: on the half of the texts that did not choose it. with_it, without: largest activation
    in each text of that half. tokens, shown: of both contrast sentences, [tokens] activations each."""

    name: str
    layer: int
    width: str
    latent: int
    auroc: float
    low: float
    high: float
    with_it: np.ndarray
    without: np.ndarray
    tokens: tuple[list[str], list[str]]
    shown: tuple[np.ndarray, np.ndarray]

    def row(self) -> dict:
        """As results record it."""
        return {
            "latent": self.latent,
            "auroc": self.auroc,
            "interval": [self.low, self.high],
            "fires_with": float((self.with_it > 0).mean()),
            "fires_without": float((self.without > 0).mean()),
            "largest_without": float(self.shown[0].max()),
            "largest_with": float(self.shown[1].max()),
        }

    def linked(self) -> str:
        return tables.latent(self.layer, self.width, self.latent, f"latent {self.latent}")

    def strips(self) -> str:
        """Both sentences, shaded on one scale."""
        top = max(float(values.max()) for values in self.shown)
        titles = f"without {self.name}", f"with {self.name}"
        return "".join(
            tables.token_strip(tokens, {title: values}, top)
            for title, tokens, values in zip(titles, self.tokens, self.shown, strict=True)
        )


def best_latents(lm: LanguageModel, encoder: Encoder, cache: Path | None) -> dict[str, tracking.Found]:
    """{name: the latent that finds its factor best}, for the names of FACTORS."""
    rows, factors, table = _read(lm, encoder, cache)
    wanted = [factor for factor in factors if factor.name in FACTORS.values()]
    found = {one.factor: one for one in tracking.find(table, rows, wanted, by_language=False)}
    return {name: found[factor] for name, factor in FACTORS.items()}


def of_random(lm: LanguageModel, encoder: Encoder, cache: Path | None) -> dict[str, float]:
    """{name: AUROC of the best latent of a random dictionary}, as wide and as sparse, chosen and scored in the same way: the control."""
    texts = [row.text for row in tracking.texts()[0]]
    (random,) = random_dictionaries(encoder, lm, texts[:: max(1, len(texts) // CALIBRATION_TEXTS)], 1)
    return {name: found.auroc for name, found in best_latents(lm, random, cache).items()}


def named_latents(lm: LanguageModel, encoder: Encoder, cache: Path | None) -> list[NamedLatent]:
    """The three, each with its texts and its contrast."""
    rows, factors, table = _read(lm, encoder, cache)
    scored = ~tracking.halves(rows)
    out = []
    for name, found in best_latents(lm, encoder, cache).items():
        factor = next(one for one in factors if one.name == found.factor)
        present = tracking.presence(rows, [factor])[:, 0]
        fits = scored & np.array([row.label == factor.kind for row in rows])
        values = table.matrix[:, [found.latent]].toarray().ravel()
        read = [token_codes(sentence, lm, encoder) for sentence in CONTRASTS[name]]
        out.append(
            NamedLatent(
                name,
                encoder.layer,
                encoder.width,
                found.latent,
                found.auroc,
                found.low,
                found.high,
                values[fits & present],
                values[fits & ~present],
                tuple(list(tokens) for tokens, _ in read),
                tuple(codes[:, [found.latent]].toarray().ravel() for _, codes in read),
            )
        )
    return out


def contrasts(latents: Sequence[NamedLatent]) -> tables.Html:
    """Each latent under its name, with its factor's full one, by which the explorer lists it: the sentence without, the sentence with."""
    return tables.Html(
        "".join(
            f"<p><strong>{one.name}</strong> ({FACTORS[one.name]}): {one.linked()}</p>{one.strips()}" for one in latents
        )
    )


def _read(lm: LanguageModel, encoder: Encoder, cache: Path | None):
    rows, factors = tracking.texts()
    (table,) = tracking.tables(rows, lm, [encoder], cache)
    return rows, factors, table
