"""Room one, the plan: which texts run side by side, and which rows are computed and written together.

Pure data, made from the texts' ids and tokens alone: equal texts in equal order make an equal plan, so a run that
was killed and starts again finds the shards it had finished by their names.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mosaic.models.batches import plan_batches
from mosaic.models.language import Tokens
from mosaic.texts.ids import name_of

SHARD_TOKENS = 8192  # a shard is closed by the batch that reaches this many tokens


@dataclass(frozen=True)
class Shard:
    """Texts whose rows are computed and written together; all that a job of its own needs.

    ids: [n] ids of the texts. tokens: theirs. batches: for each forward pass, which of the n texts run in it,
    ascending from 0 to n - 1 over all batches.
    """

    ids: np.ndarray
    tokens: Tokens
    batches: tuple[np.ndarray, ...]

    @cached_property
    def name(self) -> str:
        """20 hex digits over the texts in order."""
        return name_of(self.ids)


def first_rows(ids: np.ndarray, held: Container[bytes] = frozenset()) -> np.ndarray:
    """Rows, ascending, at which a text stands for the first time; texts whose id is in `held` are left out."""
    first = np.sort(np.unique(ids, return_index=True)[1])
    return np.array([i for i in first if ids[i].tobytes() not in held], dtype=np.int64)


def plan_shards(ids: np.ndarray, tokens: Tokens, token_budget: int) -> list[Shard]:
    """Distinct texts, longest first, in batches under the budget of padded tokens; whole batches make a shard."""
    groups: list[list[np.ndarray]] = [[]]
    n = 0
    for batch in plan_batches(tokens.lengths, token_budget):
        if n >= SHARD_TOKENS:
            groups.append([])
            n = 0
        groups[-1].append(batch)
        n += int(tokens.lengths[batch].sum())
    return [_shard(ids, tokens, batches) for batches in groups if batches]


def _shard(ids: np.ndarray, tokens: Tokens, batches: list[np.ndarray]) -> Shard:
    inside = np.concatenate(batches)
    ends = np.cumsum([len(batch) for batch in batches])
    return Shard(ids[inside], tokens.take(inside), tuple(np.split(np.arange(len(inside)), ends[:-1])))
