"""What several SAEs have in common, on dictionaries whose common part is known."""

from dataclasses import replace

import numpy as np
import pytest

from mosaic.agreement import pairwise
from mosaic.errors import MosaicError
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


def test_only_in_one_of_a_subset(four):
    assert four.only_in_one([0, 1]) == pytest.approx(0.4)
    assert four.only_in_one([2, 3]) == pytest.approx(0.6)
    assert four.only_in_one([0, 1, 2, 3]) == pytest.approx(0.5)


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
        cosine = four.mean_cosine(i)
        everywhere = four.membership(i) == 4
        assert cosine[everywhere] == pytest.approx(1) and (cosine[~everywhere] < 0.95).all()


def test_an_unmatched_row_takes_no_other_latents_cosine():
    """A zero row has the partner -1, which is no index."""
    a = dictionary(n=30)
    broken = replace(a, encoder=a.encoder.copy(), decoder=a.decoder.copy())
    broken.decoder[3] = broken.encoder[3] = 0
    seeds = pairwise.Seeds.of([broken, a, a])
    cosine = seeds.mean_cosine(1)
    assert np.delete(cosine, 3) == pytest.approx(1)


def test_over_pairs_gives_the_range(four):
    got = pairwise.over_pairs(four, lambda pair: float(pair.shared().mean()))
    assert len(got["values"]) == 6 and (got["low"], got["high"]) == (0.4, 0.6)
    assert got["mean"] == pytest.approx((0.6 + 5 * 0.4) / 6)


def test_the_floor_is_found_and_needs_points():
    seeds = np.arange(2, 10)
    fit = pairwise.offset_power_law(seeds, 0.589 * seeds**-0.916 + 0.27)
    assert fit["c"] == pytest.approx(0.27, abs=1e-3) and fit["b"] == pytest.approx(-0.916, abs=1e-2)
    assert fit["rmse"] < 1e-6
    with pytest.raises(MosaicError, match="3 numbers of seeds"):
        pairwise.offset_power_law([2, 3, 4], [0.5, 0.4, 0.35])
