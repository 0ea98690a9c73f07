import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mosaic import numerals


@pytest.mark.parametrize(
    "value,text",
    [
        (0.8726, "0.87"), (0.0996, "0.10"), (0.0123, "0.012"), (0.00031, "0.00031"), (0.0, "0.00"), (-0.0, "0.00"), (1.0, "1.00"),
        (3.14159, "3.14"), (20.227, "20.2"), (2048.0, "2,048"), (12345, "12,345"), (-0.5, "−0.50"), (-2.4e-06, "−2.4 × 10⁻⁶"),
        (np.float64(0.25), "0.25"),
    ],
)  # fmt: skip
def test_a_number_has_as_many_decimals_as_say_something(value, text):
    assert numerals.shown(value) == text


def test_differences_have_three_decimals_and_a_sign_that_is_no_hyphen():
    said = [numerals.shown(value, sign=True) for value in (0.25, -0.25, 0.0, -3.3e-04, 3, -2.5)]
    assert said == ["+0.250", "−0.250", "0.000", "−0.0003", "+3", "−2.50"]


def test_the_ends_of_an_interval_have_the_same_decimals():
    assert numerals.interval(0.8, 0.912) == "0.80 to 0.91"
    assert numerals.interval(0.05, 0.5) == "0.050 to 0.500"
    assert numerals.with_interval(0.5, 0.05, 0.9) == "0.500 (0.050 to 0.900)"
    assert numerals.with_interval(-0.1, -0.2, 0.01, sign=True) == "−0.100 (−0.200 to +0.010)"


@pytest.mark.parametrize(
    "value,text",
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.614, "61 %"),
        (0.004, "0.4 %"),
        (0.0001, "below 0.1 %"),
        (0.9999, "above 99.9 %"),
        (0.995, "99.5 %"),
    ],
)
def test_a_share_is_a_percentage_that_never_says_none_or_all_of_some(value, text):
    assert numerals.share(value) == text


def test_a_column_has_one_number_of_decimals():
    assert numerals.column([0.5, 0.25, 0.0]) == 2 and numerals.column([0.5, 0.04]) == 3
    assert numerals.column([20.2, 0.04]) == 1 and numerals.column([]) == 2


def test_a_hyphen_is_a_minus_only_before_a_number():
    assert (
        numerals.minus("-0.5 to -.2, layer-3, end-to-end, 2-3, (-1)") == "−0.5 to −.2, layer-3, end-to-end, 2-3, (−1)"
    )


@given(st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) >= 1e-4))
def test_what_is_shown_is_the_number(value):
    """Within half of its last digit; no number that is not zero reads as zero."""
    text = numerals.shown(value).replace(numerals.MINUS, "-").replace(",", "")
    places = len(text.partition(".")[2])
    assert abs(float(text) - value) <= 0.5 * 10**-places + 1e-9
    assert (float(text) == 0) == (value == 0)
