"""SAEs that learn in lockstep: one optimiser each, the same activations in the same order, a checkpoint of all.

Shapes: d = d_model.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.files import explained, read_json
from mosaic.models.language import LanguageModel
from mosaic.progress import Progress
from mosaic.saes import kinds
from mosaic.saes.kinds import Stream
from mosaic.saes.recipe import SAESpec, TrainRun


def train_on(stream: Stream, specs: Sequence[SAESpec], run: TrainRun, out: Path, identity: str) -> dict[str, dict]:
    """Train all `specs` on one stream and save each under `out/<name>`; {name: its tokens, and a hash of its batches}.

    identity: tells this run from any other. A killed run leaves `out/checkpoint`, which `end` removes; the same call goes
    on from there and ends with the same bytes.
    """
    n_steps = {spec.name: (spec.tokens or run.tokens) // run.batch_size for spec in specs}
    trainers = {spec.name: _trainer(spec, run, n_steps[spec.name], stream.lm) for spec in specs}
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
                    with kinds.stepping(trainer.sae, spec, step, n_steps[spec.name]):
                        trainer.step(batch[spec.layer])
                    trainer.n_training_steps += 1
                    hashes[spec.name] = hashlib.sha256((hashes[spec.name] + seen[spec.layer]).encode()).hexdigest()
            progress.advance(1, run.batch_size)
            if (step + 1) % run.checkpoint_steps == 0:
                with explained(checkpoint):
                    _keep(trainers, hashes, step + 1, checkpoint, identity)
    for spec in specs:
        trainer = trainers[spec.name]
        kinds.released(trainer.sae, spec)
        trainer.sae.fold_activation_norm_scaling_factor(trainer.activation_scaler.scaling_factor)
        trainer.set_final_sae_metadata()
        finished = kinds.finished(trainer.sae, spec, n_steps[spec.name], stream)
        with explained(Path(out) / spec.name):
            save(finished, Path(out) / spec.name)
    return {
        spec.name: {"tokens": n_steps[spec.name] * run.batch_size, "batches": hashes[spec.name][:16]} for spec in specs
    }


def end(out: Path) -> None:
    """What a finished run needs no more."""
    shutil.rmtree(scratch(Path(out))[0], ignore_errors=True)


def scratch(out: Path) -> tuple[Path, Path]:
    """The folders of `out` that hold a run's state, here and while it is written; removed when all is trained."""
    return out / "checkpoint", out / "checkpoint.new"


def save(sae, folder: Path) -> None:
    """Save a trained SAE for inference, matrices in bfloat16 (half the disk; biases and thresholds stay float32)."""
    folder.mkdir(parents=True, exist_ok=True)
    stored(*(getattr(sae, "save_inference_model", None) or sae.save_model)(folder))


def stored(weights: Path, config: Path) -> None:
    """SAELens's two files as they are kept here: matrices in bfloat16, no device but the CPU."""
    import torch
    from safetensors.torch import load_file, save_file

    state = load_file(weights)
    save_file({k: v.to(torch.bfloat16) if v.ndim == 2 else v for k, v in state.items()}, weights)
    settings = json.loads(Path(config).read_text(encoding="utf-8"))
    settings.update(device="cpu", dtype="float32")
    Path(config).write_text(json.dumps(settings, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _trainer(spec: SAESpec, run: TrainRun, n_steps: int, lm: LanguageModel):
    """SAELens's trainer of one SAE: optimiser, schedules, dead latents."""
    from sae_lens.config import SAETrainerConfig
    from sae_lens.training.sae_trainer import SAETrainer

    sae = kinds.new_sae(spec, lm, n_steps)
    if spec.frozen_decoder:
        sae.W_dec.requires_grad_(False)
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
    return SAETrainer(config, sae, iter(()))


def _estimate_scale(trainers: dict, specs: Sequence[SAESpec], stream: Stream) -> None:
    """x is scaled to a mean norm of sqrt(d) while training; the factor is folded into the saved weights."""
    n = max(trainer.cfg.n_batches_for_norm_estimate for trainer in trainers.values())
    first = [batch for _, batch in zip(range(n), stream.batches(), strict=False)]
    with contextlib.redirect_stderr(io.StringIO()):  # a progress bar an SAE
        for spec in specs:
            scaler = trainers[spec.name].activation_scaler
            scaler.estimate_scaling_factor(
                d_in=stream.lm.d_model,
                data_provider=iter([batch[spec.layer] for batch in first]),
                n_batches_for_norm_estimate=n,
            )
            kinds.started(trainers[spec.name].sae, spec, [scaler(batch[spec.layer]) for batch in first])


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
