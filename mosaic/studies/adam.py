"""A linear probe trained by Adam for a fixed number of epochs: its last weights, and those of its best epoch.

The version read kept the best epoch's weights by reference, so that further steps changed them too and the last ones were used.
The number of epochs, the batch and the step are this project's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

EPOCHS, BATCH, STEP = 20, 32, 1e-3


class Trained(NamedTuple):
    """Predictions for the rows of `other`: by the last weights, and by those of the epoch with the lowest held-out loss."""

    last: np.ndarray
    best: np.ndarray
    best_epoch: int


def train(x: np.ndarray, y: np.ndarray, held: np.ndarray, y_held: np.ndarray, other: np.ndarray, seed: int) -> Trained:
    """Cross-entropy with balanced classes, as the convex probe's, but without its penalty; in double precision.

    x, held, other: [n, d], scaled. seed: of the first weights and of the order of rows.
    """
    import torch

    classes, codes = np.unique(y, return_inverse=True)
    generator = torch.Generator().manual_seed(seed)
    X, H, T = (torch.from_numpy(np.asarray(rows, dtype=np.float64)) for rows in (x, held, other))
    Y, YH = (torch.from_numpy(np.searchsorted(classes, labels)) for labels in (y, y_held))
    share = torch.from_numpy(len(codes) / (len(classes) * np.bincount(codes)))
    loss = torch.nn.CrossEntropyLoss(weight=share)
    bound = X.shape[1] ** -0.5
    W = (
        (torch.rand(X.shape[1], len(classes), generator=generator, dtype=torch.float64) * 2 - 1) * bound
    ).requires_grad_()
    b = torch.zeros(len(classes), dtype=torch.float64, requires_grad=True)
    optimiser, best = torch.optim.Adam([W, b], lr=STEP), (np.inf, 0, None)
    for epoch in range(EPOCHS):
        for rows in torch.randperm(len(X), generator=generator).split(BATCH):
            optimiser.zero_grad()
            loss(X[rows] @ W + b, Y[rows]).backward()
            optimiser.step()
        with torch.no_grad():
            value = float(loss(H @ W + b, YH))
            if value < best[0]:
                best = (value, epoch, (T @ W + b).argmax(1).numpy())
    with torch.no_grad():
        last = (T @ W + b).argmax(1).numpy()
    return Trained(classes[last], classes[best[2]], best[1])
