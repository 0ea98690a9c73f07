"""Switches of the audit that change the features: another layer, another model's SAE, pads pooled, rows out of order.

Each gives a table, or what a table is made of; what reads it is the same as for every other table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from mosaic.features.extract import check_texts
from mosaic.features.plan import Shard
from mosaic.features.request import Request
from mosaic.features.run import run_shard
from mosaic.features.table import FeatureTable
from mosaic.models.language import LanguageModel, Tokens
from mosaic.models.residuals import at_real_tokens, text_by_text
from mosaic.profiles.opening import load_saes, located, select_saes
from mosaic.profiles.profile import Profile
from mosaic.saes.encoder import Encoder
from mosaic.saes.loading import load_encoder
from mosaic.texts.ids import text_ids

if TYPE_CHECKING:
    import torch

BATCH = 32  # texts of one forward pass, in input order, as in the version read
SHARE = 0.01  # of rows out of order


# --- A1: the input of a block ------------------------------------------------------------------------------------


def at_input(encoder: Encoder) -> Encoder:
    """The same SAE, reading what goes into its block: the output of the one below."""
    return replace(encoder, layer=encoder.layer - 1)


def likeness(lm: LanguageModel, encoder: Encoder, texts: Sequence[str]) -> dict[str, float]:
    """{"cosine", "overlap"} of a block's input and output: the mean cosine over tokens, and the share of the latents active
    on either that are active on both, mean over tokens."""
    below, above = (text_by_text(lm, texts, layer) for layer in (encoder.layer - 1, encoder.layer))
    cosine = (below * above).sum(1) / (below.norm(dim=1) * above.norm(dim=1))
    first, second = (encoder.encode(x).astype(bool) for x in (below, above))
    both = np.asarray(first.multiply(second).sum(1)).ravel()
    either = first.getnnz(axis=1) + second.getnnz(axis=1) - both
    return {"cosine": float(cosine.mean()), "overlap": float((both / np.maximum(either, 1)).mean())}


# --- A2: the SAEs of another model -------------------------------------------------------------------------------


def borrowed(base: Profile, tuned: Profile, lm: LanguageModel) -> tuple[Encoder, Encoder]:
    """(the base model's SAE of the tuned model's middle layer and width, its own), both to read the tuned model.

    The first is a transfer asked for by name; without the name it is refused (`load_encoder`).
    """
    (source,) = select_saes(base, [tuned.middle], [tuned.width])
    source = replace(located(source), transfer_from=base.model.id)
    (own,) = load_saes(tuned, lm, [tuned.middle], [tuned.width])
    return load_encoder(source, tuned.model.id, lm.d_model, lm.device, lm.spec.first_layer), own


# --- A3: pads and special tokens pooled --------------------------------------------------------------------------


@dataclass
class LeftPadded(LanguageModel):
    """The model as it reads texts padded to one length on the left: attention sees no pad, but pads have states too."""

    @classmethod
    def of(cls, lm: LanguageModel) -> LeftPadded:
        return cls(**{field.name: getattr(lm, field.name) for field in fields(LanguageModel)})

    @property
    def pad(self) -> int:
        """The id of a pad; 0 where the tokenizer names none."""
        return self.tokenizer.pad_token_id or 0

    def padded(self, tokens: Tokens, batches: Sequence[np.ndarray]) -> Tokens:
        """The tokens of texts in batches, pads before the shorter ones of each; every position counts as a text's own."""
        ids = []
        for batch in batches:
            width = int(tokens.lengths[batch].max())
            ids += [np.pad(row, (width - len(row), 0), constant_values=self.pad) for row in tokens.take(batch).ids]
        return Tokens(ids, [np.zeros(len(row), dtype=bool) for row in ids], tokens.truncated)

    def residuals(self, ids: Sequence[np.ndarray], layers: Sequence[int]) -> dict[int, torch.Tensor]:
        """{layer: [B, T, d]} of texts of one length; pads, which stand first, are masked."""
        import torch

        from mosaic.models.blocks import outputs_of

        rows = np.stack(ids)
        mask = np.logical_or.accumulate(rows != self.pad, axis=1).astype(np.int64)
        wanted = {layer: self.blocks[layer - self.spec.first_layer] for layer in layers}
        arguments = {"input_ids": rows, "attention_mask": mask}
        with outputs_of(wanted) as captured, torch.inference_mode():
            self.model(**{name: torch.from_numpy(values).to(self.device) for name, values in arguments.items()})
        return captured


