"""Whole words for pieces: cuts of real tokenizers are healed, tokens and their firings stay where they were."""

import numpy as np
import pytest
from conftest import sentences
from scipy.sparse import csr_matrix

from mosaic.interpretation import detection, words
from mosaic.interpretation.detection import Firings
from mosaic.interpretation.words import Read, Vocabulary, in_words


def read(text: str, pieces: list[str]) -> Read:
    """The text cut into these pieces, which stand in it in this order."""
    spans, at = [], 0
    for piece in pieces:
        at = text.index(piece, at)
        spans.append((at, at + len(piece)))
        at += len(piece)
    return words._read(text, spans)


@pytest.mark.parametrize(
    ("text", "pieces", "expected", "of_token"),
    [
        ("a rambling film", ["a", "ram", "bling", "film"], ("a", "rambling", "film"), [0, 1, 1, 2]),
        ("a Rambling", ["a", " Ram", "bl", "ing"], ("a", "rambling"), [0, 1, 1, 1]),  # a space within the token
        ("is n't it's", ["is", "n", "'", "t", "it", "'", "s"], ("is", "n't", "it's"), [0, 1, 1, 1, 2, 2, 2]),
        ("re-make.", ["re", "-", "make", "."], ("re", "-", "make", "."), [0, 1, 2, 3]),
        ("说你 ok", ["说", "你", "ok"], ("说", "你", "ok"), [0, 1, 2]),  # no spaces between words: tokens stay
        ("глупый", ["глу", "пый"], ("глупый",), [0, 0]),
        ("a  b", ["a", " ", " b"], ("a", "", "b"), [0, 1, 2]),
        ("", [], (), []),
    ],
)
def test_pieces_are_joined_where_no_space_and_no_mark_stands_between(text, pieces, expected, of_token):
    got = read(text, pieces)
    assert got.words == expected and got.of_token.tolist() == of_token


def test_two_tokens_of_one_letter_are_one_word():
    got = words._read("x € y", [(0, 1), (2, 3), (2, 3), (4, 5)])
    assert got.words == ("x", "€", "y") and got.of_token.tolist() == [0, 1, 1, 2]


def test_real_tokenizers_give_the_words_of_the_text():
    from mosaic.profiles.opening import load_model
    from mosaic.profiles.profile import load_profile

    lm = load_model(load_profile("mini"))
    texts = ["my tutor wants to call off my purchase. I want to have my money back."]
    (got,) = words.read(texts, lm)
    plain = texts[0].lower().replace(".", " .").split()
    assert [word for word in got.words if word] == plain
    assert len(got.of_token) == lm.tokenize(texts).counts[0] > len(plain), "the tokenizer cuts some words"


def test_minilm_has_no_pieces(minilm):
    texts = ["a thoroughly disingenuous, rambling bore"]
    (got,) = words.read(texts, minilm)
    assert got.words == ("a", "thoroughly", "disingenuous", ",", "rambling", "bore")
    assert len(got.of_token) == minilm.tokenize(texts).counts[0] > 6


def test_presence_is_by_word_and_unknown_words_are_none():
    train, held = [read("a b a", ["a", "b", "a"]), read("c", ["c"])], [read("b z", ["b", "z"]), read("", [])]
    vocabulary = Vocabulary.of(train)
    assert vocabulary.names == ("", "a", "b", "c")
    assert vocabulary.presence(train).toarray().tolist() == [[False, True, True, False], [False, False, False, True]]
    assert vocabulary.presence(held).toarray().tolist() == [[False, False, True, False], [False] * 4]
    assert vocabulary.presence([]).shape == (0, 4)


def test_firings_keep_their_place_and_get_the_word_and_those_before_it(tiny):
    """Texts run longest first; each token's word is looked up in its own text."""
    lm, texts = tiny("llama"), sentences(12, seed=3)

    class Encoder:
        layer = 1

        def encode(self, x):
            return csr_matrix(np.ones((len(x), 1)))

    found, got = detection.firings(texts, lm, [Encoder()]), words.read(texts, lm)
    vocabulary = Vocabulary.of(got)
    said = in_words(found, got, vocabulary)
    names, at = np.array(vocabulary.names), {}
    for row, text in zip(said.ids, said.text, strict=True):
        place = at[text] = at.get(text, -1) + 1
        before = ["", "", *texts[text].split()]
        assert np.where(row == detection.NOTHING, "", names[row]).tolist() == before[place : place + 3][::-1]
    assert isinstance(said, Firings) and (said.text == found.text).all()
    assert words.read([], lm) == []
