"""The two directions of every latent, for comparing SAEs: what it reads (encoder) and what it writes (decoder).

Shapes: D = width (latents), d = d_in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError
from mosaic.saes.checks import check_numbers, check_sizes
from mosaic.saes.loading import hook_name
from mosaic.saes.registry import open_registered, registered
from mosaic.saes.source import SAESource
from mosaic.saes.weights import open_tensors, read_config

ALIVE = -9.5  # SAELens writes log10(frequency + 1e-10): -10 for a latent that never fired


@dataclass(frozen=True)
class Dictionary:
    """Rows of W_enc^T and W_dec, [D, d] float32 each, not normalised: row j belongs to latent j in both.

    hook, model: where the SAE reads, as its configuration says (None where it does not). frequency: [D] share of
    held-out tokens on which each latent fires, or None where it was not measured.
    """

    name: str
    encoder: np.ndarray
    decoder: np.ndarray
    hook: str | None = None
    model: str | None = None
    frequency: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.decoder)

    @property
    def d_in(self) -> int:
        return self.decoder.shape[1]

    @property
    def alive(self) -> np.ndarray | None:
        """[D] bool: fires at least once on the held-out tokens."""
        return None if self.frequency is None else self.frequency > 0

    def only(self, which: np.ndarray) -> Dictionary:
        """The dictionary of these latents alone."""
        frequency = None if self.frequency is None else self.frequency[which]
        return replace(self, encoder=self.encoder[which], decoder=self.decoder[which], frequency=frequency)


def load_dictionary(source: SAESource | str | Path) -> Dictionary:
    """Both matrices of an SAE: a folder in SAELens's layout, or a registry entry `release/id`.

    Raises MosaicError for missing files, an unknown release or id, or an SAE without a decoder.
    """
    if not isinstance(source, SAESource):
        source = parse_source(str(source))
    return _from_folder(Path(source.path)) if source.path else _from_registry(source)


def parse_source(name: str) -> SAESource:
    """A folder, or `release/id` of SAELens's registry (ids hold slashes themselves)."""
    if (Path(name) / "cfg.json").is_file() or Path(name).is_dir():
        return SAESource(0, "", path=name)
    release, _, sae_id = name.partition("/")
    if not sae_id or name.startswith((".", "/")):
        raise MosaicError(
            f"{name} is neither a folder that holds cfg.json and sae_weights.safetensors nor an entry release/id of "
            "SAELens's registry, such as gemma-scope-2b-pt-res-canonical/layer_12/width_16k/canonical."
        )
    return SAESource(0, "", release=release, id=sae_id)


def _from_folder(folder: Path) -> Dictionary:
    config = read_config(folder)
    with open_tensors(folder) as file:
        state = {name: file.get_tensor(name) for name in file.keys() if name in ("W_enc", "W_dec")}  # noqa: SIM118
        missing = [name for name in ("W_enc", "W_dec") if name not in state]
        if missing:
            raise MosaicError(f"{folder} has no {missing[0]}; it holds {', '.join(file.keys())}.")
    encoder, decoder = state["W_enc"].float().T.numpy(), state["W_dec"].float().numpy()
    if encoder.ndim != 2 or not len(encoder) or encoder.shape != decoder.shape:
        raise MosaicError(
            f"{folder}: W_enc has shape {list(state['W_enc'].shape)} and W_dec {list(state['W_dec'].shape)}; [d, D] and "
            "[D, d] were expected. They do not belong together; copy the SAE again."
        )
    check_sizes(folder.name, config, encoder.shape[1], len(encoder))
    check_numbers(folder.name, state["W_enc"], {"W_dec": state["W_dec"]})
    return Dictionary(
        name=folder.name,
        encoder=np.ascontiguousarray(encoder),
        decoder=decoder,
        hook=hook_name(config),
        model=(config.get("metadata") or {}).get("model_name") or config.get("model_name"),
        frequency=_frequency(folder, len(decoder)),
    )


def _frequency(folder: Path, latents: int) -> np.ndarray | None:
    """[D] from sparsity.safetensors, where the folder has it."""
    path = folder / "sparsity.safetensors"
    if not path.is_file():
        return None
    with open_tensors(folder, path.name) as file:
        log = file.get_tensor("sparsity").double().numpy()
    if log.shape != (latents,):
        raise MosaicError(f"{path} holds {list(log.shape)} frequencies for {latents} latents. Copy the SAE again.")
    return np.where(log > ALIVE, 10.0**log, 0.0)


def _from_registry(source: SAESource) -> Dictionary:
    entry, name = registered(source)
    sae = open_registered(source)
    return Dictionary(
        name=name,
        encoder=np.ascontiguousarray(sae.W_enc.detach().float().T.cpu().numpy()),
        decoder=sae.W_dec.detach().float().cpu().numpy(),
        hook=sae.cfg.metadata.hook_name,
        model=sae.cfg.metadata.model_name or entry.model,
    )


def untrained(like: Dictionary, seed: int) -> Dictionary:
    """An SAE that has learned nothing: random rows, encoder and decoder tied, as SAELens's training starts."""
    rows = np.random.default_rng([seed, 1]).normal(size=like.decoder.shape).astype(np.float32)
    return replace(like, name=f"untrained {seed}", encoder=rows, decoder=rows, frequency=None)


def random_dictionary(like: Dictionary, seed: int) -> Dictionary:
    """Random rows, encoder and decoder independent: what matching alone makes of nothing."""
    generator = np.random.default_rng([seed, 2])
    encoder, decoder = (generator.normal(size=like.decoder.shape).astype(np.float32) for _ in range(2))
    return replace(like, name=f"random {seed}", encoder=encoder, decoder=decoder, frequency=None)


def shuffled(dictionary: Dictionary, seed: int) -> Dictionary:
    """The same dictionary with its coordinates permuted: its own geometry is kept, its directions are not."""
    order = np.random.default_rng([seed, 3]).permutation(dictionary.d_in)
    return replace(
        dictionary,
        name=f"{dictionary.name}, coordinates shuffled",
        encoder=dictionary.encoder[:, order],
        decoder=dictionary.decoder[:, order],
    )
