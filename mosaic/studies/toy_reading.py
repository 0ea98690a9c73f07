"""What a toy SAE found, read against the truth: cosines with the true directions, what is missing, what it says of an amplitude.

A latent finds feature i if its decoder row has a cosine of FOUND or more with g_i. The mean over latents of the largest cosine is
the mean max cosine similarity of Sharkey et al. 2022.

Shapes: N examples, n features, d dimensions, D latents.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mosaic.studies.toy_sae import MEASURED, SAE, World

FOUND = 0.9  # cosine
BINS = np.linspace(-1.5, 2, 36)  # of what is read along a feature


@dataclass(frozen=True, eq=False)
class Reading:
    """One SAE on fresh examples of its world. amplitudes: [N, n]. x: [N, d]. codes: [N, D]. cosines: [D, n] of decoder rows with
    true directions."""

    world: World
    sae: SAE
    amplitudes: np.ndarray
    x: np.ndarray
    codes: np.ndarray
    cosines: np.ndarray

    @classmethod
    def of(cls, world: World, sae: SAE, n: int = MEASURED) -> Reading:
        amplitudes, x = world.draw(n, seed=3)
        return cls(world, sae, amplitudes, x, sae.encode(x), sae.W_dec @ world.directions().T)

    @cached_property
    def alive(self) -> np.ndarray:
        """[D] bool: fires at least once."""
        return (self.codes > 0).any(0)

    @cached_property
    def nearest(self) -> np.ndarray:
        """[alive] largest cosine of each latent that is not dead with any true direction."""
        return self.cosines[self.alive].max(1)

    @cached_property
    def partner(self) -> np.ndarray:
        """[n] the latent nearest to each feature, -1 where none reaches FOUND."""
        best = self.cosines.argmax(0)
        return np.where(self.cosines[best, np.arange(len(best))] >= FOUND, best, -1)

    @property
    def l0(self) -> float:
        return float((self.codes > 0).sum(1).mean())

    @property
    def fvu(self) -> float:
        """Fraction of variance unexplained."""
        return float(((self.x - self.sae.decode(self.codes)) ** 2).sum() / ((self.x - self.x.mean(0)) ** 2).sum())

    def heard(self) -> np.ndarray:
        """[features found] activation over true amplitude, mean over the examples in which this feature alone is active and its
        latent fires: 1 is right, less is shrinkage."""
        alone, out = (self.amplitudes > 0).sum(1) == 1, []
        for feature, latent in enumerate(self.partner):
            rows = alone & (self.amplitudes[:, feature] > 0)
            if latent >= 0 and (rows := rows & (self.codes[:, latent] > 0)).any():
                out.append(float((self.codes[rows, latent] / self.amplitudes[rows, feature]).mean()))
        return np.array(out)

    def row(self) -> dict:
        """As results record it."""
        heard = self.heard()
        return {
            "width": len(self.codes[0]),
            "k": self.sae.k,
            "l0": self.l0,
            "fvu": self.fvu,
            "found": int((self.partner >= 0).sum()),
            "dead": int((~self.alive).sum()),
            "cosine": float(self.nearest.mean()),
            "heard": float(heard.mean()) if len(heard) else None,
        }


def linear_fvu(world: World, n: int = MEASURED) -> float:
    """How much of the amplitudes' variance the best linear reading of x leaves, sum over features: with n features in d numbers it
    cannot be less than about 1 - d / n."""
    fit_a, fit_x = world.draw(n, seed=4)
    a, x = world.draw(n, seed=3)
    weights = np.linalg.lstsq(np.c_[fit_x, np.ones(len(fit_x))], fit_a, rcond=None)[0]
    return _unexplained(a, np.c_[x, np.ones(len(x))] @ weights)


def sae_fvu(reading: Reading) -> float:
    """The same of the latents nearest to each feature, each as it is; a feature without a latent is read as its mean."""
    means = reading.amplitudes.mean(0)
    read = [
        reading.codes[:, latent] if latent >= 0 else means[i] + 0 * reading.x[:, 0]
        for i, latent in enumerate(reading.partner)
    ]
    return _unexplained(reading.amplitudes, np.stack(read, axis=1))


def _unexplained(truth: np.ndarray, read: np.ndarray) -> float:
    return float(((truth - read) ** 2).sum() / ((truth - truth.mean(0)) ** 2).sum())


def along(reading: Reading, feature: int) -> dict[str, np.ndarray]:
    """{how it is read: [N] values} of one feature: by the product with its direction, and by its latent (zeros without one)."""
    latent = reading.partner[feature]
    read = reading.codes[:, latent] if latent >= 0 else np.zeros(len(reading.x))
    return {"product with its direction": reading.x @ reading.world.directions()[feature], "its latent": read}


def shares(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """[bins] share of these examples in each of BINS. values: [N]. rows: [N] bool."""
    return np.histogram(values[rows], BINS)[0] / max(rows.sum(), 1)


def overlaps(reading: Reading, feature: int) -> dict[str, float]:
    """How far examples with a feature and without it are told apart: by both readings, the share that both histograms cover (0: apart,
    1: the same); of the latent, the share of zeros with the feature (which it misses) and without it."""
    present = reading.amplitudes[:, feature] > 0
    product, latent = along(reading, feature).values()
    both = [float(np.minimum(shares(one, present), shares(one, ~present)).sum()) for one in (product, latent)]
    zeros = [float((latent[rows] == 0).mean()) for rows in (present, ~present)]
    return dict(zip(("product", "latent", "missed", "silent"), (*both, *zeros), strict=True))
