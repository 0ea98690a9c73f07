"""Statements about labelled texts: "texts with `boring` are more often negative", found on some texts and tested on others.

Three steps (after HypotheSAEs, arXiv 2502.04382). A *candidate* is something with a value in every training text and a set S of
words that say what it is: a latent and the words that tell best where it fires (`descriptions`), or a single word. For each class
c the candidates are ranked by what they say of it, on the training texts alone:

    separation       (mean of c - mean of the rest) / deviation within both
    mean difference   mean of c - mean of the rest
    l1                the penalty at which a candidate first gets a weight (the selector is given from outside)

The first of them that differ in their words become hypotheses. Each is *tested by its words alone* on held-out texts: a text
matches where one of the words of S stands in it, whatever the latent does. With a of the n matching texts and b of the m others
in class c, the effect is a / n - b / m (`shares`: interval, exact test, correction over all hypotheses tested).

Shapes: n texts, C candidates, k words each, V words of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.interpretation import shares
from mosaic.interpretation.descriptions import NONE
from mosaic.progress import Progress

LEAST_TEXTS = 10  # training texts that match, and that do not, below which a candidate is passed over
FAITHFUL = 0.5  # correlation over training texts, of a candidate's value with its words being there, from which they say what it is
SAME = 0.5  # share of training texts matched by both, of those matched by either, from which two candidates are one
CONFIRMED, OPEN, CONTRARY = "confirmed", "open", "contrary"
Rule = Callable[
    [csr_matrix, np.ndarray], np.ndarray
]  # (values [n, C], [n] bool of the class) -> [C], the largest first


@dataclass(frozen=True, eq=False)
class Candidates:
    """names: [C]. values: CSR [n, C] on the training texts. words: [C, k] numbers of words, NONE where there are fewer."""

    names: Sequence[str]
    values: csr_matrix
    words: np.ndarray

    def matches(self, presence: csr_matrix) -> csr_matrix:
        """[n, C] CSR of bool: texts in which one of its words stands. presence: [n, V]."""
        which, place = np.nonzero(self.words != NONE)
        said = csr_matrix(
            (np.ones(len(which), dtype=np.int32), (self.words[which, place], which)),
            shape=(presence.shape[1], len(self.words)),
        )
        return (presence.astype(np.int32) @ said).astype(bool)


@dataclass(frozen=True)
class Hypothesis:
    """Texts with one of these words are more often of this class. words: numbers, the best first. candidate: its number; merged: of
    others that say the same of the class."""

    label: str
    words: tuple[int, ...]
    candidate: int
    merged: tuple[int, ...] = ()


@dataclass(frozen=True)
class Tested:
    """A hypothesis on n held-out texts. n_matching: of them. matching, others: share of the class. low, high: 95 % of the effect. p:
    Fisher's; corrected: over all that were tested. Shares and interval are None where no text matches, or all do."""

    hypothesis: Hypothesis
    n: int
    n_matching: int
    matching: float | None
    others: float | None
    low: float | None
    high: float | None
    p: float
    corrected: float

    @property
    def effect(self) -> float | None:
        return None if self.matching is None else self.matching - self.others

    @property
    def prevalence(self) -> float:
        return self.n_matching / self.n

    @property
    def verdict(self) -> str:
        """CONFIRMED or CONTRARY by the sign of an effect that the corrected test finds, else OPEN."""
        if self.effect is None or self.corrected > shares.DISCOVERY:
            return OPEN
        return CONFIRMED if self.effect > 0 else CONTRARY


def separation(values: csr_matrix, of_class: np.ndarray) -> np.ndarray:
    """[C] difference of the means over the deviation within both groups; 0 where nothing varies."""
    difference, variance = mean_difference(values, of_class), np.zeros(values.shape[1])
    for group in (of_class, ~of_class):
        part = values[group].astype(np.float64)
        variance += np.asarray(part.power(2).sum(0)).ravel() - np.asarray(part.sum(0)).ravel() ** 2 / group.sum()
    deviation = np.sqrt(np.maximum(variance, 0) / max(len(of_class) - 2, 1))
    return np.divide(difference, deviation, out=np.zeros(len(difference)), where=deviation > 1e-9)


def mean_difference(values: csr_matrix, of_class: np.ndarray) -> np.ndarray:
    """[C] mean over the class's texts minus mean over the others."""
    first, second = (np.asarray(values[group].astype(np.float64).mean(0)).ravel() for group in (of_class, ~of_class))
    return first - second


def ranked(rule: Rule, values: csr_matrix, of_class: np.ndarray) -> np.ndarray:
    """Numbers of the candidates that speak for the class, the best first; nearly equal ones by number."""
    score = np.round(np.asarray(rule(values, of_class), dtype=np.float64), 9)
    score[mean_difference(values, of_class) <= 0] = 0
    order = np.argsort(-score, kind="stable")
    return order[score[order] > 0]


def faithfulness(values: csr_matrix, matches: csr_matrix) -> np.ndarray:
    """[C] correlation of each candidate's value with its words being there, over texts; 0 where either does not vary."""
    x, y, n = values.astype(np.float64), matches.astype(np.float64), values.shape[0]

    def moments(of) -> tuple[np.ndarray, np.ndarray]:
        mean = np.asarray(of.mean(0)).ravel()
        return mean, np.asarray(of.power(2).mean(0)).ravel() - mean**2

    (mean_x, var_x), (mean_y, var_y) = moments(x), moments(y)
    both = np.asarray(x.multiply(y).sum(0)).ravel() / n - mean_x * mean_y
    spread = np.sqrt(np.maximum(var_x * var_y, 0))
    return np.divide(both, spread, out=np.zeros(len(both)), where=spread > 1e-9)


