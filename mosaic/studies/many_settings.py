"""Many settings on many test sets: what choosing on the test set promises, and what the choice keeps.

N fresh texts are cut into C test sets. K settings are trained once. On test set c the best setting is chosen by its score there, s; its
score on the texts of all other test sets is what it is worth, w. Optimism is s - w, mean over test sets; a setting that was chosen
without the test sets (nested selection) has the same s - w, which should be zero. Source: Cawley and Talbot 2010, On Over-fitting
in Model Selection and Subsequent Selection Bias in Performance Evaluation (JMLR 11), section 5.

Shapes: K settings, N texts, C test sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mosaic.errors import MosaicError
from mosaic.probing import estimators, folds, scores
from mosaic.probing.candidates import STRENGTHS, TableFeatures
from mosaic.probing.problem import Problem
from mosaic.progress import Progress
from mosaic.reporting import tables
from mosaic.studies.toy_superposition import mean_interval

DRAWS = 20  # of as many settings as are tried


@dataclass(frozen=True, eq=False)
class ManySettings:
    """names: [K], such as "layer 3, mean, C = 0.1". predicted: [K, N]. truth: [N]. validation: [K] mean macro-F1 over folds of the
    training set. n_tests: C; N is a multiple of it."""

    names: Sequence[str]
    predicted: np.ndarray
    truth: np.ndarray
    validation: np.ndarray
    n_tests: int

    @cached_property
    def tests(self) -> np.ndarray:
        """[C, N / C] rows of each test set."""
        return np.arange(len(self.truth)).reshape(self.n_tests, -1)

    @cached_property
    def on_test(self) -> np.ndarray:
        """[K, C] macro-F1 on each test set."""
        return np.array([[scores.macro_f1(self.truth[rows], p[rows]) for rows in self.tests] for p in self.predicted])

    @cached_property
    def elsewhere(self) -> np.ndarray:
        """[K, C] macro-F1 on the texts of all other test sets."""
        others = [np.delete(np.arange(len(self.truth)), rows) for rows in self.tests]
        return np.array([[scores.macro_f1(self.truth[rows], p[rows]) for rows in others] for p in self.predicted])

    @cached_property
    def nested(self) -> int:
        """The setting that validation chose; of equal ones the first."""
        return int(np.argmax(self.validation))

    def best_of(self, settings: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """([C] promised, [C] kept) by the best of some settings (None: all) on each test set; of equal ones the first."""
        settings = np.arange(len(self.names)) if settings is None else settings
        chosen = settings[self.on_test[settings].argmax(0)]
        columns = np.arange(self.n_tests)
        return self.on_test[chosen, columns], self.elsewhere[chosen, columns]

    def optimism(self) -> dict:
        """Of the best of all settings on the test set: promised, kept, their difference; 95 % over test sets."""
        return _gap(*self.best_of())

    def nested_optimism(self) -> dict:
        """The same of the setting that validation chose."""
        return _gap(self.on_test[self.nested], self.elsewhere[self.nested])

    def by_number(self, numbers: Sequence[int], seed: int = 0) -> dict[int, dict]:
        """{how many settings were tried: as `optimism`}, mean over DRAWS random choices of them."""
        rng, out = np.random.default_rng(seed), {}
        for n in numbers:
            drawn = [self.best_of(np.sort(rng.choice(len(self.names), n, replace=False))) for _ in range(DRAWS)]
            out[n] = _gap(*np.mean(drawn, axis=0))
        return out


def _gap(promised: np.ndarray, kept: np.ndarray) -> dict:
    difference, low, high = mean_interval(promised - kept)
    return {
        "promised": float(promised.mean()),
        "kept": float(kept.mean()),
        "difference": difference,
        "interval": [low, high],
    }


def cut(many: ManySettings, n_tests: int) -> ManySettings:
    """The same settings on the same texts, cut into another number of test sets. Raises MosaicError where they do not come out even."""
    if n_tests < 2 or len(many.truth) % n_tests:
        raise MosaicError(
            f"{len(many.truth)} texts cannot be cut into {n_tests} equal test sets, two or more. Give a divisor."
        )
    return replace(many, n_tests=n_tests)


def table(many: ManySettings, numbers: Sequence[int]) -> tables.Html:
    """Optimism by the size of the test set: one line a number of test sets that the same texts are cut into."""
    rows = []
    for n in numbers:
        found = cut(many, n).optimism()
        low, high = found["interval"]
        rows.append({**found, "size": len(many.truth) // n, "between": f"{low:.3f} to {high:.3f}"})
    headings = {
        "size": "texts in a test set",
        "promised": "promised",
        "kept": "kept",
        "difference": "optimism",
        "between": "95 %",
    }
    return tables.table(rows, headings)


def measure(problem: Problem, n_tests: int) -> ManySettings:
    """Every table with every strength: trained on the training set, scored on the test texts and on folds of the training set."""
    splits, names, predicted, validation = folds.splits(problem.train), [], [], []
    whole = np.arange(len(problem.train)), np.arange(len(problem.train), len(problem.train) + len(problem.test))
    with Progress("fitting probes", len(problem.tables), unit="tables") as progress:
        for table in problem.tables:
            candidate = TableFeatures(problem, table)
            held = [list(_path(candidate, fit, other)) for fit, other in splits]
            for i, prediction in enumerate(_path(candidate, *whole)):
                names.append(f"layer {candidate.setting.layer}, {candidate.setting.pooling}, C = {STRENGTHS[i]:g}")
                predicted.append(prediction)
                right = zip(splits, held, strict=True)
                validation.append(
                    float(np.mean([scores.macro_f1(problem.train.labels[o], h[i]) for (_, o), h in right]))
                )
            progress.advance(1, 0)
    return ManySettings(names, np.array(predicted), problem.test.labels, np.array(validation), n_tests)


def _path(candidate: TableFeatures, fit: np.ndarray, other: np.ndarray) -> Iterator[np.ndarray]:
    """Predictions for `other`, strength by strength."""
    first, second, _ = candidate.matrices(fit, other, None)
    labels = candidate.problem.train.labels[fit]
    for prediction, _ in estimators.path(candidate.probe(STRENGTHS[0]), first, labels, second, STRENGTHS):
        yield prediction
