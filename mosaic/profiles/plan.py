"""What a profile will cost, before anything is downloaded: FLOPs, time, memory, disk.

FLOPs a token = 2 * (parameters up to the deepest layer) + 2 * d_model * width for every SAE (design notes,
section 3); time divides them by the matrix-product rate measured here and now.
"""

from __future__ import annotations

import heapq
import json
import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.profiles.profile import HOME, Profile

ACTIVE_LATENTS = 100  # a token, typical of Gemma Scope's canonical SAEs (l0 68 to 122)
OTHER_MEMORY = 600 * 2**20  # Python, torch, buffers of one batch
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}  # a number
EFFICIENCY = 0.7  # of the measured rate: attention, norms and pooling are not matrix products


@dataclass(frozen=True)
class Estimate:
    """flops: of the whole run. rate: FLOP/s measured. memory, disk_download, disk_features: bytes."""

    flops_per_token: float
    flops: float
    rate: float
    seconds: float
    memory: float
    disk_download: float
    disk_features: float


def estimate(profile: Profile, texts: int = 1000, tokens: int = 100, rate: float | None = None) -> Estimate:
    """texts: number of texts; tokens: mean tokens a text; rate: FLOP/s, measured when None."""
    shape, model = profile.shape, profile.model
    if not profile.saes:
        raise MosaicError(
            f"profile {profile.name} names no SAEs, so there is nothing to estimate. Add some under saes."
        )
    depth = max(profile.layers) - model.first_layer + 1
    widths = [width_of(source.width) for source in profile.saes]
    rate = rate or matmul_rate()
    per_token = 2 * shape.parameters * depth + sum(2 * shape.d_model * width for width in widths)
    total = per_token * texts * tokens
    model_numbers = shape.parameters * shape.n_layers + shape.embedding
    encoder_bytes = sum(4 * shape.d_model * width for width in widths)
    entries = sum(min(width, ACTIVE_LATENTS * tokens) for width in widths) * len(profile.poolings)
    hidden = len(profile.layers) * shape.d_model * len(profile.poolings)
    shipped = all(source.path for source in profile.saes)
    images = profile.vision.parameters if profile.vision else 0
    seeing = (
        BYTES[profile.vision.model.dtype] * images if profile.vision else 0
    )  # the two are opened one after the other
    return Estimate(
        flops_per_token=per_token,
        flops=total,
        rate=rate,
        seconds=total / (rate * EFFICIENCY),
        memory=max(BYTES[model.dtype] * model_numbers, seeing) + encoder_bytes + OTHER_MEMORY,
        # Hubs keep large models in two bytes a parameter, Gemma Scope keeps float32 encoder and decoder.
        disk_download=(4 if shape.n_layers < 12 else 2) * (model_numbers + images)
        + (0 if shipped else 2 * encoder_bytes),
        disk_features=8 * texts * (entries + hidden),
    )


def width_of(name: str) -> int:
    """ "16k" -> 16,384; "65k" -> 65,536; "1m" -> 1,048,576: Gemma Scope's names round powers of two down.

    Raises MosaicError for a name that is no number of latents.
    """
    if not re.fullmatch("[1-9][0-9]{0,8}[km]?", name):
        raise MosaicError(f"the width {name!r} is not a number of latents; write it as 512, 16k or 1m.")
    if name.isdigit():
        return int(name)
    return 2 ** round(math.log2(int(name[:-1]) * {"k": 1e3, "m": 1e6}[name[-1]]))


def matmul_rate(seconds: float = 0.5) -> float:
    """float32 FLOP/s of a matrix product of the engine's shape on this machine."""
    import torch

    x, w = torch.randn(1024, 1024), torch.randn(2048, 1024)
    best, start = float("inf"), time.perf_counter()
    while time.perf_counter() - start < seconds:
        before = time.perf_counter()
        x @ w.T
        best = min(best, time.perf_counter() - before)
    return 2 * 1024 * 1024 * 2048 / best


@dataclass(frozen=True)
class Sweep:
    """Features of a profile's sets. sets: jobs that read all widths; languages: jobs of one width. hours: {machines: until all is
    done}. disk_download, disk_features: bytes."""

    profile: str
    sets: int
    languages: int
    flops: float
    hours: dict[int, float]
    disk_download: float
    disk_features: float


def sweep(
    profile: Profile, texts: int, tokens: int, rate: float, machines: Sequence[int], efficiency: float = EFFICIENCY
) -> Sweep:
    """What features of all of a profile's sets cost, as `workflow/Snakefile` spreads them over machines.

    A set in one language is a job; those that the chapter on languages alone reads take the SAEs of the main width.
    texts: of a set in one language. rate: FLOP/s of one machine; efficiency: of it, 1 where it was measured of the engine
    itself. Probes and the book are not in it.
    """
    own = {(choice.name, choice.language) for choice in profile.datasets}
    crossed = {(choice.name, language) for choice in profile.crossed for language in choice.languages}
    crossed |= {(name, language) for choice in profile.crossed for language, name in choice.translated.items()}
    crossed = {(name, language) for name, language in crossed - own if not (language == HOME and (name, None) in own)}
    n_wide, n_narrow = len(own), len(crossed)
    wide = estimate(profile, texts, tokens, rate)
    of_main_width = replace(profile, saes=tuple(sae for sae in profile.saes if sae.width == profile.width))
    narrow = estimate(of_main_width, texts, tokens, rate)
    jobs = [wide.flops] * n_wide + [narrow.flops] * n_narrow
    return Sweep(
        profile.name,
        n_wide,
        n_narrow,
        sum(jobs),
        {n: longest(jobs, n) / (rate * efficiency * 3600) for n in machines},
        wide.disk_download,
        wide.disk_features * n_wide + narrow.disk_features * n_narrow,
    )


def longest(jobs: Sequence[float], machines: int) -> float:
    """When the last of the machines is done that each take the next job, longest first, as soon as they are free."""
    free = [0.0] * machines
    for job in sorted(jobs, reverse=True):
        heapq.heapreplace(free, free[0] + job)
    return max(free)


def measured_rate(path: Path) -> tuple[str, float]:
    """(device, FLOP/s of the engine) from what `benchmarks/gpu.py --json` wrote. Raises MosaicError for another file, or one
    that was made without a graphics card."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        device, rate, measured = str(told["device"]), float(told["sweep"]["flop_per_second"]), told["speed_measured"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MosaicError(
            f"{path} is not what `python benchmarks/gpu.py --json` writes ({error!r}). Run that first."
        ) from error
    if not measured or not 0 < rate < math.inf:
        raise MosaicError(
            f"{path} was made without a graphics card, so its rate says nothing. Run benchmarks/gpu.py on one."
        )
    return device, rate
