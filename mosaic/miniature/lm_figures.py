"""What a language model of the miniature is measured by: its loss beside the corpus's entropy, the codes it gets
right, and how much of its loss an SAE's reconstruction keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from mosaic.miniature.lms import padded
from mosaic.miniature.tokenizer import encode
from mosaic.world.corpus import Document
from mosaic.world.writing import MOOD_CODES, STANCE_CODES

FIRST_CODES = {
    "message": {"toxicity": ("▁hide", "▁keep"), "mood": tuple(f"▁{code}" for code in MOOD_CODES.values())},
    "request": {"decision": ("▁alert", "▁refuse", "▁help", "▁note")},
    "stance": {"stance": tuple(f"▁{code}" for code in STANCE_CODES.values())},
}


def corpus_figures(model, tokenizer, held: list[Document]) -> dict[str, float]:
    """On held-out documents: loss and entropy in nats per token, and how often the first codes of a log are right.

    The entropy is the mean of -log p over the generator's own choices, divided by the same number of tokens.
    A code's accuracy is that of the most probable code of its family, where the log's first code stands.
    """
    import torch

    rows = encode(tokenizer, [d.text for d in held])
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    total, n = 0.0, 0
    hits: dict[str, list[bool]] = {}
    codes = {
        name: tokenizer.convert_tokens_to_ids(list(tokens))
        for kind in FIRST_CODES.values()
        for name, tokens in kind.items()
    }
    was = model.training
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(order), 100):
            part = order[start : start + 100]
            ids, labels = (x.to(model.device) for x in padded([rows[i] for i in part]))
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


def loss_recovered(
    model, rows: list[list[int]], folder: Path, layer: int, known: dict | None = None
) -> dict[str, float]:
    """(CE_zero - CE_spliced) / (CE_zero - CE_clean): the block's output replaced by the SAE's reconstruction, or by 0.

    rows: token ids of documents. known: losses already measured on this model, by layer (kept from call to call).
    """
    import torch
    from sae_lens import SAE

    known = {} if known is None else known
    sae = SAE.load_from_disk(str(folder), device=str(model.device), dtype="float32")
    if "clean" not in known:
        known["clean"] = spliced_loss(model, rows)
    if layer not in known:
        known[layer] = spliced_loss(model, rows, layer, torch.zeros_like)
    clean, zero = known["clean"], known[layer]
    return {
        "recovered": (zero - spliced_loss(model, rows, layer, lambda x: sae.decode(sae.encode(x)))) / (zero - clean)
    }


def spliced_loss(model, rows: list[list[int]], layer: int = 0, change: Callable | None = None) -> float:
    """Nats a token with the block's output changed at every token but <bos>, which SAEs are not trained on."""
    import torch

    def hook(_module, _inputs, output):
        x = output if isinstance(output, torch.Tensor) else output[0]
        new = torch.cat([x[:, :1], change(x[:, 1:])], dim=1)
        return new if isinstance(output, torch.Tensor) else (new, *output[1:])

    handle = model.model.layers[layer].register_forward_hook(hook) if change else None
    total, n = 0.0, 0
    rows = sorted(rows, key=len)
    try:
        with torch.inference_mode():
            for start in range(0, len(rows), 100):
                ids, labels = (x.to(model.device) for x in padded(rows[start : start + 100]))
                logits = model(input_ids=ids, use_cache=False).logits[:, :-1]
                losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), labels[:, 1:], reduction="sum")
                total, n = total + float(losses), n + int((labels[:, 1:] != -100).sum())
    finally:
        if handle:
            handle.remove()
    return total / n
