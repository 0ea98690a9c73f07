import itertools

import numpy as np
import pytest
from hypothesis import given
from reference import activations, dense_pool
from scipy.sparse import csr_matrix

from mosaic.errors import MosaicError
from mosaic.features import pooling

NAMES = (*pooling.POOLINGS, "top1", "top3")


@given(activations())
def test_sparse_pooling_equals_the_definition(case):
    acts, starts = case
    pooled = pooling.pool_sparse(csr_matrix(acts), starts, NAMES)
    for name in NAMES:
        expected = np.stack([dense_pool(acts[a:b], name) for a, b in itertools.pairwise(starts)])
        assert pooled[name].dtype == np.float32
        assert pooled[name].has_sorted_indices
        np.testing.assert_allclose(pooled[name].toarray(), expected, rtol=1e-6, err_msg=name)


@given(activations())
def test_dense_pooling_equals_the_definition(case):
    acts, starts = case
    acts = acts - 1  # hidden states are negative too
    pooled = pooling.pool_dense(acts, starts, NAMES)
    for name in NAMES:
        expected = np.stack([dense_pool(acts[a:b], name) for a, b in itertools.pairwise(starts)])
        np.testing.assert_allclose(pooled[name].toarray(), expected, rtol=1e-6, atol=1e-7, err_msg=name)


def test_unknown_pooling_lists_the_known():
    with pytest.raises(MosaicError, match=r"unknown pooling 'median'; choose from sum, mean, max, last, count or topN"):
        pooling.top_n("median")
    for wrong in ("top0", "top", "topten"):
        with pytest.raises(MosaicError):
            pooling.top_n(wrong)
    assert pooling.top_n("top50") == 50
