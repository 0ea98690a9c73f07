"""What a trained SAE is worth on texts it has not seen, and the card that says so.

Shapes: N tokens, D = width (latents).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mosaic.files import write_atomically
from mosaic.models.language import LanguageModel, Tokens
from mosaic.models.residuals import in_batches

if TYPE_CHECKING:
    import torch

NEVER = -10.0  # log10 of the frequency of a latent that never fires, as SAELens writes it


def write_frequency(folder: Path, frequency: np.ndarray) -> None:
    """`sparsity.safetensors`, as SAELens writes it: log10 of the share of tokens on which each latent fires."""
    import torch
    from safetensors.torch import save_file

    values = torch.from_numpy(np.log10(np.maximum(frequency, 10.0**NEVER)).astype(np.float32))
    save_file({"sparsity": values}, Path(folder) / "sparsity.safetensors")


def measure_sae(folder: Path, lm: LanguageModel, tokens: Tokens, layer: int) -> dict[str, float]:
    """L0, fraction of variance unexplained and dead latents of one saved SAE on tokens it has not seen."""
    return measure_all([(folder, layer)], lm, tokens)[0][0]


def measure_all(
    saes: Sequence[tuple[Path, int]], lm: LanguageModel, tokens: Tokens
) -> list[tuple[dict[str, float], np.ndarray]]:
    """(figures, firing frequency [D]) of every (folder, layer), the language model run once."""
    from sae_lens import SAE

    return measure_opened(
        [(SAE.load_from_disk(str(folder), device=lm.device, dtype="float32"), layer) for folder, layer in saes],
        lm,
        tokens,
    )


def measure_opened(
    saes: Sequence[tuple], lm: LanguageModel, tokens: Tokens
) -> list[tuple[dict[str, float], np.ndarray]]:
    """The same of (SAELens's SAE, layer) pairs that stand on the model's device.

    FVU = sum |x - x^|^2 / sum |x - mean(x)|^2 over all real, non-special tokens.
    """
    import torch

    layers = sorted({layer for _, layer in saes})
    # Sums are taken on the CPU: some devices have no float64.
    fires = [torch.zeros(sae.cfg.d_sae, dtype=torch.float64) for sae, _ in saes]
    error = [0.0] * len(saes)
    square = dict.fromkeys(layers, 0.0)
    total = {layer: torch.zeros(lm.d_model, dtype=torch.float64) for layer in layers}
    n = 0
    with torch.inference_mode():
        for _, batch, _ in in_batches(lm, tokens, layers):
            for layer, x in batch.items():
                square[layer] += float(x.cpu().double().square().sum())
                total[layer] += x.cpu().double().sum(0)
            for i, (sae, layer) in enumerate(saes):
                latents = sae.encode(batch[layer])
                fires[i] += (latents > 0).sum(0).cpu()
                error[i] += float((batch[layer] - sae.decode(latents)).cpu().double().square().sum())
            n += len(batch[layers[0]])
    variance = {layer: square[layer] - float(total[layer].square().sum()) / n for layer in layers}
    return [
        (
            {
                "held_out_tokens": n,
                "l0": float(fires[i].sum()) / n,
                "fvu": error[i] / variance[layer],
                "dead": float((fires[i].numpy() == 0).mean()),
            },
            (fires[i] / n).numpy(),
        )
        for i, (_, layer) in enumerate(saes)
    ]


def measure_activations(folder: Path, x: torch.Tensor) -> tuple[dict[str, float], np.ndarray]:
    """The same of one SAE on activations x [N, d] that somebody has read already: (figures, firing frequency [D])."""
    import torch
    from sae_lens import SAE

    sae = SAE.load_from_disk(str(folder), device="cpu", dtype="float32")
    with torch.inference_mode():
        latents = sae.encode(x)
        error = float((x - sae.decode(latents)).double().square().sum())
    frequency = (latents > 0).double().mean(0).numpy()
    figures = {
        "held_out_tokens": len(x),
        "l0": float(frequency.sum()),
        "fvu": error / float((x - x.mean(0)).double().square().sum()),
        "dead": float((frequency == 0).mean()),
    }
    return figures, frequency


def write_card(rows: list[dict], model: str, n_texts: int, out: Path) -> None:
    """Write `card.json` (for machines) and `README.md` (for people) beside the SAEs."""
    table = "\n".join(
        f"| {r['name']} | {r['layer']} | {r['width']:,} | {r['seed']} | {r['architecture']}, "
        f"{'k' if r.get('l1') is None else 'L1'} = {r['k'] if r.get('l1') is None else r['l1']} "
        f"| {r['tokens']:,} | {r['l0']:.1f} | {r['fvu']:.3f} | {100 * r['dead']:.1f} % |"
        for r in rows
    )
    card = f"""# SAEs for {model}

Sparse autoencoders on the residual stream after a block, trained with SAELens and saved in its layout
(`SAE.load_from_disk(folder)`; matrices in bfloat16, biases in float32). `mosaic train-sae` made them.

| SAE | layer | width | seed | activation | tokens seen | L0 | fraction of variance unexplained | dead latents |
|---|---|---|---|---|---|---|---|---|
{table}

L0, the fraction of variance unexplained and dead latents (which never fire) were measured on
{rows[0]["held_out_tokens"]:,} tokens of texts that were not trained on; {n_texts:,} distinct texts in all. SAEs of one
layer saw the same activations in the same order, so seeds differ in their initialisation alone. Special
tokens were neither trained on nor measured.
"""
    write_atomically(out / "card.json", (json.dumps(rows, indent=1) + "\n").encode())
    write_atomically(out / "README.md", card.encode())
