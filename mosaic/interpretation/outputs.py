"""What a latent makes a language model write: the tokens it raises and lowers.

VocabProj reads the weights alone: with v_j the latent's decoder row, g the scale of the model's last norm and W_U its unembedding,

    logits_j = W_U (g * v_j).

TokenChange runs the model: at every token of some beginnings, a_j v_j is added to the residual stream after the SAE's block (a_j:
the latent's largest activation), and for each token t the change of p(t | beginning) is averaged over the beginnings. Both: Gur-Arieh
et al. (arXiv 2501.08319), section 3.

Shapes: D latents, d = d_model, V token ids, k tokens, B beginnings of T tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mosaic.errors import MosaicError
from mosaic.interpretation.descriptions import Descriptions
from mosaic.models.blocks import find_blocks
from mosaic.models.causal import CausalModel
from mosaic.progress import Progress

if TYPE_CHECKING:
    import torch

TOKENS_AT_ONCE = 16_384
NUMBERS_AT_ONCE = 32_000_000  # of logits
DIGITS = 5  # to which changes are ranked: the rest differs between processors


@dataclass(frozen=True, eq=False)
class Written:
    """raised, lowered: [D, k] token ids, the most first."""

    raised: np.ndarray
    lowered: np.ndarray

    def descriptions(self) -> Descriptions:
        """What it raises, read as a description of where it fires: on one of these tokens."""
        n = len(self.raised)
        return Descriptions(np.zeros(n, dtype=int), self.raised, np.ones(n))


def projected(causal: CausalModel, decoder: np.ndarray, k: int) -> Written:
    """VocabProj. decoder: [D, d]. Raises MosaicError for a decoder of another width than the model's."""
    import torch

    head, norm = causal.model.get_output_embeddings(), final_norm(causal.model)
    n_tokens, d = head.weight.shape
    if decoder.shape[1] != d:
        raise MosaicError(
            f"decoder rows of {decoder.shape[1]} numbers; {causal.spec.id} has d_model {d}. Take its own SAE."
        )
    per = max(1, NUMBERS_AT_ONCE // n_tokens)
    parts = []
    with torch.inference_mode():
        rows = linear_part(norm, d, head.weight)
        for start in range(0, len(decoder), per):
            v = torch.from_numpy(np.ascontiguousarray(decoder[start : start + per])).to(head.weight)
            parts.append(_ends((rows(v) @ head.weight.T).float(), k))
    return _joined(parts)


def changed(
    causal: CausalModel,
    layer: int,
    decoder: np.ndarray,
    strength: np.ndarray,
    beginnings: Sequence[Sequence[int]],
    k: int,
    first_layer: int = 0,
) -> Written:
    """TokenChange. strength: [D], a_j. beginnings: B lists of T token ids, all of one length.

    layer: whose block's output is changed, counted from first_layer. Raises MosaicError for beginnings of several lengths.
    """
    import torch

    if len({len(one) for one in beginnings}) != 1:
        raise MosaicError(f"{len(beginnings)} beginnings of several lengths; cut them to one.")
    model, block = causal.model, find_blocks(causal.model)[layer - first_layer]
    ids = torch.tensor([list(one) for one in beginnings], device=causal.device)
    per = max(1, TOKENS_AT_ONCE // ids.numel())
    parts = []
    with torch.inference_mode(), Progress("amplifying latents", len(decoder), "latents") as progress:
        before = _next(model, ids).mean(0)
        for start in range(0, len(decoder), per):
            part = slice(start, start + per)
            push = torch.from_numpy(decoder[part] * strength[part, None]).float().to(causal.device)
            n = len(push)
            with added(block, push.repeat_interleave(len(ids), 0)[:, None]):
                after = _next(model, ids.repeat(n, 1)).view(n, len(ids), -1).mean(1)
            parts.append(_ends(after - before, k))
            progress.advance(n)
    return _joined(parts)


def added(block: torch.nn.Module, push: torch.Tensor):
    """A context in which `push` ([rows, 1, d]) is added to the block's output at every token."""
    import contextlib

    def hook(_module, _inputs, output):
        if isinstance(output, tuple):
            return (output[0] + push.to(output[0]), *output[1:])
        return output + push.to(output)

    stack = contextlib.ExitStack()
    stack.callback(block.register_forward_hook(hook).remove)
    return stack


def final_norm(model: torch.nn.Module) -> torch.nn.Module | None:
    """The norm between the last block and the head: the last module of the model that scales vectors of d_model and belongs to no
    block. None where there is none."""
    d, blocks = model.get_output_embeddings().weight.shape[1], find_blocks(model)
    inside = {id(module) for block in blocks for module in block.modules()}
    norms = [
        module
        for module in model.modules()
        if "norm" in type(module).__name__.lower()
        and id(module) not in inside
        and getattr(module, "weight", None) is not None
        and tuple(module.weight.shape) == (d,)
    ]
    return norms[-1] if norms else None


def linear_part(norm: torch.nn.Module | None, d: int, like: torch.Tensor):
    """The norm without its division: a function [n, d] -> [n, d], g * v (LayerNorm: g * (v - mean v)).

    g is read off what the norm makes of a vector of ones with alternating signs, whose mean is 0 and whose size is 1: whether a
    norm stores g or g - 1 is its own affair.
    """
    import torch

    if norm is None:
        return lambda v: v
    ones = torch.ones(d, device=like.device, dtype=like.dtype)
    ones[1::2] = -1
    scale = (norm(ones[None]) - norm(-ones[None]))[0] / 2 * ones
    centred = bool((norm(torch.ones_like(ones)[None]) - norm(-torch.ones_like(ones)[None])).abs().max() < 1e-3)
    return lambda v: (v - v.mean(-1, keepdim=True) if centred else v) * scale


def _next(model, ids: torch.Tensor) -> torch.Tensor:
    """[rows, V] p(next token)."""
    return model(input_ids=ids, use_cache=False, logits_to_keep=1).logits[:, -1].float().softmax(-1)


def _ends(values: torch.Tensor, k: int) -> tuple[np.ndarray, np.ndarray]:
    """([n, k] ids of the largest, of the smallest), the most extreme first, equal ones by id."""
    import torch

    size = values.abs().amax(1, keepdim=True).clamp_min(1e-30)
    ranked = (
        torch.round(values / size * 10**DIGITS).double() * values.shape[1]
    )  # whole numbers: there is room for ids between
    ids = torch.arange(values.shape[1], device=values.device)
    ends = (torch.topk(sign * ranked - ids, min(k, values.shape[1]), dim=1).indices for sign in (1, -1))
    raised, lowered = (one.cpu().numpy() for one in ends)
    return raised, lowered


def _joined(parts) -> Written:
    return Written(*(np.concatenate(side) for side in zip(*parts, strict=True)))
