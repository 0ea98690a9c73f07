"""Which latents are shared? By how often they fire, how well that is predicted, and what they track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.agreement import stability
from mosaic.agreement.presence import Presence
from mosaic.errors import MosaicError
from mosaic.interpretation import detection, tracking
from mosaic.models.language import LanguageModel
from mosaic.profiles.opening import load_model
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, published, tables
from mosaic.reporting.beside import beside_published
from mosaic.reporting.colours import INK
from mosaic.reporting.results import shown
from mosaic.saes.dictionary import random_dictionary
from mosaic.saes.encoder import Encoder
from mosaic.studies import frequency
from mosaic.studies.membership import (
    Latents,
    by_members,
    detection_sentence,
    detection_step,
    factor_record,
    factor_sentence,
)
from mosaic.studies.problems import CACHE
from mosaic.studies.seeds import base_of, held_out_texts, seed_encoders, seeds_of
from mosaic.studies.study import Study
from mosaic.studies.wording import read_here

SCORED = 3  # SAEs whose latents are explained and compared with the factors
TRACKED = 0.9  # AUROC from which a latent tracks a factor


@dataclass(frozen=True)
class Tracking:
    """area: AUROC of the factor that each scored latent tracks best. found_by_shared: one value for every factor and
    SAE in which some latent tracks it: whether a shared one does."""

    area: np.ndarray
    found_by_shared: tuple[bool, ...]


@dataclass(frozen=True)
class WhichLatents(Study):
    """All latents of S SAEs of N latents each.

    rows: of the SAEs' card. presence: in which of them each latent is. frequency: [S, N], share of held-out tokens a latent
    fires on. cosines: [S, S, N], of each latent of SAE i with its decoder's partner in SAE j. chance: mean matched cosine
    with a random dictionary. Of the first SCORED SAEs' latents, one after the other: score, balanced accuracy of predicting
    where each fires (NaN where it fires too seldom); control, by another latent's explanation; tracking, where factors are
    known.
    """

    name: ClassVar[str] = "which_latents"
    needs: ClassVar[tuple[str, ...]] = ("seeds",)

    rows: tuple[dict, ...]
    presence: Presence
    frequency: np.ndarray
    cosines: np.ndarray
    chance: float
    score: np.ndarray
    control: np.ndarray
    tracking: Tracking | None

    @property
    def n_seeds(self) -> int:
        return len(self.presence)

    @property
    def scored(self) -> Latents:
        """The latents that `score` and `tracking` are of."""
        width = self.frequency.shape[1]
        n = len(self.score) // width
        return Latents(
            self.presence.membership[:n].ravel(), np.repeat(np.arange(n), width), self.presence.family[:n].ravel()
        )

    def summary(self) -> dict:
        factors = None
        if self.tracking:
            factors = factor_record(self.tracking.area, self.scored, self.tracking.found_by_shared, TRACKED)
        by_membership = by_members(self.score, self.scored, self.n_seeds)
        detected = detection_step(self.score, self.control, self.scored)
        shared = self.presence.membership > 1
        orphans = frequency.frequent_orphans(self.frequency, self.cosines, shared, self.chance)
        return {
            "n_seeds": self.n_seeds,
            "least": detection.LEAST,
            "frequency": self.by_frequency,
            "frequent_orphans": orphans,
            "detection": {
                **detected,
                "by_membership": {m: {"mean": v, "low": low, "high": high} for m, v, low, high in by_membership},
            },
            "factors": factors,
            "sentences": {
                "read": read_here(self.rows),
                "frequency": frequency.frequency_sentence(self.by_frequency),
                "shared": frequency.shared_sentence(self.by_frequency["groups"]),
                "orphans": frequency.orphans_sentence(orphans),
                "detection": detection_sentence(detected),
                "factors": factor_sentence(factors, TRACKED),
            },
        }

    def figure(self):
        """How often a latent fires against how well it is matched in the other SAEs; the dashed line is chance."""
        fires, cosine = self.frequency.ravel(), frequency.consistency(self.cosines).ravel()
        drawn = (fires > 0) & np.isfinite(cosine)
        x = np.log10(fires[drawn])
        ax = plots.joint(
            x, cosine[drawn], "log10 of the share of tokens it fires on", "mean matched cosine in the other SAEs"
        )
        ax.axhline(self.chance, color=INK, linestyle="--", label="chance")
        left = (x.min(), self.chance)
        ax.annotate("chance", left, textcoords="offset points", xytext=(2, 4), color=INK)
        return plots.finished(ax.figure)

    def consistency(self):
        """Mean matched cosine from rare to frequent latents, five groups as published, and the published values."""
        groups = self.by_frequency["groups"]
        if any(one["pw_mcc"] is None for one in groups):
            return tables.Html("<p>Too few latents fire in these texts to make groups.</p>")
        here = [
            (str(g), one["pw_mcc"], *(one["interval"] or (one["pw_mcc"], one["pw_mcc"])))
            for g, one in enumerate(groups, 1)
        ]
        known = published.series("song.frequency")
        series = {"this run": here, "published (Pythia-160M, 16k)": [(str(g), v, v, v) for g, v in known.items()]}
        return plots.finished(plots.curves(series, "from rare (1) to frequent (5)", "mean matched cosine").figure)

    def prediction(self):
        """Balanced accuracy of predicting where a latent fires, by the number of SAEs that have it, beside its control; and
        the published values."""
        rows = by_members(self.score, self.scored, self.n_seeds)
        if not rows:
            return tables.Html("<p>No latent fires often enough in these texts to be scored.</p>")
        control = float(np.nanmean(self.control))
        chance = [(m, control, control, control) for m, *_ in rows]
        series = {"this run": rows, "chance: another latent's explanation": chance}
        labels = ("nine SAEs, an LLM's explanations", "in exactly so many SAEs", "balanced accuracy")
        return plots.finished(beside_published(series, published.series("seeds.detection"), *labels))

    def factors(self):
        """AUROC of the factor each latent tracks best, by the number of SAEs that have it."""
        if self.tracking is None:
            return tables.Html("<p>What its texts are about is not known on this profile.</p>")
        rows = by_members(self.tracking.area, self.scored, self.n_seeds)
        ax = plots.bars(rows, "AUROC of its best factor", f"in exactly so many of {self.n_seeds} SAEs", of="shared")
        ax.set_ylim(0.5, 1)
        return plots.finished(ax.figure)

    def table(self) -> tables.Html:
        """Five groups of latents by how often they fire: mean matched cosine, and the share that another SAE has too."""
        rows = [
            {
                "frequency": f"{one['from']:.4f} to {one['to']:.4f}",
                "pw_mcc": one["pw_mcc"],
                "interval": shown(one.get("interval")),
                "shared": one["shared"],
            }
            for one in self.by_frequency["groups"]
        ]
        columns = {
            "frequency": "share of tokens it fires on (fifths of the latents)",
            "pw_mcc": "mean matched cosine",
            "interval": "95 %",
            "shared": "in at least one other SAE",
        }
        return tables.table(rows, columns)

    @cached_property
    def by_frequency(self) -> dict:
        """Consistency in five groups of latents by how often they fire."""
        return frequency.by_frequency(self.frequency, self.cosines, self.presence.family, self.presence.membership > 1)


def run(
    profile: str | Profile, *, n_texts: int = 6000, device: str = "cpu", cache: Path | None = CACHE
) -> WhichLatents:
    """Match all seeds of the base; explain and score the latents of its first SCORED on `n_texts` held-out texts."""
    profile, base = base_of(profile)
    seeds = seeds_of(profile, base.rows, device)
    unmeasured = [sae.name for sae in seeds.dictionaries if sae.frequency is None]
    if unmeasured:
        raise MosaicError(
            f"{unmeasured[0]} has no sparsity.safetensors: how often its latents fire was not measured. "
            "`mosaic train-sae` writes it."
        )
    presence = Presence.of(seeds)
    lm = load_model(profile, device)
    encoders = seed_encoders(profile, lm, base.rows[:SCORED])
    observed = detection.firings(held_out_texts(profile, n_texts), lm, encoders)
    first, second = seeds.dictionaries[:2]
    return WhichLatents(
        profile,
        rows=tuple(base.rows),
        presence=presence,
        frequency=np.stack([sae.frequency for sae in seeds.dictionaries]),
        cosines=np.stack([seeds.cosines(i) for i in range(len(seeds))]),
        chance=stability.match(first, random_dictionary(second, 0), device).pw_mcc,
        score=np.concatenate([detection.detection_scores(observed, codes) for codes in observed.codes]),
        control=np.concatenate([detection.detection_scores(observed, codes, shuffle=0) for codes in observed.codes]),
        tracking=tracked(lm, encoders, presence.membership, cache) if profile.truth else None,
    )


def tracked(
    lm: LanguageModel, encoders: Sequence[Encoder], membership: Sequence[np.ndarray], cache: Path | None
) -> Tracking:
    """The factor each latent of these SAEs tracks best, on the miniature's texts. membership: [n_i] each, as above."""
    rows, factors = tracking.texts()
    areas, found_by_shared = [], []
    for table, member in zip(tracking.tables(rows, lm, encoders, cache), membership, strict=False):
        area, names = tracking.best_factor(table, rows, factors)
        areas.append(area)
        found_by_shared += found_by(area, np.array(names), member > 1)
    return Tracking(np.concatenate(areas), tuple(found_by_shared))


def found_by(area: np.ndarray, names: np.ndarray, shared: np.ndarray) -> list[bool]:
    """For every factor that some latent tracks at TRACKED: whether one of those latents is shared."""
    enough = area >= TRACKED
    return [bool(shared[enough & (names == name)].any()) for name in dict.fromkeys(names[enough])]
