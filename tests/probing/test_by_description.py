"""Choices by description and by MRMR against slow loops and known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mosaic.errors import MosaicError
from mosaic.probing.by_description import in_sequence, in_turns, mrmr

RNG = np.random.default_rng


def test_classes_take_turns_and_each_takes_the_best_that_is_left():
    scores = np.array([[0.9, 0.8, 0.1, 0.2], [0.95, 0.3, 0.2, 0.1]])
    assert in_turns(scores, 3, RNG(0)).tolist() == [0, 1, 2 if scores[0, 2] > scores[0, 3] else 3]
    assert in_turns(scores[::-1], 2, RNG(0)).tolist() == [0, 1]
    assert sorted(in_turns(scores, 99, RNG(0))) == [0, 1, 2, 3]


@given(st.integers(1, 5), st.integers(1, 30), st.integers(0, 10**6))
def test_a_slow_loop_takes_the_same(n_classes, n_latents, seed):
    rng = RNG(seed)
    scores = rng.permutation(n_classes * n_latents).reshape(n_classes, n_latents) / 100.0  # no two are equal
    k = int(rng.integers(1, n_latents + 1))
    left, taken = set(range(n_latents)), []
    for turn in range(k):
        best = max(left, key=lambda j: scores[turn % n_classes, j])
        taken.append(best)
        left.remove(best)
    assert in_turns(scores, k, RNG(1)).tolist() == taken


def test_ties_are_broken_at_random_and_the_same_for_one_seed():
    scores = np.zeros((2, 50))
    drawn = [tuple(in_turns(scores, 5, RNG(seed))) for seed in range(20)]
    assert len(set(drawn)) > 15 and drawn[3] == tuple(in_turns(scores, 5, RNG(3)))
    counts = np.bincount(np.concatenate([in_turns(scores, 10, RNG(seed)) for seed in range(500)]), minlength=50)
    assert counts.min() > 60 and counts.max() < 150  # 100 each


def test_a_copy_is_taken_last_in_sequence():
    vectors = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=float)
    scores = np.array([[0.9, 0.89, 0.5, 0.4]])
    assert in_turns(scores, 4, RNG(0)).tolist() == [0, 1, 2, 3]
    assert in_sequence(scores, vectors, 4, RNG(0)).tolist() == [0, 2, 3, 1]


def test_bad_scores_are_refused():
    with pytest.raises(MosaicError, match=r"scores of shape \(3,\), all finite, \[classes, latents\] were expected"):
        in_turns(np.zeros(3), 1, RNG(0))
    with pytest.raises(MosaicError, match="all finite"):
        in_turns(np.array([[np.nan, 1.0]]), 1, RNG(0))


def test_mrmr_takes_what_tells_and_leaves_its_copy():
    rng = RNG(0)
    y = rng.integers(0, 3, 300)
    first = (y == 0) * (rng.random(300) < 0.95)
    second = (y == 1) * (rng.random(300) < 0.9)
    X = np.stack([first, first, second, rng.random(300) < 0.5], axis=1).astype(float)
    assert mrmr(X, y, 2).tolist() == [2, 0]
    assert sorted(mrmr(X, y, 9)) == [0, 1, 2, 3]


def test_mrmr_is_its_definition():
    from scipy.sparse import csr_matrix

    from mosaic.probing.narrowed import mutual_information

    rng = RNG(3)
    X, y = np.maximum(rng.normal(size=(80, 12)), 0), rng.integers(0, 3, 80)
    relevance = mutual_information(csr_matrix(X), y)
    relevance = relevance / relevance.max()
    alike, chosen = np.abs(np.corrcoef(X.T)), []
    for _ in range(5):
        value = [relevance[j] - (np.mean([alike[j, i] for i in chosen]) if chosen else 0) for j in range(12)]
        chosen.append(max((j for j in range(12) if j not in chosen), key=lambda j: round(value[j], 6)))
    assert mrmr(X, y, 5).tolist() == chosen
