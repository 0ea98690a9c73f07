"""The miniature's language models: Gemma 2's architecture in two sizes, and the batches they learn from.

Shapes: B documents, T tokens of a batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mosaic.miniature.tokenizer import BOS, EOS, PAD, VOCABULARY, encode
from mosaic.world.corpus import documents

WIDTHS = (16, 32, 48, 72, 96)  # a batch's documents are padded to one of these, so that few shapes are compiled
TOKENS_A_STEP = 4096
CHUNK = 20_000  # documents generated at a time


@dataclass(frozen=True)
class LMSize:
    """A language model to train. short: share of the tokens spent on one-statement documents (curriculum)."""

    name: str
    d_model: int
    layers: int
    heads: int
    mlp: int
    tokens: int
    rate: float
    short: float = 0.25
    seed: int = 0


SIZES = {
    "mini-small": LMSize("mini-small", 128, 6, 4, 384, tokens=9_000_000, rate=6e-3),
    "mini-large": LMSize("mini-large", 192, 9, 6, 384, tokens=8_000_000, rate=5e-3, seed=1),
}


def new_model(size: LMSize):
    """An untrained Gemma2ForCausalLM of this size, in float32."""
    import torch
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(size.seed)
    config = Gemma2Config(
        vocab_size=VOCABULARY,
        hidden_size=size.d_model,
        intermediate_size=size.mlp,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=2,
        head_dim=32,
        query_pre_attn_scalar=32,
        max_position_embeddings=256,
        sliding_window=128,
        pad_token_id=PAD,
        eos_token_id=EOS,
        bos_token_id=BOS,
        attn_implementation="eager",
    )
    return Gemma2ForCausalLM(config)


# --- batches -----------------------------------------------------------------------------------------------------


def batches(tokenizer, size: LMSize) -> Iterator[tuple[int, int, list[list[int]]]]:
    """An endless, reproducible stream of (chunk, batch of the chunk, rows); rows fit one width of WIDTHS."""
    chunk, seen = 0, 0
    while True:
        short = seen < size.short * size.tokens
        start = chunk * CHUNK
        rows = encode(tokenizer, [d.text for d in documents(size.seed, start, start + CHUNK, short)])
        seen += sum(map(len, rows))
        yield from (
            (chunk, i, batch) for i, batch in enumerate(bucketed(rows, np.random.default_rng([size.seed, chunk])))
        )
        chunk += 1


def bucketed(rows: list[list[int]], rng: np.random.Generator) -> list[list[list[int]]]:
    order = rng.permutation(len(rows))
    out = []
    for low, high in zip((0, *WIDTHS), WIDTHS, strict=False):
        fits = [rows[i] for i in order if low < len(rows[i]) <= high]
        n = TOKENS_A_STEP // high
        out += [fits[i : i + n] for i in range(0, len(fits) - n + 1, n)]
    return [out[i] for i in rng.permutation(len(out))]


def padded(rows: list[list[int]]):
    """(ids, labels) [B, T], padded on the right to a width of WIDTHS; labels of padding are -100."""
    import torch

    longest = max(map(len, rows))
    width = next((w for w in WIDTHS if w >= longest), longest)
    ids = torch.full((len(rows), width), PAD)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
    return ids, ids.masked_fill(ids == PAD, -100)
