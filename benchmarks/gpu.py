"""The one-pass engine on a graphics card, against the card's own peak and two peers' recipes, in one run.

gemma-2-2b's shapes (random weights, bfloat16), layers 5, 12, 19, widths 16k and 65k, three poolings; then one SAE of
1M latents. Texts of real lengths (log-normal, median 60 tokens).

- peak: the best matrix product of the model's number format, measured here.
- forward: the model alone, stopped after the deepest wanted layer, in the engine's batches.
- floor: forward, and the encoders' products alone.
- engine: `mosaic.features.extract`, no cache.
- paper, SAEBench: the two recipes of `benchmarks/extract.py`.

Without a card it runs the same code on the processor (`--device cpu --shape small`) and says that speed was not measured.

    python benchmarks/gpu.py --json gpu.json
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
import extract as recipes

from mosaic.features.extract import extract
from mosaic.features.request import Request
from mosaic.machine import device_named, peak_memory
from mosaic.models.language import LanguageModel, ModelSpec
from mosaic.saes.active import find_active, flips
from mosaic.saes.encoder import Encoder

POOLINGS = ("sum", "max", "mean")
L0 = 100


@dataclass(frozen=True)
class Shape:
    """Sizes of the model; layers whose residual stream is read, widths of the SAEs there, and the widest one."""

    blocks: int
    d_model: int
    intermediate: int
    heads: int
    key_value_heads: int
    head_dim: int
    vocabulary: int
    layers: tuple[int, ...]
    widths: tuple[int, ...]
    widest: int


SHAPES = {
    "gemma-2-2b": Shape(26, 2304, 9216, 8, 4, 256, 256_000, (5, 12, 19), (16_384, 65_536), 1_048_576),
    "small": Shape(4, 128, 512, 4, 2, 32, 1_000, (0, 1, 2), (1_024, 4_096), 16_384),
}


class Model(recipes.Model):
    """Counts as one on a card wherever it runs, so that the card's code is what runs."""

    on_card = True


def model_of(shape: Shape, device: str):
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(0)
    config = Gemma2Config(
        vocab_size=shape.vocabulary, hidden_size=shape.d_model, intermediate_size=shape.intermediate,
        num_hidden_layers=shape.blocks, num_attention_heads=shape.heads, num_key_value_heads=shape.key_value_heads,
        head_dim=shape.head_dim, dtype="bfloat16",
    )  # fmt: skip
    with torch.device(device):
        full = Gemma2ForCausalLM(config).to(torch.bfloat16).eval().requires_grad_(False)
    spec = ModelSpec(f"random gemma2, {shape.blocks} blocks", max_length=512, dtype="bfloat16")
    return full, Model(spec, full.model, Tokenizer(shape.vocabulary), "random", "random", device)


@dataclass(frozen=True)
class Tokenizer:
    """Random token ids for each text `"i length"`."""

    vocabulary: int

    def ids(self, text: str):
        import numpy as np

        i, length = map(int, text.split())
        return np.random.default_rng(i).integers(1, self.vocabulary, length)


def encoder_of(layer: int, width: int, sample: torch.Tensor) -> Encoder:
    """Random rows; the threshold lets about L0 latents through on the sample activations [N, d]."""
    torch.manual_seed(width + layer)
    d, device = sample.shape[1], sample.device
    weights = torch.randn(width, d, device=device) / d**0.5
    pre = (sample[:256].float() @ weights[:16_384].T).flatten()
    threshold = pre.kthvalue(int(len(pre) * (1 - L0 / width))).values
    return Encoder(
        f"random_{layer}_{width}", layer, str(width), weights, torch.zeros(width, device=device), threshold.expand(width)
    )


def timed(function, device: str, repeats: int = 3) -> float:
    """Seconds of the best of some runs, the card's work ended."""
    best = float("inf")
    for _ in range(repeats):
        _wait(device)
        start = time.perf_counter()
        function()
        _wait(device)
        best = min(best, time.perf_counter() - start)
    return best


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def peak_flops(device: str) -> float:
    """FLOP a second of the best of some square products of bfloat16 numbers."""
    rates = []
    for n in (4096, 8192) if device.startswith("cuda") else (512,):
        a, b = (torch.randn(n, n, device=device, dtype=torch.bfloat16) for _ in range(2))
        torch.mm(a, b)
        rates.append(2 * n**3 / timed(lambda a=a, b=b: torch.mm(a, b), device, 10))
    return max(rates)


