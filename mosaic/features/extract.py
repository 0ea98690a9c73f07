"""The one pass: texts x layers x SAEs x poolings from a single forward per batch.

Each batch runs through the model once, up to the deepest wanted block. Its real, non-special tokens feed every
SAE of every layer, and each SAE's token codes feed every pooling, beside the same poolings of the hidden
states. Source of the task: MOSAIC (arXiv 2502.11367), whose released code, in the version read, runs one
forward per layer and width.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.errors import MosaicError
from mosaic.features.cache import TableCache, missing_ids, shard_name
from mosaic.features.pooling import POOLINGS, pool_dense, pool_sparse, top_n
from mosaic.features.table import FeatureTable, concatenate
from mosaic.models.batches import TOKEN_BUDGET, plan_batches
from mosaic.models.language import LanguageModel, Tokens
from mosaic.models.residuals import at_real_tokens
from mosaic.progress import Progress
from mosaic.saes.encoder import Encoder
from mosaic.texts.ids import text_ids

log = logging.getLogger("mosaic")
SHARD_TOKENS = 8192


@dataclass(frozen=True)
class Request:
    """What one pass computes.

    encoders: SAEs, each knowing its layer. hidden_layers: layers whose hidden states are pooled too.
    poolings: names (`mosaic.features.pooling`). specials: pool special tokens as well (an ablation; the published code
    did). token_budget: padded tokens a batch.
    """

    encoders: tuple[Encoder, ...] = ()
    hidden_layers: tuple[int, ...] = ()
    poolings: tuple[str, ...] = POOLINGS
    specials: bool = False
    token_budget: int = TOKEN_BUDGET

    @property
    def layers(self) -> list[int]:
        return sorted({encoder.layer for encoder in self.encoders} | set(self.hidden_layers))


def extract(texts: Sequence[str], lm: LanguageModel, request: Request, cache: Path | None = None) -> list[FeatureTable]:
    """One FeatureTable per (SAE, pooling) and per (hidden layer, pooling), rows in input order.

    texts: n strings. cache: folder of the content-addressed cache; None computes without one. Tables come
    SAEs first, in the request's order, each with its poolings in the request's order.
    Raises MosaicError naming the row of a text that is empty, not a string or without a single token; a layer
    the model lacks; an SAE of another width than the model's; an unknown pooling.
    """
    check_texts(texts)
    lm.check_layers(request.layers)
    for pooling in request.poolings:
        top_n(pooling)
    for encoder in request.encoders:
        if encoder.d_in != lm.d_model:
            raise MosaicError(
                f"SAE {encoder.name} reads d_in {encoder.d_in}, but {lm.spec.id} has d_model {lm.d_model}."
            )
    ids = text_ids(texts)
    wanted = provenances(lm, request)
    if cache is None:
        first, inverse = np.unique(ids, return_index=True, return_inverse=True)[1:]
        order = np.sort(first)
        tables = run_pass([texts[i] for i in order], ids[order], lm, request, wanted)
        return [table.take(np.searchsorted(order, first)[inverse]) for table in tables]
    caches = [TableCache(cache, provenance) for provenance in wanted]
    _complete(texts, ids, lm, request, wanted, caches)
    tables = [table_cache.rows(ids) for table_cache in caches]
    report_truncation(tables[0])
    return tables


def _complete(texts, ids, lm, request, wanted, caches) -> None:
    """Compute what the caches lack, shard by shard, then seal."""
    positions = missing_ids(caches, ids)
    shards = _shards(texts, ids, positions, lm, request)
    planned = {name for name, *_ in shards}
    left = set().union(*(table_cache.open_shards() for table_cache in caches))
    if not left <= planned:
        # An interrupted pass over other texts: its rows are good, its plan is not ours. Keep them, plan anew.
        for table_cache in caches:
            table_cache.seal()
        positions = missing_ids(caches, ids)
        shards = _shards(texts, ids, positions, lm, request)
    with Progress("extracting", len(positions)) as progress:
        for name, chosen, tokens, batches in shards:
            if not all(table_cache.has(name) for table_cache in caches):
                tables = _run(tokens, batches, ids[chosen], lm, request, wanted, progress)
                for table_cache, table in zip(caches, tables, strict=True):
                    table_cache.write(name, table)
            else:
                progress.advance(len(chosen), int(tokens.lengths.sum()))
    for table_cache in caches:
        table_cache.seal()


def token_codes(text: str, lm: LanguageModel, encoder: Encoder) -> tuple[list[str], csr_matrix]:
    """One text, token by token: its real tokens as strings, and their active latents (CSR [T, D])."""
    check_texts([text])
    tokens = _tokens(lm, [text], specials=False)
    rows, _ = at_real_tokens(lm, tokens, [0], [encoder.layer])
    strings = lm.tokenizer.convert_ids_to_tokens(tokens.ids[0][~tokens.special[0]].tolist())
    return strings, encoder.encode(rows[encoder.layer])


def run_pass(
    texts: Sequence[str], ids: np.ndarray, lm: LanguageModel, request: Request, wanted: list[dict]
) -> list[FeatureTable]:
    """The pass without a cache, over distinct texts."""
    tokens = _tokens(lm, texts, request.specials)
    batches = list(plan_batches(tokens.lengths, request.token_budget))
    with Progress("extracting", len(texts)) as progress:
        tables = _run(tokens, batches, ids, lm, request, wanted, progress)
    report_truncation(tables[0])
    return tables


def _shards(texts, ids, positions, lm, request):
    """(name, positions, tokens, batches) of each shard: whole batches, up to SHARD_TOKENS real tokens."""
    if not len(positions):
        return []
    tokens = _tokens(lm, [texts[i] for i in positions], request.specials, positions)
    shards, batches, n = [], [], 0

    def close() -> None:
        inside = np.concatenate(batches)
        local = np.split(np.arange(len(inside)), np.cumsum([len(batch) for batch in batches])[:-1])
        shards.append((shard_name(ids[positions[inside]]), positions[inside], _choose(tokens, inside), local))

    for batch in plan_batches(tokens.lengths, request.token_budget):
        batches.append(batch)
        n += int(tokens.lengths[batch].sum())
        if n >= SHARD_TOKENS:
            close()
            batches, n = [], 0
    if batches:
        close()
    return shards


def _choose(tokens: Tokens, rows: np.ndarray) -> Tokens:
    return Tokens([tokens.ids[i] for i in rows], [tokens.special[i] for i in rows], tokens.truncated[rows])


def _tokens(lm: LanguageModel, texts: Sequence[str], specials: bool, rows: np.ndarray | None = None) -> Tokens:
    tokens = lm.tokenize(texts)
    if specials:
        tokens = Tokens(tokens.ids, [np.zeros_like(special) for special in tokens.special], tokens.truncated)
    for i, special in enumerate(tokens.special):
        if special.all():
            row = i if rows is None else rows[i]
            raise MosaicError(f"the text of row {row} ({texts[i]!r}) has no tokens of its own. Remove or mend the row.")
    return tokens


def _run(tokens, batches, ids, lm, request, wanted, progress) -> list[FeatureTable]:
    """Rows of these texts for every wanted table, in the order of `ids`."""
    parts: list[list] = [[] for _ in wanted]
    for batch in batches:
        for i, matrix in enumerate(_pooled(tokens, batch, lm, request)):
            parts[i].append(matrix)
        progress.advance(len(batch), int(tokens.lengths[batch].sum()))
    order = np.concatenate(batches)
    n_tokens = np.array([int((~special).sum()) for special in tokens.special], dtype=np.int32)
    back = np.argsort(order)
    tables = []
    for provenance, matrices in zip(wanted, parts, strict=True):
        pieces = [
            FeatureTable(matrix, ids[batch], n_tokens[batch], tokens.truncated[batch], provenance)
            for matrix, batch in zip(matrices, batches, strict=True)
        ]
        tables.append(concatenate(pieces).take(back))
    return tables


def _pooled(tokens: Tokens, batch: np.ndarray, lm: LanguageModel, request: Request):
    """One batch through the model, the SAEs and the poolings: a CSR matrix per wanted table, in order."""
    import torch

    residuals, starts = at_real_tokens(lm, tokens, batch, request.layers)
    with torch.inference_mode():
        for encoder in request.encoders:
            yield from pool_sparse(encoder.encode(residuals[encoder.layer]), starts, request.poolings).values()
        for layer in request.hidden_layers:
            yield from pool_dense(residuals[layer].cpu().numpy(), starts, request.poolings).values()


def check_texts(texts: Sequence[str]) -> None:
    """Raises MosaicError for no texts, or naming the first row that is not a non-empty string."""
    if isinstance(texts, str):
        raise MosaicError("texts is one string; give a list of strings.")
    if not len(texts):
        raise MosaicError("there are no texts to extract features from.")
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise MosaicError(
                f"row {row} is {text!r} ({type(text).__name__}), not a text. Remove the row or give it a text."
            )
        if not text.strip():
            raise MosaicError(f"row {row} is empty ({text!r}). Remove the row or give it a text.")


def report_truncation(table: FeatureTable) -> None:
    """Truncation is never silent: say how many texts the model could not read whole."""
    n = int(table.truncated.sum())
    if n:
        log.warning(
            "%d of %d texts are longer than the model reads (%d tokens) and were cut.",
            n,
            len(table),
            table.provenance["max_length"],
        )


def provenances(lm: LanguageModel, request: Request) -> list[dict]:
    """What decides each table's numbers, in the order of the tables."""
    from importlib.metadata import version

    import torch

    shared = {
        "model": lm.spec.id,
        "revision": lm.spec.revision,
        "model_weights": lm.weights_hash,
        "tokenizer": lm.tokenizer_hash,
        "max_length": lm.spec.max_length,
        "dtype": lm.spec.dtype,
        "specials": request.specials,
        "token_budget": request.token_budget,
        "device": lm.device.split(":")[0],
        "torch": torch.__version__,
        "transformers": version("transformers"),
        "mosaic": version("mosaic-companion"),
    }
    saes = [
        {
            **shared,
            "features": "sae",
            "layer": encoder.layer,
            "width": encoder.width,
            "sae": encoder.name,
            "seed": encoder.seed,
            "sae_weights": encoder.weights_hash,
            "pooling": pooling,
        }
        for encoder in request.encoders
        for pooling in request.poolings
    ]
    hidden = [
        {**shared, "features": "hidden", "layer": layer, "pooling": pooling}
        for layer in request.hidden_layers
        for pooling in request.poolings
    ]
    return saes + hidden
