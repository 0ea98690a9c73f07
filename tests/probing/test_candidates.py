from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix, issparse
from toy import problem

from mosaic.probing import candidates, comparison
from mosaic.probing.candidates import TableFeatures, TfidfFeatures
from mosaic.probing.problem import Problem


def test_thresholds_fit_the_pooling():
    assert candidates.thresholds_for("count", np.ones(3)) == (0.0, 1.0, 2.0)
    assert candidates.thresholds_for("sum", np.arange(1, 6.0)) == (0.0, 2.0, 3.0, 4.0)
    assert candidates.thresholds_for("sum", np.zeros(0)) == (0.0,)


def test_binarise_drops_what_does_not_pass():
    x = candidates.binarise(csr_matrix(np.array([[0.5, 2.0], [0, 1.0]])), 0.75)
    assert x.toarray().tolist() == [[0, 1], [0, 1]] and x.nnz == 2


def with_texts(texts: list[str]) -> Problem:
    """The toy problem with other texts: one, two, ... of them in turn."""
    base = problem()
    everything = [texts[i % len(texts)] for i in range(len(base.train) + len(base.test))]
    train, test = everything[: len(base.train)], everything[len(base.train) :]
    return Problem(replace(base.train, texts=train), replace(base.test, texts=test), base.tables)


@pytest.mark.parametrize("texts", [["😀", "😢😢", "👍🏽"], ["...", "?!", "—"], ["a", "b"], ["😀", "yes", "?"]])
def test_texts_without_words_are_probed_all_the_same(texts):
    """Emoji alone: no word to count, so one class is guessed; characters are counted still."""
    strange = with_texts(texts)
    by_kind = {result.setting.pooling: result for result in comparison.evaluate(strange, families=["tfidf"])}
    assert set(by_kind) == {"word", "char"}
    if not any(text.isalpha() for text in texts):
        assert len(set(by_kind["word"].predicted)) == 1
    first, second, columns = TfidfFeatures(strange, "char").matrices(np.arange(50), np.arange(50, 60), None)
    assert first.shape == (50, len(columns)) and second.shape == (10, len(columns)) and first.sum() > 0


def test_a_vocabulary_that_only_the_other_rows_have_is_not_learned():
    texts = ["😀"] * 50 + ["words at last"] * 10
    strange = with_texts(texts)
    first, second, columns = TfidfFeatures(strange, "word").matrices(np.arange(50), np.arange(50, 60), None)
    assert first.shape == (50, 1) and second.shape == (10, 1) and len(columns) == 1 and not second.any()


def test_the_bound_counts_both_sides_of_a_split(monkeypatch):
    base = problem()
    features = TableFeatures(base, base.tables[0])
    fit, other = np.arange(100), np.arange(100, 150)
    n_columns = len(features.matrices(fit, other, None)[2])
    monkeypatch.setattr(candidates, "DENSE_CELLS", 150 * n_columns)
    assert not any(map(issparse, features.matrices(fit, other, None)[:2]))
    monkeypatch.setattr(candidates, "DENSE_CELLS", 150 * n_columns - 1)
    assert all(map(issparse, features.matrices(fit, other, None)[:2]))
    assert features.cells == 150 * n_columns - 1
    monkeypatch.undo()
    assert features.cells == features.table.matrix.shape[0] * features.table.matrix.shape[1]


def test_the_sparse_way_predicts_as_the_dense_way(monkeypatch):
    """Beyond the bound matrices stay sparse; hidden states, which are centred, are dense whatever their size."""

    def found() -> dict:
        rows = comparison.evaluate(problem(), families=["sae", "hidden"], binarize=False)
        return {result.setting: result for result in rows}

    dense = found()
    monkeypatch.setattr(candidates, "DENSE_CELLS", 0)
    sparse = found()
    assert set(dense) == set(sparse)
    for setting, result in dense.items():
        other = sparse[setting]
        assert (result.strength, result.threshold) == (other.strength, other.threshold), setting
        assert (result.predicted == other.predicted).all(), setting
        assert other.validation == pytest.approx(result.validation, abs=1e-9)
