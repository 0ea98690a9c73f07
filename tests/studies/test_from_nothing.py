"""The toys of the first chapter against slow references and cases with known answers; every sentence's branches."""

import itertools

import numpy as np
import pytest

from mosaic.errors import MosaicError
from mosaic.studies import from_nothing, toy_sae
from mosaic.studies import from_nothing_said as said
from mosaic.studies.toy_reading import BINS, FOUND, Reading, linear_fvu, overlaps, sae_fvu
from mosaic.studies.toy_sae import SAE, Recipe, World
from mosaic.studies.toy_superposition import Learned, Toy, mean_interval, train

SMALL = World(n_features=6, d=4, p=0.1, seed=1)


def perfect(world: World = SMALL, scale: float = 1.0) -> SAE:
    """Knows every direction and, where one feature is there alone, its amplitude times `scale`."""
    g = world.directions()
    n = world.n_features
    return SAE(scale * g, g, np.zeros(n, np.float32), np.zeros(world.d, np.float32), k=1)


def test_sparse_features_are_packed_and_a_linear_model_packs_none():
    toy = dict(n_features=5, d=2, densities=(1.0, 0.05), n_seeds=2, steps=700, learning_rate=1e-2, importance=1.0)
    relu, linear = train(Toy(**toy)).represented(), train(Toy(**toy, relu=False)).represented()
    assert (relu[1] > relu[0]).all() and (relu[1] >= 4).all()
    assert (linear <= 2).all()


def test_two_runs_are_the_same():
    toy = Toy(n_features=4, d=2, densities=(0.1,), n_seeds=2, steps=5)
    assert np.array_equal(train(toy).W, train(toy).W)
    recipe = Recipe(width=6, steps=30)
    first, second = (toy_sae.train(SMALL, recipe) for _ in range(2))
    assert np.array_equal(first.W_dec, second.W_dec) and first.history == second.history


def test_a_long_row_counts_and_the_best_seed_has_the_least_loss():
    W = np.zeros((1, 2, 3, 2))
    W[0, 0, 0], W[0, 1, :2] = (1, 0), ((0.8, 0), (0, 0.6))
    learned = Learned(Toy(n_features=3, d=2, densities=(1.0,), n_seeds=2), W, np.array([[0.2, 0.1]]))
    assert learned.represented().tolist() == [[1, 1]]
    assert np.array_equal(learned.best(0), W[0, 1])


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(MosaicError, match="5 features in 5 dimensions: fewer dimensions"):
        Toy(n_features=5, d=5)
    with pytest.raises(MosaicError, match=r"densities are \(0,\)"):
        Toy(densities=(0,))
    with pytest.raises(MosaicError, match="k is 9 of 8 latents"):
        Recipe(width=8, k=9)


def test_examples_are_sums_of_directions():
    amplitudes, x = SMALL.draw(50, seed=3)
    slow = [sum(a * g for a, g in zip(row, SMALL.directions(), strict=True)) for row in amplitudes]
    assert np.allclose(x, slow, atol=1e-6)
    assert set(np.unique(amplitudes > 0)) == {False, True} and amplitudes[amplitudes > 0].min() >= 0.5
    assert np.allclose(np.linalg.norm(SMALL.directions(), axis=1), 1)


def test_topk_keeps_the_largest_alone():
    rng = np.random.default_rng(0)
    sae = SAE(rng.normal(size=(7, 4)), rng.normal(size=(7, 4)), np.zeros(7), np.zeros(4), k=2)
    x = rng.normal(size=(40, 4))
    full = np.maximum(x @ sae.W_enc.T, 0)
    for row, code in zip(full, sae.encode(x), strict=True):
        kept = sorted(range(7), key=lambda j: -row[j])[:2]
        assert np.array_equal(code, [row[j] if j in kept else 0 for j in range(7)])


def test_a_dictionary_that_knows_all_finds_all_and_one_of_half_the_size_shrinks():
    right, half = Reading.of(SMALL, perfect(), 2000), Reading.of(SMALL, perfect(scale=0.5), 2000)
    assert right.partner.tolist() == list(range(6)) and right.row()["found"] == 6
    assert np.allclose(right.heard(), 1, atol=1e-5) and np.allclose(half.heard(), 0.5, atol=1e-5)
    assert sae_fvu(right) < sae_fvu(half)


def test_a_feature_without_a_latent_is_not_found():
    sae = perfect()
    turned = SAE(sae.W_enc[:4], sae.W_dec[:4], sae.b_enc[:4], sae.b_dec, k=1)
    reading = Reading.of(SMALL, turned, 2000)
    near = (SMALL.directions()[:4] @ SMALL.directions().T).max(0) >= FOUND
    assert ((reading.partner >= 0) == near).all() and reading.row()["found"] == near.sum() < 6
    assert len(reading.heard()) == near.sum()


def test_training_finds_more_than_chance_and_its_decoder_has_length_one():
    start = from_nothing.learn(SMALL, Recipe(width=6, k=1, steps=0))
    reading = from_nothing.learn(SMALL, Recipe(width=6, k=1, steps=400))
    assert reading.fvu < start.fvu and reading.row()["found"] > start.row()["found"]
    assert np.allclose(np.linalg.norm(reading.sae.W_dec, axis=1), 1, atol=1e-5)
    assert reading.sae.steps[0] == 0 and reading.sae.history["FVU"][-1] < reading.sae.history["FVU"][0]


