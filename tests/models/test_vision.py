"""A vision-language model with its own processor, against transformers' own way."""

import numpy as np
import pytest
import torch
from hub.stand_ins import SIDE, publish_vision_model

from mosaic.errors import MosaicError
from mosaic.models.images import image_residuals
from mosaic.models.language import ModelSpec
from mosaic.models.vision import open_vision_model

NAME = "google/paligemma2-3b-pt-224"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("hub")
    return root / "models" / NAME / publish_vision_model(root, NAME, 3)


def images(n: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (SIDE + i, SIDE + 5, 3)).astype(np.uint8) for i in range(n)]


def test_residuals_at_image_tokens_are_those_of_transformers(folder):
    from transformers import AutoProcessor, PaliGemmaForConditionalGeneration

    seeing = open_vision_model(ModelSpec(str(folder)), at_once=2)
    whole = PaliGemmaForConditionalGeneration.from_pretrained(folder, attn_implementation="eager").eval()
    processor = AutoProcessor.from_pretrained(folder)
    batches = list(seeing.batches(iter(images(5))))
    assert [len(batch["input_ids"]) for batch in batches] == [2, 2, 1]
    found = torch.cat([image_residuals(seeing.model, batch, [1], seeing.image_token)[0][1] for batch in batches])
    for i, image in enumerate(images(5)):
        inputs = processor(images=image, text="<image>", return_tensors="pt", input_data_format="channels_last")
        inputs.pop("labels")
        with torch.no_grad():
            states = whole(**inputs, output_hidden_states=True).hidden_states[2][0]
        of_image = states[inputs["input_ids"][0] == whole.config.image_token_id]
        assert len(of_image) == 4
        np.testing.assert_allclose(found[4 * i : 4 * i + 4], of_image, atol=1e-5)


def test_as_many_images_at_once_as_tokens_allow(folder):
    seeing = open_vision_model(ModelSpec(str(folder)))
    assert (seeing.at_once, seeing.d_model) == (512, 32)  # 2,048 tokens, 4 an image


def test_an_untrained_language_model_stands_behind_the_same_tower(folder):
    trained, first, second = (
        open_vision_model(ModelSpec(str(folder), random_weights=seed)).model.state_dict() for seed in (None, 1, 1)
    )
    name = "language_model.layers.0.mlp.up_proj.weight"
    assert torch.equal(first[name], second[name]) and not torch.equal(first[name], trained[name])
    assert all(torch.equal(first[name], trained[name]) for name in trained if "language_model" not in name)


def test_a_model_without_image_tokens_is_refused(tiny):
    with pytest.raises(
        MosaicError, match=r"has no image tokens before a language model\. Name one of PaliGemma's kind"
    ):
        open_vision_model(tiny("llama").spec)
