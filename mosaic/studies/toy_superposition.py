"""Superposition on a toy: n sparse features pressed into d < n numbers and read back.

x_i is zero, or with probability p (the density, 1 - S of the paper) uniform on [0, 1]. The model is h = W^T x, x' = ReLU(W h + b),
its loss sum_i I_i (x_i - x'_i)^2 with importances I_i = r^i. Row W_i is the direction in which feature i is written. Without the
ReLU the model is linear, the control. Source: Elhage et al. 2022, Toy Models of Superposition (arXiv 2209.10652), section
"Demonstrating Superposition"; the paper's settings there are n = 20, d = 5 and r = .7.

Shapes: P densities, S seeds, n features, d dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mosaic.errors import MosaicError
from mosaic.machine import one_thread

REPRESENTED = (
    0.5  # |W_i|^2 from which a feature counts: it is near 1 for one that is written and near 0 for one that is not
)


@dataclass(frozen=True)
class Toy:
    """n_features in d dimensions. densities: how often a feature is active, the densest first. importance: r. relu: False for the
    linear control. batch: examples a step; all models learn side by side."""

    n_features: int = 20
    d: int = 5
    densities: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03, 0.01)
    n_seeds: int = 5
    importance: float = 0.9
    relu: bool = True
    steps: int = 1500
    batch: int = 256
    learning_rate: float = 3e-3

    def __post_init__(self) -> None:
        if not 1 <= self.d < self.n_features:
            raise MosaicError(
                f"{self.n_features} features in {self.d} dimensions: fewer dimensions than features were expected, and one or more."
            )
        if not all(0 < p <= 1 for p in self.densities):
            raise MosaicError(
                f"densities are {self.densities}; shares of the examples, above 0 and up to 1, were expected."
            )


@dataclass(frozen=True, eq=False)
class Learned:
    """W: [P, S, n, d]. loss: [P, S], of the last step, per active feature."""

    toy: Toy
    W: np.ndarray
    loss: np.ndarray

    def represented(self) -> np.ndarray:
        """[P, S] how many features have |W_i|^2 above REPRESENTED."""
        return ((self.W**2).sum(-1) > REPRESENTED).sum(-1)

    def best(self, density: int) -> np.ndarray:
        """[n, d] of the seed with the smallest loss at one density (its place)."""
        return self.W[density, int(self.loss[density].argmin())]


@one_thread()
def train(toy: Toy) -> Learned:
    """Every density from every seed, side by side: one product a step for all of them."""
    import torch

    generator = torch.Generator().manual_seed(0)
    p = torch.tensor(toy.densities).repeat_interleave(toy.n_seeds)[:, None, None]
    models, n = len(p), toy.n_features
    W = (torch.randn(models, n, toy.d, generator=generator) * (2 / n) ** 0.5).requires_grad_()
    b = torch.zeros(models, 1, n, requires_grad=True)
    importance = toy.importance ** torch.arange(n)
    optimiser = torch.optim.Adam([W, b], lr=toy.learning_rate)
    for step in range(toy.steps):
        for group in optimiser.param_groups:
            group["lr"] = toy.learning_rate * min(1, 4 * (1 - step / toy.steps))
        x = torch.rand(models, toy.batch, n, generator=generator)
        x = x * (torch.rand(x.shape, generator=generator) < p)
        read = x @ W @ W.transpose(1, 2) + b
        loss = (importance * (x - (torch.relu(read) if toy.relu else read)) ** 2).sum(-1).mean(1) / p[:, 0, 0]
        optimiser.zero_grad()
        loss.sum().backward()
        optimiser.step()
    shape = (len(toy.densities), toy.n_seeds)
    return Learned(toy, W.detach().numpy().reshape(*shape, n, toy.d), loss.detach().numpy().reshape(shape))


def mean_interval(values: np.ndarray) -> tuple[float, float, float]:
    """(mean, low, high) over seeds, 95 % of Student's t; no width where all are equal."""
    from scipy.stats import t

    mean, n = float(np.mean(values)), len(values)
    error = float(np.std(values, ddof=1) / np.sqrt(n)) * float(t.ppf(0.975, n - 1)) if n > 1 else 0.0
    return mean, mean - error, mean + error
