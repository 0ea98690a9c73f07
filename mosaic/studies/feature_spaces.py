"""Latents of several models on the same tokens, and two of their feature spaces held against one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.agreement import universality
from mosaic.agreement.resampling import Estimate, linear
from mosaic.agreement.universality import Correlations, Pairs, Similarity
from mosaic.errors import MosaicError
from mosaic.interpretation import detection
from mosaic.models.language import LanguageModel
from mosaic.profiles.opening import load_partly_trained, load_saes, located, located_folder, select_saes
from mosaic.profiles.profile import Profile
from mosaic.saes.dictionary import load_dictionary
from mosaic.saes.encoder import Encoder
from mosaic.studies.controls import CALIBRATION_TEXTS, random_dictionaries, untrained

SELDOM = 10  # firings below which a latent is not paired: two that fire once on one token correlate perfectly
LEAST_PAIRS = 20  # below which two spaces are not compared


@dataclass(frozen=True, eq=False)
class Space:
    """One SAE on the texts. model, layer: where it reads. decoder: [D, d]. codes: CSR [T, D]."""

    model: str
    layer: int
    decoder: np.ndarray
    codes: csr_matrix

    @property
    def name(self) -> str:
        return f"{self.model}, layer {self.layer}"


@dataclass(frozen=True, eq=False)
class Compared:
    """Two spaces: first's latents beside those of second that fire like them, every one once. distinct: different partners per
    latent of second that has one."""

    first: Space
    second: Space
    pairs: Pairs
    distinct: float

    @classmethod
    def of(cls, first: Space, second: Space) -> Compared:
        sums = Correlations(first.codes.shape[1], second.codes.shape[1])
        sums.add(first.codes, second.codes)
        r = sums.values()
        r[sums.fires[0] < SELDOM] = 0
        r[:, sums.fires[1] < SELDOM] = 0
        many, once = universality.best_pairs(r, once=False), universality.best_pairs(r)
        return cls(first, second, once, len(once) / max(len(many), 1))

    @property
    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        return self.first.decoder[self.pairs.first], self.second.decoder[self.pairs.second]

    @cached_property
    def svcca(self) -> Similarity:
        return universality.svcca(*self.rows)

    @cached_property
    def one_component(self) -> Similarity:
        return universality.svcca(*self.rows, None)

    @cached_property
    def rsa(self) -> Similarity:
        return universality.rsa(*self.rows)

    @cached_property
    def estimate(self) -> Estimate:
        """RSA, with its error over pairs of latents."""
        return universality.rsa_estimate(*self.rows)


def spaces(profile: Profile, lm: LanguageModel, texts: Sequence[str]) -> tuple[list[Space], np.ndarray]:
    """(the profile's SAEs of its main width, [T] ids of the tokens)."""
    sources = [located(source) for source in select_saes(profile, widths=[profile.width])]
    encoders = load_saes(profile, lm, widths=[profile.width])
    found = detection.firings(texts, lm, encoders)
    decoders = [load_dictionary(source).decoder for source in sources]
    made = [
        Space(profile.name, encoder.layer, decoder, codes)
        for encoder, decoder, codes in zip(encoders, decoders, found.codes, strict=True)
    ]
    return made, found.ids[:, 0]


def check_same_tokens(first: str, ids: np.ndarray, second: str, other: np.ndarray) -> None:
    """Raises MosaicError where two models cut texts into other tokens: their latents then fire on nothing in common."""
    if not np.array_equal(ids, other):
        raise MosaicError(
            f"{first} and {second} cut the texts into other tokens ({len(ids)} and {len(other)}). Name profiles under others "
            "whose models have one tokenizer and one max_length."
        )


def random_spaces(profile: Profile, lm: LanguageModel, texts: Sequence[str]) -> list[Space]:
    """Random dictionaries in the place of the middle layer's SAE, encoder and decoder tied."""
    (encoder,) = load_saes(profile, lm, [profile.middle], [profile.width])
    drawn = random_dictionaries(encoder, lm, texts[:CALIBRATION_TEXTS])
    found = detection.firings(texts, lm, drawn)
    return [
        Space(f"random dictionary {i}", encoder.layer, _rows(one), codes)
        for i, (one, codes) in enumerate(zip(drawn, found.codes, strict=True))
    ]


def untrained_spaces(profile: Profile, lm: LanguageModel, texts: Sequence[str]) -> list[Space]:
    """The SAE that learned the residual stream of the profile's model with random weights, read there; none where it has none."""
    if not (encoders := load_partly_trained(profile, lm, "untrained model")):
        return []
    paths = [one.path for one in profile.partly_trained if one.kind == "untrained model"]
    found = detection.firings(texts, untrained(profile, lm.device), encoders)
    return [
        Space("untrained model", encoder.layer, load_dictionary(located_folder(path)).decoder, codes)
        for encoder, path, codes in zip(encoders, paths, found.codes, strict=True)
    ]


def _rows(encoder: Encoder) -> np.ndarray:
    return encoder.weights.float().cpu().numpy()


def mean(of: Sequence[Compared]) -> Estimate:
    """Mean RSA of some comparisons; the error is over pairs of latents."""
    return linear([(1 / len(of), one.estimate) for one in of])


def minus(of: Sequence[Compared], other: Sequence[Compared]) -> dict:
    """Mean RSA of `of` minus that of `other`; 95 % over pairs of latents. RSA, unlike SVCCA, does not hang on their number."""
    terms = [(1 / len(of), one.estimate) for one in of] + [(-1 / len(other), one.estimate) for one in other]
    found = linear(terms)
    return {
        "difference": found.value,
        "interval": found.interval(),
        "of": mean(of).value,
        "other": mean(other).value,
        "n_pairs": [int(np.mean([len(one.pairs) for one in side])) for side in (of, other)],
    }
