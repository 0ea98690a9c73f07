"""Latents by the number of SAEs that have them: means with intervals, and shared ones against orphans.

values: [D], of the latents of a few SAEs, NaN where a latent has none. membership: [D], in how many SAEs a latent is; 1 is an
orphan, more is shared. owner: [D], which SAE it belongs to. family: [D], latents that are one (`Presence`). A group without
latents gives None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.agreement.resampling import jackknife, quantiles, resampled_means, widest
from mosaic.reporting.results import NOT_MEASURED, shown
from mosaic.studies.wording import between, side, signed


@dataclass(frozen=True)
class Latents:
    """Which latents are compared: [D] each, as above."""

    membership: np.ndarray
    owner: np.ndarray
    family: np.ndarray

    @property
    def shared(self) -> np.ndarray:
        return self.membership > 1


def by_members(values: np.ndarray, latents: Latents, n_seeds: int) -> list[tuple[str, float, float, float]]:
    """(m, mean, low, high) of the latents in exactly m SAEs, m = 1, ..., S; 95 %, families of latents drawn.

    Groups without a value are left out.
    """
    known = np.isfinite(values)
    members = [m for m in range(1, n_seeds + 1) if (known & (latents.membership == m)).any()]
    if not members:
        return []
    groups = [known & (latents.membership == m) for m in members]
    draws = resampled_means(values, groups, latents.family)
    rows = []
    for m, group, column in zip(members, groups, draws.T, strict=True):
        mean = float(values[group].mean())
        low, high = quantiles(column)
        rows.append((str(m), mean, min(low, mean), max(high, mean)))
    return rows


def shared_less_orphans(values: np.ndarray, latents: Latents) -> dict:
    """{difference, interval, latents, seeds, each}: the mean over shared latents less that over orphans.

    each: of every SAE alone; difference: their mean. latents: 95 %, families of latents drawn; seeds: 95 % over the SAEs;
    interval: what covers both. All None where an SAE has no latent of one of the kinds.
    """
    known = np.isfinite(values)
    saes = np.unique(latents.owner)
    kinds = (latents.shared, ~latents.shared)
    groups = [known & kind & (latents.owner == sae) for sae in saes for kind in kinds]
    if not all(group.any() for group in groups):
        return dict.fromkeys(("difference", "interval", "latents", "seeds", "each"))
    means = np.array([values[group].mean() for group in groups]).reshape(-1, 2)
    each = means[:, 0] - means[:, 1]
    draws = resampled_means(values, groups, latents.family).reshape(-1, len(saes), 2)
    over_latents = quantiles((draws[:, :, 0] - draws[:, :, 1]).mean(1))
    n = len(saes)
    without = [np.delete(each, i).mean() if n > 1 else None for i in range(n)]
    over_seeds = jackknife(float(each.mean()), without).interval()
    return {
        "difference": float(each.mean()),
        "interval": widest(over_latents, over_seeds),
        "latents": over_latents,
        "seeds": over_seeds,
        "each": each.tolist(),
    }


def detection_step(score: np.ndarray, control: np.ndarray, latents: Latents) -> dict:
    """How much better shared latents are predicted than orphans.

    score, control: [D] balanced accuracies, by a latent's own explanation and by another's; NaN: not scored.
    """
    known = np.isfinite(score)
    orphan, shared = score[known & ~latents.shared], score[known & latents.shared]
    return shared_less_orphans(score, latents) | {
        "orphan": _mean(orphan),
        "shared": _mean(shared),
        "n_orphan": len(orphan),
        "n_shared": len(shared),
        "n_saes": len(np.unique(latents.owner)),
        "not_scored": int((~known).sum()),
        "another_latent": float(np.nanmean(control)) if np.isfinite(control).any() else None,
    }


def detection_sentence(found: Mapping) -> str:
    """Whether shared latents are easier to predict than orphans."""
    if found["difference"] is None:
        return (
            f"Whether shared latents are easier to predict than orphans is {NOT_MEASURED}: one of the kinds is missing."
        )
    told = {
        "above": "shared latents are easier to predict than orphans",
        "below": "shared latents are not easier to predict than orphans",
        "between": "shared latents and orphans cannot be told apart",
        None: "a point estimate, without an interval over SAEs",
    }[side(found["interval"], 0)]
    return (
        f"Shared latents are predicted at {shown(found['shared'])}, orphans at {shown(found['orphan'])}; in the "
        f"{found['n_saes']} SAEs one by one the difference is {_list(found['each'])}, on average "
        f"{signed(found['difference'])} ({between(found['interval'], signed)}): {told}. Another latent's explanation gets "
        f"{shown(found['another_latent'])}."
    )


def factor_record(area: np.ndarray, latents: Latents, found_by_shared: Sequence[bool], tracked: float) -> dict:
    """Shared latents against orphans, by the AUROC of the factor each tracks best: means, shares from `tracked` on.

    found_by_shared: of each factor and SAE in which it is found, whether a shared latent is among those that find it.
    share_shared: of all latents compared.
    """
    orphan, shared = area[~latents.shared], area[latents.shared]
    return {
        "orphan": _mean(orphan),
        "shared": _mean(shared),
        "difference": shared_less_orphans(area, latents),
        "orphans_above": _mean(orphan >= tracked),
        "shared_above": _mean(shared >= tracked),
        "above": shared_less_orphans((area >= tracked).astype(float), latents),
        "found_by_a_shared_latent": _mean(np.array(found_by_shared, dtype=bool)),
        "n_found": len(found_by_shared),
        "share_shared": _mean(latents.shared),
    }


def factor_sentence(factors: Mapping | None, tracked: float) -> str:
    """Whether shared latents track a known factor more often than orphans do."""
    if factors is None:
        return f"What its texts are about is not known on this profile: {NOT_MEASURED}."
    above = factors["above"]
    if above["difference"] is None:
        return f"Whether shared latents track a factor more often than orphans is {NOT_MEASURED}: one of the kinds is missing."
    told = {
        "above": "shared latents do so more often",
        "below": "shared latents do so no more often",
        "between": "the two kinds cannot be told apart",
        None: "a point estimate, without an interval over SAEs",
    }[side(above["interval"], 0)]
    text = (
        f"{shown(factors['shared_above'])} of the shared latents and {shown(factors['orphans_above'])} of the orphans track "
        f"a factor at an AUROC of {tracked:g} ({signed(above['difference'])}, {between(above['interval'], signed)}): {told}."
    )
    if factors["found_by_a_shared_latent"] is None:
        return f"{text} No factor is found at all."
    n = factors["n_found"]
    pairs = "pair" if n == 1 else "pairs"
    return (
        f"{text} Of the {n} {pairs} of a factor and an SAE with a latent that tracks it, {shown(factors['found_by_a_shared_latent'])} have a shared latent among those "
        f"that do; of all latents {shown(factors['share_shared'])} are shared."
    )


def _list(values: Sequence[float]) -> str:
    return ", ".join(signed(value) for value in values)


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
