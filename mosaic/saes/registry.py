"""SAELens's registry: which repository of the hub holds an SAE, and its files on this disk."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from contextlib import contextmanager

from mosaic.errors import MosaicError
from mosaic.hub.repository import Repository
from mosaic.hub.snapshot import explained, snapshot
from mosaic.saes.source import SAESource
from mosaic.saes.weights import Weights, npz_weights, open_tensors, tensor_weights

GEMMA_SCOPE, GEMMA_SCOPE_2 = "gemma_2", "gemma_3"  # what the registry calls their layouts
PARAMETERS = {GEMMA_SCOPE: "params.npz", GEMMA_SCOPE_2: "params.safetensors"}
IN_ONE_FOLDER = (None, "llama_scope")  # layouts whose SAE is one folder of the repository; None: SAELens's own


def registered(source: SAESource):
    """(the registry's entry, release/id). Raises MosaicError for an unknown release or id, with the nearest."""
    from sae_lens.loading.pretrained_saes_directory import get_pretrained_saes_directory

    directory = get_pretrained_saes_directory()
    if source.release not in directory:
        raise MosaicError(_unknown("release", source.release, directory, "`mosaic profiles` shows ids in use"))
    entry = directory[source.release]
    if source.id not in entry.saes_map:
        raise MosaicError(
            _unknown(f"SAE id of {source.release}", source.id, entry.saes_map, "ids name layer and width")
        )
    return entry, f"{source.release}/{source.id}"


def repository(source: SAESource) -> Repository | None:
    """The repository and the files that hold a registry entry; None for a layout that SAELens alone knows.

    Raises MosaicError as `registered` does.
    """
    entry, _ = registered(source)
    folder = entry.saes_map[source.id]
    if is_scope(source):
        return Repository(entry.repo_id, files=(f"{folder}/{PARAMETERS[entry.conversion_func]}",))
    return Repository(entry.repo_id, files=(f"{folder}/*",)) if entry.conversion_func in IN_ONE_FOLDER else None


def is_scope(source: SAESource) -> bool:
    """Whether an entry is a residual-stream SAE of Gemma Scope or Gemma Scope 2, which are read here without their decoder."""
    entry, _ = registered(source)
    folder = entry.saes_map[source.id]
    if entry.conversion_func == GEMMA_SCOPE:
        return "embedding" not in folder
    return entry.conversion_func == GEMMA_SCOPE_2 and folder.startswith("resid_post")


@contextmanager
def scope_weights(source: SAESource) -> Iterator[tuple[Weights, dict]]:
    """(weights, configuration) of an entry for which `is_scope` holds, to be used while its file is open.

    The hook is read off the names. Raises Unavailable where the file is not here and cannot be had, MosaicError where it is
    broken.
    """
    entry, _ = registered(source)
    folder = entry.saes_map[source.id]
    path = snapshot(repository(source)) / folder / PARAMETERS[entry.conversion_func]
    layer = re.search(r"layer_(\d+)", folder)
    site = next((site for site in ("mlp_out", "attn_out") if f"-{site[:3]}" in entry.repo_id), "resid_post")
    metadata = {"model_name": entry.model, "hook_name": f"blocks.{layer[1]}.hook_{site}" if layer else None}
    config = {"architecture": "jumprelu", "apply_b_dec_to_input": False, "metadata": metadata}
    if path.suffix == ".npz":
        yield npz_weights(path), config
        return
    with open_tensors(path.parent, path.name) as file:
        yield tensor_weights(path, file), config


def open_whole(source: SAESource):
    """The whole SAE, decoder and all, as SAELens's own: a folder's, in float32, or a registry entry's."""
    from sae_lens import SAE

    return SAE.load_from_disk(source.path, dtype="float32") if source.path else open_registered(source)


def open_registered(source: SAESource):
    """The whole SAE of a registry entry, as SAELens's own. Raises Unavailable where it is not here and cannot be had.

    Gemma Scope's sizes are read off the weights: SAELens takes them from the model's name, or asks the hub for them.
    """
    from sae_lens import SAE

    entry, name = registered(source)
    if is_scope(source):
        return _whole_scope(source)
    wanted = repository(source)
    if wanted is not None:
        snapshot(wanted)  # SAELens then finds the files here
    try:
        with explained(wanted or Repository(entry.repo_id)):
            return SAE.from_pretrained(source.release, source.id)
    except (KeyError, ValueError) as error:
        raise MosaicError(f"SAE {name} of {entry.repo_id} cannot be read: {error}. Fetch it again.") from error


def _whole_scope(source: SAESource):
    from sae_lens import JumpReLUSAE, JumpReLUSAEConfig
    from sae_lens.saes.sae import SAEMetadata

    with scope_weights(source) as (weights, config):
        d, latents = weights.shapes["W_enc"]
        sae = JumpReLUSAE(
            JumpReLUSAEConfig(d, latents, apply_b_dec_to_input=False, metadata=SAEMetadata(**config["metadata"]))
        )
        vectors = {name: weights.vectors[name] for name in ("b_enc", "b_dec", "threshold")}
        sae.load_state_dict({**vectors, "W_enc": weights.transposed().T, "W_dec": weights.decoder().float()})
    return sae.eval()


def _unknown(kind: str, value: str | None, known, hint: str) -> str:
    nearest = difflib.get_close_matches(str(value), list(known), n=5, cutoff=0)
    return f"unknown {kind} {value!r}; the nearest of {len(known)} are {', '.join(nearest)} ({hint})."
