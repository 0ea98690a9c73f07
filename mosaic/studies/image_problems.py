"""Problems on sets of images seen by a vision-language model, and their controls.

Image sets are one test each: no words, and so no second test in new ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from mosaic.models.vision import VisionModel, open_vision_model
from mosaic.probing.problem import Problem, stratified_rows
from mosaic.profiles.opening import load_model, located, located_folder, select_saes
from mosaic.profiles.profile import Profile
from mosaic.saes.source import SAESource
from mosaic.studies.controls import N_DICTIONARIES
from mosaic.studies.language_scores import apart
from mosaic.texts.image_sets import LabelledImages, load_images
from mosaic.texts.labelled import LabelledTexts

if TYPE_CHECKING:
    import numpy as np
    import torch

    from mosaic.saes.encoder import Encoder

MINI_VISION = "weights/mini/mini-vision"  # it has no processor: its images and prompts are the miniature's


@dataclass(frozen=True, eq=False)
class Images:
    """One set of images before the profile's vision-language model; every pooling of the profile for every reader.

    train, test: names of the images and their labels. shown: the images of both.
    """

    profile: Profile
    device: str
    train: LabelledTexts
    test: LabelledTexts
    shown: tuple[LabelledImages, LabelledImages]

    @classmethod
    def load(cls, profile: Profile, name: str, device: str = "cpu") -> Images:
        """A set by name, cut, stratified, to the profile's `max_train` and `max_test`."""
        sizes = (profile.max_train, profile.max_test)
        parts = tuple(
            part.take(stratified_rows(part.labels, n)) for part, n in zip(load_images(name), sizes, strict=True)
        )
        train, test = (
            LabelledTexts(name, [f"{name}-{which}-{i}" for i in range(len(part))], part.labels)
            for which, part in zip(("train", "test"), parts, strict=True)
        )
        return cls(profile, device, train, test, parts)

    def read(self) -> Read:
        """What the trained model makes of the images: read once, by every SAE, every control and as it is."""
        from mosaic.features.images import tower_tables
        from mosaic.saes.loading import random_like

        seeing = opened_vision(self.profile, self.device)
        saes = select_saes(self.profile, widths=[self.profile.width])
        encoders = [_encoder(self.profile, seeing, source) for source in saes]
        (middle,) = (encoder for encoder in encoders if encoder.layer == self.profile.middle)
        x = first_residuals(seeing, self.shown[0], middle.layer)
        drawn = [random_like(middle, x, seed) for seed in range(N_DICTIONARIES)]
        problem = self._problem(seeing, [*encoders, *drawn], self.profile.layers)
        random = {encoder.name for encoder in drawn}
        of_random = [table for table in problem.tables if table.provenance.get("sae") in random]
        learned = tuple(table for table in problem.tables if table.provenance.get("sae") not in random)
        tower = tower_tables(seeing.model, seeing.batches(self._all()), self._names, self.profile.poolings)
        return Read(
            learned=replace(problem, tables=learned),
            random_dictionaries=apart(replace(problem, tables=tuple(of_random))),
            tower=Problem(self.train, self.test, tuple(tower)),
            unexplained=reconstruction_leaves(text_sae(self.profile), x),
        )

    def read_by_untrained(self) -> Problem:
        """Untrained weights behind the same tower, read by one random dictionary, trained SAEs being of no use there."""
        from mosaic.saes.loading import random_like

        seeing = opened_vision(self.profile, self.device, random_text=0)
        encoder = _encoder(self.profile, seeing, text_sae(self.profile))
        x = first_residuals(seeing, self.shown[0], encoder.layer)
        return self._problem(seeing, [random_like(encoder, x, seed=0)])

    def read_by(self, source: SAESource) -> Problem:
        """What one SAE makes of the image tokens, every pooling."""
        seeing = opened_vision(self.profile, self.device)
        return self._problem(seeing, [_encoder(self.profile, seeing, source)])

    def raw(self) -> Problem:
        """The pixels, as a bag of words is to texts."""
        from mosaic.features.images import pixel_table

        return Problem(self.train, self.test, (pixel_table(self._all(), self._names),))

    def _problem(self, seeing: VisionModel, encoders: Sequence, hidden: Sequence[int] = ()) -> Problem:
        from mosaic.features.images import image_tables

        tables = image_tables(
            seeing.model,
            seeing.batches(self._all()),
            self._names,
            seeing.image_token,
            encoders,
            hidden,
            self.profile.poolings,
        )
        return Problem(self.train, self.test, tuple(tables))

    def _all(self) -> Iterator[np.ndarray]:
        return chain(*self.shown)

    @property
    def _names(self) -> list[str]:
        return self.train.texts + self.test.texts


