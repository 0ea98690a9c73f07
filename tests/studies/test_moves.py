"""What moves agreement: the decisions of chapter 10, on measurements made up so that the answer is known."""

from dataclasses import asdict

import pytest

from mosaic.profiles.profile import load_profile
from mosaic.reporting import results
from mosaic.saes.sweep import Sweep, seed_groups
from mosaic.studies import moves
from mosaic.studies.moves import Point
from mosaic.studies.what_moves_it import WhatMovesIt


def figures(shared, l0=8.0, fvu=0.2, pw=None, width=0.1):
    value = lambda x: {"mean": x, "low": x - width, "high": x + width, "values": [x - width, x + width]}  # noqa: E731
    pw = shared if pw is None else pw
    return {
        "shared": value(shared),
        "alive": value(shared),
        "equal": value(shared),
        "pw_mcc": value(pw),
        "chance_shared": 0.0,
        "chance_cosine": 0.3,
        "l0": l0,
        "fvu": fvu,
        "dead": 0.0,
        "n_pairs": 3,
    }


def study(measure=lambda row: figures(0.5), **varied):
    """A study of a made-up sweep: `varied` as in `Sweep`; measure(row) -> the figures of a setting."""
    base = {"layers": (3,), "widths": (512,), "ks": (8,), "tokens": (1_000_000,), "architectures": ("topk",)}
    specs = Sweep(**(base | varied)).specs()
    rows = [{**asdict(spec), "name": spec.name, "batches": str((spec.layer, spec.tokens))} for spec in specs]
    found = tuple(seed_groups(rows))
    measured = {group.rows[0]["name"]: measure(group.rows[0]) for group in found}
    return WhatMovesIt(load_profile("mini"), found, measured)


# --- the ends of a sweep -------------------------------------------------------------------------------------------

FALLING = [Point("128", 0.8, 0.7, 0.9), Point("256", 0.5, 0.45, 0.55), Point("512", 0.2, 0.1, 0.3)]


def test_a_falling_sweep_ends_below_its_start():
    got = moves.ends(FALLING)
    assert (got["from"], got["to"], got["start"], got["end"]) == ("128", "512", 0.8, 0.2)
    assert got["difference"] == pytest.approx(-0.6) and got["interval"] == pytest.approx([-0.8, -0.4])
    assert got["spearman"] == pytest.approx(-1)


def test_a_rising_sweep_ends_above_its_start_and_one_point_moves_nowhere():
    got = moves.ends(FALLING[::-1])
    assert got["difference"] == pytest.approx(0.6) and got["interval"] == pytest.approx([0.4, 0.8])
    assert got["spearman"] == pytest.approx(1)
    assert moves.ends(FALLING[:1]) == dict.fromkeys(("from", "to", "start", "end"), "(not varied)")


def test_the_first_layer_is_held_against_the_least_of_the_others():
    line = [Point("0", 0.3, 0.25, 0.35), Point("2", 0.6, 0.5, 0.7), Point("5", 0.4, 0.38, 0.42)]
    got = moves.layers(line)
    assert got["best"] == "2"
    assert got["first_below"]["difference"] == pytest.approx(0.1)
    assert got["first_below"]["interval"] == pytest.approx([0.03, 0.45])
    assert moves.layers(line[::-1])["first_below"]["difference"] < 0
    assert moves.layers(line[:1]) == {"best": "(not varied)"}


def test_at_equal_goes_between_the_points_and_never_beyond():
    line = [(16.0, 0.2), (4.0, 0.6)]
    assert moves.at_equal(10.0, line) == pytest.approx(0.4)
    assert moves.at_equal(8.0, line, lambda x: x**2) == pytest.approx(0.6 - 0.4 * 48 / 240)
    assert moves.at_equal(4.0, line) == pytest.approx(0.6)
    assert moves.at_equal(3.9, line) is None and moves.at_equal(16.1, line) is None
    assert moves.at_equal(8.0, []) is None


# --- architectures -------------------------------------------------------------------------------------------------


