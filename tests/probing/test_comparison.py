from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from mosaic.features.table import FeatureTable
from mosaic.probing import candidates, comparison, examine, selection
from mosaic.probing.problem import Problem, subsample
from mosaic.texts import labelled
from mosaic.texts.ids import text_ids

WORDS = {"a": "alpha apple ant", "b": "beta banana bee"}


def problem(n_train=120, n_test=80, seed=0, groups=False):
    """Two classes; table 'max' carries the label, 'sum' is noise, 'hidden' carries it weakly."""
    rng = np.random.default_rng(seed)
    n = n_train + n_test
    labels = rng.choice(["a", "b"], n).astype(object)
    texts = [f"{rng.choice(WORDS[label].split())} {i} filler" for i, label in enumerate(labels)]
    sign = (labels == "a").astype(np.float32)

    def table(features, pooling, strength, width=None):
        x = np.maximum(rng.normal(size=(n, 40)) - 0.5, 0).astype(np.float32)
        x[:, 5] += strength * sign
        if features == "hidden":
            x = x + rng.normal(size=x.shape).astype(np.float32)
        what = {"features": features, "layer": 4, "width": width, "pooling": pooling, "max_length": 9}
        return FeatureTable(csr_matrix(x), text_ids(texts), np.ones(n, int), np.zeros(n, bool), what)

    tables = (
        table("sae", "sum", 0.0, "2k"), table("sae", "max", 2.5, "2k"), table("sae", "count", 0.5, "8k"),
        table("hidden", "mean", 0.8), table("hidden", "last", 0.0),
    )  # fmt: skip
    group_ids = np.array([f"g{i // 4}" for i in range(n)], dtype=object) if groups else None
    everything = labelled.LabelledTexts("toy", texts, labels, group_ids)
    train, test = everything.take(np.arange(n_train)), everything.take(np.arange(n_train, n))
    return Problem(train, test, tables)


@pytest.fixture(scope="module")
def results():
    return comparison.evaluate(problem())


def test_every_setting_is_scored_and_one_a_family_is_selected(results):
    settings = [r.setting for r in results]
    assert len(set(settings)) == len(settings)
    linear = {(s.features, s.layer, s.width, s.pooling, s.binarized) for s in settings if s.classifier == "logistic"}
    assert {("sae", 4, "2k", "max", False), ("sae", 4, "2k", "max", True), ("hidden", 4, None, "last", False)} <= linear
    assert {s.pooling for s in settings if s.features == "tfidf"} == {"word", "char"}
    trees = [s for s in settings if s.classifier == "tree"]
    assert {(s.features, s.width) for s in trees} == {("sae", "2k"), ("sae", "8k"), ("hidden", None)}
    for family in comparison.FAMILIES:
        chosen = [r for r in results if r.selected and r.setting.features == family]
        assert len(chosen) == 1
        assert chosen[0].validation == max(r.validation for r in results if r.setting.features == family)


def test_the_informative_table_wins(results):
    best = comparison.selected(results, "sae")
    assert best.setting.pooling == "max" and best.score.macro_f1 > 0.85
    assert best.score.macro_f1 > comparison.selected(results, "majority").score.macro_f1 + 0.3


def test_rows_have_the_promised_keys(results):
    promised = {
        "features", "layer", "width", "pooling", "binarized", "classifier", "macro_f1", "low", "high", "n_train", "n_test",
        "selected",
    }  # fmt: skip
    for result in results:
        row = result.row()
        assert promised <= set(row)
        assert row["low"] <= row["macro_f1"] + 0.02 and row["n_train"] == 120 and row["n_test"] == 80