def products(encoders: list[Encoder], sizes: list[int], device: str) -> None:
    """Every encoder's matrix product alone, on as many tokens as the engine's batches have."""
    for n in sizes:
        x = torch.ones(n, encoders[0].d_in, device=device, dtype=torch.bfloat16)
        for e in encoders:
            chunk = max(1, 2**27 // n)
            for start in range(0, e.n_latents, chunk):
                torch.mm(x, e.weights[start : start + chunk].to(torch.bfloat16).T)


def _halved(e: Encoder) -> Encoder:
    """The encoder in bfloat16 throughout, so that the peers' products are as fast as ours."""
    return replace(e, **{name: getattr(e, name).to(torch.bfloat16) for name in ("weights", "bias", "threshold")})


def flop(lm: LanguageModel, encoders: list[Encoder], n_tokens: int) -> float:
    """Twice the numbers multiplied: blocks up to the deepest layer read, and the encoders."""
    deepest = max(e.layer for e in encoders) + 1
    blocks = sum(p.numel() for block in lm.blocks[:deepest] for p in block.parameters() if p.ndim == 2)
    return 2.0 * n_tokens * (blocks + sum(e.weights.numel() for e in encoders))


def measure(full, lm: Model, encoders: list[Encoder], sample: list[str], peers: bool) -> dict:
    """Engine, floor and, where asked for, the peers, over the same texts."""
    device = lm.device
    request = Request(tuple(encoders), (), POOLINGS, products="bfloat16").settled(lm)
    tokens = lm.tokenize(sample)
    n_tokens = int(tokens.lengths.sum())
    layers = tuple(sorted({e.layer for e in encoders}))
    batches = [
        [tokens.ids[i] for i in batch] for batch in recipes.plan_batches(tokens.lengths, request.token_budget)
    ]
    sizes = [sum(map(len, ids)) for ids in batches]

    def forward() -> None:
        for ids in batches:
            lm.residuals(ids, layers)

    extract(sample, lm, request), forward(), products(encoders, sizes, device)  # kernels are chosen, memory is had
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)
    engine = timed(lambda: extract(sample, lm, request), device)
    peak_gb = peak_memory(device) / 1e9
    floor = timed(forward, device) + timed(lambda: products(encoders, sizes, device), device)
    told = {
        "texts": len(sample),
        "tokens": n_tokens,
        "token_budget": request.token_budget,
        "engine_s": engine,
        "floor_s": floor,
        "floor_ratio": engine / floor,
        "tokens_per_second": n_tokens / engine,
        "flop_per_second": flop(lm, encoders, n_tokens) / engine,
        "peak_gb": peak_gb,
    }
    if peers:
        few = sample[: max(64, len(sample) // 20)]  # the recipes are slow: a part, by its own engine time
        alone = timed(lambda: extract(few, lm, request), device)
        recipes.LAYERS = layers
        theirs = [_halved(e) for e in encoders]
        told["paper_ratio"] = timed(lambda: recipes.paper_recipe(full, lm, theirs, few), device, 1) / alone
        told["saebench_ratio"] = timed(lambda: recipes.saebench_recipe(lm, theirs, few), device, 1) / alone
        told["peers_texts"] = len(few)
    return told


def run(device: str, shape: Shape, n_texts: int) -> dict:
    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else platform.processor() or device
    peak = peak_flops(device)
    print(f"{name}: {peak / 1e12:.2f} TFLOP/s of bfloat16 products", flush=True)
    full, lm = model_of(shape, device)
    sample = recipes.texts(n_texts)
    calibration = lm.residuals(lm.tokenize(sample[:8]).ids, shape.layers)
    rows = {layer: x.flatten(0, 1) for layer, x in calibration.items()}
    told: dict = {"device": name, "speed_measured": device.startswith("cuda"), "peak_flop_per_second": peak}
    cases = {
        "sweep": [(layer, width) for layer in shape.layers for width in shape.widths],
        "widest": [(shape.layers[1], shape.widest)],
    }
    for case, wanted in cases.items():
        encoders = [encoder_of(layer, width, rows[layer]) for layer, width in wanted]
        found = measure(full, lm, encoders, sample if case == "sweep" else sample[: n_texts // 4], case == "sweep")
        found["flop_utilisation"] = found["flop_per_second"] / peak
        found["flips"] = {e.name: flips(e, rows[e.layer][:512].float()) for e in encoders}
        found["l0"] = {e.name: len(find_active(e, rows[e.layer][:512].float()).values) / 512 for e in encoders}
        told[case] = found
        print(
            f"{case}: {found['tokens_per_second']:,.0f} tokens/s, {found['flop_utilisation']:.0%} of the peak, "
            f"{found['floor_ratio']:.2f} x floor, {found['peak_gb']:.1f} GB, at most {max(found['flips'].values()):.2%} flipped"
            + (f", paper {found['paper_ratio']:.1f} x, SAEBench {found['saebench_ratio']:.1f} x" if "paper_ratio" in found else ""),
            flush=True,
        )  # fmt: skip
        del encoders
    if not told["speed_measured"]:
        print("There is no CUDA card here: the code ran, its speed on one is unmeasured.")
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto", help="cuda, cuda:0, cpu, or auto")
    parser.add_argument("--shape", choices=sorted(SHAPES), default="gemma-2-2b")
    parser.add_argument("--texts", type=int, default=8_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    device = device_named(arguments.device)
    if device == "cpu" and arguments.shape != "small":
        parser.error("there is no CUDA card; --device cpu --shape small --texts 200 runs the same code without one")
    told = run(device, SHAPES[arguments.shape], arguments.texts)
    if arguments.json:
        arguments.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
