"""What several SAEs have in common, on dictionaries whose common part is known."""

from dataclasses import replace

import numpy as np
import pytest

from mosaic.agreement import pairwise
from mosaic.saes.dictionary import Dictionary


def dictionary(n=200, d=64, seed=0):
    generator = np.random.default_rng(seed)
    return Dictionary(f"sae {seed}", *(generator.normal(size=(n, d)).astype(np.float32) for _ in range(2)))


@pytest.fixture(scope="module")
def four():
    """Four SAEs of 100 latents: 40 in all, 20 more in the first two, the rest their own; each in its own order."""
    core, half = dictionary(n=40, seed=10), dictionary(n=20, seed=11)
    made = []
    for seed in range(4):
        own = dictionary(n=60 - 20 * (seed < 2), seed=20 + seed)
        parts = [core, half, own] if seed < 2 else [core, own]
        order = np.random.default_rng(seed).permutation(100)
        made.append(
            Dictionary(
                str(seed),
                np.concatenate([p.encoder for p in parts])[order],
                np.concatenate([p.decoder for p in parts])[order],
            )
        )
    return pairwise.Seeds.of(made)


def test_membership_counts_the_saes_that_have_a_latent(four):
    assert np.bincount(four.membership(0), minlength=5).tolist() == [0, 40, 20, 0, 40]
    assert np.bincount(four.membership(1), minlength=5).tolist() == [0, 40, 20, 0, 40]
    assert np.bincount(four.membership(3), minlength=5).tolist() == [0, 60, 0, 0, 40]


def test_cycles_close_on_what_all_have(four):
    assert 0.4 <= four.cycle(0, 1, 2) < 0.6
    one = pairwise.Seeds.of([four.dictionaries[0]] * 3)
    assert one.cycle(0, 1, 2) == one.cycle(2, 0, 1) == 1


def test_partners_and_shared_read_the_same_in_both_directions(four):
    forward, back = four.partner(0, 1), four.partner(1, 0)
    assert np.array_equal(back[forward], np.arange(100))
    assert set(forward[four.shared(0, 1)]) == set(np.flatnonzero(four.shared(1, 0)))


def test_a_latent_of_all_is_matched_at_cosine_one_in_either_direction(four):
    for i in (0, 3):
        cosine = np.nanmean(four.cosines(i), axis=0)
        everywhere = four.membership(i) == 4
        assert cosine[everywhere] == pytest.approx(1) and (cosine[~everywhere] < 0.95).all()
        assert np.isnan(four.cosines(i)[i]).all()


def test_cosines_average_to_the_pw_mcc_of_their_pairs(four):
    whole = np.nanmean([four.cosines(i) for i in range(4)])
    assert whole == pytest.approx(np.mean([pair.pw_mcc for pair in four.matches.values()]))


def test_an_unmatched_row_takes_no_other_latents_cosine():
    """A zero row has the partner -1, which is no index."""
    a = dictionary(n=30)
    broken = replace(a, encoder=a.encoder.copy(), decoder=a.decoder.copy())
    broken.decoder[3] = broken.encoder[3] = 0
    seeds = pairwise.Seeds.of([broken, a, a])
    assert np.delete(seeds.cosines(1)[0], 3) == pytest.approx(1)
    assert np.isnan(seeds.cosines(1)[0, 3]) and seeds.cosines(1)[2] == pytest.approx(1)


def test_over_pairs_gives_range_and_interval_over_saes(four):
    got = pairwise.over_pairs(four, lambda pair: float(pair.shared().mean()))
    assert len(got["values"]) == 6 and (got["lowest"], got["highest"]) == (0.4, 0.6)
    assert got["mean"] == pytest.approx((0.6 + 5 * 0.4) / 6)
    assert got["low"] < got["mean"] < got["high"] and got["df"] == 3
    one = pairwise.over_pairs(pairwise.Seeds.of(four.dictionaries[:2]), lambda pair: float(pair.shared().mean()))
    assert (one["mean"], one["low"], one["high"], one["se"]) == (0.6, None, None, None)
