"""A small SAE, whole: its equation, its training, its history. Plain PyTorch, so that it can be read in one sitting.

The SAEs that the book measures were trained by SAELens (`mosaic.saes.training`); this one is for the toy of the first chapter. Data:
x = sum_i a_i g_i, with n unit vectors g_i in d < n dimensions and amplitudes a_i that are mostly zero (Sharkey et al. 2022,
"Taking features out of superposition with sparse autoencoders", use such data).

Shapes: N examples, n features, d dimensions, D latents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mosaic.errors import MosaicError
from mosaic.machine import one_thread

MEASURED = 10_000  # fresh examples on which a trained SAE is measured
EVERY = 25  # steps between two points of the history


@dataclass(frozen=True)
class World:
    """n_features directions in d dimensions, random unit vectors; each is active with probability p, its amplitude then uniform on
    [.5, 1.5]."""

    n_features: int = 32
    d: int = 16
    p: float = 0.05
    seed: int = 0

    def directions(self) -> np.ndarray:
        """[n, d] unit vectors."""
        rows = np.random.default_rng(self.seed).normal(size=(self.n_features, self.d))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def draw(self, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """(amplitudes [N, n], x [N, d]) of N fresh examples."""
        rng = np.random.default_rng([self.seed, seed])
        active = rng.random((n, self.n_features)) < self.p
        amplitudes = (active * rng.uniform(0.5, 1.5, active.shape)).astype(np.float32)
        return amplitudes, amplitudes @ self.directions()


@dataclass(frozen=True)
class Recipe:
    """width: latents D. k: the largest k are kept (TopK); None: all that are positive (ReLU), with l1 as the weight of the penalty
    sum_j f_j."""

    width: int = 32
    k: int | None = 2
    l1: float = 0.0
    steps: int = 1200
    batch: int = 384
    learning_rate: float = 3e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.k is not None and not 1 <= self.k <= self.width:
            raise MosaicError(f"k is {self.k} of {self.width} latents; a number from 1 to {self.width} was expected.")


@dataclass(frozen=True, eq=False)
class SAE:
    """f = act(W_enc (x - b_dec) + b_enc), x^ = W_dec^T f + b_dec. W_enc, W_dec: [D, d], rows of W_dec of length one. history:
    {loss, L0, FVU: values on held-out examples}, at `steps`."""

    W_enc: np.ndarray
    W_dec: np.ndarray
    b_enc: np.ndarray
    b_dec: np.ndarray
    k: int | None
    steps: tuple[int, ...] = ()
    history: dict[str, list[float]] | None = None

    def encode(self, x: np.ndarray) -> np.ndarray:
        """[N, D] activations of x [N, d]."""
        f = np.maximum((x - self.b_dec) @ self.W_enc.T + self.b_enc, 0)
        if self.k is not None and self.k < f.shape[1]:
            f = np.where(f >= np.partition(f, -self.k, axis=1)[:, [-self.k]], f, 0)
        return f

    def decode(self, f: np.ndarray) -> np.ndarray:
        """[N, d] reconstructions."""
        return f @ self.W_dec + self.b_dec


@one_thread()
def train(world: World, recipe: Recipe) -> SAE:
    """Adam on |x - x^|^2 + l1 sum_j f_j, fresh examples at every step; decoder rows are kept at length one."""
    import torch

    torch.manual_seed(recipe.seed)
    W = torch.nn.functional.normalize(torch.randn(recipe.width, world.d), dim=1)
    W_dec, W_enc = W.clone().requires_grad_(), W.clone().requires_grad_()
    b_enc, b_dec = torch.zeros(recipe.width, requires_grad=True), torch.zeros(world.d, requires_grad=True)
    optimiser = torch.optim.Adam([W_dec, W_enc, b_enc, b_dec], lr=recipe.learning_rate)
    examples = torch.from_numpy(
        world.draw(max(recipe.batch * recipe.steps // 5, recipe.batch), seed=1)[1]
    )  # each is seen five times
    held = torch.from_numpy(world.draw(2000, seed=2)[1])
    order, steps, history = torch.randperm(len(examples)), [], {"loss": [], "L0": [], "FVU": []}

    def run(x):
        f = torch.relu((x - b_dec) @ W_enc.T + b_enc)
        if recipe.k is not None:
            top = f.topk(recipe.k, dim=1)
            f = torch.zeros_like(f).scatter(1, top.indices, top.values)
        error = ((x - f @ W_dec - b_dec) ** 2).sum(1).mean()
        return f, error, error + recipe.l1 * f.sum(1).mean()

    for step in range(recipe.steps + 1):
        if step % EVERY == 0:
            with torch.no_grad():
                f, error, loss = run(held)
            values = loss, (f > 0).sum(1).float().mean(), error / ((held - held.mean(0)) ** 2).sum(1).mean()
            steps.append(step)
            for name, value in zip(history, values, strict=True):
                history[name].append(float(value))
        if step == recipe.steps:
            break
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * min(1, 4 * (1 - step / recipe.steps))
        rows = order[torch.arange(step * recipe.batch, (step + 1) * recipe.batch) % len(order)]
        optimiser.zero_grad()
        run(examples[rows])[2].backward()
        optimiser.step()
        with torch.no_grad():
            W_dec /= W_dec.norm(dim=1, keepdim=True)
    weights = (part.detach().numpy() for part in (W_enc, W_dec, b_enc, b_dec))
    return SAE(*weights, recipe.k, tuple(steps), history)
