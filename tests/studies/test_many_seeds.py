"""Many seeds: the U, the subsets, the floor and the triangles, on SAEs whose common part is known."""

import numpy as np
import pytest

from mosaic.agreement.pairwise import Seeds
from mosaic.profiles.profile import load_profile
from mosaic.saes.dictionary import Dictionary
from mosaic.studies import many_seeds


def saes(n_seeds, common=30, own=20, d=48):
    """SAEs that have `common` latents in common and `own` to themselves."""
    rows = lambda n, seed: np.random.default_rng(seed).normal(size=(2, n, d)).astype(np.float32)  # noqa: E731
    core = rows(common, 99)
    parts = [np.concatenate([core, rows(own, seed)], axis=1) for seed in range(n_seeds)]
    return Seeds.of([Dictionary(str(seed), *part) for seed, part in enumerate(parts)])


def test_counts_are_shares_of_each_references_latents():
    counts = many_seeds.membership_counts(saes(4))
    assert counts == pytest.approx(np.tile([0.4, 0, 0, 0.6], (4, 1)))


def test_the_u_is_the_smaller_end_above_the_bottom():
    got = many_seeds.u_shape(np.array([[0.4, 0.1, 0.2, 0.3], [0.5, 0.1, 0.2, 0.2]]))
    assert got["lowest_between"] == pytest.approx(0.1)
    assert got["u_shape"]["difference"] == pytest.approx(0.15)
    assert got["u_shape"]["interval"] == pytest.approx([0.1, 0.2])
    hill = many_seeds.u_shape(np.array([[0.1, 0.4, 0.3, 0.2]]))
    assert hill["u_shape"]["difference"] == pytest.approx(-0.2)


def test_subsets_are_all_of_them_or_twenty():
    assert sorted(many_seeds.subsets(range(4), 2)) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    drawn = many_seeds.subsets(range(10), 4)
    assert len(drawn) == len(set(drawn)) == 20 and drawn == many_seeds.subsets(range(10), 4)
    assert all(5 not in part for part in many_seeds.subsets([i for i in range(10) if i != 5], 4))


def test_a_floor_with_one_left_out_needs_enough_seeds():
    assert many_seeds.floors_without_one(saes(5, 6, 4)) == []
    floors = many_seeds.floors_without_one(saes(6, 6, 4))
    assert len(floors) == 6 and floors == pytest.approx([0.4] * 6, abs=0.02)


@pytest.mark.parametrize("n_seeds", [2, 3, 5])
def test_any_number_of_seeds_is_recorded_drawn_and_tabled(n_seeds, tmp_path, monkeypatch):
    """Two SAEs have nothing between the ends and no triangle: this crashed on the minimum of nothing."""
    seeds = saes(n_seeds)
    made = study(seeds, monkeypatch)
    got = made.summary()
    assert (got["n_seeds"], got["only_one"], got["all"]) == (n_seeds, pytest.approx(0.4), pytest.approx(0.6))
    assert (got["u_shape"]["difference"] is None) == (got["cycle"]["mean"] is None) == (n_seeds == 2)
    assert (got["fit"] is None) == (got["floor"] is None) == (n_seeds < 5)
    made.record(tmp_path)
    for figure in (made.figure(), made.at_thresholds(), made.more_seeds()):
        assert figure.axes
    assert "chance (random dictionaries)" in made.table()


def study(seeds, monkeypatch):
    monkeypatch.setattr(many_seeds, "base_of", lambda profile: (load_profile(profile), type("Base", (), {"rows": ()})))
    monkeypatch.setattr(many_seeds, "seeds_of", lambda *_: seeds)
    return many_seeds.run("mini")
