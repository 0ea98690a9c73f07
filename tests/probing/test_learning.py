"""The learning curve of the chosen settings, against one fit after the other."""

from dataclasses import replace

import numpy as np
import toy

from mosaic.probing import comparison, folds, learning, scores, selection
from mosaic.probing.candidates import TableFeatures, TfidfFeatures
from mosaic.probing.examine import table_of
from mosaic.probing.problem import stratified_rows
from mosaic.probing.said import best_linear


def test_every_point_is_the_mean_of_draws_fitted_one_by_one():
    problem = toy.problem()
    results = comparison.evaluate(problem, trees=False)
    curve = learning.learning_curve(problem, results, rates=(0.25,))
    assert set(curve.points) == {"sae", "hidden", "tfidf"} and curve.left_out == ()
    for family, points in curve.points.items():
        assert [point.n for point in points] == [30, 120]
        chosen = best_linear(results, family)
        assert points[-1].reached.macro_f1 == chosen.score.macro_f1, "all labels: the comparison's own"
        values = []
        for seed in range(learning.N_DRAWS):
            rows = stratified_rows(problem.train.labels, 30, seed)
            part = replace(problem, train=problem.train.take(rows), tables=())
            if family == "tfidf":
                candidate = TfidfFeatures(part, chosen.setting.pooling)
            else:
                table = table_of(problem, chosen.setting).take([*rows, *range(120, 200)])
                candidate = TableFeatures(part, table, chosen.setting.binarized)
            result = selection.fit(candidate, part, folds.splits(part.train)[:1])
            values.append(scores.macro_f1(problem.test.labels, result.predicted))
        assert abs(points[0].reached.macro_f1 - np.mean(values)) < 1e-12
        assert points[0].reached.low <= points[0].reached.macro_f1 <= points[0].reached.high


def test_numbers_of_labels_are_not_repeated_and_what_cannot_be_divided_is_said():
    problem = toy.problem()
    results = comparison.evaluate(problem, trees=False)
    curve = learning.learning_curve(problem, results, rates=(0.01, 0.02, 1.0))
    assert [point.n for point in curve.points["sae"]] == [10, 120], "five rows of each class at least; all labels once"
    one = np.where(problem.train.labels == "a", "g", "h").astype(object)
    one[-4:] = ["i", "j", "k", "l"]
    grouped = replace(problem, train=replace(problem.train, groups=one))
    curve = learning.learning_curve(grouped, results, rates=(0.1,))
    assert [point.n for point in curve.points["sae"]][-1] == 120
    assert all(why.startswith("12 labels: toy: its 12 training rows hold") for why in curve.left_out)


def test_fits_are_counted_and_kept(tmp_path):
    problem = replace(toy.problem(), cache=tmp_path)
    results = comparison.evaluate(problem, trees=False)
    first = learning.learning_curve(problem, results, rates=(0.25,))
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    again = learning.learning_curve(problem, results, rates=(0.25,))
    assert again == first and first.n_fits >= 3 * 3 * 9
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")} == kept
