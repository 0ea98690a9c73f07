"""Detection, fuzzing, intruder: known answers on made-up latents, and the fast paths against slow loops."""

import numpy as np
import pytest
from interpretation.test_contexts import made_up
from scipy.sparse import csr_matrix

from mosaic.interpretation.contexts import Sample, Windows, samples
from mosaic.interpretation.descriptions import describe
from mosaic.interpretation.detection import Firings
from mosaic.interpretation.scores import MILD, detection, fuzzing, intruders, judge


def told_by_its_token(noise=0.0, seed=0):
    """One latent that fires on token 7 alone, which is rare, in texts of other tokens."""
    rng = np.random.default_rng(seed)
    text = np.repeat(np.arange(400), 16)
    ids = rng.integers(10, 200, len(text))
    has = rng.random(400) < 0.4
    place = np.arange(400) * 16 + rng.integers(0, 16, 400)
    ids[place[has]] = 7
    fires = np.where((ids == 7) & (rng.random(len(ids)) >= noise), rng.gamma(3, 1, len(ids)), 0)
    shifted = [np.concatenate([np.zeros(o, dtype=int), ids[: len(ids) - o]]) for o in range(3)]
    return Firings(np.stack(shifted, axis=1), text, (csr_matrix(fires[:, None].astype(np.float32)),))


def judged(found, matches=None, **options):
    windows, codes = Windows.of(found), found.codes[0]
    if matches is None:
        matches = describe(found, codes, k=10).matches(found.ids)
    return judge(windows, list(samples(windows, codes, least=20)), codes, matches, **options)


def test_a_latent_of_one_token_is_told_perfectly():
    one = judged(told_by_its_token())
    assert one.detection == [1.0] and one.near == [1.0] and one.auroc == [1.0] and one.fuzzing == [1.0]
    assert (one.deciles == 1).all() and one.latent.tolist() == [0]


def test_an_explanation_that_says_nothing_is_chance():
    found = told_by_its_token()
    for matches in (
        csr_matrix((len(found.text), 1), dtype=bool),
        csr_matrix(np.ones((len(found.text), 1), dtype=bool)),
    ):
        one = judged(found, matches)
        assert one.detection == [0.5] and one.near == [0.5] and one.auroc == [0.5] and one.fuzzing == [0.5]


def test_an_explanation_at_random_is_near_chance():
    rng, found = np.random.default_rng(5), told_by_its_token()
    scores = [judged(found, csr_matrix(rng.random((len(found.text), 1)) < 0.05)) for _ in range(20)]
    assert np.mean([one.detection for one in scores]) == pytest.approx(0.5, abs=0.04)
    assert np.mean([one.fuzzing for one in scores]) == pytest.approx(0.5, abs=0.04)


def test_detection_is_balanced_accuracy_by_a_slow_count():
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score

    rng = np.random.default_rng(2)
    counts = rng.integers(0, 4, 200).astype(float)
    sample = Sample(0, np.arange(60), np.repeat(np.arange(10), 6), np.arange(60, 120), np.arange(120, 180))
    accuracy, near, area, deciles = detection(sample, counts)
    truth = [1] * 60 + [0] * 60
    assert accuracy == pytest.approx(balanced_accuracy_score(truth, counts[:120] > 0))
    assert near == pytest.approx(balanced_accuracy_score(truth, np.r_[counts[:60], counts[120:180]] > 0))
    assert area == pytest.approx(roc_auc_score(truth, counts[:120]))
    assert deciles[3] == pytest.approx(
        balanced_accuracy_score([1] * 6 + [0] * 60, np.r_[counts[18:24], counts[60:120]] > 0)
    )
    assert deciles.mean() == pytest.approx(accuracy)


def test_marks_are_where_it_fires_or_where_it_is_mild():
    found = made_up(seed=4)
    windows, codes = Windows.of(found), found.codes[0]
    for sample in samples(windows, codes, least=20):
        activation = codes[:, [sample.latent]].toarray().ravel()
        assert fuzzing(windows, sample, activation, activation > 0) > 0.9  # names every token it fires on
        spans = [slice(windows.bounds[w], windows.bounds[w + 1]) for w in sample.active]
        above = np.zeros(len(activation), dtype=bool)
        for span in spans:
            above[span] = activation[span] > MILD * activation[span].max()
        assert fuzzing(windows, sample, activation, above) == 1.0  # no wrong mark is on one of these
        assert fuzzing(windows, sample, activation, ~above & (activation == 0)) < 0.05


def test_a_context_that_is_all_active_has_no_wrong_marks():
    text, ids = np.repeat(np.arange(100), 4), np.ones((400, 3), dtype=int)
    found = Firings(ids, text, ())
    windows = Windows.of(found)
    sample = Sample(0, np.array([1, 3]), np.array([0, 1]), np.array([5, 7]), np.array([5, 7]))
    assert np.isnan(fuzzing(windows, sample, np.ones(400), np.ones(400, dtype=bool)))


def test_an_intruder_of_other_words_is_found_and_one_of_the_same_is_not():
    rng = np.random.default_rng(0)
    text = np.repeat(np.arange(80), 16)
    ids = np.where((text % 4 < 2)[:, None], rng.integers(1, 4, (len(text), 3)), rng.integers(50, 90, (len(text), 3)))
    windows = Windows.of(Firings(ids, text, ()))
    few, many = np.flatnonzero(np.arange(80) % 4 == 1), np.flatnonzero(np.arange(80) % 4 == 3)
    assert intruders(windows, Sample(0, few, np.zeros(20), many, many)) == 1.0
    alike = intruders(windows, Sample(0, few[:10], np.zeros(10), few[10:], few[10:]))
    assert alike < 0.6


def test_no_latent_is_no_error():
    found = told_by_its_token()
    windows, codes = Windows.of(found), found.codes[0]
    empty = judge(windows, [], codes, csr_matrix(codes.shape, dtype=bool))
    assert len(empty.latent) == len(empty.detection) == 0
