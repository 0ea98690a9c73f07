"""The pass on a graphics card: residuals, latents and poolings stay there, and only pooled rows come to the host.

Each batch makes one copy of indices and one of values, for all SAEs, layers and poolings together, into pinned memory;
a thread waits for them and makes matrices of them while the card computes the next batch.

Several cards: one process each (`--device cuda:0`, `--device cuda:1`) with the same cache; they share the shards.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from mosaic.features.pooling_on_device import pool_active, pool_hidden
from mosaic.features.request import Request
from mosaic.models.language import LanguageModel, Tokens
from mosaic.models.residuals import at_real_tokens
from mosaic.saes.active import find_active, flips

if TYPE_CHECKING:
    import torch
    from scipy.sparse import csr_matrix


log = logging.getLogger("mosaic")
SAMPLE = 8  # texts on which it is measured what bfloat16 changes


def report_flips(texts: Sequence[str], lm: LanguageModel, request: Request) -> None:
    """Say which share of the active latents bfloat16 products change, on the first texts; nothing for float32 ones."""
    if request.settled(lm).products == "float32" or not request.encoders:
        return
    tokens = lm.tokenize(texts[:SAMPLE])
    residuals, _ = at_real_tokens(lm, tokens, range(len(tokens.ids)), request.layers)
    shares = {encoder.name: flips(encoder, residuals[encoder.layer]) for encoder in request.encoders}
    most = max(shares, key=shares.get)
    log.warning(
        "products are made of bfloat16 numbers: %.2f %% of the latents active on %d texts are other ones than in float32 "
        "(%s, of %d SAEs the most). --products float32 computes those.",
        100 * shares[most], len(tokens.ids), most, len(shares),
    )  # fmt: skip


def run_batches(
    tokens: Tokens, batches: Sequence[np.ndarray], lm: LanguageModel, request: Request
) -> Iterator[list[csr_matrix]]:
    """Each batch through the model, the SAEs and the poolings: a matrix per wanted table, in order."""
    with ThreadPoolExecutor(1) as beside:
        before = None
        for batch in batches:
            made = _pooled(tokens, batch, lm, request)
            if before is not None:
                yield before.result()
            before = beside.submit(made)
        if before is not None:
            yield before.result()


def _pooled(tokens: Tokens, batch: np.ndarray, lm: LanguageModel, request: Request) -> Callable[[], list[csr_matrix]]:
    """One batch, computed and on its way to the host; what is returned waits for it and makes the matrices."""
    import torch

    residuals, starts = at_real_tokens(lm, tokens, batch, request.layers)
    with torch.inference_mode():
        ends = torch.from_numpy(starts).to(lm.device)
        sparse = [
            pool_active(find_active(encoder, residuals[encoder.layer], request.products), ends, request.poolings)
            for encoder in request.encoders
        ]
        dense = [pool_hidden(residuals[layer], ends, request.poolings) for layer in request.hidden_layers]
        indices = _to_host([x.int() for pooled in sparse for x in (pooled.texts, pooled.latents)])
        values = _to_host(
            [x for pooled in sparse for x in pooled.values.values()] + [x for rows in dense for x in rows.values()]
        )
    widths = [encoder.n_latents for encoder in request.encoders]
    return lambda: _matrices(indices(), values(), len(batch), widths, len(request.poolings))


def _to_host(tensors: Sequence[torch.Tensor]) -> Callable[[], list[np.ndarray]]:
    """Tensors of one kind in one copy; what is returned waits for it and gives each in its own shape."""
    import torch

    if not tensors:
        return list
    flat = torch.cat([x.flatten() for x in tensors])
    if flat.is_cuda:
        there = torch.empty(flat.shape, dtype=flat.dtype, pin_memory=True)
        there.copy_(flat, non_blocking=True)
        copied = torch.cuda.Event()
        copied.record(torch.cuda.current_stream(flat.device))  # of its own card, which need not be the current one
    else:
        there, copied = flat, None
    shapes = [tuple(x.shape) for x in tensors]

    def arrived() -> list[np.ndarray]:
        if copied is not None:
            copied.synchronize()
        parts = np.split(there.numpy(), np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    return arrived


def _matrices(
    indices: list[np.ndarray], values: list[np.ndarray], n_texts: int, widths: Sequence[int], n_poolings: int
) -> list[csr_matrix]:
    """The tables of one batch, SAEs first: indices are texts and latents of each SAE, values its poolings in order, then
    the rows of hidden states."""
    from scipy.sparse import csr_matrix

    made = []
    for i, width in enumerate(widths):
        texts, latents = indices[2 * i : 2 * i + 2]
        indptr = np.concatenate([[0], np.bincount(texts, minlength=n_texts).cumsum()]).astype(np.int32)
        for x in values[i * n_poolings : (i + 1) * n_poolings]:
            matrix = csr_matrix((x.copy(), latents.copy(), indptr.copy()), (n_texts, width))
            matrix.eliminate_zeros()
            made.append(matrix)
    return made + [csr_matrix(rows) for rows in values[len(widths) * n_poolings :]]
