"""Training SAEs of the three losses side by side: the model as it is runs once for all of them, then once for each on what it wrote.

All read the same documents in the same order, which a hash over every batch says; those of one seed start alike. Saved as SAELens
saves a ReLU SAE (`cfg.json`, `sae_weights.safetensors`, `sparsity.safetensors`; matrices in bfloat16), and measured as saved.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mosaic.errors import MosaicError
from mosaic.files import explained, write_atomically
from mosaic.models.language import LanguageModel, Tokens
from mosaic.models.splicing import Original, batch_of, check_splicable, original, spliced
from mosaic.progress import Progress
from mosaic.saes.end_to_end import LOCAL, EndToEndRun, EndToEndSpec, ReluSAE, check_specs, loss
from mosaic.saes.end_to_end_measuring import measure, opened
from mosaic.saes.held_out import held_apart
from mosaic.saes.measuring import write_frequency

if TYPE_CHECKING:
    import torch

CHUNK_BATCHES = 64  # documents are sorted by length within so many batches, which saves padding
CHECKPOINT = "checkpoint.safetensors"


@dataclass
class Trainer:
    """One SAE and its Adam. batches: a hash over every batch it saw. tokens: it saw."""

    spec: EndToEndSpec
    run: EndToEndRun
    sae: ReluSAE
    adam: torch.optim.Adam = field(init=False)

    def __post_init__(self):
        import torch

        self.adam = torch.optim.Adam(self.sae.parameters.values(), lr=self.run.learning_rate)

    def step(self, number: int, lm: LanguageModel, batch, before: Original) -> None:
        """One step on one batch; number: of the step, from 0."""
        import torch

        a = before.residuals[self.spec.layer]
        codes = self.sae.encode(a)
        decoded = self.sae.decode(codes)
        after = None if self.spec.loss == LOCAL else spliced(lm, batch, before, decoded)
        self.adam.zero_grad()
        loss(self.spec, a, codes, decoded, before, after).backward()
        torch.nn.utils.clip_grad_norm_(self.sae.parameters.values(), self.run.clip)
        for group in self.adam.param_groups:
            group["lr"] = self.run.learning_rate * schedule(number, self.run)
        self.adam.step()


def train(
    lm: LanguageModel, texts: Sequence[str], specs: Sequence[EndToEndSpec], run: EndToEndRun, out: Path
) -> list[dict]:
    """Train all `specs` side by side, save each under `out/<name>`, and measure them on held-out texts.

    lm: opened with its head. Returns one row an SAE, which `out/card.json` holds too: the spec, documents, tokens, `batches` (a hash
    of them all, in order) and the figures of `measure`. A killed run leaves `out/checkpoint.safetensors`; the same call goes on from
    there and ends with the same bytes. Raises MosaicError as `check_specs` and `check_splicable` do, for fewer texts than a
    batch has, and for a checkpoint of another run.
    """
    check_specs(specs, run)
    layer, out = specs[0].layer, Path(out)
    check_splicable(lm, layer)
    held, kept = held_apart(texts, run.held_out, run.seed)
    if len(kept) < run.batch:
        raise MosaicError(
            f"{len(held) + len(kept)} texts do not fill a batch of {run.batch}. Give more texts, or a smaller batch."
        )
    read = hashlib.sha256("\0".join([*held, *kept]).encode()).hexdigest()
    identity = repr((specs, run, lm.spec, lm.weights_hash, read))
    held, kept = lm.tokenize(held), lm.tokenize(kept)
    trainers = [Trainer(spec, run, ReluSAE.new(lm.d_model, spec.width, spec.seed, lm.device)) for spec in specs]
    seen = _all_steps(lm, kept, trainers, run, out / CHECKPOINT, identity)
    rows = []
    for trainer in trainers:
        folder = out / trainer.spec.name
        with explained(folder):
            save(trainer, lm, folder)
        figures, frequency = measure(lm, held, opened(folder, lm.device), layer)
        with explained(folder):
            write_frequency(folder, frequency)
        rows.append(
            {"name": trainer.spec.name, **asdict(trainer.spec), "documents": run.steps * run.batch, **seen, **figures}
        )
    write_atomically(out / "card.json", (json.dumps(rows, indent=1) + "\n").encode())
    (out / CHECKPOINT).unlink(missing_ok=True)
    return rows


def schedule(step: int, run: EndToEndRun) -> float:
    """Share of the learning rate in a step, from 0: linear warm-up to 1, then a cosine down to `run.last`."""
    warm_up = max(1, round(run.warm_up * run.steps))
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(1, run.steps - warm_up)
    return run.last + (1 - run.last) * 0.5 * (1 + math.cos(math.pi * done))


def order_of(lengths: np.ndarray, run: EndToEndRun) -> Iterator[np.ndarray]:
    """Batches of text numbers, without end, the same in every run: each epoch takes the texts in a new order, sorts chunks of
    CHUNK_BATCHES batches by length, and shuffles the batches of a chunk; what does not fill an epoch's last batch is left out."""
    for epoch in itertools.count():
        rng = np.random.default_rng([run.seed, epoch])
        order = rng.permutation(len(lengths))
        order = order[: len(order) // run.batch * run.batch]
        for start in range(0, len(order), CHUNK_BATCHES * run.batch):
            chunk = order[start : start + CHUNK_BATCHES * run.batch]
            chunk = chunk[np.argsort(lengths[chunk], kind="stable")].reshape(-1, run.batch)
            yield from chunk[rng.permutation(len(chunk))]


def _all_steps(
    lm, kept: Tokens, trainers: Sequence[Trainer], run: EndToEndRun, checkpoint: Path, identity: str
) -> dict:
    """Every step from the checkpoint on; {tokens, batches} that were seen."""
    layer = trainers[0].spec.layer
    state = _resume(trainers, checkpoint, identity)
    batches = itertools.islice(order_of(kept.lengths, run), state["step"], run.steps)
    with Progress("training SAEs end to end", run.steps, "steps", done=state["step"]) as progress:
        for which in batches:
            batch = batch_of(lm, kept, which)
            before = original(lm, batch, layer)
            a = before.residuals[layer]
            if state["step"] == 0:
                for trainer in trainers:
                    trainer.sae.centre(a.mean(0))
            for trainer in trainers:
                trainer.step(state["step"], lm, batch, before)
            ids = hashlib.sha256(batch.arguments["input_ids"].cpu().numpy().tobytes()).hexdigest()
            state["batches"] = hashlib.sha256((state["batches"] + ids).encode()).hexdigest()
            state["step"] += 1
            state["tokens"] += len(a)
            progress.advance(1, len(a))
            if state["step"] % run.checkpoint_steps == 0 and state["step"] < run.steps:
                _keep(trainers, state, checkpoint, identity)
    _keep(trainers, state, checkpoint, identity)  # so that a run killed while measuring trains no more
    return {"tokens": state["tokens"], "batches": state["batches"][:16]}


def _keep(trainers: Sequence[Trainer], state: dict, checkpoint: Path, identity: str) -> None:
    from safetensors.torch import save as to_bytes

    tensors = {}
    for number, trainer in enumerate(trainers):
        tensors |= {f"{number}.sae.{name}": value.detach().clone() for name, value in trainer.sae.parameters.items()}
        for index, values in trainer.adam.state_dict()["state"].items():
            tensors |= {f"{number}.adam.{index}.{name}": value.clone() for name, value in values.items()}
    write_atomically(checkpoint, to_bytes(tensors, metadata={"state": json.dumps({**state, "identity": identity})}))


def _resume(trainers: Sequence[Trainer], checkpoint: Path, identity: str) -> dict:
    """The state of a checkpoint of this very run, its SAEs and optimisers restored; else that of a run's start."""
    state = {"step": 0, "tokens": 0, "batches": ""}
    if not checkpoint.is_file():
        return state
    from safetensors import safe_open

    with safe_open(checkpoint, framework="pt") as file:
        kept = json.loads(file.metadata()["state"])
        if kept.pop("identity") != identity:
            raise MosaicError(
                f"{checkpoint} holds a run of other SAEs, texts or settings. Give another folder, or remove that file."
            )
        for number, trainer in enumerate(trainers):
            for name, value in trainer.sae.parameters.items():
                value.data.copy_(file.get_tensor(f"{number}.sae.{name}"))
            whole = trainer.adam.state_dict()
            for index in range(len(trainer.sae.parameters)):
                names = ("step", "exp_avg", "exp_avg_sq")
                whole["state"][index] = {name: file.get_tensor(f"{number}.adam.{index}.{name}") for name in names}
            trainer.adam.load_state_dict(whole)
    return kept


def save(trainer: Trainer, lm: LanguageModel, folder: Path) -> None:
    """Write a trained SAE in SAELens's layout."""
    import torch
    from sae_lens import StandardSAE, StandardSAEConfig
    from sae_lens.saes.sae import SAEMetadata

    from mosaic.saes.lockstep import stored

    spec, sae = trainer.spec, trainer.sae
    block = lm.blocks[spec.layer - lm.spec.first_layer]
    hook = next(name for name, module in lm.model.base_model.named_modules() if module is block)
    metadata = SAEMetadata(
        model_name=lm.spec.id, hook_name=hook, context_size=lm.spec.max_length, seed=spec.seed, loss=spec.loss
    )
    config = StandardSAEConfig(d_in=lm.d_model, d_sae=spec.width, apply_b_dec_to_input=False, metadata=metadata)
    made = StandardSAE(config)
    with torch.no_grad():
        for name, value in {**sae.parameters, "W_dec": sae.rows}.items():
            getattr(made, name).copy_(value)
    folder.mkdir(parents=True, exist_ok=True)
    stored(*made.save_model(folder))
