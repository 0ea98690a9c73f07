"""SAEs drawn from a world in which it is known how often each latent is found: their memberships have a known truth."""

import numpy as np
from scipy.stats import binom

from mosaic.agreement.presence import Presence

S, N = 8, 512


def even(mass: float, least: float = 0.02, most: float = 0.98, steps: int = 49) -> np.ndarray:
    """[K] chances of latents that fill `mass` places of an SAE, as many by latents of every chance from least to most: of
    such latents as many are in two SAEs as in three, as in four."""
    chances = np.linspace(least, most, steps)
    return np.concatenate([np.full(round(mass / steps / chance), chance) for chance in chances])


def draw(chances: np.ndarray, seed: int, n_saes: int = S, width: int = N) -> Presence:
    """SAEs that have each latent with its chance, and fill up with latents of their own."""
    generator = np.random.default_rng(seed)
    found = generator.random((n_saes, len(chances))) < chances
    has = np.zeros((n_saes, n_saes, width), dtype=bool)
    family = len(chances) + np.arange(n_saes * width).reshape(n_saes, width)
    for i in range(n_saes):
        own = np.flatnonzero(found[i])[:width]
        has[i, :, : len(own)] = found[:, own]
        has[i, i] = True
        family[i, : len(own)] = own
    return Presence(has, family)


def truth(chances: np.ndarray, n_saes: int = S, width: int = N) -> np.ndarray:
    """[S] expected shares of an SAE's latents in exactly 1, ..., S of the SAEs."""
    shares = np.array([(chances * binom.pmf(m, n_saes - 1, chances)).sum() for m in range(n_saes)]) / width
    shares[0] += 1 - shares.sum()
    return shares
