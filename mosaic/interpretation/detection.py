"""How well a latent can be predicted from the tokens around it: an interpretability score that needs no LLM.

An explanation of latent j is a table of log odds, learned on one half of the texts,

    s_j(t) = sum_o log P(x_{t-o} | z_j > 0) / P(x_{t-o} | z_j = 0),   o = 0, 1, 2,

of the token it fires on and the two before it. It says "fires" where s_j(t) > 0. Its score is the balanced
accuracy, (P(s > 0 | fires) + P(s <= 0 | silent)) / 2, on the other half; 1/2 is chance. The detection score of Paulo
et al. (arXiv 2410.13928) with counted tokens in the place of a language model.

Shapes: N tokens, D latents, V token ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mosaic.models.language import LanguageModel, Tokens
from mosaic.models.residuals import in_batches

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

OFFSETS = 3
SMOOTHING = 0.5
NOTHING = -1  # where no token stands: 0 is one of some vocabularies
LEAST = 50  # firings in each half below which a latent is not scored
LATENTS_AT_ONCE = 128


@dataclass(frozen=True)
class Firings:
    """Which latents fire on which tokens. ids: [N, OFFSETS], the token and those before it (NOTHING where there is none).
    text: [N] index of its text. codes: one CSR [N, D] an encoder."""

    ids: np.ndarray
    text: np.ndarray
    codes: tuple[csr_matrix, ...]


def firings(texts: Sequence[str], lm: LanguageModel, encoders: Sequence, token_budget: int = 4096) -> Firings:
    """One pass of the texts; special tokens are neither scored nor, as context, distinguished from no token."""
    from scipy.sparse import vstack

    tokens = lm.tokenize(texts)
    ids, owner, codes = [], [], [[] for _ in encoders]
    for batch, residuals, starts in in_batches(lm, tokens, sorted({e.layer for e in encoders}), token_budget):
        ids += [_context(tokens.ids[i], tokens.special[i]) for i in batch]
        owner.append(np.repeat(batch, np.diff(starts)))
        for part, encoder in zip(codes, encoders, strict=True):
            part.append(encoder.encode(residuals[encoder.layer]))
    return Firings(np.concatenate(ids), np.concatenate(owner), tuple(vstack(part, format="csr") for part in codes))


def context_ids(tokens: Tokens) -> tuple[np.ndarray, np.ndarray]:
    """(ids [N, OFFSETS], text [N]) as `Firings` has them, of texts in their order, without a model."""
    ids = [_context(ids, special) for ids, special in zip(tokens.ids, tokens.special, strict=True)]
    return np.concatenate(ids), np.repeat(np.arange(len(ids)), [len(one) for one in ids])


def _context(ids: np.ndarray, special: np.ndarray) -> np.ndarray:
    """[real tokens, OFFSETS]: each real token and those before it, NOTHING where that is special or there is none."""
    real = np.flatnonzero(~special)
    padded = np.concatenate([np.full(OFFSETS - 1, NOTHING, dtype=np.int64), np.where(special, NOTHING, ids)])
    return np.stack([padded[real + OFFSETS - 1 - o] for o in range(OFFSETS)], axis=1)


def detection_scores(found: Firings, codes: csr_matrix, shuffle: int | None = None) -> np.ndarray:
    """[D] balanced accuracy of each latent's explanation; NaN where it fires too seldom in either half to be scored.

    Even texts are learned from, odd ones scored. shuffle: a seed; every latent is then judged by the explanation
    of another one, the control for what any explanation gets.
    """
    learn = found.text % 2 == 0
    active = codes.tocsc().astype(bool)
    n_latents = active.shape[1]
    out = np.full(n_latents, np.nan)
    firing = np.stack([np.asarray(active[half].sum(0)).ravel() for half in (learn, ~learn)])
    kept = np.flatnonzero((firing >= LEAST).all(0))
    explained = kept if shuffle is None else np.random.default_rng(shuffle).permutation(kept)
    for start in range(0, len(kept), LATENTS_AT_ONCE):
        part = slice(start, start + LATENTS_AT_ONCE)
        guess = _log_odds(found, active, explained[part], learn) > 0
        fires = active[~learn][:, kept[part]].toarray()
        hit = (guess & fires).sum(0) / fires.sum(0)
        rejected = (~guess & ~fires).sum(0) / (~fires).sum(0)
        out[kept[part]] = (hit + rejected) / 2
    return out


def _log_odds(found: Firings, active, latents: np.ndarray, learn: np.ndarray) -> np.ndarray:
    """[N scored, len(latents)]: each latent's evidence on the tokens of the half that was not learned from."""
    from scipy.sparse import csr_matrix

    fires = active[learn][:, latents].astype(np.float64)
    n, total = int(learn.sum()), None
    n_active = np.asarray(fires.sum(0)).ravel()
    for o in range(OFFSETS):
        vocabulary, index = np.unique(found.ids[:, o], return_inverse=True)
        v = len(vocabulary)
        occurs = csr_matrix((np.ones(n), (index[learn], np.arange(n))), shape=(v, n))
        with_latent = (occurs @ fires).toarray()
        without = np.asarray(occurs.sum(1)) - with_latent
        table = np.log(with_latent + SMOOTHING) - np.log(n_active + SMOOTHING * v)
        table -= np.log(without + SMOOTHING) - np.log(n - n_active + SMOOTHING * v)
        part = table[index[~learn]]
        total = part if total is None else total + part
    return total
