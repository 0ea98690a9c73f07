"""The one-pass engine against the arithmetic's floor and two peers' recipes, in one run on one machine.

GPT-2 shape (d_model 768, 12 blocks, random weights), 3 layers x 2 widths x 2 poolings, JumpReLU SAEs with
about 64 active latents a token:

- floor: the matrix products of the encoders alone (in the engine's own chunks) plus the bare forward.
- forward: the model alone, stopped after the deepest wanted layer.
- engine: `mosaic.features.extract`, no cache.
- paper recipe: for each layer and width, a full forward (head included) over batches of 32 in data-set order, padded,
  all hidden states, then per text a dense encode of every token and dense pooling.
- SAEBench recipe: for each layer a forward stopped there, activations of all texts kept, padded in data-set order;
  then for each width a dense encode and pooling batch by batch.

Then peak memory against the width, each width in a process of its own.

    python benchmarks/extract.py [--texts 160] [--json OUT]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch

from mosaic.features.extract import extract
from mosaic.features.request import Request
from mosaic.models.batches import plan_batches
from mosaic.models.language import LanguageModel, ModelSpec, Tokens
from mosaic.saes.encoder import Encoder

LAYERS, WIDTHS, POOLINGS = (3, 6, 9), (16_384, 65_536), ("sum", "max")
MEMORY_WIDTHS = (16_384, 65_536, 262_144, 1_048_576)
D, L0 = 768, 64


class Tokenizer:
    """Random token ids for each text `"i length"`: the benchmark is about the engine, not about words."""

    def ids(self, text: str) -> np.ndarray:
        i, length = map(int, text.split())
        return np.random.default_rng(i).integers(1, 50_000, length)


class Model(LanguageModel):
    def tokenize(self, texts) -> Tokens:
        ids = [self.tokenizer.ids(text) for text in texts]
        return Tokens(ids, [np.zeros(len(i), dtype=bool) for i in ids], np.zeros(len(ids), dtype=bool))


def gpt2():
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config()).eval().requires_grad_(False)


def texts(n: int, seed: int = 0) -> list[str]:
    """Lengths like those of real sets: log-normal, median 60 tokens, at most 512."""
    lengths = np.clip(np.random.default_rng(seed).lognormal(np.log(60), 0.7, n), 4, 512).astype(int)
    return [f"{i} {length}" for i, length in enumerate(lengths)]


def encoder(layer: int, width: int, sample: torch.Tensor | None) -> Encoder:
    """Random rows; the threshold lets about L0 latents through on the sample activations."""
    generator = torch.Generator().manual_seed(width + layer)
    weights = torch.empty(width, D)
    for start in range(0, width, 65_536):
        part = weights[start : start + 65_536]
        part.copy_(torch.randn(part.shape, generator=generator) / D**0.5)
    threshold = 3.0
    if sample is not None:
        pre = (sample[:256] @ weights[:16_384].T).flatten().numpy()
        threshold = float(np.quantile(pre, 1 - L0 / width))
    full = torch.full((width,), threshold)
    return Encoder(f"random_{layer}_{width}", layer, str(width), weights, torch.zeros(width), full)


def timed(function, repeats: int = 1) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best


def batches(lm: Model, sample: list[str]) -> list[list[np.ndarray]]:
    tokens = lm.tokenize(sample)
    return [[tokens.ids[i] for i in batch] for batch in plan_batches(tokens.lengths, 2048)]


def bare_forward(lm: Model, sample: list[str]) -> None:
    for ids in batches(lm, sample):
        lm.residuals(ids, LAYERS)


def bare_products(encoders: list[Encoder], sizes: list[int]) -> None:
    """Every encoder's matrix product on as many tokens as the engine's batches have, in its chunks and blocks."""
    out = torch.empty(1024 * 2048)
    for n in sizes:
        for x in torch.tensor_split(torch.ones(n, D), max(1, -(-n // 1024))):
            for e in encoders:
                for start in range(0, e.n_latents, 2048):
                    rows = e.weights[start : start + 2048]
                    torch.addmm(e.bias[start : start + 2048], x, rows.T, out=out[: len(x) * len(rows)].view(len(x), -1))


def dense_pool(acts: torch.Tensor) -> list[torch.Tensor]:
    return [acts.sum(0), acts.amax(0)]


def padded(lm: Model, sample: list[str]):
    """Batches of 32 in data-set order, on the model's device: ids [32, T], mask [32, T]."""
    ids = lm.tokenize(sample).ids
    for start in range(0, len(ids), 32):
        part = ids[start : start + 32]
        width = max(map(len, part))
        block, mask = torch.zeros(len(part), width, dtype=torch.long), torch.zeros(len(part), width, dtype=torch.long)
        for row, tokens in enumerate(part):
            block[row, : len(tokens)], mask[row, : len(tokens)] = torch.from_numpy(tokens), 1
        yield block.to(lm.device), mask.to(lm.device)


def dense_encode(e: Encoder, x: torch.Tensor) -> torch.Tensor:
    pre = x @ e.weights.T + e.bias
    return torch.relu(pre) * (pre > e.threshold)


