"""Loading sparse autoencoders, a folder in SAELens's layout or an entry of its registry; only the encoder is read.

Shapes: N tokens, d = d_model, D = width (latents).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mosaic.errors import MosaicError
from mosaic.saes.checks import check_hook, check_numbers, check_weights, check_width
from mosaic.saes.encoder import Encoder
from mosaic.saes.registry import is_scope, open_registered, registered, scope_weights
from mosaic.saes.source import SAESource
from mosaic.saes.weights import WEIGHTS, Weights, open_tensors, read_config, tensor_weights

if TYPE_CHECKING:
    import torch

LENS_NAMES = {"gpt2-small": "gpt2"}  # models that the registry calls by TransformerLens's names
INPUT_NORMS = ("none", "layer_norm", "constant_norm_rescale")


def load_encoder(source: SAESource, model_id: str, d_model: int, device: str = "cpu", first_layer: int = 0) -> Encoder:
    """Load one SAE's encoder and check that it belongs to the model, layer and width it is asked for.

    first_layer: the number the model's first block goes by (`ModelSpec`). Raises MosaicError: unknown release or id
    (with the five nearest), missing or broken files, weights that do not fit or are no numbers, an SAE trained on
    another model (unless `transfer_from` names it) or layer, of another width, d_in different from the model's.
    """
    if not source.path and not (source.release and source.id):
        raise MosaicError(
            f"the SAE of layer {source.layer}, width {source.width} has neither a path nor a release and id. Give its "
            "folder as path, or its place in SAELens's registry as release and id."
        )
    encoder, hook = _from_folder(source) if source.path else _from_registry(source)
    check_hook(encoder.name, hook, source.layer, first_layer)
    check_width(encoder.name, source.width, encoder.n_latents)
    check_model(encoder.name, encoder.d_in, encoder.trained_on, model_id, d_model, source.transfer_from)
    return encoder.to(device)


def check_model(
    name: str, d_in: int, trained_on: str | None, model_id: str, d_model: int, transfer_from: str | None = None
) -> None:
    """Raises MosaicError for an SAE of vectors of another width than the model's, or trained on another model than it
    (or than `transfer_from`)."""
    if d_in != d_model:
        raise MosaicError(
            f"SAE {name} reads vectors of d_in {d_in}, but {model_id} has d_model {d_model}. "
            "They do not belong together: choose an SAE of this model."
        )
    expected = transfer_from or model_id
    if trained_on and model_name(trained_on) != model_name(expected):
        raise MosaicError(
            f"SAE {name} was trained on {trained_on}, not on {expected}. Choose the SAE of this "
            f"model, or ask for the transfer by name: transfer_from: {trained_on} in the profile."
        )


def from_sae(sae, source: SAESource, name: str) -> Encoder:
    """The encoder of a loaded SAELens SAE (standard, JumpReLU, TopK or gated).

    Raises MosaicError for other architectures.
    """
    return _assemble(Weights.of(sae), sae.cfg.to_dict(), source, name)


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
    pre = (encoder.prepared(sample) @ rows.T).flatten().cpu().numpy()
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


# --- assembling ------------------------------------------------------------------------------------------------


def _assemble(weights: Weights, config: dict, source: SAESource, name: str) -> Encoder:

    check_weights(name, config, weights.shapes)
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
    check_numbers(name, rows, vectors)
    return Encoder(
        name=name,
        layer=source.layer,
        width=source.width,
        seed=source.seed,
        b_dec=vectors["b_dec"] if config.get("apply_b_dec_to_input", True) else None,
        input_norm=norm,
        trained_on=(config.get("metadata") or {}).get("model_name"),
        **READERS[config["architecture"]](name, weights, rows, config),
    )


def _standard(name: str, weights: Weights, rows: torch.Tensor, config: dict) -> dict:
    """f = relu(p)."""
    return {"weights": rows, "bias": weights.vectors["b_enc"], "threshold": rows.new_zeros(len(rows))}


def _jumprelu(name: str, weights: Weights, rows: torch.Tensor, config: dict) -> dict:
    """f = p where p > threshold."""
    vectors = weights.vectors
    return {"weights": rows, "bias": vectors["b_enc"], "threshold": vectors["threshold"].clamp(min=0)}


def _topk(name: str, weights: Weights, rows: torch.Tensor, config: dict) -> dict:
    """f = p where p is among the token's k largest, perhaps measured in lengths of decoder rows."""
    bias = weights.vectors["b_enc"]
    if config.get("rescale_acts_by_decoder_norm"):
        norms = weights.decoder().float().norm(dim=-1)
        check_numbers(name, rows, {"W_dec's row lengths": norms})
        rows *= norms[:, None]
        bias = bias * norms
    return {"weights": rows, "bias": bias, "threshold": rows.new_zeros(len(rows)), "k": int(config["k"])}


def _gated(name: str, weights: Weights, rows: torch.Tensor, config: dict) -> dict:
    """f = exp(r_mag) (p - b_gate) + b_mag where the gate p is open."""
    vectors = weights.vectors
    scale = vectors["r_mag"].exp()
    shift = vectors["b_mag"] - scale * vectors["b_gate"]
    return {
        "weights": rows,
        "bias": vectors["b_gate"],
        "threshold": rows.new_zeros(len(rows)),
        "scale": scale,
        "shift": shift,
    }


# What an architecture's weights are to the encoder; what of them a folder must hold stands in checks.NEEDED.
READERS = {"standard": _standard, "jumprelu": _jumprelu, "topk": _topk, "gated": _gated}


def _from_folder(source: SAESource) -> tuple[Encoder, str | None]:
    """(encoder, hook name) of a folder in SAELens's layout: only the encoder's tensors are read."""
    folder = Path(source.path)
    config = read_config(folder)
    with open_tensors(folder) as file:
        encoder = _assemble(tensor_weights(folder / WEIGHTS, file), config, source, folder.name)
    return encoder, hook_name(config)


def hook_name(config: dict) -> str | None:
    """Where a configuration says the SAE was trained: in its metadata, or (older ones) beside it."""
    return (config.get("metadata") or {}).get("hook_name") or config.get("hook_name")


def _from_registry(source: SAESource) -> tuple[Encoder, str | None]:
    """(encoder, hook name) of an entry of SAELens's registry."""
    entry, name = registered(source)
    if is_scope(source):
        with scope_weights(source) as (weights, config):
            return _assemble(weights, config, source, name), hook_name(config)
    sae = open_registered(source)
    return replace(from_sae(sae, source, name), trained_on=entry.model), hook_name(sae.cfg.to_dict())


def model_name(model_id: str) -> str:
    """The last part of a hub id or folder, without the suffix some registries add for the base model."""
    name = Path(str(model_id)).name.lower().removesuffix("-pt")
    return LENS_NAMES.get(name, name)
