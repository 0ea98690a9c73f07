"""Room three, the cache of pooled features: only new texts run, an interrupted run resumes, many processes share it.

    <root>/<key>/<name>.safetensors    a shard: rows of some texts, written whole and never changed
    <root>/<key>/<name>.sealed         names of shards that belong together, one a line

The key is a hash of everything that decides a feature (model and SAE weights, tokenizer, pooling, the code's own
hash, ...). A shard's name is its texts' hash, a seal's name is its content's: whoever writes a name writes the same
bytes. So nothing hangs on a lock (`claims.py` only saves work), nothing is renamed or moved, and a process killed at any
moment leaves only files that are right.

Floating-point sums depend, in their last bits, on which texts share a batch. A run is therefore planned over the
texts that no *sealed* shard holds, and seals its shards when all are there: run again after a kill, it plans the
same batches, finds the shards it had finished, and ends with the same bytes as if it had never been killed.
Where two sealed shards hold the same text, the row of the first by name is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import time
from collections.abc import Iterable, Set
from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError
from mosaic.features.table import Damaged, FeatureTable, collect
from mosaic.files import check_folder, write_atomically
from mosaic.texts.ids import name_of

log = logging.getLogger("mosaic")
SHARD = ".safetensors"
SEAL = ".sealed"
STALE_SECONDS = 3600


def key_of(provenance: dict) -> str:
    """The name of a table's folder: 20 hex digits over its provenance."""
    return _hash(json.dumps(provenance, sort_keys=True).encode())


class TableCache:
    """The shards of one feature table. Reading writes nothing: a complete cache may be read-only.

    A shard that is damaged, or another table's, is reported, removed where that is allowed, and counts as absent.
    texts_of: ids of each shard's texts, by its name, which tells them; shared by the tables of one pass, whose shards
    bear the same names.
    """

    def __init__(self, root: Path, provenance: dict, texts_of: dict[str, frozenset[bytes]] | None = None):
        self.folder = Path(root) / key_of(provenance)
        self._texts_of = {} if texts_of is None else texts_of
        self._rows: list[FeatureTable] = []  # of the wanted texts, each once

    def held(self, wanted: Set[bytes]) -> set[bytes]:
        """Those of the wanted texts whose rows are here; only the shards that hold some are read, and checked."""
        here = {row.tobytes() for table in self._rows for row in table.row_ids}
        for name in sorted(self._sealed() & self._files(SHARD)):
            new = (wanted & self._texts(name)) - here
            if new and (table := self._read(name)) is not None:
                self._rows.append(table.take([i for i, row in enumerate(table.row_ids) if row.tobytes() in new]))
                here |= new
        return here & wanted

    def rows(self, ids: np.ndarray) -> FeatureTable:
        """The rows of these texts, in this order; all must have been `held`."""
        return collect(self._rows, ids)

    def unsealed(self, wanted: Set[bytes]) -> set[str]:
        """Names of shards with some of these texts that no run has sealed: one at work left them, or one killed."""
        return {name for name in self._files(SHARD) - self._sealed() if wanted & self._texts(name)}

    def has(self, name: str) -> bool:
        """Whether this shard is here, sealed or not, and whole."""
        return (self.folder / f"{name}{SHARD}").is_file() and self._read(name) is not None

    def prepare(self) -> None:
        """Raise MosaicError now, before long work, where nothing can be written; clear what killed writers left."""
        check_folder(self.folder)
        for stray in self.folder.glob(".*.tmp"):
            with contextlib.suppress(OSError):
                if time.time() - stray.stat().st_mtime > STALE_SECONDS:
                    stray.unlink()

    def write(self, name: str, table: FeatureTable) -> None:
        try:
            table.save(self.folder / f"{name}{SHARD}")
        except MosaicError:
            # Windows refuses to replace a file that another process reads: then the shard is there.
            if not self.has(name):
                raise

    def seal(self, names: Iterable[str]) -> None:
        """From now on these shards' rows are read, and no run plans their texts again."""
        content = "\n".join(sorted(names)).encode()
        write_atomically(self.folder / f"{_hash(content)}{SEAL}", content)

    def _sealed(self) -> set[str]:
        """Names in the seals whose content is what their own name says."""
        names: set[str] = set()
        for seal in self._files(SEAL):
            with contextlib.suppress(FileNotFoundError):
                content = (self.folder / f"{seal}{SEAL}").read_bytes()
                if _hash(content) == seal:
                    names |= set(content.decode().split("\n"))
        return names

    def _files(self, suffix: str) -> set[str]:
        """Names of the files of a kind, without it."""
        try:
            paths = [path for path in self.folder.iterdir() if path.name.endswith(suffix)]
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise MosaicError(
                f"cannot read the cache {self.folder}: {error.strerror or error}. Name another folder for the cache."
            ) from error
        if folders := [path for path in paths if path.is_dir()]:
            raise MosaicError(f"{folders[0]} is a folder where the cache keeps a file. Remove it.")
        return {path.name.removesuffix(suffix) for path in paths}

    def _texts(self, name: str) -> frozenset[bytes]:
        """Ids of a shard's texts; its matrix is not read."""
        if name not in self._texts_of:
            ids = self._checked(name, self._load_ids)
            if ids is None:
                return frozenset()
            self._texts_of[name] = frozenset(row.tobytes() for row in ids)
        return self._texts_of[name]

    def _load_ids(self, path: Path) -> np.ndarray:
        ids = FeatureTable.load_row_ids(path)
        if name_of(ids) != path.name.removesuffix(SHARD):
            raise Damaged(f"{path} is damaged: its name is not that of the texts in it.")
        return ids

    def _read(self, name: str) -> FeatureTable | None:
        """A shard of this very table, whole, or None."""
        return self._checked(name, self._load)

    def _load(self, path: Path) -> FeatureTable:
        table = FeatureTable.load(path)
        if key_of(table.provenance) != self.folder.name:
            raise Damaged(f"{path} is damaged: it holds the rows of another table.")
        return table

    def _checked(self, name: str, load):
        """What `load` makes of a shard; None where it is gone, or damaged, and then it is removed."""
        path = self.folder / f"{name}{SHARD}"
        try:
            return load(path)
        except Damaged as error:
            log.warning("%s Its texts are computed again.", error)
            with contextlib.suppress(OSError):
                path.unlink()
        except MosaicError:
            if path.exists():
                raise
        return None


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:20]
