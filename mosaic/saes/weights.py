"""An SAE's files: its configuration, and its weights read in pieces, the decoder left on the disk.

Shapes: d = d_model, D = width (latents).
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mosaic.errors import MosaicError
from mosaic.saes.checks import check_kinds

if TYPE_CHECKING:
    import torch

CONFIG, WEIGHTS = "cfg.json", "sae_weights.safetensors"
PIECE = 16384  # latents
AGAIN = "Copy the SAE again, or save it again by SAELens."


class Weights:
    """W_enc in pieces and the vectors beside it, so that W_enc never stands twice in memory."""

    def __init__(self, vectors: dict[str, torch.Tensor], shapes: dict[str, tuple[int, ...]], pieces, decoder):
        self.vectors = vectors
        self.shapes = shapes  # of every tensor; W_enc's is (d, D)
        self.pieces = pieces  # yields (slice over d, slice over D, tensor [d', D'])
        self.decoder = decoder  # gives W_dec [D, d], which is read when it is asked for

    @classmethod
    def of(cls, sae) -> Weights:
        """The weights of a loaded SAELens SAE."""
        state = sae.state_dict()
        vectors = {name: value.detach().float() for name, value in state.items() if value.ndim == 1}
        shapes = {name: tuple(value.shape) for name, value in state.items()}
        piece = (slice(None), slice(None), sae.W_enc.detach())
        return cls(vectors, shapes, lambda: iter([piece]), lambda: sae.W_dec.detach())

    def transposed(self) -> torch.Tensor:
        """W_enc as [D, d] float32, filled piece by piece: peak memory is the result plus one piece."""
        import torch

        d, latents = self.shapes["W_enc"]
        out = torch.empty(latents, d)
        for inputs, latents, piece in self.pieces():
            out[latents, inputs] = piece.T.float()
        return out


def read_config(folder: Path) -> dict:
    """cfg.json of a folder in SAELens's layout. Raises MosaicError for missing files and a broken configuration."""
    for path in (folder / CONFIG, folder / WEIGHTS):
        if not path.is_file():
            raise MosaicError(
                f"{path} does not exist. An SAE folder holds {CONFIG} and {WEIGHTS}, as SAELens's save_model writes them."
            )
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise MosaicError(f"{path} cannot be read ({error}). {AGAIN}") from error
    if not isinstance(config, dict) or not isinstance(config.get("metadata") or {}, dict):
        raise MosaicError(f"{path} does not hold the keys of a configuration. {AGAIN}")
    return config


@contextmanager
def open_tensors(folder: Path, name: str = WEIGHTS) -> Iterator:
    """A safetensors file of the folder, mapped: tensors are copied only when asked for, slice by slice.

    Raises MosaicError for a file that is cut off or broken, and for weights that are whole or complex numbers.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / name
    try:
        with safe_open(path, framework="pt") as file:
            check_kinds(str(folder), {name: file.get_slice(name).get_dtype() for name in file.keys()})  # noqa: SIM118
            yield file
    except (SafetensorError, OSError) as error:
        raise MosaicError(f"{path} cannot be read ({error}). {AGAIN}") from error


def tensor_weights(path: Path, file) -> Weights:
    """Weights of an opened safetensors file (`open_tensors`), to be used while it is open.

    Raises MosaicError where it holds no encoder.
    """
    names = {_name(key): key for key in file.keys()}  # noqa: SIM118
    shapes = {name: tuple(file.get_slice(key).get_shape()) for name, key in names.items()}
    if "W_enc" not in shapes:
        raise MosaicError(f"{path} holds {', '.join(names.values())}; an encoder W_enc [d_in, d_sae] was expected.")
    vectors = {name: file.get_tensor(names[name]).float() for name, shape in shapes.items() if len(shape) == 1}
    encoder = file.get_slice(names["W_enc"])

    def pieces():
        for start in range(0, shapes["W_enc"][-1], PIECE):
            yield slice(None), slice(start, start + PIECE), encoder[:, start : start + PIECE]

    return Weights(vectors, shapes, pieces, lambda: file.get_tensor(names["W_dec"]))


def _name(key: str) -> str:
    """SAELens's name of a tensor; Gemma Scope 2 and some of Gemma Scope's files write w_enc for W_enc."""
    return "W_" + key[2:] if key.startswith("w_") else key


def npz_weights(path: Path) -> Weights:
    """Weights of Gemma Scope's params.npz, read as a stream: the decoder, half of the file, enters memory only if asked for.

    Raises MosaicError for a file that is no such archive.
    """
    try:
        return _npz_weights(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise MosaicError(f"{path} cannot be read ({error}). {AGAIN}") from error


def _npz_weights(path: Path) -> Weights:
    import torch

    with np.load(path, allow_pickle=False) as file:
        keys = {_name(key): key for key in file}
        vectors = {name: file[key] for name, key in keys.items() if not name.startswith("W_")}
    encoder = keys["W_enc"]
    with zipfile.ZipFile(path) as archive, archive.open(f"{encoder}.npy") as stream:
        shape, _, kind = _npy_header(stream)
    kinds = {name: vector.dtype for name, vector in vectors.items()} | {"W_enc": kind}
    check_kinds(str(path), {name: kind.name.upper() for name, kind in kinds.items()})
    vectors = {name: torch.from_numpy(vector).float() for name, vector in vectors.items()}

    def pieces() -> Iterator[tuple[slice, slice, torch.Tensor]]:
        with zipfile.ZipFile(path) as archive, archive.open(f"{encoder}.npy") as stream:
            (d, width), fortran, dtype = _npy_header(stream)
            outer, inner = (width, d) if fortran else (d, width)
            step = max(1, 2**24 // inner)
            for start in range(0, outer, step):
                n = min(step, outer - start)
                block = np.frombuffer(stream.read(n * inner * dtype.itemsize), dtype).reshape(n, inner)
                block = torch.from_numpy(block.astype(np.float32))
                rows = slice(start, start + n)
                yield (slice(None), rows, block.T) if fortran else (rows, slice(None), block)

    def decoder() -> torch.Tensor:
        with np.load(path, allow_pickle=False) as file:
            return torch.from_numpy(file[keys["W_dec"]])

    shapes = {name: tuple(vector.shape) for name, vector in vectors.items()}
    return Weights(vectors, {**shapes, "W_enc": shape}, pieces, decoder)


def _npy_header(stream) -> tuple[tuple[int, ...], bool, np.dtype]:
    major, _ = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    return read(stream)
