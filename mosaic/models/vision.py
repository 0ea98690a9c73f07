"""Opening a vision-language model: a language model behind a vision tower and a projector, as PaliGemma has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from mosaic.errors import MosaicError
from mosaic.models import opening
from mosaic.models.batches import token_budget
from mosaic.models.language import ModelSpec

if TYPE_CHECKING:
    import numpy as np
    import torch

PROMPT = "<image>"  # nothing is asked: what is pooled comes of the image alone
Inputs = Callable[[list], Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class VisionModel:
    """x_l[t] = the residual stream after block l of LM([P(V(image)); prompt]) at the image tokens t; V: tower, P: projector.

    model: without its head. image_token: id of the tokens that stand for an image. to_inputs: images ([height, width, 3] uint8
    each) -> what the model takes. at_once: images of one forward pass.
    """

    model: torch.nn.Module
    image_token: int
    to_inputs: Inputs
    at_once: int
    device: str = "cpu"

    @property
    def d_model(self) -> int:
        return self.model.config.get_text_config().hidden_size

    def batches(self, images: Iterable[np.ndarray]) -> Iterator[dict[str, torch.Tensor]]:
        """Inputs of the images in their order, `at_once` at a time."""
        images = iter(images)
        while shown := list(islice(images, self.at_once)):
            yield {key: value.to(self.device) for key, value in self.to_inputs(shown).items()}


def open_vision_model(
    spec: ModelSpec, device: str = "cpu", to_inputs: Inputs | None = None, at_once: int | None = None
) -> VisionModel:
    """Load a vision-language model from the hub or a folder; with `random_weights` its language model is untrained, while tower
    and projector are as they were saved (a control).

    to_inputs: None for what its own processor makes of an image and an empty prompt. at_once: None for as many images as
    `token_budget` gives. Raises MosaicError as `open_model` does, and for a model without image tokens.
    """
    from transformers import AutoModel

    opening.check_device(device)
    dtype = opening.number_format(spec)
    folder = opening.local_folder(spec)
    with opening.quiet(), opening.explained(spec):
        model = AutoModel.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, trust_remote_code=False, attn_implementation="eager"
        )
    image_token = getattr(model.config, "image_token_id", None)
    sizes = getattr(model.config, "vision_config", None)
    if image_token is None or not hasattr(model, "language_model") or not hasattr(sizes, "image_size"):
        raise MosaicError(
            f"{spec.id} is a {type(model).__name__}, which has no image tokens before a language model. Name one of PaliGemma's "
            "kind under vision, such as google/paligemma2-3b-pt-224."
        )
    if spec.random_weights is not None:
        _untrain(model, spec.random_weights)
    if to_inputs is None:
        with opening.quiet(), opening.explained(spec):
            to_inputs = _processor(folder)
    model.eval().requires_grad_(False).to(device)
    d_model = model.config.get_text_config().hidden_size
    at_once = at_once or max(1, token_budget(device, d_model) // _image_tokens(model))
    return VisionModel(model, image_token, to_inputs, at_once, device)


def _untrain(model: torch.nn.Module, seed: int) -> None:
    """Put an untrained language model in the trained one's place."""
    import torch
    from transformers import AutoModel

    config, dtype = model.config.text_config, model.dtype
    model.language_model = None  # two of them need not fit into memory
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.language_model = AutoModel.from_config(config, dtype=dtype, attn_implementation="eager")


def _processor(folder: str) -> Inputs:
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(folder, trust_remote_code=False)

    def to_inputs(images: list) -> dict:
        made = processor(
            images=images, text=[PROMPT] * len(images), return_tensors="pt", input_data_format="channels_last"
        )
        return {key: value for key, value in made.items() if key != "labels"}

    return to_inputs


def _image_tokens(model: torch.nn.Module) -> int:
    """Tokens that one image takes."""
    vision = model.config.vision_config
    return (vision.image_size // vision.patch_size) ** 2
