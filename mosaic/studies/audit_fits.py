"""One set of the audit: every probe that its lines compare, fitted on the same folds with the same grid of C."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mosaic.machine import cores
from mosaic.probing import comparison, folds, selection
from mosaic.probing.candidates import TableFeatures, TfidfFeatures
from mosaic.probing.contrasts import Arm, Case
from mosaic.probing.examine import At
from mosaic.probing.kept import Kept
from mosaic.probing.linear import LogisticProbe
from mosaic.probing.problem import Problem
from mosaic.probing.selection import Result
from mosaic.texts.labelled import LabelledTexts

SUM = "sum"  # the pooling of every line whose fault is not one of pooling
COUNTS = "top20"
PUBLISHED_THRESHOLD = 1.0


class Unscaled(TableFeatures):
    """The same columns, neither scaled nor centred."""

    def probe(self, strength: float):
        return LogisticProbe(strength)


class EnglishWords(TfidfFeatures):
    """TF-IDF of word 1-2-grams without the stop words of English, whatever the language; 20,000 columns at most."""

    def matrices(self, fit: np.ndarray, other: np.ndarray, threshold: None):
        from sklearn.feature_extraction.text import TfidfVectorizer

        texts = self.problem.train.texts + self.problem.test.texts
        vectorizer = TfidfVectorizer(stop_words="english", ngram_range=(1, 2), max_features=20_000, dtype=np.float32)
        analyse = vectorizer.build_analyzer()
        if not any(analyse(texts[i]) for i in fit):
            return np.zeros((len(fit), 1)), np.zeros((len(other), 1)), np.arange(1)
        first = vectorizer.fit_transform([texts[i] for i in fit])
        return first, vectorizer.transform([texts[i] for i in other]), np.arange(first.shape[1])


@dataclass(frozen=True)
class AuditedSet:
    """title: of the set. problem: its texts, and its tables, all poolings of SAE features and hidden states at one layer.
    results: {name of a probe: its result}."""

    title: str
    problem: Problem
    results: Mapping[str, Result]

    @property
    def rows(self) -> np.ndarray:
        """Test rows of the first part (familiar words), on which every line is scored."""
        return next(iter(self.problem.test.part_rows().values()))

    @property
    def truth(self) -> np.ndarray:
        return self.problem.test.labels[self.rows]

    @property
    def groups(self) -> np.ndarray | None:
        groups = self.problem.test.groups
        return None if groups is None else groups[self.rows]

    def arm(self, name: str, weight: float = 1.0) -> Arm:
        return Arm(self.results[name].predicted[self.rows], weight)

    def case(self, first: Mapping[str, float] | str, second: Mapping[str, float] | str) -> Case:
        """Two ways on this set, each one probe's name, or {name: weight}."""
        sides = [{side: 1.0} if isinstance(side, str) else side for side in (first, second)]
        arms = [[self.arm(name, weight) for name, weight in side.items()] for side in sides]
        return Case(self.truth, *arms, self.groups)

    def predictions(self, first: np.ndarray, second: np.ndarray) -> Case:
        """The same of predictions for all test rows."""
        return Case(self.truth, [Arm(first[self.rows])], [Arm(second[self.rows])], self.groups)

    def candidate(self, name: str) -> TableFeatures:
        """The features of a name such as "sae sum" once more."""
        return every_setting(self.problem)[name]

    def chosen(self, kinds: tuple[str, ...], by_test: bool = False) -> str:
        """The name of the result that is best on validation (or on test) among those of some kinds ("sae", "hidden")."""

        def value(name: str) -> float:
            result = self.results[name]
            return result.score.macro_f1 if by_test else result.validation

        return max((name for name in self.results if name.split(" ")[0] in kinds), key=value)


def fitted(train: LabelledTexts, test: LabelledTexts, candidates: Mapping[str, object], cache: Path | None) -> dict:
    """{name: result} of each candidate, all on the same folds; results of plain ones are shared with other chapters."""
    texts = Problem(train, test, (), cache)
    splits = folds.splits(train)
    kept = Kept.of(texts, splits)
    plain = (TableFeatures, TfidfFeatures)
    jobs = [
        partial(kept.fit, candidate) if type(candidate) in plain else partial(selection.fit, candidate, texts, splits)
        for candidate in candidates.values()
    ]
    workers = comparison.workers([candidate.cells for candidate in candidates.values()], cores())
    return dict(zip(candidates, comparison.in_parallel(jobs, workers), strict=True))


def every_setting(problem: Problem) -> dict[str, TableFeatures]:
    """{name: candidate} of each table: "sae sum", "sae-binarised sum", "hidden last"."""
    texts = Problem(problem.train, problem.test, (), problem.cache)
    found = {}
    for table in problem.tables:
        features, pooling = table.provenance["features"], table.provenance["pooling"]
        found[f"{features} {pooling}"] = TableFeatures(texts, table)
        if features == "sae":
            found[f"sae-binarised {pooling}"] = TableFeatures(texts, table, True)
    return found


def at_published_threshold(candidate: TableFeatures) -> At:
    """Binarised at 1.0 instead of at a threshold of its own."""
    return At(candidate.problem, candidate.table, True, PUBLISHED_THRESHOLD)
