"""A profile at its true sizes with random weights: what a run takes on this machine, measured and not estimated.

Real shapes cost what the real model costs; what their numbers say is nothing. The SAEs are random dictionaries as sparse as
Gemma Scope's canonical ones, the texts random tokens whose lengths spread as real ones do.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from mosaic.errors import MosaicError
from mosaic.features.pooling import pool_dense, pool_sparse
from mosaic.machine import free_memory, peak_memory
from mosaic.models.batches import TOKEN_BUDGET, plan_batches
from mosaic.models.blank import blank_model
from mosaic.models.language import LanguageModel, Tokens
from mosaic.models.residuals import at_real_tokens
from mosaic.profiles.plan import ACTIVE_LATENTS, estimate, width_of
from mosaic.profiles.profile import Profile
from mosaic.progress import Progress
from mosaic.saes.encoder import Encoder

SPREAD = 0.5  # standard deviation of the logarithm of a text's length, about that of the paper's sets
DENSEST = 0.1  # of an SAE so narrow that ACTIVE_LATENTS would be most of it
MODEL, SAES, POOLING = STAGES = ("model", "SAEs", "pooling")


@dataclass
class Rehearsal:
    """texts, tokens: that ran. loading: seconds until the first batch. seconds: of each stage. peak: bytes of memory."""

    texts: int = 0
    tokens: int = 0
    loading: float = 0.0
    peak: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / sum(self.seconds.values())

    @property
    def shares(self) -> dict[str, float]:
        """What part of the time each stage took."""
        return {stage: seconds / sum(self.seconds.values()) for stage, seconds in self.seconds.items()}

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] += time.perf_counter() - start


def rehearse(profile: Profile, texts: int = 100, tokens: int = 100, device: str = "cpu", seed: int = 0) -> Rehearsal:
    """Run the profile's model, SAEs and poolings over made-up texts of `tokens` tokens on average.

    Raises MosaicError, before anything is built, where the profile does not say its architecture, or the machine has not
    the memory: nothing here ever swaps.
    """
    if profile.architecture is None:
        raise MosaicError(
            f"profile {profile.name} does not say its model's architecture, so nothing of its sizes can be built. Add it: "
            "architecture: {model_type: gemma2, vocab_size: 256000, num_attention_heads: 8, ...}."
        )
    needed, free = estimate(profile, rate=1.0).memory, free_memory()
    if device == "cpu" and needed > free:
        raise MosaicError(
            f"{profile.name} needs {needed / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free here: it would swap. Take "
            "`dtype: bfloat16` under model, fewer SAEs, or another machine."
        )
    told, start = Rehearsal(), time.perf_counter()
    shape = profile.shape
    lm = blank_model(profile.architecture, shape.n_layers, shape.d_model, profile.model, device)
    made_up = random_tokens(texts, tokens, profile.model.max_length, profile.architecture.vocab_size, seed)
    encoders = random_encoders(profile, lm, made_up, seed)
    told.loading = time.perf_counter() - start
    with Progress(f"rehearsing {profile.name}", total=texts) as progress:
        for batch in plan_batches(made_up.lengths, TOKEN_BUDGET):
            _one_batch(told, lm, made_up, batch, profile, encoders)
            progress.advance(len(batch), int(made_up.lengths[batch].sum()))
    told.texts, told.tokens, told.peak = texts, int(made_up.lengths.sum()), peak_memory(device)
    return told


def _one_batch(told: Rehearsal, lm, tokens: Tokens, batch, profile: Profile, encoders: list[Encoder]) -> None:
    """What the engine does with a batch (`features.run`), each stage timed."""
    with told.timed(MODEL):
        residuals, starts = at_real_tokens(lm, tokens, batch, profile.layers)
    for encoder in encoders:
        with told.timed(SAES):
            codes = encoder.encode(residuals[encoder.layer])
        with told.timed(POOLING):
            pool_sparse(codes, starts, profile.poolings)
    with told.timed(POOLING):
        for layer in profile.layers:
            pool_dense(residuals[layer].cpu().numpy(), starts, profile.poolings)


def random_tokens(texts: int, mean: int, longest: int, vocabulary: int, seed: int) -> Tokens:
    """Texts of random tokens, the first of each special; lengths log-normal with this mean, cut at `longest`."""
    rng = np.random.default_rng(seed)
    lengths = np.exp(rng.normal(np.log(mean) - SPREAD**2 / 2, SPREAD, texts)).round().clip(2, longest).astype(int)
    ids = [rng.integers(0, vocabulary, n) for n in lengths]
    return Tokens(ids, [np.arange(n) == 0 for n in lengths], np.zeros(texts, dtype=bool))


def random_encoders(profile: Profile, lm: LanguageModel, tokens: Tokens, seed: int) -> list[Encoder]:
    """A random dictionary for each SAE of the profile, with ACTIVE_LATENTS active latents on a token of the first texts."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    seen, _ = at_real_tokens(lm, tokens, range(min(2, len(tokens.ids))), profile.layers)
    made = []
    for source in profile.saes:
        width, x = width_of(source.width), seen[source.layer][:256]
        rows = torch.randn(width, profile.shape.d_model, generator=generator).to(lm.device)
        rows /= rows.norm(dim=1, keepdim=True)
        pre = (x @ rows[:4096].T).flatten()  # the rows are alike: some tell the threshold of all
        threshold = float(np.quantile(pre.cpu().numpy(), 1 - min(ACTIVE_LATENTS / width, DENSEST)))
        zeros = torch.zeros(width, device=lm.device)
        made.append(
            Encoder(
                name=f"random {source.width} at {source.layer}",
                layer=source.layer,
                width=source.width,
                weights=rows,
                bias=zeros,
                threshold=torch.full_like(zeros, max(threshold, 0.0)),
            )
        )
    return made
