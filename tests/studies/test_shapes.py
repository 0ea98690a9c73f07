"""Is it a U? Judged on SAEs drawn from worlds whose shape is known; and the floor, and the words for both."""

from collections import Counter

import numpy as np
import pytest
from memberships import draw, even, truth

from mosaic import numerals
from mosaic.agreement import floor
from mosaic.agreement.presence import only_in_one
from mosaic.studies import shapes
from mosaic.studies.wording import side

DRAWS = 30
SHAPES = {
    # name: (chances, verdict on "the right end rises", verdict on "the ends hold most")
    "U": (np.concatenate([even(250), np.full(100, 0.995)]), "above", "above"),
    "U without a majority": (np.concatenate([even(370), np.full(60, 0.995)]), "above", "below"),
    "L": (even(250, most=0.6), "below", "above"),
    "flat": (np.concatenate([even(500, most=0.9)]), "below", "below"),
}
FLAT_TAIL = even(390, most=1.0)  # as on the miniature: .34 in one, then .08 to .12, in all as much as between


def verdicts(chances):
    """How often each part of the statement is judged how, over draws."""
    found = [shapes.u_shape(draw(chances, seed), draws=300) for seed in range(DRAWS)]
    return [
        Counter(side(one[part]["interval"], bound) for one in found)
        for part, bound in (("right_end", 0), ("ends", 0.5))
    ]


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_are_judged_as_they_are(name):
    """At least nine draws in ten are judged right, and at most one in thirty wrong; the rest is undecided."""
    chances, rises, majority = SHAPES[name]
    for counts, right in zip(verdicts(chances), (rises, majority), strict=True):
        wrong = {"above": "below", "below": "above"}[right]
        assert counts[right] >= 0.9 * DRAWS and counts[wrong] <= 1, (name, counts)


def test_an_l_with_a_flat_tail_is_no_u():
    """The old rule took the smallest of the inner bins, which lies below the right end by chance: most such L were a U."""
    expected = truth(FLAT_TAIL)
    assert abs(shapes.right_end(expected)) < 0.01 and 0.3 < expected[0] < 0.36
    rises, majority = verdicts(FLAT_TAIL)
    assert rises["above"] <= 2 and majority["above"] == 0 and majority["below"] >= 0.9 * DRAWS
    old = [min(s[0], s[-1]) - s[1:-1].min() > 0 for s in (draw(FLAT_TAIL, seed).shares for seed in range(DRAWS))]
    assert np.mean(old) > 0.5


def test_the_interval_over_saes_holds_the_truth():
    chances = SHAPES["U"][0]
    right = shapes.right_end(truth(chances))
    held = 0
    for seed in range(60):
        low, high = shapes.measured(draw(chances, seed), shapes.right_end, 10)["seeds"]
        held += low <= right <= high
    assert held / 60 >= 0.92


def test_few_saes_have_no_shape_or_no_interval():
    two = shapes.u_shape(draw(even(250), 0, n_saes=2), 50)
    assert set(two["right_end"].values()) == {None}
    assert shapes.u_sentence(two, 2) == "With 2 SAEs nothing lies between one and all, so the counts have no shape."
    three = shapes.u_shape(draw(even(250), 0, n_saes=3), 50)
    assert three["right_end"]["latents"] and three["right_end"]["interval"] is None
    assert "point estimate" in shapes.u_sentence(three, 3)


def shape(right, ends, left=0.2, width=0.01):
    value = lambda x: {"value": x, "interval": [x - width, x + width]}  # noqa: E731
    return {"right_end": value(right), "ends": value(ends), "left_end": value(left)}


@pytest.mark.parametrize(
    ("right", "ends", "words"),
    [
        (
            0.1,
            0.6,
            "The counts are a U. More latents are in all SAEs than, on average, in each number between one and all (+0.100",
        ),
        (0.1, 0.4, "The right end rises, but most latents lie between"),
        (-0.1, 0.6, "The counts are an L, no U. Fewer latents"),
        (-0.1, 0.4, "The counts are no U"),
        (
            0.0,
            0.4,
            "The counts are no U. Whether more latents are in all SAEs than, on average, in each number between one and all cannot",
        ),
        (0.1, 0.5, "The counts cannot be told from a U, nor from none"),
        (0.0, 0.6, "The counts cannot be told from a U, nor from none"),
    ],
)
def test_the_sentence_has_both_parts(right, ends, words):
    text = shapes.u_sentence(shape(right, ends), 8)
    assert text.startswith(words) and "(0." in text and "a majority is more than 0.50" in text


