import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from mosaic.errors import MosaicError
from mosaic.probing import scores, selection
from mosaic.probing.candidates import Setting
from mosaic.probing.selection import Result
from mosaic.texts.labelled import LabelledTexts


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
    assert scores.macro_f1(truth, predicted) == pytest.approx(got, abs=1e-12)


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


def test_draws_of_one_are_the_paired_comparison():
    truth, good = case(200, accuracy=0.9)
    _, bad = case(200, accuracy=0.6)
    assert scores.compare_draws([(truth, [good], [bad], None)]) == scores.compare(truth, good, bad)


def test_an_interval_over_draws_is_wider_where_the_draws_differ():
    """A against five draws of B: the rows are equal, the draws are not."""
    truth, a = case(400, accuracy=0.8)
    alike = [case(400, accuracy=0.7)[1]] * 5
    apart = [case(400, accuracy=accuracy)[1] for accuracy in (0.5, 0.6, 0.7, 0.8, 0.9)]
    narrow, wide = (scores.compare_draws([(truth, [a], b, None)]) for b in (alike, apart))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    assert narrow.low > 0 > wide.low
    single = [scores.compare(truth, a, b).difference for b in apart]
    assert wide.difference == pytest.approx(np.mean(single))
    # The variance over five draws as their sample variance gives it, and that over rows.
    over_draws = np.std(single, ddof=1) ** 2 / 5
    over_rows = np.mean([scores.lead(truth, a, b)[1] ** 2 for b in apart])
    width = (wide.high - wide.low) / 3.92
    assert over_draws * 0.8 < width**2 < over_draws + 1.3 * over_rows


def test_a_draw_is_the_same_thing_in_every_set():
    """Seed 0 is good everywhere and seed 1 bad: the mean over sets wavers as much as one set. Were draws taken anew in
    each set, it would waver less."""
    sets = []
    for seed in range(6):
        truth, good = case(300, accuracy=0.9, seed=seed)
        sets.append((truth, [good, case(300, accuracy=0.4, seed=seed)[1]], None))
    one, all_six = scores.mean_interval(sets[:1]), scores.mean_interval(sets)
    assert all_six.high - all_six.low > 0.8 * (one.high - one.low)
    assert all_six.low < all_six.macro_f1 < all_six.high
    alone = scores.mean_interval([(truth, predicted[:1], groups) for truth, predicted, groups in sets])
    assert alone.high - alone.low < 0.1


def test_a_mean_of_macro_f1_stays_within_what_it_can_be():
    """Draws of 1, 1, 1 and 0: spread weights reach beyond 1, which no macro-F1 does."""
    truth, good = case(100, accuracy=1.0)
    wrong = np.where(truth == truth[0], truth[truth != truth[0]][0], truth[0]).astype(object)
    high, low = (scores.mean_interval([(truth, draws, None)]) for draws in ([good] * 3 + [wrong], [wrong] * 3 + [good]))
    assert high.high == 1.0 and 0 <= high.low < high.macro_f1 < 1
    assert low.low == 0.0 and 0 < low.macro_f1 < low.high <= 1


def test_sets_with_different_draws_are_refused():
    truth, predicted = case()
    with pytest.raises(MosaicError, match="sets have 1, 2 draws"):
        scores.mean_interval([(truth, [predicted], None), (truth, [predicted] * 2, None)])
    with pytest.raises(MosaicError, match="every set needs the same draws"):
        scores.compare_draws([])


def result(predicted, **held):
    blank = scores.Score(0, 0, 0, 0, None, {}, 0)
    setting = Setting("sae", 1, "1k", held.pop("pooling", "sum"))
    validation = held.pop("validation", 0.0)
    return Result(setting, validation, 1.0, None, blank, np.array(list(predicted), dtype=object), 9, **held)


def test_paired_takes_the_rows_of_one_part_and_of_the_first_by_default():
    parts = np.array(["familiar words"] * 3 + ["new words"] * 2, dtype=object)
    test = LabelledTexts("toy", list("vwxyz"), np.array(list("aabba")), np.arange(5), parts=parts)
    a, b = result("aabab"), result("bbbbb")
    labels, first, second, groups = scores.paired(test, a, b)
    assert "".join(labels) == "aab" and "".join(first) == "aab" and "".join(second) == "bbb"
    assert groups.tolist() == [0, 1, 2]
    assert "".join(scores.paired(test, a, b, "new words")[1]) == "ab"
    assert [len(draws) for draws in scores.paired_draws(test, [a, a], [b])[1:3]] == [2, 1]
    with pytest.raises(MosaicError, match="toy has no part 'old words'; its parts are 'familiar words', 'new words'"):
        scores.paired(test, a, b, "old words")
    whole = LabelledTexts("toy", list("vwxyz"), np.array(list("aabba")))
    assert len(scores.paired(whole, a, b)[0]) == 5


