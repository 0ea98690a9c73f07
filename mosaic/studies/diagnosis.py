"""Why a probe trained on one language fails on another: its score there as it is, and after one repair at a time.

A linear probe decides by w x + b. Abroad, x may have moved as a whole (a language has a mean of its own), spread, or lost
what w reads. Each repair mends one of these and nothing else, so that what it brings back is what that one took.
Shapes: n texts, D columns, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mosaic.probing import examine
from mosaic.probing.candidates import TableFeatures
from mosaic.probing.problem import Problem
from mosaic.probing.scores import Mean
from mosaic.probing.selection import Result
from mosaic.studies import abroad

# In the order in which one is preferred to another that brings back as much: what asks for least comes first.
REPAIRS = {
    "mean": "each language's mean moved onto English's (texts without labels)",
    "intercept": "intercept refitted (texts with labels)",
    "directions": "directions between the languages' means taken out, probe trained again (texts without labels)",
    "mean and scale": "each language's mean and scale moved onto English's (texts without labels)",
}
ENOUGH = 0.9  # of what the best repair brings back: a simpler repair that reaches it is the explanation
SMALL = 0.05  # macro-F1: a smaller loss asks for no explanation


@dataclass(frozen=True)
class Diagnosis:
    """One linear probe at home and abroad, all on the first part of the test set; means over the foreign languages.

    home: macro-F1 in English. as_is, repaired ({repair: macro-F1}): abroad. auroc: abroad, of the ranking alone, which
    no intercept changes. share: of texts abroad that get the most frequent answer; balanced: that have the most
    frequent label. chance: macro-F1 of knowing nothing.
    """

    features: str
    layer: int
    pooling: str
    home: float
    as_is: Mean
    auroc: float
    share: float
    balanced: float
    repaired: dict[str, Mean]
    chance: float

    def summary(self) -> dict:
        return {
            "features": self.features,
            "layer": self.layer,
            "pooling": self.pooling,
            "home": self.home,
            "abroad": self.as_is.macro_f1,
            "interval": [self.as_is.low, self.as_is.high],
            "auroc": self.auroc,
            "most_frequent_answer": self.share,
            "most_frequent_label": self.balanced,
            "repaired": {name: mean.summary() for name, mean in self.repaired.items()},
            "explanation": self.explanation,
        }

    @property
    def explanation(self) -> str:
        """See the function `explanation`."""
        repaired = {name: mean.macro_f1 for name, mean in self.repaired.items()}
        return explanation(self.home, self.as_is.macro_f1, repaired, self.chance)


def diagnose(problem: Problem, result: Result, native: Mapping[str, Problem], chance: float) -> Diagnosis:
    """The repairs of a linear result of `problem`, trained on English, tested in every language.

    native: {language: its own problem}, whose training texts (and, for the intercept alone, labels) repairs may read.
    Both have the result's table.
    """
    test, n = problem.test, len(problem.train)
    probe, columns = examine.fitted(problem, result)
    x = _columns(problem, result, columns)
    train, tested = x[:n], x[n:]
    own = {language: _columns(p, result, columns)[: len(p.train)] for language, p in native.items()}
    arms = {repair: result.predicted.copy() for repair in REPAIRS}
    without = Without.of(train, [texts.mean(0) for texts in own.values()])
    again = _fitted_again(probe, without.apply(train), problem.train.labels)
    aurocs, shares, balanced = [], [], []
    for language, texts in own.items():
        rows = np.flatnonzero(test.languages == language)
        there = tested[rows]
        bias = refitted_intercept(logits(probe, texts), native[language].train.labels, probe.classes_)
        arms["mean"][rows] = probe.predict(moved(there, texts, train))
        arms["mean and scale"][rows] = probe.predict(moved(there, texts, train, scale=True))
        arms["intercept"][rows] = probe.classes_[(logits(probe, there) + bias).argmax(1)]
        arms["directions"][rows] = again.predict(without.apply(there))
        first = abroad.rows_of(test, language)
        aurocs.append(ranking(test.labels[first], logits(probe, tested[first]), probe.classes_))
        shares.append(largest_share(result.predicted[first]))
        balanced.append(largest_share(test.labels[first]))
    return Diagnosis(
        features=result.setting.features,
        layer=result.setting.layer,
        pooling=result.setting.pooling,
        home=abroad.at_home(test, result.predicted),
        as_is=abroad.mean([(test, [result.predicted])]),
        auroc=float(np.mean(aurocs)),
        share=float(np.mean(shares)),
        balanced=float(np.mean(balanced)),
        repaired={repair: abroad.mean([(test, [predicted])]) for repair, predicted in arms.items()},
        chance=chance,
    )


def explanation(home: float, as_is: float, repaired: Mapping[str, float], chance: float) -> str:
    """What mends the loss: "nothing", "small", "none", or the first of REPAIRS that brings back ENOUGH of what the best does.

    "nothing": at home the probe is within SMALL of chance, so there is nothing to lose. "small": less than SMALL was
    lost. "none": the best brings back less than half of what was lost.
    """
    if home - chance < SMALL:
        return "nothing"
    lost, best = home - as_is, max(repaired.values()) - as_is
    if lost < SMALL:
        return "small"
    if best < lost / 2:
        return "none"
    return next(name for name in REPAIRS if name in repaired and repaired[name] - as_is >= ENOUGH * best)


# --- the repairs ---------------------------------------------------------------------------------------------------


def moved(x: np.ndarray, there: np.ndarray, home: np.ndarray, scale: bool = False) -> np.ndarray:
    """x [n, D] moved by the difference of two means, and spread by the quotient of two deviations (scale).

    there, home: texts of x's language and of the one trained on. A column that is constant in either keeps its spread.
    """
    apart = x - there.mean(0)
    if scale:
        from_, to = there.std(0), home.std(0)
        both = (from_ > 0) & (to > 0)
        apart = apart * np.where(both, to / np.where(both, from_, 1), 1)
    return apart + home.mean(0)


def refitted_intercept(logits: np.ndarray, labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """b [K] that maximises the likelihood of the labels under softmax(logits + b); their sum is zero.

    Every class weighs the same. A convex problem in K numbers.
    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax, softmax

    codes = np.searchsorted(classes, labels)
    counts = np.bincount(codes, minlength=len(classes))
    weights = (1 / np.maximum(counts, 1))[codes] / (counts > 0).sum()
    target = np.eye(len(classes))[codes]

    def loss(bias: np.ndarray):
        shifted = logits + bias
        value = -(weights[:, None] * target * log_softmax(shifted, axis=1)).sum()
        return value, (weights[:, None] * (softmax(shifted, axis=1) - target)).sum(0)

    start = -np.average(logits, axis=0, weights=weights)
    found = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return found - found.mean()


