"""A model's sizes, read off its configuration: no weights are loaded, or downloaded, for them."""

from __future__ import annotations

from dataclasses import dataclass

from mosaic.models import opening
from mosaic.models.blocks import find_blocks
from mosaic.models.language import ModelSpec


@dataclass(frozen=True)
class Sizes:
    """n_layers: blocks. parameters: of one block; embedding: of the token embeddings. positions: tokens it can read, or
    None where its configuration does not say. masked: whether it is an encoder, trained on masked words, as BERT is."""

    n_layers: int
    d_model: int
    parameters: int
    embedding: int
    positions: int | None
    masked: bool


def read_sizes(model: str) -> Sizes:
    """Sizes of a model: a hub id, or a local folder in the transformers layout.

    Raises MosaicError for what cannot be found or opened, and for a model whose blocks are not found.
    """
    import torch
    from transformers import AutoConfig, AutoModel
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

    spec = ModelSpec(model)
    folder = opening.local_folder(spec, files=("config.json",))
    with opening.quiet(), opening.explained(spec):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        with torch.device("meta"):  # modules with shapes and without numbers
            built = AutoModel.from_config(config)
    blocks, text = find_blocks(built), config.get_text_config()
    return Sizes(
        n_layers=len(blocks),
        d_model=text.hidden_size,
        parameters=sum(parameter.numel() for parameter in blocks[0].parameters()),
        embedding=built.get_input_embeddings().weight.numel(),
        positions=getattr(text, "max_position_embeddings", None),
        masked=text.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )
