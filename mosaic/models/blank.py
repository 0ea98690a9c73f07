"""A model of a real one's sizes with random weights: what it costs to run can be measured before it is downloaded."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from mosaic.errors import MosaicError
from mosaic.models.language import LanguageModel, ModelSpec
from mosaic.models.opening import check_device, number_format


@dataclass(frozen=True)
class Architecture:
    """What a model's configuration on the hub says of its sizes, in its own words; None where that family has no such word."""

    model_type: str
    vocab_size: int
    num_attention_heads: int
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    intermediate_size: int | None = None


def configuration(architecture: Architecture, n_layers: int, d_model: int):
    """transformers' configuration of the text model. Raises MosaicError for a model_type that it does not know."""
    from transformers import AutoConfig

    sizes = {name: value for name, value in asdict(architecture).items() if value is not None and name != "model_type"}
    try:
        return AutoConfig.for_model(architecture.model_type, hidden_size=d_model, num_hidden_layers=n_layers, **sizes)
    except ValueError as error:
        raise MosaicError(f"model_type {architecture.model_type!r} is none that transformers knows: {error}") from error


def blank_model(
    architecture: Architecture, n_layers: int, d_model: int, spec: ModelSpec, device: str = "cpu"
) -> LanguageModel:
    """A LanguageModel of these sizes, randomly initialised, without a tokenizer: it runs on token ids alone.

    Raises MosaicError as `opening.open_model` does for a device or number format that is not there.
    """
    import torch
    from transformers import AutoModel

    check_device(device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(spec.random_weights or 0)
        model = AutoModel.from_config(configuration(architecture, n_layers, d_model), dtype=number_format(spec))
    model.eval().requires_grad_(False).to(device)
    return LanguageModel(spec, model, None, "random", "none", device)
