"""Training the miniature's language models.

The optimiser is Muon for the blocks' matrices and AdamW for the rest; the curriculum goes from documents of one
statement to documents of three, because a composition is learned from many short examples first. A run writes a
checkpoint every two minutes and goes on from it.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from mosaic.files import write_atomically
from mosaic.miniature.lm_figures import corpus_figures
from mosaic.miniature.lms import TOKENS_A_STEP, WIDTHS, LMSize, batches, new_model, padded
from mosaic.progress import Progress
from mosaic.world.corpus import HELD_OUT_SEED, documents

CHECKPOINT_SECONDS = 120.0


def train_lm(size: LMSize, tokenizer, out: Path, device: str = "cpu", model=None, stream=None) -> dict:
    """Train from scratch (or `model` further, on `stream`) and save it under `out` in bfloat16.

    Returns the curve: step, tokens, loss, and on held-out documents loss and code accuracy.
    """
    import torch

    out = Path(out)
    model = (model or new_model(size)).to(device).train()
    forward = compiled(lambda ids, labels: model(input_ids=ids, labels=labels, use_cache=False).loss, device)
    optimisers = _optimisers(model, size.rate)
    scratch = out / "checkpoint.safetensors"
    state = _resume(scratch, model, optimisers)
    steps = size.tokens // TOKENS_A_STEP
    held = list(documents(HELD_OUT_SEED, 0, 1000))
    saved, losses = time.monotonic(), []
    with Progress(f"training {size.name}", steps, "steps", done=state["step"]) as bar:
        for chunk, index, rows in (stream or batches)(tokenizer, size):
            if (chunk, index) <= tuple(state["position"]):
                continue
            step = state["step"]
            if step >= steps:
                break
            for optimiser in optimisers:
                for group in optimiser.param_groups:
                    group["lr"] = group["base"] * _schedule(step, steps)
            ids, labels = (x.to(device) for x in padded(rows))
            with torch.autocast(device, torch.bfloat16, enabled=bf16(device)):
                loss = forward(ids, labels)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimiser in optimisers:
                optimiser.step()
                optimiser.zero_grad()
            losses.append(loss.item())
            state |= {"step": step + 1, "position": [chunk, index]}
            bar.advance(1, ids.numel())
            if (step + 1) % 250 == 0 or step + 1 == steps:
                row = {
                    "step": step + 1,
                    "loss": round(float(np.mean(losses)), 4),
                    **corpus_figures(model, tokenizer, held),
                }
                state["curve"].append(row)
                losses = []
                print(json.dumps(row), flush=True)
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                _checkpoint(scratch, model, optimisers, state)
                saved = time.monotonic()
    model.eval().to("cpu", torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)
    (out / "curve.json").write_text(json.dumps({**asdict(size), "curve": state["curve"]}, indent=1) + "\n")
    scratch.unlink(missing_ok=True)
    return state


def _schedule(step: int, steps: int) -> float:
    """Warm-up over 100 steps, then flat, then linear to zero over the last 40 %."""
    return min(1.0, (step + 1) / 100, (steps - step) / (0.4 * steps))


def _optimisers(model, rate: float) -> list:
    import torch

    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    rest = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    muon = torch.optim.Muon(matrices, lr=rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
    adam = torch.optim.AdamW(rest, lr=rate / 2, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    for optimiser in (muon, adam):
        for group in optimiser.param_groups:
            group["base"] = group["lr"]
    return [muon, adam]


def _checkpoint(path: Path, model, optimisers, state: dict) -> None:
    from safetensors.torch import save

    tensors = {f"model.{name}": p.detach().clone() for name, p in model.named_parameters()}
    for number, optimiser in enumerate(optimisers):
        for index, values in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{number}.{index}.{key}": value.clone() for key, value in values.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, save(tensors, metadata={"state": json.dumps(state)}))


def _resume(path: Path, model, optimisers) -> dict:
    state = {"step": 0, "position": [-1, -1], "curve": []}
    if not path.is_file():
        return state
    import torch
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file, torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(file.get_tensor(f"model.{name}"))
        for number, optimiser in enumerate(optimisers):
            full = optimiser.state_dict()
            for key in list(file.keys()):
                if key.startswith(f"optimiser.{number}."):
                    _, _, index, name = key.split(".")
                    full["state"].setdefault(int(index), {})[name] = file.get_tensor(key)
            optimiser.load_state_dict(full)
        return json.loads(file.metadata()["state"])


def bf16(device: str) -> bool:
    import torch

    return device != "cpu" or torch.backends.cpu.get_cpu_capability() in ("AVX512", "AMX")


def compiled(function, device: str):
    """The function, compiled where a compiler is at hand: training is twice as fast with it on a CPU."""
    import shutil

    import torch

    if device == "cpu" and not shutil.which("g++"):
        return function
    torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, 2 * len(WIDTHS))
    return torch.compile(function, dynamic=False)
