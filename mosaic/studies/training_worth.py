"""What is a trained SAE worth? Its latents against those of dictionaries that learned nothing, for every number of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from mosaic.probing import curves, scores
from mosaic.probing.curves import ALL
from mosaic.probing.scores import Difference, Mean
from mosaic.profiles.profile import Profile
from mosaic.reporting import tables
from mosaic.studies import gains, readable
from mosaic.studies import training_worth_said as said
from mosaic.studies import training_worth_tables as shown
from mosaic.studies.controls import FROZEN, OF_UNTRAINED, RANDOM, TRAINED, Controls
from mosaic.studies.problems import CACHE, check_poolings, load_cut, opened, sets_here
from mosaic.studies.readable import Readable
from mosaic.studies.seeds import held_out_texts
from mosaic.studies.study import Study
from mosaic.studies.training_sets import DIRECTIONS, FEW, PCA, SUPERVISED, UNITS, SetCurves, set_curves
from mosaic.studies.training_worth_figure import family_curves, wins_and_losses
from mosaic.texts.labelled import FAMILIAR, NEW

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What a mean goes over: the first part of every test; both parts of the sets that have a second one, in new words.
FIRST, FAMILIAR_OF_BOTH, NEW_ONLY = "first", "familiar_words", "new_words"
TOLD = ("1", str(FEW), ALL)  # sizes that sentences name
HEADINGS = {FIRST: FAMILIAR, NEW_ONLY: NEW}
Members = list[tuple[SetCurves, str]]


@dataclass(frozen=True)
class TrainingWorth(Study):
    """sets: what every family reached on each. pooling: of all features. sparsity: {what: mean active latents per token of
    each SAE and random dictionary}. readable: how well the latents of each are predicted."""

    name: ClassVar[str] = "training_worth"

    sets: tuple[SetCurves, ...]
    pooling: str
    sparsity: dict
    readable: Readable

    def summary(self) -> dict:
        return {
            "layer": self.profile.middle,
            "width": self.profile.width,
            "pooling": self.pooling,
            "n_sets": {group: len(members) for group, members in self.members.items()},
            "n_draws": {family: len(of) for family, of in self.sets[0].draws.items()},
            "sparsity": self.sparsity,
            "mean": {family: {size: m.summary() for size, m in of.items()} for family, of in self.means.items()},
            "trained_minus": {
                family: {group: {size: _told(d) for size, d in of.items()} for group, of in by_group.items()}
                for family, by_group in self.over_sets.items()
            },
            "on_these_sets": {
                group: {size: _told(d) for size, d in of.items()} for group, of in self.on_these_sets.items()
            },
            "shows": {
                group: {kind: gains.sizes_of(of, kind) for kind in (gains.WIN, gains.LOSS)}
                for group, of in self.over_sets[RANDOM].items()
            },
            "counts": {
                group: {size: gains.counts(of.values()) for size, of in by_size.items()}
                for group, by_size in self.by_set.items()
            },
            "sets": {
                group: {
                    one.title: {size: _told(of[one.title]) for size, of in self.by_set[group].items()}
                    for one, _ in self.members[group]
                }
                for group in self.by_set
            },
            "few_labels": {share: {size: _told(d) for size, d in of.items()} for share, of in self.few_labels.items()},
            "readable": self.readable.summary(),
            "not_solved": self._not_solved(),
            "sentences": self.sentences(),
        }

    def sentences(self) -> dict[str, str]:
        """What the numbers say, chosen by them."""
        random, n = self.over_sets[RANDOM], len(self.sets)
        new = random.get(NEW_ONLY)
        names = {UNITS: UNITS, PCA: PCA, DIRECTIONS: f"{DIRECTIONS} of the residual stream"}
        partly = {family: f"the {family}" for family in (FROZEN, OF_UNTRAINED) if family in self.over_sets}
        lacking = said.in_new_words(None, None, TOLD)
        where = dict(zip((FIRST, NEW_ONLY), said.parts(n, len(self.members[NEW_ONLY]) if new else 0), strict=False))
        return {
            "answer": said.answer(random[FIRST], n, where[FIRST]),
            "answer_new_words": said.answer(new, len(self.members[NEW_ONLY]), where[NEW_ONLY]) if new else lacking,
            "on_these_sets": said.on_these_sets(self.on_these_sets[FIRST], self.on_these_sets.get(NEW_ONLY)),
            "set_by_set": said.set_by_set(self.by_set[FIRST], TOLD),
            "new_words": said.in_new_words(random.get(FAMILIAR_OF_BOTH), new, TOLD),
            "supervised": said.supervised(self.over_sets[SUPERVISED][FIRST]["1"]),
            **{
                family: said.against(name, self.over_sets[family][FIRST], where[FIRST])
                for family, name in names.items()
            },
            "no_dictionary_new_words": said.against_each(self._of(names, NEW_ONLY), where[NEW_ONLY])
            if new
            else lacking,
            "partly": said.partly({text: self._of(partly, group) for group, text in where.items()}),
            "readable": readable.sentence(self.readable),
            "few_labels": said.few_labels(self.few_labels),
            "levels": said.levels(
                {f: {size: m.macro_f1 for size, m in of.items()} for f, of in self.means.items()}, TOLD
            ),
        }

    def _of(self, names: Mapping[str, str], group: str) -> dict[str, dict[str, Difference]]:
        """{what a family is called: the trained SAE minus it} on one group of sets."""
        return {name: self.over_sets[family][group] for family, name in names.items()}

    def figure(self) -> Figure:
        """Trained SAE minus random dictionaries, a cell a set and a number of latents, on the first part of each test."""
        return self._cells(FIRST)

    def new_words_figure(self) -> Figure | tables.Html:
        """The same on new words; a sentence where no set has them."""
        if NEW_ONLY not in self.members:
            return tables.Html(f"<p>No set here has a test of {NEW}.</p>")
        return self._cells(NEW_ONLY)

    def curves(self) -> Figure:
        """Mean over the sets of every family against the number of features; bands are 95 % over texts and draws."""
        series = {
            family: [(size, m.macro_f1, m.low, m.high) for size, m in of.items()] for family, of in self.means.items()
        }
        return family_curves(series)

    def table(self) -> tables.Html:
        """Mean differences of the trained SAE from every family, for every number of features."""
        return shown.differences(self.over_sets, HEADINGS, self.sizes)

    def few_labels_table(self) -> tables.Html:
        """Trained SAE minus random dictionaries where labels are few: mean over sets and samples of rows."""
        return shown.few_labels(self.few_labels, {str(FEW): f"{FEW} latents", ALL: "all latents"})

    def readable_table(self) -> tables.Html:
        """How well the latents of every dictionary are predicted."""
        return self.readable.table()

    @property
    def families(self) -> list[str]:
        """Those of FAMILIES that the profile has."""
        return list(self.sets[0].draws)

    @property
    def sizes(self) -> list[str]:
        return list(self.sets[0].draws[RANDOM][0])

    @cached_property
    def members(self) -> dict[str, Members]:
        """{group: its (set, part)}; without a set in new words there is only the first."""
        found = {FIRST: [(one, next(iter(one.test.part_rows()))) for one in self.sets]}
        if both := [one for one in self.sets if one.has_new_words]:
            found |= {FAMILIAR_OF_BOTH: [(one, next(iter(one.test.part_rows()))) for one in both]}
            found |= {NEW_ONLY: [(one, NEW) for one in both]}
        return found

    @cached_property
    def by_set(self) -> dict[str, dict[str, dict[str, Difference]]]:
        """{FIRST, NEW_ONLY: {size: {set: trained minus random}}}, intervals over texts and draws."""
        return {
            group: {
                size: {
                    one.title: scores.compare_draws([_case(one, part, one.draws, RANDOM, size)])
                    for one, part in members
                }
                for size in self.sizes
            }
            for group, members in self.members.items()
            if group in HEADINGS
        }

    @cached_property
    def on_these_sets(self) -> dict[str, dict[str, Difference]]:
        """{FIRST, NEW_ONLY: {size: trained minus random, mean over the sets}}, intervals over texts and draws alone."""
        return {
            group: {
                size: scores.compare_draws([_case(one, part, one.draws, RANDOM, size) for one, part in members])
                for size in self.sizes
            }
            for group, members in self.members.items()
            if group in HEADINGS
        }

    @cached_property
    def over_sets(self) -> dict[str, dict[str, dict[str, Difference]]]:
        """{family: {group: {size: trained minus it, mean over the sets}}}, intervals over texts, draws and sets."""
        return {
            family: {
                group: self._against(family, members)
                for group, members in self.members.items()
                if group in HEADINGS or family == RANDOM
            }
            for family in self.families
            if family != TRAINED
        }

    @cached_property
    def means(self) -> dict[str, dict[str, Mean]]:
        """{family: {size: mean over sets and draws}} on the first part of each test, intervals over texts and draws."""
        return {family: self._means(family, self.members[FIRST]) for family in self.families}

    @cached_property
    def few_labels(self) -> dict[str, dict[str, Difference]]:
        """{share of the rows: {size: trained minus random, mean over sets}}; the last share is all of them."""
        sizes = (str(FEW), ALL)
        members = self.members[FIRST]

        def at(draws: Callable, size: str) -> Difference:
            return scores.compare_draws(
                [_case(one, part, draws(one), RANDOM, size) for one, part in members], over_sets=True
            )

        found = {
            f"{share:.0%}": {size: at(lambda one, share=share: one.few_labels[share], size) for size in sizes}
            for share in self.sets[0].few_labels
        }
        return found | {"100%": {size: self.over_sets[RANDOM][FIRST][size] for size in sizes}}

    def _against(self, family: str, members: Members) -> dict[str, Difference]:
        """Of every size that all sets have of both."""
        return {
            size: scores.compare_draws(
                [_case(one, part, one.draws, family, size) for one, part in members], over_sets=True
            )
            for size in self._shared(family)
        }

    def _means(self, family: str, members: Members) -> dict[str, Mean]:
        found = {}
        for size in self._shared(family, trained=False):
            cases = []
            for one, part in members:
                fits = [draw[size] for draw in one.draws[family]]
                labels, predicted, _, groups = scores.paired_draws(one.test, fits, [], part)
                cases.append((labels, predicted, groups))
            found[size] = scores.mean_interval(cases)
        return found

    def _shared(self, family: str, trained: bool = True) -> list[str]:
        """Sizes of a family's curve (and, for comparisons, of the trained SAE's). One direction is one feature: "1"."""
        own = self.sets[0].draws[family][0]
        return [size for size in own if not trained or size in self.sets[0].draws[TRAINED][0]]

    def _cells(self, group: str) -> Figure:
        titles = [one.title for one, _ in self.members[group]]
        rows = {"mean over the sets": self.over_sets[RANDOM][group]}
        rows |= {title: {size: of[title] for size, of in self.by_set[group].items()} for title in titles}
        return wins_and_losses(rows, 1, f"macro-F1, trained minus random: {HEADINGS[group]}")

    def _not_solved(self) -> float:
        """Share of last fits that ended before they were solved."""
        fits = [fit.solved for one in self.sets for of in one.draws.values() for draw in of for fit in draw.values()]
        return 1 - sum(fits) / len(fits)


def run(
    profile: str | Profile,
    *,
    pooling: str = "mean",
    n_texts: int = 2000,
    device: str = "cpu",
    cache: Path | None = CACHE,
) -> TrainingWorth:
    """The curves of every family on the profile's sets, at its middle layer and main width.

    pooling: one for all families, and a linear one (mean, last, sum): directions are taken of pooled hidden states.
    n_texts: held-out texts on which latents are predicted. Raises MosaicError for a pooling that the profile does not
    compute, or that is not linear.
    """
    profile, lm = opened(profile, device)
    check_poolings(profile, [pooling])
    curves.check_linear(pooling)
    controls = Controls(profile, lm, profile.middle, profile.width, (pooling,))
    sets = []
    for choice in sets_here(profile):
        train, test = load_cut(profile, choice.name, choice.language)
        sets.append(set_curves(choice.title, train, test, controls, cache))
    read = readable.read(controls, held_out_texts(profile, n_texts))
    return TrainingWorth(profile, tuple(sets), pooling, controls.sparsity(), read)


def _case(one: SetCurves, part: str, draws, family: str, size: str) -> tuple:
    """(labels, predictions of the trained SAE, of the family, groups), as `scores.compare_draws` reads them."""
    first, second = ([draw[size] for draw in draws[of]] for of in (TRAINED, family))
    return scores.paired_draws(one.test, first, second, part)


def _told(d: Difference) -> dict:
    return {**d.summary(), "outcome": gains.outcome(d)}
