import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from mosaic.probing import scores


def case(n=120, classes="abc", accuracy=0.7, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.choice(list(classes), n).astype(object)
    wrong = rng.choice(list(classes), n).astype(object)
    return truth, np.where(rng.random(n) < accuracy, truth, wrong)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.integers(2, 60), st.sampled_from(["ab", "abc", "abcdef"]))
def test_resampled_macro_f1_equals_scikit_learn_on_the_whole_sample(seed, n, classes):
    """The multinomial shortcut's arithmetic, on counts known exactly: every row once."""
    truth, predicted = case(n, classes, seed=seed)
    labels, codes = np.unique(np.concatenate([truth, predicted]).astype(str), return_inverse=True)
    true, guess = codes.reshape(2, -1)
    got = scores._macro_f1(np.ones((1, n)), true, guess, len(labels))[0]
    assert got == pytest.approx(f1_score(truth, predicted, average="macro"))


def slow_macro_f1(truth, predicted) -> float:
    """From the definition: f1_score takes 3 ms a call, and the slow bootstraps make thousands."""
    f1 = []
    for label in np.union1d(truth, predicted):
        true, guess = truth == label, predicted == label
        f1.append(2 * (true & guess).sum() / (true.sum() + guess.sum()))
    return float(np.mean(f1))


def test_interval_agrees_with_the_slow_bootstrap():
    truth, predicted = case()
    rng = np.random.default_rng(1)
    draws = (rng.integers(0, 120, 120) for _ in range(1500))
    slow = [slow_macro_f1(truth[rows], predicted[rows]) for rows in draws]
    assert slow_macro_f1(truth, predicted) == pytest.approx(f1_score(truth, predicted, average="macro"))
    fast = scores.score(truth, predicted)
    np.testing.assert_allclose([fast.low, fast.high], np.quantile(slow, [0.025, 0.975]), atol=0.012)
    assert fast.low < fast.macro_f1 < fast.high


def test_grouped_interval_agrees_with_the_slow_cluster_bootstrap_and_is_wider():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 10)
    truth = rng.choice(["a", "b"], 200).astype(object)
    right = np.repeat(rng.random(20) < 0.7, 10)  # whole groups right or wrong
    predicted = np.where(right, truth, np.where(truth == "a", "b", "a"))
    grouped, single = scores.score(truth, predicted, groups=groups), scores.score(truth, predicted)
    members = [np.flatnonzero(groups == g) for g in range(20)]
    draws = (np.concatenate([members[g] for g in rng.integers(0, 20, 20)]) for _ in range(1500))
    slow = [slow_macro_f1(truth[rows], predicted[rows]) for rows in draws]
    np.testing.assert_allclose([grouped.low, grouped.high], np.quantile(slow, [0.025, 0.975]), atol=0.03)
    assert grouped.high - grouped.low > 1.5 * (single.high - single.low)


def test_scores_are_scikit_learns():
    truth, predicted = case()
    probabilities = np.random.default_rng(2).dirichlet([1, 1, 1], 120)
    got = scores.score(truth, predicted, probabilities, np.array(list("abc"), dtype=object))
    assert got.accuracy == pytest.approx((truth == predicted).mean())
    assert got.auroc == pytest.approx(roc_auc_score(truth, probabilities, multi_class="ovr", labels=list("abc")))
    assert got.per_class["a"]["support"] == (truth == "a").sum() and set(got.per_class) == set("abc")
    binary_truth, binary = case(classes="ab")
    p = np.random.default_rng(3).random(120)
    auroc = scores.score(binary_truth, binary, np.stack([1 - p, p], 1), np.array(["a", "b"], dtype=object)).auroc
    assert auroc == pytest.approx(roc_auc_score(binary_truth == "b", p))
    assert scores.score(truth, predicted, probabilities, np.array(list("abd"), dtype=object)).auroc is None


def test_comparison_sees_a_real_difference_and_not_a_missing_one():
    truth, good = case(400, accuracy=0.9)
    _, bad = case(400, accuracy=0.5)
    better = scores.compare(truth, good, bad)
    assert better.low > 0 and better.p < 0.01
    worse = scores.compare(truth, bad, good)
    assert worse.difference == pytest.approx(-better.difference) and worse.high < 0
    equal = scores.compare(truth, good, good)
    assert (equal.difference, equal.low, equal.high, equal.p) == (0, 0, 0, 1)


def test_mean_comparison_averages_the_sets():
    first, second = case(100, seed=1), case(100, seed=2)
    a = scores.compare(*first, first[0])
    b = scores.compare(*second, second[0])
    both = scores.compare_mean([(*first, first[0], None), (*second, second[0], None)])
    assert both.difference == pytest.approx((a.difference + b.difference) / 2)
    assert both.high - both.low < max(a.high - a.low, b.high - b.low)


def test_the_same_seed_gives_the_same_interval():
    truth, predicted = case()
    assert scores.score(truth, predicted) == scores.score(truth, predicted)
