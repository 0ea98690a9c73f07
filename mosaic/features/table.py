"""FeatureTable: pooled features with row ids, latent names and provenance; saved without pickle, checked on load."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, vstack

from mosaic.errors import MosaicError
from mosaic.files import write_atomically
from mosaic.texts.ids import HASH_BYTES


class Damaged(MosaicError):
    """A features file whose bytes are not those that were written."""


@dataclass(frozen=True)
class FeatureTable:
    """X_ij: the pooled value of latent j in text i.

    matrix: CSR [n_texts, n_latents], float32 data, int32 indices, rows in input order.
    row_ids: hash of each row's text (`text_ids`). n_tokens: pooled tokens of each text. truncated: whether
    a text was longer than the model reads. provenance: what made it (model, SAE, pooling, versions).
    """

    matrix: csr_matrix
    row_ids: np.ndarray
    n_tokens: np.ndarray
    truncated: np.ndarray
    provenance: dict

    def __len__(self) -> int:
        return self.matrix.shape[0]

    @property
    def names(self) -> np.ndarray:
        """Name of each column, such as `layer_4/width_2k/17` or `layer_4/hidden/17`."""
        return np.array([f"{self.column_prefix}/{j}" for j in range(self.matrix.shape[1])], dtype=object)

    @property
    def column_prefix(self) -> str:
        return _source(self.provenance)

    def take(self, rows: Sequence[int]) -> FeatureTable:
        """The given rows, in the given order."""
        return replace(
            self,
            matrix=self.matrix[rows],
            row_ids=self.row_ids[rows],
            n_tokens=self.n_tokens[rows],
            truncated=self.truncated[rows],
        )

    def save(self, path: Path) -> None:
        """Write one safetensors file, atomically: a reader sees the old file or the whole new one."""
        from safetensors.numpy import save

        tensors = {
            "data": self.matrix.data.astype(np.float32, copy=False),
            "indices": self.matrix.indices.astype(np.int32, copy=False),
            "indptr": self.matrix.indptr.astype(np.int64),
            "row_ids": self.row_ids.view(np.uint8).reshape(-1, HASH_BYTES),
            "n_tokens": self.n_tokens.astype(np.int32),
            "truncated": self.truncated.astype(np.uint8),
        }
        tensors = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
        about = {"provenance": self.provenance, "n_latents": self.matrix.shape[1]}
        about["sha256"] = _digest(tensors, about)
        # One key: safetensors writes several in an order that changes from run to run.
        write_atomically(path, save(tensors, {"mosaic": _text(about)}))

    @classmethod
    def load(cls, path: Path) -> FeatureTable:
        """Read and verify a saved table. Raises Damaged when its bytes are not those that were written."""
        with _opened(path) as file:
            about = json.loads((file.metadata() or {})["mosaic"])
            written = about.pop("sha256")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if written != _digest(tensors, about):
                raise Damaged(f"{path} is damaged: its checksum is not the one it was written with.")
        shape = (len(tensors["indptr"]) - 1, about["n_latents"])
        return cls(
            matrix=csr_matrix((tensors["data"], tensors["indices"], tensors["indptr"].astype(np.int32)), shape),
            row_ids=_as_ids(tensors["row_ids"]),
            n_tokens=tensors["n_tokens"],
            truncated=tensors["truncated"].astype(bool),
            provenance=about["provenance"],
        )

    @staticmethod
    def load_row_ids(path: Path) -> np.ndarray:
        """[n] ids of a saved table's texts, without reading the rest; not verified. Raises Damaged, as `load`."""
        with _opened(path) as file:
            return _as_ids(file.get_tensor("row_ids"))


def file_name(provenance: dict) -> str:
    """The name of a table's file or folder: `layer_4_width_2k_max`."""
    return f"{_source(provenance).replace('/', '_')}_{provenance['pooling']}"


def _source(what: dict) -> str:
    """What is pooled: `layer_4/width_2k` or `layer_4/hidden`."""
    source = "hidden" if what["features"] == "hidden" else f"width_{what['width']}"
    return f"layer_{what['layer']}/{source}"


def concatenate(tables: Sequence[FeatureTable]) -> FeatureTable:
    """Rows of several tables with the same provenance, one after the other."""
    if len(tables) == 1:
        return tables[0]
    matrix = vstack([table.matrix for table in tables], format="csr")
    return replace(
        tables[0],
        matrix=csr_matrix((matrix.data, matrix.indices.astype(np.int32), matrix.indptr), matrix.shape),
        row_ids=np.concatenate([table.row_ids for table in tables]),
        n_tokens=np.concatenate([table.n_tokens for table in tables]),
        truncated=np.concatenate([table.truncated for table in tables]),
    )


def collect(tables: Sequence[FeatureTable], ids: np.ndarray) -> FeatureTable:
    """The rows of these texts, in this order, out of tables with the same provenance that hold them all."""
    whole = concatenate(tables)
    position = {row.tobytes(): i for i, row in enumerate(whole.row_ids)}
    return whole.take(np.array([position[row.tobytes()] for row in ids], dtype=np.int64))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator:
    """The file, mapped: a tensor is read when it is asked for. What goes wrong inside means that it is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except FileNotFoundError as error:
        raise MosaicError(f"{path} does not exist; `mosaic extract` writes such files.") from error
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Damaged(f"{path} is damaged: {error}") from error


def _as_ids(rows: np.ndarray) -> np.ndarray:
    """[n, 16] bytes -> [n] ids."""
    return np.ascontiguousarray(rows).reshape(-1).view(f"V{HASH_BYTES}")


def _text(about: dict) -> str:
    return json.dumps(about, sort_keys=True, ensure_ascii=False)


def _digest(tensors: dict[str, np.ndarray], about: dict) -> str:
    """SHA-256 over all that a file says: the tensors, and what they are."""
    digest = hashlib.sha256(_text(about).encode())
    for name in sorted(tensors):
        value = tensors[name]
        digest.update(f"{name} {value.dtype} {value.shape} ".encode())
        digest.update(np.ascontiguousarray(value))
    return digest.hexdigest()
