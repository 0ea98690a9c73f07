"""The trained SAE, random dictionaries, hidden states and the untrained model at an equal budget: what was learned shows here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mosaic.probing.scores import Difference
from mosaic.studies.compared_sets import ALL, NEW_ONLY, ComparedSet, drawn_difference, in_groups, mean_drawn
from mosaic.studies.controls import HIDDEN, RANDOM, TRAINED, UNTRAINED, Controls

PAIRS = {
    "trained_minus_random": (TRAINED, RANDOM),
    "trained_minus_hidden": (TRAINED, HIDDEN),
    "random_minus_hidden": (RANDOM, HIDDEN),
    "hidden_minus_untrained": (HIDDEN, UNTRAINED),
}


@dataclass(frozen=True)
class EqualBudget:
    """layer, width: what all read. n_draws: {what: SAEs of several seeds, random dictionaries, models}.

    differences: the names of PAIRS, means over the sets, intervals over texts and draws; new_words: the same on the
    new words alone, None where no set has them. means: {what: mean macro-F1 over sets and draws}. sparsity: {what: mean
    active latents a token of each draw}. effort: {what: `effort.effort`}.
    """

    layer: int
    width: str
    n_draws: dict[str, int]
    means: dict[str, float]
    differences: dict[str, Difference]
    new_words: dict[str, Difference] | None
    sparsity: dict[str, list[float]]
    effort: dict[str, dict]

    def summary(self) -> dict:
        return {
            "layer": self.layer,
            "width": self.width,
            "n_draws": self.n_draws,
            "mean": self.means,
            **{name: d.summary() for name, d in self.differences.items()},
            "new_words": self.new_words and {name: d.summary() for name, d in self.new_words.items()},
            "sparsity": self.sparsity,
            "effort": self.effort,
        }


def equal_budget(sets: Sequence[ComparedSet], controls: Controls, effort: Mapping[str, dict]) -> EqualBudget:
    """Over all sets, their first parts; effort: {what: what was tried}."""
    groups = in_groups(sets)

    def over(group: str) -> dict[str, Difference]:
        return {name: drawn_difference(groups[group], *both) for name, both in PAIRS.items()}

    return EqualBudget(
        layer=controls.layer,
        width=controls.width,
        n_draws={what: len(draws) for what, draws in sets[0].draws.items()},
        means={what: mean_drawn(groups[ALL], what) for what in sets[0].draws},
        differences=over(ALL),
        new_words=over(NEW_ONLY) if groups[NEW_ONLY] else None,
        sparsity=controls.sparsity(),
        effort=dict(effort),
    )
