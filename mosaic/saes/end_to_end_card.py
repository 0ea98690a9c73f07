"""What people read beside SAEs of the three losses: one line an SAE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mosaic.files import write_atomically


def write_page(rows: Sequence[Mapping], model: str, context: int, out: Path) -> None:
    """Write `README.md` beside `card.json`, whose rows these are. context: tokens of a text that were read."""
    table = "\n".join(
        f"| {r['name']} | {r['loss']} | {r['sparsity']:g} | {r['seed']} | {r['l0']:.1f} | {r['added_ce']:.3f} | {r['fvu']:.3f} | {r['alive']:,} |"
        for r in rows
    )
    first = rows[0]
    beta = max(row["beta"] for row in rows)
    page = f"""# SAEs of three losses for {model}

ReLU SAEs of {first["width"]:,} latents on the residual stream after block {first["layer"]}, trained for that stream (local), for what the model
says (e2e), or for that and the later blocks' streams (e2e+ds, beta = {beta:g}); arXiv 2405.12241. Saved in SAELens's layout
(`SAE.load_from_disk(folder)`; matrices in bfloat16, biases in float32). `mosaic train-end-to-end` made them.

| SAE | loss | lambda | seed | L0 | added cross-entropy | fraction of variance unexplained | latents that fire |
|---|---|---|---|---|---|---|---|
{table}

All saw the same {first["tokens"]:,} tokens in the same order, {context} of a text at most, so those of one loss and lambda differ in
their seed alone. Figures are of {first["held_out_tokens"]:,} tokens of texts that were not trained on; cross-entropy in nats a token. Special
tokens were neither trained on nor measured.
"""
    write_atomically(Path(out) / "README.md", page.encode())
