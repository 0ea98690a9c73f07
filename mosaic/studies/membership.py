"""Latents by the number of SAEs that have them: means with intervals, fifths, and shared ones against orphans.

membership: [D], in how many SAEs a latent is; 1 is an orphan, more is shared. A group without latents gives None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

FIFTHS = 5
INTERVAL = (0.025, 0.975)


def by_members(values: np.ndarray, membership: np.ndarray, n_seeds: int) -> list[tuple[str, float, float, float]]:
    """(m, mean, low, high) of the latents in exactly m SAEs, m = 1, ..., S; 95 % by bootstrap over latents.

    values: [D], NaN where a latent has none. Groups without a value are left out.
    """
    rows = []
    for m in range(1, n_seeds + 1):
        group = values[(membership == m) & np.isfinite(values)]
        if len(group):
            means = np.random.default_rng(m).choice(group, (1000, len(group))).mean(1)
            rows.append((str(m), float(group.mean()), *(float(x) for x in np.quantile(means, INTERVAL))))
    return rows


def by_fifths(frequency: np.ndarray, membership: np.ndarray) -> tuple[list[float], list[float | None]]:
    """(6 edges, 5 shares): the latents that fire, in fifths from the rarest on, and how many of each are shared."""
    fires = frequency > 0
    if not fires.any():
        return [0.0] * (FIFTHS + 1), [None] * FIFTHS
    edges = np.quantile(frequency[fires], np.linspace(0, 1, FIFTHS + 1))
    fifth = np.clip(np.searchsorted(edges, frequency[fires], side="right") - 1, 0, FIFTHS - 1)
    shared = membership[fires] > 1
    return edges.tolist(), [_mean(shared[fifth == k]) for k in range(FIFTHS)]


def monotone(values: Sequence[float | None]) -> bool:
    """Whether no value is below the one before it; None, of a group without latents, is passed over."""
    known = [value for value in values if value is not None]
    return all(a <= b for a, b in pairwise(known))


def frequency_record(frequency: np.ndarray, membership: np.ndarray) -> dict:
    """Does a latent that fires more often stand in more SAEs? Rank correlation, and the share of shared ones by fifths.

    spearman: None where all latents stand in equally many.
    """
    from scipy.stats import spearmanr

    fires = frequency > 0
    _, shared = by_fifths(frequency, membership)
    varied = all(len(np.unique(values[fires])) > 1 for values in (frequency, membership))
    return {
        "spearman": float(spearmanr(frequency[fires], membership[fires]).statistic) if varied else None,
        "shared_by_fifth": shared,
        "rarest": shared[0],
        "most_frequent": shared[-1],
        "monotone": "yes" if monotone(shared) else "no",
    }


def detection_step(score: np.ndarray, control: np.ndarray, membership: np.ndarray) -> dict:
    """How much better shared latents are predicted than orphans.

    score, control: [D] balanced accuracies, by a latent's own explanation and by another's; NaN: not scored. interval:
    95 % of the difference by bootstrap over latents.
    """
    known = np.isfinite(score)
    orphan, shared = score[known & (membership == 1)], score[known & (membership > 1)]
    step: dict = {"difference": None, "interval": None}
    if len(orphan) and len(shared):
        generator = np.random.default_rng(0)
        draws = [
            generator.choice(shared, len(shared)).mean() - generator.choice(orphan, len(orphan)).mean()
            for _ in range(2000)
        ]
        step["difference"] = float(shared.mean() - orphan.mean())
        step["interval"] = [float(x) for x in np.quantile(draws, INTERVAL)]
    return step | {
        "orphan": _mean(orphan),
        "shared": _mean(shared),
        "n_orphan": len(orphan),
        "n_shared": len(shared),
        "not_scored": int((~known).sum()),
        "another_latent": float(np.nanmean(control)) if np.isfinite(control).any() else None,
    }


def factor_record(area: np.ndarray, membership: np.ndarray, found_by_shared: Sequence[bool], tracked: float) -> dict:
    """Shared latents against orphans, by the AUROC of the factor each tracks best: means, shares from `tracked` on.

    found_by_shared: of each factor that is found, whether a shared latent is among those that find it.
    """
    orphan, shared = area[membership == 1], area[membership > 1]
    return {
        "orphan": _mean(orphan),
        "shared": _mean(shared),
        "orphans_above": _mean(orphan >= tracked),
        "shared_above": _mean(shared >= tracked),
        "found_by_a_shared_latent": _mean(np.array(found_by_shared, dtype=bool)),
        "n_found": len(found_by_shared),
    }


def factor_text(factors: Mapping | None, tracked: float) -> str:
    """The same in a sentence, for the chapter's end."""
    if factors is None:
        return "not known on this profile"
    share = {name: "none" if value is None else f"{value:.3f}" for name, value in factors.items()}
    return (
        f"{share['shared_above']} of the shared latents and {share['orphans_above']} of the orphans track a factor at "
        f"{tracked:g}; of the factors that are found at all, {share['found_by_a_shared_latent']} are found by a shared "
        "latent"
    )


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
