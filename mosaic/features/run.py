"""Room two, the pass: one shard in, its tables out.

Each batch runs through the model once, up to the deepest wanted block. Its real, non-special tokens feed every
SAE of every layer, and each SAE's token codes feed every pooling, beside the same poolings of the hidden
states. A shard knows nothing of the others: they may run in any order, on any machine. On a graphics card all of it
happens there (`on_device.py`), and while a batch is computed the rows of the one before are copied and put into tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mosaic.errors import MosaicError
from mosaic.features import on_device
from mosaic.features.plan import Shard
from mosaic.features.pooling import pool_dense, pool_sparse
from mosaic.features.request import Request, provenances
from mosaic.features.table import FeatureTable, concatenate
from mosaic.models.language import LanguageModel, Tokens
from mosaic.models.residuals import at_real_tokens

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def tokenise(lm: LanguageModel, texts: Sequence[str], rows: Sequence[int], specials: bool = False) -> Tokens:
    """Tokens of the texts at these rows, in that order. specials: special tokens count as a text's own.

    Raises MosaicError naming the row of a text without a token of its own.
    """
    tokens = lm.tokenize([texts[row] for row in rows])
    if specials:
        tokens = Tokens(tokens.ids, [np.zeros_like(special) for special in tokens.special], tokens.truncated)
    for row, n in zip(rows, tokens.counts, strict=True):
        if not n:
            raise MosaicError(
                f"the text of row {row} ({texts[row]!r}) has no tokens of its own. Remove or mend the row."
            )
    return tokens


def run_shard(
    shard: Shard, lm: LanguageModel, request: Request, advance: Callable[[int, int], None] = lambda texts, tokens: None
) -> list[FeatureTable]:
    """The shard's rows, in its order, for each wanted table (`provenances(lm, request)`).

    advance: told after each batch how many texts and tokens it had.
    Raises MosaicError when the model gives NaN or infinity.
    """
    wanted = provenances(lm, request)
    pieces: list[list[FeatureTable]] = [[] for _ in wanted]
    tokens, counts = shard.tokens, shard.tokens.counts.astype(np.int32)
    rough = request.settled(lm).products == "bfloat16"
    run = on_device.run_batches if lm.on_card or rough else _run_batches
    for batch, matrices in zip(shard.batches, run(tokens, shard.batches, lm, request.settled(lm)), strict=True):
        about = shard.ids[batch], counts[batch], tokens.truncated[batch]
        for made, matrix, provenance in zip(pieces, matrices, wanted, strict=True):
            made.append(FeatureTable(matrix, *about, provenance))
        advance(len(batch), int(tokens.lengths[batch].sum()))
    return [concatenate(made) for made in pieces]


def _run_batches(
    tokens: Tokens, batches: Sequence[np.ndarray], lm: LanguageModel, request: Request
) -> Iterator[list[csr_matrix]]:
    """Each batch through the model, the SAEs and the poolings: a matrix per wanted table, in order."""
    import torch

    for batch in batches:
        residuals, starts = at_real_tokens(lm, tokens, batch, request.layers)
        with torch.inference_mode():
            yield [
                matrix
                for encoder in request.encoders
                for matrix in pool_sparse(encoder.encode(residuals[encoder.layer]), starts, request.poolings).values()
            ] + [
                matrix
                for layer in request.hidden_layers
                for matrix in pool_dense(residuals[layer].cpu().numpy(), starts, request.poolings).values()
            ]
