"""The sparse, certified matching against the dense one, and its promises."""

import numpy as np
import pytest
from doubles import NoDoubles
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from mosaic.agreement import cosines, matching, proof
from mosaic.errors import MosaicError
from mosaic.progress import Progress


def unit(x):
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def world(n, m, d, shared=0.4, noise=0.6, crowd=0, twins=0, seed=0):
    """Two dictionaries with a known shared part; a crowd of equal rows; twins: shared rows that stand twice."""
    generator = np.random.default_rng(seed)
    a, b = unit(generator.normal(size=(n, d))), unit(generator.normal(size=(m, d)))
    s = int(shared * min(n, m))
    b[:s] = unit(a[:s] + noise * unit(generator.normal(size=(s, d))))
    if twins:
        a[s : s + twins] = a[:twins]
        b[s : s + twins] = b[:twins]
    if crowd:
        a[-crowd:] = a[-1]
        b[-crowd:] = unit(a[-1] + 0.2 * unit(generator.normal(size=(crowd, d))))
    order = generator.permutation(m)
    return a, b[order]


def dense(a, b, absolute=False):
    c = a.astype(np.float64) @ b.astype(np.float64).T
    c = np.abs(c) if absolute else c
    rows, columns = linear_sum_assignment(c, maximize=True)
    return rows, columns, c[rows, columns]


def check_against_dense(a, b, absolute=False, **options):
    a, b = cosines.unit_rows(a)[0], cosines.unit_rows(b)[0]
    got = matching.assign(a, b, absolute, **options)
    rows, columns, cosine = dense(a, b, absolute)
    assert got.exact and got.gap == 0
    assert got.objective == pytest.approx(cosine.sum(), abs=1e-7 * len(a))
    partner = np.full(len(a), -1)
    partner[rows] = columns
    certain = (got.partner >= 0) & ~got.tied
    assert np.array_equal(got.partner[certain], partner[certain])
    used = got.partner[got.partner >= 0]
    assert len(np.unique(used)) == len(used) == min(len(a), len(b))
    return got


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 60),
    m=st.integers(1, 60),
    d=st.integers(2, 12),
    seed=st.integers(0, 10**6),
    absolute=st.booleans(),
    repeats=st.integers(0, 10),
)
def test_equals_dense_hungarian_whatever_the_input(n, m, d, seed, absolute, repeats):
    """Few candidates and many rounds: KEPT and DENSE are set so low that the proof has to do the work."""
    generator = np.random.default_rng(seed)
    a, b = unit(generator.normal(size=(n, d))), unit(generator.normal(size=(m, d)))
    a[: min(repeats, n)] = a[0]
    b[: min(repeats, m)] = b[0]
    kept, limit = cosines.KEPT, cosines.DENSE
    cosines.KEPT, cosines.DENSE = 2, 3
    try:
        check_against_dense(a, b, absolute)
    finally:
        cosines.KEPT, cosines.DENSE = kept, limit


def test_ties_among_more_rows_than_candidates_are_all_named(monkeypatch):
    """Ten equal rows and two candidates each: a proof that looked at a few pairs only would call some of them certain."""
    monkeypatch.setattr(cosines, "KEPT", 2)
    monkeypatch.setattr(cosines, "DENSE", 3)
    generator = np.random.default_rng(318)
    a, b = unit(generator.normal(size=(40, 7))), unit(generator.normal(size=(36, 7)))
    a[:10], b[:10] = a[0], b[0]
    check_against_dense(a, b)


@pytest.mark.parametrize("d", [16, 128])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_hard_cases_equal_dense(d, precision):
    """Near-duplicates in a crowd larger than any candidate list, and rows that stand twice."""
    a, b = world(1500, 1500, d, crowd=120, twins=60)
    got = check_against_dense(a, b, precision=precision)
    assert got.kept < 0.2 * 1500**2
    assert got.tied.sum() >= 2 * 60


