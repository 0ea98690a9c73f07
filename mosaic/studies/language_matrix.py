"""Every language against every other: each trains a probe, each is tested on, the same number of texts everywhere.

The setting (layer, pooling, C) is the one that validation chose in the language trained on; the weights are fitted once
more and read the test texts of all languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from mosaic.probing import examine, scores
from mosaic.probing.problem import Problem
from mosaic.probing.scores import Difference, Mean
from mosaic.probing.selection import Result
from mosaic.studies import abroad
from mosaic.texts.labelled import LabelledTexts

Pair = tuple[str, str]  # (language trained on, language tested on)


@dataclass(frozen=True)
class Matrix:
    """test: the test texts of every language. predicted: {features: {language trained on: predictions [rows of test]}}."""

    test: LabelledTexts
    predicted: Mapping[str, Mapping[str, np.ndarray]]

    @property
    def languages(self) -> list[str]:
        return list(dict.fromkeys(self.test.languages))

    @property
    def transfers(self) -> list[Pair]:
        """Every pair of two languages."""
        return list(permutations(self.languages, 2))

    @property
    def natives(self) -> list[Pair]:
        return [(language, language) for language in self.languages]

    def case(self, pairs: Sequence[Pair], *features: str) -> tuple[np.ndarray, list[np.ndarray], np.ndarray | None]:
        """(labels, predictions of each kind of features, groups) of the first part, each label with its pair: "de zh toxic".

        The macro-F1 over such labels is the mean over the pairs, and a resample of groups draws a message in all of them.
        """
        rows = {tested: abroad.rows_of(self.test, tested) for _, tested in pairs}

        def named(labels: Mapping[str, np.ndarray] | np.ndarray) -> np.ndarray:
            chosen = ((a, b, labels if isinstance(labels, np.ndarray) else labels[a]) for a, b in pairs)
            return np.array([f"{a} {b} {label}" for a, b, of in chosen for label in of[rows[b]]], dtype=object)

        groups = self.test.groups
        held = None if groups is None else np.concatenate([groups[rows[b]] for _, b in pairs])
        return named(self.test.labels), [named(self.predicted[kind]) for kind in features], held

    def mean(self, features: str, pairs: Sequence[Pair]) -> Mean:
        """Mean macro-F1 over pairs, its interval over messages."""
        return scores.mean_interval([self.case(pairs, features)])

    def summary(self) -> dict:
        """{features: {"cells": {trained on: {tested on: ...}}, "native", "transfer"}, "sae_minus_hidden": ...}."""
        found: dict = {"languages": self.languages}
        for features in self.predicted:
            found[features] = {
                "cells": {
                    a: {b: self.mean(features, [(a, b)]).summary() for b in self.languages} for a in self.languages
                },
                "native": self.mean(features, self.natives).summary(),
                "transfer": self.mean(features, self.transfers).summary(),
            }
        sides = {"native": self.natives, "transfer": self.transfers}
        found["sae_minus_hidden"] = {
            name: minus([self], "sae", "hidden", name).summary() for name, pairs in sides.items() if pairs
        }
        return found


def minus(found: Sequence[Matrix], first: str, second: str, which: str) -> Difference:
    """One kind of features minus another, mean over sets and pairs. which: "native" or "transfer"."""
    cases = []
    for matrix in found:
        pairs = matrix.natives if which == "native" else matrix.transfers
        labels, (a, b), groups = matrix.case(pairs, first, second)
        cases.append((labels, [a], [b], groups))
    return scores.compare_draws(cases)


def native_minus_transfer(found: Sequence[Matrix], features: str) -> Difference:
    """Training on the language tested minus training on each other one, mean over sets, languages tested and trained on."""
    cases = []
    for matrix in found:
        labels, (there,), groups = matrix.case(matrix.transfers, features)
        at_home = {b: matrix.predicted[features][b] for b in matrix.languages}
        rows = {b: abroad.rows_of(matrix.test, b) for b in matrix.languages}
        own = [f"{a} {b} {label}" for a, b in matrix.transfers for label in at_home[b][rows[b]]]
        cases.append((labels, [np.array(own, dtype=object)], [there], groups))
    return scores.compare_draws(cases)


def refitted(problem: Problem, result: Result) -> np.ndarray:
    """[rows of test] what a linear result's setting, threshold and C predict once fitted on all training rows."""
    n = len(problem.train)
    rows, others = np.arange(n), np.arange(n, n + len(problem.test))
    candidate = examine.candidate_of(problem, result)
    x, rest, _ = candidate.matrices(rows, others, result.threshold)
    return candidate.probe(result.strength).fit(x, problem.train.labels).predict(rest)
