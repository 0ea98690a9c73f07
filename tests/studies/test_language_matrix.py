"""Every language against every other: means and differences over pairs against scikit-learn, pair by pair."""

import numpy as np
import pytest
import toy
from sklearn.metrics import f1_score
from transfer_toy import parallel

from mosaic.probing import comparison
from mosaic.studies import language_matrix
from mosaic.studies.language_matrix import Matrix

LANGUAGES = ("en", "de", "zh")


@pytest.fixture
def matrix():
    """Predictions that are wrong more or less often, by language trained on."""
    test, rng = parallel(LANGUAGES, n=40), np.random.default_rng(0)
    flipped = np.where(test.labels == "good", "bad", "good").astype(object)

    def wrong(share):
        return np.where(rng.random(len(test)) < share, flipped, test.labels)

    shares = {"sae": (0.1, 0.2, 0.3), "hidden": (0.3, 0.3, 0.4)}
    return Matrix(test, {k: {a: wrong(s) for a, s in zip(LANGUAGES, of, strict=True)} for k, of in shares.items()})


def slow(matrix, kind, a, b):
    """Macro-F1 of one cell: trained on a, tested on b, first part."""
    test = matrix.test
    rows = np.flatnonzero((test.languages == b) & (test.parts == next(iter(test.part_rows()))))
    return f1_score(test.labels[rows], matrix.predicted[kind][a][rows], average="macro")


def test_a_mean_over_pairs_is_the_mean_of_its_cells(matrix):
    assert len(matrix.transfers) == 6 and matrix.natives == [(a, a) for a in LANGUAGES]
    for pairs in (matrix.natives, matrix.transfers, [("de", "zh")]):
        found = matrix.mean("sae", pairs)
        assert found.macro_f1 == pytest.approx(np.mean([slow(matrix, "sae", a, b) for a, b in pairs]))
        assert found.low < found.macro_f1 < found.high
    cells = matrix.summary()["hidden"]["cells"]
    assert cells["en"]["zh"]["mean"] == pytest.approx(slow(matrix, "hidden", "en", "zh"))


@pytest.mark.parametrize("which", ["native", "transfer"])
def test_features_are_compared_over_the_same_pairs(matrix, which):
    pairs = matrix.natives if which == "native" else matrix.transfers
    expected = np.mean([slow(matrix, "sae", a, b) - slow(matrix, "hidden", a, b) for a, b in pairs])
    assert language_matrix.minus([matrix], "sae", "hidden", which).difference == pytest.approx(expected)
    back = language_matrix.minus([matrix], "hidden", "sae", which)
    assert back.difference == pytest.approx(-expected)


def test_native_training_is_compared_with_every_other_on_the_language_tested(matrix):
    expected = np.mean([slow(matrix, "sae", b, b) - slow(matrix, "sae", a, b) for a, b in matrix.transfers])
    assert language_matrix.native_minus_transfer([matrix], "sae").difference == pytest.approx(expected)


def test_a_result_fitted_again_predicts_what_it_predicted():
    problem = toy.problem()
    for result in comparison.evaluate(problem, trees=False):
        if result.setting.features != "majority":
            assert (language_matrix.refitted(problem, result) == result.predicted).all(), result.setting
