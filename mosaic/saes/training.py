"""Training SAEs with SAELens on one residual stream: a whole sweep of them at once, step by step.

The language model runs once per token; SAEs of a layer see the same activations in the same order, which a hash
of every batch asserts, so SAEs that differ in their seed differ in nothing else. BatchTopK, Matryoshka and Llama
Scope's are saved as JumpReLU, all others as themselves, in SAELens's own layout (`cfg.json`, `sae_weights.safetensors`, `sparsity.safetensors`).

Shapes: N tokens, d = d_model, D = width (latents).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.files import explained
from mosaic.models.language import LanguageModel
from mosaic.saes import lockstep
from mosaic.saes.held_out import held_apart
from mosaic.saes.measuring import measure_all, write_card, write_frequency
from mosaic.saes.recipe import ARCHITECTURES, L1, LEVELS, SAESpec, TrainRun
from mosaic.saes.stream import ActivationStream


def train(lm: LanguageModel, texts: Sequence[str], specs: Sequence[SAESpec], run: TrainRun, out: Path) -> list[dict]:
    """Train all `specs` in lockstep, save each under `out/<name>`, and measure them on held-out texts.

    Returns one row an SAE: the spec, tokens, `batches` (a hash over every batch it saw, in order), and L0, fraction
    of variance unexplained and dead latents on the held-out tokens. The same rows are written to `out/card.json`.
    A killed run leaves `out/checkpoint`; the same call goes on from there and ends with the same bytes.
    Raises MosaicError for a layer the model lacks, an unknown architecture, two SAEs of one name, or fewer texts
    than one batch needs.
    """
    _check(specs, run, lm)
    layers = tuple(sorted({spec.layer for spec in specs}))
    held, kept = held_apart(texts, run.held_out, run.seed)
    stream = ActivationStream(lm, lm.tokenize(kept), layers, run.batch_size, run.seed, run.token_budget)
    if stream.counts.sum() < 2 * run.batch_size:
        raise MosaicError(
            f"{stream.counts.sum()} training tokens do not fill two batches of {run.batch_size}. "
            "Give more texts, or a smaller batch_size."
        )
    read = hashlib.sha256("\0".join([*held, *kept]).encode()).hexdigest()
    identity = repr((specs, run, lm.spec, lm.weights_hash, read))
    seen = lockstep.train_on(stream, specs, run, out, identity)
    figures = measure_all([(Path(out) / spec.name, spec.layer) for spec in specs], lm, lm.tokenize(held))
    rows = described(specs, seen, figures, out)
    write_card(rows, lm.spec.id, len(held) + len(kept), Path(out))
    lockstep.end(out)
    return rows


def described(specs: Sequence[SAESpec], seen: Mapping[str, dict], figures: Iterable[tuple], out: Path) -> list[dict]:
    """One row an SAE, as `train` returns them; writes each one's firing frequencies beside it."""
    rows = []
    for spec, (figure, frequency) in zip(specs, figures, strict=True):
        with explained(Path(out) / spec.name):
            write_frequency(Path(out) / spec.name, frequency)
        rows.append({"name": spec.name, **asdict(spec), **seen[spec.name], **figure})
    return rows


def _check(specs: Sequence[SAESpec], run: TrainRun, lm: LanguageModel) -> None:
    lm.check_layers([spec.layer for spec in specs])
    names = [spec.name for spec in specs]
    for spec in specs:
        if spec.architecture not in ARCHITECTURES:
            raise MosaicError(f"architecture {spec.architecture!r} is not one of {', '.join(ARCHITECTURES)}.")
        if names.count(spec.name) > 1:
            raise MosaicError(f"two SAEs are called {spec.name}; give them different tags.")
        if spec.architecture in L1 and spec.l1 is None:
            raise MosaicError(f"{spec.name}: a {spec.architecture} SAE has no k; give the weight of its L1 loss (l1).")
        if spec.architecture not in L1 and spec.k > spec.width:
            raise MosaicError(f"{spec.name}: {spec.k} active latents were asked for of {spec.width}. Give a smaller k.")
        if spec.architecture == "matryoshka" and spec.width < LEVELS[0]:
            raise MosaicError(
                f"{spec.name}: {spec.width} latents are no {len(LEVELS)} levels. Give {LEVELS[0]} or more."
            )
        if spec.architecture == "archetypal" and spec.frozen_decoder:
            raise MosaicError(f"{spec.name}: an archetypal decoder is learned near its centroids; it cannot be frozen.")
        if not 0 <= spec.anneal <= 1:
            raise MosaicError(
                f"{spec.name}: anneal is {spec.anneal}; a share of the steps between 0 and 1 was expected."
            )
        if (spec.tokens or run.tokens) < 2 * run.batch_size:
            raise MosaicError(
                f"{spec.name}: {spec.tokens or run.tokens} tokens are not two batches of {run.batch_size}."
            )
