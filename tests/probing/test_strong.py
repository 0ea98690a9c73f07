"""The strong baseline: the best on validation, and able to see what a linear probe cannot."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from toy import problem

from mosaic.probing import comparison, folds, selection, strong
from mosaic.probing.candidates import TableFeatures
from mosaic.probing.comparison import selected
from mosaic.probing.strong import FAMILY, METHODS, Option, fit, strongest


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    for module in (comparison, strong):
        monkeypatch.setattr(module, "cores", lambda: 1)


def crossed(seed=0):
    """Hidden states whose first two columns tell the label by their product alone."""
    made = problem(n_train=160, n_test=120)
    labels = np.concatenate([made.train.labels, made.test.labels])
    rng = np.random.default_rng(seed)
    x = 0.05 * rng.normal(size=(len(labels), 6)).astype(np.float32)
    x[:, 0] = rng.choice([-1, 1], len(labels)) * rng.uniform(0.5, 1, len(labels))
    x[:, 1] = np.sign(x[:, 0]) * np.where(labels == "a", 1, -1) * rng.uniform(0.5, 1, len(labels))
    return replace(made, tables=(replace(made.tables[3], matrix=csr_matrix(x)),))


def test_it_sees_what_a_linear_probe_cannot():
    made = crossed()
    results = comparison.evaluate(made, families=["hidden"], trees=False)
    found = strongest(made, results)
    assert selected(results, "hidden").score.macro_f1 < 0.7 < 0.95 < found.score.macro_f1
    assert found.setting.features == FAMILY and found.selected
    assert found.setting.classifier.split(",")[0] in ("neighbours", "boosting")
    assert (found.setting.layer, found.setting.pooling) == (4, "mean")


def test_it_is_never_worse_on_validation_and_the_linear_probe_is_one_of_it():
    made = problem()
    results = comparison.evaluate(made, families=["hidden", "majority"], trees=False)
    linear = selected(results, "hidden")
    splits = folds.splits(made.train)
    table = next(t for t in made.tables if t.provenance["features"] == "hidden" and t.provenance["pooling"] == linear.setting.pooling)  # fmt: skip
    candidate = TableFeatures(replace(made, tables=()), table)
    each = [fit(options, candidate, made, splits) for options in METHODS.values()]
    found, again = strongest(made, results), strongest(made, results)
    assert found.validation == max(r.validation for r in [linear, *each])
    assert found.row() == again.row() and (found.predicted == again.predicted).all()
    best = replace(linear, validation=2.0)
    found = strongest(made, [best if r is linear else r for r in results])
    assert found.setting == replace(linear.setting, features=FAMILY)
    assert (found.predicted == linear.predicted).all()


def test_the_first_split_chooses_the_option():
    made = crossed()
    candidate = TableFeatures(made, made.tables[0])
    splits = folds.splits(made.train)
    options = METHODS["neighbours"]
    first, held, _ = candidate.matrices(*splits[0], None)
    labels = made.train.labels
    values = [
        selection.scores.macro_f1(labels[splits[0][1]], o.make(*first.shape).fit(first, labels[splits[0][0]]).predict(held))
        for o in options
    ]  # fmt: skip
    found = fit(options, candidate, made, splits)
    assert found.setting.classifier == options[int(np.argmax(values))].name
    assert found.n_fits == len(options) + len(splits) - 1 + 1


def test_sizes_give_way_to_few_rows_and_columns():
    x, y = np.random.default_rng(0).normal(size=(12, 3)), np.array(["a", "b"] * 6, dtype=object)
    for option in (Option("PCA + logistic", 128, 1.0), Option("neighbours", 64), Option("boosting", 16)):
        assert len(option.make(*x.shape).fit(x, y).predict(x)) == 12
