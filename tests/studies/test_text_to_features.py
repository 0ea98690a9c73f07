import json

import numpy as np
import pytest
import torch
from conftest import sae_folder
from scipy.sparse import csr_matrix

from mosaic.saes.encoder import Encoder
from mosaic.saes.loading import load_encoder
from mosaic.saes.source import SAESource
from mosaic.studies import text_to_features

CODES = csr_matrix(np.array([[0, 2.0, 0, 1], [0, 0, 3, 1.5]], dtype=np.float32))


def test_the_sparsity_in_training_is_read_from_the_saes_own_file(tmp_path):
    (tmp_path / "cfg.json").write_text('{"metadata": {"l0": 31.5}}')
    assert text_to_features.l0_in_training(SAESource(1, "96", path=str(tmp_path))) == 31.5
    (tmp_path / "cfg.json").write_text("{}")
    assert text_to_features.l0_in_training(SAESource(1, "96", path=str(tmp_path))) is None
    assert text_to_features.l0_in_training(SAESource(1, "96", release="r", id="i")) is None


def test_leading_latents_have_the_largest_sums_and_equal_ones_stand_in_order():
    assert text_to_features.leading(CODES, 3).tolist() == [2, 3, 1]
    assert text_to_features.leading(csr_matrix(np.ones((2, 3))), 2).tolist() == [0, 1]


def test_shares_reach_one_and_a_row_of_zeros_stays_zero():
    assert text_to_features.shares(np.array([[1.0, 4.0], [0.0, 0.0]])).tolist() == [[0.25, 1.0], [0.0, 0.0]]


@pytest.mark.parametrize("architecture", ["standard", "jumprelu", "topk"])
def test_the_largest_difference_to_the_library_is_nothing_and_a_wrong_number_is_seen(tmp_path, architecture):
    source = SAESource(1, "96", path=str(sae_folder(tmp_path, architecture)))
    encoder: Encoder = load_encoder(source, "any", 64)
    x = torch.randn(7, 64, generator=torch.Generator().manual_seed(3))
    codes = encoder.encode(x).toarray()
    assert text_to_features.largest_difference(source, x, codes) < 1e-4
    codes[4, 11] += 0.5
    assert text_to_features.largest_difference(source, x, codes) == pytest.approx(0.5, abs=1e-4)


def test_from_a_sentence_to_the_recorded_numbers(small_profile, tmp_path):
    study = text_to_features.run(small_profile, cache=tmp_path / "cache")
    values = json.loads(study.record(tmp_path).read_text())["values"]
    assert values["n_tokens"] == 8 and values["n_latents"] == 64
    assert values["l0"] <= 9 and values["largest_difference"] < 1e-4
    assert "".join(study.tokens) == "thehappycatsatontheredmat"
    np.testing.assert_allclose(study.pooled["sum"], study.codes.toarray().sum(0), rtol=1e-6)
    assert study.table().count("token-line") == text_to_features.N_LEADING
    assert study.figure().axes and study.poolings_figure().axes


def test_a_sentence_of_ones_own(small_profile):
    study = text_to_features.run(small_profile, sentence="why is it", cache=None)
    assert study.tokens == ("why", "is", "it")


def test_what_is_said_of_the_features():
    assert text_to_features.sparse_sentence(20.0, 1000).endswith("2 % of them: few, so the features are sparse.")
    assert text_to_features.sparse_sentence(500.0, 1000).endswith("50 % of them: these features are not sparse.")
    assert text_to_features.library_sentence(1e-6).endswith("is 1.0 × 10⁻⁶: they are the same up to rounding.")
    assert "is 0.50, which is more than rounding" in text_to_features.library_sentence(0.5)
    assert "2 of the 8 have a name" in text_to_features.names_sentence([3, 7])
    assert "1 of the 8 has a name" in text_to_features.names_sentence([3])
    assert "None of these latents has a name" in text_to_features.names_sentence([])
    given = text_to_features.names_sentence([3, 7, 9], {3, 9, 11})
    assert given.startswith("2 of the 8 have a name that a language model or Neuronpedia gave")
    assert "1 of the 8 has a name: a kind of text of the miniature" in given
    assert "miniature" not in text_to_features.names_sentence([3], {3})
