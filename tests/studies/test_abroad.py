"""Scores abroad on made-up predictions whose answer is known."""

import numpy as np
import pytest
from transfer_toy import parallel

from mosaic.probing.scores import Mean
from mosaic.studies import abroad
from mosaic.texts.labelled import FAMILIAR, NEW, LabelledTexts

N = 30  # messages, as `parallel` has them


def right_in(test: LabelledTexts, language: str, part: str) -> np.ndarray:
    """Predictions that are right in one language and part, and otherwise always "good"."""
    known = (test.languages == language) & (test.parts == part)
    return np.where(known, test.labels, "good").astype(object)


ALWAYS_ONE = 1 / 3  # macro-F1 of one answer for two balanced classes


def test_the_mean_leaves_out_home_and_reads_the_first_part():
    test = parallel()
    assert abroad.foreign(test) == ["de", "zh"]
    german = right_in(test, "de", FAMILIAR)
    assert abroad.mean([(test, [german])]).macro_f1 == pytest.approx((1 + ALWAYS_ONE) / 2)
    assert abroad.mean([(test, [german])], NEW).macro_f1 == pytest.approx(ALWAYS_ONE)
    assert abroad.mean([(test, [right_in(test, "en", FAMILIAR)])]).macro_f1 == pytest.approx(ALWAYS_ONE)
    assert abroad.value(test, german) == pytest.approx((1 + ALWAYS_ONE) / 2)
    assert abroad.at_home(test, german) == pytest.approx(ALWAYS_ONE)


def test_every_language_has_a_score_of_its_own_rows():
    test = parallel()
    found = abroad.by_language(test, [right_in(test, "de", FAMILIAR), right_in(test, "zh", FAMILIAR)])
    assert list(found) == ["en", "de", "zh"] and found["de"]["n"] == N
    assert found["de"]["macro_f1"] == pytest.approx((1 + ALWAYS_ONE) / 2)  # the mean of two draws
    assert found["en"]["macro_f1"] == pytest.approx(ALWAYS_ONE)


def test_a_difference_has_its_sign_and_an_interval_on_its_side():
    test = parallel()
    truth, one = test.labels.copy(), np.full(len(test), "good", dtype=object)
    ahead = abroad.difference([(test, [truth], [one]), (test, [truth], [one])])
    assert ahead.difference == pytest.approx(1 - ALWAYS_ONE) and ahead.low > 0
    behind = abroad.difference([(test, [one], [truth])])
    assert behind.difference == pytest.approx(ALWAYS_ONE - 1) and behind.high < 0


def test_a_message_is_drawn_in_all_its_languages_at_once():
    """The same mistakes in every language are one sample, not several: more languages make no interval narrower."""
    rng = np.random.default_rng(0)
    wrong = rng.random(N) < 0.3
    widths = []
    for languages in (("en", "de"), ("en", "de", "zh", "ru", "es")):
        test = parallel(languages)
        flipped = np.tile(wrong, 2 * len(languages))
        other = np.where(test.labels == "good", "bad", "good")
        found = abroad.mean([(test, [np.where(flipped, other, test.labels).astype(object)])])
        widths.append(found.high - found.low)
    assert widths[1] == pytest.approx(widths[0], rel=0.02)


def test_draws_widen_the_interval():
    test = parallel()
    good, bad = test.labels.copy(), np.full(len(test), "good", dtype=object)
    same = abroad.mean([(test, [good, good])])
    apart = abroad.mean([(test, [good, bad])])
    assert same.high - same.low < 1e-9 and apart.high - apart.low > 0.3


@pytest.mark.parametrize(("majority", "classes", "expected"), [(0.34, 2, 0.5), (0.6, 2, 0.6), (0.2, 4, 0.25)])
def test_chance_is_the_majority_class_or_a_toss(majority, classes, expected):
    assert abroad.chance(np.array([str(i % classes) for i in range(12)]), majority) == expected


@pytest.mark.parametrize(("low", "holds"), [(0.55, True), (0.45, False)])
def test_above_chance_moves_the_interval_too(low, holds):
    found = abroad.above(Mean(0.6, low, 0.7), 0.5)
    assert found["difference"] == pytest.approx(0.1) and (found["interval"][0] > 0) is holds