def test_the_test_set_never_chooses(results):
    """With other test labels and other test features, the same settings, strengths and thresholds are chosen."""
    base = problem()
    rng = np.random.default_rng(9)
    flipped = replace(base.test, labels=rng.permutation(base.test.labels))
    tables = []
    for table in base.tables:
        x = table.matrix.toarray()
        x[len(base.train) :] = rng.random((len(base.test), x.shape[1])) * 9
        tables.append(replace(table, matrix=csr_matrix(x)))
    other = comparison.evaluate(Problem(base.train, flipped, tuple(tables)))
    choice = {r.setting: (r.validation, r.strength, r.threshold, r.selected) for r in results}
    assert {r.setting: (r.validation, r.strength, r.threshold, r.selected) for r in other} == choice


def test_two_runs_are_identical(results):
    again = comparison.evaluate(problem())
    assert [r.row() for r in again] == [r.row() for r in results]


def test_groups_stay_on_one_side_of_every_selection_split():
    grouped = problem(groups=True)
    splits = selection.splits(grouped.train, rows=60, n_folds=3, seed=42)
    for fit, validation in splits:
        assert not set(grouped.train.groups[fit]) & set(grouped.train.groups[validation])
        assert len(fit) + len(validation) < len(grouped.train)


def test_thresholds_fit_the_pooling():
    assert candidates.thresholds_for("count", np.ones(3)) == (0.0, 1.0, 2.0)
    assert candidates.thresholds_for("sum", np.arange(1, 6.0)) == (0.0, 2.0, 3.0, 4.0)
    assert candidates.thresholds_for("sum", np.zeros(0)) == (0.0,)


def test_binarise_drops_what_does_not_pass():
    x = candidates.binarise(csr_matrix(np.array([[0.5, 2.0], [0, 1.0]])), 0.75)
    assert x.toarray().tolist() == [[0, 1], [0, 1]] and x.nnz == 2


def test_subsample_is_stratified_and_keeps_small_classes():
    labels = np.array(["a"] * 900 + ["b"] * 90 + ["c"] * 10, dtype=object)
    part = subsample(labelled.LabelledTexts("s", [str(i) for i in range(1000)], labels), 100)
    counts = {c: int((part.labels == c).sum()) for c in "abc"}
    assert (
        counts["c"] >= 5 and abs(counts["a"] - 90) <= 5 and [int(t) for t in part.texts] == sorted(map(int, part.texts))
    )
    whole = labelled.LabelledTexts("s", ["x"], labels[:1])
    assert subsample(whole, None) is whole


def test_top_latents_name_class_sign_and_examples(results):
    base = problem()
    linear = next(
        r
        for r in results
        if r.setting.classifier == "logistic" and r.setting.features == "sae" and not r.setting.binarized
    )
    (first, *_) = examine.top_latents(base, linear, n=3)
    assert first.name == "layer_4/width_2k/5"
    # Binary: one weight, positive for the second class in order ("b"); the latent speaks for "a".
    assert (first.label, first.weight < 0) == ("b", True)
    assert len(first.examples) == 3 and all(text.split()[0] in WORDS["a"] for text in first.examples)


def test_a_text_that_stands_in_several_rows_is_shown_once(results):
    assert examine.most_active(["x", "y", "x", "z", "x", "w"], np.array([3, 2, 3, 1, 3, 0.0]), 3) == ("x", "y", "z")
    base = problem()
    linear = next(r for r in results if r.setting.classifier == "logistic" and r.setting.features == "sae")
    twice = replace(base, train=replace(base.train, texts=["the same text"] * len(base.train)))
    for latent in examine.top_latents(twice, linear, n=5):
        assert len(latent.examples) <= 1


def test_curves_cover_the_asked_points(results):
    base = problem()
    sweep = examine.threshold_sweep(base, "max", 0.03)
    assert sweep["curve"][0]["threshold"] == 0.0 and sweep["curve"][0]["kept"] == 1.0
    kept = [p["kept"] for p in sweep["curve"]]
    assert kept == sorted(kept, reverse=True)
    linear = next(r for r in results if r.setting.classifier == "logistic" and r.setting.features == "sae")
    assert [p["k"] for p in examine.k_sparse_curve(base, linear, (1, 4))] == [1, 4]
