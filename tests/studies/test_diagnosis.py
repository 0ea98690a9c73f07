"""Why a probe falls abroad: made-up languages, each spoilt in one known way, and the repair that must mend it."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from mosaic.features.table import FeatureTable
from mosaic.probing import comparison
from mosaic.probing.problem import Problem
from mosaic.studies import diagnosis
from mosaic.texts.ids import text_ids
from mosaic.texts.labelled import LabelledTexts, concatenate

N, D = 200, 12


def texts(language: str, part: str) -> LabelledTexts:
    labels = np.array(["bad", "good"] * (N // 2), dtype=object)
    groups = np.array([f"{part}{i}" for i in range(N)], dtype=object)
    return LabelledTexts(
        "made up", [f"{language} {part} {i}" for i in range(N)], labels, groups, np.full(N, language, object)
    )


def columns(data: LabelledTexts, seed: int, spoil) -> np.ndarray:
    """Column 0 tells the label; a language that is spoilt has its columns changed."""
    x = np.random.default_rng(seed).normal(size=(len(data), D))
    x[:, 0] += np.where(data.labels == "good", 2.0, -2.0)
    return spoil(x)


def diagnosed(spoil) -> diagnosis.Diagnosis:
    train, own = texts("en", "train"), texts("de", "train")
    tests = [texts("en", "test"), texts("de", "test")]
    same = lambda x: x  # noqa: E731
    x = np.concatenate([columns(train, 0, same), columns(tests[0], 1, same), columns(tests[1], 2, spoil)])
    german = np.concatenate([columns(own, 3, spoil), columns(tests[1], 2, spoil)])

    def problem(train, test, x) -> Problem:
        what = {"features": "hidden", "layer": 4, "pooling": "mean"}
        names = text_ids(train.texts + test.texts)
        n = len(names)
        table = FeatureTable(csr_matrix(x.astype(np.float32)), names, np.ones(n, int), np.zeros(n, bool), what)
        return Problem(train, test, (table,))

    home = problem(train, concatenate(tests), x)
    result = comparison.evaluate(home, families=["hidden"], trees=False)[0]
    return diagnosis.diagnose(home, result, {"de": problem(own, tests[1], german)}, 0.5)


def add(column: int, value: float):
    return lambda x: x + value * np.eye(D)[column]


def test_a_language_as_english_needs_no_explanation():
    found = diagnosed(lambda x: x)
    assert found.explanation == "small" and found.as_is.macro_f1 > 0.9 and found.share < 0.6
    assert (found.features, found.layer, found.pooling) == ("hidden", 4, "mean")


def test_a_language_that_moved_is_mended_by_its_mean():
    found = diagnosed(add(0, 6.0))
    assert found.as_is.macro_f1 < 0.4 and found.share > 0.95 and found.balanced == 0.5
    assert found.auroc > 0.95  # the ranking is intact
    assert found.explanation == "mean" and found.repaired["mean"].macro_f1 > 0.9
    assert found.repaired["intercept"].macro_f1 > 0.9  # which is what moving the mean does


def test_a_language_that_lost_what_the_probe_reads_is_mended_by_nothing():
    def lost(x):
        x = x.copy()
        x[:, 0] = np.random.default_rng(9).normal(size=len(x))
        return x

    found = diagnosed(lost)
    assert found.explanation == "none" and 0.35 < found.auroc < 0.65


@pytest.mark.parametrize(
    ("home", "as_is", "repaired", "expected"),
    [
        (0.53, 0.34, {"mean": 0.53}, "nothing"),  # it knew nothing in English either
        (0.9, 0.86, {"mean": 0.9}, "small"),
        (0.9, 0.4, {"mean": 0.5, "intercept": 0.6}, "none"),
        (0.9, 0.4, {"mean": 0.5, "intercept": 0.88}, "intercept"),
        (0.9, 0.4, {"mean": 0.86, "intercept": 0.88}, "mean"),  # nearly as much, and it asks for less
        (0.9, 0.4, {"mean": 0.5, "intercept": 0.5, "directions": 0.8}, "directions"),
        (0.9, 0.4, {"mean": 0.5, "intercept": 0.6, "directions": 0.5, "mean and scale": 0.9}, "mean and scale"),
    ],
)
def test_the_simplest_repair_that_brings_back_enough_explains(home, as_is, repaired, expected):
    assert diagnosis.explanation(home, as_is, repaired, chance=0.5) == expected


def test_moving_gives_the_mean_and_spread_of_home():
    rng = np.random.default_rng(0)
    there, home = rng.normal(3, 2, (500, 4)), rng.normal(-1, 0.5, (500, 4))
    there[:, 3] = 7.0  # constant: it has no spread to change
    both = diagnosis.moved(there, there, home, scale=True)
    np.testing.assert_allclose(both.mean(0), home.mean(0), atol=1e-9)
    np.testing.assert_allclose(both.std(0)[:3], home.std(0)[:3], atol=1e-9)
    np.testing.assert_allclose(diagnosis.moved(there, there, home).std(0), there.std(0), atol=1e-9)


def test_without_the_directions_all_means_are_one_and_what_is_at_right_angles_stays():
    rng = np.random.default_rng(0)
    home = rng.normal(size=(400, 5))
    home /= home.std(0)  # its scale is one, so that directions are the columns'
    there = home + np.array([0, 3.0, 0, 0, 0])
    without = diagnosis.Without.of(home, [there.mean(0)])
    np.testing.assert_allclose(without.apply(there).mean(0), without.apply(home).mean(0), atol=1e-9)
    np.testing.assert_allclose(without.apply(home)[:, [0, 2, 3, 4]], home[:, [0, 2, 3, 4]], atol=1e-9)
    nothing = diagnosis.Without.of(home, [home.mean(0)])
    np.testing.assert_allclose(nothing.apply(home), home, atol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_intercept_finds_a_shift_back(n_classes):
    rng = np.random.default_rng(0)
    codes = rng.integers(n_classes, size=600)
    right = 4 * np.eye(n_classes)[codes] + rng.normal(size=(600, n_classes))
    shift = np.linspace(-6, 6, n_classes)
    classes = np.array(list("abc")[:n_classes], dtype=object)
    bias = diagnosis.refitted_intercept(right + shift, classes[codes], classes)
    assert bias.sum() == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(bias, -shift, atol=0.5)


def test_ranking_does_not_see_an_intercept():
    labels = np.array(["a", "b"] * 20, dtype=object)
    classes = np.array(["a", "b"], dtype=object)
    values = np.where(labels == "b", 1.0, 0.0) + np.random.default_rng(0).normal(0, 0.1, 40)
    logits = np.stack([np.zeros(40), values + 100], axis=1)
    assert diagnosis.ranking(labels, logits, classes) == 1.0
    assert diagnosis.ranking(labels, -logits, classes) == 0.0
    three = np.array(["a", "b", "c"], dtype=object)  # no text of class c
    assert diagnosis.ranking(labels, np.hstack([logits, logits[:, :1]]), three) > 0.9
    assert diagnosis.largest_share(classes[logits.argmax(1)]) == 1.0
