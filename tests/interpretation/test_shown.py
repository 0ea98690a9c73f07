"""Windows and tokens that an explainer is shown, against a slow and obvious reference."""

import numpy as np
import pytest
from conftest import sae_folder, sentences
from scipy.sparse import csr_matrix

from mosaic.interpretation.detection import Firings, firings
from mosaic.interpretation.shown import DIGITS, Example, choose, rounded, spread, token_texts
from mosaic.saes.loading import SAESource, load_encoder


def made_up(texts: list[list[float]]) -> tuple[Firings, csr_matrix, list[tuple[str, ...]]]:
    """One latent; the activation of each token of each text."""
    owner = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    codes = csr_matrix(np.concatenate([*texts, []])[:, None].astype(np.float32))
    pieces = [tuple(f"{i}.{j} " for j in range(len(text))) for i, text in enumerate(texts)]
    return Firings(np.zeros((len(owner), 3), int), owner, (codes,)), codes, pieces


def test_windows_stand_in_the_order_of_their_largest_activation():
    found, codes, pieces = made_up([[0, 1, 0, 5, 2], [0, 0], [7], [0, 0, 3]])
    (shown,) = choose(found, codes, pieces, window=2, fewest=1)
    assert shown.latent == 0
    assert shown.examples == (
        Example(("2.0 ",), (7.0,)),
        Example(("0.2 ", "0.3 "), (0.0, 5.0)),
        Example(("3.2 ",), (3.0,)),
        Example(("0.4 ",), (2.0,)),
        Example(("0.0 ", "0.1 "), (0.0, 1.0)),
    )


def test_equal_windows_stand_in_the_texts_order_and_seldom_latents_are_left_out():
    found, codes, pieces = made_up([[1], [1], [1]])
    assert [e.tokens[0] for e in choose(found, codes, pieces, fewest=3)[0].examples] == ["0.0 ", "1.0 ", "2.0 "]
    assert choose(found, codes, pieces, fewest=4) == []
    assert choose(*made_up([[0], [0]]), fewest=0) == []
    assert choose(*made_up([])) == []


@pytest.mark.parametrize(
    "there,n,places",
    [(3, 5, [0, 1, 2]), (5, 5, [0, 1, 2, 3, 4]), (100, 4, [0, 1, 2, 99]), (101, 6, [0, 1, 2, 3, 52, 100]), (9, 1, [0])],
)
def test_half_are_the_first_and_the_others_are_spread(there, n, places):
    assert spread(there, n).tolist() == places


def test_never_one_place_twice():
    for there in range(1, 60):
        for n in range(1, 40):
            got = spread(there, n)
            assert len(set(got.tolist())) == len(got) == min(there, n) and got.max() < there


@pytest.mark.parametrize("kind", ["llama", "bert"])
def test_tokens_are_pieces_of_the_text_and_activations_are_the_models(tiny, tmp_path, kind):
    lm, texts = tiny(kind), [*sentences(12, seed=3), "the  cat\nsat!", ""]
    pieces = token_texts(texts, lm)
    tokens = lm.tokenize(texts)
    for text, piece, count in zip(texts, pieces, tokens.counts, strict=True):
        assert len(piece) == count and "".join(piece) == text[: len("".join(piece))]
    assert "".join(pieces[-2]) == "the  cat\nsat!"
    encoder = load_encoder(
        SAESource(1, "96", path=str(sae_folder(tmp_path, "topk"))), "tiny", 64, first_layer=lm.spec.first_layer
    )
    found = firings(texts, lm, [encoder])
    dense = found.codes[0].toarray()
    for shown in choose(found, found.codes[0], pieces, n=100, window=5, fewest=1):
        expected = []
        for text in range(len(texts)):
            rows = np.flatnonzero(found.text == text)
            for start in range(0, len(rows), 5):
                values = dense[rows[start : start + 5], shown.latent]
                if values.max() > 0:
                    expected.append(
                        (tuple(pieces[text][start : start + 5]), tuple(float(f"{v:.{DIGITS}g}") for v in values))
                    )
        assert sorted((e.tokens, e.activations) for e in shown.examples) == sorted(expected)


def test_a_tokenizer_without_places_gives_each_tokens_text(tiny, monkeypatch):
    from dataclasses import replace

    class Slow:
        is_fast = False

        def __init__(self, inner):
            self.inner = inner

        def __call__(self, *arguments, **more):
            return self.inner(*arguments, **more)

        def decode(self, ids):
            return self.inner.decode(ids)

    lm = tiny("llama")
    slow = replace(lm, tokenizer=Slow(lm.tokenizer))
    assert token_texts(["the cat sat"], slow) == [("the", "cat", "sat")]


def test_no_part_of_a_text_is_given_twice(tiny):
    """A character over two tokens, and a token that says it stands nowhere, as some tokenizers' do."""
    from dataclasses import replace

    class Told:
        is_fast = True

        def __call__(self, text, **_):
            places = [(0, 0), (0, 3), (3, 5), (3, 5), (0, 0), (5, 7)]
            return {"offset_mapping": places, "special_tokens_mask": [1, 0, 0, 0, 0, 0]}

    assert token_texts(["the ü!?"], replace(tiny("llama"), tokenizer=Told())) == [("the", " ü", "", "", "!?")]


def test_the_last_digits_of_an_activation_change_no_question():
    rng = np.random.default_rng(0)
    values = rng.gamma(2, 3, 200)
    shaken = values * (1 + 1e-7 * rng.standard_normal(200))
    assert (rounded(values) == rounded(shaken)).mean() > 0.99 and rounded(
        np.array([0.0, 11.1597, 0.0123456])
    ).tolist() == [0.0, 11.2, 0.0123]
