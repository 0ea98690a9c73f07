"""Is a latent that fires more rarely less consistent? Mean matched cosine (PW-MCC) by groups of firing frequency.

After Song et al. (arXiv 2505.20254), who give the PW-MCC of five groups, from rare to frequent. Shapes: S SAEs of N
latents; frequency [S, N], share of tokens; cosines [S, S, N], of each latent of SAE i with its partner in SAE j by the
decoder's matching (NaN for i = j and where it has none); family [S, N], latents that are one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from mosaic.agreement.resampling import (
    LEVEL,
    Estimate,
    jackknife,
    least_edges,
    quantiles,
    resampled_means,
    widest,
)
from mosaic.numerals import share, shown
from mosaic.reporting.results import NOT_MEASURED
from mosaic.studies.wording import between, side, signed

GROUPS = 5


def edges_of(frequency: np.ndarray) -> list[float]:
    """GROUPS + 1 edges between groups of as many latents that fire each; all 0 where none fires."""
    fires = frequency > 0
    if not fires.any():
        return [0.0] * (GROUPS + 1)
    return np.quantile(frequency[fires], np.linspace(0, 1, GROUPS + 1)).tolist()


def group_of(frequency: np.ndarray) -> np.ndarray:
    """Shaped like frequency: 0, the rarest, to GROUPS - 1; -1 for latents that never fire."""
    inner = edges_of(frequency)[1:-1]
    return np.where(frequency > 0, np.searchsorted(inner, frequency, side="right"), -1)


def consistency(cosines: np.ndarray) -> np.ndarray:
    """[S, N]: how well each latent is matched in the other SAEs, on average; NaN where it is matched in none."""
    known = np.isfinite(cosines)
    n = known.sum(1)
    return np.where(n > 0, np.where(known, cosines, 0).sum(1) / np.maximum(n, 1), np.nan)


def group_means(frequency: np.ndarray, cosines: np.ndarray) -> np.ndarray:
    """[GROUPS] PW-MCC from rare to frequent; NaN for a group without latents."""
    values, group = consistency(cosines), group_of(frequency)
    masks = [(group == g) & np.isfinite(values) for g in range(GROUPS)]
    return np.array([values[mask].mean() if mask.any() else np.nan for mask in masks])


def by_frequency(frequency: np.ndarray, cosines: np.ndarray, family: np.ndarray, shared: np.ndarray) -> dict:
    """The groups, the steps between neighbours, and the rise from the rarest to the most frequent.

    shared: [S, N] bool, in at least one other SAE. least_step: {difference, interval} of the least of the steps, whose
    interval lies above 0 only where every step's does, each at a level right for all (Bonferroni). Every interval covers one
    over latents (families drawn) and one over SAEs (each left out, as an owner and as a partner). None without groups.
    """
    group, means = group_of(frequency), group_means(frequency, cosines)
    edges = edges_of(frequency)
    groups = [
        {"from": low, "to": high, "pw_mcc": _number(mean), "shared": _mean(shared[group == g])}
        for g, (low, high, mean) in enumerate(zip(edges, edges[1:], means, strict=False))
    ]
    none = {"difference": None, "interval": None}
    if not np.isfinite(means).all():
        return {"groups": groups, "steps": [], "least_step": none, "rise": none}
    values = consistency(cosines)
    known = np.isfinite(values).ravel()
    masks = [(group == g).ravel() & known for g in range(GROUPS)]
    draws = resampled_means(values.ravel(), masks, family.ravel())
    ids = np.arange(len(cosines))
    left_out = np.array([_without(frequency, cosines, ids != i) for i in ids])
    level = 1 - (1 - LEVEL) / (GROUPS - 1)
    steps = [contrast(means, draws, left_out, a, b, level) for a, b in pairwise(range(GROUPS))]
    smallest = min(step["difference"] for step in steps)
    for g, one in enumerate(groups):
        over_saes = jackknife(means[g], left_out[:, g]) if np.isfinite(left_out[:, g]).all() else Estimate(means[g])
        one["interval"] = widest(quantiles(draws[:, g]), over_saes.interval())
    return {
        "groups": groups,
        "steps": steps,
        "least_step": {"difference": smallest, "interval": least_edges([step["interval"] for step in steps])},
        "rise": contrast(means, draws, left_out, 0, GROUPS - 1),
    }


def contrast(means: np.ndarray, draws: np.ndarray, left_out: np.ndarray, a: int, b: int, level: float = LEVEL) -> dict:
    """{difference, interval} of group b's mean less group a's. draws: [B, GROUPS]; left_out: [S, GROUPS]."""
    difference = float(means[b] - means[a])
    without = left_out[:, b] - left_out[:, a]
    over_saes = jackknife(difference, without) if np.isfinite(without).all() else Estimate(difference)
    interval = widest(quantiles(draws[:, b] - draws[:, a], level), over_saes.interval(level))
    return {"difference": difference, "interval": interval}


def frequency_sentence(found: Mapping) -> str:
    """Whether rarer latents are less consistent: at every step, on the whole, or not."""
    rise, step = found["rise"], found["least_step"]
    if rise["difference"] is None:
        return f"How consistent latents are by how often they fire is {NOT_MEASURED}: too few fire."
    values = ", ".join(shown(one["pw_mcc"]) for one in found["groups"])
    whole, every = side(rise["interval"], 0), side(step["interval"], 0)
    told = {
        None: "These are point estimates, without an interval",
        "above": "The most frequent latents are more consistent than the rarest",
        "below": "The most frequent latents are not more consistent than the rarest",
        "between": "The most frequent latents cannot be told from the rarest",
    }[whole]
    steps = {
        None: "Steps have no interval either",
        "above": "Each group is more consistent than the one before: the rarer, the less consistent",
        "below": "Not every group is more consistent than the one before: it is no rule that the rarer are the less so",
        "between": "Whether every group is more consistent than the one before cannot be told",
    }[every]
    return (
        f"From rare to frequent the mean matched cosine is {values}. {told} ({signed(rise['difference'])}, "
        f"{between(rise['interval'], signed)}). {steps} (the least step {signed(step['difference'])}, "
        f"{between(step['interval'], signed)})."
    )


def frequent_orphans(frequency: np.ndarray, cosines: np.ndarray, shared: np.ndarray, chance: float) -> dict:
    """The orphans of the most frequent group: their share of it, mean matched cosine, and the share of them at chance or below.

    shared: [S, N] bool. shared_cosine: of the others of that group. None where there is no such latent.
    """
    values = consistency(cosines)
    most = (group_of(frequency) == GROUPS - 1) & np.isfinite(values)
    orphans = values[most & ~shared]
    return {
        "share": _mean(~shared[most]),
        "cosine": _mean(orphans),
        "shared_cosine": _mean(values[most & shared]),
        "chance": chance,
        "at_chance": _mean(orphans <= chance),
    }


def orphans_sentence(found: Mapping) -> str:
    """Whether frequent orphans are matched by chance only, which would draw them as a cloud of their own. found: of
    `frequent_orphans`."""
    if found["share"] is None:
        return f"Whether there are frequent orphans is {NOT_MEASURED}: too few latents fire."
    if found["cosine"] is None:
        return "Of the most frequent fifth no latent is an orphan."
    where = (
        f"{share(found['at_chance'])} of them lie at chance or below it"
        if found["at_chance"]
        else "none of them lies at chance or below it"
    )
    others = "" if found["shared_cosine"] is None else f"shared ones of that fifth {shown(found['shared_cosine'])}, "
    return (
        f"Of the most frequent fifth {share(found['share'])} are orphans. Their mean matched cosine is {shown(found['cosine'])} "
        f"on average ({others}chance {shown(found['chance'])}); {where}."
    )


def shared_sentence(groups: Sequence[Mapping]) -> str:
    """How the share of shared latents goes with how often they fire, by the numbers as they are shown. groups: of `by_frequency`."""
    if any(one["shared"] is None for one in groups):
        return f"The share of shared latents by how often they fire is {NOT_MEASURED}: too few fire."
    values = [round(one["shared"], 2) for one in groups]
    steps = [b - a for a, b in pairwise(values)]
    if not any(steps):
        told = "is the same in all groups"
    elif min(steps) >= 0:
        told = "never falls from rare to frequent"
    elif max(steps) <= 0:
        told = "never rises from rare to frequent"
    else:
        least, most = values.index(min(values)) + 1, values.index(max(values)) + 1
        told = f"neither rises nor falls throughout: it is least in group {least} and greatest in group {most}, 1 being the rarest"
    listed = ", ".join(shown(value, places=2) for value in values)
    return f"The share of latents that at least one other SAE has is {listed}, without intervals. It {told}."


def _without(frequency: np.ndarray, cosines: np.ndarray, kept: np.ndarray) -> np.ndarray:
    return group_means(frequency[kept], cosines[kept][:, kept])


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None
