"""Training SAEs on a residual stream with SAELens: one activation stream feeds every SAE of a suite.

The language model runs once per token; each SAE sees the same activations in the same order, so SAEs that
differ in their seed differ in nothing else. BatchTopK is saved as JumpReLU, TopK as TopK, both in SAELens's
own layout (`cfg.json`, `sae_weights.safetensors`).

Shapes: N tokens, d = d_model, D = width (latents).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mosaic.errors import MosaicError
from mosaic.lm import LanguageModel, Tokens, plan_batches

if TYPE_CHECKING:
    import torch

ARCHITECTURES = ("batchtopk", "topk")


@dataclass(frozen=True)
class SAESpec:
    """One SAE to train: f = TopK_k(W_enc (x - b_dec) + b_enc), x^ = W_dec f + b_dec.

    layer: layer number, counted as the model's profile counts. width: number of latents D. k: mean active
    latents a token (L0; on average for BatchTopK). seed: of the initialisation only. architecture: "topk" or "batchtopk".
    """

    layer: int
    width: int
    k: int = 64
    seed: int = 0
    architecture: str = "topk"

    @property
    def name(self) -> str:
        return f"layer_{self.layer}_width_{width_name(self.width)}_seed_{self.seed}"


@dataclass(frozen=True)
class TrainRun:
    """How long and how fast: tokens seen (epochs repeat the texts in a new order), activations a step, Adam's rate."""

    tokens: int = 3_000_000
    batch_size: int = 1024
    learning_rate: float = 2e-3
    token_budget: int = 2048
    held_out: float = 0.02
    seed: int = 0


def width_name(width: int) -> str:
    """2,048 -> "2k", 65,536 -> "65k", 1,048,576 -> "1m", as Gemma Scope names its widths."""
    if width >= 1000 and width & (width - 1) == 0:
        return f"{width // 1_000_000}m" if width >= 1_000_000 else f"{width // 1000}k"
    return str(width)


def passages(document: str, characters: int = 900) -> Iterator[str]:
    """Cut a document at sentence ends into passages of about `characters` characters."""
    passage = ""
    for sentence in re.split(r"(?<=[.!?。！？])\s+|\n+", document):
        if passage and len(passage) + len(sentence) > characters:
            yield passage.strip()
            passage = ""
        passage += sentence + " "
    if passage.strip():
        yield passage.strip()


