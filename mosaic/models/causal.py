"""A language model with its head: what it says comes next. Opened as `opening` opens one without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mosaic.errors import MosaicError

# Its private helpers too: that module's code is part of the name of every cached feature, and stays as it is.
from mosaic.models import opening
from mosaic.models.language import ModelSpec

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class CausalModel:
    """p(next token | tokens so far). model: gives logits; its hashes say what the numbers come from."""

    spec: ModelSpec
    model: torch.nn.Module
    tokenizer: object
    weights_hash: str
    tokenizer_hash: str
    device: str = "cpu"

    @property
    def longest(self) -> int | None:
        """Tokens that one question with a choice may have, or None where the configuration names no limit."""
        return getattr(self.model.config.get_text_config(), "max_position_embeddings", None)


def open_causal(spec: ModelSpec, device: str = "cpu") -> CausalModel:
    """A causal language model from the hub or a folder: safetensors alone, no code from outside.

    `spec.max_length` and `spec.first_layer` say nothing here. Raises MosaicError as `opening.open_model` does, and for a
    model that has no head of its own or reads ahead (BERT and its kin): what comes next is no question to it.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    opening.check_device(device)
    dtype = opening.number_format(spec)
    folder = opening.local_folder(spec)
    with opening.quiet(), opening.explained(spec):
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        model, told = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, trust_remote_code=False, output_loading_info=True
        )
    opening.check_tokenizer(tokenizer, spec)
    tokenizer_hash = opening._tokenizer_hash(tokenizer)
    model.eval().requires_grad_(False).to(device)
    if missing := sorted(told["missing_keys"]):
        raise MosaicError(
            f"{spec.id} has no weights for {', '.join(missing[:3])}: it was saved without its language-model head. Name "
            "the whole causal model."
        )
    if _reads_ahead(model):
        raise MosaicError(
            f"{spec.id} reads ahead: what it says of a token changes with the tokens after it. Name a causal model, such "
            "as google/gemma-2-2b-it."
        )
    return CausalModel(spec, model, tokenizer, opening._weights_hash(model), tokenizer_hash, device)


def _reads_ahead(model: torch.nn.Module) -> bool:
    """Whether the logits at a token change with what comes after it."""
    import torch

    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([[1, 2], [1, 3]], device=model.device), use_cache=False).logits.float()
    return not torch.allclose(logits[0, 0], logits[1, 0], atol=1e-3)
