"""Batches under a token budget."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

TOKEN_BUDGET = 2048  # padded tokens of one forward pass


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
