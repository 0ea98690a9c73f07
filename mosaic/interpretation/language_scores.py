"""Two scores of an explanation that need a model: surprisal and embedding.

Surprisal: contexts in which a latent fires should be less surprising once its explanation has been read. With e the explanation's
tokens and x a context's, each gets

    log p(x | e) - log p(x),

the first token of x aside, by the profile's own causal model. Embedding: each gets cos(g(e), g(x)), g a sentence encoder's mean last
residual. The score is the AUROC of active against silent contexts; chance is 1/2. Paulo et al. (arXiv 2410.13928), section 3;
there log p(x) is given a sentence that says that nothing is common to the contexts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mosaic.interpretation.contexts import Sample, Windows
from mosaic.models.causal import CausalModel
from mosaic.models.continuations import continuations
from mosaic.models.language import LanguageModel
from mosaic.progress import Progress

ROWS_AT_ONCE = 128
DIGITS = 4  # to which evidence is ranked: the rest differs between processors


def surprisal(
    windows: Windows, sampled: Sequence[Sample], labels: Sequence[Sequence[int]], causal: CausalModel
) -> np.ndarray:
    """[L] AUROCs. labels: token ids of each sampled latent's explanation."""
    begin = causal.tokenizer.bos_token_id
    lead = () if begin is None else (int(begin),)
    contexts = {w: _tokens(windows, w) for sample in sampled for w in (*sample.active, *sample.silent)}
    contexts = {w: ids for w, ids in contexts.items() if len(ids) > 1}
    rows, starts, plain = [], [], {}
    for w, ids in contexts.items():
        plain[w] = len(rows)
        rows.append((*lead, *ids))
        starts.append(len(lead) + 1)
    place = []
    for sample, label in zip(sampled, labels, strict=True):
        before = (*lead, *map(int, label))
        mine = {}
        for w in (*sample.active, *sample.silent):
            if w in contexts:
                mine[w] = len(rows)
                rows.append((*before, *contexts[w]))
                starts.append(len(before) + 1)
        place.append(mine)
    with Progress("surprisal", sum(map(len, rows)), "tokens") as progress:
        said = continuations(causal.model, rows, starts, ROWS_AT_ONCE, progress.advance)
    return np.array(
        [
            _auroc(sample, {w: said.log_p[row] - said.log_p[plain[w]] for w, row in mine.items()})
            for sample, mine in zip(sampled, place, strict=True)
        ]
    )


def embedding(
    windows: Windows,
    sampled: Sequence[Sample],
    labels: Sequence[str],
    decode: Callable[[Sequence[int]], str],
    encoder: LanguageModel,
) -> np.ndarray:
    """[L] AUROCs. labels: each sampled latent's explanation in words. decode: token ids to text. encoder: of sentences."""
    used = sorted({int(w) for sample in sampled for w in (*sample.active, *sample.silent)})
    vectors = dict(zip(used, embedded([decode(_tokens(windows, w)) for w in used], encoder), strict=True))
    of_labels = embedded(list(labels), encoder)
    return np.array(
        [
            _auroc(sample, {w: float(vectors[w] @ label) for w in (*sample.active, *sample.silent)})
            for sample, label in zip(sampled, of_labels, strict=True)
        ]
    )


def embedded(texts: Sequence[str], encoder: LanguageModel) -> np.ndarray:
    """[n, d] of length 1: the mean of a text's residuals after the last block, special tokens left out; zero for a text of none."""
    from mosaic.models.residuals import in_batches

    last = encoder.layers[-1]
    vectors = np.zeros((len(texts), encoder.d_model))
    with Progress("embedding contexts", len(texts), "texts") as progress:
        for batch, residuals, starts in in_batches(encoder, encoder.tokenize(texts), [last]):
            rows = residuals[last].cpu().numpy()
            for i, a, b in zip(batch, starts[:-1], starts[1:], strict=True):
                if b > a:
                    vectors[i] = rows[a:b].mean(0)
            progress.advance(len(batch))
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _tokens(windows: Windows, window: int) -> np.ndarray:
    return windows.found.ids[windows.bounds[window] : windows.bounds[window + 1], 0]


def _auroc(sample: Sample, evidence: dict) -> float:
    """Of active against silent contexts; NaN where evidence has none of either."""
    from sklearn.metrics import roc_auc_score

    active = [evidence[w] for w in sample.active if w in evidence]
    silent = [evidence[w] for w in sample.silent if w in evidence]
    if not active or not silent:
        return float("nan")
    return float(roc_auc_score([1] * len(active) + [0] * len(silent), np.round([*active, *silent], DIGITS)))
