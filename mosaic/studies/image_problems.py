"""Problems on sets of images seen by the miniature's vision-language model, and their controls.

Image sets are one test each: no words, and so no second test in new ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mosaic.models.language import LanguageModel
from mosaic.probing.problem import Problem, stratified_rows
from mosaic.profiles.opening import load_saes, located, select_saes
from mosaic.profiles.profile import Profile
from mosaic.saes.source import SAESource
from mosaic.studies.controls import N_DICTIONARIES
from mosaic.studies.language_scores import apart
from mosaic.texts.labelled import LabelledTexts
from mosaic.world import images

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Images:
    """One set of images before the miniature's vision-language model; every pooling of the profile for every reader.

    train, test: names of the images and their labels. pixels: [n, 32, 32, 3], train then test.
    """

    profile: Profile
    lm: LanguageModel
    train: LabelledTexts
    test: LabelledTexts
    pixels: np.ndarray

    @classmethod
    def load(cls, profile: Profile, lm: LanguageModel, name: str) -> Images:
        """A set by name, cut, stratified, to the profile's `max_train` and `max_test`."""
        both = images.labelled_images(name)
        parts = [_cut(*part, n) for part, n in zip(both, (profile.max_train, profile.max_test), strict=True)]
        train, test = (
            LabelledTexts(name, [f"{name}-{part}-{i}" for i in range(len(labels))], labels)
            for part, (_, labels) in zip(("train", "test"), parts, strict=True)
        )
        return cls(profile, lm, train, test, np.concatenate([shown for shown, _ in parts]))

    @property
    def test_pixels(self) -> np.ndarray:
        return self.pixels[len(self.train) :]

    def learned(self) -> Problem:
        """Text SAEs and hidden states at the image tokens, every layer of the profile, the profile's width."""
        encoders = load_saes(self.profile, self.lm, widths=[self.profile.width])
        return self._problem(_vision_model(self.lm), encoders, self.profile.layers)

    def read_by(self, source: SAESource) -> Problem:
        """What one SAE makes of the image tokens, every pooling."""
        from mosaic.saes.loading import load_encoder

        lm = self.lm
        encoder = load_encoder(source, self.profile.model.id, lm.d_model, lm.device, lm.spec.first_layer)
        return self._problem(_vision_model(lm), [encoder])

    def random_dictionaries(self, layer: int) -> list[Problem]:
        """N_DICTIONARIES random dictionaries of the layer's SAE's width and sparsity, one problem each."""
        model = _vision_model(self.lm)
        return apart(self._problem(model, self._random(model, layer, N_DICTIONARIES)))

    def random_language_model(self, layer: int) -> Problem:
        """Untrained weights behind the same tower, read by one random dictionary, trained SAEs being of no use there."""
        model = _vision_model(self.lm, random_text=0)
        return self._problem(model, self._random(model, layer, 1))

    def tower(self) -> Problem:
        """The vision tower's own features, every pooling: what is there before a language model reads it."""
        from mosaic.features.images import tower_tables
        from mosaic.miniature import vision

        model = _vision_model(self.lm)
        batches = vision.image_batches(self.lm.tokenizer, self.pixels, device=self.lm.device)
        tables = tower_tables(model, batches, self.train.texts + self.test.texts, self.profile.poolings)
        return Problem(self.train, self.test, tuple(tables))

    def raw(self) -> Problem:
        """The pixels, as a bag of words is to texts."""
        from mosaic.features.images import pixel_table

        return Problem(self.train, self.test, (pixel_table(self.pixels, self.train.texts + self.test.texts),))

    def _random(self, model, layer: int, n: int) -> list:
        """n random dictionaries, as sparse on the first images' tokens as the SAE of this layer is there."""
        from mosaic.saes.loading import random_like

        (encoder,) = load_saes(self.profile, self.lm, [layer], [self.profile.width])
        x = first_residuals(model, self.lm, self.pixels, [layer])[layer]
        return [random_like(encoder, x, seed) for seed in range(n)]

    def _problem(self, model, encoders: Sequence, hidden: Sequence[int] = ()) -> Problem:
        from mosaic.features.images import image_tables
        from mosaic.miniature import vision

        batches = vision.image_batches(self.lm.tokenizer, self.pixels, device=self.lm.device)
        names = self.train.texts + self.test.texts
        tables = image_tables(model, batches, names, vision.IMAGE_TOKEN, encoders, hidden, self.profile.poolings)
        return Problem(self.train, self.test, tuple(tables))


def _cut(pixels, labels: Sequence[str], n: int | None):
    """(images, labels [n] of str): at most n of them, stratified, as texts are cut."""
    labels = np.array(labels, dtype=object)
    rows = stratified_rows(labels, n)
    return pixels[rows], labels[rows]


def image_unexplained(profile: Profile, lm: LanguageModel, name: str) -> float:
    """Fraction of variance unexplained of the middle layer's text SAE on the image tokens of a set's first images."""
    return unexplained_by(text_sae(profile), lm, images.labelled_images(name)[0][0])


def text_sae(profile: Profile) -> SAESource:
    """The middle layer's SAE of texts."""
    (source,) = select_saes(profile, [profile.middle], [profile.width])
    return located(source)


def image_token_sae() -> SAESource:
    """The SAE that learned mini-vision's image tokens, by the recipe of that of texts, at the same layer and width."""
    from mosaic.miniature import controls
    from mosaic.miniature.build import WEIGHTS

    return SAESource(controls.LAYER, controls.WIDTH, path=str(controls.folder(WEIGHTS, "image_tokens")))


def unexplained_by(source: SAESource, lm: LanguageModel, pixels: np.ndarray) -> float:
    """Fraction of variance unexplained of an SAE on the image tokens of the first images."""
    import torch
    from sae_lens import SAE

    sae = SAE.load_from_disk(source.path, dtype="float32")
    x = first_residuals(_vision_model(lm), lm, pixels, [source.layer])[source.layer].cpu()
    with torch.inference_mode():
        return unexplained(x, sae.decode(sae.encode(x)))


def text_unexplained(profile: Profile, lm: LanguageModel, texts: Sequence[str]) -> float:
    """The same of the same SAE on texts, which it was trained on."""
    from mosaic.saes.measuring import measure_sae

    return measure_sae(Path(text_sae(profile).path), lm, lm.tokenize(texts), profile.middle)["fvu"]


def unexplained(x: torch.Tensor, reconstruction: torch.Tensor) -> float:
    """sum |x - reconstruction|^2 / sum |x - mean x|^2 over tokens; both [N, d]."""
    return float((x - reconstruction).square().sum() / (x - x.mean(0)).square().sum())


def first_residuals(model, lm: LanguageModel, pixels, layers: Sequence[int]) -> dict[int, torch.Tensor]:
    """{layer: [image tokens, d]} of the first batch of images."""
    import torch

    from mosaic.miniature import vision
    from mosaic.models.images import image_residuals

    batch = next(vision.image_batches(lm.tokenizer, pixels, device=lm.device))
    with torch.inference_mode():
        return image_residuals(model, batch, layers, vision.IMAGE_TOKEN)[0]


def _vision_model(lm: LanguageModel, random_text: int | None = None):
    """mini-vision where the language model is."""
    from mosaic.miniature import vision
    from mosaic.miniature.build import WEIGHTS

    return vision.load_vision_model(WEIGHTS / "mini-vision", random_text).to(lm.device)
