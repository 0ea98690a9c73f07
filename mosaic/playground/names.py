"""Names of latents for the page: the factor a latent tracks where factors are known, else the tokens it fires on.

Both are found without a language model (`interpretation.tracking`, `interpretation.descriptions`); a latent that fires too
seldom to be described has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mosaic.interpretation import detection, tracking
from mosaic.interpretation.descriptions import describe
from mosaic.models.language import LanguageModel
from mosaic.profiles.profile import Profile
from mosaic.saes.encoder import Encoder
from mosaic.studies.problems import latent_names

SPACE = "▁"


def names(
    profile: Profile, lm: LanguageModel, encoders: Sequence[Encoder], texts: Sequence[str], cache: Path | None
) -> dict[int, dict[int, list[str]]]:
    """{layer: {latent: [name, where from]}}; where from: "named" or "tokens". texts: in which to look where latents fire."""
    given = latent_names(profile, lm, cache, encoders)
    if profile.truth:
        texts = [row.text for row in tracking.texts()[0]]
    found = detection.firings(texts, lm, encoders)
    out: dict[int, dict[int, list[str]]] = {}
    for encoder, codes in zip(encoders, found.codes, strict=True):
        told, prefix = describe(found, codes, telling=0.1), f"layer_{encoder.layer}/width_{encoder.width}"
        own = out[encoder.layer] = {}
        for latent in range(encoder.n_latents):
            if name := given.get(f"{prefix}/{latent}"):
                own[latent] = [name, "named"]
            elif text := told.text(latent, lambda token: word(lm, token)):
                own[latent] = [f"fires {text}", "tokens"]
    return out


def word(lm: LanguageModel, token: int) -> str:
    """A token as a reader sees it, without the mark that stands for a space."""
    return lm.tokenizer.convert_ids_to_tokens(token).replace(SPACE, " ").strip() or "space"
