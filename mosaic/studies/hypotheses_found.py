"""From labelled texts to tested hypotheses: latents and their descriptions on the training texts, the test on held-out ones.

The language model reads the training texts alone; a held-out text is known by its words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.errors import MosaicError
from mosaic.features.request import Request
from mosaic.interpretation import descriptions, detection, hypotheses, words
from mosaic.interpretation.descriptions import NONE
from mosaic.interpretation.hypotheses import Candidates, Hypothesis, Rule, Tested
from mosaic.models.language import LanguageModel
from mosaic.saes.encoder import Encoder
from mosaic.studies.readable import cut
from mosaic.texts import labelled
from mosaic.texts.labelled import LabelledTexts

POOLING = "max"
TOP = 20  # hypotheses of a set
TELLING = 0.1  # share of its best word's term below which a word is left out of a description
SELDOM = 10  # firings in either half of the texts below which a latent is not described
DESCRIBED = 4_000  # latents at most of one SAE and class, the best by the rule
L1_LATENTS = 100  # that the penalty lets in


def l1(values: csr_matrix, of_class: np.ndarray) -> np.ndarray:
    """[C] order of the lasso's path (`sparse_selection`), of the columns that vary."""
    from mosaic.probing.sparse_selection import LassoSelector

    fires = np.asarray((values > 0).sum(0)).ravel()
    columns = np.flatnonzero((fires >= SELDOM) & (fires <= len(of_class) - SELDOM))
    score = np.zeros(values.shape[1])
    if len(columns):
        score[columns] = LassoSelector(L1_LATENTS).fit(values[:, columns].toarray(), of_class).scores_
    return score


RULES: dict[str, Rule] = {
    "separation": hypotheses.separation,
    "mean-difference": hypotheses.mean_difference,
    "l1": l1,
}


@dataclass(frozen=True, eq=False)
class Texts:
    """A labelled set as hypotheses see it: both parts, the words of each text. presence: [n, V] of either."""

    train: LabelledTexts
    test: LabelledTexts
    read: Sequence[words.Read]
    vocabulary: words.Vocabulary
    presence: tuple[csr_matrix, csr_matrix]

    @classmethod
    def of(cls, train: LabelledTexts, test: LabelledTexts, lm: LanguageModel) -> Texts:
        read, held = words.read(train.texts, lm), words.read(test.texts, lm)
        vocabulary = words.Vocabulary.of(read)
        return cls(train, test, read, vocabulary, (vocabulary.presence(read), vocabulary.presence(held)))

    @property
    def labels(self) -> tuple[np.ndarray, np.ndarray]:
        return self.train.labels, self.test.labels

    @property
    def groups(self) -> tuple:
        return tuple(
            None if part.groups is None else np.asarray(part.groups).astype(str) for part in (self.train, self.test)
        )

    @property
    def grouped(self) -> bool:
        """Whether some texts belong together, so that intervals and tests, which take texts as independent, say too much."""
        return any(of is not None and len(np.unique(of)) < len(of) for of in self.groups)

    def choose(self, candidates: Candidates, n: int = TOP, rule: Rule = hypotheses.separation) -> list[Hypothesis]:
        return hypotheses.choose(candidates, self.presence[0], self.train.labels, n, rule)

    def test_all(self, chosen: Sequence[Hypothesis]) -> list[Tested]:
        return hypotheses.test(chosen, self.presence[1], self.test.labels)

    def by_chance(self, candidates: Candidates, n: int, rule: Rule, deals: int) -> list[tuple[int, int]]:
        return hypotheses.found_by_chance(candidates, self.presence, self.labels, n, rule, deals, groups=self.groups)

    def named(self, hypothesis: Hypothesis) -> list[str]:
        return [self.vocabulary.names[word] for word in hypothesis.words]


def check(train: LabelledTexts, test: LabelledTexts) -> None:
    """Raises MosaicError for labels that hypotheses cannot be drawn from; cheap, so callers ask before they load a model."""
    labelled.check_classes(train, hypotheses.LEAST_TEXTS)
    labelled.check_test(train, test)
    if len(test) < 2 * hypotheses.LEAST_TEXTS:
        raise MosaicError(
            f"{test.name}: {len(test)} held-out texts are too few to test a hypothesis on; {2 * hypotheses.LEAST_TEXTS} or more "
            "were expected. Add rows."
        )


def latents_of(
    texts: Texts, lm: LanguageModel, encoders: Sequence[Encoder], cache: Path | None, rule: Rule = hypotheses.separation
) -> list[Candidates]:
    """One set of candidates an encoder: its latents, each with the words that tell best where it fires.

    Of an SAE with more than DESCRIBED latents, those that `rule` puts first for a class are described.
    """
    from mosaic.features.extract import extract

    tables = extract(texts.train.texts, lm, Request(tuple(encoders), (), (POOLING,)), cache)
    read = shuffled(cut(lm, texts.train.texts))
    number = {text: i for i, text in enumerate(texts.train.texts)}
    found = detection.firings(read, lm, encoders)
    found = words.in_words(found, [texts.read[number[text]] for text in read], texts.vocabulary)
    out = []
    for table, codes in zip(tables, found.codes, strict=True):
        few = table.matrix.shape[1] <= DESCRIBED
        latents = None if few else _best(rule, table.matrix, texts.train.labels)
        told = descriptions.describe(found, codes, latents, least=SELDOM, telling=TELLING)
        out.append(Candidates(table.names, table.matrix, told.tokens))
    return out


def shuffled(texts: Sequence[str]) -> list[str]:
    """In an order that is drawn: every other text is learned from, and classes often take turns in a file."""
    return [texts[i] for i in np.random.default_rng(0).permutation(len(texts))]


def _best(rule: Rule, values: csr_matrix, labels: np.ndarray) -> list[int]:
    found = {
        int(i) for label in sorted(set(labels)) for i in hypotheses.ranked(rule, values, labels == label)[:DESCRIBED]
    }
    return sorted(found)


def joined(parts: Sequence[Candidates]) -> Candidates:
    """The candidates of several encoders, one after the other."""
    from scipy.sparse import hstack

    return Candidates(
        np.concatenate([one.names for one in parts]),
        hstack([one.values for one in parts], format="csr"),
        np.concatenate([one.words for one in parts]),
    )


def single_words(texts: Texts) -> Candidates:
    """Every word of the training texts: the bag of words, whose hypotheses say nothing but that a word is there."""
    numbers = np.arange(len(texts.vocabulary.names))
    return Candidates(
        texts.vocabulary.names, texts.presence[0].astype(np.float32), np.where(numbers, numbers, NONE)[:, None]
    )


def at_random(seed: int) -> Rule:
    """Candidates that speak for the class, in an order that is drawn."""

    def rule(values: csr_matrix, of_class: np.ndarray) -> np.ndarray:
        return np.random.default_rng([seed, int(of_class.sum())]).random(values.shape[1]) + 1e-6

    return rule


def rule_named(name: str) -> Callable:
    """Raises MosaicError for a rule that there is not."""
    if name not in RULES:
        raise MosaicError(f"there is no rule {name!r} to choose latents by; there are {', '.join(RULES)}.")
    return RULES[name]
