"""A causal language model with something else in the place of one block's output at its texts' own tokens.

Two passes. The first runs the model as it is, and keeps what leaves every block from `layer` on. The second begins there: blocks
up to `layer` do not run again, the block's output is given with other vectors in it at real (non-special) tokens, and later blocks
and the head run on that. Gradients flow through them to those vectors, and to nothing of the model, which is frozen.

Shapes: B texts, T tokens (padded), N real tokens of all the texts, d = d_model, V = vocabulary.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mosaic.errors import MosaicError
from mosaic.models.causal import open_causal
from mosaic.models.language import LanguageModel, ModelSpec, Tokens

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Batch:
    """Texts that run together. arguments: of the model. places: row and column of each real token, [N] both, text after text.
    starts: [B + 1], where each text's real tokens begin among the N. follows: [N], the next token's id, -1 after a text's last."""

    arguments: Mapping[str, torch.Tensor]
    places: tuple[torch.Tensor, torch.Tensor]
    starts: np.ndarray
    follows: torch.Tensor


@dataclass(frozen=True)
class Pass:
    """What one pass gives at real tokens. logits: [N, V]. residuals: {layer: [N, d]} after blocks."""

    logits: torch.Tensor
    residuals: Mapping[int, torch.Tensor]

    @cached_property
    def log_p(self) -> torch.Tensor:
        """[N, V]: log-probabilities of the next token, in nats."""
        return self.logits.log_softmax(-1)


@dataclass(frozen=True)
class Original(Pass):
    """The model as it is. output: [B, T, d], of block `layer`, as the second pass begins with it. in_tuple: how blocks return."""

    layer: int
    output: torch.Tensor
    in_tuple: bool


def open_with_head(spec: ModelSpec, device: str = "cpu") -> LanguageModel:
    """A model opened at its residual stream, language-model head included. Raises MosaicError as `open_causal` does."""
    opened = open_causal(spec, device)
    return LanguageModel(spec, opened.model, opened.tokenizer, opened.weights_hash, opened.tokenizer_hash, device)


def check_splicable(lm: LanguageModel, layer: int) -> None:
    """Raises MosaicError for a layer the model lacks, its last one (no block follows it), or a model without a head."""
    lm.check_layers([layer])
    if layer == lm.layers[-1]:
        raise MosaicError(
            f"layer {layer} is the last of {lm.spec.id}: no block follows it, so nothing is learned through later ones. Choose a "
            f"layer from {lm.layers[0]} to {lm.layers[-1] - 1}."
        )
    if lm.model.get_output_embeddings() is None:
        raise MosaicError(f"{lm.spec.id} was opened without its language-model head. Open it with open_with_head.")


def batch_of(lm: LanguageModel, tokens: Tokens, which: Sequence[int]) -> Batch:
    """Texts of these numbers, padded on the right behind a mask. Raises MosaicError where they have no real token."""
    import torch

    ids, special = ([part[i] for i in which] for part in (tokens.ids, tokens.special))
    width = max(map(len, ids))
    padded, mask = (torch.zeros(len(ids), width, dtype=torch.long) for _ in range(2))
    real, follows = np.zeros((len(ids), width), dtype=bool), np.full((len(ids), width), -1)
    for row, (own, marked) in enumerate(zip(ids, special, strict=True)):
        padded[row, : len(own)] = torch.from_numpy(own)
        mask[row, : len(own)] = 1
        real[row, : len(own)] = ~marked
        follows[row, : len(own) - 1] = np.where(marked[1:], -1, own[1:])
    if not real.any():
        raise MosaicError(f"{len(ids)} texts have no token but special ones. Leave empty texts out.")
    arguments = {"input_ids": padded.to(lm.device)}
    if not bool(mask.all()):
        arguments["attention_mask"] = mask.to(lm.device)
    rows, columns = (torch.from_numpy(part).to(lm.device) for part in np.nonzero(real))
    starts = np.concatenate([[0], real.sum(1).cumsum()])
    return Batch(arguments, (rows, columns), starts, torch.from_numpy(follows[real]).to(lm.device))


def original(lm: LanguageModel, batch: Batch, layer: int) -> Original:
    """The model as it is: logits at real tokens, and residuals after block `layer` and all that follow."""
    import torch

    with torch.no_grad(), _kept(lm, [k for k in lm.layers if k >= layer]) as kept:
        logits = lm.model(**batch.arguments, use_cache=False).logits
    tensors = {k: _tensor(value)[batch.places] for k, value in kept.items()}
    output = kept[layer]
    return Original(logits[batch.places].float(), tensors, layer, _tensor(output), isinstance(output, tuple))


def spliced(lm: LanguageModel, batch: Batch, before: Original, vectors: torch.Tensor) -> Pass:
    """The model from block `before.layer` on, whose output at real tokens is `vectors` [N, d]; residuals of later blocks."""
    x = before.output.index_put(batch.places, vectors.to(before.output.dtype))
    with _skipped(lm, before, x), _kept(lm, [k for k in lm.layers if k > before.layer]) as kept:
        logits = lm.model(**batch.arguments, use_cache=False).logits
    return Pass(logits[batch.places].float(), {k: _tensor(value)[batch.places] for k, value in kept.items()})


def _tensor(output) -> torch.Tensor:
    return output[0] if isinstance(output, tuple) else output  # transformers 5 blocks return a bare tensor


@contextlib.contextmanager
def _kept(lm: LanguageModel, layers: Sequence[int]) -> Iterator[dict[int, object]]:
    """{layer: what its block returned}, filled as the model runs to its end."""
    kept: dict[int, object] = {}
    with contextlib.ExitStack() as stack:
        for layer in layers:
            block = lm.blocks[layer - lm.spec.first_layer]
            keep = lambda _module, _inputs, output, layer=layer: kept.__setitem__(layer, output)  # noqa: E731
            stack.callback(block.register_forward_hook(keep).remove)
        yield kept


@contextlib.contextmanager
def _skipped(lm: LanguageModel, before: Original, x: torch.Tensor) -> Iterator[None]:
    """Blocks up to `before.layer` compute nothing: each returns x."""
    given = (x,) if before.in_tuple else x
    blocks = lm.blocks[: before.layer - lm.spec.first_layer + 1]
    for block in blocks:
        block.forward = lambda *_args, **_kwargs: given
    try:
        yield
    finally:
        for block in blocks:
            del block.forward
