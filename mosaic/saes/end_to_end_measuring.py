"""What an SAE costs the model that reads its output in the residual stream's place, text by text.

Shapes: n texts, N real tokens, D = width (latents).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mosaic.errors import MosaicError
from mosaic.models.language import LanguageModel, Tokens
from mosaic.models.splicing import Original, Pass, batch_of, original, spliced
from mosaic.saes.end_to_end import kl, squared_errors
from mosaic.saes.weights import open_tensors, read_config

if TYPE_CHECKING:
    import torch

TEXTS_AT_ONCE = 64


@dataclass(frozen=True)
class Measured:
    """Sums of one SAE over each text's real tokens, [n] each, in float64.

    tokens: how many. predictions: of them those with a next token. active: latents that fire. kl: KL of what the model says as it
    is against what it says of the SAE's output, nats. added: cross-entropy of the next token, minus that of the model as it is. error: squared
    error at the layer. downstream: {later layer: squared error}. square: |a|^2; total: [n, d] sums of a.
    fires: [D], tokens on which each latent fires, over all texts.
    """

    tokens: np.ndarray
    predictions: np.ndarray
    active: np.ndarray
    kl: np.ndarray
    added: np.ndarray
    error: np.ndarray
    downstream: Mapping[int, np.ndarray]
    square: np.ndarray
    total: np.ndarray
    fires: np.ndarray

    def figures(self, weights: np.ndarray | None = None) -> dict:
        """L0, FVU, KL, added cross-entropy, squared error at the layer and downstream, each a mean over tokens.

        weights: [n], how often each text counts (a resample); None: once.
        """
        w = np.ones(len(self.tokens)) if weights is None else weights
        n = w @ self.tokens
        variance = w @ self.square - np.square(w @ self.total).sum() / n
        return {
            "l0": float(w @ self.active / n),
            "fvu": float(w @ self.error / variance),
            "kl": float(w @ self.kl / n),
            "added_ce": float(w @ self.added / (w @ self.predictions)),
            "error": float(w @ self.error / n),
            "downstream": {str(k): float(w @ sums / n) for k, sums in self.downstream.items()},
        }

    @property
    def alive(self) -> int:
        """Latents that fire at all."""
        return int((self.fires > 0).sum())


@dataclass(frozen=True)
class SavedSAE:
    """c = ReLU(a W_enc + b_enc), a^ = c W_dec + b_dec, as SAELens reads a standard SAE; W_enc: [d, D], W_dec: [D, d]."""

    W_enc: torch.Tensor
    b_enc: torch.Tensor
    W_dec: torch.Tensor
    b_dec: torch.Tensor

    def encode(self, a: torch.Tensor) -> torch.Tensor:
        return (a @ self.W_enc + self.b_enc).relu()

    def decode(self, c: torch.Tensor) -> torch.Tensor:
        return c @ self.W_dec + self.b_dec


def opened(folder: Path, device: str = "cpu") -> SavedSAE:
    """A saved SAE in float32, both halves. Raises MosaicError for missing or broken files, and for an SAE of another form."""
    config = read_config(folder)
    form = (config.get("architecture"), config.get("apply_b_dec_to_input"), config.get("normalize_activations"))
    if form != ("standard", False, "none"):
        raise MosaicError(
            f"{folder} is no ReLU SAE that reads the residual stream as it is (architecture, apply_b_dec_to_input and "
            f"normalize_activations are {', '.join(map(str, form))}; standard, False and none were expected). Train it with "
            "`mosaic.saes.end_to_end_training`."
        )
    names = [field.name for field in fields(SavedSAE)]
    with open_tensors(folder) as file:
        if missing := sorted(set(names) - set(file.keys())):
            raise MosaicError(f"{folder} has no {missing[0]}. Copy the SAE again.")
        return SavedSAE(*(file.get_tensor(name).float().to(device) for name in names))


def measure(lm: LanguageModel, tokens: Tokens, sae, layer: int) -> tuple[dict, np.ndarray]:
    """(figures of a card, [D] firing frequencies) of one SAE on texts it has not seen."""
    found = measure_all(lm, tokens, [sae], layer)[0]
    n = int(found.tokens.sum())
    return {"held_out_tokens": n, **found.figures(), "alive": found.alive}, found.fires / n


def measure_all(lm: LanguageModel, tokens: Tokens, saes, layer: int) -> list[Measured]:
    """Each SAE (encode, decode) in the place of the residual after one layer; the model as it is runs once for all."""
    import torch

    parts: list[list[dict]] = [[] for _ in saes]
    order = np.argsort(tokens.lengths, kind="stable")
    order = order[tokens.counts[order] > 0]
    with torch.no_grad():
        for start in range(0, len(order), TEXTS_AT_ONCE):
            batch = batch_of(lm, tokens, order[start : start + TEXTS_AT_ONCE])
            before = original(lm, batch, layer)
            for sae, found in zip(saes, parts, strict=True):
                codes = sae.encode(before.residuals[layer])
                decoded = sae.decode(codes)
                after = spliced(lm, batch, before, decoded)
                found.append(_sums(batch, before, codes, decoded, after))
    return [_whole(found, order, len(tokens.ids)) for found in parts]


def _sums(batch, before: Original, codes, decoded, after: Pass) -> dict:
    """What `Measured` holds, of one batch: {name: [texts of the batch] or more}."""
    a = before.residuals[before.layer]
    known = batch.follows >= 0
    columns = {
        "tokens": known.new_ones(len(known)),
        "predictions": known,
        "active": (codes > 0).sum(-1),
        "kl": kl(before, after),
        "added": (_surprise(after, batch) - _surprise(before, batch)) * known,
        "error": (a - decoded).square().sum(-1),
        "square": a.square().sum(-1),
        "total": a,
        **{f"downstream {k}": error for k, error in squared_errors(before.residuals, after.residuals).items()},
    }
    sums = {name: np.add.reduceat(x.cpu().double().numpy(), batch.starts[:-1]) for name, x in columns.items()}
    return {**sums, "fires": (codes > 0).sum(0).cpu().double().numpy()}


def _surprise(one: Pass, batch):
    """[N]: -log p of the token that follows; of a text's last token it means nothing."""
    return -one.log_p.gather(1, batch.follows.clamp(min=0)[:, None])[:, 0]


def _whole(parts: list[dict], order: np.ndarray, n: int) -> Measured:
    """Batches put together, texts in input order; a text without a real token has zeros."""
    fires = sum(part.pop("fires") for part in parts)
    columns = {}
    for name in parts[0]:
        rows = np.concatenate([part[name] for part in parts])
        columns[name] = np.zeros((n, *rows.shape[1:]))
        columns[name][order] = rows
    downstream = {int(name.split()[1]): columns.pop(name) for name in list(columns) if name.startswith("downstream")}
    return Measured(**columns, downstream=downstream, fires=fires)
