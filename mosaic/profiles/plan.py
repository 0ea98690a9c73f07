"""What a profile will cost, before anything is downloaded: FLOPs, time, memory, disk.

FLOPs a token = 2 * (parameters up to the deepest layer) + 2 * d_model * width for every SAE (design notes,
section 3); time divides them by the matrix-product rate measured here and now.
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass

from mosaic.errors import MosaicError
from mosaic.profiles.profile import Profile

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
    return Estimate(
        flops_per_token=per_token,
        flops=total,
        rate=rate,
        seconds=total / (rate * EFFICIENCY),
        memory=BYTES[model.dtype] * model_numbers + encoder_bytes + OTHER_MEMORY,
        # Hubs keep large models in two bytes a parameter, Gemma Scope keeps float32 encoder and decoder.
        disk_download=(4 if shape.n_layers < 12 else 2) * model_numbers + (0 if shipped else 2 * encoder_bytes),
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
