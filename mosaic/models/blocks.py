"""The blocks of a transformers model: where they stand, whatever the architecture calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mosaic.errors import MosaicError

if TYPE_CHECKING:
    import torch


def find_blocks(model: torch.nn.Module) -> torch.nn.ModuleList:
    """The list of transformer blocks, whatever the architecture calls it (`model.layers`, `h`, `encoder.layer`, ...).

    Raises MosaicError when no list of modules has the length the configuration gives.
    """
    import torch

    n_layers = model.config.get_text_config().num_hidden_layers
    # A vision tower may have as many blocks as the language model beside it.
    lists = [
        (name.count("."), name, module)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.ModuleList) and len(module) == n_layers and "vision" not in name
    ]
    if not lists:
        raise MosaicError(
            f"{type(model).__name__} has no list of {n_layers} blocks, which its configuration promises. "
            "MOSAIC reads decoders and encoders of transformers whose blocks stand in one ModuleList."
        )
    return min(lists, key=lambda entry: entry[:2])[2]
