"""What an SAE must be to be used: of the layer and width it is named for, with weights that fit and are numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mosaic.errors import MosaicError

if TYPE_CHECKING:
    import torch

# Architectures whose encoders are read, and the vectors of D numbers each is made of beside W_enc.
NEEDED = {
    "standard": ("b_enc",),
    "jumprelu": ("b_enc", "threshold"),
    "topk": ("b_enc",),
    "gated": ("b_gate", "b_mag", "r_mag"),
}
WEIGHTS = {"W_enc", "W_dec", "b_dec", *(vector for vectors in NEEDED.values() for vector in vectors)}
BLOCK = re.compile(r"(?:^|\.)(?:layers?|blocks?|h)\.(\d+)(?:\.(.+))?$")
NOT_RESIDUAL = re.compile(r"mlp|attn|attention|resid_mid|norm|ln\d|hook_[qkvz]$")
LONGEST = 9  # digits of a block's number or a width's name; more are no number of either
MEANINGLESS = "Copy the SAE again, or train it again: with such weights every feature is meaningless."
SCALE = {"k": 1_000, "m": 1_000_000}


def check_hook(name: str, hook: str | None, layer: int, first_layer: int) -> None:
    """Raises MosaicError where the SAE reads another layer than `layer`, or not the residual stream after a block."""
    trained = layer_of(name, hook, first_layer)
    if trained not in (None, layer):
        raise MosaicError(
            f"SAE {name} is named for layer {layer}, but was trained at {hook}, which is layer {trained} of this model "
            f"(counted from {first_layer}). Write layer: {trained}, or choose the SAE of layer {layer}."
        )


def layer_of(name: str, hook: str | None, first_layer: int) -> int | None:
    """The layer after which an SAE reads the residual stream, or None for a hook without a block's number.

    hook: where its configuration says it was trained: a block of transformers ("layers.3") or a hook of
    TransformerLens ("blocks.3.hook_resid_post"), blocks counted from 0. first_layer: the number that the model's first
    block goes by. Raises MosaicError for a hook inside a block, or on embeddings.
    """
    found = BLOCK.search(str(hook or ""))
    if found is None:
        return None
    if len(found[1]) > LONGEST:
        raise MosaicError(
            f"SAE {name} was trained at {hook!r:.60}...: no model has a block of {len(found[1])} digits. Copy the SAE again."
        )
    block, inside = int(found[1]), found[2] or ""
    if NOT_RESIDUAL.search(inside):
        raise MosaicError(
            f"SAE {name} was trained at {hook}, inside a block; SAEs of the residual stream after a block are read "
            "here (such as blocks.3.hook_resid_post). Choose one of those."
        )
    before = "resid_pre" in inside  # what goes into a block is what comes out of the one below it
    trained = block + first_layer - before
    if trained < first_layer:
        raise MosaicError(f"SAE {name} was trained at {hook}, on embeddings, which no layer puts out. Choose another.")
    return trained


def check_width(name: str, width: str, n_latents: int) -> None:
    """Raises MosaicError where a width's name gives another number of latents ("16k": Gemma Scope rounds down)."""
    stated = re.fullmatch(r"(\d+)([km]?)", str(width))
    if stated is None:
        return
    number = int(stated[1]) * SCALE.get(stated[2], 1) if len(stated[1]) <= LONGEST else 0  # 0 is no SAE's
    slack = 0.05 if stated[2] else 0
    if abs(n_latents - number) > slack * number:
        shown = n_latents if n_latents < 1000 else f"{n_latents // 1000}k"
        raise MosaicError(
            f"SAE {name} is named for width {width:.60}, but has {n_latents} latents. Write width: {shown}, or choose the "
            f"SAE of width {width:.60}."
        )


def check_weights(name: str, config: Mapping, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raises MosaicError for an unknown architecture, for tensors that are missing or whose shapes do not fit W_enc.

    shapes: of every tensor, W_enc [d, D] and perhaps W_dec [D, d] among them.
    """
    architecture = config.get("architecture")
    if architecture not in tuple(NEEDED):  # a broken configuration may hold a list, which no dictionary looks up
        raise MosaicError(
            f"SAE {name} has architecture {architecture!r}; encoders of standard, jumprelu, topk and gated SAEs are "
            "read. Its cfg.json names it."
        )
    missing = [vector for vector in NEEDED[architecture] if vector not in shapes]
    if config.get("apply_b_dec_to_input", True) and "b_dec" not in shapes:
        missing.append("b_dec")
    if missing:
        raise MosaicError(
            f"SAE {name} has no {missing[0]}, which a {architecture} SAE needs; it holds {', '.join(shapes)}. Copy or "
            "save it again."
        )
    if len(shapes["W_enc"]) != 2 or not all(shapes["W_enc"]):
        raise MosaicError(f"SAE {name}: W_enc has shape {_shown(shapes['W_enc'])}; [d_in, d_sae] was expected.")
    d, latents = shapes["W_enc"]
    expected = {vector: (latents,) for vector in NEEDED[architecture]} | {"b_dec": (d,), "W_dec": (latents, d)}
    for tensor, shape in expected.items():
        if tensor in shapes and tuple(shapes[tensor]) != shape:
            raise MosaicError(
                f"SAE {name}: {tensor} has shape {_shown(shapes[tensor])}, but W_enc {_shown(shapes['W_enc'])} asks for "
                f"{_shown(shape)}. They do not belong together; copy the SAE again."
            )
    check_sizes(name, config, d, latents)
    if architecture == "topk" and not _counts(config.get("k"), latents):
        raise MosaicError(
            f"SAE {name}: k is {config.get('k')!r:.60}; a TopK SAE's cfg.json holds a whole number from 1 to its number of "
            f"latents, {latents}."
        )


def check_sizes(name: str, config: Mapping, d: int, latents: int) -> None:
    """Raises MosaicError where the configuration states another d_in or d_sae than the weights have."""
    for key, size in (("d_in", d), ("d_sae", latents)):
        if config.get(key) not in (None, size):
            raise MosaicError(
                f"SAE {name}: its cfg.json says {key} {config[key]!r:.60}, but its weights have {size}. They do not belong "
                "together; copy the SAE again."
            )


def check_kinds(name: str, kinds: Mapping[str, str]) -> None:
    """Raises MosaicError for weights that are whole or complex numbers. kinds: safetensors' names, such as "BF16"."""
    for tensor, kind in kinds.items():
        if tensor in WEIGHTS and not kind.startswith(("F", "BF")):
            raise MosaicError(
                f"SAE {name}: {tensor} holds numbers of kind {kind}; real ones (F32, BF16, F16) were expected. Save the SAE "
                "again as SAELens does."
            )


def check_numbers(name: str, weights: torch.Tensor, vectors: Mapping[str, torch.Tensor]) -> None:
    """Raises MosaicError for weights that are NaN or infinite, or all zero: nothing could be read off them."""
    for tensor, values in {"W_enc": weights, **vectors}.items():
        bad = int((~values.isfinite()).sum())
        if bad:
            raise MosaicError(
                f"SAE {name}: {bad} of {values.numel()} numbers of {tensor} are NaN or infinite. {MEANINGLESS}"
            )
    if not weights.any():
        raise MosaicError(f"SAE {name}: all numbers of W_enc are zero. {MEANINGLESS}")


def _counts(k, most: int) -> bool:
    """A whole number from 1 to `most`, perhaps written with a point (8.0)."""
    return isinstance(k, int | float) and 1 <= k <= most and (isinstance(k, int) or k.is_integer())


def _shown(shape) -> str:
    return f"[{', '.join(map(str, shape))}]"
