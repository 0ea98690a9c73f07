"""Texts to train SAEs on: corpora of long documents cut into passages, and the texts of labelled files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from mosaic.errors import MosaicError


def passages(document: str, characters: int = 900) -> Iterator[str]:
    """Cut a document at sentence ends into passages of about `characters` characters."""
    passage = ""
    for sentence in re.split(r"(?<=[.!?。！？])\s+|\n+", document):
        if passage and len(passage) + len(sentence) > characters:
            yield passage.strip()
            passage = ""
        passage += sentence + " "
    if passage.strip():
        yield passage.strip()


def read_documents(paths: Sequence[Path]) -> list[str]:
    """Passages of .txt files (documents separated by a line `<|doc|>`), and the texts of labelled files."""
    from mosaic.texts.decoding import read_text
    from mosaic.texts.own_files import read_file

    texts: list[str] = []
    for path in map(Path, paths):
        if path.suffix != ".txt":
            texts += read_file(path, label=None).texts
            continue
        documents = read_text(path).split("<|doc|>")
        texts += [passage for document in documents for passage in passages(document) if len(passage) > 10]
    return texts


def recipe_documents(recipe) -> list[str]:
    """The recipe's texts: the miniature's (`corpora: [mini]`), or corpora and training sets of MOSAIC_DATA.

    Raises MosaicError where MOSAIC_DATA is needed and not set, or lacks a file.
    """
    import os

    from mosaic.texts.sources import load_set

    if recipe.corpora == ("mini",):
        from mosaic.world.corpus import sae_texts

        return sae_texts(recipe.documents)
    mirror = os.environ.get("MOSAIC_DATA")
    if not mirror:
        raise MosaicError(
            "the profile's training texts come from MOSAIC_DATA, which is not set. Set it to a folder that holds "
            "corpora/NAME.txt and the data sets, or name your own texts: --texts FILE."
        )
    texts = read_documents([Path(mirror) / "corpora" / f"{name}.txt" for name in recipe.corpora])
    for choice in recipe.datasets:
        texts += load_set(choice.name, choice.language)[0].texts
    return texts
