"""Two seeds: what is recorded of a pair, on SAEs whose agreement is known."""

from dataclasses import replace

import numpy as np
import pytest

from mosaic.agreement import stability
from mosaic.agreement.pairwise import Seeds
from mosaic.agreement.resampling import Estimate
from mosaic.profiles.profile import load_profile
from mosaic.saes.dictionary import Dictionary
from mosaic.saes.sweep import SeedGroup
from mosaic.studies import two_seed_sentences as sentences
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
    low, high = two_seeds.disagree_record([crossed(0.6)]), two_seeds.disagree_record([crossed(0.9)])
    assert (low["below"], low["n"]) == (1, 30) and high["below"] == 0
    assert low["interval"][0] == pytest.approx(0.025 ** (1 / 30)), "thirty of thirty do not prove 99 %"
    assert "cannot be told from so few" in sentences.disagree(low)
    assert "the clause on equal partners is needed" in sentences.disagree(high)
    many = two_seeds.disagree_record([crossed(0.6)] * 14)
    assert many["interval"][0] > 0.99 and "removes practically all of them" in sentences.disagree(many)
    same = two_seeds.disagree_record([stability.match(dictionary(), dictionary())])
    assert same["below"] is None and sentences.disagree(same).startswith("The two matchings disagree nowhere")


def test_disjoint_pairs_have_no_sae_in_common():
    seeds = Seeds.of([dictionary(20, seed=i) for i in range(5)])
    assert [(pair.a.name, pair.b.name) for pair in two_seeds.disjoint_pairs(seeds)] == [
        ("sae 0", "sae 1"),
        ("sae 2", "sae 3"),
    ]


def test_controls_have_intervals_over_draws_and_over_saes():
    same, apart = stability.match(dictionary(), dictionary()), stability.match(dictionary(), dictionary(seed=1))
    got = two_seeds.over_draws([same, apart, apart])
    assert got["shared"] == pytest.approx(1 / 3) and got["pairs"] == 3
    assert got["se"] == pytest.approx(1 / 3) and got["interval"] == [0, 1], "a share lies within 0 and 1"
    assert two_seeds.over_draws([same])["interval"] is None
    permuted = stability.match(dictionary(), two_seeds.permuted(dictionary(), 0))
    assert two_seeds.over_draws([permuted])["shared"] == 1
    assert two_seeds.over_draws([two_seeds.drawn(same, "untrained SAEs", 0)])["shared"] == 0
    three = two_seeds.over_seeds(Seeds.of([dictionary(), dictionary(), dictionary(seed=1)]))
    assert (three["pairs"], three["df"]) == (3, 2) and three["shared"] == pytest.approx(1 / 3)


def control(shared, se=0.01, df=7, pairs=28):
    interval = Estimate(shared, se, df).interval()
    return {"shared": shared, "se": se, "df": df, "interval": interval, "pairs": pairs}


@pytest.mark.parametrize(
    ("shared", "se", "words"),
    [
        (0.37, 0.01, "Over the 28 pairs of seeds, two SAEs share a minority of their latents: 0.37 (95 %: 0.35"),
        (0.6, 0.01, "most of their latents: 0.60"),
        (0.49, 0.1, "cannot be told from one half: 0.49"),
        (0.37, None, "for which one pair gives no interval: 0.37 (no interval)"),
    ],
)
def test_a_minority_is_one_by_its_interval(shared, se, words):
    assert words in sentences.minority(control(shared, se))


@pytest.mark.parametrize(
    ("same", "se", "words"),
    [
        (0.5, 0.01, "a common start alone looks like stability (difference +0.130"),
        (0.39, 0.02, "which cannot be told from SAEs of other starts"),
        (0.2, 0.01, "no more than SAEs of other starts"),
        (0.4, None, "without an interval"),
    ],
)
def test_a_common_start_is_compared_with_other_starts(same, se, words):
    assert words in sentences.same_start({"same_start": control(same, se, 2, 3), "seeds": control(0.37)})


def test_what_was_not_measured_is_said_to_be_so():
    assert sentences.same_start({"seeds": control(0.37)}).endswith("not measured here.")
    said = [sentences.batches(same) for same in (True, False, None)]
    assert "A hash of every batch" in said[0] and "NOT see" in said[1] and "not measured here" in said[2]


@pytest.mark.parametrize("alive", [None, np.linspace(0, 1, 60)])
def test_a_pair_is_recorded_drawn_and_tabled(alive, tmp_path):
    """Also where firing was not measured, and where no SAE of the same start saw other texts."""
    a = replace(dictionary(), frequency=alive)
    b = replace(two_seeds.permuted(a, 3), name="copy")
    pair = stability.match(a, b)
    hashes = "x" if alive is None else None
    rows = tuple(
        {"seed": seed, "batches": hashes, "layer": 3, "width": 60, "k": 4, "tokens": 1000, "architecture": "topk"}
        for seed in (4, 7)
    )
    chance = {name: two_seeds.drawn(pair, name, 0) for name in stability.BASELINES}
    made = two_seeds.TwoSeeds(
        load_profile("mini"),
        by_eye_tokens=200_000,
        by_eye=stability.match(dictionary(32, 16), dictionary(32, 16, seed=1)),
        base=SeedGroup("base", "base", rows),
        pair=pair,
        figures=stability.summary(pair),
        curves=two_seeds.threshold_curves(pair, chance),
        controls={"seeds": two_seeds.over_draws([pair])},
        disagree=two_seeds.disagree_record([pair]),
        chance=chance,
    )
    got = made.summary()
    assert (got["seed_a"], got["seed_b"], got["same_start"]) == (4, 7, None)
    assert got["same_batches"] is (True if alive is None else None), "no hashes prove nothing"
    assert got["sentences"]["read"].startswith("2 TopK SAEs of 60 latents with k = 4, at layer 3")
    assert got["figures"]["shared_fraction"] == 1 and "pairs" not in got["figures"]
    assert ("alive only" in made.curves) == (alive is not None)
    made.record(tmp_path)
    for figure in (made.figure(), made.by_eye_figure(), made.threshold_curves()):
        assert figure.axes
    assert "shared, untrained SAEs" in made.threshold_slider()
    assert "other start, same texts" in made.controls_table() and "alive only" in made.table()