@torch.no_grad()
def paper_recipe(full, lm: Model, encoders: list[Encoder], sample: list[str]) -> list[torch.Tensor]:
    rows = []
    for e in encoders:
        for ids, mask in padded(lm, sample):
            hidden = full(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states[e.layer + 1]
            for row, length in zip(hidden, mask.sum(1), strict=True):
                rows += dense_pool(dense_encode(e, row)[:length])
    return rows


@torch.no_grad()
def saebench_recipe(lm: Model, encoders: list[Encoder], sample: list[str]) -> list[torch.Tensor]:
    rows = []
    for layer in LAYERS:
        kept = []
        for ids, mask in padded(lm, sample):
            captured = {}
            hook = lm.blocks[layer].register_forward_hook(lambda m, i, o, c=captured: c.update(out=o))
            stop = lm.blocks[layer + 1].register_forward_pre_hook(lambda m, i: (_ for _ in ()).throw(StopIteration))
            with contextlib.suppress(StopIteration, RuntimeError):
                lm.model(input_ids=ids, attention_mask=mask)
            hook.remove(), stop.remove()
            out = captured["out"]
            kept.append((out if isinstance(out, torch.Tensor) else out[0], mask))
        for e in (e for e in encoders if e.layer == layer):
            for hidden, mask in kept:
                acts = dense_encode(e, hidden) * mask[..., None]
                rows += [acts.sum(1), acts.amax(1)]
    return rows


def memory_of(width: int) -> dict:
    """Peak resident memory over what the weights take, of encoding 2,048 tokens at this width (own process)."""
    command = [sys.executable, __file__, "--memory-of", str(width)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def peak_resident_mb() -> float:
    """High-water mark of this process's resident memory. (ru_maxrss would start from the parent's.)"""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure_memory(width: int) -> dict:
    from mosaic.features.pooling import pool_sparse

    torch.randn(1024, 1024) @ torch.randn(1024, 1024)
    e = encoder(0, width, torch.randn(256, D))
    weights = e.weights.nbytes + 2 * e.bias.nbytes
    before = peak_resident_mb()
    codes = e.encode(torch.randn(2048, D))
    pool_sparse(codes, np.arange(0, 2049, 64), ("sum", "max", "mean", "count", "top20", "last"))
    peak = peak_resident_mb()
    over = peak - weights / 2**20
    return {
        "width": width,
        "weights_mb": weights / 2**20,
        "peak_mb": peak,
        "before_mb": before,
        "over_weights_mb": over,
    }


def run(n_texts: int) -> dict:
    full = gpt2()
    spec = ModelSpec("gpt2-shape", max_length=512)
    lm = Model(spec, full.transformer, Tokenizer(), "random", "random")
    sample = texts(n_texts)
    tokens = lm.tokenize(sample)
    n_tokens = int(tokens.lengths.sum())
    print(f"{len(sample)} texts, {n_tokens} tokens, {torch.get_num_threads()} threads", flush=True)
    calibration = lm.residuals(tokens.ids[:8], LAYERS)
    encoders = [encoder(layer, width, calibration[layer].flatten(0, 1)) for layer in LAYERS for width in WIDTHS]
    sizes = [sum(map(len, ids)) for ids in batches(lm, sample)]
    request = Request(tuple(encoders), (), POOLINGS)
    warm = sample[:16]
    bare_forward(lm, warm), bare_products(encoders, sizes[:1]), extract(warm, lm, request)
    # Alternating repeats: a slow moment of the machine falls on all three alike.
    forward = products = engine = float("inf")
    for _ in range(3):
        forward = min(forward, timed(lambda: bare_forward(lm, sample)))
        products = min(products, timed(lambda: bare_products(encoders, sizes)))
        engine = min(engine, timed(lambda: extract(sample, lm, request)))
    floor = forward + products
    print(f"matmul floor of the encoders   {products:8.2f} s")
    print(f"bare early-exit forward        {forward:8.2f} s")
    print(f"engine                         {engine:8.2f} s   {engine / floor:.2f} x floor", flush=True)
    saebench = timed(lambda: saebench_recipe(lm, encoders, sample))
    print(f"SAEBench recipe                {saebench:8.2f} s   {saebench / engine:.1f} x engine", flush=True)
    paper = timed(lambda: paper_recipe(full, lm, encoders, sample))
    print(f"paper recipe                   {paper:8.2f} s   {paper / engine:.1f} x engine", flush=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check = agreement(lm, request, encoders, sample[:8])
    print(f"largest difference to the SAEBench recipe on 8 texts: {check:.1e}")
    memory = []
    for width in MEMORY_WIDTHS:
        memory.append(memory_of(width))
        print(
            "width {width:>9,}: weights {weights_mb:7.0f} MB, peak {peak_mb:7.0f} MB, over weights {over_weights_mb:5.0f} MB".format(
                **memory[-1]
            )
        )
    return {
        "floor_ratio": engine / floor,
        "paper_ratio": paper / engine,
        "saebench_ratio": saebench / engine,
        "tokens_per_second": n_tokens / engine,
        "peak_over_weights_mb": memory[-1]["over_weights_mb"],
        "largest_difference": check,
        "timings": {
            "encoder_matmuls_s": products, "forward_s": forward, "engine_s": engine,
            "saebench_s": saebench, "paper_s": paper,
        },
        "texts": n_texts,
        "tokens": n_tokens,
        "layers": LAYERS,
        "widths": WIDTHS,
        "poolings": POOLINGS,
        "memory": memory,
        "threads": torch.get_num_threads(),
    }  # fmt: skip


def agreement(lm: Model, request: Request, encoders: list[Encoder], sample: list[str]) -> float:
    """The recipes must do the same job: their pooled rows equal the engine's."""
    tables = extract(sample, lm, request)
    reference = saebench_recipe(lm, encoders, sample)
    return max(
        float(np.abs(table.matrix.toarray() - rows.numpy()).max())
        for table, rows in zip(tables, reference, strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=160)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_of:
        print(json.dumps(measure_memory(arguments.memory_of)))
        return
    result = run(arguments.texts)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
