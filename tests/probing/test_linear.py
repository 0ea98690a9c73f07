"""The solver against scikit-learn's own, solved to the end; its accuracy on every kind of probe."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix, issparse
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from toy import problem

from mosaic.probing import comparison, estimators, newton, reduction
from mosaic.probing.candidates import STRENGTHS, TableFeatures, TfidfFeatures
from mosaic.probing.linear import LogisticProbe
from mosaic.probing.problem import Problem
from mosaic.texts.labelled import LabelledTexts


def made_up(n=90, p=40, n_classes=2, seed=0):
    """Skewed, correlated columns of which a third is zero, and labels that they tell in part."""
    rng = np.random.default_rng(seed)
    x = np.maximum(rng.normal(size=(n, p)) + rng.normal(size=(n, 1)), 0) * rng.uniform(0.2, 2, p)
    y = np.argmax(x @ rng.normal(size=(p, n_classes)) + 2 * rng.gumbel(size=(n, n_classes)), axis=1)
    return x.astype(np.float32), np.array(list("abcdefghijkl"))[y]


def slope(probe, X, y) -> float:
    """Norm of the gradient of 1/2 |W|^2 + C sum s l over |W|, from its definition and on the original columns."""
    X = X.toarray().astype(float) if issparse(X) else X.astype(float)
    classes, codes = np.unique(y, return_inverse=True)
    s = (len(y) / (len(classes) * np.bincount(codes)))[codes]
    difference = (X @ probe.coef_.T + probe.intercept_).T
    if len(classes) == 2:
        E = probe.C * s * (1 / (1 + np.exp(-difference)) - (codes == 1))
    else:
        P = np.exp(difference - difference.max(0))
        E = probe.C * s * (P / P.sum(0) - np.eye(len(classes))[codes].T)
    gradient = np.hstack([E @ X + probe.coef_, E.sum(1, keepdims=True)])
    # At the mean of the columns, where the intercept does not depend on what the columns' means are.
    gradient[:, :-1] -= np.outer(gradient[:, -1], s @ X / s.sum())
    return float(np.abs(gradient).max() / np.linalg.norm(probe.coef_))


def kinds() -> dict:
    """{kind of probe: (fit matrix, labels, held matrix)}, scaled as the probes scale."""
    base = problem(n_train=200, n_test=100)
    fit, held, labels = np.arange(150), np.arange(150, 300), base.train.labels[:150]
    sae, hidden = base.tables[1], base.tables[3]
    found = {
        "latents": (TableFeatures(base, sae), None),
        "binarised": (TableFeatures(base, sae, binarized=True), 0.5),
        "hidden states": (TableFeatures(base, hidden), None),
        "words": (TfidfFeatures(base, "word"), None),
        "characters": (TfidfFeatures(base, "char"), None),
    }
    matrices = {}
    for kind, (candidate, threshold) in found.items():
        first, second, _ = candidate.matrices(fit, held, threshold)
        if kind[0] not in "wc":
            scaler = StandardScaler(with_mean=candidate.hidden).fit(first)
            first, second = scaler.transform(first), scaler.transform(second)
        matrices[kind] = (first, labels, second)
    first, labels, second = matrices["latents"]
    matrices["sparse latents"] = (csr_matrix(first), labels, csr_matrix(second))
    balanced = np.concatenate([np.flatnonzero(labels == c)[:60] for c in "ab"])
    matrices["balanced words"] = (matrices["words"][0][balanced], labels[balanced], matrices["words"][2])
    x, y = made_up(300, 500, 12)
    matrices["many classes, wide"] = (x[:200], y[:200], x[200:])
    x, y = made_up(300, 30, 12)
    matrices["many classes, narrow"] = (x[:200], y[:200], x[200:])
    return matrices


KINDS = kinds()


@pytest.mark.parametrize("kind", KINDS)
def test_every_probe_is_solved_to_the_stated_accuracy(kind):
    """The gradient is bounded at every C; ten times the accuracy, or twice the steps, changes no prediction."""
    X, y, held = KINDS[kind]
    probes = list(LogisticProbe().path(X, y, STRENGTHS))
    twice = list(LogisticProbe(max_iter=2 * newton.STEPS).path(X, y, STRENGTHS))
    tighter = list(LogisticProbe(tol=newton.TOLERANCE / 10).path(X, y, STRENGTHS))
    for probe, same, close in zip(probes, twice, tighter, strict=True):
        assert probe.converged_ and probe.error_ <= newton.TOLERANCE and probe.n_iter_ < newton.STEPS / 2
        assert slope(probe, X, y) < 3 * newton.TOLERANCE, probe.C
        np.testing.assert_array_equal(probe.predict(held), same.predict(held))
        distance = np.linalg.norm(probe.coef_ - close.coef_) / np.linalg.norm(close.coef_)
        assert distance < 1.1 * newton.TOLERANCE
        # A row between two classes by less than the accuracy may go either way.
        scores = np.sort(close.predict_proba(held), axis=1)
        clear = scores[:, -1] - scores[:, -2] > newton.TOLERANCE
        np.testing.assert_array_equal(probe.predict(held)[clear], close.predict(held)[clear])


@pytest.mark.parametrize("n_classes,p", [(2, 20), (2, 300), (3, 20), (3, 300), (7, 20)])
@pytest.mark.parametrize("as_kind", [np.asarray, csr_matrix, lambda x: x.astype(np.float64)])
def test_the_reduced_path_is_the_direct_solution(n_classes, p, as_kind):
    """scikit-learn on all columns, to the end: the same weights of the columns, intercepts, probabilities, labels."""
    x, y = made_up(120, p, n_classes)
    X, held = as_kind(x[:90]), as_kind(x[90:])
    for probe in LogisticProbe(tol=1e-6).path(X, y[:90], STRENGTHS):
        direct = LogisticRegression(
            C=probe.C, class_weight="balanced", solver="newton-cholesky", tol=1e-12, max_iter=500
        ).fit(x[:90].astype(np.float64), y[:90])
        size = np.abs(direct.coef_).max()
        np.testing.assert_allclose(probe.coef_, direct.coef_, atol=1e-4 * size)
        np.testing.assert_allclose(
            probe.intercept_ - probe.intercept_.mean() * (n_classes > 2),
            direct.intercept_ - direct.intercept_.mean() * (n_classes > 2),
            atol=1e-3 * max(size, np.abs(direct.intercept_).max()),
        )
        np.testing.assert_allclose(probe.predict_proba(held), direct.predict_proba(x[90:]), atol=2e-4)
        np.testing.assert_array_equal(probe.predict(held), direct.predict(x[90:]))


def test_a_probe_alone_is_its_place_on_the_path():
    """One C is not reduced and starts from nothing; along a path it is, and starts from its neighbour."""
    x, y = made_up(120, 300, 3)
    for along in LogisticProbe().path(x[:90], y[:90], STRENGTHS):
        alone = LogisticProbe(along.C).fit(x[:90], y[:90])
        np.testing.assert_allclose(alone.coef_, along.coef_, atol=2e-3 * np.linalg.norm(along.coef_))
        np.testing.assert_array_equal(alone.predict(x[90:]), along.predict(x[90:]))


def test_rows_are_reduced_where_products_become_cheaper():
    x, _ = made_up(50, 80)
    s = np.ones(50)
    assert reduction.Rows(x, s).n_columns <= 50
    assert reduction.Rows(x, s, several=False).n_columns == 80
    assert reduction.Rows(x[:20], s[:20], several=False).n_columns <= 20  # so wide that it pays for one C, too
    assert reduction.Rows(csr_matrix(x[:20]), s[:20], several=False).n_columns == 80
    assert reduction.Rows(x[:, :40], s).n_columns == 40
    rare = csr_matrix(np.where(np.random.default_rng(0).random((50, 500)) < 0.01, 1.0, 0.0))
    assert reduction.Rows(rare, s).n_columns == 500  # so few numbers that 50 columns would be more
    rows = reduction.Rows(x, s)
    np.testing.assert_allclose(rows.Z @ rows.Z.T, (x - x.mean(0)) @ (x - x.mean(0)).T, atol=1e-3)


@pytest.mark.parametrize("X", [np.zeros((20, 3)), np.ones((20, 50)), np.repeat(np.eye(2), 10, 0), np.eye(20)])
def test_columns_that_say_nothing_little_or_everything_are_solved(X):
    y = np.repeat(["a", "b"], 10)
    for matrix in (X, csr_matrix(X)):
        for probe in LogisticProbe().path(matrix, y, STRENGTHS):
            assert probe.converged_ and np.isfinite(probe.coef_).all() and np.isfinite(probe.intercept_).all()


def test_repeated_rows_with_contradicting_labels_are_solved():
    x, y = made_up(60, 200, 3)
    X, y = np.vstack([x, x]), np.concatenate([y, np.roll(y, 1)])
    for probe in LogisticProbe().path(X, y, STRENGTHS):
        assert probe.converged_ and slope(probe, X, y) < 3 * newton.TOLERANCE


def rare_words(n_words=400, each=10, seed=0) -> LabelledTexts:
    """Two classes of equal size, told apart by words of which each stands in ten texts."""
    rng = np.random.default_rng(seed)
    filler = ["the", "of", "a", "is", "that", "it"]
    rows = [(f"w{w}x", "ab"[w % 2]) for w in range(n_words) for _ in range(each)]
    order = rng.permutation(len(rows))
    texts = [f"{' '.join(rng.permutation(filler))} {rows[i][0]} {k}" for k, i in enumerate(order)]
    return LabelledTexts("rare words", texts, np.array([rows[i][1] for i in order], dtype=object))


def test_two_balanced_classes_told_apart_by_rare_words_are_learned():
    """lbfgs with an absolute tolerance ended before its first step here: macro-F1 .333."""
    data = rare_words()
    train, test = data.take(np.arange(3200)), data.take(np.arange(3200, 4000))
    balanced = np.sort(np.concatenate([np.flatnonzero(train.labels == c)[:1500] for c in "ab"]))
    train = train.take(balanced)
    for result in comparison.evaluate(Problem(train, test, ()), families=["tfidf"]):
        assert result.converged and result.score.macro_f1 > 0.95, result.setting


def test_exactly_balanced_classes_are_learned():
    """The first gradient of every intercept is zero, and that of short rows is small: neither is the end."""
    texts = ["good film"] * 40 + ["bad film"] * 40
    y = np.repeat(["a", "b"], 40)
    X = estimators.tfidf("word").fit_transform(texts)
    for probe in LogisticProbe().path(X, y, STRENGTHS):
        assert probe.n_iter_ > 0 and (probe.predict(X) == y).all()


def test_what_is_not_solved_says_so():
    x, y = made_up(90, 40, 3)
    probe = LogisticProbe(100.0, max_iter=1).fit(x, y)
    assert not probe.converged_ and probe.error_ > newton.TOLERANCE and not estimators.solved(probe)
    assert estimators.solved(LogisticProbe(100.0).fit(x, y)) and estimators.solved(estimators.tree().fit(x, y))
    found = list(estimators.path(estimators.logistic().set_params(logisticprobe__max_iter=3), x, y, x, STRENGTHS))
    assert {solved for _, solved in found} == {True, False}


def test_a_curvature_too_large_to_factor_is_not_factored(monkeypatch):
    """77 classes of 500 columns asked for 12 GB, and the process was ended by the system."""
    x, y = made_up(60, 30)
    s, Y = np.ones(60), (y == "a").astype(float)[None]
    rows = reduction.Rows(x, s)
    monkeypatch.setattr(rows, "cost_of_factor", lambda n_scores: 4)  # some step takes too long
    exact = newton.minimise(rows, Y, s, 1.0)
    monkeypatch.setattr(reduction, "LARGEST", 3)
    monkeypatch.setattr(rows, "factor", lambda *_: pytest.fail("it was factored"))
    found = newton.minimise(rows, Y, s, 1.0)
    assert exact.exact and found.exact and found.solved
    np.testing.assert_allclose(found.W, exact.W, atol=2e-3 * np.linalg.norm(exact.W))


@pytest.mark.parametrize("scale", [1, 10])
def test_many_classes_at_a_large_C_alone_are_solved_as_along_the_path(scale):
    """Far from the end, single precision lost the curvature of a problem too large to be factored: its steps grew for
    ever, and no fit of a set of 77 classes ended."""
    x = (scale * np.random.default_rng(0).normal(size=(160, 300))).astype(np.float32)
    Y, s = np.eye(40)[np.arange(160) % 40].T, np.ones(160)
    rows, found = reduction.Rows(x, s), None
    assert not rows.can_factor(40)
    for C in STRENGTHS:
        found = newton.minimise(rows, Y, s, C, found)
    alone = newton.minimise(rows, Y, s, STRENGTHS[-1])
    assert found.solved and alone.solved
    np.testing.assert_allclose(alone.W, found.W, atol=2e-3 * np.linalg.norm(found.W))
