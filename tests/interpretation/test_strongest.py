"""The words on which latents fire most: a slow reference, parts, ties, and the rules read from them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from mosaic.errors import MosaicError
from mosaic.interpretation.categories import categories
from mosaic.interpretation.strongest import Strongest, of_list, on_a_mark, on_one_word


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(1, 5), st.integers(0, 99), st.integers(1, 60))
def test_words_in_parts_are_those_of_a_sort(n, d, seed, part):
    rng = np.random.default_rng(seed)
    codes = np.where(rng.random((n, d)) < 0.5, rng.integers(1, 4, (n, d)), 0).astype(np.float32)  # many ties
    words = [f"w{i}" for i in rng.integers(0, 9, n)]
    found = Strongest(d, 3)
    for start in range(0, n, part):
        found.add(csr_matrix(codes[start : start + part]), words[start : start + part])
    for latent in range(d):
        order = sorted(np.flatnonzero(codes[:, latent]), key=lambda row: (-codes[row, latent], row))[:3]
        assert found.words([latent]) == [tuple(words[row] for row in order)]


def test_last_digits_do_not_decide():
    found = Strongest(1, 1)
    found.add(csr_matrix([[1.0], [1.0 + 1e-6]]), ["first", "second"])
    found.add(csr_matrix([[1.0 + 2e-6]]), ["third"])
    assert found.words([0, 0]) == [("first",), ("first",)]


@pytest.mark.parametrize(
    ("words", "mark", "one", "time"),
    [
        (("day", "day", "day", "day", "day"), False, True, True),
        (("day", "night", "hour", "is", "no"), False, False, True),
        (("day", "night", "is", "is", "no"), False, False, False),
        (("day", ".", "hour", "year", "night"), True, False, True),
        (('"', '"', '"', '"', '"'), True, True, False),
        (("it's", "4", "don't", "é", "日"), False, False, False),
        (("day", ""), True, False, False),
    ],
)
def test_rules(words, mark, one, time):
    assert (on_a_mark(words), on_one_word(words), of_list(words, categories()["time"])) == (mark, one, time)


def test_the_lists_are_small_words_of_one_list_each():
    found = categories()
    assert {"emotions", "time", "calendar", "nature", "places", "roles", "family and people"} <= set(found)
    assert all(len(words) >= 40 and all(word == word.lower() for word in words) for words in found.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: one two\nb: two", "'two' is of a and of b. Leave it in one of them"),
        ("- one", "holds no lists of words; `name: word word word`"),
        ("a: [one]", "holds no lists of words; `name: word word word`"),
        ("a: 'one", "holds no lists of words: "),
    ],
)
def test_other_files_are_refused(tmp_path, text, message):
    (tmp_path / "lists.yml").write_text(text)
    with pytest.raises(MosaicError, match=message):
        categories(tmp_path / "lists.yml")
