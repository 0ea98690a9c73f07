"""The floor of "only in one of S": found where there is one, not where there is none, and only from enough points."""

import numpy as np
import pytest

from mosaic.agreement import floor
from mosaic.errors import MosaicError

SIZES = np.arange(2, 10)


def law(a, b, c):
    return dict(zip(SIZES.tolist(), (a * SIZES.astype(float) ** b + c).tolist(), strict=True))


@pytest.mark.parametrize("true", [(0.589, -0.916, 0.27), (0.9, -0.5, 0.0), (0.9, -0.3, -0.1), (0.4, -2.5, 0.4)])
def test_the_law_that_made_the_points_is_found(true):
    fit = floor.power_law(law(*true))
    assert (fit["a"], fit["b"], fit["c"]) == pytest.approx(true, abs=2e-3) and fit["rmse"] < 1e-6


def test_without_a_floor_c_is_zero_and_a_floor_is_missed():
    curve = law(0.589, -0.916, 0.27)
    fit = floor.power_law(curve, floor=False)
    assert fit["c"] == 0 and fit["rmse"] > 0.005
    assert floor.error_ahead(curve, True) < 0.001 < floor.error_ahead(curve, False)


def test_without_a_floor_in_the_points_the_simpler_law_foretells_as_well():
    noise = 0.004 * np.resize([1, -1, -1, 1, 1], len(SIZES))
    noisy = {s: y + e for (s, y), e in zip(law(0.9, -0.5, 0.0).items(), noise, strict=True)}
    assert floor.error_ahead(noisy, False) < floor.error_ahead(noisy, True)


def test_a_logarithm_has_no_floor():
    curve = {int(s): 0.9 - 0.2 * np.log(s) for s in SIZES}
    assert floor.power_law(curve)["c"] < -1


def test_too_few_points_are_refused():
    with pytest.raises(MosaicError, match="3 numbers of seeds; the fit of a S\\^b \\+ c needs at least 4"):
        floor.power_law({2: 0.5, 3: 0.4, 4: 0.35})
    assert floor.error_ahead({2: 0.5, 3: 0.4, 4: 0.35, 5: 0.3}, True) is None
