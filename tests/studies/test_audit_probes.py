"""The audit's lines on probes: made-up predictions whose answer is known, and each switch on a small problem."""

from types import SimpleNamespace

import numpy as np
import pytest
import toy

from mosaic.probing.linear import LogisticProbe
from mosaic.probing.problem import Problem
from mosaic.probing.scores import macro_f1
from mosaic.studies import adam, audit_probes
from mosaic.studies.audit_fits import (
    AuditedSet,
    EnglishWords,
    Unscaled,
    at_published_threshold,
    every_setting,
    fitted,
)
from mosaic.texts.labelled import FAMILIAR, NEW, LabelledTexts

N = 40
TRUTH = np.array(["a", "b"] * N, dtype=object)


def wrong(n):
    """The truth with the first n labels exchanged."""
    return np.where(np.arange(2 * N) < n, np.where(TRUTH == "a", "b", "a"), TRUTH).astype(object)


def made_up(mistakes, validation=None):
    """A set on which each named probe makes so many mistakes; only the first part of the test counts."""
    test = LabelledTexts(
        "t", list(map(str, range(4 * N))), np.concatenate([TRUTH, TRUTH]), parts=np.repeat([FAMILIAR, NEW], 2 * N)
    )
    results = {
        name: SimpleNamespace(
            predicted=np.concatenate([wrong(n), wrong(0)]),
            validation=(validation or {}).get(name, 0.5),
            score=SimpleNamespace(macro_f1=macro_f1(TRUTH, wrong(n))),
            threshold=0.0,
        )
        for name, n in mistakes.items()
    }
    return AuditedSet("made up", Problem(test, test, ()), results)


def f1(n):
    return macro_f1(TRUTH, wrong(n))


def test_the_best_on_test_against_the_one_that_validation_chooses():
    one = made_up({"sae sum": 8, "sae max": 2, "sae-binarised sum": 4, "hidden sum": 0}, {"sae-binarised sum": 0.9})
    line = audit_probes.chosen_on_test([one])
    assert line.number.difference == pytest.approx(f1(2) - f1(4)) and line.levels == pytest.approx((f1(2), f1(4)))
    assert line.facts["chosen"]["made up"] == {"test": "sae max", "validation": "sae-binarised sum"}
    assert line.facts["settings"] == 3


def test_the_lead_with_an_unequal_baseline():
    one = made_up(
        {"sae sum": 6, "sae max": 4, "hidden last": 8, "hidden max": 2, "unscaled sae": 10, "unscaled hidden": 20},
        {"sae max": 0.9, "hidden max": 0.9},
    )
    line = audit_probes.unequal_baseline([one])
    assert line.levels == pytest.approx((f1(10) - f1(20), f1(4) - f1(2)))
    assert line.parts["hidden states alone"].difference == pytest.approx(f1(20) - f1(2))
    assert audit_probes.unequal_baseline([made_up({"sae sum": 1})]).why == audit_probes.NO_LAST


def test_averages_with_and_without_hidden_states():
    one = made_up({"sae sum": 4, "sae last": 8, "hidden sum": 20, "hidden last": 2})
    line = audit_probes.mixed_averages([one])
    sums, last = (f1(20) - f1(4)) / 2, (f1(2) - f1(8)) / 2
    assert line.number.difference == pytest.approx((sums + last) / 2)
    assert line.parts["sum"].difference == pytest.approx(sums) and line.parts["last"].difference == pytest.approx(last)
    assert line.facts["highest"] == {"mixed": "last", "sae": "sum"}


def test_counts_above_one_against_a_chosen_threshold():
    one = made_up({"sae top20": 4, "sae-binarised top20": 2, "at 1.0": 10})
    line = audit_probes.fixed_threshold([one])
    assert line.number.difference == pytest.approx(f1(10) - f1(2))
    assert line.parts["against counts as they are"].difference == pytest.approx(f1(10) - f1(4))
    missing = audit_probes.fixed_threshold([made_up({"sae sum": 1})])
    assert missing.number is None and "top20" in missing.why


