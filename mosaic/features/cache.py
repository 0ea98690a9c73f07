"""The content-addressed cache of pooled features: only new texts run, an interrupted run resumes.

Layout: `<root>/<key>/<shard>.safetensors`, where the key is a hash of everything that decides a feature (model
weights, tokenizer, layer, SAE weights, pooling, versions, ...) and a shard holds some texts' rows, named by
the hash of those texts in order. While a pass runs its shards end in `.part.safetensors`; when all are there
they are renamed (sealed).

Floating-point sums depend, in their last bits, on which texts share a batch. A pass is therefore planned over
the texts that no *sealed* shard holds: a run resumed after a kill plans the same batches, skips the shards
that are there, and ends with the same bytes as a run that was never interrupted.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mosaic.features.table import Damaged, FeatureTable, concatenate

log = logging.getLogger("mosaic")
PART = ".part.safetensors"
SEALED = ".safetensors"
STALE_SECONDS = 3600


def key_of(provenance: dict) -> str:
    """The name of a table's folder: 20 hex digits over its provenance."""
    return hashlib.sha256(json.dumps(provenance, sort_keys=True).encode()).hexdigest()[:20]


def shard_name(ids: np.ndarray) -> str:
    return hashlib.sha256(ids.tobytes()).hexdigest()[:20]


class TableCache:
    """The shards of one feature table."""

    def __init__(self, root: Path, provenance: dict):
        self.provenance = provenance
        self.folder = Path(root) / key_of(provenance)
        self.folder.mkdir(parents=True, exist_ok=True)
        for stray in self.folder.glob(".*.tmp"):  # left by a killed writer
            with contextlib.suppress(FileNotFoundError):
                if time.time() - stray.stat().st_mtime > STALE_SECONDS:
                    stray.unlink()
        self.sealed = {path.name.removesuffix(SEALED): self._read(path) for path in self._paths(sealed=True)}
        self.sealed = {name: table for name, table in self.sealed.items() if table is not None}

    def _paths(self, sealed: bool) -> list[Path]:
        paths = sorted(self.folder.glob(f"*{SEALED}"))
        return [path for path in paths if path.name.endswith(PART) != sealed]

    def _read(self, path: Path) -> FeatureTable | None:
        """A shard, or None (and the file removed) when it is damaged: its texts will run again."""
        try:
            return FeatureTable.load(path)
        except Damaged as error:
            log.warning("%s Its texts are computed again.", error)
            path.unlink(missing_ok=True)
            return None

    def known(self) -> set[bytes]:
        """Ids of the texts in sealed shards."""
        return {row.tobytes() for table in self.sealed.values() for row in table.row_ids}

    def open_shards(self) -> set[str]:
        """Names of the shards an unfinished pass left."""
        return {path.name.removesuffix(PART) for path in self._paths(sealed=False)}

    def has(self, name: str) -> bool:
        """Whether the running pass has this shard whole."""
        path = self.folder / f"{name}{PART}"
        return path.exists() and self._read(path) is not None

    def write(self, name: str, table: FeatureTable) -> None:
        table.save(self.folder / f"{name}{PART}")

    def seal(self) -> None:
        """Turn the running pass's shards into sealed ones (each rename is atomic)."""
        for path in self._paths(sealed=False):
            name = path.name.removesuffix(PART)
            if (table := self._read(path)) is not None:
                path.replace(self.folder / f"{name}{SEALED}")
                self.sealed[name] = table

    def rows(self, ids: np.ndarray) -> FeatureTable:
        """The rows of these texts, in this order."""
        whole = concatenate([self.sealed[name] for name in sorted(self.sealed)])
        position = {row.tobytes(): i for i, row in reversed(list(enumerate(whole.row_ids)))}
        return whole.take(np.array([position[row.tobytes()] for row in ids], dtype=np.int64))


def missing_ids(tables: Sequence[TableCache], ids: np.ndarray) -> np.ndarray:
    """Positions (in `ids`, first occurrences, ascending) of the texts that some table lacks."""
    first = np.sort(np.unique(ids, return_index=True)[1]) if len(ids) else np.zeros(0, dtype=np.int64)
    everywhere = set.intersection(*(table.known() for table in tables)) if tables else set()
    return np.array([i for i in first if ids[i].tobytes() not in everywhere], dtype=np.int64)
