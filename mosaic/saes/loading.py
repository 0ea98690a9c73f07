"""Loading sparse autoencoders: a folder in SAELens's layout, its registry, Gemma Scope; only the encoder is read.

Shapes: N tokens, d = d_model, D = width (latents).
"""

from __future__ import annotations

import difflib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mosaic.errors import MosaicError
from mosaic.saes.encoder import Encoder

if TYPE_CHECKING:
    import torch

INPUT_NORMS = ("none", "layer_norm", "constant_norm_rescale")


@dataclass(frozen=True)
class SAESource:
    """Where one SAE comes from and which layer it reads.

    layer: as the model's profile counts. width: its name ("16k"). path: a folder in SAELens's layout, or
    release and id: an entry of SAELens's registry. seed: of its training, for suites of several seeds.
    transfer_from: the model it was trained on, where that is not the model it is applied to; without it a
    mismatch is refused.
    """

    layer: int
    width: str
    path: str | None = None
    release: str | None = None
    id: str | None = None
    seed: int = 0
    transfer_from: str | None = None


def load_encoder(source: SAESource, model_id: str, d_model: int, device: str = "cpu") -> Encoder:
    """Load one SAE's encoder and check that it belongs to the model and layer it is asked for.

    Raises MosaicError: unknown release or id (with the five nearest), missing files, an SAE trained on
    another model (unless `transfer_from` names it), d_in different from the model's width.
    """
    encoder = _from_folder(source) if source.path else _from_registry(source)
    if encoder.d_in != d_model:
        raise MosaicError(
            f"SAE {encoder.name} reads vectors of d_in {encoder.d_in}, but {model_id} has d_model {d_model}. "
            "They do not belong together: check the model and the SAE in the profile."
        )
    expected = source.transfer_from or model_id
    if encoder.trained_on and model_name(encoder.trained_on) != model_name(expected):
        raise MosaicError(
            f"SAE {encoder.name} was trained on {encoder.trained_on}, not on {expected}. Choose the SAE of this "
            f"model, or ask for the transfer by name: transfer_from: {encoder.trained_on} in the profile."
        )
    return encoder.to(device)


def from_sae(sae, source: SAESource, name: str) -> Encoder:
    """The encoder of a loaded SAELens SAE (standard, JumpReLU, TopK or gated).

    Raises MosaicError for other architectures.
    """
    return _assemble(_Weights.of(sae), sae.cfg.to_dict(), source, name)


