"""Where along a model's depth is a text read best, and does a larger model of the same family read it better?

The chapter on layers compares SAE features with hidden states at the layers that have an SAE, each with every pooling.
Here hidden states are read after every block, and the larger model of a pair, where the profile names one, reads the same
texts. One pooling and fewer rows for all: so both models have one budget, and many blocks stay affordable. Blocks of
models of different depth are compared by the share of a model's blocks that a text has passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.features.request import Request
from mosaic.models.language import LanguageModel
from mosaic.probing import comparison, scores
from mosaic.probing.problem import make_problem
from mosaic.probing.scores import Difference, Mean
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile, load_profile
from mosaic.saes.loading import model_name
from mosaic.studies import leads, scale_said
from mosaic.studies.leads import Choice, OneSet
from mosaic.studies.problems import load_cut, opened, sets_here
from mosaic.studies.scale_said import Place
from mosaic.texts.labelled import NEW

FEATURES = ("sae", "hidden")
POOLING = "mean"
ROWS = (300, 300)  # training and test texts a set at most: two models at every block are many fits


@dataclass(frozen=True)
class Depths:
    """One model on all sets: hidden states after every block, SAE features at the layers that have an SAE.

    blocks: all its layer numbers, ascending; layers: those with an SAE. sets: {features: results by layer, as text}.
    means: {features: {layer: mean macro-F1 over the sets, its interval over texts}}. every: the block that validation
    chooses of all for hidden states. at_saes: {features: the layer chosen of those with an SAE}.
    """

    model: str
    blocks: tuple[int, ...]
    layers: tuple[int, ...]
    sets: dict[str, tuple[OneSet, ...]]
    means: dict[str, dict[str, Mean]]
    every: Choice
    at_saes: dict[str, Choice]

    @classmethod
    def of(
        cls, model: str, blocks: Iterable[int], layers: Sequence[int], sets: Mapping[str, Sequence[OneSet]]
    ) -> Depths:
        """What validation chooses of these results, and the means over the sets."""
        return cls(
            model,
            tuple(blocks),
            tuple(layers),
            {features: tuple(ones) for features, ones in sets.items()},
            {features: means(ones) for features, ones in sets.items()},
            leads.choose(sets["hidden"]),
            {features: leads.choose(among(ones, layers)) for features, ones in sets.items()},
        )

    def depth(self, layer: str) -> float:
        """The share of the model's blocks that a text has passed after this layer, above 0 to 1."""
        return (self.blocks.index(int(layer)) + 1) / len(self.blocks)

    def third(self, layer: str) -> str:
        return third(self.blocks.index(int(layer)) + 1, len(self.blocks))

    @property
    def thirds(self) -> dict[str, str]:
        return {str(block): self.third(str(block)) for block in self.blocks}

    @property
    def place(self) -> Place:
        """Where validation reads the model's SAE features."""
        choice = self.at_saes["sae"]
        return Place(choice.winner, self.depth(choice.winner), self.third(choice.winner), choice.again)

    def chosen(self, features: str, choice: Choice) -> dict:
        """A choice as results record it, with where it lies and what it reaches on test."""
        reached = self.means[features][choice.winner]
        return {
            "layer": choice.winner,
            "depth": self.depth(choice.winner),
            "position": self.third(choice.winner),
            "macro_f1": reached.macro_f1,
            "interval": [reached.low, reached.high],
            "choice": choice.summary(),
        }

    def new_words(self, features: str) -> dict[str, float]:
        """{layer: mean macro-F1 on the new words of the sets that have them}; {} where none has."""
        results = [pair for one in self.sets[features] for pair in one.results.items()]
        return leads.mean_of([{**result.row(), "layer": layer} for layer, result in results], "layer", NEW)


@dataclass(frozen=True)
class Scale:
    """One model along its depth, and a larger one beside it.

    name: of the profile. pooling: the one that all is read with. beyond: hidden states at the best of all blocks minus
    at the best layer with an SAE, None where validation chooses the same. large: None where the profile names no larger
    model. difference: {features: larger minus smaller model, macro-F1 at the layer that validation chooses for each of
    those with an SAE, over texts and sets}; new_words: on new words, {} where no set has any.
    """

    name: str
    pooling: str
    small: Depths
    beyond: Difference | None
    large: Depths | None = None
    difference: Mapping[str, Difference] | None = None
    new_words: Mapping[str, Difference] | None = None

    @classmethod
    def of(cls, name: str, pooling: str, small: Depths, large: Depths | None) -> Scale:
        """The differences between these models, and between the blocks with an SAE and all of one."""
        block, layer = small.every.winner, small.at_saes["hidden"].winner
        beyond = None if block == layer else leads.difference(small.sets["hidden"], block, layer)
        if large is None:
            return cls(name, pooling, small, beyond)
        return cls(name, pooling, small, beyond, large, differences(large, small), differences(large, small, NEW))

    def summary(self) -> dict:
        small, every = self.small, self.small.every
        return {
            "every_block": {
                "pooling": self.pooling,
                "rows": {"train": ROWS[0], "test": ROWS[1]},
                "n_blocks": len(small.blocks),
                "mean": {layer: mean.macro_f1 for layer, mean in small.means["hidden"].items()},
                "mean_new_words": small.new_words("hidden"),
                **small.chosen("hidden", every),
                "beyond_saes": self.beyond and self.beyond.summary(),
            },
            "pair": self.large and self._pair(),
        }

    def _pair(self) -> dict:
        sides = {"small": self.small, "large": self.large}
        return {
            "pooling": self.pooling,
            **{
                side: {
                    "model": one.model,
                    "n_blocks": len(one.blocks),
                    "layers": one.layers,
                    "every_block": one.chosen("hidden", one.every),
                    "mean": {f: {layer: mean.macro_f1 for layer, mean in one.means[f].items()} for f in FEATURES},
                    **{features: one.chosen(features, choice) for features, choice in one.at_saes.items()},
                }
                for side, one in sides.items()
            },
            "difference": {features: d.summary() for features, d in self.difference.items()},
            "difference_new_words": {features: d.summary() for features, d in self.new_words.items()} or None,
            "n_sets": len(self.small.sets["sae"]),
        }

    def sentences(self) -> dict[str, str]:
        """What the numbers say, chosen by them."""
        small, large = self.small, self.large
        said = {
            "every_block": leads.sentence("block", small.every),
            "every_block_third": scale_said.thirds_sentence(small.every, small.thirds),
            "every_block_beyond": scale_said.beyond_sentence(
                small.every.winner, small.at_saes["hidden"].winner, self.beyond
            ),
        }
        if large is None:
            return {**said, "pair": scale_said.no_pair_sentence(self.name)}
        larger = [
            scale_said.larger_sentence(f, large.model, small.model, self.difference[f], self.new_words.get(f))
            for f in FEATURES
        ]
        where = {one.model: one.place for one in self.models}
        return {**said, "pair": " ".join([*larger, scale_said.position_sentence(where)])}

    @property
    def models(self) -> tuple[Depths, ...]:
        return (self.small,) if self.large is None else (self.small, self.large)


