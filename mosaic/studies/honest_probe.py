"""A probe, honestly: baselines before it, a control beside it, a test set touched once; each reason shown by computing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from mosaic.features.request import Request
from mosaic.probing import comparison, scores
from mosaic.probing.problem import Problem, make_problem, subsample
from mosaic.probing.scores import Score
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.studies import honest_probe_said as said
from mosaic.studies.controls import random_dictionaries
from mosaic.studies.many_settings import ManySettings, measure
from mosaic.studies.problems import CACHE, load_cut, opened
from mosaic.studies.study import Study
from mosaic.texts.labelled import LabelledTexts

SET = "mini/stance"
POOLINGS = ("mean", "max", "last", "count")
TRAIN = 300  # texts
TESTS, PER_TEST = 20, 100
NUMBERS = (1, 2, 5, 10, 20, 50)  # of settings tried, before all of them
SAE, HIDDEN, RANDOM, WORDS, MAJORITY = (
    "SAE features",
    "hidden states",
    "random dictionary",
    "bag of words",
    "majority class",
)
SHUFFLED = "shuffled labels"
EXAMPLES = 6


@dataclass(frozen=True)
class HonestProbe(Study):
    """train: the texts learned from. test: N fresh ones, TESTS times PER_TEST. predicted: {way: [N]} of the setting that validation
    chose for it. many: every setting of the SAE features, on the true labels and on shuffled ones."""

    name: ClassVar[str] = "honest_probe"
    needs: ClassVar[tuple[str, ...]] = ("truth",)

    train: LabelledTexts
    test: LabelledTexts
    predicted: Mapping[str, np.ndarray]
    many: ManySettings
    shuffled: ManySettings

    def summary(self) -> dict:
        return {
            "n_train": len(self.train),
            "n_texts": len(self.test),
            "n_test_sets": TESTS,
            "per_test_set": PER_TEST,
            "n_settings": len(self.many.names),
            "classes": list(self.train.classes),
            "chance": 1 / len(self.train.classes),
            "scores": {way: _row(one) for way, one in self.scored.items()},
            "minus": {way: self.minus(SAE, way).summary() for way in self.predicted if way != SAE},
            "optimism": self.many.optimism(),
            "nested": self.many.nested_optimism() | {"setting": self.many.names[self.many.nested]},
            "shuffled": {"optimism": self.shuffled.optimism(), "nested": self.shuffled.nested_optimism()},
            "by_number": {str(n): one for n, one in self.numbers.items()},
            "by_number_shuffled": {str(n): one for n, one in self.numbers_shuffled.items()},
            "against_a_method": self.against_a_method,
            "coverage": self.coverage,
            "pairing": self.pairing,
            "sentences": self.sentences(),
        }

    def sentences(self) -> dict[str, str]:
        """What the numbers say, chosen by them."""
        scored = self.scored
        return {
            "majority": said.majority(scored[MAJORITY].accuracy, scored[MAJORITY].macro_f1),
            "words": said.beats("The SAE probe", "the bag of words", self.minus(SAE, WORDS)),
            "random": said.control(self.minus(SAE, RANDOM)),
            "hidden": said.beats("The SAE probe", "the hidden states", self.minus(SAE, HIDDEN)),
            "optimism": said.optimism(self.many.optimism(), len(self.many.names), PER_TEST),
            "nested": said.nested(self.many.nested_optimism()),
            "shuffled": said.shuffled(self.shuffled.optimism(), 1 / len(self.train.classes)),
            "size": said.size(self.against_a_method),
            "coverage": said.coverage(self.coverage),
            "pairing": said.pairing(self.pairing),
        }

    @cached_property
    def scored(self) -> dict[str, Score]:
        """{way: its score on all fresh texts}."""
        return {way: scores.score(self.test.labels, predicted) for way, predicted in self.predicted.items()}

    def minus(self, first: str, second: str) -> scores.Difference:
        """Macro-F1 of one way minus that of another on the same texts: the paired test."""
        return scores.compare(self.test.labels, self.predicted[first], self.predicted[second])

    @cached_property
    def numbers(self) -> dict[int, dict]:
        """{settings tried: promised, kept and their difference}."""
        return self.many.by_number((*NUMBERS, len(self.many.names)))

    @cached_property
    def numbers_shuffled(self) -> dict[int, dict]:
        """The same where labels mean nothing."""
        return self.shuffled.by_number((*NUMBERS, len(self.shuffled.names)))

    @cached_property
    def against_a_method(self) -> dict:
        """Optimism minus the distance between SAE features and hidden states; 95 % over resampled test sets."""
        promised, kept = self.many.best_of()
        apart = [
            scores.macro_f1(self.test.labels[rows], self.predicted[SAE][rows])
            - scores.macro_f1(self.test.labels[rows], self.predicted[HIDDEN][rows])
            for rows in self.many.tests
        ]
        weights = scores.draw_weights(TESTS, np.random.default_rng(0))
        gaps, distances = promised - kept, np.array(apart)
        drawn = weights @ gaps - np.abs(weights @ distances)
        return {
            "optimism": float(gaps.mean()),
            "distance": float(abs(distances.mean())),
            "difference": float(gaps.mean() - abs(distances.mean())),
            "interval": np.quantile(drawn, [0.025, 0.975]).tolist(),
        }

    @cached_property
    def intervals(self) -> list[Score]:
        """The SAE probe's score on each test set, with its interval."""
        return [scores.score(self.test.labels[rows], self.predicted[SAE][rows]) for rows in self.many.tests]

    @cached_property
    def coverage(self) -> dict:
        """How many of the test sets' intervals hold the score on all texts."""
        truth = self.scored[SAE].macro_f1
        return {"truth": truth, "n": TESTS, "hold": sum(one.low <= truth <= one.high for one in self.intervals)}

    @cached_property
    def pairing(self) -> dict:
        """SAE features minus hidden states on all fresh texts: the interval with the same texts on both sides, and the one that two
        scores on texts of their own would have (the squares of their widths add up)."""
        paired = self.minus(SAE, HIDDEN)
        half = float(np.hypot(*((self.scored[way].high - self.scored[way].low) / 2 for way in (SAE, HIDDEN))))
        return {
            "difference": paired.difference,
            "paired": [paired.low, paired.high],
            "unpaired": [paired.difference - half, paired.difference + half],
            "p": paired.p,
        }

    # --- figures and tables ---------------------------------------------------------------------------------------

    def table(self) -> tables.Html:
        """Some texts with their labels."""
        rows = [
            {"text": text, "label": label}
            for text, label in zip(self.train.texts[:EXAMPLES], self.train.labels[:EXAMPLES], strict=True)
        ]
        return tables.table(rows, {"text": "text", "label": "label"})

    def errors_table(self, n: int = EXAMPLES, way: str = SAE) -> tables.Html:
        """The first n fresh texts that a way gets wrong."""
        wrong = np.flatnonzero(self.predicted[way] != self.test.labels)[:n]
        rows = [
            {"text": self.test.texts[i], "label": self.test.labels[i], "said": self.predicted[way][i]} for i in wrong
        ]
        return tables.table(rows, {"text": "text", "label": "label", "said": "the probe says"})

    def figure(self):
        """Every way on all fresh texts, each with its interval."""
        rows = [
            {"set": way, "features": "macro-F1", "macro_f1": one.macro_f1, "low": one.low, "high": one.high}
            for way, one in self.scored.items()
        ]
        return plots.finished(plots.intervals(rows, f"macro-F1 on {len(self.test):,} fresh texts, 95 % interval"))

    def optimism_figure(self, shuffled: bool = False):
        """What the best setting promises on the test set and what it keeps, by how many were tried."""
        found, many = (self.numbers_shuffled, self.shuffled) if shuffled else (self.numbers, self.many)
        promised = {n: one["promised"] for n, one in found.items()}
        kept = {n: one["kept"] for n, one in found.items()}
        nested = many.nested_optimism()["promised"]
        lines = {
            "promised by the test set": promised,
            "kept on other texts": kept,
            "nested selection": dict.fromkeys(found, nested),
        }
        if shuffled:
            lines["chance"] = dict.fromkeys(found, 1 / len(self.train.classes))
        ax = plots.steps(lines, "settings tried (log scale)", "macro-F1")
        ax.set_xscale("log")
        ax.set_xticks(list(found), [str(n) for n in found])
        ax.minorticks_off()
        return plots.finished(ax)

    def intervals_figure(self):
        """The same probe on each test set, and the line that the intervals should hold."""
        rows = [
            {"set": str(i + 1), "features": SAE, "macro_f1": one.macro_f1, "low": one.low, "high": one.high}
            for i, one in enumerate(self.intervals)
        ]
        import matplotlib.pyplot as plt

        ax = plots.intervals(rows, "macro-F1, 95 % interval", ax=plt.subplots(figsize=(7.2, 4.6))[1])
        ax.axvline(self.coverage["truth"], linestyle="--", color="#65707a", label="all fresh texts")
        ax.set_ylabel("test set")
        ax.tick_params(axis="y", labelsize="small")
        return plots.finished(ax)

    def pairing_figure(self):
        """One difference, two intervals: with pairing and without."""
        found = self.pairing
        rows = [
            {"set": how, "features": SAE, "macro_f1": found["difference"], "low": low, "high": high}
            for how, (low, high) in (("same texts", found["paired"]), ("each on its own texts", found["unpaired"]))
        ]
        label = "SAE features minus hidden states, macro-F1, 95 % interval"
        ax = plots.intervals(rows, label, zero=True)
        ax.locator_params(axis="x", nbins=6)
        return plots.finished(ax)


