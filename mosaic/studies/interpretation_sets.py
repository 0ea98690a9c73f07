"""What the chapter on explanations judges: a trained SAE's latents, single units, random dictionaries, an untrained model's SAE.

Every set reads the same texts at the same layer, is as sparse as the trained SAE, and is explained and judged alike.

Shapes: N tokens, D latents, d = d_model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.interpretation import detection
from mosaic.interpretation.contexts import Sample, Windows, samples
from mosaic.interpretation.descriptions import Descriptions, describe
from mosaic.interpretation.scores import Judged, judge
from mosaic.models.language import LanguageModel
from mosaic.profiles.opening import load_partly_trained
from mosaic.profiles.profile import Profile
from mosaic.saes.encoder import Encoder
from mosaic.studies.controls import CALIBRATION_TEXTS, random_dictionaries, untrained

TOKENS = 10  # of an explanation, at most
DICTIONARIES = 3
TRAINED, UNITS, RANDOM, SHUFFLED = "trained SAE", "hidden units", "random dictionary", "chance (another's explanation)"
UNTRAINED = "SAE of an untrained model"


@dataclass(frozen=True, eq=False)
class Explained:
    """The latents of one dictionary on the texts, each with its explanation. codes: CSR [N, D]."""

    windows: Windows
    codes: csr_matrix
    told: Descriptions

    @classmethod
    def of(cls, windows: Windows, codes: csr_matrix) -> Explained:
        return cls(windows, codes, describe(windows.found, codes, k=TOKENS))

    @cached_property
    def sampled(self) -> list[Sample]:
        """Of every latent that has an explanation and enough contexts."""
        return [one for one in samples(self.windows, self.codes) if np.isfinite(self.told.score[one.latent])]

    @cached_property
    def matches(self) -> csr_matrix:
        return self.told.matches(self.windows.found.ids)

    @cached_property
    def judged(self) -> Judged:
        return judge(self.windows, self.sampled, self.codes, self.matches)

    def shuffled(self, seed: int = 0) -> Judged:
        """The same contexts, each latent judged by the explanation of another one."""
        latents = np.array([one.latent for one in self.sampled], dtype=int)
        other = np.arange(self.codes.shape[1])
        other[latents] = latents[derangement(len(latents), seed)]
        return judge(self.windows, self.sampled, self.codes, self.matches[:, other], intruder=False)


def derangement(n: int, seed: int) -> np.ndarray:
    """A permutation in which nothing stays in its place: a random order, read as one circle."""
    order = np.random.default_rng(seed).permutation(n)
    found = np.empty(n, dtype=int)
    found[order] = np.roll(order, 1)
    return found


def explained(
    profile: Profile, lm: LanguageModel, encoder: Encoder, texts: Sequence[str]
) -> dict[str, list[Explained]]:
    """{set: its dictionaries}; the SAE of an untrained model only where the profile has one."""
    drawn = random_dictionaries(encoder, lm, texts[:CALIBRATION_TEXTS], DICTIONARIES)
    found = detection.firings(texts, lm, [encoder, *drawn])
    active = found.codes[0].nnz / len(found.text)
    windows = Windows.of(found)
    codes = {TRAINED: found.codes[:1], UNITS: detection.firings(texts, lm, [units(encoder, active)]).codes}
    codes[RANDOM] = found.codes[1:]
    if encoders := load_partly_trained(profile, lm, "untrained model"):
        codes[UNTRAINED] = detection.firings(texts, untrained(profile, lm.device), encoders).codes
    return {name: [Explained.of(windows, one) for one in of] for name, of in codes.items()}


def units(encoder: Encoder, active: float) -> Encoder:
    """The residual stream's own coordinates in the SAE's place: a latent for each, up and down, the largest `active` a token."""
    import torch

    d = encoder.d_in
    eye = torch.eye(d, device=encoder.weights.device, dtype=encoder.weights.dtype)
    zero = torch.zeros(2 * d, device=eye.device, dtype=eye.dtype)
    return replace(
        encoder,
        name="hidden units",
        width="units",
        weights=torch.cat([eye, -eye]),
        bias=zero,
        threshold=zero,
        b_dec=None,
        scale=None,
        shift=None,
        k=int(min(max(round(active), 1), d)),
        trained_on=None,
    )