def test_counts_that_rise_to_the_right_alone_are_no_u():
    """Nearly all latents in all SAEs: both parts hold, but there is no left end."""
    found = shapes.u_shape(draw(np.concatenate([np.full(430, 0.99), np.full(60, 0.5)]), 0), 200)
    assert side(found["right_end"]["interval"], 0) == side(found["ends"]["interval"], 0.5) == "above"
    assert shapes.u_sentence(shape(0.5, 0.7, left=-0.05), 8).startswith("The counts rise to the right alone")


# --- the floor -----------------------------------------------------------------------------------------------------


def floors(chances, n=10):
    """(values of c, how often the deciding interval lies where) over draws."""
    found = []
    for seed in range(n):
        presence = draw(chances, seed)
        curve = only_in_one(presence.shares)
        ahead = {"floor": floor.error_ahead(curve, True), "without": floor.error_ahead(curve, False)}
        c = shapes.measured(presence, shapes.fitted_floor, 60)
        found.append((c["value"], side(c["interval"], 0), side(shapes.deciding(c["interval"], ahead), 0)))
    values, fitted, decided = zip(*found, strict=True)
    return values, Counter(fitted), Counter(decided)


def test_a_floor_is_found_where_latents_are_never_found_again():
    values, _, decided = floors(np.full(312, 0.9), 6)
    assert decided["above"] == 6 and np.mean(values) == pytest.approx(1 - 312 * 0.9 / 512, abs=0.02)


def test_no_floor_is_claimed_where_the_curve_still_falls():
    """Latents of every chance from .05 %, or 2 %, on: all are found again in time, and the curve tells it."""
    for chances in (even(512, least=0.0005, most=0.5), even(512)):
        assert floors(chances, 6)[2]["above"] <= 1


def test_a_floor_that_foretells_nothing_is_undecided():
    """Latents that one SAE in twenty finds: c = .24 although there is no floor; but the law with one predicts worse."""
    values, fitted, decided = floors(np.concatenate([np.full(4000, 0.05), np.full(312, 0.9)]), 6)
    assert np.mean(values) > 0.15 and fitted["above"] >= 5 and decided["between"] >= 5
    assert shapes.deciding([0.1, 0.2], {"floor": 0.1, "without": 0.01}) == [0, 0.2]
    assert shapes.deciding([0.1, 0.2], {"floor": 0.01, "without": 0.1}) == [0.1, 0.2]
    assert shapes.deciding([-0.2, -0.1], {"floor": 0.1, "without": 0.01}) == [-0.2, -0.1]
    assert shapes.deciding([0.1, 0.2], {"floor": None, "without": None}) is None


def test_the_floor_is_recorded_with_both_fits():
    record = shapes.floor_record(draw(np.full(300, 0.9), 0))
    assert record["without"]["c"] == 0 and record["fit"]["rmse"] <= record["without"]["rmse"]
    assert record["error_ahead"]["floor"] < record["error_ahead"]["without"]
    assert record["interval"] == record["c"]["interval"]
    few = shapes.floor_record(draw(even(250), 0, n_saes=4))
    assert few["fit"] is None and few["c"]["value"] is None
    assert shapes.floor_sentence(few).startswith("Too few SAEs for a fit")
    five = shapes.floor_record(draw(even(250), 0, n_saes=5))
    assert five["fit"] and five["interval"] is None and "point estimate" in shapes.floor_sentence(five)


@pytest.mark.parametrize(
    ("c", "errors", "words"),
    [
        (0.2, (0.001, 0.01), ("numbers better than", "some latents stay the property of one SAE.")),
        (0.2, (0.01, 0.001), ("numbers no better than", "Whether there is a floor cannot be told.")),
        (-0.2, (0.01, 0.01), ("no better than", "there is no floor, and more SAEs would find everything again.")),
        (0.0, (0.001, 0.01), ("numbers better than", "Whether there is a floor cannot be told.")),
    ],
)
def test_the_floors_sentence_follows_its_interval(c, errors, words):
    ahead = dict(zip(("floor", "without"), errors, strict=True))
    interval = [c - 0.01, c + 0.01]
    found = {
        "c": {"value": c, "interval": interval},
        "error_ahead": ahead,
        "interval": shapes.deciding(interval, ahead),
    }
    text = shapes.floor_sentence(found)
    assert all(word in text for word in words) and numerals.shown(c, sign=True) in text
