"""In which class of which labelled set a latent surely fires more often: chosen on training texts, told of test texts.

For class c of a set, latent j fires in a share P(j | c) of its texts and P(j | rest) of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic import numerals
from mosaic.interpretation.shares import fisher
from mosaic.models.language import LanguageModel
from mosaic.profiles.opening import available
from mosaic.profiles.profile import Profile
from mosaic.studies.problems import problems

LEVEL = 0.05  # for all classes together
POOLINGS = ("max", "sum", "mean", "count")  # above zero in all of them: the latent fires somewhere in the text


@dataclass(frozen=True)
class OfClass:
    """inside, outside: shares of the class's test texts, and of the others, in which the latent fires."""

    set: str
    name: str
    inside: float
    outside: float

    def __str__(self) -> str:
        return f"{self.set}, {self.name}: {numerals.share(self.inside)} against {numerals.share(self.outside)}"


def most_of(profile: Profile, lm: LanguageModel, latents: Sequence[int], cache: Path | None) -> list[OfClass | None]:
    """Of each latent of the middle SAE the class that has it more often than the rest by most, in training texts of all sets that can
    be had; of classes whose difference Fisher's exact test finds at .05 over the number of all classes, and test texts confirm by
    its sign. None where there is none, and where the profile has no set or no such pooling."""
    best: list[OfClass | None] = [None] * len(latents)
    lead = np.zeros(len(latents))
    pooling = next((one for one in POOLINGS if one in profile.poolings), None)
    if pooling is None or not available(profile):
        return best
    here = {"layers": [profile.middle], "widths": [profile.width], "poolings": [pooling], "cache": cache}
    found = list(problems(profile, lm, **here))
    level = LEVEL / sum(len(problem.train.classes) for _, problem in found)
    for title, problem in found:
        (table,) = (t for t in problem.tables if t.provenance["features"] == "sae")
        fires, n = table.matrix[:, list(latents)].toarray() > 0, len(problem.train)
        for name in problem.train.classes:
            difference = sure_lead(fires[:n], problem.train.labels == name, level)
            tested = shares(fires[n:], problem.test.labels == name)
            for i in np.flatnonzero((np.round(difference - lead, 9) > 0) & (tested[0] > tested[1])):
                lead[i] = difference[i]
                best[i] = OfClass(title, str(name), float(tested[0][i]), float(tested[1][i]))
    return best


def sure_lead(fires: np.ndarray, of_class: np.ndarray, level: float) -> np.ndarray:
    """[L] the class's share minus the others', 0 where Fisher's p is above the level, and of no texts."""
    if not 0 < of_class.sum() < len(of_class):
        return np.zeros(fires.shape[1])
    (a, n), (b, m) = ((fires[rows].sum(0), int(rows.sum())) for rows in (of_class, ~of_class))
    return np.where(fisher(a, n, b, m) <= level, a / n - b / m, 0.0)


def shares(fires: np.ndarray, of_class: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """([L] share of the class's texts in which each fires, of the others'); 0 of no texts. fires: [n, L]. of_class: [n] bool."""
    return tuple(fires[rows].mean(0) if rows.any() else np.zeros(fires.shape[1]) for rows in (of_class, ~of_class))
