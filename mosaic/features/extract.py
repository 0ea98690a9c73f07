"""The one pass: texts x layers x SAEs x poolings from a single forward per batch.

Three rooms, one after the other: the plan (`plan.py`: which texts run, in which batches and shards), the pass
(`run.py`: a shard in, its tables out), and the rows in the caller's order, out of memory or the cache (`cache.py`).
Source of the task: MOSAIC (arXiv 2502.11367), whose released code, in the version read, runs one forward per layer
and width.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mosaic.errors import MosaicError
from mosaic.features.cache import TableCache
from mosaic.features.claims import claimed
from mosaic.features.plan import Shard, first_rows, plan_shards
from mosaic.features.request import Request, provenances
from mosaic.features.run import run_shard, tokenise
from mosaic.features.table import FeatureTable, collect
from mosaic.models.language import LanguageModel
from mosaic.models.residuals import at_real_tokens
from mosaic.progress import Progress
from mosaic.saes.encoder import Encoder
from mosaic.texts.ids import text_ids

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

log = logging.getLogger("mosaic")
ATTEMPTS = 5
PATIENCE_SECONDS = 600  # in all, for shards that other processes are at


def extract(
    texts: Sequence[str],
    lm: LanguageModel,
    request: Request,
    cache: Path | None = None,
    wanted: Callable[[dict], bool] = lambda provenance: True,
) -> list[FeatureTable]:
    """One FeatureTable per (SAE, pooling) and per (hidden layer, pooling), rows in input order.

    texts: n strings. cache: folder of the content-addressed cache, which any number of processes may share; None
    computes without one. Tables come SAEs first, in the request's order, each with its poolings in the request's
    order. wanted: tells by its provenance whether a table is given; all are computed, so that the cache has them for the
    next call, but only these are read. Raises MosaicError naming the row of a text that is empty, not a string or without a single token; a layer
    the model lacks; an SAE of another width than the model's; an unknown pooling; a cache that cannot be read, or
    cannot be written where a text is missing in it.
    """
    check_texts(texts)
    request.check(lm)
    request = request.settled(lm)
    ids = text_ids(texts)
    if cache is None:
        with Progress("extracting", len(np.unique(ids))) as progress:
            tables = compute(texts, ids, lm, request, progress.advance, wanted)
    else:
        made_of = provenances(lm, request)
        texts_of: dict = {}
        caches = [TableCache(cache, provenance, texts_of) for provenance in made_of]
        read = [table_cache for table_cache, provenance in zip(caches, made_of, strict=True) if wanted(provenance)]
        _complete(caches, read, texts, ids, lm, request)
        tables = [table_cache.rows(ids) for table_cache in read]
    if tables:
        _report_truncation(tables[0])
    return tables


def compute(
    texts: Sequence[str],
    ids: np.ndarray,
    lm: LanguageModel,
    request: Request,
    advance: Callable[[int, int], None],
    wanted: Callable[[dict], bool] = lambda provenance: True,
) -> list[FeatureTable]:
    """The tables of these texts, without a cache; each text runs once. request: settled. advance: told of texts and tokens."""
    parts = [run_shard(s, lm, request, advance) for s in _plan(texts, ids, first_rows(ids), lm, request)]
    pieces_of = [pieces for pieces in zip(*parts, strict=True) if wanted(pieces[0].provenance)]
    return [collect(pieces, ids) for pieces in pieces_of]


def token_codes(text: str, lm: LanguageModel, encoder: Encoder) -> tuple[list[str], csr_matrix]:
    """One text, token by token: its real tokens as strings, and their active latents (CSR [T, D])."""
    check_texts([text])
    tokens = tokenise(lm, [text], [0])
    rows, _ = at_real_tokens(lm, tokens, [0], [encoder.layer])
    strings = lm.tokenizer.convert_ids_to_tokens(tokens.ids[0][~tokens.special[0]].tolist())
    return strings, encoder.encode(rows[encoder.layer])


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


def _plan(texts: Sequence[str], ids: np.ndarray, rows: np.ndarray, lm: LanguageModel, request: Request) -> list[Shard]:
    """The shards of the texts at these rows."""
    return plan_shards(ids[rows], tokenise(lm, texts, rows, request.specials), request.token_budget)


def _complete(
    caches: list[TableCache],
    read: list[TableCache],
    texts: Sequence[str],
    ids: np.ndarray,
    lm: LanguageModel,
    request: Request,
) -> None:
    """Run what some cache lacks, unless those that are read lack nothing. Once is enough, unless a shard is damaged or
    removed meanwhile."""
    wanted = {row.tobytes() for row in ids}
    for attempt in range(ATTEMPTS):
        if all(table_cache.held(wanted) >= wanted for table_cache in read):
            return
        rows = first_rows(ids, set.intersection(*(table_cache.held(wanted) for table_cache in caches)))
        for table_cache in caches:
            table_cache.prepare()
        shards = _plan(texts, ids, rows, lm, request)
        if not attempt and _adopt(caches, shards):
            continue
        with Progress("extracting", len(rows)) as progress:
            others = [shard for shard in shards if not _fill(caches, shard, lm, request, progress)]
            until = time.monotonic() + PATIENCE_SECONDS
            for shard in others:
                _fill(caches, shard, lm, request, progress, max(0.0, until - time.monotonic()))
        for table_cache in caches:
            table_cache.seal(shard.name for shard in shards)
    raise MosaicError(
        f"{caches[0].folder.parent}: shards vanish from the cache as soon as they are written. Stop what removes them, "
        "or name another folder for the cache."
    )


def _adopt(caches: list[TableCache], shards: list[Shard]) -> bool:
    """Seal what a run over other texts finished of these shards' texts; whether there was any.

    That run was killed, or is still at work; its rows are good all the same, and its own seal comes later or never.
    """
    planned = {row.tobytes() for shard in shards for row in shard.ids}
    found = set.intersection(*(table_cache.unsealed(planned) for table_cache in caches))
    found -= {shard.name for shard in shards}
    for table_cache in caches if found else ():
        table_cache.seal(found)
    return bool(found)


def _fill(
    caches: list[TableCache],
    shard: Shard,
    lm: LanguageModel,
    request: Request,
    progress: Progress,
    patience: float | None = None,
) -> bool:
    """Run a shard for the caches that lack it, unless all have it. False: another process is at it (`claims.claimed`)."""
    with claimed(caches[0].folder, shard.name, patience) as mine:
        if not mine:
            return False
        lacking = [i for i, table_cache in enumerate(caches) if not table_cache.has(shard.name)]
        if not lacking:
            progress.advance(len(shard.ids), int(shard.tokens.lengths.sum()))
            return True
        tables = run_shard(shard, lm, request, progress.advance)
        for i in lacking:
            caches[i].write(shard.name, tables[i])
        return True


def _report_truncation(table: FeatureTable) -> None:
    """Truncation is never silent: say how many texts the model could not read whole."""
    n = int(table.truncated.sum())
    if n:
        log.warning(
            "%d of %d texts are longer than the model reads (%d tokens) and were cut.",
            n,
            len(table),
            table.provenance["max_length"],
        )