def random_like(encoder: Encoder, x: torch.Tensor, seed: int = 0) -> Encoder:
    """A random dictionary with the encoder's width, row norms and, on the tokens x [N, d], its mean L0.

    The control of the design notes: what of a probe's score comes from sparse random projections alone.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(encoder.n_latents, encoder.d_in, generator=generator)
    norm = encoder.weights.norm(dim=1).mean().cpu()
    rows = (rows / rows.norm(dim=1, keepdim=True) * norm).to(x.device)
    sample = x[torch.randperm(len(x), generator=generator)[:256].to(x.device)].float()
    density = encoder.encode(sample).nnz / (len(sample) * encoder.n_latents)
    pre = (encoder._input(sample) @ rows.T).flatten().cpu().numpy()
    threshold = float(np.quantile(pre, 1 - density))
    return replace(
        encoder,
        name=f"{encoder.name}_random_{seed}",
        weights=rows,
        bias=torch.zeros_like(encoder.bias),
        threshold=torch.full_like(encoder.bias, max(threshold, 0.0)),
        scale=None,
        shift=None,
        k=None,
        trained_on=None,
    )


# --- reading weights -------------------------------------------------------------------------------------------


class _Weights:
    """Named weights read piecewise: `get(name)` for vectors, `columns(name)` for W_enc without a second copy."""

    def __init__(self, vectors: dict[str, torch.Tensor], shape: tuple[int, int], pieces, decoder_norm=None):
        self.vectors = vectors
        self.shape = shape  # of W_enc: (d, D)
        self.pieces = pieces  # yields (slice over d, slice over D, tensor [d', D'])
        self.decoder_norm = decoder_norm

    @classmethod
    def of(cls, sae) -> _Weights:
        vectors = {name: value.detach().float() for name, value in sae.state_dict().items() if value.ndim == 1}
        full = sae.W_enc.detach()
        everything = (slice(None), slice(None))
        return cls(vectors, tuple(full.shape), lambda: iter([(*everything, full)]), lambda: sae.W_dec.norm(dim=-1))

    def transposed(self) -> torch.Tensor:
        """W_enc as [D, d] float32, filled piece by piece: peak memory is the result plus one piece."""
        import torch

        out = torch.empty(self.shape[1], self.shape[0])
        for inputs, latents, piece in self.pieces():
            out[latents, inputs] = piece.T.float()
        return out


def _assemble(weights: _Weights, config: dict, source: SAESource, name: str) -> Encoder:
    import torch

    architecture = config["architecture"]
    norm = config.get("normalize_activations", "none")
    if norm == "expected_average_only_in":
        norm = "none"  # SAELens folds the factor into the weights when it loads or saves the SAE
    if norm not in INPUT_NORMS or config.get("reshape_activations", "none") != "none":
        raise MosaicError(
            f"SAE {name}: normalize_activations={norm!r}, reshape_activations="
            f"{config.get('reshape_activations')!r} are not read here. Residual-stream SAEs with one of "
            f"{', '.join(INPUT_NORMS)} are."
        )
    vectors, rows = weights.vectors, weights.transposed()
    zeros = torch.zeros(len(rows))
    shared = dict(
        name=name,
        layer=source.layer,
        width=source.width,
        seed=source.seed,
        b_dec=vectors["b_dec"] if config.get("apply_b_dec_to_input", True) else None,
        input_norm=norm,
        trained_on=(config.get("metadata") or {}).get("model_name"),
    )
    if architecture == "standard":
        return Encoder(weights=rows, bias=vectors["b_enc"], threshold=zeros, **shared)
    if architecture == "jumprelu":
        return Encoder(weights=rows, bias=vectors["b_enc"], threshold=vectors["threshold"].clamp(min=0), **shared)
    if architecture == "topk":
        bias = vectors["b_enc"]
        if config.get("rescale_acts_by_decoder_norm"):
            norms = weights.decoder_norm().detach().float()
            rows *= norms[:, None]
            bias = bias * norms
        return Encoder(weights=rows, bias=bias, threshold=zeros, k=int(config["k"]), **shared)
    if architecture == "gated":
        scale = vectors["r_mag"].exp()
        shift = vectors["b_mag"] - scale * vectors["b_gate"]
        return Encoder(weights=rows, bias=vectors["b_gate"], threshold=zeros, scale=scale, shift=shift, **shared)
    raise MosaicError(
        f"SAE {name} has architecture {architecture!r}; encoders of standard, jumprelu, topk and gated SAEs are read."
    )


def _from_folder(source: SAESource) -> Encoder:
    """A folder in SAELens's layout: only the encoder's tensors are read."""
    from safetensors import safe_open

    folder = Path(source.path)
    config_path, weights_path = folder / "cfg.json", folder / "sae_weights.safetensors"
    for path in (config_path, weights_path):
        if not path.is_file():
            raise MosaicError(
                f"{path} does not exist. An SAE folder holds cfg.json and sae_weights.safetensors, as SAELens's "
                "save_model writes them."
            )
    config = json.loads(config_path.read_text(encoding="utf-8"))
    # safe_open maps the file: tensors are copied only when asked for, slice by slice.
    with safe_open(weights_path, framework="pt") as file:
        names = list(file.keys())
        if "W_enc" not in names:
            raise MosaicError(f"{weights_path} holds {', '.join(names)}; an encoder W_enc [d_in, d_sae] was expected.")
        matrices = [name for name in names if len(file.get_slice(name).get_shape()) != 1]
        vectors = {name: file.get_tensor(name).float() for name in names if name not in matrices}
        encoder = file.get_slice("W_enc")
        d, width = encoder.get_shape()

        def pieces():
            for start in range(0, width, 16384):
                yield slice(None), slice(start, start + 16384), encoder[:, start : start + 16384]

        weights = _Weights(vectors, (d, width), pieces, lambda: file.get_tensor("W_dec").float().norm(dim=-1))
        return _assemble(weights, config, source, folder.name)


def _from_registry(source: SAESource) -> Encoder:
    """An entry of SAELens's registry; Gemma Scope's params.npz without its decoder, everything else by SAELens."""
    entry, name = registered(source)
    if entry.conversion_func == "gemma_2" and "embedding" not in entry.saes_map[source.id]:
        return _from_hub(lambda: _from_gemma_scope(source, entry, name), entry, name)
    return replace(from_sae(open_registered(source), source, name), trained_on=entry.model)


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


def open_registered(source: SAESource):
    """The whole SAE of a registry entry, by SAELens."""
    from sae_lens import SAE

    entry, name = registered(source)
    return _from_hub(lambda: SAE.from_pretrained(source.release, source.id), entry, name)


def _from_hub(load, entry, name: str):
    try:
        return load()
    except OSError as error:
        raise MosaicError(
            f"cannot load SAE {name} from the hub ({str(error).strip().splitlines()[0]}) Check the network, or "
            f"download {entry.repo_id} once and set HF_HUB_OFFLINE=1."
        ) from error


def _from_gemma_scope(source: SAESource, entry, name: str) -> Encoder:
    """Gemma Scope's params.npz, read as a stream: the decoder, half of the file, never enters memory."""
    from huggingface_hub import hf_hub_download

    path = hf_hub_download(entry.repo_id, "params.npz", subfolder=entry.saes_map[source.id])
    config = {"architecture": "jumprelu", "apply_b_dec_to_input": False, "metadata": {"model_name": entry.model}}
    return _assemble(_npz_weights(Path(path)), config, source, name)


def _npz_weights(path: Path) -> _Weights:
    import torch

    with np.load(path, allow_pickle=False) as file:
        keys = {("W_" + key[2:] if key.startswith("w_") else key): key for key in file}
        vectors = {name: torch.from_numpy(file[key]).float() for name, key in keys.items() if not name.startswith("W_")}
    encoder = keys["W_enc"]
    with zipfile.ZipFile(path) as archive, archive.open(f"{encoder}.npy") as stream:
        shape, _, _ = _npy_header(stream)

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

    return _Weights(vectors, shape, pieces)


def _npy_header(stream) -> tuple[tuple[int, ...], bool, np.dtype]:
    major, _ = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    return read(stream)


def _unknown(kind: str, value: str | None, known, hint: str) -> str:
    nearest = difflib.get_close_matches(str(value), list(known), n=5, cutoff=0)
    return f"unknown {kind} {value!r}; the nearest of {len(known)} are {', '.join(nearest)} ({hint})."


def model_name(model_id: str) -> str:
    """The last part of a hub id or folder, without the suffix some registries add for the base model."""
    return Path(model_id).name.lower().removesuffix("-pt")
