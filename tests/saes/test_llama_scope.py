"""Llama Scope's recipe: the schedule of K, one threshold for all, and what conversion keeps."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from mosaic.errors import MosaicError
from mosaic.saes import llama_scope, loading
from mosaic.saes.lockstep import save
from mosaic.saes.source import SAESource

D, WIDTH, K = 16, 48, 5


def trained(seed: int = 0):
    """A TopK SAE in training whose decoder rows have other lengths than one, and scales no input any more."""
    from sae_lens import TopKTrainingSAE, TopKTrainingSAEConfig

    torch.manual_seed(seed)
    sae = TopKTrainingSAE(TopKTrainingSAEConfig(d_in=D, d_sae=WIDTH, k=K, use_sparse_activations=False))
    sae.W_dec.data *= torch.rand(WIDTH, 1) * 3 + 0.1
    sae.b_enc.data = 0.1 * torch.randn(WIDTH)
    sae.b_dec.data = 0.1 * torch.randn(D)
    return sae


def batches(n: int = 3, seed: int = 1):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(64, D, generator=generator) for _ in range(n)]


def test_k_falls_in_a_line_and_stays():
    ks = [llama_scope.annealed_k(step, 100, 128, 8, 0.1) for step in range(100)]
    assert ks[:3] == [128, 116, 104] and ks[5] == 68 and ks[9] == 20
    assert ks[10:] == [8] * 90 and all(a >= b for a, b in pairwise(ks))
    assert [llama_scope.annealed_k(step, 100, 128, 8, 0.0) for step in (0, 1, 99)] == [8, 8, 8]
    assert llama_scope.annealed_k(0, 3, 4, 8, 1.0) == 8  # K never falls below k


@pytest.mark.parametrize("seed", range(5))
def test_the_threshold_is_between_the_last_that_passes_and_the_next(seed):
    generator = np.random.default_rng(seed)
    pre = [torch.from_numpy(generator.normal(1, 1, size=(n, 20))) for n in (1, 30, 7)]
    theta = llama_scope.one_threshold(pre, 38, 3)
    ranked = sorted((float(v) for part in pre for v in part.flatten()), reverse=True)
    assert ranked[38 * 3 - 1] > theta > ranked[38 * 3]
    assert sum(int((part > theta).sum()) for part in pre) == 38 * 3


def test_a_threshold_is_never_negative_and_ties_stay_together():
    assert llama_scope.one_threshold([torch.tensor([[-1.0, 2.0, -3.0]])], 1, 2) == 0
    assert llama_scope.one_threshold([torch.ones(2, 3)], 2, 3) == 0  # all may pass
    tied = torch.tensor([[3.0, 2.0, 2.0], [1.0, 0.5, 0.1]])
    assert int((tied > llama_scope.one_threshold([tied], 2, 1)).sum()) == 1
    with pytest.raises(MosaicError, match="no activations to set the threshold on; give at least one batch"):
        llama_scope.one_threshold([], 0, 3)


def test_conversion_keeps_k_on_average_and_agrees_with_topk_where_both_choose_alike():
    sae, x = trained(), batches()
    rows = torch.cat(x)
    with torch.no_grad():
        expected = sae.decode(sae.encode(rows))
        chosen = sae.encode(rows) > 0
    converted = llama_scope.to_jumprelu(sae, x, K)
    assert torch.unique(converted.threshold).numel() == 1
    torch.testing.assert_close(converted.W_dec.norm(dim=1), torch.ones(WIDTH), rtol=5e-3, atol=0)
    with torch.no_grad():
        codes = converted.encode(rows)
        assert int((codes > 0).sum()) == K * len(rows)
        counts = (codes > 0).sum(1)
        assert counts.unique().numel() > 1
        alike = ((codes > 0) == chosen).all(1)
        assert alike.any() and not alike.all()
        torch.testing.assert_close(converted.decode(codes)[alike], expected[alike], rtol=0.02, atol=0.02)  # bfloat16
        back = llama_scope.before_conversion(converted, K)
        torch.testing.assert_close(back.decode(back.encode(rows)), expected, rtol=0.05, atol=0.05)


def test_a_converted_sae_is_read_by_saelens_and_here(tmp_path):
    from sae_lens import SAE

    sae, x = trained(), batches()
    converted = llama_scope.to_jumprelu(sae, x, K)
    save(converted, tmp_path / "sae")
    rows = torch.cat(x)
    loaded = SAE.load_from_disk(str(tmp_path / "sae"))
    encoder = loading.load_encoder(SAESource(1, str(WIDTH), path=str(tmp_path / "sae")), "tiny", D)
    assert loaded.cfg.architecture() == "jumprelu"
    with torch.no_grad():
        theirs, before = loaded.encode(rows), converted.encode(rows)
    assert torch.equal(theirs, before)  # the threshold was set on the weights as they are saved
    np.testing.assert_allclose(encoder.encode(rows).toarray(), theirs.numpy(), rtol=1e-5, atol=1e-5)
