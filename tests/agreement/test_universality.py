"""Pairs by firing and comparisons of feature spaces: slow references, known answers, permuted pairings at chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.stats import spearmanr

from mosaic.agreement import universality
from mosaic.agreement.universality import Correlations, best_pairs, one_component_null, rsa, svcca
from mosaic.errors import MosaicError


def codes(n: int, d: int, seed: int, density: float = 0.1) -> csr_matrix:
    rng = np.random.default_rng(seed)
    return csr_matrix(np.where(rng.random((n, d)) < density, rng.random((n, d)), 0).astype(np.float32))


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 60), st.integers(1, 9), st.integers(1, 9), st.integers(0, 99), st.integers(1, 60))
def test_correlations_in_parts_are_those_of_numpy(n, d_a, d_b, seed, part):
    a, b = codes(n, d_a, seed, 0.5), codes(n, d_b, seed + 1, 0.5)
    found = Correlations(d_a, d_b)
    for start in range(0, n, part):
        found.add(a[start : start + part], b[start : start + part])
    with np.errstate(invalid="ignore", divide="ignore"):
        slow = np.corrcoef(a.toarray().astype(np.float64).T, b.toarray().astype(np.float64).T)[:d_a, d_a:]
    np.testing.assert_allclose(found.values(), np.nan_to_num(slow), atol=1e-6)
    assert found.fires[0].tolist() == (a.toarray() > 0).sum(0).tolist() and found.n_tokens == n


def test_latents_beyond_one_block_are_correlated_too(monkeypatch):
    monkeypatch.setattr(universality, "BLOCK", 3)
    a, b = codes(50, 8, 0), codes(50, 5, 1)
    found = Correlations(8, 5)
    found.add(a, b)
    np.testing.assert_allclose(found.values(), np.corrcoef(a.toarray().T, b.toarray().T)[:8, 8:], atol=1e-6)


def test_other_tokens_are_refused():
    with pytest.raises(MosaicError, match="3 and 4 tokens; both SAEs read the same tokens"):
        Correlations(2, 2).add(codes(3, 2, 0), codes(4, 2, 0))


def test_a_permuted_copy_is_found_and_a_shared_partner_stays_once():
    a = codes(400, 12, 0)
    order = np.random.default_rng(1).permutation(12)
    found = Correlations(12, 12)
    found.add(a, a[:, order])
    pairs = best_pairs(found.values())
    assert len(pairs) == 12 and (order[pairs.second] == pairs.first).all() and pairs.r == pytest.approx(1)
    r = np.array([[0.9, 0.8, 0.05], [0.1, 0.2, 0.04]])
    assert best_pairs(r, once=False).second.tolist() == [0, 1]
    assert best_pairs(r).second.tolist() == [0] and best_pairs(r).first.tolist() == [0]
    assert best_pairs(r, least=0.95).r.size == 0


# --- SVCCA, RSA ----------------------------------------------------------------------------------------------------


def test_the_same_space_is_one_however_it_is_turned():
    x = np.random.default_rng(0).normal(size=(300, 10))
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(10, 10)))[0]
    for found in (svcca(x, x @ turn), svcca(x, x @ turn, None), rsa(x, x), rsa(x, 3 * x + 1)):
        assert found.observed == pytest.approx(1) and found.p == pytest.approx(1 / 201)
    assert svcca(x, x @ np.diag(np.arange(1, 11.0)), variance=1.0).observed == pytest.approx(1)


def test_svcca_equals_canonical_correlations_of_a_library():
    from sklearn.cross_decomposition import CCA

    rng = np.random.default_rng(2)
    shared = rng.normal(size=(200, 3))
    x = np.hstack([shared, rng.normal(size=(200, 2))])
    y = np.hstack([shared + rng.normal(size=(200, 3)), rng.normal(size=(200, 1))])
    u, v = CCA(n_components=4, max_iter=5000, tol=1e-10).fit_transform(x, y)
    slow = np.mean([np.corrcoef(u[:, i], v[:, i])[0, 1] for i in range(4)])
    assert svcca(x, y, variance=1.0).observed == pytest.approx(slow, abs=1e-3)


def test_rsa_equals_the_slow_way():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(40, 6)), rng.normal(size=(40, 9))
    y[:, :6] += x
    above = np.triu_indices(40, 1)
    slow = spearmanr(np.corrcoef(x)[above], np.corrcoef(y)[above]).statistic
    assert rsa(x, y).observed == pytest.approx(slow)


@pytest.mark.parametrize("n", [100, 1000])
def test_one_component_of_a_permuted_pairing_is_what_theory_says(n):
    rng = np.random.default_rng(4)
    found = svcca(rng.normal(size=(n, 20)), rng.normal(size=(n, 20)), None, permutations=2000)
    assert found.null.mean() == pytest.approx(one_component_null(n), rel=0.06)
    assert found.p > 0.001


def test_with_few_pairs_svcca_is_high_for_nothing_and_its_excess_is_not():
    rng = np.random.default_rng(5)
    found = svcca(rng.normal(size=(60, 20)), rng.normal(size=(60, 20)))
    assert found.observed > 0.4 and found.interval[0] < 0 < found.interval[1]
    assert abs(found.excess) < 0.1


def test_unrelated_spaces_are_at_chance_and_their_p_is_uniform():
    rng = np.random.default_rng(6)
    p = [rsa(rng.normal(size=(30, 5)), rng.normal(size=(30, 5)), 99, seed).p for seed in range(60)]
    assert 0.3 < np.mean(p) < 0.7 and min(p) >= 0.01


def test_many_pairs_are_drawn_from(monkeypatch):
    monkeypatch.setattr(universality, "MOST", 50)
    x = np.random.default_rng(7).normal(size=(200, 5))
    found = rsa(x, x)
    assert found.n_pairs == 50 and found.observed == pytest.approx(1)


def test_unpaired_rows_are_refused():
    with pytest.raises(MosaicError, match="4 and 5 rows; three pairs or more"):
        svcca(np.ones((4, 2)), np.ones((5, 2)))
    with pytest.raises(MosaicError, match="2 and 2 rows"):
        rsa(np.ones((2, 2)), np.ones((2, 2)))


def test_rows_without_a_geometry_are_refused():
    x = np.random.default_rng(8).normal(size=(30, 5))
    flat = x.copy()
    flat[4] = 1
    with pytest.raises(MosaicError, match="row 4 has the same number everywhere"):
        rsa(x, flat)
    with pytest.raises(MosaicError, match="all rows are one and the same"):
        svcca(x, np.tile(x[0], (30, 1)))


def test_the_error_of_rsa_is_how_far_it_scatters():
    truth = np.random.default_rng(9).normal(size=(8, 8))

    def estimate(seed):
        x = np.random.default_rng(seed).normal(size=(100, 8))
        return universality.rsa_estimate(x, x @ truth + 2 * np.random.default_rng(seed + 999).normal(size=(100, 8)))

    found = [estimate(seed) for seed in range(40)]
    assert np.mean([one.se for one in found]) == pytest.approx(np.std([one.value for one in found]), rel=0.4)