def train(lm: LanguageModel, texts: Sequence[str], specs: Sequence[SAESpec], run: TrainRun, out: Path) -> list[dict]:
    """Train all `specs` in lockstep, save each under `out/<name>`, and measure them on held-out texts.

    Returns one row an SAE: the spec, tokens, L0, fraction of variance unexplained, dead latents (share that
    never fires on the held-out tokens). The same rows are written to `out/card.json`.
    Raises MosaicError for a layer the model lacks, an unknown architecture, or fewer texts than one batch needs.
    """
    import torch
    from sae_lens.config import SAETrainerConfig
    from sae_lens.training.mixing_buffer import multi_hook_concat_split_iter
    from sae_lens.training.multi_sae_trainer import MultiSAETrainer

    layers = sorted({spec.layer for spec in specs})
    lm.check_layers(layers)
    texts = list(dict.fromkeys(text for text in texts if text.strip()))
    order = np.random.default_rng(run.seed).permutation(len(texts))
    n_held = max(1, round(run.held_out * len(texts)))
    tokens = lm.tokenize([texts[i] for i in order])
    held, kept = _slice(tokens, 0, n_held), _slice(tokens, n_held, len(texts))
    if kept.lengths.sum() < 2 * run.batch_size:
        raise MosaicError(
            f"{kept.lengths.sum()} training tokens do not fill two batches of {run.batch_size}. "
            "Give more texts, or a smaller batch_size."
        )

    steps = run.tokens // run.batch_size
    saes = {spec.name: _new_sae(spec, lm) for spec in specs}
    hooks = {spec.name: str(spec.layer) for spec in specs}
    config = SAETrainerConfig(
        total_training_samples=steps * run.batch_size,
        train_batch_size_samples=run.batch_size,
        lr=run.learning_rate,
        lr_end=run.learning_rate / 10,
        lr_warm_up_steps=min(500, steps // 10),
        lr_decay_steps=steps // 4,
        device=lm.device,
        dead_feature_window=min(200, max(1, steps // 10)),
        n_batches_for_norm_estimate=min(20, max(1, steps // 4)),
    )
    torch.manual_seed(run.seed)
    stream = multi_hook_concat_split_iter(
        buffer_size=64 * run.batch_size,
        batch_size=run.batch_size,
        activations_loader=_activations(lm, kept, layers, run),
        hook_names=[str(layer) for layer in layers],
    )
    MultiSAETrainer(config, saes, hooks, stream).fit()
    rows = []
    for spec in specs:
        folder = Path(out) / spec.name
        save(saes[spec.name], folder)
        measured = measure(folder, lm, held, spec.layer)
        rows.append({"name": spec.name, **asdict(spec), "tokens": config.total_training_samples, **measured})
    write_card(rows, lm.spec.id, len(texts), Path(out))
    return rows


def write_card(rows: list[dict], model: str, n_texts: int, out: Path) -> None:
    """Write `card.json` (for machines) and `README.md` (for people) beside the SAEs."""
    table = "\n".join(
        f"| {r['name']} | {r['layer']} | {r['width']:,} | {r['seed']} | {r['architecture']}, k = {r['k']} "
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
suite saw the same activations in the same order, so seeds differ in their initialisation alone. Special
tokens were neither trained on nor measured.
"""
    out.mkdir(parents=True, exist_ok=True)
    (out / "card.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    (out / "README.md").write_text(card, encoding="utf-8")


def save(sae, folder: Path) -> None:
    """Save a trained SAE for inference, matrices in bfloat16 (half the disk; biases and thresholds stay float32)."""
    import torch
    from safetensors.torch import load_file, save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights, config = sae.save_inference_model(folder)
    state = load_file(weights)
    save_file({k: v.to(torch.bfloat16) if v.ndim == 2 else v for k, v in state.items()}, weights)
    settings = json.loads(Path(config).read_text(encoding="utf-8"))
    settings.update(device="cpu", dtype="float32")
    Path(config).write_text(json.dumps(settings, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def measure(folder: Path, lm: LanguageModel, tokens: Tokens, layer: int) -> dict[str, float]:
    """L0, fraction of variance unexplained and dead latents of a saved SAE on tokens it has not seen.

    FVU = sum |x - x^|^2 / sum |x - mean(x)|^2 over all real, non-special tokens.
    """
    import torch
    from sae_lens import SAE

    sae = SAE.load_from_disk(str(folder), device=lm.device, dtype="float32")
    fires = torch.zeros(sae.cfg.d_sae, device=lm.device)
    error = square = 0.0
    total = torch.zeros(sae.cfg.d_in, device=lm.device, dtype=torch.float64)
    n = 0
    with torch.inference_mode():
        for x in (batch[str(layer)] for batch in _one_pass(lm, tokens, [layer], 2048)):
            latents = sae.encode(x)
            fires += (latents > 0).sum(0)
            error += float((x - sae.decode(latents)).double().square().sum())
            square += float(x.double().square().sum())
            total += x.double().sum(0)
            n += len(x)
    variance = square - float(total.square().sum()) / n
    return {
        "held_out_tokens": n,
        "l0": float(fires.sum()) / n,
        "fvu": error / variance,
        "dead": float((fires == 0).float().mean()),
    }


def _new_sae(spec: SAESpec, lm: LanguageModel):
    import torch
    from sae_lens import BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig, TopKTrainingSAE, TopKTrainingSAEConfig
    from sae_lens.saes.sae import SAEMetadata

    if spec.architecture not in ARCHITECTURES:
        raise MosaicError(f"architecture {spec.architecture!r} is not one of {', '.join(ARCHITECTURES)}.")
    block = lm.blocks[spec.layer - lm.spec.first_layer]
    hook = next(name for name, module in lm.model.named_modules() if module is block)
    shared = dict(
        d_in=lm.d_model,
        d_sae=spec.width,
        k=spec.k,
        normalize_activations="expected_average_only_in",
        device=lm.device,
        metadata=SAEMetadata(model_name=lm.spec.id, hook_name=hook, context_size=lm.spec.max_length, seed=spec.seed),
    )
    torch.manual_seed(spec.seed)
    if spec.architecture == "batchtopk":
        return BatchTopKTrainingSAE(BatchTopKTrainingSAEConfig(**shared))
    return TopKTrainingSAE(TopKTrainingSAEConfig(**shared, use_sparse_activations=False))


def _slice(tokens: Tokens, start: int, stop: int) -> Tokens:
    return Tokens(tokens.ids[start:stop], tokens.special[start:stop], tokens.truncated[start:stop])


def _activations(
    lm: LanguageModel, tokens: Tokens, layers: Sequence[int], run: TrainRun
) -> Iterator[dict[str, torch.Tensor]]:
    """An endless stream of {layer: [N, d]}; each epoch takes the texts in a new order."""
    epoch = 0
    while True:
        order = np.random.default_rng([run.seed, epoch]).permutation(len(tokens.ids))
        for start in range(0, len(order), 1024):
            chosen = order[start : start + 1024]
            part = Tokens(
                [tokens.ids[i] for i in chosen], [tokens.special[i] for i in chosen], tokens.truncated[chosen]
            )
            yield from _one_pass(lm, part, layers, run.token_budget)
        epoch += 1


def _one_pass(
    lm: LanguageModel, tokens: Tokens, layers: Sequence[int], token_budget: int
) -> Iterator[dict[str, torch.Tensor]]:
    """Real, non-special tokens of each batch: {layer: [N, d]} in float32."""
    import torch

    for batch in plan_batches(tokens.lengths, token_budget):
        ids = [tokens.ids[i] for i in batch]
        residuals = lm.residuals(ids, layers)
        width = max(map(len, ids))
        keep = torch.zeros(len(ids), width, dtype=torch.bool)
        for row, i in enumerate(batch):
            keep[row, : len(tokens.special[i])] = torch.from_numpy(~tokens.special[i])
        keep = keep.to(lm.device)
        # clone: inference-mode tensors cannot enter training.
        yield {str(layer): residuals[layer][keep].float().clone() for layer in layers}


# --- training texts ----------------------------------------------------------------------------------------------


def read_documents(paths: Sequence[Path]) -> list[str]:
    """Passages of .txt files (documents separated by a line `<|doc|>`), and the texts of labelled files."""
    from mosaic.data import read_file

    texts: list[str] = []
    for path in map(Path, paths):
        if path.suffix != ".txt":
            texts += read_file(path, label=None).texts
            continue
        if not path.is_file():
            raise MosaicError(f"{path} does not exist or is not a file.")
        try:
            documents = path.read_text(encoding="utf-8").split("<|doc|>")
        except UnicodeDecodeError as error:
            raise MosaicError(f"{path} is not UTF-8 ({error}). Save it as UTF-8.") from error
        texts += [passage for document in documents for passage in passages(document) if len(passage) > 10]
    return texts


def mirror_documents(recipe) -> list[str]:
    """The recipe's corpora and training texts from MOSAIC_DATA (`corpora/NAME.txt`, and registered sets)."""
    import os

    from mosaic import data

    mirror = os.environ.get("MOSAIC_DATA")
    if not mirror:
        raise MosaicError(
            "the profile's training texts come from MOSAIC_DATA, which is not set. Set it to a folder that holds "
            "corpora/NAME.txt and the data sets, or name your own texts: --texts FILE."
        )
    texts = read_documents([Path(mirror) / "corpora" / f"{name}.txt" for name in recipe.corpora])
    for choice in recipe.datasets:
        texts += data.load(choice.name, choice.language)[0].texts
    return texts