def run(profile: str | Profile, *, device: str = "cpu", cache: Path | None = CACHE) -> HonestProbe:
    """One set of the miniature in English: every way chosen on the training set, scored on fresh texts."""
    profile, lm = opened(profile, device)
    encoders = load_saes(profile, lm, widths=[profile.width])
    middle = next(encoder for encoder in encoders if encoder.layer == profile.middle)
    train, test = texts(profile)
    (random,) = random_dictionaries(middle, lm, train.texts[:64], 1)
    problem = make_problem(train, test, lm, Request(encoders, tuple(profile.layers), POOLINGS), cache)
    control = make_problem(train, test, lm, Request((random,), (), POOLINGS), cache)
    learned, hidden = (of_kind(problem, kind) for kind in ("sae", "hidden"))
    many = measure(learned, TESTS)
    predicted = {
        MAJORITY: _chosen(problem, "majority"),
        WORDS: _chosen(problem, "tfidf"),
        RANDOM: measured_choice(control),
        HIDDEN: measured_choice(hidden),
        SAE: many.predicted[many.nested],
    }
    return HonestProbe(profile, train, test, predicted, many, measure(shuffle(learned), TESTS))


def texts(profile: Profile) -> tuple[LabelledTexts, LabelledTexts]:
    """(training texts, fresh ones to test on) of SET in English."""
    from mosaic.world.sets import fresh

    rows = fresh(SET.partition("/")[2], TESTS * PER_TEST)
    labels = np.array([row.label for row in rows], dtype=object)
    return subsample(load_cut(profile, SET, "en")[0], TRAIN), LabelledTexts(SET, [row.text for row in rows], labels)


def of_kind(problem: Problem, kind: str) -> Problem:
    """The problem with its tables of one kind of features."""
    return replace(problem, tables=tuple(t for t in problem.tables if t.provenance["features"] == kind))


def shuffle(problem: Problem, seed: int = 0) -> Problem:
    """The same texts, their labels dealt out anew on both sides: nothing is left to learn."""
    rng = np.random.default_rng(seed)
    train, test = (replace(part, labels=rng.permutation(part.labels)) for part in (problem.train, problem.test))
    return replace(problem, train=train, test=test)


def measured_choice(problem: Problem) -> np.ndarray:
    """[N] predictions of the setting that validation chooses among a problem's tables and strengths."""
    many = measure(problem, TESTS)
    return many.predicted[many.nested]


def _chosen(problem: Problem, family: str) -> np.ndarray:
    results = comparison.evaluate(problem, families=[family], binarize=False, trees=False)
    return comparison.selected(results, family).predicted


def _row(one: Score) -> dict:
    return {"macro_f1": one.macro_f1, "interval": [one.low, one.high], "accuracy": one.accuracy}