def by_architecture(row):
    """TopK shares 0.6 at k = 4 and 0.2 at 16; ReLU lies 0.1 above TopK of its L0 of 8, gated 0.2 above."""
    if row["architecture"] == "topk":
        return figures({4: 0.6, 8: 0.4, 16: 0.2}[row["k"]], l0=float(row["k"]), pw=0.7)
    return figures({"standard": 0.5, "gated": 0.6}[row["architecture"]], l0=8.0, pw=0.5, width=0.05)


FULL = {"ks": (8, 4, 16), "architectures": ("topk", "standard", "gated"), "l1": (1.0, 1.0)}


def test_relu_and_gated_are_compared_with_topk_of_their_own_l0():
    got = study(by_architecture, **FULL).summary()
    assert got["relu_and_gated_over_topk"]["difference"] == pytest.approx(0.15)
    assert got["relu_and_gated_over_topk"]["interval"] == pytest.approx([0.05, 0.25])
    assert got["topk_over_relu_pw_mcc"] == pytest.approx(0.2)
    assert got["architectures"]["relu"]["topk_at_l0"] == pytest.approx(0.4)
    assert set(got["architectures"]) == {"topk", "relu", "gated"}


def test_gated_alone_is_compared_without_relu():
    """A user's sweep: this crashed on by_name["relu"]."""
    got = study(by_architecture, ks=(8, 4), architectures=("topk", "gated"), l1=(1.0,)).summary()
    assert got["relu_and_gated_over_topk"]["difference"] == pytest.approx(0.2)
    assert "topk_over_relu_pw_mcc" not in got


def test_without_topk_of_their_l0_nothing_is_compared():
    """A user's sweep without a k sweep: this crashed on None in a difference."""
    sparse = lambda row: figures(0.5, l0=8.0 if row["architecture"] == "topk" else 11.0)  # noqa: E731
    got = study(sparse, architectures=("topk", "standard", "gated"), l1=(1.0, 1.0)).summary()
    assert got["relu_and_gated_over_topk"] == {"difference": "(not comparable)"}
    assert got["k"]["from"] == "(not varied)" and got["architectures"]["gated"]["topk_at_l0"] is None


def test_a_base_that_is_no_topk_has_no_topk_line():
    got = study(architectures=("standard", "topk"), l1=(1.0,))
    assert got.summary()["relu_and_gated_over_topk"] == {"difference": "(not comparable)"}
    assert set(got.summary()["architectures"]) == {"relu", "topk"}


# --- whatever was varied, the chapter runs --------------------------------------------------------------------------

SWEEPS = {
    "only seeds": {},
    "widths": {"widths": (512, 256)},
    "layers": {"layers": (3, 1)},
    "tokens": {"tokens": (1_000_000, 500_000)},
    "k": {"ks": (8, 4)},
    "one other architecture": {"architectures": ("topk", "gated"), "l1": (1.0,)},
    "relu alone": {"architectures": ("standard",), "l1": (1.0,)},
    "two that have a k": {"architectures": ("batchtopk", "jumprelu")},
    "two seeds": {"seeds": (0, 1), "varied": 2, "widths": (512, 128)},
}


@pytest.mark.parametrize("name", SWEEPS)
def test_any_sweep_is_recorded_drawn_and_tabled(name, tmp_path):
    made = study(**SWEEPS[name])
    made.record(tmp_path)
    got = results.read("mini", "what_moves_it", tmp_path)
    for what in ("width", "k", "tokens"):
        varied = len(SWEEPS[name].get({"width": "widths", "k": "ks"}.get(what, what), ())) > 1
        assert (got[what]["start"] == "(not varied)") != varied
    assert made.figure().axes and made.architectures("fvu").axes and "<table" in made.table()
    for what in ("width", "k", "tokens", "layer"):
        drawn = made.along(what)
        assert drawn == "<p>Not varied on this profile.</p>" or drawn.axes


def test_equal_names_of_two_settings_do_not_mix_their_figures():
    """1,000,000 and 1,020,000 tokens are both shown as 1M: the base keeps its own place and figures."""
    made = study(lambda row: figures(0.5 if row["tokens"] == 1_000_000 else 0.9), tokens=(1_000_000, 1_020_000))
    got = made.summary()["tokens"]
    assert (got["start"], got["end"]) == (0.5, 0.9)
