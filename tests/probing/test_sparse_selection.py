"""The lasso's first columns: against scikit-learn's lasso, penalty by penalty."""

import numpy as np
import pytest
from sklearn.linear_model import Lasso
from sklearn.utils.estimator_checks import parametrize_with_checks

from mosaic.probing.sparse_selection import LassoSelector


@parametrize_with_checks([LassoSelector(k=2)])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def slow(x, y, k):
    """The columns that have had a weight by the penalty at which k have, on a fine grid of penalties."""
    x = (x - x.mean(0)) / x.std(0)
    t = (y == "b").astype(float)
    t = (t - t.mean()) / t.std()
    met: list[int] = []
    for penalty in np.geomspace(1, 1e-3, 400):
        weights = Lasso(alpha=penalty, max_iter=20_000, tol=1e-8).fit(x, t).coef_
        met += [j for j in np.flatnonzero(weights) if j not in met]
        if len(met) >= k:
            return met[:k]
    return met


def test_they_are_the_first_on_the_path():
    rng = np.random.default_rng(1)
    y = rng.choice(["a", "b"], 80)
    x = rng.normal(size=(80, 30))
    x[:, 4] += (y == "b") * 1.5
    x[:, 9] -= y == "b"
    x[:, 20] += (y == "b") * 0.6
    for k in (1, 3, 5):
        chosen = LassoSelector(k).fit(x * 7, y).get_support(indices=True).tolist()
        assert chosen == sorted(slow(x, y, k))


def test_of_more_classes_each_brings_its_columns():
    rng = np.random.default_rng(2)
    y = rng.choice(["a", "b", "c"], 150)
    x = rng.normal(size=(150, 40)).astype(np.float32)
    for j, label in ((3, "a"), (17, "b"), (30, "c")):
        x[:, j] += (y == label) * 3
    assert LassoSelector(3).fit(x, y).get_support(indices=True).tolist() == [3, 17, 30]


def test_last_digits_change_nothing_where_columns_repeat_others():
    """Another processor rounds otherwise. LARS kept a third of the same columns then."""
    rng = np.random.default_rng(3)
    y = rng.choice(["a", "b"], 100)
    x = np.where(rng.random((100, 200)) < 0.03, rng.random((100, 200)) + 0.5, 0)
    x = np.hstack([x, x])
    chosen = LassoSelector(60).fit(x, y).get_support()
    assert chosen.sum() == 60
    for seed in range(5):
        near = x * (1 + 1e-7 * np.random.default_rng(seed).normal(size=x.shape))
        assert (LassoSelector(60).fit(near, y).get_support() == chosen).all()


@pytest.mark.parametrize("seed", range(12))
def test_copies_of_columns_are_left_out_and_the_order_of_rows_counts_for_nothing(seed):
    rng = np.random.default_rng(seed)
    n, p, k = int(rng.integers(40, 200)), int(rng.integers(10, 60)), int(rng.integers(2, 9))
    y = rng.choice(["a", "b"], n)
    x = rng.normal(size=(n, p))
    x[:, 3] += y == "b"
    copied = np.hstack([x, x, x])
    chosen = LassoSelector(k).fit(copied, y).get_support(indices=True).tolist()
    assert chosen == LassoSelector(k).fit(x, y).get_support(indices=True).tolist()
    order = rng.permutation(n)
    near = copied * (1 + 1e-7 * rng.normal(size=copied.shape))
    assert LassoSelector(k).fit(near, y).get_support(indices=True).tolist() == chosen
    assert LassoSelector(k).fit(copied[order], y[order]).get_support(indices=True).tolist() == chosen


def test_few_rows_and_columns_that_say_nothing():
    y = np.array(["a"] * 5 + ["b"] * 5)
    flat = np.ones((10, 4))
    assert LassoSelector(3).fit(flat, y).get_support().tolist() == [True, False, False, False], "one at least"
    twins = np.repeat(np.arange(10.0)[:, None], 4, axis=1)
    assert 1 <= LassoSelector(3).fit(twins, y).get_support().sum() <= 3
    with pytest.raises(ValueError, match="k is 0; a positive integer"):
        LassoSelector(0).fit(twins, y)
    with pytest.raises(ValueError, match="there is one class only, 'a'; two are needed"):
        LassoSelector(2).fit(twins, np.repeat("a", 10))