def test_distances_of_trainings():
    one = made_up({"hidden last": 0})
    runs = [np.concatenate([wrong(n), wrong(0)]) for n in (0, 4, 8)]
    found = audit_probes.distances(one, runs)
    assert sorted(found) == pytest.approx(sorted([1 - f1(4), 1 - f1(8), f1(4) - f1(8)]))
    spread = audit_probes.spread(np.array(found))
    assert spread.difference == pytest.approx(np.mean(found)) and spread.low <= spread.difference <= spread.high
    assert audit_probes.repeated([made_up({"sae sum": 1})]).why == "the profile computes no last token"


@pytest.fixture(scope="module")
def small():
    problem = toy.problem()
    settings = every_setting(problem)
    return AuditedSet("toy", problem, fitted(problem.train, problem.test, settings, None))


def test_every_setting_of_the_toy_is_fitted_and_told_apart(small):
    assert set(small.results) == {
        "sae sum", "sae-binarised sum", "sae max", "sae-binarised max", "sae count", "sae-binarised count",
        "hidden mean", "hidden last",
    }  # fmt: skip
    assert small.chosen(("sae",)) == "sae max" and small.chosen(("hidden",)) == "hidden mean"


def test_probes_trained_again_read_the_same_features(small):
    right = small.results["sae max"].predicted
    truth = small.problem.test.labels
    for predicted in (audit_probes.converged(small, "sae max"), audit_probes.redrawn(small, "sae max", 0)):
        assert len(predicted) == len(truth) and macro_f1(truth, predicted) > 0.8
        assert abs(macro_f1(truth, predicted) - macro_f1(truth, right)) < 0.15
    assert (audit_probes.redrawn(small, "hidden last", 0) != audit_probes.redrawn(small, "hidden last", 1)).any()


def test_one_line_of_each_trained_again(small):
    line = audit_probes.last_weights([small])
    assert line.parts and 1 <= line.facts["best_epoch"]["toy"] <= adam.EPOCHS
    repeated = audit_probes.repeated([small])
    assert repeated.spread and repeated.facts["most"] >= repeated.number.difference >= 0


def test_unscaled_columns_and_the_published_threshold(small):
    candidate = small.candidate("sae max")
    unscaled = Unscaled(small.problem, candidate.table)
    assert isinstance(unscaled.probe(2.0), LogisticProbe) and unscaled.probe(2.0).C == 2.0
    at = at_published_threshold(candidate)
    rows = np.arange(30)
    first, _, columns = at.matrices(rows, rows, at.thresholds(rows)[0])
    np.testing.assert_array_equal(first, candidate.table.matrix[:30].toarray()[:, columns] > 1.0)


def test_adam_learns_what_can_be_learned_and_says_the_same_again():
    rng = np.random.default_rng(0)
    y = np.array(["a", "b", "c"] * 1000, dtype=object)
    x = np.eye(3)[np.unique(y, return_inverse=True)[1]] * 4 + rng.normal(size=(3000, 3))
    made = [adam.train(x[:2000], y[:2000], x[2000:2500], y[2000:2500], x[2500:], 0) for _ in range(2)]
    assert macro_f1(y[2500:], made[0].last) > 0.9 and (made[0].last == made[1].last).all()
    assert made[0].best_epoch == adam.EPOCHS - 1 and (made[0].best == made[0].last).all()  # it still improves


def test_a_copy_of_the_best_epoch_is_not_the_last_weights():
    """Held-out labels are the training's, exchanged: the first epoch is the best, the last is kept by reference."""
    rng = np.random.default_rng(1)
    y = np.array(["a", "b"] * 100, dtype=object)
    x = np.where(y == "a", 3.0, -3.0)[:, None] + rng.normal(size=(200, 1))
    trained = adam.train(x, y, x, y[::-1], x, 0)
    assert trained.best_epoch == 0
    assert macro_f1(y, trained.last) >= macro_f1(y, trained.best)


def test_english_stop_words_leave_out_what_decides():
    texts = ["it is not good", "it is good", "这个花园并不可靠", "这个花园可靠"]
    data = LabelledTexts("t", texts, np.array(["n", "p", "n", "p"], dtype=object))
    candidate = EnglishWords(Problem(data, data, ()), "words")
    english, _, _ = candidate.matrices(np.arange(2), np.arange(2), None)
    assert (english[0] != english[1]).nnz == 0  # "not" is left out, and nothing else told the two apart
    chinese, other, _ = candidate.matrices(np.array([2]), np.array([3]), None)
    assert chinese.shape[1] == 1 and other.nnz == 0  # a clause is one word, and never seen again
