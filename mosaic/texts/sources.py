"""Labelled sets by name: from the hub by id, from a local mirror (`MOSAIC_DATA`), or drawn by the miniature world.

Every text is kept as published. No remote code and no pickle is ever run.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError, Unavailable
from mosaic.hub.datasets import read_splits, standing
from mosaic.hub.repository import Repository
from mosaic.texts import labelled
from mosaic.texts.labelled import LabelledTexts
from mosaic.texts.own_files import check_texts, group_names, label_names
from mosaic.texts.registry import REGISTRY, HubSet
from mosaic.texts.tabular import read_columns

MINI = "mini/"  # names of the miniature world's sets begin so


def load_set(name: str, language: str | None = None, seed: int = 42) -> tuple[LabelledTexts, LabelledTexts]:
    """(train, test) of a registered set, from MOSAIC_DATA where it has the set, else from the hub.

    A set without a test split is split 80/20 by `split` with the given seed (the paper: seed 42).
    Raises MosaicError for an unknown name or language, Unavailable when the set cannot be had from here.
    """
    check_set(name, language)
    if name.startswith(MINI):
        return _from_mini(name.removeprefix(MINI), language or "en")
    folder = _mirrored(name)
    parts = _from_hub(name, language) if folder is None else _from_mirror(folder, name, language)
    if len(parts) == 1:
        return labelled.split(parts[0], test_size=0.2, seed=seed)
    return parts[0], parts[1]


def check_set(name: str, language: str | None = None) -> None:
    """Raises MosaicError for a name that is neither registered nor the miniature's, or a language that the miniature lacks."""
    if name.startswith(MINI):
        from mosaic.world import sets

        sets.check(name.removeprefix(MINI), language or "en")
    elif name not in REGISTRY:
        import difflib

        near = difflib.get_close_matches(name, REGISTRY, n=5, cutoff=0)
        raise MosaicError(
            f"unknown data set {name!r}; the nearest are {', '.join(near)}. Add a line to mosaic/texts/registry.py, or "
            "give the file itself to mosaic probe."
        )


def require_set(name: str, language: str | None = None) -> None:
    """Raises as `load_set` does where a set cannot be had. The miniature's, which always can, are not drawn for it."""
    check_set(name, language)
    if not name.startswith(MINI):
        load_set(name, language)


# --- the miniature world -----------------------------------------------------------------------------------------


@lru_cache(maxsize=64)  # a chapter reads a set several times, and drawing it takes half a second
def _from_mini(name: str, language: str) -> tuple[LabelledTexts, LabelledTexts]:
    """(train and validation, test) of a miniature set: texts, labels and groups; never the factors behind them.

    The test says everything twice, in familiar and in new words: its parts. `behaviour` has one wording only.
    """
    from mosaic.world import sets

    if name == sets.BEHAVIOUR:
        return tuple(_mini_texts(name, language, rows) for rows in sets.behaviour(language))
    rows = sets.labelled(name, language)
    test = _mini_texts(name, language, rows["test"] + rows[sets.NEW_WORDS])
    parts = np.repeat(np.array([labelled.FAMILIAR, labelled.NEW], dtype=object), len(rows["test"]))
    return _mini_texts(name, language, rows["train"] + rows["validation"]), replace(test, parts=parts)


def _mini_texts(name: str, language: str, rows) -> LabelledTexts:
    return LabelledTexts(
        f"{MINI}{name}",
        [row.text for row in rows],
        np.array([row.label for row in rows], dtype=object),
        np.array([row.group for row in rows], dtype=object),
        np.full(len(rows), language, dtype=object),
    )


# --- registered sets ---------------------------------------------------------------------------------------------


def _mirrored(name: str) -> Path | None:
    """The set's folder in MOSAIC_DATA, or None. Raises MosaicError for a MOSAIC_DATA that is no folder."""
    mirror = os.environ.get("MOSAIC_DATA")
    if mirror and not Path(mirror).is_dir():
        raise MosaicError(f"MOSAIC_DATA is {mirror!r}, which is not a folder. Unset it or name the mirror's folder.")
    return Path(mirror) / name if mirror and (Path(mirror) / name).is_dir() else None


def _from_mirror(folder: Path, name: str, language: str | None) -> list[LabelledTexts]:
    """`train.jsonl` and `test.jsonl`, or `all.jsonl`, with columns text, label and perhaps language and group."""
    files = [folder / f"{part}.jsonl" for part in ("train", "test") if (folder / f"{part}.jsonl").is_file()]
    files = files if len(files) == 2 else [folder / "all.jsonl"]
    if not files[0].is_file():
        raise MosaicError(f"{folder} has neither train.jsonl and test.jsonl nor all.jsonl.")
    return [_from_mirror_file(path, name, language) for path in files]