def test_tied_counts_settings_that_validation_cannot_tell_from_the_best():
    truth, good = case(300, accuracy=0.9)
    nearly, bad = good.copy(), case(300, accuracy=0.5)[1]
    nearly[:6] = np.where(np.arange(6) < 3, truth[:6], "a")

    def of(predicted, pooling):
        value = f1_score(truth, predicted, average="macro")
        return result([], pooling=pooling, validation=value, held=(truth, predicted, None))

    assert selection.tied([of(good, "sum")], "sae") == 1
    assert selection.tied([of(good, "sum"), of(bad, "max")], "sae") == 1
    assert selection.tied([of(good, "sum"), of(good, "max"), of(bad, "last")], "sae") == 2
    assert selection.tied([of(good, "sum"), of(nearly, "max"), of(bad, "last")], "sae") == 2


def test_over_sets_the_interval_shows_how_sets_differ():
    """Sets that agree give the interval of their texts alone; sets that disagree a wider one."""

    def sets(shares):
        return [
            (*case(1500, accuracy=a, seed=i), case(1500, accuracy=0.7, seed=i)[1], None) for i, a in enumerate(shares)
        ]

    agreeing, apart = sets([0.8] * 5), sets([0.95, 0.65, 0.95, 0.65, 0.8])
    over_texts, over_sets = scores.compare_mean(agreeing), scores.compare_over_sets(agreeing)
    assert over_sets.difference == pytest.approx(over_texts.difference)
    assert (over_sets.high - over_sets.low) < 2 * (over_texts.high - over_texts.low) and over_sets.low > 0
    wide = scores.compare_over_sets(apart)
    assert scores.compare_mean(apart).low > 0 > wide.low
    one = scores.compare_over_sets(agreeing[:1])
    assert (one.low, one.high) == pytest.approx((scores.compare(*agreeing[0]).low, scores.compare(*agreeing[0]).high))


def test_an_interval_over_sets_covers_the_mean_of_all_sets_there_could_be():
    """Sets of an accuracy drawn around .8 against one of .7: the mean difference over all such sets is known."""
    rng, covered = np.random.default_rng(5), []

    def right(truth, share):
        return np.where(rng.random(len(truth)) < share, truth, np.where(truth == "a", "b", "a"))

    for trial in range(60):
        cases = []
        for accuracy in np.clip(rng.normal(0.8, 0.06, 7), 0, 1):
            truth = rng.choice(["a", "b"], 200).astype(object)
            cases.append((truth, right(truth, accuracy), right(truth, 0.7), None))
        d = scores.compare_over_sets(cases, seed=trial)
        covered.append(d.low <= 0.1 <= d.high)
    assert np.mean(covered) > 0.85


def test_over_sets_a_mean_and_draws_show_how_sets_differ_too():
    sets = [case(800, accuracy=a, seed=i) for i, a in enumerate([0.95, 0.65, 0.95, 0.65, 0.8])]
    means = [scores.mean_interval([(t, [a], None) for t, a in sets], over_sets=over) for over in (False, True)]
    assert means[0].macro_f1 == means[1].macro_f1
    assert means[1].high - means[1].low > 4 * (means[0].high - means[0].low)
    pairs = [
        (t, [a], [case(800, accuracy=0.7, seed=10 * i + j)[1] for j in range(3)], None) for i, (t, a) in enumerate(sets)
    ]
    texts, both = (scores.compare_draws(pairs, over_sets=over) for over in (False, True))
    assert texts.difference == both.difference and both.high - both.low > 2 * (texts.high - texts.low)


def test_over_sets_draws_and_texts_all_count():
    """Sets that agree, draws that agree: as over texts; either of them apart makes the interval wider. One draw: as without."""

    def over_sets(cases):
        return scores.compare_draws(cases, over_sets=True)

    def drawn(by_set):
        return [
            (
                case(800, seed=i)[0],
                [case(800, accuracy=a, seed=i)[1] for a in first],
                [case(800, accuracy=0.7, seed=i)[1]],
                None,
            )
            for i, first in enumerate(by_set)
        ]

    def width(found):
        return found.high - found.low

    steady = over_sets(drawn([[0.8, 0.8]] * 5))
    assert steady.difference == pytest.approx(scores.compare_draws(drawn([[0.8, 0.8]] * 5)).difference)
    assert width(over_sets(drawn([[0.95, 0.65]] * 5))) > 2 * width(steady)
    assert width(over_sets(drawn([[0.95] * 2, [0.65] * 2, [0.95] * 2, [0.65] * 2, [0.8] * 2]))) > 2 * width(steady)
    alone = [(truth, [a], [b], groups) for truth, (a, _), (b,), groups in drawn([[0.8, 0.8]] * 3)]
    single = [(truth, a, b, groups) for truth, (a,), (b,), groups in alone]
    assert over_sets(alone) == scores.compare_over_sets(single)
    with pytest.raises(MosaicError, match="draws"):
        over_sets([*drawn([[0.8, 0.8]]), *alone])