def test_different_widths_match_the_smaller_side():
    a, b = world(700, 1400, 48)
    got = check_against_dense(a, b)
    assert (got.partner >= 0).all()
    back = check_against_dense(b, a)
    assert (back.partner >= 0).sum() == 700
    assert back.objective == pytest.approx(got.objective)


def test_ties_are_named_and_only_they():
    eye = np.eye(4, dtype=np.float32)
    a = eye[[0, 0, 1, 2]]
    got = matching.assign(a, eye[[0, 0, 1, 2]])
    assert got.tied.tolist() == [True, True, False, False] and got.objective == 4
    # A free column as good as the one taken is a tie too.
    free = matching.assign(eye[[0, 1]], eye[[0, 0, 1]])
    assert free.tied.tolist() == [True, False]


def test_rows_that_are_zero_or_not_finite_are_never_matched():
    a, b = world(20, 20, 8, shared=1.0, noise=0.1)
    a[3], a[4, 2], b[5], b[6, 0] = 0, np.nan, 0, np.inf
    got = matching.assign(a, b)
    assert got.partner[3] == got.partner[4] == -1 and np.isnan(got.cosine[[3, 4]]).all()
    assert not {5, 6} & set(got.partner)
    assert (got.partner >= 0).sum() == 18
    nothing = matching.assign(np.zeros((3, 8), np.float32), b)
    assert (nothing.partner == -1).all() and nothing.objective == 0 and nothing.exact


def test_a_cut_short_search_says_by_how_much_it_can_be_off(monkeypatch):
    monkeypatch.setattr(matching, "ROUNDS", 1)
    monkeypatch.setattr(cosines, "KEPT", 1)
    monkeypatch.setattr(cosines, "DENSE", 1)
    a, b = world(300, 300, 24, crowd=40)
    got = matching.assign(a, b)
    best = dense(a, b)[2].sum()
    assert not got.exact and got.gap > 0
    assert got.objective <= best + 1e-9 <= got.bound + 2e-9
    assert got.tied.all()  # nothing is proved


def test_largest_is_the_nearest_neighbour():
    a, b = world(900, 500, 16)
    b[7] = 0
    c = a @ b.T
    c[:, 7] = -np.inf
    near_a, near_b = cosines.largest(a, b)
    assert np.allclose(near_a, c.max(1), atol=1e-5)
    assert np.isnan(near_b[7]) and np.allclose(np.delete(near_b, 7), np.delete(c.max(0), 7), atol=1e-5)


def test_blocks_do_not_matter(monkeypatch):
    a, b = world(900, 900, 32, crowd=50)
    whole = matching.assign(a, b)
    monkeypatch.setattr(cosines, "BLOCK", 900 * 40)
    small = matching.assign(a, b)
    assert np.array_equal(whole.cosine >= 0.7, small.cosine >= 0.7)
    assert whole.objective == pytest.approx(small.objective, abs=1e-9)


def test_prices_are_compared_on_the_cpu_where_the_device_has_no_float64(monkeypatch):
    a, b = (x[:40] for x in world(60, 60, 8))
    plain = cosines.blocks
    monkeypatch.setattr(cosines, "blocks", lambda *arguments: plain(*arguments[:-1], "cpu"))
    with NoDoubles():
        ((_, over),) = proof._over_prices(a, b, np.zeros(40), np.ones(40), False, "mps")
    assert np.allclose(over.numpy(), a @ b.T - 1, atol=1e-5)


def test_a_long_matching_says_how_far_it_is(monkeypatch):
    """A job was silent for as long as it took."""
    made = []

    class Counted(Progress):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr(cosines, "Progress", Counted)
    matching.assign(*world(600, 600, 16))
    assert made and all((work.label, work.done) == ("matching", work.total) for work in made)


def test_errors_name_the_value():
    with pytest.raises(MosaicError, match=r"rows of \(3, 4\) cannot be compared with rows of \(3, 5\)"):
        matching.assign(np.ones((3, 4)), np.ones((3, 5)))
    with pytest.raises(MosaicError, match="precision 'int8' is not one of float32, bfloat16"):
        matching.assign(np.ones((3, 4)), np.ones((3, 4)), precision="int8")
