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


GROUPS = (ALL, NEW_ONLY, "told", "never_told")


@dataclass(frozen=True)
class Budget:
    """means: {what: mean macro-F1 over all sets and draws}. differences: {group of sets: {name of PAIRS: the mean over the
    sets, interval over texts, sets and draws}}, None for a group without a set."""

    means: dict[str, float]
    differences: dict[str, dict[str, Difference] | None]

    def summary(self) -> dict:
        shown = {group: of and {name: d.summary() for name, d in of.items()} for group, of in self.differences.items()}
        return {"mean": self.means, **shown.pop(ALL), "over": shown}


@dataclass(frozen=True)
class EqualBudget:
    """layer, width: what all read. n_draws: {what: SAEs of several seeds, random dictionaries, models}.

    linear: with linear probes. with_tree: where a tree on the best pooling may be chosen, too. sparsity: {what: mean
    active latents per token of each draw}. effort: {what: `effort.effort`}.
    """

    layer: int
    width: str
    n_draws: dict[str, int]
    linear: Budget
    with_tree: Budget
    sparsity: dict[str, list[float]]
    effort: dict[str, dict]

    def summary(self) -> dict:
        return {
            "layer": self.layer,
            "width": self.width,
            "n_draws": self.n_draws,
            **self.linear.summary(),
            "with_tree": self.with_tree.summary(),
            "sparsity": self.sparsity,
            "effort": self.effort,
        }


def equal_budget(sets: Sequence[ComparedSet], controls: Controls, effort: Mapping[str, dict]) -> EqualBudget:
    """Over all sets; effort: {what: what was tried}."""
    members, whats = in_groups(sets), list(sets[0].draws)

    def budget(tree: bool) -> Budget:
        return Budget(
            means={what: mean_drawn(members[ALL], what, tree) for what in whats},
            differences={
                group: {name: drawn_difference(members[group], *both, tree) for name, both in PAIRS.items()}
                if members[group]
                else None
                for group in GROUPS
            },
        )

    return EqualBudget(
        layer=controls.layer,
        width=controls.width,
        n_draws={what: len(draws) for what, draws in sets[0].draws.items()},
        linear=budget(tree=False),
        with_tree=budget(tree=True),
        sparsity=controls.sparsity(),
        effort=dict(effort),
    )
