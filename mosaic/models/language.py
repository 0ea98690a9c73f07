"""A language model opened at its residual stream: tokenise, run, stop after the deepest wanted block.

Invariants
- A layer's activation is the *output of its block*, read by a hook. `hidden_states[L]` of transformers is the
  block's input, and its last entry has passed the final norm; neither is what SAEs are trained on.
- Padding is on the right and masked, so a text's activations do not depend on the texts beside it.
- Everything above the deepest wanted block, the language-model head included, never runs.

Shapes: B texts in a batch, T tokens (padded), d = d_model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from mosaic.errors import MosaicError
from mosaic.models.blocks import find_blocks, outputs_of

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class ModelSpec:
    """Which language model, how much of a text it reads, and how its layers are counted.

    id: hub id or a local folder in the transformers layout.
    revision: hub revision; None is the default branch.
    max_length: tokens kept of one text, special tokens included.
    first_layer: the number its first block goes by (0 for decoders, as Gemma Scope counts; 1 for BERT).
    dtype: of weights and activations; bfloat16 is opt-in (about .9 % of active latents flip, design notes).
    random_weights: seed of an untrained copy with the same configuration (a control), None for the real one.
    """

    id: str
    revision: str | None = None
    max_length: int = 512
    first_layer: int = 0
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    random_weights: int | None = None


@dataclass(frozen=True)
class Tokens:
    """Tokenised texts, in input order.

    ids: token ids of each text, special tokens included.
    special: for each text, which of its tokens are special (BOS, [CLS], ...).
    truncated: for each text, whether tokens were cut.
    """

    ids: list[np.ndarray]
    special: list[np.ndarray]
    truncated: np.ndarray

    @cached_property
    def lengths(self) -> np.ndarray:
        """Tokens of each text, special tokens included."""
        return np.array([len(i) for i in self.ids], dtype=np.int64)

    @cached_property
    def counts(self) -> np.ndarray:
        """Real, non-special tokens of each text."""
        return np.array([int((~special).sum()) for special in self.special], dtype=np.int64)

    def take(self, which: Sequence[int]) -> Tokens:
        """The texts with these indices, in this order."""
        which = np.asarray(which, dtype=np.int64)
        return Tokens([self.ids[i] for i in which], [self.special[i] for i in which], self.truncated[which])


@dataclass
class LanguageModel:
    """x^(L) = block_L(x^(L-1)): a transformers model opened at its residual stream."""

    spec: ModelSpec
    model: torch.nn.Module
    tokenizer: object
    weights_hash: str
    tokenizer_hash: str
    device: str = "cpu"

    @cached_property
    def blocks(self) -> torch.nn.ModuleList:
        return find_blocks(self.model)

    @property
    def on_card(self) -> bool:
        """Whether it runs on a graphics card that adds up products of bfloat16 numbers in float32 (CUDA's do)."""
        return self.device.startswith("cuda")

    @property
    def layers(self) -> range:
        """Valid layer numbers."""
        return range(self.spec.first_layer, self.spec.first_layer + len(self.blocks))

    @property
    def d_model(self) -> int:
        config = self.model.config.get_text_config()
        return config.hidden_size

    def check_layers(self, layers: Sequence[int]) -> None:
        bad = [layer for layer in layers if layer not in self.layers]
        if bad:
            raise MosaicError(
                f"layer {bad[0]} does not exist in {self.spec.id}: its {len(self.blocks)} blocks are numbered "
                f"{self.layers[0]} to {self.layers[-1]}. Choose layers in that range."
            )

    def tokenize(self, texts: Sequence[str]) -> Tokens:
        """Token ids of each text with the tokenizer's own special tokens, cut at `max_length`."""
        if not len(texts):
            return Tokens([], [], np.zeros(0, dtype=bool))
        batch = self.tokenizer(
            list(texts),
            truncation=True,
            max_length=self.spec.max_length,
            return_overflowing_tokens=True,
            return_special_tokens_mask=True,
            return_attention_mask=False,
        )
        owner = np.asarray(batch["overflow_to_sample_mapping"])
        first = np.unique(owner, return_index=True)[1]
        return Tokens(
            ids=[np.asarray(batch["input_ids"][i], dtype=np.int64) for i in first],
            special=[np.asarray(batch["special_tokens_mask"][i], dtype=bool) for i in first],
            truncated=np.bincount(owner, minlength=len(texts)) > 1,
        )

    def residuals(self, ids: Sequence[np.ndarray], layers: Sequence[int]) -> dict[int, torch.Tensor]:
        """Residual stream after each wanted block: {layer: [B, T, d]}, right-padded, on the model's device."""
        import torch

        width = max(map(len, ids))
        input_ids = torch.zeros(len(ids), width, dtype=torch.long)
        mask = torch.zeros(len(ids), width, dtype=torch.long)
        for row, tokens in enumerate(ids):
            input_ids[row, : len(tokens)] = torch.from_numpy(tokens)
            mask[row, : len(tokens)] = 1
        wanted = {layer: self.blocks[layer - self.spec.first_layer] for layer in layers}
        arguments = {"input_ids": input_ids.to(self.device)}
        # An unpadded batch needs no mask, and without one attention takes the faster path.
        if len(ids) * width != int(mask.sum()):
            arguments["attention_mask"] = mask.to(self.device)
        with outputs_of(wanted) as captured, torch.inference_mode():
            self.model(**arguments)
        return captured
