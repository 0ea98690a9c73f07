"""In which class of which labelled set a latent surely fires more often: chosen on training texts, told of test texts.

For class c of a set, latent j fires in a share P(j | c) of its texts and P(j | rest) of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic.interpretation.shares import newcombe
from mosaic.models.language import LanguageModel
from mosaic.profiles.opening import available
from mosaic.profiles.profile import Profile
from mosaic.studies.problems import problems

POOLINGS = ("max", "sum", "mean", "count")  # above zero in all of them: the latent fires somewhere in the text


@dataclass(frozen=True)
class OfClass:
    """inside, outside: shares of the class's test texts, and of the others, in which the latent fires."""

    set: str
    name: str
    inside: float
    outside: float

    def __str__(self) -> str:
        return f"{self.set}, {self.name}: {self.inside:.0%} against {self.outside:.0%}"


def most_of(profile: Profile, lm: LanguageModel, latents: Sequence[int], cache: Path | None) -> list[OfClass | None]:
    """Of each latent of the middle SAE the class that has it more often than the rest with the most certainty: the largest lower end
    of the 95 % interval of the difference in training texts, of all sets that can be had. None where none is above zero, and where
    the profile has no set or no such pooling."""
    best: list[OfClass | None] = [None] * len(latents)
    lead = np.zeros(len(latents))
    pooling = next((one for one in POOLINGS if one in profile.poolings), None)
    if pooling is None or not available(profile):
        return best
    here = {"layers": [profile.middle], "widths": [profile.width], "poolings": [pooling], "cache": cache}
    for title, problem in problems(profile, lm, **here):
        (table,) = (t for t in problem.tables if t.provenance["features"] == "sae")
        fires, n = table.matrix[:, list(latents)].toarray() > 0, len(problem.train)
        for name in problem.train.classes:
            lowest = least_lead(fires[:n], problem.train.labels == name)
            tested = shares(fires[n:], problem.test.labels == name)
            for i in np.flatnonzero(np.round(lowest - lead, 9) > 0):
                lead[i] = lowest[i]
                best[i] = OfClass(title, str(name), float(tested[0][i]), float(tested[1][i]))
    return best


def least_lead(fires: np.ndarray, of_class: np.ndarray) -> np.ndarray:
    """[L] lower end of the interval of the class's share minus the others' (Newcombe's); 0 of no texts."""
    if not 0 < of_class.sum() < len(of_class):
        return np.zeros(fires.shape[1])
    (a, n), (b, m) = ((fires[rows].sum(0), int(rows.sum())) for rows in (of_class, ~of_class))
    return newcombe(a, n, b, m)[0]


def shares(fires: np.ndarray, of_class: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """([L] share of the class's texts in which each fires, of the others'); 0 of no texts. fires: [n, L]. of_class: [n] bool."""
    return tuple(fires[rows].mean(0) if rows.any() else np.zeros(fires.shape[1]) for rows in (of_class, ~of_class))
