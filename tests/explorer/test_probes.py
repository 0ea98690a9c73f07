"""Coefficients and their stability against probes fitted one by one with scikit-learn."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from mosaic.explorer.probes import FOLDS, TOP, used
from mosaic.features.table import FeatureTable
from mosaic.probing import folds
from mosaic.probing.problem import Problem
from mosaic.texts.labelled import LabelledTexts


def problem(classes, seed=0, n=240, width=60):
    """Column c fires in class c; column 40 fires in test texts alone, column 41 nowhere; the rest is noise."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(classes, n).astype(object)
    x = rng.gamma(1, 1, (n, width)) * (rng.random((n, width)) < 0.3)
    for c, name in enumerate(classes):
        x[labels == name, c] += 3 * rng.random((labels == name).sum())
    x[: n // 2, 40] = 0
    x[:, 41] = 0
    texts = [f"text {i}" for i in range(n)]
    train, test = (LabelledTexts("made", texts[rows], labels[rows]) for rows in (slice(n // 2), slice(n // 2, n)))
    about = {"features": "sae", "layer": 3, "width": "1k", "pooling": "max", "max_length": 9}
    return Problem(
        train,
        test,
        (FeatureTable(csr_matrix(x.astype("f")), np.array(texts), np.ones(n, int), np.zeros(n, bool), about),),
    )


def slow(made, rows, strength):
    """{class: [D] coefficients} by scikit-learn: columns scaled, classes balanced, L2."""
    from sklearn.linear_model import LogisticRegression

    x = made.tables[0].matrix[rows].toarray().astype(float)
    scale = np.where(x.std(0) > 0, x.std(0), 1)
    fitted = LogisticRegression(C=strength, class_weight="balanced", tol=1e-8, max_iter=5000)
    fitted.fit(x / scale, made.train.labels[rows])
    return dict(zip(fitted.classes_[-len(fitted.coef_) :], fitted.coef_, strict=True))


@pytest.mark.parametrize("classes", [["no", "yes"], ["a", "b", "c"]])
def test_coefficients_ranks_and_folds_are_a_slow_loops(classes, monkeypatch):
    made, seen = problem(classes), []
    from mosaic.explorer import probes

    evaluate = probes.evaluate
    monkeypatch.setattr(probes, "evaluate", lambda *a, **k: seen.append(evaluate(*a, **k)) or seen[-1])
    found = used(made)
    ((result,),) = seen
    n = len(made.train)
    whole = slow(made, np.arange(n), result.strength)
    parts = [slow(made, fit, result.strength) for fit, _ in folds.splits(made.train, folds.Budget(n_folds=FOLDS))]
    sizes = np.max([np.abs(row) for row in whole.values()], axis=0)
    assert found.n_folds == FOLDS and found.columns == (sizes > 1e-9).sum() == 58
    for j in range(60):
        label = max(whole, key=lambda name: abs(whole[name][j]))
        if sizes[j] < 1e-9:
            assert found.rank[j] == found.coefficient[j] == found.top[j] == found.same[j] == 0
            continue
        assert found.coefficient[j] == pytest.approx(whole[label][j], rel=0.01, abs=1e-3)
        assert abs(found.rank[j] - (1 + (sizes > sizes[j]).sum())) <= 1
        assert found.label[j] == label or sizes[j] < 1e-3
        inside = [np.max([np.abs(row) for row in part.values()], axis=0) for part in parts]
        assert abs(found.top[j] - sum((one > one[j]).sum() < TOP for one in inside)) <= 1
        assert (
            found.same[j] == sum(np.sign(part[label][j]) == np.sign(whole[label][j]) for part in parts)
            or sizes[j] < 0.01
        )
    assert all(found.rank[c] <= len(classes) + 2 and found.same[c] == FOLDS for c in range(2))
    assert found.low <= found.macro_f1 <= found.high and found.macro_f1 == result.score.macro_f1


def test_two_runs_give_the_same():
    a, b = used(problem(["no", "yes"])), used(problem(["no", "yes"]))
    assert all(np.array_equal(getattr(a, key), getattr(b, key)) for key in ("coefficient", "rank", "top", "same"))
