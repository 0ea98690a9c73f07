"""Training SAEs with SAELens on one residual stream: a whole sweep of them at once, step by step.

The language model runs once per token; SAEs of a layer see the same activations in the same order, which a hash
of every batch asserts, so SAEs that differ in their seed differ in nothing else. BatchTopK is saved as JumpReLU,
all others as themselves, in SAELens's own layout (`cfg.json`, `sae_weights.safetensors`, `sparsity.safetensors`).

Shapes: N tokens, d = d_model, D = width (latents).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError
from mosaic.files import explained, read_json
from mosaic.models.batches import TOKEN_BUDGET
from mosaic.models.language import LanguageModel
from mosaic.progress import Progress
from mosaic.saes.measuring import measure_all, write_card, write_frequency
from mosaic.saes.stream import ActivationStream

ARCHITECTURES = ("batchtopk", "topk", "standard", "gated", "jumprelu")
L1 = ("standard", "gated")


@dataclass(frozen=True)
class SAESpec:
    """One SAE to train: f = act(W_enc (x - b_dec) + b_enc), x^ = W_dec f + b_dec.

    layer: layer number, counted as the model's profile counts. width: number of latents D. k: mean active
    latents a token (L0): exact for topk, on average for batchtopk, the target for jumprelu. l1: the weight of
    sum_j f_j |W_dec_j| in the loss of standard (ReLU) and gated SAEs, which have no k. seed: of the
    initialisation only. tokens: trained on (None: the run's). tag: tells apart SAEs that layer, width and seed do not.
    """

    layer: int
    width: int
    k: int = 64
    seed: int = 0
    architecture: str = "topk"
    l1: float | None = None
    tokens: int | None = None
    tag: str = ""

    @property
    def name(self) -> str:
        tag = f"_{self.tag}" if self.tag else ""
        return f"layer_{self.layer}_width_{width_name(self.width)}{tag}_seed_{self.seed}"


@dataclass(frozen=True)
class TrainRun:
    """How long and how fast: tokens seen (epochs repeat the texts in a new order), activations a step, Adam's rate.

    seed: of the texts' order. checkpoint_steps: a killed run loses at most so many steps.
    """

    tokens: int = 3_000_000
    batch_size: int = 1024
    learning_rate: float = 2e-3
    token_budget: int = TOKEN_BUDGET
    held_out: float = 0.02
    seed: int = 0
    checkpoint_steps: int = 500


def width_name(width: int) -> str:
    """2,048 -> "2k", 65,536 -> "65k", 1,048,576 -> "1m", as Gemma Scope names its widths."""
    if width >= 1000 and width & (width - 1) == 0:
        return f"{width // 1_000_000}m" if width >= 1_000_000 else f"{width // 1000}k"
    return str(width)


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
    texts = list(dict.fromkeys(text for text in texts if text.strip()))
    order = np.random.default_rng(run.seed).permutation(len(texts))
    n_held = max(1, round(run.held_out * len(texts)))
    tokens = lm.tokenize([texts[i] for i in order])
    held, kept = tokens.take(range(n_held)), tokens.take(range(n_held, len(texts)))
    stream = ActivationStream(lm, kept, layers, run.batch_size, run.seed, run.token_budget)
    if stream.counts.sum() < 2 * run.batch_size:
        raise MosaicError(
            f"{stream.counts.sum()} training tokens do not fill two batches of {run.batch_size}. "
            "Give more texts, or a smaller batch_size."
        )
    n_steps = {spec.name: (spec.tokens or run.tokens) // run.batch_size for spec in specs}
    trainers = {spec.name: _trainer(spec, run, n_steps[spec.name], lm) for spec in specs}
    identity = repr((specs, run, lm.spec, lm.weights_hash, hashlib.sha256("\0".join(texts).encode()).hexdigest()))
    checkpoint, _ = scratch(Path(out))
    start, hashes = _resume(trainers, checkpoint, identity)
    if start == 0:
        hashes = {spec.name: "" for spec in specs}
        _estimate_scale(trainers, specs, stream)
    with Progress("training SAEs", max(n_steps.values()), "steps", done=start) as progress:
        batches = stream.batches(start)
        for step in range(start, max(n_steps.values())):
            batch = next(batches)
            seen = {layer: hashlib.sha256(x.cpu().numpy().tobytes()).hexdigest() for layer, x in batch.items()}
            for spec in specs:
                if step < n_steps[spec.name]:
                    trainer = trainers[spec.name]
                    trainer.maybe_reset_sparsity()
                    trainer.step(batch[spec.layer])
                    trainer.n_training_steps += 1
                    hashes[spec.name] = hashlib.sha256((hashes[spec.name] + seen[spec.layer]).encode()).hexdigest()
            progress.advance(1, run.batch_size)
            if (step + 1) % run.checkpoint_steps == 0:
                with explained(checkpoint):
                    _keep(trainers, hashes, step + 1, checkpoint, identity)
    for spec in specs:
        trainer = trainers[spec.name]
        trainer.sae.fold_activation_norm_scaling_factor(trainer.activation_scaler.scaling_factor)
        trainer.set_final_sae_metadata()
        with explained(Path(out) / spec.name):
            save(trainer.sae, Path(out) / spec.name)
    figures = measure_all([(Path(out) / spec.name, spec.layer) for spec in specs], lm, held)
    rows = []
    for spec, (figure, frequency) in zip(specs, figures, strict=True):
        with explained(Path(out) / spec.name):
            write_frequency(Path(out) / spec.name, frequency)
        seen = {"tokens": n_steps[spec.name] * run.batch_size, "batches": hashes[spec.name][:16]}
        rows.append({"name": spec.name, **asdict(spec), **seen, **figure})
    write_card(rows, lm.spec.id, len(texts), Path(out))
    shutil.rmtree(checkpoint, ignore_errors=True)
    return rows


def scratch(out: Path) -> tuple[Path, Path]:
    """The folders of `out` that hold a run's state, here and while it is written; removed when all is trained."""
    return out / "checkpoint", out / "checkpoint.new"


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
        if (spec.tokens or run.tokens) < 2 * run.batch_size:
            raise MosaicError(
                f"{spec.name}: {spec.tokens or run.tokens} tokens are not two batches of {run.batch_size}."
            )


def _trainer(spec: SAESpec, run: TrainRun, n_steps: int, lm: LanguageModel):
    """SAELens's trainer of one SAE: optimiser, schedules, dead latents."""
    from sae_lens.config import SAETrainerConfig
    from sae_lens.training.sae_trainer import SAETrainer

    config = SAETrainerConfig(
        total_training_samples=n_steps * run.batch_size,
        train_batch_size_samples=run.batch_size,
        lr=run.learning_rate,
        lr_end=run.learning_rate / 10,
        lr_warm_up_steps=min(500, n_steps // 10),
        lr_decay_steps=n_steps // 4,
        device=lm.device,
        dead_feature_window=min(200, max(1, n_steps // 10)),
        n_batches_for_norm_estimate=min(20, max(1, n_steps // 4)),
        n_checkpoints=0,
        save_final_checkpoint=False,
    )
    return SAETrainer(config, new_sae(spec, lm, n_steps), iter(()))


def new_sae(spec: SAESpec, lm: LanguageModel, n_steps: int = 1):
    """An untrained SAE, as its training starts from."""
    import sae_lens
    import torch
    from sae_lens.saes.sae import SAEMetadata

    block = lm.blocks[spec.layer - lm.spec.first_layer]
    hook = next(name for name, module in lm.model.named_modules() if module is block)
    shared = dict(
        d_in=lm.d_model,
        d_sae=spec.width,
        normalize_activations="expected_average_only_in",
        device=lm.device,
        metadata=SAEMetadata(model_name=lm.spec.id, hook_name=hook, context_size=lm.spec.max_length, seed=spec.seed),
    )
    warm_up = n_steps // 10
    own = {
        "topk": lambda: {"k": spec.k, "use_sparse_activations": False},
        "batchtopk": lambda: {"k": spec.k},
        "standard": lambda: {"l1_coefficient": spec.l1, "l1_warm_up_steps": warm_up},
        "gated": lambda: {"l1_coefficient": spec.l1, "l1_warm_up_steps": warm_up},
        # GemmaScope 2's loss, (L0 / target - 1)^2, reaches a wanted L0 without a search for its weight.
        "jumprelu": lambda: {
            "jumprelu_sparsity_loss_mode": "quadratic",
            "target_l0": spec.k,
            "l0_warm_up_steps": warm_up,
        },
    }[spec.architecture]()
    name = {"topk": "TopK", "batchtopk": "BatchTopK", "standard": "Standard", "gated": "Gated", "jumprelu": "JumpReLU"}
    kind = f"{name[spec.architecture]}TrainingSAE"
    torch.manual_seed(spec.seed)
    return getattr(sae_lens, kind)(getattr(sae_lens, f"{kind}Config")(**shared, **own))


def _estimate_scale(trainers: dict, specs: Sequence[SAESpec], stream: ActivationStream) -> None:
    """x is scaled to a mean norm of sqrt(d) while training; the factor is folded into the saved weights."""
    n = max(trainer.cfg.n_batches_for_norm_estimate for trainer in trainers.values())
    first = [batch for _, batch in zip(range(n), stream.batches(), strict=False)]
    with contextlib.redirect_stderr(io.StringIO()):  # a progress bar an SAE
        for spec in specs:
            trainers[spec.name].activation_scaler.estimate_scaling_factor(
                d_in=stream.lm.d_model,
                data_provider=iter([batch[spec.layer] for batch in first]),
                n_batches_for_norm_estimate=n,
            )


def _keep(trainers: dict, hashes: dict[str, str], step: int, checkpoint: Path, identity: str) -> None:
    """Write the whole state beside the last one, then put it in its place."""
    _, fresh = scratch(checkpoint.parent)
    shutil.rmtree(fresh, ignore_errors=True)
    for name, trainer in trainers.items():
        trainer.save_checkpoint(name, base_path=fresh)
    (fresh / "state.json").write_text(json.dumps({"identity": identity, "step": step, "hashes": hashes}))
    shutil.rmtree(checkpoint, ignore_errors=True)
    fresh.rename(checkpoint)


def _resume(trainers: dict, checkpoint: Path, identity: str) -> tuple[int, dict[str, str]]:
    """(steps done, hashes so far): of a checkpoint of this very run, else (0, {})."""
    _, fresh = scratch(checkpoint.parent)
    if not checkpoint.exists() and (fresh / "state.json").exists():  # killed between removing and renaming
        fresh.rename(checkpoint)
    if not (checkpoint / "state.json").is_file():
        return 0, {}
    state = read_json(checkpoint / "state.json")
    if state["identity"] != identity:
        raise MosaicError(
            f"{checkpoint} holds a run of other SAEs, texts or settings. Give another --out, or remove that folder."
        )
    for name, trainer in trainers.items():
        trainer.load_trainer_state(checkpoint / name)
        trainer.sae.load_weights_from_checkpoint(checkpoint / name)
    return state["step"], state["hashes"]
