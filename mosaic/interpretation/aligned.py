"""Rows of several models that stand for the same piece of one text, also where their tokenizers cut it elsewhere.

Models with one tokenizer are read token by token. Models with other tokenizers are read by whole words: a row for each word
that every one of them cuts at the same two characters of the text. A word's row is that of its last token, the first at which a
causal model has read the whole word; a mean over tokens would be a code that no SAE gave. A word that one model reads in part
(its text was cut at max_length), white space and special tokens have no row.

Shapes: R rows of all texts, text after text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.interpretation import words
from mosaic.interpretation.words import Read
from mosaic.models.language import LanguageModel

TOKENS, WORDS = "tokens", "whole words"


@dataclass(frozen=True, eq=False)
class Rows:
    """words: [R] the whole word of each row. places: for each model, a [rows of the text] array a text: which of its real tokens."""

    words: tuple[str, ...]
    places: tuple[tuple[np.ndarray, ...], ...]

    def of(self, model: int, owner: np.ndarray) -> np.ndarray:
        """[R] numbers of a model's tokens. owner: [N] text of each of its real tokens, those of one text together (`Firings.text`)."""
        starts = np.full(len(self.places[model]), 0, dtype=np.int64)
        first = np.flatnonzero(np.diff(owner, prepend=-1))
        starts[owner[first]] = first
        found = [start + places for start, places in zip(starts, self.places[model], strict=True)]
        return np.concatenate([*found, np.zeros(0, dtype=np.int64)])


def same_tokens(models: Sequence[LanguageModel], texts: Sequence[str]) -> bool:
    """Whether all models cut these texts into the same real tokens."""
    first, *rest = [_real_ids(lm, texts) for lm in models]
    return all(np.array_equal(a, b) for other in rest for a, b in zip(first, other, strict=True))


def by_tokens(read: Sequence[Read], n_models: int) -> Rows:
    """A row a token, of models with one tokenizer. read: the texts as one of them cuts them."""
    places = tuple(np.arange(len(text.of_token)) for text in read)
    return Rows(tuple(text.words[word] for text in read for word in text.of_token), (places,) * n_models)


def by_words(read: Sequence[Sequence[Read]]) -> Rows:
    """A row a word that all models have. read: for each model, the texts as it cuts them."""
    names: list[str] = []
    places: list[list[np.ndarray]] = [[] for _ in read]
    for cuts in zip(*read, strict=True):
        ends = [_last_tokens(cut) for cut in cuts]
        common = [span for span in ends[0] if all(span in end for end in ends)]
        kept = set(common)
        names += [name for span, name in zip(cuts[0].spans, cuts[0].words, strict=True) if name and span in kept]
        for own, end in zip(places, ends, strict=True):
            own.append(np.array([end[span] for span in common], dtype=np.int64))
    return Rows(tuple(names), tuple(map(tuple, places)))


def read_rows(models: Sequence[LanguageModel], texts: Sequence[str], unit: str) -> Rows:
    """The rows of these texts. unit: TOKENS, where all models have one tokenizer, or WORDS."""
    if unit == TOKENS:
        return by_tokens(words.read(texts, models[0]), len(models))
    return by_words([words.read(texts, lm) for lm in models])


def _last_tokens(cut: Read) -> dict[tuple[int, int], int]:
    """{span of a word: number of its last token}, in reading order, white space left out."""
    last = np.flatnonzero(np.diff(cut.of_token, append=len(cut.words)))
    return {span: int(at) for span, name, at in zip(cut.spans, cut.words, last, strict=True) if name}


def _real_ids(lm: LanguageModel, texts: Sequence[str]) -> list[np.ndarray]:
    tokens = lm.tokenize(texts)
    return [ids[~special] for ids, special in zip(tokens.ids, tokens.special, strict=True)]
