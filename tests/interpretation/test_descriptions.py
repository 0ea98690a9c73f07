"""Descriptions by counting: planted latents are named, the score is a detector's own, the best set is found."""

from itertools import combinations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from mosaic.interpretation.descriptions import NONE, describe
from mosaic.interpretation.detection import Firings


def made_up(n: int = 4000, n_tokens: int = 12, seed: int = 0) -> Firings:
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, n_tokens, n)
    shifted = [np.concatenate([np.zeros(o, dtype=int), ids[: n - o]]) for o in range(3)]
    return Firings(np.stack(shifted, axis=1), np.arange(n) // 10, ())


def codes_of(found: Firings, *rules) -> csr_matrix:
    return csr_matrix(np.stack([rule(found.ids) for rule in rules], axis=1).astype(np.float32))


def test_what_was_planted_is_found():
    found, rng = made_up(), np.random.default_rng(1)
    codes = codes_of(
        found,
        lambda ids: ids[:, 0] == 7,
        lambda ids: np.isin(ids[:, 1], (3, 9)),
        lambda ids: ids[:, 2] == 5,
        lambda ids: rng.random(len(ids)) < 0.2,
        lambda ids: np.arange(len(ids)) < 20,  # too seldom
        lambda ids: np.ones(len(ids), dtype=bool),  # always: nothing to tell
    )
    told = describe(found, codes)
    assert told.text(0, str) == 'on "7"' and told.score[0] == 1
    assert told.text(1, str) in ('one token after "3", "9"', 'one token after "9", "3"') and told.score[1] == 1
    assert told.text(2, str) == 'two tokens after "5"' and told.score[2] == 1
    assert told.score[3] == pytest.approx(0.5, abs=0.05)
    assert np.isnan(told.score[4:]).all() and told.text(4, str) is None and told.text(5, str) is None


def test_the_score_is_the_balanced_accuracy_of_its_detector_on_the_other_half():
    found, rng = made_up(seed=2), np.random.default_rng(3)
    chance = 0.05 + 0.6 * np.isin(found.ids[:, 0], (2, 4, 6, 8))
    codes = csr_matrix((rng.random(len(chance)) < chance)[:, None].astype(np.float32))
    told = describe(found, codes)
    words = [token for token in told.tokens[0] if token != NONE]
    says = np.isin(found.ids[:, told.place[0]], words)
    fires, odd = codes.toarray().ravel() > 0, found.text % 2 == 1
    hit, silent = says[odd & fires].mean(), (~says[odd & ~fires]).mean()
    assert len(words) == 3 and told.score[0] == pytest.approx((hit + silent) / 2)


def test_no_other_set_of_tokens_does_better_where_it_is_learned():
    found, rng = made_up(n_tokens=7, seed=4), np.random.default_rng(5)
    chance = rng.random(7)[found.ids[:, 0]] * 0.5
    codes = csr_matrix((rng.random(len(chance)) < chance)[:, None].astype(np.float32))
    told = describe(found, codes, k=2)
    fires, even = codes.toarray().ravel() > 0, found.text % 2 == 0

    def accuracy(place, words):
        says = np.isin(found.ids[:, place], words)
        return (says[even & fires].mean() + (~says[even & ~fires]).mean()) / 2

    own = accuracy(told.place[0], [token for token in told.tokens[0] if token != NONE])
    others = [accuracy(o, pair) for o in range(3) for n in (1, 2) for pair in combinations(range(1, 7), n)]
    assert own == pytest.approx(max(others))


def test_only_the_latents_asked_for_are_described():
    found = made_up()
    codes = codes_of(found, *(lambda ids, t=t: ids[:, 0] == t for t in range(1, 6)))
    some, every = describe(found, codes, latents=[3, 1]), describe(found, codes)
    assert np.isfinite(some.score).tolist() == [False, True, False, True, False]
    assert some.text(3, str) == every.text(3, str) == 'on "4"'


def test_a_description_alone_says_where_its_latent_fires():
    found, rng = made_up(), np.random.default_rng(7)
    chance = rng.random((3, 12))[:, found.ids[:, 1]] ** 3
    codes = csr_matrix((rng.random(chance.shape) < chance).T.astype(np.float32))
    told = describe(found, codes)
    other = made_up(n=500, n_tokens=20, seed=8).ids  # tokens that nothing was learned of, too
    said = told.matches(other).toarray()
    for latent in range(3):
        words = [token for token in told.tokens[latent] if token != NONE]
        assert (said[:, latent] == np.isin(other[:, told.place[latent]], words)).all() and said[:, latent].any()
    silent = describe(found, csr_matrix(codes.shape, dtype=np.float32)).matches(other)
    assert silent.shape == (500, 3) and silent.nnz == 0


def test_tokens_that_tell_next_to_nothing_are_left_out_where_that_is_asked():
    found, rng = made_up(), np.random.default_rng(9)
    chance = np.select([found.ids[:, 0] == 7, found.ids[:, 0] == 3], [0.9, 0.3], 0.02)
    codes = csr_matrix((rng.random(len(chance)) < chance)[:, None].astype(np.float32))
    assert [t for t in describe(found, codes).tokens[0] if t != NONE][:2] == [7, 3]
    assert describe(found, codes, telling=0.5).text(0, str) == 'on "7"'


def test_token_0_is_a_token_like_any_other():
    found = made_up()
    ids = np.where(found.ids == 7, 0, np.where(found.ids == 0, -1, found.ids))
    moved = Firings(ids, found.text, ())
    told = describe(moved, codes_of(moved, lambda ids: ids[:, 0] == 0, lambda ids: ids[:, 1] == 0))
    assert told.text(0, str) == 'on "0"' and told.text(1, str) == 'one token after "0"'
    assert told.score == pytest.approx([1, 1])
