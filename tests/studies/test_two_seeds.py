"""Two seeds: what is recorded of a pair, on SAEs whose agreement is known."""

from dataclasses import replace

import numpy as np
import pytest

from mosaic.agreement import stability
from mosaic.profiles.profile import load_profile
from mosaic.saes.dictionary import Dictionary
from mosaic.saes.sweep import SeedGroup
from mosaic.studies import two_seeds


def dictionary(n=60, d=48, seed=0):
    generator = np.random.default_rng(seed)
    return Dictionary(f"sae {seed}", *(generator.normal(size=(n, d)).astype(np.float32) for _ in range(2)))


def crossed(cosine, n=60):
    """A copy whose first half's encoders stand one place further, so that their two matchings disagree; decoders of
    those have this cosine with the original."""
    a = dictionary(n)
    half = n // 2
    encoder, decoder = a.encoder.copy(), a.decoder / np.linalg.norm(a.decoder, axis=1, keepdims=True)
    encoder[:half] = np.roll(a.encoder[:half], 1, axis=0)
    noise = np.random.default_rng(9).normal(size=decoder[:half].shape)
    noise -= (noise * decoder[:half]).sum(1, keepdims=True) * decoder[:half]
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    decoder[:half] = cosine * decoder[:half] + np.sqrt(1 - cosine**2) * noise
    return stability.match(a, replace(a, name="other", encoder=encoder, decoder=decoder.astype(np.float32)))


def test_a_threshold_removes_disagreeing_pairs_of_low_cosine_and_not_those_of_high():
    assert two_seeds.disagreeing(crossed(0.6)).sum() == 30
    assert two_seeds.disagreeing_below(crossed(0.6)) == 1
    assert two_seeds.disagreeing_below(crossed(0.9)) == 0
    same = stability.match(dictionary(), dictionary())
    assert two_seeds.disagreeing_below(same) == 1  # none disagrees, so the threshold loses nothing


def test_controls_have_their_range_over_pairs():
    same, apart = stability.match(dictionary(), dictionary()), stability.match(dictionary(), dictionary(seed=1))
    got = two_seeds.shared_range([same, apart, apart])
    assert (got["low"], got["high"], got["interval"], got["pairs"]) == (0.0, 1.0, [0.0, 1.0], 3)
    assert got["shared"] == pytest.approx(1 / 3)
    permuted = stability.match(dictionary(), two_seeds.permuted(dictionary(), 0))
    assert two_seeds.shared_range([permuted])["shared"] == 1
    assert two_seeds.shared_range([two_seeds.drawn(same, "untrained SAEs", 0)])["shared"] == 0


@pytest.mark.parametrize("alive", [None, np.linspace(0, 1, 60)])
def test_a_pair_is_recorded_drawn_and_tabled(alive, tmp_path):
    """Also where firing was not measured, and where no SAE of the same start saw other texts."""
    a = replace(dictionary(), frequency=alive)
    b = replace(two_seeds.permuted(a, 3), name="copy")
    pair = stability.match(a, b)
    rows = tuple(
        {"seed": seed, "batches": "x", "layer": 3, "width": 60, "k": 4, "tokens": 1000, "architecture": "topk"}
        for seed in (4, 7)
    )
    made = two_seeds.TwoSeeds(
        load_profile("mini"),
        by_eye=stability.match(dictionary(32, 16), dictionary(32, 16, seed=1)),
        base=SeedGroup("base", "base", rows),
        pair=pair,
        figures=stability.summary(pair),
        curves=two_seeds.threshold_curves(pair),
        controls={"seeds": two_seeds.shared_range([pair])},
    )
    got = made.summary()
    assert (got["seed_a"], got["seed_b"], got["same_batches"], got["same_start"]) == (4, 7, True, None)
    assert got["figures"]["shared_fraction"] == 1 and "pairs" not in got["figures"]
    assert ("alive only" in made.curves) == (alive is not None)
    made.record(tmp_path)
    for figure in (made.figure(), made.by_eye_figure(), made.threshold_curves()):
        assert figure.axes
    assert "other start, same texts" in made.controls_table() and "alive only" in made.table()
