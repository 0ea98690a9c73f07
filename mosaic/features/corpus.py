"""Features of a corpus: a part of its texts at a time, a file a part, so that memory does not grow with the corpus.

    <out>/<table>/part-000012.safetensors    rows of the 13th part's texts, in their order (a FeatureTable)

A part's rows depend on its own texts alone. A run that was killed goes on with the first part that is missing, and ends
with the same bytes as one that was not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError
from mosaic.features.extract import compute
from mosaic.features.request import Request, provenances
from mosaic.features.table import Damaged, FeatureTable, file_name
from mosaic.files import check_folder
from mosaic.models.language import LanguageModel
from mosaic.progress import Progress
from mosaic.texts.corpus import Corpus
from mosaic.texts.ids import text_ids

PART = 5_000  # texts


def extract_corpus(corpus: Corpus, lm: LanguageModel, request: Request, out: Path, size: int = PART) -> list[Path]:
    """Write every part of every table that is not there yet; the tables' folders, in the request's order.

    size: texts a part. Raises MosaicError as `extract` does, naming the part's rows; and where a folder holds parts of
    other texts, or made by another model, SAE or pooling.
    """
    request.check(lm)
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
    with Progress("extracting", corpus.n_texts) as progress:
        for number, (first, texts) in enumerate(corpus.parts(size)):
            ids = text_ids(texts)
            paths = [part_of(folder, number) for folder in folders]
            # A list: every table is looked at before one is written.
            if all([_is_there(path, ids, made_of) for path, made_of in zip(paths, wanted, strict=True)]):
                progress.advance(len(texts))
                continue
            try:
                tables = compute(texts, ids, lm, request, progress.advance)
            except MosaicError as error:
                raise MosaicError(f"{corpus.name}, rows {first} to {first + len(texts) - 1}: {error}") from error
            for path, table in zip(paths, tables, strict=True):
                table.save(path)
    return folders


def parts(folder: Path) -> Iterator[FeatureTable]:
    """The tables of a folder's parts, in order. Raises MosaicError for a folder without parts, or one that is missing."""
    paths = sorted(folder.glob("part-*.safetensors"))
    if not paths:
        raise MosaicError(f"{folder} holds no parts; `mosaic extract FOLDER_OF_PARQUET` writes them.")
    for number, path in enumerate(paths):
        if path != part_of(folder, number):
            raise MosaicError(
                f"{part_of(folder, number)} is missing. Run the same command again: it writes what is not there."
            )
        yield FeatureTable.load(path)


def part_of(folder: Path, number: int) -> Path:
    return folder / f"part-{number:06d}.safetensors"


def _is_there(path: Path, ids: np.ndarray, made_of: dict) -> bool:
    """Whether a part is whole and of these texts. Raises MosaicError for a part of others, or made in another way."""
    if not path.is_file():
        return False
    try:
        table = FeatureTable.load(path)
    except Damaged:
        return False
    changed = sorted(
        key for key in made_of.keys() | table.provenance.keys() if made_of.get(key) != table.provenance.get(key)
    )
    if changed or not np.array_equal(table.row_ids, ids):
        what = (
            f"made otherwise ({', '.join(changed)} changed)" if changed else "of other texts, or parts of another size"
        )
        raise MosaicError(f"{path} is {what}. Give another folder to --out, or remove this one.")
    return True