def test_a_linear_reading_loses_what_does_not_fit():
    assert linear_fvu(World(n_features=4, d=4, seed=2), 4000) == pytest.approx(0, abs=1e-3)
    assert linear_fvu(World(n_features=8, d=4, seed=2), 4000) == pytest.approx(0.5, abs=0.05)


def test_the_interval_over_seeds():
    assert mean_interval(np.array([2.0, 2.0, 2.0])) == (2.0, 2.0, 2.0)
    mean, low, high = mean_interval(np.array([1.0, 2.0, 3.0]))
    assert (mean, low, high) == pytest.approx((2, 2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-3)


def test_overlaps_are_what_both_histograms_cover():
    reading = Reading.of(SMALL, perfect(), n=400)
    found, present = overlaps(reading, 2), reading.amplitudes[:, 2] > 0
    for how, values in (("product", reading.x @ SMALL.directions()[2]), ("latent", reading.codes[:, 2])):
        with_it, without = ([np.mean((values[rows] >= a) & (values[rows] < b)) for a, b in itertools.pairwise(BINS)]
                            for rows in (present, ~present))  # fmt: skip
        assert found[how] == pytest.approx(sum(map(min, with_it, without)), abs=1e-6)
    assert found["missed"] == pytest.approx(np.mean([code == 0 for code in reading.codes[present, 2]]))
    assert (
        found["silent"] == pytest.approx(np.mean([code == 0 for code in reading.codes[~present, 2]]))
        and found["silent"] > 0.5
    )


def test_sentences_follow_their_numbers():
    counts = {"100": {"mean": 5.0}, "1": {"mean": 18.0}}
    for interval, words in (([1, 2], "rises at every step"), ([-2, -1], "at one it falls"), ([-1, 1], "undecided")):
        assert words in said.rise(counts, {"value": 0.5, "interval": interval})
    assert "Where they are rare: 2 of 5" in said.plane({"100": 2, "5": 5}, 5)
    assert "not kept better" in said.plane({"100": 2, "5": 2}, 5)
    assert "no superposition" in said.linear_model({"1": {"mean": 5.0}}, 5)
    assert "Even without" in said.linear_model({"1": {"mean": 6.0}}, 5)
    assert "may stay silent" in said.amplitudes(0.5, 0.3) and "tell no more" in said.amplitudes(0.3, 0.5)
    apart = {"product": 0.2, "latent": 0.1, "missed": 0.05, "silent": 0.99}
    assert said.overlap(apart).startswith(
        "The two overlap less by the latent than by the product (10% of the area against 20%)."
    )
    assert "more by the latent than" in said.overlap(
        apart | {"latent": 0.3}
    ) and "zero in 99% of the examples; with it in 5%" in said.overlap(apart)
    assert "as much by the latent as by" in said.overlap(apart | {"latent": 0.2})
    history = {"loss": [1.0, 0.5], "L0": [2.0, 2.0], "FVU": [0.9, 0.2]}
    assert " fell," in said.training(history) and "did not fall" in said.training(history | {"FVU": [0.2, 0.9]})
    for n, words in ((10, "found all"), (9, "found nearly all"), (3, "found some"), (0, "found none")):
        assert words in said.found({"found": n, "cosine": 0.5}, 10, 0.4)
    rows = {8: {"found": 0, "fvu": 0.5, "dead": 0}, 64: {"found": 30, "fvu": 0.1, "dead": 4}}
    assert "settle between" in said.widths(rows, 32) and "34 latents are left over: 4" in said.widths(rows, 32)
    assert "Even 8 latents" in said.widths(rows | {8: {"found": 20, "fvu": 0.5, "dead": 0}}, 32)
    ks = {2: {"found": 30, "fvu": 0.2}, 8: {"found": 0, "fvu": 0.03}}
    assert "not a good dictionary" in said.ks(ks, 32) and "finds as many" in said.ks({2: {"found": 3, "fvu": 0.1}}, 32)
    for interval, words in (([-2, -1], "smaller than"), ([1, 2], "larger than"), ([-1, 1], "not told apart")):
        assert words in said.shrinkage({"l1": 0.5, "topk": 0.8, "k": 3, "difference": -0.3, "interval": interval})
    assert "Too few" in said.shrinkage({"difference": None})
    assert "less each time" in said.unlearned([(0.9, 0.8)] * 3)
    assert "surely less for 1 of 2" in said.unlearned([(0.9, 0.8), (1.0, 0.9999)])
    one = {"name": "negation", "auroc": 0.98, "interval": [0.96, 0.99], "largest_with": 2.0, "largest_without": 1.0}
    assert "All three" in said.latents([one] * 3) and "3 of 3" in said.latents([one] * 3)
    unsure = one | {"interval": [0.9, 0.99], "largest_with": 0.5}
    assert "2 of 3 surely" in said.latents([one, one, unsure]) and "2 of 3 contrasts" in said.latents(
        [one, one, unsure]
    )
