"""How far do few labels go? Macro-F1 against the number of labelled texts, for each way to use features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mosaic import numerals
from mosaic.features.request import Request
from mosaic.models.language import LanguageModel
from mosaic.probing.problem import Problem, make_problem
from mosaic.probing.scores import Difference
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile
from mosaic.reporting import tables
from mosaic.studies import few_labels_figure, gains
from mosaic.studies import few_labels_said as said
from mosaic.studies.few_labels_curves import FEW, Curves, OverRates
from mosaic.studies.few_labels_draws import N_DRAWS, OnSet, on_set
from mosaic.studies.few_labels_ways import (
    BINARISED,
    EVERY,
    HIDDEN,
    L1,
    MEAN_DIFFERENCE,
    OTHERS,
    POOLING,
    SELECTED,
    STRENGTH,
    TFIDF,
    TOP_N,
    TOP_N_POOLING,
    WAYS,
    left_out,
)
from mosaic.studies.problems import CACHE, check_poolings, load_cut, opened, problems
from mosaic.studies.study import Study
from mosaic.texts.labelled import MIN_ROWS_PER_CLASS, NEW

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOXICITY = "mini/toxicity"  # in every language of the miniature
SHOWN_BY_LANGUAGE = (BINARISED, MEAN_DIFFERENCE, HIDDEN, TFIDF)
COUNTS = "count"
CONTRASTS = {
    "binarised_minus_hidden": (BINARISED, HIDDEN),
    "binarised_minus_tfidf": (BINARISED, TFIDF),
    "binarised_minus_mean_difference": (BINARISED, MEAN_DIFFERENCE),
    "binarised_minus_L1": (BINARISED, L1),
    "binarised_minus_top_n": (BINARISED, TOP_N),
    "binarised_minus_all": (BINARISED, EVERY),
    "all_minus_hidden": (EVERY, HIDDEN),
    "mean_difference_minus_all": (MEAN_DIFFERENCE, EVERY),
    "L1_minus_all": (L1, EVERY),
}
TOLD = [
    CONTRASTS[name] for name in ("binarised_minus_hidden", "binarised_minus_tfidf", "binarised_minus_mean_difference")
]


@dataclass(frozen=True)
class FewLabels(OverRates, Study):
    """sets: what every way reached on each. languages: the same of toxicity in each language, some ways; empty where the
    miniature's factors are not the model's. left_out: share of activations that top-n counts leave out, or None."""

    name: ClassVar[str] = "few_labels"

    sets: tuple[OnSet, ...]
    languages: Mapping[str, OnSet]
    left_out: float | None

    def summary(self) -> dict:
        return {
            "layer": self.profile.middle,
            "width": self.profile.width,
            "pooling": POOLING,
            "n_sets": len(self.sets),
            "n_draws": self.n_draws,
            "selected": SELECTED,
            "C": STRENGTH,
            "few": FEW,
            "left_out": self.left_out,
            "labelled": {said.percent(rate): {"least": min(n), "most": max(n)} for rate, n in self.n_labels.items()},
            "mean": {way: {said.percent(r): self.first.level(way, r).summary() for r in self.rates} for way in WAYS},
            "minus": {name: self._contrast(*pair) for name, pair in CONTRASTS.items()},
            "enough": self.enough,
            "sets": {
                one.title: {
                    way: {said.percent(r): of.observed for r, of in by_rate.items()} for way, by_rate in found.items()
                }
                for one, found in zip(self.sets, self.first.sets, strict=True)
            },
            "languages": {
                language: {
                    "mean": {
                        way: {said.percent(r): c.level(way, r).summary() for r in c.rates} for way in SHOWN_BY_LANGUAGE
                    },
                    "binarised_minus_hidden": c.difference(BINARISED, HIDDEN, self.few).summary(),
                }
                for language, c in self.by_language.items()
            },
            "sentences": self.sentences(),
        }

    def sentences(self) -> dict[str, str]:
        """What the numbers say, chosen by them."""
        few = {pair: self.first.difference(*pair, self.few) for pair in CONTRASTS.values()}
        full = {pair: self.first.difference(*pair, [1.0]) for pair in CONTRASTS.values()}
        before = self.rates[-2]
        floored = [rate for rate in self.rates if any(self._is_raised(one, rate) for one in self.sets)]
        return {
            "answer": said.answer({pair: few[pair] for pair in TOLD}, FEW, len(self.sets)),
            "with_all": said.with_all({pair: (few[pair], full[pair]) for pair in TOLD}),
            "binarising": said.versus(BINARISED, EVERY, few[BINARISED, EVERY]),
            "as_they_are": said.versus(EVERY, HIDDEN, few[EVERY, HIDDEN]),
            "top_n": f"{said.top_n(self.left_out)} With few labels, {said.versus(BINARISED, TOP_N, few[BINARISED, TOP_N])}.",
            "mean_difference": said.selection(self._by_rate(MEAN_DIFFERENCE, EVERY), MEAN_DIFFERENCE),
            "L1": said.selection(self._by_rate(L1, EVERY), L1),
            "bags": said.every(BINARISED, TFIDF, self.first.every(BINARISED, TFIDF)),
            "best": said.best({way: {r: self.first.level(way, r).macro_f1 for r in self.rates} for way in WAYS}),
            "enough": said.enough(
                self.enough, {way: -self.first.growth(way, before).difference for way in WAYS}, before
            ),
            "labels": said.labels(self.n_labels, MIN_ROWS_PER_CLASS, floored),
            "new_words": said.new_words(
                self.new and {pair: self.new.difference(*pair, self.few) for pair in TOLD},
                len(self.new.sets) if self.new else 0,
            ),
            "strengths": said.strengths({pair: (few[pair].difference, self._again(*pair)) for pair in TOLD}),
            "languages": said.languages(
                {language: c.difference(BINARISED, HIDDEN, self.few) for language, c in self.by_language.items()}
            ),
        }

    def figure(self) -> Figure:
        """Every way's mean over the sets against the share of labels (bands: 95 % over texts and draws), and each way minus
        hidden states (bands: over sets as well)."""
        others = [
            way for way in WAYS if way not in (HIDDEN, TFIDF)
        ]  # a bag of words is far below, and would flatten the rest
        return few_labels_figure.curves(
            {way: _points(self.first, way) for way in WAYS},
            {way: [(r, d.difference, d.low, d.high) for r, d in self._by_rate(way, HIDDEN).items()] for way in others},
            HIDDEN,
        )

    def languages_figure(self) -> Figure | tables.Html:
        """Toxicity in each language; a sentence where it is not measured."""
        if not self.languages:
            return tables.Html(f"<p>{said.languages({})}</p>")
        return few_labels_figure.by_language(
            {language: {way: _points(c, way) for way in SHOWN_BY_LANGUAGE} for language, c in self.by_language.items()}
        )

    def table(self) -> tables.Html:
        """Differences of two ways with few labels and with all, mean over the sets."""
        rows = [
            {
                "what": f"{few_labels_figure.SHOWN[first]} minus {few_labels_figure.SHOWN[second]}".replace(
                    "tfidf", "TF-IDF"
                ),
                "few": _cell(self.first.difference(first, second, self.few)),
                "full": _cell(self.first.difference(first, second, [1.0])),
                "new": _cell(self.new.difference(first, second, self.few)) if self.new else None,
            }
            for first, second in CONTRASTS.values()
        ]
        columns = {"what": "macro-F1", "few": f"{said.percent(FEW)} of the labels or fewer", "full": "all labels"}
        return tables.table(rows, columns | ({"new": f"few labels, {NEW}"} if self.new else {}))

    @cached_property
    def new(self) -> Curves | None:
        """On new words, of the sets that have them."""
        found = [one.reached(NEW, seed=i) for i, one in enumerate(self.sets) if NEW in one.test.part_rows()]
        return Curves(found) if found else None

    @cached_property
    def again(self) -> dict[float, Curves]:
        """{C: with another C}, from fewer draws."""
        return {C: Curves([one.reached(strength=C, seed=i) for i, one in enumerate(self.sets)]) for C in OTHERS}

    @cached_property
    def by_language(self) -> dict[str, Curves]:
        return {language: Curves([one.reached(seed=i)]) for i, (language, one) in enumerate(self.languages.items())}

    @cached_property
    def enough(self) -> dict[str, float]:
        return {way: self.first.enough(way) for way in WAYS}

    def _contrast(self, first: str, second: str) -> dict:
        few = self.first.difference(first, second, self.few)
        return {
            "few": {**few.summary(), "outcome": gains.outcome(few)},
            "by_rate": {said.percent(rate): d.summary() for rate, d in self._by_rate(first, second).items()},
            "every": self.first.every(first, second).summary(),
            "new_words": self.new and self.new.difference(first, second, self.few).summary(),
            "strengths": {f"C={C:g}": d for C, d in self._again(first, second).items()},
        }

    def _by_rate(self, first: str, second: str) -> dict[float, Difference]:
        return {rate: self.first.difference(first, second, [rate]) for rate in self.rates}

    def _again(self, first: str, second: str) -> dict[float, float]:
        """{C: difference at few labels with another C}."""
        return {C: curves.difference(first, second, self.few).difference for C, curves in self.again.items()}

    @staticmethod
    def _is_raised(one: OnSet, rate: float) -> bool:
        return one.n_labels[rate] > max(1, round(rate * one.n_labels[1.0]))


def run(
    profile: str | Profile, *, n_draws: int = N_DRAWS, device: str = "cpu", cache: Path | None = CACHE
) -> FewLabels:
    """The curves of every way on the profile's sets, at its middle layer and main width, n_draws draws of labelled texts for
    every share of them. Raises MosaicError for a pooling that the profile does not compute, or no draws."""
    profile, lm = opened(profile, device)
    check_poolings(profile, [POOLING, TOP_N_POOLING])
    wanted = [pooling for pooling in (POOLING, TOP_N_POOLING, COUNTS) if pooling in profile.poolings]
    here = {"layers": [profile.middle], "widths": [profile.width], "poolings": wanted, "cache": cache}
    sets, omitted = [], []
    for title, problem in problems(profile, lm, **here):
        omitted.append(top_n_left_out(problem))
        sets.append(on_set(title, problem, n_draws))
    languages = {
        language: on_set(language, problem, n_draws, SHOWN_BY_LANGUAGE)
        for language, problem in (in_languages(profile, lm, cache) if profile.truth else ())
    }
    return FewLabels(profile, tuple(sets), languages, None if None in omitted else float(np.mean(omitted)))


def in_languages(profile: Profile, lm: LanguageModel, cache: Path | None) -> Iterable[tuple[str, Problem]]:
    """(language, toxicity in it), the features of the chapter on transfer."""
    from mosaic.world.lexicon import LANGUAGES

    request = Request(load_saes(profile, lm, widths=[profile.width]), tuple(profile.layers), profile.poolings)

    def wanted(what: dict) -> bool:
        return what["layer"] == profile.middle and what["pooling"] in (POOLING, TOP_N_POOLING)

    for language in LANGUAGES:
        yield language, make_problem(*load_cut(profile, TOXICITY, language), lm, request, cache, wanted)


def top_n_left_out(problem: Problem) -> float | None:
    """Share of activations that top-n counts leave out of a problem's texts; None where plain counts are not computed."""
    found = {t.provenance["pooling"]: t.matrix for t in problem.tables if t.provenance["features"] == "sae"}
    return left_out(found[COUNTS], found[TOP_N_POOLING]) if COUNTS in found else None


def _points(curves: Curves, way: str) -> list[tuple]:
    levels = {rate: curves.level(way, rate) for rate in curves.rates}
    return [(rate, m.macro_f1, m.low, m.high) for rate, m in levels.items()]


def _cell(d: Difference) -> str:
    return numerals.with_interval(d.difference, d.low, d.high, sign=True)
