"""Curves over the number of features: held to the k-sparse probe, fitted on the fit rows alone."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA
from sklearn.utils.estimator_checks import parametrize_with_checks

from mosaic.errors import MosaicError
from mosaic.probing import curves, estimators, folds, kept_curves
from mosaic.probing.candidates import STRENGTHS
from mosaic.probing.directions import MeanDifference, RandomDirections
from mosaic.probing.scores import macro_f1
from mosaic.probing.selection import middle_best
from tests.toy import problem as toy


@parametrize_with_checks([MeanDifference(), RandomDirections()])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def rows(i=1):
    made = toy()
    matrix = made.tables[i].matrix
    n = len(made.train)
    return made, matrix[:n], matrix[n:], folds.splits(made.train)[0]


@pytest.mark.parametrize("size", ["1", "4", "all"])
def test_a_size_is_the_k_sparse_probe(size):
    made, train, test, (fit, held) = rows()
    found = curves.curve(train, made.train.labels, test, (fit, held), (1, 4))[size]
    k, labels = train.shape[1] if size == "all" else int(size), made.train.labels

    def predicted(strength, first, y, second):
        return estimators.k_sparse(k, strength).fit(first.toarray(), y).predict(second.toarray())

    values = [macro_f1(labels[held], predicted(s, train[fit], labels[fit], train[held])) for s in STRENGTHS]
    assert found.validation == pytest.approx(max(values))
    assert found.strength == middle_best(STRENGTHS, values) and found.solved
    assert (found.predicted == predicted(found.strength, train, labels, test)).all()


def test_sizes_end_where_the_columns_do():
    made, train, test, split = rows()
    assert list(curves.curve(train, made.train.labels, test, split, (1, 39, 40, 64))) == ["1", "39", "all"]
    hidden = rows(3)[1].toarray()
    one = curves.curve(hidden, made.train.labels, rows(3)[2].toarray(), split, directions=MeanDifference())
    assert list(one) == ["1"]


def test_columns_that_say_nothing_are_no_features():
    made, train, test, split = rows()
    blank = csr_matrix(train.shape, dtype=np.float32)
    found = curves.curve(blank, made.train.labels, test, split, (2,))
    assert all(len(set(fit.predicted)) == 1 for fit in found.values())


@pytest.mark.parametrize("directions", [PCA(svd_solver="full"), RandomDirections(3), MeanDifference()])
def test_directions_never_see_the_test(directions):
    """Other test rows leave what is said of the first ones as it was; held rows do not reach the fit ones."""
    made, train, test, split = rows(3)
    few = curves.curve(train, made.train.labels, test[:10], split, (2,), directions)
    many = curves.curve(train, made.train.labels, test, split, (2,), directions)
    for size, fit in few.items():
        assert (fit.predicted == many[size].predicted[:10]).all()


def test_random_directions_keep_lengths_and_the_supervised_one_finds_the_class():
    made, train, *_ = rows(3)
    x = train.toarray()
    turned = RandomDirections(1).fit(x).transform(x)
    assert np.allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(x, axis=1), rtol=1e-4)
    assert not np.allclose(turned, RandomDirections(2).fit(x).transform(x))
    direction = MeanDifference().fit(x, made.train.labels).direction_
    assert np.abs(direction).argmax() == 5, "the column that carries the label"


def test_of_three_classes_the_farthest_is_told_apart():
    x = np.array([[0, 0], [0, 1], [0, 0], [0, 1], [9, 0], [9, 1.0]])
    direction = MeanDifference().fit(x, list("aabbcc")).direction_
    assert direction.tolist() == [9, 0]


def test_a_pooling_that_is_not_linear_is_refused():
    curves.check_linear("mean")
    with pytest.raises(MosaicError, match="'max' is not linear.*mean, last, sum"):
        curves.check_linear("max")


def test_a_kept_curve_is_read_and_is_the_same(tmp_path, monkeypatch, caplog):
    made, *_ = rows()
    problem, matrix = replace(made, tables=(), cache=tmp_path), made.tables[1].matrix
    split = folds.splits(made.train)[0]

    def same(a, b):
        assert list(a) == list(b)
        for size, fit in a.items():
            other = b[size]
            assert (fit.predicted == other.predicted).all()
            assert (fit.validation, fit.strength, fit.solved) == (other.validation, other.strength, other.solved)

    first = kept_curves.curve(problem, matrix, split, (1, 4), RandomDirections(1))
    (file,) = (tmp_path / "results").iterdir()
    computed = curves.curve
    monkeypatch.setattr(curves, "curve", None)
    same(kept_curves.curve(problem, matrix, split, (1, 4), RandomDirections(1)), first)
    monkeypatch.setattr(curves, "curve", computed)
    # Other directions, sizes, numbers or rows are another curve.
    kept_curves.curve(problem, matrix, split, (1, 4), RandomDirections(2))
    kept_curves.curve(problem, matrix, split, (1,), RandomDirections(1))
    kept_curves.curve(problem, matrix * 2, split, (1, 4), RandomDirections(1))
    assert len(list((tmp_path / "results").iterdir())) == 4
    file.write_text(file.read_text()[:-40] + "}")
    same(kept_curves.curve(problem, matrix, split, (1, 4), RandomDirections(1)), first)
    assert "is damaged" in caplog.text
    same(kept_curves.curve(replace(problem, cache=None), matrix, split, (1, 4), RandomDirections(1)), first)
