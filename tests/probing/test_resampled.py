"""Many predictions at once: the resamples and values of `scores`, one prediction after the other."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from mosaic.probing import resampled, scores


@pytest.fixture(params=[2, 5])
def made(request):
    rng = np.random.default_rng(request.param)
    truth = rng.choice(list("abcde")[: request.param], 60).astype(object)
    predicted = np.stack([np.where(rng.random(60) < share, truth, rng.permutation(truth)) for share in (0.2, 0.5, 0.9)])
    predicted[0, 0] = "z"  # a label that no text has
    return truth, predicted, np.array([f"g{i // 3}" for i in range(60)], dtype=object)


def test_the_resamples_are_those_of_scores_where_rows_have_groups(made):
    truth, predicted, groups = made
    for of in (groups, np.arange(60).astype(str)):
        slow = np.stack(scores._resampled(truth, list(predicted), of, seed=3), axis=1)
        observed, fast = resampled.macro_f1(truth, predicted, of, seed=3)
        np.testing.assert_allclose(fast, slow, atol=1e-5)
        sk = [f1_score(truth.astype(str), p.astype(str), average="macro", zero_division=0) for p in predicted]
        np.testing.assert_allclose(observed, sk, atol=1e-6)


def test_rows_without_groups_are_drawn_one_by_one(made):
    truth, predicted, _ = made
    _, drawn = resampled.macro_f1(truth, predicted, None)
    score = scores.score(truth, predicted[1])
    np.testing.assert_allclose(np.quantile(drawn[:, 1], [0.025, 0.975]), [score.low, score.high], atol=0.03)


def test_a_block_at_a_time_is_the_same(made, monkeypatch):
    truth, predicted, groups = made
    whole = resampled.macro_f1(truth, predicted, groups)
    monkeypatch.setattr(resampled, "COLUMNS", 1)
    for a, b in zip(whole, resampled.macro_f1(truth, predicted, groups), strict=True):
        np.testing.assert_array_equal(a, b)
