"""Latents chosen by what is said of them, before any label is seen, and the ways to choose by data that stand beside.

A class c has a name, a latent j a description; both are embedded as sentences of length 1. A latent's score for a class is

    s_cj = cos(g(name of c), g(description of j)),

and the classes take turns, each takes the best latent that is left (`in_turns`). One after another (`in_sequence`) each latent
loses what it repeats: s_cj minus the largest cosine of its description with one that was taken. After Jeong et al., LLM-Select
(arXiv 2407.02694), with a sentence encoder's cosine in the place of a language model's score; equal scores are broken at random
there and here. `mrmr` chooses by data: relevance minus redundancy (Peng et al. 2005, doi 10.1109/TPAMI.2005.159).

Shapes: C classes, D latents, n texts, k latents chosen, e of an embedding.
"""

from __future__ import annotations

import numpy as np

from mosaic.errors import MosaicError
from mosaic.probing.narrowed import mutual_information

NOISE = 1e-6  # of a tie; cosines are rounded to as much
DIGITS = 6


def in_turns(scores: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """[k] latents, in the order in which the classes take them (all D where there are fewer). scores: [C, D]."""
    return _taken(_ready(scores, rng), k)


def in_sequence(scores: np.ndarray, descriptions: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """The same, each latent losing what it repeats. descriptions: [D, e], of length 1."""
    return _taken(_ready(scores, rng), k, descriptions)


def _ready(scores: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if scores.ndim != 2 or not np.isfinite(scores).all():
        raise MosaicError(f"scores of shape {scores.shape}, all finite, [classes, latents] were expected.")
    return np.round(scores, DIGITS) + NOISE * 0.5 * rng.random(scores.shape)


def _taken(scores: np.ndarray, k: int, descriptions: np.ndarray | None = None) -> np.ndarray:
    left = np.ones(scores.shape[1], dtype=bool)
    repeated = np.zeros(scores.shape[1])
    taken: list[int] = []
    for turn in range(min(k, scores.shape[1])):
        own = scores[turn % len(scores)] - repeated
        best = int(np.where(left, own, -np.inf).argmax())
        taken.append(best)
        left[best] = False
        if descriptions is not None:
            alike = np.round(descriptions @ descriptions[best], DIGITS)
            repeated = alike if turn == 0 else np.maximum(repeated, alike)
    return np.array(taken, dtype=int)


def mrmr(X, y: np.ndarray, k: int) -> np.ndarray:
    """[k] columns of X (dense [n, p], not negative), one after another: the largest I(x_j > 0; y) minus the mean |correlation| with
    those chosen; relevance and redundancy both as shares of their largest value. Equal ones: the lower column."""
    from scipy.sparse import csr_matrix

    relevance = mutual_information(csr_matrix(X), y)
    relevance = relevance / max(float(relevance.max()), 1e-12)
    centred = X - X.mean(0)
    length = np.linalg.norm(centred, axis=0)
    unit = centred / np.where(length > 0, length, 1)
    redundancy, left = np.zeros(X.shape[1]), np.ones(X.shape[1], dtype=bool)
    chosen: list[int] = []
    for i in range(min(k, X.shape[1])):
        value = relevance - (redundancy / i if i else 0)
        best = int(np.where(left, np.round(value, DIGITS), -np.inf).argmax())
        chosen.append(best)
        left[best] = False
        redundancy += np.abs(unit.T @ unit[:, best])
    return np.array(chosen, dtype=int)
