"""Problems on sets of images seen by the miniature's vision-language model, and their controls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mosaic.models.language import LanguageModel
from mosaic.probing.problem import Problem, stratified_rows
from mosaic.profiles.opening import load_saes, located, select_saes
from mosaic.profiles.profile import Profile
from mosaic.world import images

if TYPE_CHECKING:
    import torch


def image_problems(
    profile: Profile, lm: LanguageModel, name: str, poolings: Sequence[str]
) -> dict[str, tuple[str, Problem]]:
    """{kind: (features, problem)} of one set of images seen by mini-vision, at every layer of the profile.

    "SAE" and "hidden states" of the trained model; "random dictionary": of the SAE's width and sparsity;
    "random language model": untrained weights behind the same tower, read by a random dictionary too.
    """
    import numpy as np

    from mosaic.features.images import image_tables
    from mosaic.miniature import vision
    from mosaic.saes.loading import random_like
    from mosaic.texts.labelled import LabelledTexts

    encoders = load_saes(profile, lm, widths=[profile.width])
    parts = [
        _cut(*part, n)
        for part, n in zip(images.labelled_images(name), (profile.max_train, profile.max_test), strict=True)
    ]
    pixels = np.concatenate([shown for shown, _ in parts])
    ids = [f"{name}-{i}" for i in range(len(pixels))]
    train, test = (
        LabelledTexts(name, [f"{name}-{part}-{i}" for i in range(len(labels))], labels)
        for part, (_, labels) in zip(("train", "test"), parts, strict=True)
    )

    def tables(model, encoders, hidden=()):
        batches = vision.image_batches(lm.tokenizer, pixels, device=lm.device)
        return tuple(image_tables(model, batches, ids, vision.IMAGE_TOKEN, encoders, hidden, poolings))

    def random_dictionaries(model):
        x = first_residuals(model, lm, pixels, profile.layers)
        return [random_like(encoder, x[encoder.layer]) for encoder in encoders]

    trained, untrained = _vision_model(lm), _vision_model(lm, random_text=0)
    both = tables(trained, encoders, profile.layers)
    n = len(encoders) * len(poolings)
    return {
        "SAE": ("sae", Problem(train, test, both[:n])),
        "hidden states": ("hidden", Problem(train, test, both[n:])),
        "random dictionary": ("sae", Problem(train, test, tables(trained, random_dictionaries(trained)))),
        "random language model": ("sae", Problem(train, test, tables(untrained, random_dictionaries(untrained)))),
    }


def _cut(pixels, labels: Sequence[str], n: int | None):
    """(images, labels [n] of str): at most n of them, stratified, as texts are cut."""
    import numpy as np

    labels = np.array(labels, dtype=object)
    rows = stratified_rows(labels, n)
    return pixels[rows], labels[rows]


def image_unexplained(profile: Profile, lm: LanguageModel, name: str) -> float:
    """Fraction of variance unexplained of the middle layer's text SAE on the image tokens of a set's first images."""
    import torch
    from sae_lens import SAE

    (source,) = select_saes(profile, [profile.middle], [profile.width])
    sae = SAE.load_from_disk(located(source).path, dtype="float32")
    pixels = images.labelled_images(name)[0][0]
    x = first_residuals(_vision_model(lm), lm, pixels, [profile.middle])[profile.middle].cpu()
    with torch.inference_mode():
        return unexplained(x, sae.decode(sae.encode(x)))


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
