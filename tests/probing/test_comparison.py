import os
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from toy import WORDS, problem

from mosaic.errors import MosaicError
from mosaic.probing import candidates, comparison, examine
from mosaic.probing.problem import Problem
from mosaic.progress import Progress


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


def test_two_runs_are_identical_on_any_number_of_cores(results, monkeypatch):
    monkeypatch.setattr(comparison, "cores", lambda: 3)
    monkeypatch.setattr(comparison, "SMALL", 0)
    again = comparison.evaluate(problem())
    assert [r.row() for r in again] == [r.row() for r in results]


def test_systems_without_affinity_can_compare(monkeypatch):
    """macOS and Windows have no os.sched_getaffinity."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    (result,) = comparison.evaluate(problem(), families=["majority"])
    assert result.selected


def test_fits_at_once_are_bounded_over_all_workers_together():
    """3 GB of features at 16 cores were 16 dense copies at once."""
    largest = candidates.DENSE_CELLS
    assert comparison.workers([1000 * 2048, 0], cores=16) == 16
    assert comparison.workers([largest, 1000], cores=16) == 2
    assert comparison.workers([largest], cores=1) == 1
    assert comparison.workers([10 * largest], cores=16) == 1  # hidden states, which have no sparse way
    assert comparison.workers([comparison.SMALL, 5], cores=4) == 4
    assert comparison.workers([comparison.SMALL - 1, 5], cores=4) == comparison.workers([], cores=4) == 1
    for cells in (1, 10**6, 3 * 10**7, largest):
        for count in (1, 2, 16, 128):
            n = comparison.workers([cells], count)
            assert n == 1 or (n <= count and n * cells <= comparison.CELLS_AT_ONCE)


def test_every_fit_is_progress(monkeypatch):
    """Progress counts the fits of each setting as it ends, and ends where it said it would; `Progress` itself says every
    half minute that a long one is alive."""
    seen = []

    class Recorded(Progress):
        def __init__(self, label, total, unit):
            seen.append((label, total, unit))
            super().__init__(label, total, unit)

        def advance(self, n, tokens=0):
            seen.append(n)
            super().advance(n, tokens)

    monkeypatch.setattr(comparison, "Progress", Recorded)
    n_settings = len(comparison.evaluate(problem(n_train=60, n_test=20)))
    (label, total, unit), *steps = seen
    assert (label, unit) == ("probing", "fits")
    assert total == sum(steps) > 4 * n_settings and len(steps) == n_settings


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
    sweep = examine.threshold_sweep(base, "max")
    assert sweep["curve"][0]["threshold"] == 0.0 and sweep["curve"][0]["kept"] == 1.0
    kept = [p["kept"] for p in sweep["curve"]]
    assert kept == sorted(kept, reverse=True)
    linear = next(r for r in results if r.setting.classifier == "logistic" and r.setting.features == "sae")
    assert [p["k"] for p in examine.k_sparse_curve(base, linear, (1, 4))] == [1, 4]


def test_processes_give_what_one_would(monkeypatch):
    base = problem()
    monkeypatch.setattr(comparison, "cores", lambda: 1)
    one = comparison.evaluate(base)
    monkeypatch.setattr(comparison, "cores", lambda: 3)
    monkeypatch.setattr(comparison, "SMALL", 0)
    several = comparison.evaluate(base)
    assert [result.row() for result in one] == [result.row() for result in several]


def test_a_process_that_is_killed_is_said_without_a_traceback():
    jobs = [partial(os._exit, 9), partial(int, 1)]
    with pytest.raises(MosaicError, match="was ended from outside, as a system does that runs out of memory"):
        list(comparison.in_parallel(jobs, 2))
    assert list(comparison.in_parallel([partial(int, n) for n in (1, 2, 3)], 2)) == [1, 2, 3]  # the next ones run
