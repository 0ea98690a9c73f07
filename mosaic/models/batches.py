"""Batches under a token budget."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

TOKEN_BUDGET = 2048  # padded tokens of one forward pass
MOST_TOKENS = 65_536
COPIES = 100  # float32 vectors of d_model that one token takes of a card at most: residuals, inside a block, attention


def token_budget(device: str, d_model: int) -> int:
    """Padded tokens of one forward pass: on a graphics card what a quarter of its memory holds, as a power of two. Of all its
    memory, not of what is free just now: the same card then plans the same batches, and finds its rows in the cache."""
    if not device.startswith("cuda"):
        return TOKEN_BUDGET
    import torch

    _, memory = torch.cuda.mem_get_info(device)
    return rounded_budget(memory // 4 // (4 * COPIES * d_model))


def rounded_budget(tokens: int) -> int:
    """The largest power of two that is no larger, from TOKEN_BUDGET to MOST_TOKENS."""
    return min(max(2 ** (max(tokens, 1).bit_length() - 1), TOKEN_BUDGET), MOST_TOKENS)


def plan_batches(lengths: np.ndarray, token_budget: int) -> Iterator[np.ndarray]:
    """Indices of each batch: texts sorted by length, so that padded tokens stay under the budget and are mostly real.

    Equal lengths keep input order: the plan depends on the lengths alone. A text longer than the
    budget is a batch by itself.
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = max(int(lengths[order[start]]), 1)
        stop = start + max(1, token_budget // longest)
        yield order[start:stop]
        start = stop
