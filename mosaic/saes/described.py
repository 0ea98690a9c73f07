"""What an SAE says of itself: where it was trained and how large it is, before its encoder is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.saes import loading
from mosaic.saes.registry import is_scope, open_registered, registered, scope_weights
from mosaic.saes.source import SAESource
from mosaic.saes.weights import WEIGHTS, open_tensors, read_config


@dataclass(frozen=True)
class Described:
    """name: of the folder, or release/id. hook: where it was trained, or None where it does not say. trained_on: the
    model, likewise. d_in: of the vectors it reads."""

    name: str
    hook: str | None
    trained_on: str | None
    d_in: int
    n_latents: int


def describe(source: SAESource) -> Described:
    """Read an SAE's configuration and the shape of its encoder: a folder's, or a registry entry's (downloaded, and then
    in the hub's cache). Raises MosaicError for missing or broken files, an unknown release or id."""
    return _folder(Path(source.path)) if source.path else _entry(source)


def _folder(folder: Path) -> Described:
    config = read_config(folder)
    with open_tensors(folder) as file:
        shape = file.get_slice("W_enc").get_shape() if "W_enc" in file.keys() else []  # noqa: SIM118
    trained_on = (config.get("metadata") or {}).get("model_name")
    return Described(folder.name, loading.hook_name(config), trained_on, *_sizes(str(folder / WEIGHTS), shape))


def _entry(source: SAESource) -> Described:
    entry, name = registered(source)
    if is_scope(source):
        with scope_weights(source) as (weights, config):
            return Described(name, loading.hook_name(config), entry.model, *_sizes(name, weights.shapes["W_enc"]))
    sae = open_registered(source)
    return Described(name, loading.hook_name(sae.cfg.to_dict()), entry.model, *_sizes(name, sae.W_enc.shape))


def _sizes(where: str, shape) -> tuple[int, int]:
    if len(shape) != 2 or not all(shape):
        raise MosaicError(f"{where} has no encoder W_enc [d_in, d_sae]. Copy the SAE again.")
    return int(shape[0]), int(shape[1])


def width_name(n_latents: int) -> str:
    """The name of a width, as Gemma Scope writes it: 16384 -> "16k", 1048576 -> "1m"; the number where it is no such one.

    The inverse of `profiles.plan.width_of`.
    """
    power = n_latents & (n_latents - 1) == 0
    if not power or n_latents < 1024:
        return str(n_latents)
    return f"{n_latents // 10**3}k" if n_latents < 2**20 else f"{n_latents // 10**6}m"
