"""Training the miniature's language models: Gemma 2's architecture, a corpus of known entropy.

The optimiser is Muon for the blocks' matrices and AdamW for the rest; the curriculum goes from documents of one
statement to documents of three, because a composition is learned from many short examples first. A run writes a
checkpoint every two minutes and goes on from it. Shapes: B documents, T tokens of a batch, V vocabulary.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mosaic.files import write_atomically
from mosaic.miniature.tokenizer import BOS, EOS, PAD, VOCABULARY, encode
from mosaic.progress import Progress
from mosaic.world.corpus import HELD_OUT_SEED, Document, documents
from mosaic.world.writing import MOOD_CODES, STANCE_CODES

WIDTHS = (16, 32, 48, 72, 96)  # a batch's documents are padded to one of these, so that few shapes are compiled
TOKENS_A_STEP = 4096
CHECKPOINT_SECONDS = 120.0
CHUNK = 20_000  # documents generated at a time
FIRST_CODES = {
    "message": {"toxicity": ("▁hide", "▁keep"), "mood": tuple(f"▁{code}" for code in MOOD_CODES.values())},
    "request": {"decision": ("▁alert", "▁refuse", "▁help", "▁note")},
    "stance": {"stance": tuple(f"▁{code}" for code in STANCE_CODES.values())},
}


@dataclass(frozen=True)
class LMSize:
    """A language model to train. short: share of the tokens spent on one-statement documents (curriculum)."""

    name: str
    d_model: int
    layers: int
    heads: int
    mlp: int
    tokens: int
    rate: float
    short: float = 0.25
    seed: int = 0


SIZES = {
    "mini-small": LMSize("mini-small", 128, 6, 4, 384, tokens=9_000_000, rate=6e-3),
    "mini-large": LMSize("mini-large", 192, 9, 6, 384, tokens=8_000_000, rate=5e-3, seed=1),
}


def new_model(size: LMSize):
    """An untrained Gemma2ForCausalLM of this size, in float32."""
    import torch
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(size.seed)
    config = Gemma2Config(
        vocab_size=VOCABULARY,
        hidden_size=size.d_model,
        intermediate_size=size.mlp,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=2,
        head_dim=32,
        query_pre_attn_scalar=32,
        max_position_embeddings=256,
        sliding_window=128,
        pad_token_id=PAD,
        eos_token_id=EOS,
        bos_token_id=BOS,
        attn_implementation="eager",
    )
    return Gemma2ForCausalLM(config)


# --- batches -----------------------------------------------------------------------------------------------------


def batches(tokenizer, size: LMSize) -> Iterator[tuple[int, bool, list[list[int]]]]:
    """An endless, reproducible stream of (chunk, last batch of the chunk?, rows); rows fit one width of WIDTHS."""
    chunk, seen = 0, 0
    while True:
        short = seen < size.short * size.tokens
        start = chunk * CHUNK
        rows = encode(tokenizer, [d.text for d in documents(size.seed, start, start + CHUNK, short)])
        seen += sum(map(len, rows))
        yield from (
            (chunk, i, batch) for i, batch in enumerate(bucketed(rows, np.random.default_rng([size.seed, chunk])))
        )
        chunk += 1


def bucketed(rows: list[list[int]], rng: np.random.Generator) -> list[list[list[int]]]:
    order = rng.permutation(len(rows))
    out = []
    for low, high in zip((0, *WIDTHS), WIDTHS, strict=False):
        fits = [rows[i] for i in order if low < len(rows[i]) <= high]
        n = TOKENS_A_STEP // high
        out += [fits[i : i + n] for i in range(0, len(fits) - n + 1, n)]
    return [out[i] for i in rng.permutation(len(out))]


def padded(rows: list[list[int]]):
    """(ids, labels) [B, T], padded on the right to a width of WIDTHS; labels of padding are -100."""
    import torch

    longest = max(map(len, rows))
    width = next((w for w in WIDTHS if w >= longest), longest)
    ids = torch.full((len(rows), width), PAD)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
    return ids, ids.masked_fill(ids == PAD, -100)


# --- training ----------------------------------------------------------------------------------------------------


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


# --- measuring ---------------------------------------------------------------------------------------------------


def corpus_figures(model, tokenizer, held: list[Document]) -> dict[str, float]:
    """On held-out documents: loss and entropy in nats a token, and how often the first codes of a log are right.

    The entropy is the mean of -log p over the generator's own choices, divided by the same number of tokens.
    A code's accuracy is that of the most probable code of its family, where the log's first code stands.
    """
    import torch

    device = next(model.parameters()).device
    rows = encode(tokenizer, [d.text for d in held])
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    total, n = 0.0, 0
    hits: dict[str, list[bool]] = {}
    codes = {
        name: tokenizer.convert_tokens_to_ids(list(some))
        for kind in FIRST_CODES.values()
        for name, some in kind.items()
    }
    was = model.training
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(order), 100):
            part = order[start : start + 100]
            ids, labels = (x.to(device) for x in padded([rows[i] for i in part]))
            logits = model(input_ids=ids, use_cache=False).logits.float()
            losses = torch.nn.functional.cross_entropy(logits[:, :-1].transpose(1, 2), labels[:, 1:], reduction="none")
            total, n = total + float(losses.sum()), n + int((labels[:, 1:] != -100).sum())
            for row, i in enumerate(part):
                for code, at in code_positions(tokenizer, held[i], rows[i]).items():
                    among = codes[code]
                    best = among[int(logits[row, at - 1, among].argmax())]
                    hits.setdefault(code, []).append(best == rows[i][at])
    model.train(was)
    return {
        "held_out_loss": round(total / n, 4),
        "entropy": round(sum(d.nats for d in held) / n, 4),
        **{f"accuracy {code}": round(float(np.mean(values)), 4) for code, values in sorted(hits.items())},
    }


def code_positions(tokenizer, document: Document, row: list[int]) -> dict[str, int]:
    """Which token of the row holds the log's first code, a composition: {"toxicity" | "mood" | ...: position}."""
    at = len(tokenizer(document.text[: document.message])["input_ids"])
    token = tokenizer.convert_ids_to_tokens(row[at])
    return {name: at for name, codes in FIRST_CODES.get(document.kind, {}).items() if token in codes}
