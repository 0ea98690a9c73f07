"""Features of a corpus: a part of its texts at a time, a file a part, so that memory does not grow with the corpus.

    <out>/<table>/part-000012.safetensors    rows of the 13th part's texts, in their order (a FeatureTable)
    <out>/<table>/corpus.json                written last: how many texts and parts there are, how many texts were cut

A part's rows depend on its own texts alone. A run that was killed goes on with the first part that is missing, and ends
with the same bytes as one that was not.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError
from mosaic.features.extract import compute
from mosaic.features.request import Request, provenances
from mosaic.features.table import Damaged, FeatureTable, file_name
from mosaic.files import check_folder, read_json, write_atomically
from mosaic.models.language import LanguageModel
from mosaic.progress import Progress
from mosaic.texts.corpus import Corpus
from mosaic.texts.ids import text_ids

PART = 5_000  # texts
WHOLE = "corpus.json"
log = logging.getLogger("mosaic")


def extract_corpus(corpus: Corpus, lm: LanguageModel, request: Request, out: Path, size: int = PART) -> list[Path]:
    """Write every part of every table that is not there yet; the tables' folders, in the request's order.

    size: texts a part. Raises MosaicError, before anything is computed, for a text that is none; as `extract` does, naming the
    part's rows; and where a folder holds parts of other texts, or made by another model, SAE or pooling.
    """
    request.check(lm)
    corpus.check()
    request = request.settled(lm)
    wanted = provenances(lm, request)
    folders = [out / file_name(provenance) for provenance in wanted]
    n_parts = -(-corpus.n_texts // size)
    for folder in folders:
        check_folder(folder)
        if part_of(folder, n_parts).exists():
            raise MosaicError(
                f"{part_of(folder, n_parts)} is of a corpus with more texts, or of smaller parts. Give another folder to --out, or "
                "remove this one."
            )
    n_truncated = 0
    with Progress("extracting", corpus.n_texts) as progress:
        for number, (first, texts) in enumerate(corpus.parts(size)):
            ids = text_ids(texts)
            paths = [part_of(folder, number) for folder in folders]
            # A list: every table is looked at before one is written.
            tables = [_found(path, ids, made_of) for path, made_of in zip(paths, wanted, strict=True)]
            if None in tables:
                for folder in folders:  # not whole any more, until this run has ended
                    (folder / WHOLE).unlink(missing_ok=True)
                try:
                    tables = compute(texts, ids, lm, request, progress.advance)
                except MosaicError as error:
                    raise MosaicError(f"{corpus.name}, rows {first} to {first + len(texts) - 1}: {error}") from error
                for path, table in zip(paths, tables, strict=True):
                    table.save(path)
            else:
                progress.advance(len(texts))
            n_truncated += int(tables[0].truncated.sum())
    if n_truncated:
        log.warning(
            "%s of %s texts are longer than %s tokens and were cut there.",
            f"{n_truncated:,}",
            f"{corpus.n_texts:,}",
            f"{lm.spec.max_length:,}",
        )
    whole = {"n_texts": corpus.n_texts, "n_parts": n_parts, "n_truncated": n_truncated}
    for folder in folders:
        write_atomically(folder / WHOLE, (json.dumps(whole, indent=1) + "\n").encode())
    return folders


def parts(folder: Path) -> Iterator[FeatureTable]:
    """The tables of a folder's parts, in order. Raises MosaicError for a folder whose run has not ended, or a part that is
    missing."""
    if not (folder / WHOLE).is_file():
        raise MosaicError(
            f"{folder} has no {WHOLE}: `mosaic extract CORPUS` has not ended there. Run the same command again: it goes on."
        )
    n_parts = read_json(folder / WHOLE).get("n_parts")
    if not isinstance(n_parts, int):
        raise MosaicError(
            f"{folder / WHOLE} does not say how many parts there are. Run the same command again: it writes it anew."
        )
    for number in range(n_parts):
        if not part_of(folder, number).is_file():
            raise MosaicError(
                f"{part_of(folder, number)} is missing. Run the same command again: it writes what is not there."
            )
        yield FeatureTable.load(part_of(folder, number))


def part_of(folder: Path, number: int) -> Path:
    return folder / f"part-{number:06d}.safetensors"


def _found(path: Path, ids: np.ndarray, made_of: dict) -> FeatureTable | None:
    """A part that is whole and of these texts. Raises MosaicError for one of others, or made in another way."""
    if not path.is_file():
        return None
    try:
        table = FeatureTable.load(path)
    except Damaged:
        return None
    changed = sorted(
        key for key in made_of.keys() | table.provenance.keys() if made_of.get(key) != table.provenance.get(key)
    )
    if changed or not np.array_equal(table.row_ids, ids):
        what = (
            f"made otherwise ({', '.join(changed)} changed)" if changed else "of other texts, or parts of another size"
        )
        raise MosaicError(f"{path} is {what}. Give another folder to --out, or remove this one.")
    return table
