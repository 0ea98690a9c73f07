"""In which SAEs latents are: on dictionaries whose common part is known."""

from itertools import combinations

import numpy as np
import pytest

from mosaic.agreement.pairwise import Seeds
from mosaic.agreement.presence import Presence, only_in_one
from mosaic.saes.dictionary import Dictionary


def saes(n_seeds, common=30, half=0, own=20, d=48):
    """SAEs that have `common` latents in common, `half` more in the first two, and the rest to themselves."""
    rows = lambda n, seed: np.random.default_rng(seed).normal(size=(2, n, d)).astype(np.float32)  # noqa: E731
    parts = []
    for seed in range(n_seeds):
        extra = [rows(half, 98)] if seed < 2 else [rows(half, 300 + seed)]
        made = np.concatenate([rows(common, 99), *extra, rows(own, seed)], axis=1)
        parts.append(made[:, np.random.default_rng(seed).permutation(made.shape[1])])
    return Seeds.of([Dictionary(str(seed), *part) for seed, part in enumerate(parts)])


def brute_force(presence, size):
    """The share that one alone has, over every subset and every reference in it."""
    shares = []
    for subset in combinations(range(len(presence)), size):
        for i in subset:
            others = [j for j in subset if j != i]
            shares.append(1 - presence.has[i, others].any(0).mean())
    return np.mean(shares)


def test_counts_are_shares_of_each_references_latents():
    presence = Presence.of(saes(4))
    assert presence.counts == pytest.approx(np.tile([0.4, 0, 0, 0.6], (4, 1)))
    mixed = Presence.of(saes(4, 30, 10, 10))
    assert mixed.counts[0] == pytest.approx([0.2, 0.2, 0, 0.6])
    assert mixed.counts[3] == pytest.approx([0.4, 0, 0, 0.6])


def test_only_in_one_is_what_all_subsets_give():
    presence = Presence.of(saes(5, 20, 10, 20))
    got = only_in_one(presence.shares)
    assert list(got) == [2, 3, 4, 5]
    for size, share in got.items():
        assert share == pytest.approx(brute_force(presence, size))


def test_an_sae_leaves_as_a_reference_and_as_a_partner():
    seeds = saes(4, 30, 10, 10)
    without = Presence.of(seeds).without(1)
    kept = Presence.of(Seeds.of([seeds.dictionaries[i] for i in (0, 2, 3)]))
    assert np.array_equal(without.membership, kept.membership)
    assert without.counts[0] == pytest.approx([0.4, 0, 0.6]), "what only 0 and 1 had is now 0's own"


def test_latents_of_one_family_are_the_same_latent():
    presence = Presence.of(saes(4, 30, 10, 10))
    sizes = np.bincount(presence.family.ravel())
    assert sorted(set(sizes)) == [1, 2, 4]
    assert (sizes == 4).sum() == 30 and (sizes == 2).sum() == 10
    assert (sizes[presence.family] == presence.membership).all()


def test_resampled_shares_are_shares_about_the_measured_ones():
    presence = Presence.of(saes(4, 30, 10, 10))
    draws = presence.resampled_shares(1000)
    assert draws.sum(1) == pytest.approx(1)
    assert draws.mean(0) == pytest.approx(presence.shares, abs=0.01)
    assert draws[:, 3].std() > 0.03, "thirty families of four, not 120 latents of their own"
