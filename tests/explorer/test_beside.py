"""Random latents beside an SAE's: kept ones against a slow search."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from mosaic.explorer.beside import rates, sample, twins


@pytest.mark.parametrize("seed", range(20))
def test_the_nearest_rate_by_logarithm_stands_beside(seed):
    rng = np.random.default_rng(seed)
    own = np.exp(rng.normal(-5, 2, rng.integers(1, 60)))
    random = np.where(rng.random(50) < 0.2, 0, np.round(np.exp(rng.normal(-4, 1, 50)), 3))
    kept = sample(own, random, 9)
    assert (np.diff(kept) > 0).all() and len(kept) <= 9 and (random[kept] > 0).all()
    found = twins(own, kept, random)
    for rate, twin in zip(own, found, strict=True):
        distance = np.abs(np.log(random[kept]) - np.log(rate))
        assert abs(np.log(random[twin]) - np.log(rate)) == pytest.approx(distance.min())
        assert twin == min(n for n in kept if random[n] == random[twin]), "of equal ones the lower number"


def test_where_nothing_fires_nothing_is_kept():
    assert not len(sample(np.array([0.1]), np.zeros(5))) and not len(sample(np.zeros(0), np.ones(5)))


def test_rates_are_shares_of_tokens():
    assert rates(csr_matrix([[0, 2.0], [1, 1], [0, 3], [0, 0]])).tolist() == [0.25, 0.75]