def pooled_with_pads(
    texts: Sequence[str], lm: LanguageModel, encoder: Encoder, pooling: str, order: np.ndarray | None = None
) -> FeatureTable:
    """Features of all positions of left-padded batches, rows in input order.

    order: [n] in which the texts run, BATCH at a time; None: input order. Another order, other neighbours.
    """
    check_texts(texts)
    lm, order = LeftPadded.of(lm), np.arange(len(texts)) if order is None else order
    tokens = lm.tokenize([texts[i] for i in order])
    batches = [np.arange(start, min(start + BATCH, len(texts))) for start in range(0, len(texts), BATCH)]
    shard = Shard(text_ids(texts)[order], lm.padded(tokens, batches), tuple(batches))
    (table,) = run_shard(shard, lm, Request((encoder,), (), (pooling,)))
    return table.take(np.argsort(order))


def own_tokens(
    texts: Sequence[str], lm: LanguageModel, encoder: Encoder, pooling: str, order: np.ndarray | None = None
) -> FeatureTable:
    """The right way, run in another order: each text's own tokens pooled, rows in input order."""
    order = np.arange(len(texts)) if order is None else order
    tokens = lm.tokenize([texts[i] for i in order])
    batches = tuple(np.arange(start, min(start + BATCH, len(texts))) for start in range(0, len(texts), BATCH))
    (table,) = run_shard(Shard(text_ids(texts)[order], tokens, batches), lm, Request((encoder,), (), (pooling,)))
    return table.take(np.argsort(order))


def relative_change(a: FeatureTable, b: FeatureTable) -> float:
    """Median over rows of sum_j |a_j - b_j| / sum_j |a_j|."""
    size = np.asarray(abs(a.matrix).sum(1)).ravel()
    moved = np.asarray(abs(a.matrix - b.matrix).sum(1)).ravel()
    return float(np.median(moved / np.maximum(size, np.finfo(np.float32).tiny)))


def touched(a: FeatureTable, b: FeatureTable, tolerance: float = 1e-3) -> int:
    """Latents whose pooled value differs by more than the tolerance in some row."""
    return int((abs(a.matrix - b.matrix).max(0).toarray().ravel() > tolerance).sum())


def pads_differ(texts: Sequence[str], lm: LanguageModel, layer: int) -> float | None:
    """Median over padded rows of |p - mean p| / |p|, p the state of a row's first pad; None where no two rows have pads.

    texts: of one batch. 0 where a pad says the same whatever the text.
    """
    lm, batch = LeftPadded.of(lm), np.arange(len(texts))
    tokens = lm.tokenize(texts)
    rows, starts = at_real_tokens(lm, lm.padded(tokens, [batch]), batch, [layer])
    pads = rows[layer].cpu().numpy()[starts[:-1]][tokens.lengths < tokens.lengths.max()]
    if len(pads) < 2:
        return None
    return float(np.median(np.linalg.norm(pads - pads.mean(0), axis=1) / np.linalg.norm(pads, axis=1)))


# --- A10: rows out of order --------------------------------------------------------------------------------------


def out_of_order(n_train: int, n_test: int, seed: int, share: float = SHARE) -> np.ndarray:
    """[n_train + n_test] row numbers in which a share of each part's rows, at least two, have changed places in a ring."""
    rng, orders = np.random.default_rng(seed), []
    for start, n in ((0, n_train), (n_train, n_test)):
        order = np.arange(start, start + n)
        moved = rng.choice(n, max(2, round(share * n)), replace=False)
        order[moved] = order[np.roll(moved, 1)]
        orders.append(order)
    return np.concatenate(orders)