def choose(
    candidates: Candidates, presence: csr_matrix, labels: np.ndarray, n: int, rule: Rule = separation
) -> list[Hypothesis]:
    """n hypotheses at most, as many of every class (one at least), by what is in the training texts alone.

    presence: [n, V] words of the training texts. A candidate is passed over where its words do not say what it is (FAITHFUL), where
    they match fewer than LEAST_TEXTS texts or leave out fewer, and where texts that match are not more often of the class. One that
    matches the texts (SAME) of one that was chosen for the class is merged into it.
    """
    matches = candidates.matches(presence)
    size = np.asarray(matches.sum(0)).ravel()
    usable = (size >= LEAST_TEXTS) & (size <= len(labels) - LEAST_TEXTS)
    usable &= faithfulness(candidates.values, matches) >= FAITHFUL
    classes, by_column = sorted(set(labels)), matches.tocsc()
    found = []
    for label in classes:
        of_class = labels == label
        agrees = usable & (mean_difference(matches, of_class) > 0)
        order = [int(i) for i in ranked(rule, candidates.values, of_class) if agrees[i]]
        found += _distinct(label, order, by_column, candidates.words, max(1, n // len(classes)))
    return found


def _distinct(label: str, order: Sequence[int], matches, words: np.ndarray, n: int) -> list[Hypothesis]:
    """The first n of `order` that match different texts; every other one, until these are found, is merged into its like."""
    chosen: list[tuple[int, set, list[int]]] = []
    for number in order:
        texts = set(matches.indices[matches.indptr[number] : matches.indptr[number + 1]].tolist())
        like = next((one for one in chosen if len(texts & one[1]) >= SAME * len(texts | one[1])), None)
        if like is not None:
            like[2].append(number)
        elif len(chosen) == n:
            break
        else:
            chosen.append((number, texts, []))
    return [
        Hypothesis(label, tuple(int(word) for word in words[number] if word != NONE), number, tuple(merged))
        for number, _, merged in chosen
    ]


def matching(hypotheses: Sequence[Hypothesis], presence: csr_matrix) -> np.ndarray:
    """[n, H] bool: the texts in which one of a hypothesis's words stands."""
    out = [np.asarray(presence[:, list(one.words)].astype(np.int32).sum(1)).ravel() > 0 for one in hypotheses]
    return np.stack(out, axis=1) if out else np.zeros((presence.shape[0], 0), dtype=bool)


def test(hypotheses: Sequence[Hypothesis], presence: csr_matrix, labels: np.ndarray) -> list[Tested]:
    """Each hypothesis on held-out texts, in their order. presence: [n, V]. Those that no text matches, or every one, are no tests and
    do not weigh on the others."""
    matched = matching(hypotheses, presence)
    of_class = np.stack([labels == one.label for one in hypotheses], axis=1) if hypotheses else matched
    n, m = matched.sum(0), (~matched).sum(0)
    a, b = (matched & of_class).sum(0), (~matched & of_class).sum(0)
    tests = (n > 0) & (m > 0)
    p = shares.fisher(a, n, b, m)
    corrected = shares.corrected(p, tests)
    low, high = shares.newcombe(a, np.maximum(n, 1), b, np.maximum(m, 1))
    return [
        Tested(
            one,
            len(labels),
            int(n[i]),
            *((float(a[i] / n[i]), float(b[i] / m[i]), float(low[i]), float(high[i])) if tests[i] else [None] * 4),
            float(p[i]),
            float(corrected[i]),
        )
        for i, one in enumerate(hypotheses)
    ]


def found_by_chance(
    candidates: Candidates,
    presence: tuple,
    labels: tuple,
    n: int,
    rule: Rule = separation,
    deals: int = 20,
    seed: int = 0,
    groups: tuple = (None, None),
) -> list[tuple[int, int]]:
    """[(confirmed, tested)] of each deal of the labels: how many hypotheses come out true where no text has to do with its label.

    presence, labels, groups: of the training and of the held-out texts; both are dealt anew, a group's labels together.
    """
    rng, out = np.random.default_rng(seed), []
    with Progress("dealing labels", deals, "deals") as progress:
        for _ in range(deals):
            train, held = (dealt(of, by, rng) for of, by in zip(labels, groups, strict=True))
            tested = test(choose(candidates, presence[0], train, n, rule), presence[1], held)
            out.append((sum(one.verdict == CONFIRMED for one in tested), len(tested)))
            progress.advance(1)
    return out


def dealt(labels: np.ndarray, groups: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """The labels in another order; of texts in groups, whole groups change places, so that what a group's texts share they go on to
    share."""
    if groups is None or len(np.unique(groups)) == len(groups):
        return rng.permutation(labels)
    _, group = np.unique(groups, return_inverse=True)
    order = rng.permutation(group.max() + 1)
    out = np.empty_like(labels)
    out[np.argsort(group, kind="stable")] = labels[np.argsort(order[group], kind="stable")]
    return out
