"""Macro-F1 of very many predictions of one test set, in every resample of its rows: two matrix products for all.

`scores` resamples a few predictions at a time. A learning curve has hundreds on the same test: ways to use features, rates,
draws. The resamples are those of `scores` where rows belong to groups (`tests/probing/test_resampled.py`).
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.probing import scores

COLUMNS = 4096  # predictions times labels, held at once


def macro_f1(
    truth: np.ndarray, predicted: np.ndarray, groups: np.ndarray | None = None, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """(macro-F1 of each prediction [P], in each resample of the rows [RESAMPLES, P]).

    truth: [n] labels. predicted: [P, n]. groups: [n], resampled as wholes; None: every row by itself. As in `scores`, the
    mean is over the labels that occur in a resample, in truth or prediction.
    """
    names, codes = np.unique(np.concatenate([truth[None], predicted]).astype(str), return_inverse=True)
    codes = codes.reshape(1 + len(predicted), -1)
    units = (
        np.arange(len(truth)) if groups is None else np.unique(np.asarray(groups).astype(str), return_inverse=True)[1]
    )
    table = csr_matrix((np.ones(len(truth), np.float32), (units, np.arange(len(truth)))))
    weights = np.vstack([np.ones((1, table.shape[0])), scores._unit_weights(table.shape[0], seed)]).astype(np.float32)
    by_row = weights @ table  # the first line counts every row once
    step = max(1, COLUMNS // len(names))
    found = [
        _f1(by_row, codes[0], codes[1:][first : first + step], len(names)) for first in range(0, len(predicted), step)
    ]
    every = np.concatenate(found, axis=1)
    return every[0], every[1:]


def _f1(weights: np.ndarray, truth: np.ndarray, predicted: np.ndarray, n_labels: int) -> np.ndarray:
    """[W, P] macro-F1 where row i counts weights[w, i] times."""
    labels = np.arange(n_labels)
    true, guess = truth[:, None, None] == labels, predicted.T[:, :, None] == labels  # [n, 1, L], [n, P, L]
    flat = (len(truth), -1)
    hits = (weights @ (true & guess).reshape(flat).astype(np.float32)).reshape(len(weights), -1, n_labels)
    total = (weights @ (true.astype(np.float32) + guess).reshape(flat)).reshape(hits.shape)
    f1 = np.divide(2 * hits, total, out=np.zeros_like(hits), where=total > 0)
    return f1.sum(axis=2, dtype=np.float64) / (total > 0).sum(axis=2)
