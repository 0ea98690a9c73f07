"""Image tokens through text SAEs: what is captured, against the slow way; prompts."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import sae_folder

from mosaic.errors import MosaicError
from mosaic.features.images import image_tables, pixel_table, tower_tables
from mosaic.miniature import lms, vision
from mosaic.miniature.tokenizer import BOS, EOS, PAD
from mosaic.models.images import image_residuals, tower_states
from mosaic.models.language import ModelSpec
from mosaic.saes.loading import load_encoder
from mosaic.saes.source import SAESource
from mosaic.world.images import shapes
from mosaic.world.lexicon import LANGUAGES


class Words:
    """Enough of a tokenizer for prompts."""

    pad_token_id, eos_token_id = PAD, EOS

    def __call__(self, text):
        return {"input_ids": [BOS] + [300 + ord(c) % 50 for c in text]}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A small untrained mini-vision, and its folder."""
    root = tmp_path_factory.mktemp("vision")
    size = lms.LMSize("tiny", 64, 3, 2, 64, tokens=0, rate=1e-3)
    lms.new_model(size).save_pretrained(root / "text")
    size = vision.VisionSize(d_vision=32, layers=2, heads=2, mlp=48)
    model = vision.new_vision_model(root / "text", size)
    model.save_pretrained(root / "vision")
    return root / "vision", model.eval()


@pytest.fixture(scope="module")
def seeing(saved):
    return vision.opened(ModelSpec(str(saved[0])), Words())


def test_a_saved_model_comes_back_and_its_language_model_can_be_untrained(saved, seeing):
    folder, model = saved
    for (name, a), (_, b) in zip(
        model.state_dict().items(), vision.load_vision_model(folder).state_dict().items(), strict=True
    ):
        assert torch.equal(a.float(), b.float()), name
    untrained = vision.opened(ModelSpec(str(folder), random_weights=7), Words()).model.state_dict()
    trained = seeing.model.state_dict()
    assert set(untrained) == set(trained) and seeing.d_model == 64
    for name in trained:
        drawn = (
            "language_model" in name and "norm" not in name
        )  # norms start as they stay in a model that learned nothing
        assert torch.equal(untrained[name], trained[name]) != drawn, name


def test_tables_equal_the_slow_way(saved, seeing, tmp_path):
    _, model = saved
    images, _ = shapes(7, seed=3)
    encoder = load_encoder(SAESource(1, "96", path=str(sae_folder(tmp_path, "jumprelu"))), "tiny", 64)
    batches = list(replace(seeing, at_once=3).batches(images))
    assert [len(b["input_ids"]) for b in batches] == [3, 3, 1]
    names = [str(i) for i in range(7)]
    sae, hidden = image_tables(seeing.model, batches, names, seeing.image_token, [encoder], [1], ("max",))
    for i, image in enumerate(images):
        (inputs,) = seeing.batches([image])
        with torch.no_grad():
            states = model(**inputs, output_hidden_states=True).hidden_states[2][0, : vision.N_IMAGE_TOKENS]
        np.testing.assert_allclose(hidden.matrix[[i]].toarray()[0], states.max(0).values, atol=1e-4)
        slow = encoder.encode(states).toarray().max(0)
        np.testing.assert_allclose(sae.matrix[[i]].toarray()[0], slow, atol=1e-3)
    assert sae.provenance["features"] == "sae" and len(sae) == 7


def test_an_image_without_image_tokens_is_named(seeing):
    (inputs,) = seeing.batches(shapes(2, 0)[0])
    inputs["input_ids"] = inputs["input_ids"].clone()
    inputs["input_ids"][1, : vision.N_IMAGE_TOKENS] = 10
    with pytest.raises(MosaicError, match="image 1 of the batch has no image token"):
        image_residuals(seeing.model, inputs, [1], seeing.image_token)


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_begin_with_the_prompt(language):
    _, seen = shapes(5, seed=0)
    for what in seen:
        assert vision.caption(what, language).startswith(vision.caption(None, language))


def test_the_towers_features_equal_the_slow_way_and_pixels_are_the_images(seeing):
    images, _ = shapes(5, seed=4)
    names = [str(i) for i in range(5)]
    mean, last = tower_tables(seeing.model, replace(seeing, at_once=2).batches(images), names, ("mean", "last"))
    for i, image in enumerate(images):
        (inputs,) = seeing.batches([image])
        with torch.no_grad():
            states = seeing.model.vision_tower(inputs["pixel_values"]).last_hidden_state[0]
        np.testing.assert_allclose(mean.matrix[i].toarray()[0], states.mean(0).numpy(), atol=1e-5)
        np.testing.assert_allclose(last.matrix[i].toarray()[0], states[-1].numpy(), atol=1e-5)
    table = pixel_table(images, names)
    np.testing.assert_allclose(table.matrix.toarray(), images.reshape(5, -1) / 255, atol=1e-6)
    assert list(table.row_ids) == list(mean.row_ids)


def test_pixels_of_any_image_are_means_of_what_they_stand_for():
    rng = np.random.default_rng(0)
    large, wide = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8), rng.integers(0, 256, (50, 90, 3)).astype(np.uint8)
    table = pixel_table(iter([large, wide]), ["a", "b"])
    means = large.reshape(32, 2, 32, 2, 3).mean((1, 3)).ravel() / 255
    assert table.matrix.shape == (2, 32 * 32 * 3)
    np.testing.assert_allclose(table.matrix[[0]].toarray()[0], means, atol=1 / 255)


def test_a_model_without_a_tower_is_refused():
    with pytest.raises(MosaicError, match="Linear has no module named vision_tower"):
        tower_states(torch.nn.Linear(2, 2), {})
