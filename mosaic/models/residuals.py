"""Residuals at real tokens: what a language model says after a block, at a text's own tokens and nowhere else.

Padding never comes through, and special tokens (BOS, [CLS], ...) never do: what `Tokens.special` marks is left
out. Rows stand text after text, in the order in which the texts were given; within a text, token after token.

Shapes: N real tokens of all the texts given, d = d_model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mosaic.errors import MosaicError
from mosaic.models.batches import TOKEN_BUDGET, plan_batches
from mosaic.models.language import LanguageModel, Tokens

if TYPE_CHECKING:
    import torch


def at_real_tokens(
    lm: LanguageModel, tokens: Tokens, batch: Sequence[int], layers: Sequence[int]
) -> tuple[dict[int, torch.Tensor], np.ndarray]:
    """One forward pass: ({layer: [N, d] float32 on the model's device}, starts [len(batch) + 1]).

    batch: indices of the texts that run together. Rows starts[i] to starts[i + 1] belong to text batch[i].
    Raises MosaicError when the model gives NaN or infinity.
    """
    import torch

    ids = [tokens.ids[i] for i in batch]
    keep = np.zeros((len(ids), max(map(len, ids))), dtype=bool)
    for row, i in enumerate(batch):
        keep[row, : len(tokens.special[i])] = ~tokens.special[i]
    starts = np.concatenate([[0], keep.sum(1).cumsum()])
    residuals = lm.residuals(ids, layers)
    # By index, not by mask: a graphics card would have to tell the host how many there are, and wait.
    which = torch.from_numpy(np.flatnonzero(keep)).to(lm.device)
    # Selected outside inference mode, so that the rows may enter training.
    rows = {layer: residuals[layer].flatten(0, 1)[which].float() for layer in layers}
    finite = torch.stack([torch.isfinite(x).all() for x in rows.values()]).tolist()
    for layer, fine in zip(rows, finite, strict=True):
        if not fine:
            raise MosaicError(
                f"{lm.spec.id} produced NaN or infinite activations after layer {layer}. Use dtype float32."
            )
    return rows, starts


def in_batches(
    lm: LanguageModel, tokens: Tokens, layers: Sequence[int], token_budget: int = TOKEN_BUDGET
) -> Iterator[tuple[np.ndarray, dict[int, torch.Tensor], np.ndarray]]:
    """All the texts, longest first, under a budget of padded tokens: (batch, rows, starts) of each forward pass.

    batch: indices of its texts; rows and starts: `at_real_tokens`.
    """
    for batch in plan_batches(tokens.lengths, token_budget):
        yield batch, *at_real_tokens(lm, tokens, batch, layers)


def text_by_text(lm: LanguageModel, texts: Sequence[str], layer: int) -> torch.Tensor:
    """[N, d] float32: each text in a forward pass of its own, text after text in input order.

    For a few texts, where no number may depend on a neighbour: calibration, controls, a text looked at alone.
    """
    import torch

    tokens = lm.tokenize(texts)
    return torch.cat([at_real_tokens(lm, tokens, [i], [layer])[0][layer] for i in range(len(texts))])