def _from_mirror_file(path: Path, name: str, language: str | None) -> LabelledTexts:
    read = read_columns(path)
    for column in ("text", "label", *(["language"] if language is not None else [])):
        if column not in read.columns:
            wanted = (
                f", so {language!r} cannot be chosen: add it, or ask for no language" if column == "language" else ""
            )
            raise MosaicError(f"{path} has no column {column!r}; it has {', '.join(read.columns)}{wanted}.")
    check_texts(read.columns["text"], read.where, blank=True)
    labels = label_names(read.columns["label"], read.where)
    groups = group_names(read.columns["group"], read.where) if "group" in read.columns else None
    languages = np.array(read.columns["language"], dtype=object) if "language" in read.columns else None
    data = LabelledTexts(name, list(read.columns["text"]), labels, groups, languages)
    return data if language is None else _one_language(data, language)


def _one_language(data: LabelledTexts, language: str) -> LabelledTexts:
    rows = np.flatnonzero(data.languages == language)
    if not len(rows):  # another mirror, or the hub, may have them
        raise Unavailable(
            f"{data.name} has no texts in language {language!r}; it has {', '.join(sorted(map(str, set(data.languages))))}."
        )
    return data.take(rows)


def _from_hub(name: str, language: str | None) -> list[LabelledTexts]:
    entry, config = REGISTRY[name], _config(name, language)
    splits = [entry.train] + ([entry.test] if entry.test else [])
    if entry.language_splits:
        splits = [entry.language_splits[language or "en"]]
    return [_from_rows(name, entry, rows, language) for rows in read_splits(repository(name), config, splits)]


def stands_on_hub(name: str, language: str | None = None) -> Repository | None:
    """The hub's files that `load_set` reads; None where it asks no hub. Raises as it does."""
    check_set(name, language)
    if name.startswith(MINI) or _mirrored(name) is not None:
        return None
    return standing(repository(name), _config(name, language))


def _config(name: str, language: str | None) -> str | None:
    """The configuration that holds a language. Raises MosaicError for a language that the set has not."""
    entry = REGISTRY[name]
    choices = {**entry.configs, **entry.language_splits}
    if language is not None and language not in choices:
        there = f"it has {', '.join(sorted(choices))}" if choices else "it comes in one; ask for none"
        raise MosaicError(f"{name} has no language {language!r}; {there}.")
    return entry.configs.get(language or "en") if entry.configs else entry.config


def repository(name: str) -> Repository:
    """Where the hub keeps a registered set."""
    instead = f"Or set MOSAIC_DATA to a folder that holds {name}/train.jsonl and {name}/test.jsonl (one object a line: text, label)."
    return Repository(REGISTRY[name].hub_id, kind="dataset", instead=instead)


def _from_rows(name: str, entry: HubSet, rows, language: str | None) -> LabelledTexts:
    for column in entry.rewrites or (entry.text, entry.label):
        if column not in rows.column_names:
            raise MosaicError(
                f"{entry.hub_id} has no column {column!r} any more; it has {', '.join(rows.column_names)}. "
                "Read it as a file with --text and --label."
            )
    if entry.rewrites:
        return _rewritten(name, entry, rows, language)
    feature = rows.features[entry.label]
    labels = label_names(rows[entry.label], lambda row: f"{entry.hub_id}, row {row}")
    if hasattr(feature, "int2str"):
        labels = np.array([feature.int2str(value) for value in rows[entry.label]], dtype=object)
    column = entry.original if entry.original in rows.column_names else entry.group
    groups = group_names(rows[column], str) if column else None
    languages = np.full(len(rows), language, dtype=object) if language else None
    return LabelledTexts(name, [str(text) for text in rows[entry.text]], labels, groups, languages)


def _rewritten(name: str, entry: HubSet, rows, language: str | None) -> LabelledTexts:
    """A text of each label from every row, in the rows' order; the texts of a row are one group."""
    n, k = len(rows), len(entry.rewrites)
    columns = [rows[column] for column in entry.rewrites]
    texts = [str(column[i]) for i in range(n) for column in columns]
    labels = np.array(list(entry.rewrites.values()) * n, dtype=object)
    groups = np.array([f"{language or 'row'}-{i}" for i in range(n) for _ in range(k)], dtype=object)
    return LabelledTexts(name, texts, labels, groups, np.full(n * k, language, dtype=object) if language else None)
