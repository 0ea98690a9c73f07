"""Latents against known factors: the rank formula, the halves, the names."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from mosaic.features.table import FeatureTable
from mosaic.interpretation import tracking
from mosaic.texts.ids import text_ids


def table_of(matrix: np.ndarray, layer: int = 1) -> FeatureTable:
    n = len(matrix)
    provenance = {"features": "sae", "layer": layer, "width": "1k", "sae": "s", "pooling": "max"}
    ids = text_ids([str(i) for i in range(n)])
    return FeatureTable(csr_matrix(matrix.astype(np.float32)), ids, np.ones(n, np.int32), np.zeros(n, bool), provenance)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 40), st.integers(1, 7))
def test_auroc_equals_scikit_learns(seed, n, width):
    rng = np.random.default_rng(seed)
    matrix = rng.integers(0, 4, (n, width)).astype(np.float32)  # many ties
    present = rng.random((n, 3)) < 0.5
    present[0], present[1] = True, False
    got = tracking.auroc(csr_matrix(matrix), present)
    want = [[roc_auc_score(present[:, f], matrix[:, d]) for f in range(3)] for d in range(width)]
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_ranks_are_scipys_to_the_last_bit():
    """Zeros, ties and entries below zero, columns without any entry and without a zero."""
    rng = np.random.default_rng(0)
    dense = np.round(rng.normal(size=(40, 60)), 1) * (rng.random((40, 60)) < rng.random(60))
    dense[:, 0], dense[:, 1] = 0, 1 + rng.random(40)
    present = rng.random((40, 3)) < 0.5
    ones = present.sum(0)
    want = (rankdata(dense, axis=0).T @ present - ones * (ones + 1) / 2) / (ones * (40 - ones))
    np.testing.assert_array_equal(tracking.auroc(csr_matrix(dense), present), want)


@pytest.fixture(scope="module")
def world():
    return tracking.texts(20)


def test_the_factors_vary_within_their_kind(world):
    rows, factors = world
    assert len({f.name for f in factors}) == len(factors) > 40
    present = tracking.presence(rows, factors)
    for column, factor in zip(present.T, factors, strict=True):
        inside = [factor.kind in ("", row.label) for row in rows]
        assert 0 < column[inside].sum() < sum(inside), factor.name


def test_halves_share_every_kind_and_language_equally(world):
    rows, _ = world
    chosen = tracking.halves(rows)
    for stratum in {(row.label, row.language) for row in rows}:
        assert chosen[[(row.label, row.language) == stratum for row in rows]].mean() == 0.5


def test_a_latent_that_is_the_factor_is_found_and_named(world):
    rows, factors = world
    negation = next(i for i, f in enumerate(factors) if f.name == "message: negation")
    rng = np.random.default_rng(0)
    matrix = rng.random((len(rows), 6)) * 0.1
    matrix[:, 4] = tracking.presence(rows, factors)[:, negation]
    found = tracking.find(table_of(matrix), rows, factors)
    best = next(f for f in found if f.factor == "message: negation" and f.language == "all")
    assert best.latent == 4 and best.auroc == best.chosen_auroc == 1.0 == best.average_precision
    assert (best.low, best.high) == (1.0, 1.0) and "draws" not in best.row()
    scored = ~tracking.halves(rows) & np.array([row.label == "message" for row in rows])
    assert best.n_with == tracking.presence(rows, factors)[scored, negation].sum() > 0
    assert {f.language for f in found if f.factor == "message: negation"} == {"all", "en", "es", "de", "ru", "zh"}
    assert tracking.names(table_of(matrix), rows, factors)[4] == "message: negation (1.00)"


def test_searching_noise_wins_nothing(world):
    """The best of many random latents is chosen on one half and scored on the other."""
    rows, factors = world
    noise = np.random.default_rng(1).random((len(rows), 400))
    found = tracking.find(table_of(noise), rows, factors, by_language=False)
    assert abs(np.mean([f.auroc for f in found]) - 0.5) < 0.04
    assert np.mean([f.chosen_auroc for f in found]) > 0.65
    assert np.mean([f.low <= 0.5 <= f.high for f in found]) > 0.8


def test_a_latent_is_named_by_one_half_and_its_number_is_the_other_halfs(world):
    """A latent that is the factor on the texts that choose, and noise on the others, is not told as if it found it."""
    rows, factors = world
    negation = next(i for i, f in enumerate(factors) if f.name == "message: negation")
    matrix = np.random.default_rng(2).random((len(rows), 3)) * 0.1
    chosen = tracking.halves(rows)
    matrix[chosen, 1] = tracking.presence(rows, factors)[chosen, negation]
    area, named = tracking.best_factor(table_of(matrix), rows, factors)
    assert named[1] == "message: negation" and abs(area[1] - 0.5) < 0.2
    assert 1 in tracking.names(table_of(matrix), rows, factors)
    # Of 50 factors the best is chosen for every latent of noise: on the half that did not choose, nothing is left of it.
    noise = np.random.default_rng(3).random((len(rows), 200))
    assert abs(tracking.best_factor(table_of(noise), rows, factors)[0].mean() - 0.5) < 0.04
