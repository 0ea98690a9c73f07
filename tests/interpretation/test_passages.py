"""Passages in which a latent fires, against one text after the other."""

import numpy as np
import pytest
from conftest import sae_folder, sentences
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from mosaic.features.extract import token_codes
from mosaic.interpretation import passages as module
from mosaic.interpretation.passages import passages, per_token, strongest
from mosaic.interpretation.shown import rounded
from mosaic.saes.loading import SAESource, load_encoder


@pytest.fixture(scope="module")
def encoder(tiny, tmp_path_factory):
    path = sae_folder(tmp_path_factory.mktemp("sae"), "topk")
    return load_encoder(SAESource(1, "96", path=str(path)), "tiny", 64, first_layer=tiny("llama").spec.first_layer)


def test_a_passage_is_the_stretch_around_the_largest_activation(tiny, encoder):
    lm, texts = tiny("llama"), sentences(8, seed=2, longest=40)
    found = passages({3: texts[:5], 40: texts[3:]}, lm, encoder, longest=6)
    assert [[p.text for p in found[latent]] for latent in (3, 40)] == [texts[:5], texts[3:]]
    for latent, of in found.items():
        for passage in of:
            values = rounded(token_codes(passage.text, lm, encoder)[1][:, [latent]].toarray().ravel())
            assert max(passage.activations) == pytest.approx(values.max(), rel=2e-3)
            whole = "".join(passage.tokens)
            assert whole in passage.text and len(passage.tokens) == len(passage.activations) <= 6
            assert passage.begins == passage.text.startswith(whole) and passage.ends == passage.text.endswith(whole)
            assert len(passage.tokens) == min(6, len(values))


def test_no_texts_need_no_pass(encoder):
    assert passages({3: ()}, None, encoder) == {3: []}


def test_the_peak_stands_inside_with_more_before_it_than_after():
    values = np.zeros(200)
    for peak in (0, 10, 100, 190, 199):
        values[:] = 0
        values[peak] = 1
        passage = module._around("x", [str(i) for i in range(200)], values, 48)
        assert len(passage.tokens) == 48 and str(peak) in passage.tokens
        assert (passage.begins, passage.ends) == (passage.tokens[0] == "0", passage.tokens[-1] == "199")


def test_tokens_are_pieces_of_the_text(tiny, encoder):
    tokens, codes = per_token("the  happy cat", tiny("llama"), encoder)
    assert "".join(tokens) == "the  happy cat" and codes.shape == (3, 96)


@given(
    st.lists(st.lists(st.sampled_from([0, 1, 1.5, 2]), min_size=5, max_size=5), min_size=1, max_size=4),
    st.integers(1, 6),
)
def test_the_strongest_come_first_and_the_lower_of_equal_ones(rows, k):
    for row, found in zip(rows, strongest(csr_matrix(np.array(rows, dtype=np.float32)), k), strict=True):
        assert found == sorted(((i, v) for i, v in enumerate(row) if v > 0), key=lambda one: (-one[1], one[0]))[:k]