def run(profile: Profile, lm: LanguageModel, poolings: Sequence[str], device: str, cache: Path | None) -> Scale:
    """The profile's model after every block, and its larger one on the same rows of the same sets, where it names one.

    Raises MosaicError where the larger model is not larger.
    """
    pooling, larger = one_pooling(poolings), larger_of(profile)
    small = measured(profile, profile, lm, pooling, cache)
    large = None if larger is None else measured(larger, profile, opened(larger, device)[1], pooling, cache)
    return Scale.of(profile.name, pooling, small, large)


def one_pooling(poolings: Sequence[str]) -> str:
    """The pooling that all blocks and both models are read with: means, or the first where there are none."""
    return POOLING if POOLING in poolings else poolings[0]


def larger_of(profile: Profile) -> Profile | None:
    """The profile of the larger model that this one names. Raises MosaicError where it has not more parameters."""
    if profile.larger is None:
        return None
    other = load_profile(profile.larger)
    here, there = (one.shape.n_layers * one.shape.parameters for one in (profile, other))
    if there <= here:
        raise MosaicError(
            f"profile {profile.name}, larger: the blocks of {other.name} have {there:,} parameters, those of {profile.name} "
            f"{here:,}. Name a larger model's profile, or leave the key out."
        )
    return other


def measured(profile: Profile, of: Profile, lm: LanguageModel, pooling: str, cache: Path | None) -> Depths:
    """A profile's model on the sets of another, cut to ROWS, with one pooling: linear probes, nothing binarised."""
    request = Request(load_saes(profile, lm, widths=[profile.width]), tuple(lm.layers), (pooling,))
    rows = cut(of)
    sets: dict[str, list[OneSet]] = {features: [] for features in FEATURES}
    for choice in sets_here(of):
        train, test = load_cut(rows, choice.name, choice.language)
        problem = make_problem(train, test, lm, request, cache)
        found = comparison.evaluate(problem, families=FEATURES, binarize=False, trees=False)
        for features in FEATURES:
            results = {r.setting.layer: r for r in found if r.setting.features == features}
            sets[features].append(OneSet(test, {str(layer): results[layer] for layer in sorted(results)}))
    return Depths.of(model_name(profile.model.id), lm.layers, profile.layers, sets)


def cut(profile: Profile) -> Profile:
    """The profile with sets of no more than ROWS."""
    n_train, n_test = ROWS
    here = {
        "max_train": min(n_train, profile.max_train or n_train),
        "max_test": min(n_test, profile.max_test or n_test),
    }
    return replace(profile, **here)


def among(sets: Sequence[OneSet], layers: Sequence[int]) -> list[OneSet]:
    """The sets with the results of these layers alone, in this order."""
    return [one._replace(results={str(layer): one.results[str(layer)] for layer in layers}) for one in sets]


def means(sets: Sequence[OneSet]) -> dict[str, Mean]:
    """{layer: macro-F1 on the first part of each test set, mean over the sets, its interval over texts}."""

    def case(one: OneSet, layer: str) -> tuple:
        labels, predicted, _, groups = scores.paired(one.test, one.results[layer], one.results[layer])
        return labels, [predicted], groups

    return {layer: scores.mean_interval([case(one, layer) for one in sets]) for layer in sets[0].results}


def differences(large: Depths, small: Depths, part: str | None = None) -> dict[str, Difference]:
    """{features: larger minus smaller model at the layer chosen for each of those with an SAE}, on one part of every test
    set (None: its first); {} where no set has that part."""
    found = {}
    for features in FEATURES:
        pairs = [
            (one.test, one.results[large.at_saes[features].winner], other.results[small.at_saes[features].winner])
            for one, other in zip(large.sets[features], small.sets[features], strict=True)
            if part is None or part in one.test.part_rows()
        ]
        if pairs:
            found[features] = scores.compare_over_sets([scores.paired(*pair, part) for pair in pairs])
    return found


def third(passed: int, n_blocks: int) -> str:
    """early, middle or late: in which third of its blocks a model is after so many of them, the last of a third included."""
    return ("early", "middle", "late")[(3 * passed - 1) // n_blocks]
