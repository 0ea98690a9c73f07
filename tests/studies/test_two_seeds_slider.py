"""The threshold of "shared", moved by hand: what the slider shows against a count, latent by latent."""

from dataclasses import replace

import numpy as np
import pytest

from mosaic.agreement import stability
from mosaic.agreement.matching import Assignment
from mosaic.agreement.stability import CURVE, Match
from mosaic.saes.dictionary import Dictionary
from mosaic.studies import two_seeds_slider as slider


def dictionary(n=40, d=24, seed=0):
    generator = np.random.default_rng(seed)
    return Dictionary(f"sae {seed}", *(generator.normal(size=(n, d)).astype(np.float32) for _ in range(2)))


def noisy(a, share, seed=1):
    """A copy whose directions are turned, the later ones more."""
    generator = np.random.default_rng(seed)
    amount = np.linspace(0, share, len(a))[:, None]
    turned = (x + amount * generator.normal(size=x.shape).astype(np.float32) for x in (a.encoder, a.decoder))
    return Dictionary("turned", *(x.astype(np.float32) for x in turned))


@pytest.fixture(scope="module")
def pair():
    return stability.match(dictionary(), noisy(dictionary(), 2.0))


@pytest.fixture(scope="module")
def chance(pair):
    return {name: stability.match(*make(pair.a, pair.b, 0)) for name, make in stability.BASELINES.items()}


def slow(pair, threshold, agree=True):
    n = 0
    for dec, enc, p, q in zip(
        pair.decoder.cosine, pair.encoder.cosine, pair.decoder.partner, pair.encoder.partner, strict=True
    ):
        n += (p == q or not agree) and min(dec, enc) >= threshold - 1e-6
    return n / len(pair.a)


def test_every_threshold_has_the_share_that_a_count_finds(pair, chance):
    made = slider.case(pair, chance)
    assert len(made.places) == len(CURVE) and made.places[made.start].label == "0.70"
    for threshold, place in zip(CURVE, made.places, strict=True):
        assert slider.share(pair, threshold) == pytest.approx(slow(pair, threshold))
        assert slider.alike(pair, threshold) == pytest.approx(slow(pair, threshold, agree=False))
        lit = sum(made.chart.bars.values[i] for i in place.bars)
        if threshold < 1:  # what reaches 1 stands in the last bin, with all above .95
            assert lit == pytest.approx(slow(pair, threshold)), "the bars that are lit are the shared fraction"
    assert 0.1 < slider.share(pair, 0.7) < 0.9, "else this would test nothing"


def test_a_cosine_at_a_threshold_counts_as_reaching_it():
    cosine = np.array([0.7, 0.7 - 1e-9, 0.69, 1.0])
    one = Assignment(np.arange(4), cosine, np.zeros(4, bool), cosine.sum(), cosine.sum(), 1, 16)
    a = dictionary(4, 8)
    pair = Match(a, a, one, one)
    made = slider.case(pair, {})
    at = made.places[CURVE.index(0.7)]
    assert sum(made.chart.bars.values[i] for i in at.bars) == pytest.approx(0.75) == slider.share(pair, 0.7)


def test_all_latents_stand_somewhere(pair, chance):
    made = slider.case(pair, chance)
    bars, others = np.array(made.chart.bars.values), {line.name: line.points for line in made.chart.outlines}
    apart = sum(value for _, value in others[slider.APART][1:-1:2])
    assert bars.sum() + apart == pytest.approx(1)
    for name in chance:
        assert sum(value for _, value in others[name][1:-1:2]) == pytest.approx(1)
    assert made.chart.span[1] >= max(value for points in others.values() for _, value in points)


def test_what_is_said_is_chosen_by_the_numbers(pair, chance):
    zero, high = slider.place(0.0, pair, chance), slider.place(1.0, pair, chance)
    assert "At a threshold of 1.00 the two seeds share" in high.said and "random dictionary 0 %" in high.said
    assert zero.said.count("%") == high.said.count("%") == 2 * (1 + len(chance)) and zero.x < high.x == 1


def test_the_markup_has_every_threshold_in_its_table(pair, chance):
    markup = slider.slider(pair, chance)
    assert markup.count("<tr>") == len(CURVE) + 1 and "shared, shuffled coordinates" in markup
    assert "<select" not in markup, "there is nothing to choose between"
    assert len(markup.encode()) < 100_000


def test_a_latent_that_was_not_matched_is_below_every_threshold(pair, chance):
    broken = pair.a.decoder.copy()
    broken[3] = 0
    found = stability.match(replace(pair.a, decoder=broken), pair.b)
    made = slider.case(found, {})
    total = sum(made.chart.bars.values) + sum(value for _, value in made.chart.outlines[0].points[1:-1:2])
    assert total == pytest.approx(1 - 1 / len(pair.a)) and slider.alike(found, -0.1) <= 1 - 1 / len(pair.a)
