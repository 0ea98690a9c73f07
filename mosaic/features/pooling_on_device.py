"""The poolings (`pooling.py`) where the activations are: only a text's rows leave the graphics card.

A text's tokens are rows starts[i] to starts[i+1]. What a pooling adds up, it adds in the order of the tokens: two
runs give the same numbers. Lengths of segments are right by construction and not checked again (`unsafe`): the check would
have the host wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mosaic.features.pooling import top_n
from mosaic.saes.active import Active

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Pooled:
    """values[pooling][e] is latent latents[e]'s in text texts[e]; 0 where that pooling leaves the latent out.

    texts, latents: [E] int64, texts ascending, and latents within a text: every latent that fires in the text.
    """

    texts: torch.Tensor
    latents: torch.Tensor
    values: dict[str, torch.Tensor]


def pool_active(found: Active, starts: torch.Tensor, poolings: Sequence[str]) -> Pooled:
    """Pool the active latents of N tokens; starts: [n_texts + 1] int64, on their device."""
    import torch

    width = found.shape[1]
    key = torch.bucketize(found.tokens, starts[1:], right=True) * width + found.latents
    order = key.argsort(stable=True)
    groups, counts = torch.unique_consecutive(key[order], return_counts=True)
    texts, latents, values, tokens = groups // width, groups % width, found.values[order], found.tokens[order]

    def reduced(what: str, of: torch.Tensor) -> torch.Tensor:
        return torch.segment_reduce(of.float(), what, lengths=counts, unsafe=True) if len(counts) else of.float()

    pooled = {}
    for pooling in poolings:
        if n := top_n(pooling):
            pooled[pooling] = reduced("sum", found.rank()[order] < n)
        elif pooling == "last":
            last = counts.cumsum(0) - 1  # a group's tokens ascend
            pooled[pooling] = values[last] * (tokens[last] == starts[texts + 1] - 1)
        elif pooling == "count":
            pooled[pooling] = counts.float()
        elif pooling == "max":
            pooled[pooling] = reduced("max", values)
        else:
            pooled[pooling] = reduced("sum", values)
            if pooling == "mean":
                pooled[pooling] = pooled[pooling] / starts.diff()[texts]
    return Pooled(texts, latents, pooled)


def pool_hidden(x: torch.Tensor, starts: torch.Tensor, poolings: Sequence[str]) -> dict[str, torch.Tensor]:
    """Pool dense activations [N, d] float32: {pooling: [n_texts, d] float32}."""
    import torch

    def reduced(what: str, of: torch.Tensor) -> torch.Tensor:
        return torch.segment_reduce(of.float(), what, lengths=starts.diff(), axis=0, unsafe=True)

    pooled = {}
    for pooling in poolings:
        if n := top_n(pooling):
            pooled[pooling] = reduced("sum", _among_largest(x, n))
        elif pooling == "last":
            pooled[pooling] = x[starts[1:] - 1]
        elif pooling == "max":
            pooled[pooling] = reduced("max", x)
        elif pooling == "count":
            pooled[pooling] = reduced("sum", x > 0)
        else:
            pooled[pooling] = reduced("sum", x)
            if pooling == "mean":
                pooled[pooling] = pooled[pooling] / starts.diff()[:, None]
    return pooled


def _among_largest(x: torch.Tensor, n: int) -> torch.Tensor:
    """[N, d] bool: positive and among the row's n largest; of equal values the lower column counts."""
    import torch

    order = x.argsort(dim=1, descending=True, stable=True)[:, :n]
    return torch.zeros_like(x, dtype=torch.bool).scatter_(1, order, True) & (x > 0)
