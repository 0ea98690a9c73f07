"""Image tokens through text SAEs: what is captured, against the slow way; drawings; the shipped tower."""

import numpy as np
import pytest
import torch
from conftest import sae_folder

from mosaic.errors import MosaicError
from mosaic.images import image_residuals, image_tables
from mosaic.mini import models, pali
from mosaic.mini.lexicon import LANGUAGES
from mosaic.mini.tokenizer import BOS, EOS, PAD
from mosaic.sae import SAESource, load_encoder


@pytest.fixture(scope="module")
def seeing(tmp_path_factory):
    """A small untrained mini-pali and the tokenizer's stand-in for ids."""
    root = tmp_path_factory.mktemp("pali")
    size = models.LMSize("tiny", 64, 3, 2, 64, tokens=0, rate=1e-3)
    models.new_model(size).save_pretrained(root / "text")
    vision = pali.PaliSize(d_vision=32, layers=2, heads=2, mlp=48)
    model = pali.new_pali(root / "text", vision)
    model.save_pretrained(root / "pali")
    return root, model.eval()


class Words:
    """Enough of a tokenizer for prompts."""

    pad_token_id, eos_token_id = PAD, EOS

    def __call__(self, text):
        return {"input_ids": [BOS] + [300 + ord(c) % 50 for c in text]}


def test_a_saved_model_comes_back_and_its_language_model_can_be_untrained(seeing):
    root, model = seeing
    loaded = pali.load_pali(root / "pali")
    for (name, a), (_, b) in zip(model.state_dict().items(), loaded.state_dict().items(), strict=True):
        assert torch.equal(a.float(), b.float()), name
    untrained = pali.load_pali(root / "pali", random_text=7)
    layer = "model.language_model.layers.0.mlp.up_proj.weight"
    tower = next(name for name in model.state_dict() if "vision_tower" in name and name.endswith("weight"))
    assert not torch.equal(untrained.state_dict()[layer], model.state_dict()[layer])
    assert torch.equal(untrained.state_dict()[tower], model.state_dict()[tower])


def test_tables_equal_the_slow_way(seeing, tmp_path):
    _, model = seeing
    images, _ = pali.shapes(7, seed=3)
    encoder = load_encoder(SAESource(1, "96", path=str(sae_folder(tmp_path, "jumprelu"))), "tiny", 64)
    batches = list(pali.image_batches(Words(), images, size=3))
    assert [len(b["input_ids"]) for b in batches] == [3, 3, 1]
    sae, hidden = image_tables(model, batches, [str(i) for i in range(7)], pali.IMAGE_TOKEN, [encoder], [1], ("max",))
    for i, image in enumerate(images):
        inputs = next(pali.image_batches(Words(), image[None]))
        with torch.no_grad():
            states = model(**inputs, output_hidden_states=True).hidden_states[2][0, : pali.N_IMAGE_TOKENS]
        np.testing.assert_allclose(hidden.matrix[[i]].toarray()[0], states.max(0).values, atol=1e-4)
        slow = encoder.encode(states).toarray().max(0)
        np.testing.assert_allclose(sae.matrix[[i]].toarray()[0], slow, atol=1e-3)
    assert sae.provenance["features"] == "sae" and len(sae) == 7


def test_an_image_without_image_tokens_is_named(seeing):
    _, model = seeing
    inputs = next(pali.image_batches(Words(), pali.shapes(2, 0)[0]))
    inputs["input_ids"] = inputs["input_ids"].clone()
    inputs["input_ids"][1, : pali.N_IMAGE_TOKENS] = 10
    with pytest.raises(MosaicError, match="image 1 of the batch has no image token"):
        image_residuals(model, inputs, [1], pali.IMAGE_TOKEN)


def test_drawings_repeat_and_show_what_they_say():
    images, seen = pali.shapes(40, seed=5)
    again, _ = pali.shapes(40, seed=5)
    assert images.shape == (40, 32, 32, 3) and np.array_equal(images, again)
    for image, what in zip(images, seen, strict=True):
        colour = np.array(pali.COLOURS[what["colour"].name])
        near = (np.abs(image.astype(int) - colour).max(-1) < 40).nonzero()
        x, y = pali.PLACES[what["place"].name]
        assert len(near[0]) >= 6
        assert abs(near[1].mean() - x) < 5 and abs(near[0].mean() - y) < 5


def test_digits_are_split_once_and_for_all():
    (train, _), (test, seen) = pali.digits(train=True), pali.digits(train=False)
    assert len(train) + len(test) == 1797 and len(seen) == len(test)
    assert not {image.tobytes() for image in train} & {image.tobytes() for image in test}


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_begin_with_the_prompt(language):
    _, seen = pali.shapes(5, seed=0)
    for what in seen:
        assert pali.caption(what, language).startswith(pali.caption(None, language))


def test_an_unknown_image_set_is_named():
    with pytest.raises(MosaicError, match="no image set 'cats'.*digits"):
        pali.labelled_images("cats")
