"""Labels of latents, from what they fire on and from what they make the model write, beside the factors they track.

Shapes: D latents, L of them that track a factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic.interpretation import detection, tracking
from mosaic.interpretation.descriptions import NONE, Descriptions
from mosaic.interpretation.meanings import Dictionary, Rightness, believed
from mosaic.interpretation.outputs import Written, changed, projected
from mosaic.interpretation.tracking import Tracked
from mosaic.models.causal import CausalModel, open_causal
from mosaic.models.language import LanguageModel
from mosaic.profiles.opening import load_saes, located, select_saes
from mosaic.profiles.profile import Profile
from mosaic.saes.dictionary import load_dictionary
from mosaic.studies.interpretation_sets import TOKENS, Explained, derangement

INPUT, PROJECTED, CHANGED = "what it fires on", "what its decoder row writes", "what it changes"
BOTH, SHUFFLED = "fires on and writes", "another's"
BEGINNINGS, BEGINNING = 16, 12  # texts whose first so many tokens are continued
AMPLIFIED = 4  # times its largest activation: about the size of the residual stream itself


@dataclass(frozen=True, eq=False)
class Sides:
    """One SAE's labels. fires: by what it fires on. writes: by its decoder row, for a causal model."""

    fires: Descriptions
    writes: Written | None


def sides(one: Explained, decoder: np.ndarray, causal: CausalModel | None) -> Sides:
    return Sides(one.told, None if causal is None else projected(causal, decoder, TOKENS))


def head_of(profile: Profile, lm: LanguageModel) -> CausalModel | None:
    """The profile's model with its head; None where it is no model that writes."""
    names = getattr(lm.model.config, "architectures", None) or ()
    writes = any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in names)
    return open_causal(profile.model, lm.device) if writes else None


def amplified(
    one: Explained,
    decoder: np.ndarray,
    latents: Sequence[int],
    causal: CausalModel,
    lm: LanguageModel,
    layer: int,
    texts,
) -> Written:
    """TokenChange of these latents, in their order."""
    strength = AMPLIFIED * np.asarray(one.codes[:, list(latents)].max(0).todense()).ravel()
    ids = [list(map(int, tokens[:BEGINNING])) for tokens in lm.tokenize(texts).ids if len(tokens) >= BEGINNING]
    beginnings = ids[:BEGINNINGS]
    return changed(causal, layer, decoder[list(latents)], strength, beginnings, TOKENS, lm.spec.first_layer)


def known_factors(lm: LanguageModel, encoders, cache: Path | None) -> tuple[list[Tracked], Dictionary]:
    """(the factor each latent of each SAE tracks, the documents by which labels are read)."""
    rows, factors = tracking.texts()
    dictionary = Dictionary.of(lm, factors)
    tables = tracking.tables(rows, lm, encoders, cache)
    return [tracking.tracked(table.matrix, rows, dictionary.factors) for table in tables], dictionary


def of_every_sae(
    profile: Profile,
    lm: LanguageModel,
    texts: Sequence[str],
    trained: Explained,
    causal: CausalModel | None,
    cache: Path | None,
) -> dict[str, Rightness]:
    """Of every SAE of the profile, the middle one (`trained`) first; what latents change is measured of that one alone."""
    sources = sorted(select_saes(profile), key=lambda s: (s.layer, s.width) != (profile.middle, profile.width))
    encoders = [load_saes(profile, lm, [source.layer], [source.width])[0] for source in sources]
    true, dictionary = known_factors(lm, encoders, cache)
    others = detection.firings(texts, lm, encoders[1:]).codes if encoders[1:] else ()
    explained = [trained, *(Explained.of(trained.windows, codes) for codes in others)]
    out = {}
    for i, (source, encoder, tracked, one) in enumerate(zip(sources, encoders, true, explained, strict=True)):
        rows = load_dictionary(located(source)).decoder
        told, change = sides(one, rows, causal), None
        if i == 0 and causal is not None and len(latents := known(tracked, told)):
            change = amplified(one, rows, latents, causal, lm, encoder.layer, texts)
        found = rightness(tracked, told, dictionary, change)
        if found is not None:
            out[f"layer {source.layer}, {source.width}"] = found
    return out


def rightness(true: Tracked, told: Sides, dictionary: Dictionary, change: Written | None = None) -> Rightness | None:
    """Which labels of the latents that track a factor, and have a description, are right; None where there are none.

    change: TokenChange of `known(true, told)`, in that order.
    """
    latents = known(true, told)
    if not len(latents):
        return None
    truth = np.array(true.factor)[latents]
    inputs = dictionary.meaning(told.fires)
    means = {INPUT: np.array(inputs.factor)[latents]}
    if told.writes is not None:
        outputs = dictionary.meaning(told.writes.descriptions())
        means[PROJECTED] = np.array(outputs.factor)[latents]
        if change is not None:
            means[CHANGED] = np.array(dictionary.meaning(change.descriptions()).factor)
        means[BOTH] = np.array(believed(inputs, outputs))[latents]
    last = list(means)[-1]
    if len(latents) > 1:
        means[SHUFFLED] = means[last][derangement(len(latents), 0)]
    return Rightness(truth, {label: found == truth for label, found in means.items()})


def known(true: Tracked, told: Sides) -> np.ndarray:
    """Latents that track a factor and have a description."""
    return np.flatnonzero((true.chosen_auroc > tracking.NAMED) & np.isfinite(told.fires.score))


def words(ids, name) -> str:
    """Tokens of a label, in quotation marks."""
    return ", ".join(f'"{name(int(i))}"' for i in ids if i != NONE)
