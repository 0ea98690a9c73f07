"""Means weighted by inverse firing frequency: the weight against its formula, what a probe can see of it, the sentence."""

import numpy as np
import pytest
import toy
from scipy.sparse import csr_matrix

from mosaic.probing import comparison
from mosaic.probing.candidates import TableFeatures
from mosaic.probing.scores import Difference
from mosaic.studies import inverse_frequency
from mosaic.studies.audit_fits import Unscaled
from mosaic.studies.inverse_frequency import PLAIN, SCALED, WEIGHTED, InverseFrequency, Weighted

UP, DOWN, OPEN = Difference(0.1, 0.05, 0.2, 0), Difference(-0.1, -0.2, -0.05, 0), Difference(0.0, -0.1, 0.1, 1)


@pytest.mark.parametrize("made", [np.asarray, csr_matrix])
def test_the_weight_is_its_formula(made):
    x = np.array([[1, 0, 2], [3, 0, 0], [0.5, 1, 0], [4, 0, 0]], dtype=np.float32)
    expected = [np.log((1 + 4) / (1 + n)) + 1 for n in (4, 1, 1)]
    np.testing.assert_allclose(inverse_frequency.weights(made(x)), expected)


def test_columns_are_weighted_by_the_fit_rows_alone():
    problem = toy.problem()
    table = next(t for t in problem.tables if t.provenance["features"] == "sae")
    fit, other = np.arange(60), np.arange(60, 90)
    plain, weighted = Unscaled(problem, table), Weighted(problem, table)
    (x, rest, columns), (wx, wrest, same) = (c.matrices(fit, other, None) for c in (plain, weighted))
    weight = inverse_frequency.weights(x)
    assert (columns == same).all() and len(set(weight)) > 1
    np.testing.assert_allclose(wx, x * weight, rtol=1e-5)
    np.testing.assert_allclose(wrest, rest * weight, rtol=1e-5)


def test_a_standardising_probe_cannot_see_a_weight():
    """Why the comparison is made without standardising: with it, it would be one of a thing with itself."""
    problem = toy.problem()
    table = next(t for t in problem.tables if t.provenance["features"] == "sae")
    candidate = TableFeatures(problem, table)
    fit, other = np.arange(120), np.arange(120, 200)
    x, rest, _ = candidate.matrices(fit, other, None)
    weight = inverse_frequency.weights(x)
    labels = problem.train.labels
    before, after = candidate.probe(0.1).fit(x, labels), candidate.probe(0.1).fit(x * weight, labels)
    np.testing.assert_allclose(before.predict_proba(rest), after.predict_proba(rest * weight), atol=1e-4)


def test_three_arms_on_one_problem_and_their_means():
    problem = toy.problem()
    found = comparison.evaluate(problem, families=["sae"], binarize=False, trees=False)
    arms = inverse_frequency.compare(problem, found[0])
    assert list(arms) == [SCALED, PLAIN, WEIGHTED] and arms[SCALED] is found[0]
    assert arms[PLAIN].setting == arms[WEIGHTED].setting == found[0].setting
    made = InverseFrequency.of([(problem.test, arms)])
    assert made.means[WEIGHTED] == pytest.approx(arms[WEIGHTED].score.macro_f1)
    expected = arms[WEIGHTED].score.macro_f1 - arms[PLAIN].score.macro_f1
    assert made.minus[PLAIN].difference == pytest.approx(expected)


@pytest.mark.parametrize(
    ("plain", "scaled", "words"),
    [(UP, DOWN, ("gains by", "scores below")), (DOWN, UP, ("loses by", "scores above")),
     (OPEN, OPEN, ("neither gains nor loses by", "cannot be told apart"))],
)  # fmt: skip
def test_each_outcome_has_its_words(plain, scaled, words):
    sentence = InverseFrequency({}, {PLAIN: plain, SCALED: scaled}).sentence()
    assert all(word in sentence for word in words) and "no weighting of columns can change" in sentence
    assert sentence.index("weighted minus plain") < sentence.index("weighted minus standardised")
