"""Rows of two models that stand for the same word: cuts differ, rows do not."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from mosaic.interpretation import aligned, detection, words
from mosaic.interpretation.aligned import by_tokens, by_words
from tests.interpretation.test_words import read


def test_words_cut_differently_have_the_same_rows():
    text = "a rambling film."
    one, other = read(text, ["a", "ram", "bling", "film", "."]), read(text, ["a", "r", "ambl", "ing", " film", "."])
    rows = by_words([[one], [other]])
    assert rows.words == ("a", "rambling", "film", ".")
    assert rows.places[0][0].tolist() == [0, 2, 3, 4] and rows.places[1][0].tolist() == [0, 3, 4, 5]


def test_words_that_one_model_does_not_have_whole_are_left_out():
    text = "so rambling on"
    whole = read(text, ["so", "rambling", "on"])
    cut = read(text, ["so", "ram"])  # max_length
    rows = by_words([[whole], [cut]])
    assert rows.words == ("so",) and [places[0].tolist() for places in rows.places] == [[0], [0]]
    marks = by_words([[read("no...", ["no", "..."])], [read("no...", ["no", ".", ".", "."])]])
    assert marks.words == ("no",)


def test_white_space_has_no_row_and_empty_texts_none():
    rows = by_words([[read("a  b", ["a", " ", " b"]), read("", [])], [read("a  b", ["a", "b"]), read("", [])]])
    assert rows.words == ("a", "b") and rows.places[0][0].tolist() == [0, 2]
    assert rows.of(0, np.array([0, 0, 0])).tolist() == [0, 2]


def test_tokens_are_rows_where_the_tokenizer_is_one():
    texts = [read("a rambling", ["a", "ram", "bling"]), read("b", ["b"])]
    rows = by_tokens(texts, 2)
    assert rows.words == ("a", "rambling", "rambling", "b")
    assert rows.of(1, np.array([1, 0, 0, 0])).tolist() == [1, 2, 3, 0], "texts run longest first; rows are in order"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("ab c.", max_size=12), min_size=1, max_size=4), st.integers(0, 99))
def test_a_row_is_the_same_piece_of_text_in_both_however_it_is_cut(texts, seed):
    rng = np.random.default_rng(seed)

    def cut(text: str):
        at = [0, *sorted({int(i) for i in rng.integers(0, len(text) + 1, 4)} - {0, len(text)}), len(text)]
        return words._read(text, [(a, b) for a, b in itertools.pairwise(at) if b > a])

    both = [[cut(text) for text in texts] for _ in range(2)]
    rows = by_words(both)
    for i, text in enumerate(texts):
        ends = [
            [reads[i].spans[reads[i].of_token[at]] for at in places[i]]
            for reads, places in zip(both, rows.places, strict=True)
        ]
        assert ends[0] == ends[1] and ends[0] == sorted(set(ends[0]))
        for reads, places in zip(both, rows.places, strict=True):
            for at in places[i]:  # the last token of its word
                assert at == len(reads[i].of_token) - 1 or reads[i].of_token[at + 1] != reads[i].of_token[at]
        assert all(text[start:end].strip() for start, end in ends[0])
    assert len(rows.words) == sum(len(place) for place in rows.places[0])


def test_real_tokenizers_give_one_matrix(minilm):
    """What a latent of either model sees in a row is that row's word."""
    from mosaic.profiles.opening import load_model
    from mosaic.profiles.profile import load_profile

    other = load_model(load_profile("mini"))
    texts = ["Don't worry: it's 3.50 dollars...", "a thoroughly disingenuous, rambling bore", "ok"]
    assert not aligned.same_tokens([minilm, other], texts) and aligned.same_tokens([other, other], texts)
    rows = aligned.read_rows([minilm, other], texts, aligned.WORDS)
    assert rows.words[:4] == ("don't", "worry", ":", "it's") and rows.words[-3:] == ("rambling", "bore", "ok")

    class Encoder:
        def __init__(self, layer):
            self.layer = layer

        def encode(self, x):
            return csr_matrix(np.ones((len(x), 1)))

    for place, lm in enumerate((minilm, other)):
        found = detection.firings(texts, lm, [Encoder(lm.layers[1])])
        taken = rows.of(place, found.text)
        pieces = [lm.tokenizer.decode([i]).strip().strip("#").lower() for i in found.ids[taken, 0]]
        assert all(word.endswith(piece) for word, piece in zip(rows.words, pieces, strict=True)), pieces


@pytest.mark.parametrize("unit", [aligned.TOKENS, aligned.WORDS])
def test_no_texts_have_no_rows(unit, minilm):
    rows = aligned.read_rows([minilm, minilm], [], unit)
    assert rows.words == () and rows.of(0, np.zeros(0, dtype=np.int64)).tolist() == []
