"""Latents in common between probes: the halves they are fitted on, the ones they lean on, shares with a known answer."""

from dataclasses import replace

import numpy as np
import pytest
import toy
from scipy.sparse import csr_matrix

from mosaic.probing import comparison, examine
from mosaic.studies import latent_overlap
from mosaic.studies.latent_overlap import Overlap

CARRIES = 5  # the column of the toy's table "max" that has the label


@pytest.fixture
def home():
    """(the toy problem, its linear result on the table that carries the label)"""
    problem = toy.problem(groups=True)
    found = comparison.evaluate(problem, families=["sae"], binarize=False, trees=False)
    return problem, next(r for r in found if r.setting.pooling == "max")


def moved(problem, by):
    """The same problem with its table's columns moved: what a probe leans on moves with them."""
    tables = [
        replace(t, matrix=csr_matrix(np.roll(t.matrix.toarray(), by, axis=1)))
        if t.provenance["features"] == "sae"
        else t
        for t in problem.tables
    ]
    return replace(problem, tables=tuple(tables))


def test_a_probe_leans_most_on_the_latent_that_carries_the_label(home):
    problem, result = home
    candidate = examine.candidate_of(problem, result)
    for draw in range(3):
        rows = np.flatnonzero(latent_overlap.half(problem, draw))
        assert latent_overlap.leading(candidate, rows, result, 1) == {CARRIES}
    shifted = examine.candidate_of(moved(problem, 3), result)
    assert latent_overlap.leading(shifted, rows, result, 1) == {CARRIES + 3}


def test_halves_are_whole_groups_the_same_in_every_language_and_other_ones_each_draw(home):
    problem, _ = home
    groups = problem.train.groups
    halves = [latent_overlap.half(problem, draw) for draw in range(3)]
    for chosen in halves:
        assert not set(groups[chosen]) & set(groups[~chosen])
        assert len(set(groups[chosen])) == len(set(groups)) // 2
    assert len({tuple(chosen) for chosen in halves}) == 3
    order = np.random.default_rng(0).permutation(len(problem.train))
    other = replace(problem, train=problem.train.take(order))
    assert (latent_overlap.half(other, 0) == halves[0][order]).all()


def test_the_same_columns_are_shared_and_moved_ones_are_not(home):
    problem, result = home
    found = latent_overlap.overlap({"en": problem, "de": problem, "ru": moved(problem, 3)}, result, n_draws=4, top=1)
    assert list(found.shared) == ["de", "ru"]
    assert found.shared["de"].tolist() == [1.0] * 4 and found.shared["ru"].tolist() == [0.0] * 4
    assert found.ceiling.tolist() == [1.0] * 4
    active = (examine.table_of(problem, result.setting).matrix[: len(problem.train)].getnnz(axis=0) > 0).sum()
    assert found.chance == pytest.approx(1 / active)


def test_means_over_languages_and_sets_are_by_draw():
    one = Overlap({"de": np.array([0.5, 0.7]), "zh": np.array([0.3, 0.5])}, np.array([0.8, 0.9]), 0.1)
    two = Overlap({"de": np.array([0.1, 0.1])}, np.array([0.4, 0.5]), 0.3)
    found = latent_overlap.over_sets([one, two])
    assert found["share"]["mean"] == pytest.approx(np.mean([[0.4, 0.6], [0.1, 0.1]]))
    assert found["above_chance"]["difference"] == pytest.approx(np.mean([[0.3, 0.5], [-0.2, -0.2]]))
    assert found["above_chance"]["interval"][0] == pytest.approx(np.quantile([0.05, 0.15], 0.025))
    assert found["by_language"] == pytest.approx({"de": 0.35, "zh": 0.4})
    assert found["ceiling"]["mean"] == pytest.approx(0.65) and found["chance"] == pytest.approx(0.2)


def test_a_share_is_of_the_first():
    assert latent_overlap.share({1, 2, 3, 4}, {3, 4, 5}) == 0.5 and latent_overlap.share(set(), {1}) == 0.0
