"""Many seeds: what is recorded, drawn and said of SAEs whose common part is known."""

import numpy as np
import pytest

from mosaic.agreement.pairwise import Seeds
from mosaic.profiles.profile import load_profile
from mosaic.reporting import results
from mosaic.saes.dictionary import Dictionary
from mosaic.studies import many_seeds


def saes(n_seeds, common=30, own=20, d=48):
    """SAEs that have `common` latents in common and `own` to themselves."""
    rows = lambda n, seed: np.random.default_rng(seed).normal(size=(2, n, d)).astype(np.float32)  # noqa: E731
    core = rows(common, 99)
    parts = [np.concatenate([core, rows(own, seed)], axis=1) for seed in range(n_seeds)]
    return Seeds.of([Dictionary(str(seed), *part) for seed, part in enumerate(parts)])


@pytest.mark.parametrize("n_seeds", [2, 3, 6])
def test_any_number_of_seeds_is_recorded_drawn_and_tabled(n_seeds, tmp_path, monkeypatch):
    """Two SAEs have nothing between the ends and no triangle: this crashed on the minimum of nothing."""
    made = study(saes(n_seeds), monkeypatch)
    got = made.summary()
    assert (got["n_seeds"], got["only_one"], got["all"]) == (n_seeds, pytest.approx(0.4), pytest.approx(0.6))
    assert (got["u_shape"]["ends"]["value"] is None) == (got["cycle"]["mean"] is None) == (n_seeds == 2)
    assert (got["floor"]["fit"] is None) == (got["floor"]["c"]["value"] is None) == (n_seeds < 5)
    made.record(tmp_path)
    for name, text in got["sentences"].items():
        assert results.lookup("mini", f"many_seeds.sentences.{name}", tmp_path) == text and len(text) > 20
    for figure in (made.figure(), made.at_thresholds(), made.more_seeds()):
        assert figure.axes
    assert "chance (random dictionaries)" in made.table()
    markup = made.threshold_slider()
    assert f"60 % of the latents are in all {n_seeds} SAEs, 40 % in only one, 0 % between" in markup


def test_what_all_or_one_have_is_a_u_with_a_floor(monkeypatch):
    got = study(saes(6), monkeypatch).summary()
    assert got["u_shape"]["right_end"]["value"] == pytest.approx(0.6)
    assert got["u_shape"]["ends"]["value"] == pytest.approx(1)
    assert got["floor"]["c"]["value"] == pytest.approx(0.4, abs=0.01)
    assert got["sentences"]["shape"].startswith("The counts are a U")
    assert got["membership"]["6"]["interval"][0] < 0.6 < got["membership"]["6"]["interval"][1]


def test_triangles_have_an_interval_over_saes():
    """Every triple holds an SAE that others hold too; three SAEs make one triple, which says nothing of its spread."""
    triples = {(0, 1, 2): 0.5, (0, 1, 3): 0.6, (0, 2, 3): 0.5, (1, 2, 3): 0.6}
    got = many_seeds.closing(triples, dict.fromkeys(triples, 0.01), 4)
    assert got["mean"] == pytest.approx(0.55) and got["low"] < 0.5 < 0.6 < got["high"] and got["chance"] == 0.01
    one = many_seeds.closing({(0, 1, 2): 0.5}, {(0, 1, 2): 0.01}, 3)
    assert (one["mean"], one["low"]) == (0.5, None)


@pytest.mark.parametrize(
    ("mean", "low", "high", "words"),
    [
        (0.55, 0.5, 0.6, "close (95 %: 0.50 to 0.60), far from all, but more than chance (0.010)."),
        (0.98, 0.97, 0.99, "nearly all, and more than chance"),
        (0.011, 0.0, 0.02, "no more than chance"),
        (0.55, None, None, "close (no interval), far from all, but more than chance"),
    ],
)
def test_triangles_are_held_against_chance(mean, low, high, words):
    assert words in many_seeds.triangle_sentence({"mean": mean, "low": low, "high": high, "chance": 0.01})


def test_two_saes_make_no_triangle():
    assert many_seeds.triangle_sentence({"mean": None}) == "Two SAEs make no triangle: not measured here."


ROW = {"seed": 0, "architecture": "topk", "k": 8, "width": 50, "layer": 3, "tokens": 1000, "batches": "x"}


def study(seeds, monkeypatch):
    rows = tuple(ROW | {"seed": i} for i in range(len(seeds)))
    monkeypatch.setattr(
        many_seeds, "base_of", lambda profile: (load_profile(profile), type("Base", (), {"rows": rows}))
    )
    monkeypatch.setattr(many_seeds, "seeds_of", lambda *_: seeds)
    return many_seeds.run("mini")
