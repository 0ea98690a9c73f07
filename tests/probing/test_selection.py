from dataclasses import replace

import numpy as np
import pytest
from toy import problem

from mosaic.probing import comparison, estimators, examine, selection
from mosaic.probing.candidates import STRENGTHS, Majority, TableFeatures, TfidfFeatures
from mosaic.probing.folds import splits
from mosaic.probing.problem import Problem
from mosaic.texts.labelled import FAMILIAR, NEW, WHOLE


def test_the_grid_is_the_same_for_every_kind_of_features():
    assert np.allclose(STRENGTHS, np.logspace(-5, 3, 9)) and len(STRENGTHS) == 9
    assert TableFeatures.strengths == TfidfFeatures.strengths == STRENGTHS


@pytest.mark.parametrize(
    "values,chosen",
    [([1, 2, 3], "c"), ([3, 2, 1], "a"), ([3, 3, 3], "b"), ([3, 3, 1], "a"), ([1, 3, 3], "b"), ([3, 1, 3], "a")],
)
def test_of_equally_good_strengths_the_middle_one_is_taken(values, chosen):
    assert selection.middle_best("abc", values) == chosen


@pytest.fixture(scope="module")
def fitted():
    base = problem()
    return selection.fit(TableFeatures(base, base.tables[1]), base, splits(base.train))


def test_an_end_of_the_grid_is_recorded(fitted):
    edges = [replace(fitted, strength=strength).edge for strength in (None, *STRENGTHS)]
    assert edges == [None, "low", *[None] * 7, "high"]
    assert replace(fitted, strength=STRENGTHS[0]).row()["edge"] == "low"


def test_every_fit_is_counted_and_one_that_ended_early_is_recorded(fitted):
    assert fitted.n_fits == len(STRENGTHS) + 2 + 1 and fitted.converged and fitted.row()["converged"] is True

    class Hasty(TableFeatures):
        def probe(self, strength):
            return super().probe(strength).set_params(logisticprobe__max_iter=1)

    base = problem()
    hasty = selection.fit(Hasty(base, base.tables[1]), base, splits(base.train))
    assert 0 < hasty.n_unconverged <= hasty.n_fits and not hasty.converged and hasty.row()["converged"] is False


def test_validation_is_what_the_held_rows_say(fitted):
    """Each fold's predictions, fold after fold, with their labels."""
    base = problem()
    rows = np.concatenate([held for _, held in splits(base.train)])
    truth, predicted, groups = fitted.held
    assert (truth == base.train.labels[rows]).all() and len(predicted) == len(rows) and groups is None
    assert abs((truth == predicted).mean() - fitted.validation) < 0.05
    majority = selection.fit(Majority(base), base, splits(base.train))
    assert majority.edge is None and majority.converged and majority.n_fits == 4


def with_parts(base: Problem) -> Problem:
    """The toy's test rows, the first half in familiar words; the second half has its labels turned round."""
    half = len(base.test) // 2
    labels = base.test.labels.copy()
    labels[half:] = np.where(labels[half:] == "a", "b", "a")
    parts = np.array([FAMILIAR] * half + [NEW] * (len(labels) - half), dtype=object)
    return replace(base, test=replace(base.test, labels=labels, parts=parts))


def test_every_part_is_scored_and_the_first_is_the_headline(fitted):
    parted = with_parts(problem())
    result = selection.fit(TableFeatures(parted, parted.tables[1]), parted, splits(parted.train))
    assert list(result.parts) == [FAMILIAR, NEW] and result.score is result.parts[FAMILIAR]
    assert result.parts[FAMILIAR].macro_f1 > 0.8 > 0.2 > result.parts[NEW].macro_f1
    assert (result.predicted == fitted.predicted).all() and result.score.n == 40
    row = result.row()
    assert row["macro_f1"] == row["parts"][FAMILIAR]["macro_f1"] and row["n_test"] == 40
    assert set(row["parts"][NEW]) == {"macro_f1", "low", "high"}
    assert list(fitted.parts) == [WHOLE] and fitted.parts[WHOLE] is fitted.score


def test_trees_have_every_pooling_to_choose_from_where_they_are_to_compete_with_linear_probes():
    found = comparison.evaluate(problem(), families=("sae", "hidden"), every_tree=True)
    plain = [r.setting for r in found if r.setting.classifier == "logistic" and not r.setting.binarized]
    trees = [r.setting for r in found if r.setting.classifier == "tree"]
    assert len(plain) > len({setting.encoder for setting in plain})
    assert {replace(setting, classifier="logistic") for setting in trees} == set(plain) and len(trees) == len(plain)


def test_a_probe_that_is_looked_into_chooses_its_own_strength():
    """Of thresholds, and of few latents, each has the C that is best for it on the first validation split."""
    base = problem()
    full = next(r for r in comparison.evaluate(base, families=["sae"], trees=False) if not r.setting.binarized)
    few = examine.k_sparse_at(base, full, 1)
    table = next(t for t in base.tables if t.provenance["pooling"] == full.setting.pooling)
    x, n = table.matrix.toarray(), len(base.train)
    alone = estimators.k_sparse(1, few.strength).fit(x[:n], base.train.labels)
    assert alone[-1].coef_.shape == (1, 1) and (alone.predict(x[n:]) == few.predicted).all()
    assert few.strength in STRENGTHS and few.n_fits == len(STRENGTHS) + 1
    at = examine.binarised_at(base, ["max"], 1.0)["max"]
    assert at.threshold == 1.0 and at.setting.binarized and at.strength in STRENGTHS
    assert len(at.held[0]) == len(splits(base.train)[0][1])
