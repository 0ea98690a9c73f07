"""Three ways of feature selection: each against scikit-learn or an obvious reference, and what they may not see."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.feature_selection import mutual_info_classif
from toy import problem

from mosaic.errors import MosaicError
from mosaic.probing import folds, narrowed, selection
from mosaic.probing.candidates import TableFeatures
from mosaic.probing.narrowed import L1, MEAN_DIFFERENCE, MUTUAL_INFORMATION, WAYS
from mosaic.probing.sparse_selection import LassoSelector


def made_up(n=90, p=30, n_classes=3, seed=0):
    """Sparse, not negative; column 3 c + 1 is active for class c above all."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    x = np.maximum(rng.normal(size=(n, p)) - 0.8, 0).astype(np.float32)
    for c in range(n_classes):
        x[y == c, 3 * c + 1] += 2
    return csr_matrix(x), np.array([f"class {c}" for c in y], dtype=object)


@pytest.mark.parametrize("way", WAYS)
def test_the_columns_that_carry_the_label_are_kept(way):
    X, y = made_up()
    assert narrowed.choose(X, y, [3], [way])[way, 3].tolist() == [1, 4, 7]


@settings(max_examples=20)
@given(st.integers(0, 1000), st.integers(2, 5))
def test_mutual_information_is_that_of_scikit_learn(seed, n_classes):
    X, y = made_up(60, 15, n_classes, seed)
    slow = mutual_info_classif((X.toarray() > 0).astype(int), y, discrete_features=True)
    assert narrowed.mutual_information(X, y) == pytest.approx(slow, abs=1e-12)


def test_a_column_that_is_always_or_never_active_tells_nothing():
    X = csr_matrix(np.array([[1.0, 0, 2], [3, 0, 0], [1, 0, 1], [2, 0, 0]]))
    assert narrowed.mutual_information(X, np.array([0, 1, 0, 1])) == pytest.approx([0, 0, np.log(2)])


@pytest.mark.parametrize("k", [2, 5, 12])
def test_l1_is_the_lasso_that_few_labels_are_chosen_by(k):
    """One path to the largest k gives what a path to each k gives: the same word for the same thing in both chapters."""
    X, y = made_up(seed=3)
    expected = LassoSelector(k).fit(X.toarray(), y).get_support(indices=True)
    assert narrowed.choose(X, y, [k, 14], [L1])[L1, k].tolist() == expected.tolist()


@pytest.mark.parametrize("way", WAYS)
def test_a_larger_k_keeps_more_and_never_a_silent_column(way):
    X, y = made_up(p=20)
    X = csr_matrix(np.hstack([X.toarray(), np.zeros((90, 15), np.float32)]))
    kept = narrowed.choose(X, y, [2, 6, 20, 34], [way])
    sizes = [len(kept[way, k]) for k in (2, 6, 20, 34)]
    assert sizes[:2] == [2, 6] and sizes[3] <= 20, "never one that is not active"
    assert way == L1 or sizes[3] == 20, "all active columns, where no more than k are active"
    assert all(columns.max() < 20 and (np.diff(columns) > 0).all() for columns in kept.values())
    assert set(kept[way, 2]) < set(kept[way, 6]) < set(kept[way, 20])


def test_l1_keeps_fewer_where_no_penalty_leaves_enough():
    """One of two columns tells the classes apart without a rest: the others never get a weight."""
    x = np.zeros((40, 12), np.float32)
    x[:20, 0], x[20:, 1] = 5, 5
    x[0, 2:] = 0.001
    kept = narrowed.choose(csr_matrix(x), np.repeat(["a", "b"], 20), [8], [L1])[L1, 8]
    assert {0, 1} & set(kept) and len(kept) < 8


@pytest.mark.parametrize(
    ("sizes", "ways", "words"),
    [([4], ["lasso"], "by 'lasso' is unknown; there are l1, mean_difference, mutual_information"),
     ([0], WAYS, "0 latents cannot be kept; a positive whole number"), ([2.5], WAYS, "2.5 latents cannot be kept")],
)  # fmt: skip
def test_what_cannot_be_chosen_is_refused(sizes, ways, words):
    with pytest.raises(MosaicError, match=words):
        narrowed.choose(*made_up(), sizes, ways)


def test_texts_without_an_active_latent_keep_one_column():
    kept = narrowed.choose(csr_matrix((6, 5), dtype=np.float32), np.array(["a", "b"] * 3), [2])
    assert [columns.tolist() for columns in kept.values()] == [[0]] * 3


# --- the probe on them -------------------------------------------------------------------------------------------


@pytest.fixture
def alone(monkeypatch):
    """No processes of their own: starting them takes longer than these fits."""
    monkeypatch.setattr(narrowed, "cores", lambda: 1)


def test_all_columns_kept_are_no_selection(alone):
    """With every active column kept, scores are those of the plain features: the arms differ in nothing else."""
    p = problem(60, 40)
    table = p.tables[1]
    found = narrowed.select(p, table, [40])
    for on in (False, True):
        plain = selection.fit(TableFeatures(p, table, on), p, folds.splits(p.train))
        for way in (MEAN_DIFFERENCE, MUTUAL_INFORMATION):
            result = found[way].results[on]
            assert (result.strength, result.threshold) == (plain.strength, plain.threshold)
            assert (result.predicted == plain.predicted).all() and result.validation == plain.validation


def test_the_size_is_the_smallest_of_the_best_on_validation(alone):
    p = problem(60, 40)
    found = narrowed.select(p, p.tables[1], [1, 4, 16])
    single = {k: narrowed.select(p, p.tables[1], [k]) for k in (1, 4, 16)}
    splits = folds.splits(p.train)
    for way, chosen in found.items():
        values = {k: of[way].results[False].validation for k, of in single.items()}
        assert chosen.k == next(k for k, value in values.items() if value == max(values.values()))
        raw, on = (chosen.candidates[kind] for kind in (False, True))
        for rows in (*(fit for fit, _ in splits), np.arange(len(p.train))):
            assert raw.columns(rows).tolist() == on.columns(rows).tolist(), "binarised, the same latents"
        assert chosen.results[True].threshold is not None and chosen.results[False].threshold is None


def test_neither_held_rows_nor_the_test_are_seen(alone):
    """With other numbers there, each fold's columns are the same."""
    p = problem(60, 40)
    table, n = p.tables[1], len(p.train)
    x = table.matrix.toarray()
    x[n:] = 7.0
    other = replace(table, matrix=csr_matrix(x))
    chosen = [narrowed.select(p, t, [5]) for t in (table, other)]
    for way in WAYS:
        one, two = (of[way].candidates[False].kept for of in chosen)
        assert [columns.tolist() for _, columns in one] == [columns.tolist() for _, columns in two]
        assert all(len(rows) < n for rows, _ in one[:-1]) and len(one[-1][0]) == n
    fit, held = folds.splits(p.train)[0]
    y = p.train.labels
    seen = narrowed.choose(table.matrix[fit], y[fit], [5])
    for way in WAYS:
        assert chosen[0][way].candidates[False].columns(fit).tolist() == seen[way, 5].tolist()
    with pytest.raises(MosaicError, match=f"no columns were chosen on these {len(held)} rows"):
        chosen[0][L1].candidates[False].columns(held)
