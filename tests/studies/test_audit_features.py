"""Each switch of the audit's features does what it says, on small real models."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import sae_folder, same_rows, sentences
from scipy.sparse import csr_matrix

from mosaic.errors import MosaicError
from mosaic.features.extract import extract
from mosaic.features.request import Request
from mosaic.models.residuals import text_by_text
from mosaic.profiles.opening import load_model, load_saes
from mosaic.profiles.profile import load_profile
from mosaic.saes.loading import load_encoder
from mosaic.saes.source import SAESource
from mosaic.studies import audit_features as switches

TEXTS = sentences(70, seed=3)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = sae_folder(tmp_path_factory.mktemp("audited"), "topk")
    return load_encoder(SAESource(2, "96", path=str(folder)), "tiny", 64)


def test_the_input_of_a_block_is_the_output_of_the_one_below(tiny, encoder):
    lm = tiny("llama")
    below = switches.at_input(encoder)
    (table,) = extract(TEXTS[:5], lm, Request((below,), (), ("sum",)))
    sums = [encoder.encode(text_by_text(lm, [text], 1)).sum(0) for text in TEXTS[:5]]
    np.testing.assert_allclose(
        table.matrix.toarray(), np.concatenate([np.asarray(s) for s in sums]), rtol=1e-4, atol=1e-4
    )
    assert below.weights_hash == encoder.weights_hash and encoder.layer == 2


@pytest.mark.parametrize(("sign", "cosine", "overlap"), [(1, 1.0, 1.0), (-1, -1.0, 0.0)])
def test_likeness_of_equal_and_of_opposite_streams(monkeypatch, sign, cosine, overlap):
    x = torch.tensor([[1.0, -2.0], [-3.0, 1.0]])
    monkeypatch.setattr(switches, "text_by_text", lambda lm, texts, layer: x if layer == 2 else sign * x)
    relu = SimpleNamespace(layer=2, encode=lambda x: csr_matrix(np.maximum(x.numpy(), 0)))
    assert switches.likeness(None, relu, []) == pytest.approx({"cosine": cosine, "overlap": overlap})


def test_another_models_sae_is_read_by_name_only():
    base, tuned = load_profile("mini-large"), load_profile("mini-large-it")
    lm = load_model(tuned)
    first, own = switches.borrowed(base, tuned, lm)
    assert first.weights_hash != own.weights_hash and first.layer == own.layer == tuned.middle
    with pytest.raises(MosaicError, match="was trained on"):
        load_saes(replace(tuned, saes=base.saes), lm, [tuned.middle], [tuned.width])


@pytest.mark.parametrize("kind", ["llama", "gemma2"])
def test_left_padding_leaves_a_texts_own_tokens_as_they_are(tiny, kind):
    lm = tiny(kind)
    left, tokens = switches.LeftPadded.of(lm), lm.tokenize(TEXTS[:6])
    x = left.residuals(left.padded(tokens, [np.arange(6)]).ids, [2])[2]
    for row, ids in zip(x, tokens.ids, strict=True):
        np.testing.assert_allclose(row[-len(ids) :], lm.residuals([ids], [2])[2][0], rtol=1e-3, atol=1e-4)


def test_pads_make_a_row_hang_on_its_neighbours_and_the_right_way_does_not(tiny, encoder):
    lm, order = tiny("llama"), np.argsort([len(text.split()) for text in TEXTS], kind="stable")  # like beside like
    spoilt = [switches.pooled_with_pads(TEXTS, lm, encoder, "sum", way) for way in (None, order)]
    clean = [switches.own_tokens(TEXTS, lm, encoder, "sum", way) for way in (None, order)]
    same_rows(*clean, atol=1e-3)
    same_rows(clean[0], extract(TEXTS, lm, Request((encoder,), (), ("sum",)))[0], atol=1e-3)
    assert switches.relative_change(*clean) < 1e-4 < 0.01 < switches.relative_change(*spoilt)
    assert (spoilt[0].row_ids == clean[0].row_ids).all() and (spoilt[1].row_ids == clean[0].row_ids).all()
    assert switches.touched(spoilt[0], clean[0]) > 0
    longest = [max(len(ids) for ids in lm.tokenize(TEXTS[i : i + 32]).ids) for i in (0, 32, 64)]
    assert spoilt[0].n_tokens.tolist() == [longest[i // 32] for i in range(len(TEXTS))]


def test_without_pads_and_special_tokens_all_positions_are_a_texts_own(tiny, encoder):
    lm, texts = tiny("gpt2"), ["the cat sat", "a red dog", "she ran under"]
    spoilt, clean = (pool(texts, lm, encoder, "sum") for pool in (switches.pooled_with_pads, switches.own_tokens))
    same_rows(spoilt, clean, atol=1e-4)
    assert switches.pads_differ(texts, lm, 2) is None


@pytest.mark.parametrize(("kind", "eager"), [("llama", False), ("gemma2", True)])
def test_pads_hold_the_text_where_a_softmax_over_nothing_is_even_over_all(tiny, kind, eager):
    lm, texts = tiny(kind), ["the cat sat on the mat", "a dog", "sun and rain"]
    assert (lm.model.config._attn_implementation == "eager") == eager
    assert (switches.pads_differ(texts, lm, 2) > 1e-3) == eager


def test_rows_change_places_within_their_part():
    order = switches.out_of_order(300, 100, seed=0)
    moved = np.flatnonzero(order != np.arange(400))
    assert sorted(order) == list(range(400))
    assert (moved < 300).sum() == 3 and (moved >= 300).sum() == 2  # one in a hundred, at least two
    assert (order[:300] < 300).all()
    assert (order != switches.out_of_order(300, 100, seed=1)).any()
