"""The blocks of a transformers model: where they stand, whatever the architecture calls them, and what they say."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
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


class _Stop(Exception):
    """Raised by the deepest hook: the rest of the forward pass is not wanted."""


@contextlib.contextmanager
def outputs_of(blocks: Mapping[int, torch.nn.Module]) -> Iterator[dict[int, torch.Tensor]]:
    """Run the model inside: {layer: its block's output}, filled as the blocks run.

    blocks: {layer: block}, numbered in the order they run. Nothing after the deepest of them runs; the hooks are
    gone when the context ends, however it ends.

        with outputs_of({3: model.layers[3]}) as captured:
            model(**inputs)
        captured[3]  # [B, T, d]
    """
    import torch

    captured: dict[int, torch.Tensor] = {}
    deepest = max(blocks)

    def keep(layer: int):
        def hook(_module, _inputs, output):
            # transformers 5 blocks return a bare tensor, older ones a tuple.
            captured[layer] = output if isinstance(output, torch.Tensor) else output[0]
            if layer == deepest:
                raise _Stop

        return hook

    with contextlib.ExitStack() as stack:
        for layer, block in blocks.items():
            stack.callback(block.register_forward_hook(keep(layer)).remove)
        with contextlib.suppress(_Stop):
            yield captured
