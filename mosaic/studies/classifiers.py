"""Linear probe or shallow tree? Both read the same features of one layer, with every pooling to choose from.

The headline's comparison tries a tree on the pooling of each layer that suits the linear probe best, which favours linear
probes. Here each classifier is tried on every pooling as it is, nothing binarised: nine strengths of a linear probe, eight
shapes of a tree, both on the same folds of the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mosaic.probing import comparison, scores
from mosaic.probing.problem import Problem
from mosaic.probing.scores import Difference
from mosaic.probing.selection import Result
from mosaic.reporting import plots
from mosaic.studies.headline import SCORES, numbers, outcome
from mosaic.studies.language_scores import at_layers
from mosaic.texts.labelled import LabelledTexts

FAMILIES = ("sae", "hidden")
LINEAR, TREE = "logistic", "tree"


@dataclass(frozen=True)
class Classifiers:
    """Mean differences over the sets, on the first part of each test; intervals over texts and sets.

    layer: whose features all read. linear_minus_tree: {kind of features: Difference}. trees: SAE features minus hidden
    states, trees on both.
    """

    layer: int
    linear_minus_tree: Mapping[str, Difference]
    trees: Difference

    def summary(self) -> dict:
        """As results record it."""
        return {
            "layer": self.layer,
            "linear_minus_tree": {features: d.summary() for features, d in self.linear_minus_tree.items()},
            "trees": {"sae_minus_hidden": self.trees.summary()},
        }

    def sentence(self) -> str:
        """Which classifier is ahead on each kind of features, and which features are with trees on both."""
        each = "; ".join(
            f"on {plots.NAMES[features]} linear probes {SCORES[outcome(d)]} shallow trees ({numbers(d)})"
            for features, d in self.linear_minus_tree.items()
        )
        return (
            f"{each[0].upper()}{each[1:]}. With trees on both, SAE features {SCORES[outcome(self.trees)]} hidden states "
            f"({numbers(self.trees)})."
        )


def evaluate(problem: Problem, layer: int) -> list[Result]:
    """Linear probes and trees on every pooling of one layer, features as they are."""
    here = at_layers(problem, dict.fromkeys(FAMILIES, layer))
    return comparison.evaluate(here, families=FAMILIES, binarize=False, every_tree=True)


def chosen(results: Iterable[Result]) -> dict[tuple[str, str], Result]:
    """{(features, classifier): the first result of its kind}: `evaluate` gives each family's best validation first."""
    found: dict[tuple[str, str], Result] = {}
    for result in results:
        found.setdefault((result.setting.features, result.setting.classifier), result)
    return found


def compare(layer: int, sets: Sequence[tuple[LabelledTexts, Iterable[Result]]]) -> Classifiers:
    """Linear probes against trees, over sets. sets: (test texts, what `evaluate` found on them) of each."""
    of = [(test, chosen(results)) for test, results in sets]

    def minus(a: tuple[str, str], b: tuple[str, str]) -> Difference:
        return scores.compare_over_sets([scores.paired(test, found[a], found[b]) for test, found in of])

    return Classifiers(
        layer,
        {features: minus((features, LINEAR), (features, TREE)) for features in FAMILIES},
        minus((FAMILIES[0], TREE), (FAMILIES[1], TREE)),
    )