@dataclass(frozen=True, eq=False)
class Read:
    """One reading of a set of images by the trained model.

    learned: text SAEs of the profile's width and hidden states at the image tokens, every layer. random_dictionaries: of the
    middle layer's SAE's width and sparsity. tower: the vision tower's own features, before a language model reads them.
    unexplained: fraction of variance of the first images' tokens that the middle layer's SAE leaves unexplained.
    """

    learned: Problem
    random_dictionaries: list[Problem]
    tower: Problem
    unexplained: float


def opened_vision(profile: Profile, device: str = "cpu", random_text: int | None = None) -> VisionModel:
    """The profile's vision-language model. random_text: seed of an untrained language model in the trained one's place."""
    spec = replace(profile.vision.model, random_weights=random_text)
    if spec.id != MINI_VISION:
        return open_vision_model(spec, device)
    from transformers import AutoTokenizer

    from mosaic.miniature import vision
    from mosaic.models.opening import local_folder

    return vision.opened(spec, AutoTokenizer.from_pretrained(local_folder(profile.model)), device)


def _encoder(profile: Profile, seeing: VisionModel, source: SAESource) -> Encoder:
    from mosaic.saes.loading import load_encoder

    model = profile.model
    return load_encoder(located(source), model.id, seeing.d_model, seeing.device, model.first_layer)


def text_sae(profile: Profile) -> SAESource:
    """The middle layer's SAE of texts."""
    (source,) = select_saes(profile, [profile.middle], [profile.width])
    return located(source)


def image_token_sae(profile: Profile) -> SAESource:
    """The SAE that learned the model's image tokens, by the recipe of that of texts, at the same layer and width."""
    return SAESource(profile.middle, profile.width, path=str(located_folder(profile.vision.image_tokens)))


def text_unexplained(profile: Profile, texts: Sequence[str], device: str = "cpu") -> float:
    """Fraction of variance unexplained of the middle layer's SAE on texts, read by the profile's language model."""
    from mosaic.saes.measuring import measure_opened
    from mosaic.saes.registry import open_whole

    lm = load_model(profile, device)
    sae = open_whole(text_sae(profile)).to(device)
    return measure_opened([(sae, profile.middle)], lm, lm.tokenize(texts))[0][0]["fvu"]


def first_residuals(seeing: VisionModel, images: LabelledImages, layer: int) -> torch.Tensor:
    """[image tokens, d] after a block, of the first batch of images."""
    import torch

    from mosaic.models.images import image_residuals

    with torch.inference_mode():
        return image_residuals(seeing.model, next(seeing.batches(images)), [layer], seeing.image_token)[0][layer]


def unexplained_by(source: SAESource, shown: Images) -> float:
    """Fraction of variance unexplained of an SAE on the image tokens of the first test images."""
    seeing = opened_vision(shown.profile, shown.device)
    return reconstruction_leaves(source, first_residuals(seeing, shown.shown[1], source.layer))


def reconstruction_leaves(source: SAESource, x: torch.Tensor) -> float:
    """Fraction of variance of tokens x [N, d] that an SAE leaves unexplained."""
    import torch

    from mosaic.saes.registry import open_whole

    sae, x = open_whole(source), x.cpu()
    with torch.inference_mode():
        return unexplained(x, sae.decode(sae.encode(x)))


def unexplained(x: torch.Tensor, reconstruction: torch.Tensor) -> float:
    """sum |x - reconstruction|^2 / sum |x - mean x|^2 over tokens; both [N, d]."""
    return float((x - reconstruction).square().sum() / (x - x.mean(0)).square().sum())