@dataclass(frozen=True)
class Without:
    """Takes out of columns, scaled to the deviation they have at home, a span of directions. basis: [D, r]."""

    scale: np.ndarray
    basis: np.ndarray

    @classmethod
    def of(cls, home: np.ndarray, means: list[np.ndarray]) -> Without:
        """The directions from the mean at home [D] to each of the means."""
        scale = home.std(0)
        scale = np.where(scale > 0, scale, 1)
        apart = np.stack([(mean - home.mean(0)) / scale for mean in means])
        _, size, rows = np.linalg.svd(apart, full_matrices=False)
        return cls(scale, rows[size > 1e-8 * max(size.max(), 1e-12)].T)

    def apply(self, x: np.ndarray) -> np.ndarray:
        scaled = x / self.scale
        return scaled - (scaled @ self.basis) @ self.basis.T


# --- what is read off a probe --------------------------------------------------------------------------------------


def logits(probe, x: np.ndarray) -> np.ndarray:
    """[n, K]: the probe's decision values; of two classes, the first's is zero."""
    values = probe.decision_function(x)
    return values if values.ndim == 2 else np.stack([np.zeros(len(values)), values], axis=1)


def ranking(labels: np.ndarray, logits: np.ndarray, classes: np.ndarray) -> float:
    """AUROC of each class's logit, above the mean of the others', against the rest; mean over the classes that are there."""
    from sklearn.metrics import roc_auc_score

    there = [i for i, c in enumerate(classes) if 0 < (labels == c).sum() < len(labels)]
    return float(np.mean([roc_auc_score(labels == classes[i], logits[:, i] - logits.mean(1)) for i in there]))


def largest_share(labels: np.ndarray) -> float:
    """Share of the most frequent label; the share of one class among predictions that have collapsed is near 1."""
    return float(np.unique(labels.astype(str), return_counts=True)[1].max() / len(labels))


def _columns(problem: Problem, result: Result, columns: np.ndarray) -> np.ndarray:
    """[train + test rows, D] of the result's table, the columns that its probe reads."""
    table = next(table for table in problem.tables if TableFeatures(problem, table).setting == result.setting)
    return table.matrix[:, columns].toarray().astype(np.float64)


def _fitted_again(probe, x: np.ndarray, labels: np.ndarray):
    from sklearn.base import clone

    return clone(probe).fit(x, labels)
