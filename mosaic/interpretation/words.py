"""Whole words in the place of tokens: what a person reads when a latent is described.

A tokenizer cuts "rambling" into "ram" and "##bling". Tokens that stand next to one another in the text, with letters or digits on
both sides of the cut, are one word; each of them is then known by the whole word, and the token before it is the word before it.
Scripts that put no space between words (Chinese, Japanese, Thai) keep their tokens. Words are compared without case; number 0 is
"no word", also a word that the vocabulary lacks.

Shapes: n texts, N real tokens of all of them, V words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.interpretation.detection import NOTHING, OFFSETS, Firings
from mosaic.models.language import LanguageModel

APOSTROPHES = "'\N{RIGHT SINGLE QUOTATION MARK}"
UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")  # how the names of their letters begin


@dataclass(frozen=True, eq=False)
class Read:
    """One text. words: in order, in small letters ("" for a token of white space). of_token: [its real tokens] number of each one's
    word. spans: where each word stands in the text, [start, end) in characters."""

    words: tuple[str, ...]
    of_token: np.ndarray
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Vocabulary:
    """names: [V] words, the first of them none."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[Read]) -> Vocabulary:
        return cls(("", *dict.fromkeys(word for text in texts for word in text.words if word)))

    def ids(self, texts: Sequence[Read]) -> list[np.ndarray]:
        """Each text's words by number, 0 for those that are not in it."""
        number = {name: i for i, name in enumerate(self.names)}
        return [np.array([number.get(word, 0) for word in text.words], dtype=np.int64) for text in texts]

    def presence(self, texts: Sequence[Read]) -> csr_matrix:
        """[n, V] CSR of bool: which text has which word."""
        ids = [np.unique(words[words > 0]) for words in self.ids(texts)]
        indptr = np.concatenate([[0], np.cumsum([len(words) for words in ids], dtype=np.int64)])
        indices = np.concatenate([*ids, np.zeros(0, dtype=np.int64)])
        return csr_matrix((np.ones(len(indices), dtype=bool), indices, indptr), shape=(len(texts), len(self.names)))


def read(texts: Sequence[str], lm: LanguageModel) -> list[Read]:
    """The texts as far as the model reads them, special tokens left out as everywhere."""
    if not len(texts):
        return []
    found = lm.tokenizer(
        list(texts),
        truncation=True,
        max_length=lm.spec.max_length,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        return_attention_mask=False,
    )
    offsets, special = found["offset_mapping"], found["special_tokens_mask"]
    return [
        _read(text, [tuple(at) for at, out in zip(*one, strict=True) if not out])
        for text, *one in zip(texts, offsets, special, strict=True)
    ]


def in_words(found: Firings, texts: Sequence[Read], vocabulary: Vocabulary) -> Firings:
    """The same firings with words in the place of tokens. texts: those that were run, in the order in which they were given."""
    numbered = vocabulary.ids(texts)
    order = found.text[np.flatnonzero(np.diff(found.text, prepend=-1))]  # a text's tokens stand together
    ids = [_context(numbered[i])[texts[i].of_token] for i in order]
    return replace(found, ids=np.concatenate([*ids, np.zeros((0, OFFSETS), dtype=np.int64)]))


def _context(ids: np.ndarray) -> np.ndarray:
    """[words, OFFSETS] each word and those before it, NOTHING where there is none, or none that the vocabulary has."""
    padded = np.concatenate([np.full(OFFSETS - 1, NOTHING, dtype=np.int64), np.where(ids > 0, ids, NOTHING)])
    return np.stack([padded[OFFSETS - 1 - o : len(padded) - o] for o in range(OFFSETS)], axis=1)


def _read(text: str, spans: Sequence[tuple[int, int]]) -> Read:
    """spans: [start, end) of each real token in the text."""
    spans = [_stripped(text, *span) for span in spans]
    starts = [i == 0 or not _goes_on(text, spans[i - 1], spans[i]) for i in range(len(spans))]
    of_token = np.cumsum(starts, dtype=np.int64) - 1
    first, last = np.flatnonzero(starts), np.flatnonzero([*starts[1:], True] if starts else [])
    ends = tuple((spans[i][0], max(spans[j][1], spans[i][0])) for i, j in zip(first, last, strict=True))
    return Read(tuple(text[start:end].lower() for start, end in ends), of_token, ends)


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """Without the white space that some tokenizers put into a token."""
    token = text[start:end]
    return start + len(token) - len(token.lstrip()), max(end - len(token) + len(token.rstrip()), start)


def _goes_on(text: str, before: tuple[int, int], span: tuple[int, int]) -> bool:
    if span[0] < before[1]:  # two tokens of one letter
        return True
    return span[0] == before[1] and span[0] < span[1] and _joins(text[span[0] - 1]) and _joins(text[span[0]])


def _joins(letter: str) -> bool:
    if letter in APOSTROPHES:
        return True
    spaced = letter.isascii() or not unicodedata.name(letter, "").startswith(UNSPACED)
    return (letter.isalnum() or unicodedata.category(letter).startswith("M")) and spaced
