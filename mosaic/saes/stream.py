"""The activations SAEs are trained on: shuffled batches of the residual stream, the same in every run.

Shapes: N tokens, d = d_model.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mosaic.models.batches import TOKEN_BUDGET
from mosaic.models.language import LanguageModel, Tokens
from mosaic.models.residuals import in_batches

if TYPE_CHECKING:
    import torch

CHUNK_BATCHES = 64  # activations are shuffled within so many batches


@dataclass(frozen=True)
class ActivationStream:
    """Batches {layer: x [batch_size, d]} whose content and order depend on the texts and the seed alone.

    Each epoch takes the texts in a new order, cuts them into chunks of about 64 batches, and shuffles the
    activations within a chunk; what does not fill a chunk's last batch is left out. Where a chunk begins follows
    from the texts' lengths, so any batch can be reached without running the language model on those before it:
    training resumes where it was killed.

    tokens: the texts; special tokens are never trained on. token_budget: padded tokens of one forward pass.
    """

    lm: LanguageModel
    tokens: Tokens
    layers: tuple[int, ...]
    batch_size: int
    seed: int = 0
    token_budget: int = TOKEN_BUDGET

    @property
    def counts(self) -> np.ndarray:
        """Real, non-special tokens of each text."""
        return self.tokens.counts

    def batches(self, first: int = 0) -> Iterator[dict[int, torch.Tensor]]:
        """Batch number `first` and all that follow, without end (there must be tokens for one batch)."""
        import torch

        position = 0
        for epoch in itertools.count():
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.counts))
            for number, chunk in enumerate(self._chunks(order)):
                n = int(self.counts[chunk].sum()) // self.batch_size
                if position + n > first:
                    x = self._activations(chunk)
                    shuffled = np.random.default_rng([self.seed, epoch, number]).permutation(len(x[self.layers[0]]))
                    for i in range(max(0, first - position), n):
                        rows = torch.from_numpy(shuffled[i * self.batch_size : (i + 1) * self.batch_size])
                        yield {layer: values[rows.to(values.device)] for layer, values in x.items()}
                position += n

    def _chunks(self, order: np.ndarray) -> list[np.ndarray]:
        ends = np.cumsum(self.counts[order])
        n = max(1, round(ends[-1] / (CHUNK_BATCHES * self.batch_size)))
        return np.split(order, np.searchsorted(ends, ends[-1] * np.arange(1, n) / n))

    def _activations(self, chunk: np.ndarray) -> dict[int, torch.Tensor]:
        import torch

        parts = [x for _, x, _ in in_batches(self.lm, self.tokens.take(chunk), self.layers, self.token_budget)]
        return {layer: torch.cat([part[layer] for part in parts]) for layer in self.layers}
