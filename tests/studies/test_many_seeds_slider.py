"""The threshold among many SAEs, moved by hand, against `Presence` at each threshold."""

import numpy as np
import pytest

from mosaic.agreement.pairwise import Seeds
from mosaic.agreement.presence import Presence
from mosaic.agreement.stability import CURVE
from mosaic.saes.dictionary import Dictionary, random_dictionary
from mosaic.studies import many_seeds_slider as slider


def seeds(n=3):
    """SAEs whose rows are those of one, turned more and more."""
    rng = np.random.default_rng(0)
    core, amount = rng.normal(size=(2, 30, 16)), np.linspace(0, 1.5, 30)[:, None]
    turned = ((core + amount * rng.normal(size=core.shape)).astype(np.float32) for _ in range(n))
    return Seeds.of([Dictionary(str(i), *rows) for i, rows in enumerate(turned)])


@pytest.fixture(scope="module")
def shares():
    found = seeds()
    random = Seeds.of([random_dictionary(found.dictionaries[0], i) for i in range(3)])
    return found, slider.by_threshold(found), slider.by_threshold(random)


def test_every_threshold_has_the_shares_that_presence_finds(shares):
    found, trained, _ = shares
    assert list(trained) == list(CURVE)
    for threshold, got in trained.items():
        np.testing.assert_allclose(got, Presence.of(found, threshold).shares)
    assert 0 < trained[0.7][-1] < 1, "else this would test nothing"


def test_a_place_says_both_ends_and_chance(shares):
    _, trained, random = shares
    made = slider.case(trained, random)
    assert made.places[made.start].label == "0.70" and len(made.places) == len(CURVE)
    for threshold, place in zip(CURVE, made.places, strict=True):
        values = [trained[threshold][-1], trained[threshold][0], random[threshold][0]]
        assert [dot[0] for dot in place.dots] == pytest.approx(values) and place.x == threshold
    assert made.places[-1].said.endswith("Of random dictionaries, 100 % of the latents are in only one.")
    assert next(line.name for line in made.chart.lines) == "in all 3"


def test_the_table_has_every_threshold(shares):
    markup = slider.slider(*shares[1:])
    assert markup.count("<tr>") == 1 + len(CURVE) and len(markup.encode()) < 100_000
