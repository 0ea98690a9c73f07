"""What moves agreement: the decisions of its chapter, on measurements made up so that the answer is known."""

from dataclasses import asdict

import pytest

from mosaic.agreement.pairwise import recorded
from mosaic.agreement.resampling import Estimate
from mosaic.profiles.profile import load_profile
from mosaic.reporting import results
from mosaic.saes.sweep import Sweep, seed_groups
from mosaic.studies import move_sentences, moves
from mosaic.studies.moves import Point
from mosaic.studies.what_moves_it import WhatMovesIt
from mosaic.studies.wording import same_batches


def figures(shared, l0=8.0, fvu=0.2, pw=None, se=0.01, df=7):
    value = lambda x: recorded(Estimate(x, se, df)) | {"values": [x]}  # noqa: E731
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


def line(*values, se=0.01, df=7):
    return [Point(name, Estimate(value, se, df)) for name, value in values]


FALLING = line(("128", 0.8), ("256", 0.5), ("512", 0.2))


def test_a_falling_sweep_ends_below_its_start():
    got = moves.ends(FALLING)
    assert (got["from"], got["to"], got["start"], got["end"]) == ("128", "512", 0.8, 0.2)
    assert got["difference"] == pytest.approx(-0.6) and got["spearman"] == pytest.approx(-1)
    reach = 2.1448 * 0.01 * 2**0.5  # Student's t of 14 degrees of freedom, two equal errors
    assert got["interval"] == pytest.approx([-0.6 - reach, -0.6 + reach], abs=1e-4)
    assert "From 128 to 512 latents the shared fraction falls from 0.80 to 0.20 (difference −0.600, 95 %: −0.6" in (
        move_sentences.moved(got, "From %s to %s latents")
    )


def test_a_rising_sweep_ends_above_its_start_and_one_point_moves_nowhere():
    got = moves.ends(FALLING[::-1])
    assert got["difference"] == pytest.approx(0.6) and got["spearman"] == pytest.approx(1)
    assert "rises from" in move_sentences.moved(got, "From %s to %s latents")
    alone = moves.ends(FALLING[:1])
    assert set(alone.values()) == {"(not varied)", None}
    assert move_sentences.moved(alone, "From %s to %s latents").endswith("not varied on this profile.")


def test_a_sweep_within_its_errors_neither_rises_nor_falls():
    got = moves.ends(line(("1", 0.5), ("2", 0.51)))
    assert (
        "goes from 0.50 to 0.51, which so few SAEs cannot tell from no change (difference +0.010"
        in move_sentences.moved(got, "From %s to %s")
    )
    pairs_of_two = moves.ends([Point("1", Estimate(0.5)), Point("2", Estimate(0.6))])
    assert pairs_of_two["interval"] is None
    assert "goes from 0.50 to 0.60, without an interval" in move_sentences.moved(pairs_of_two, "From %s to %s")


def test_a_point_is_drawn_within_zero_and_one():
    assert Point("k", Estimate(0.06, 0.02, 2)).drawn == ("k", 0.06, 0.0, pytest.approx(0.146, abs=1e-3))
    assert Point("k", Estimate(0.06)).drawn == ("k", 0.06, 0.06, 0.06)


def test_the_first_layer_is_held_against_the_least_of_the_others():
    three = line(("0", 0.3), ("2", 0.6), ("5", 0.4))
    got = moves.layers(three)
    assert (got["best"], got["runner_up"]) == ("2", "5") and got["lead"]["difference"] == pytest.approx(0.2)
    assert got["first_below"]["difference"] == pytest.approx(0.1) and got["first_below"]["interval"][0] > 0
    text = move_sentences.best_layer(got)
    assert text.startswith("Layer 2 agrees most (lead +0.200, 95 %:") and "Layer 0 shares less than every other" in text
    back = moves.layers(three[::-1])
    assert back["first_below"]["interval"][1] < 0
    assert "Layer 5 shares more than some other layer" in move_sentences.best_layer(back)


def test_layers_that_cannot_be_told_apart_are_said_to_be():
    close = moves.layers(line(("0", 0.37), ("2", 0.38), ("5", 0.39)))
    text = move_sentences.best_layer(close)
    assert text.startswith("Layers 5 and 2 agree most and cannot be told apart (lead +0.010")
    assert "Layer 0 shares perhaps less than every other layer, but that cannot be told" in text
    bare = move_sentences.best_layer(moves.layers([Point("0", Estimate(0.1)), Point("2", Estimate(0.3))]))
    assert bare.startswith("Layer 2 agrees most and layer 0 next, without an interval")
    alone = moves.layers(FALLING[:1])
    assert alone["best"] == "(not varied)" and alone["first_below"]["interval"] is None
    assert move_sentences.best_layer(alone) == "Layers: not varied on this profile."


def test_weights_go_between_the_points_and_never_beyond():
    line = [16.0, 4.0]
    assert moves.weights_at(10.0, line) == pytest.approx([0.5, 0.5])
    assert moves.weights_at(8.0, line, lambda x: x**2) == pytest.approx([48 / 240, 192 / 240])
    assert moves.weights_at(4.0, line) == pytest.approx([0, 1])
    assert moves.weights_at(3.9, line) is None and moves.weights_at(16.1, line) is None
    assert moves.weights_at(8.0, []) is None
    assert moves.weights_at(8.0, [4.0, 9.0, 16.0]) == pytest.approx([0.2, 0.8, 0])


# --- architectures -------------------------------------------------------------------------------------------------


def by_architecture(row):
    """TopK shares 0.6 at k = 4 and 0.2 at 16; ReLU lies 0.1 above TopK of its L0 of 8, gated 0.2 above."""
    if row["architecture"] == "topk":
        return figures({4: 0.6, 8: 0.4, 16: 0.2}[row["k"]], l0=float(row["k"]), pw=0.7)
    return figures({"standard": 0.5, "gated": 0.6}[row["architecture"]], l0=8.0, pw=0.5)


FULL = {"ks": (8, 4, 16), "architectures": ("topk", "standard", "gated"), "l1": (1.0, 1.0)}


def test_relu_and_gated_are_compared_with_topk_of_their_own_l0():
    got = study(by_architecture, **FULL).summary()
    assert got["relu_and_gated_over_topk"]["difference"] == pytest.approx(0.1), "the lesser of the two"
    assert got["relu_and_gated_over_topk"]["interval"][0] > 0.05
    assert got["each"]["gated"]["difference"] == pytest.approx(0.2)
    assert got["topk_over_relu_pw_mcc"]["difference"] == pytest.approx(0.2)
    assert got["architectures"]["relu"]["topk_at_l0"] == pytest.approx(0.4)
    assert set(got["architectures"]) == {"topk", "relu", "gated"}
    text = got["sentences"]["topk"]
    assert "ReLU SAEs share more than TopK SAEs (+0.100" in text and "gated SAEs share more than" in text
    assert "one that answers for both at once is wider (+0.100" in text
    assert "By mean matched cosine TopK SAEs agree more than ReLU ones (TopK minus ReLU +0.200" in text


def test_topks_own_spread_is_in_the_interval():
    """The same difference, of TopK SAEs that vary much: nothing can be told any more."""

    def wavering(row):
        found = by_architecture(row)
        if row["architecture"] == "topk":
            found["shared"] |= {"se": 0.2}
            found["pw_mcc"] |= {"se": 0.2}
        return found

    got = study(wavering, **FULL).summary()
    for figure in (got["relu_and_gated_over_topk"], got["topk_over_relu_pw_mcc"]):
        assert figure["interval"][0] < 0 < figure["interval"][1]
    text = got["sentences"]["topk"]
    assert "ReLU SAEs cannot be told from TopK SAEs" in text and "TopK SAEs and ReLU ones cannot be told apart" in text


def test_where_topk_shares_most_the_sentence_says_so():
    def turned(row):
        dense = row["architecture"] != "topk"
        return figures(0.2, l0=8.0, pw=0.9) if dense else figures(0.5, l0=float(row["k"]), pw=0.5)

    text = study(turned, **FULL).summary()["sentences"]["topk"]
    assert "ReLU SAEs share less than TopK SAEs (−0.300" in text
    assert "TopK SAEs agree less than ReLU ones (TopK minus ReLU −0.400" in text


def test_gated_alone_is_compared_without_relu():
    """A user's sweep: this crashed on by_name["relu"]."""
    got = study(by_architecture, ks=(8, 4), architectures=("topk", "gated"), l1=(1.0,)).summary()
    assert got["relu_and_gated_over_topk"]["difference"] == pytest.approx(0.2)
    assert got["topk_over_relu_pw_mcc"] == {"difference": "(not comparable)", "interval": None}
    assert "both at once" not in got["sentences"]["topk"]
    assert "ReLU" not in got["sentences"]["topk"]


def test_without_topk_of_their_l0_nothing_is_compared():
    """A user's sweep without a k sweep: this crashed on None in a difference."""
    sparse = lambda row: figures(0.5, l0=8.0 if row["architecture"] == "topk" else 11.0)  # noqa: E731
    got = study(sparse, architectures=("topk", "standard", "gated"), l1=(1.0, 1.0)).summary()
    assert got["relu_and_gated_over_topk"] == {"difference": "(not comparable)", "interval": None}
    assert got["sentences"]["topk"].endswith("so nothing is compared.")
    assert got["k"]["from"] == "(not varied)" and got["architectures"]["gated"]["topk_at_l0"] is None


def test_a_base_that_is_no_topk_has_no_topk_line():
    got = study(architectures=("standard", "topk"), l1=(1.0,))
    assert got.summary()["relu_and_gated_over_topk"]["difference"] == "(not comparable)"
    assert set(got.summary()["architectures"]) == {"relu", "topk"}
    none = study(widths=(512, 128)).summary()["sentences"]["topk"]
    assert none == "Architectures: neither ReLU nor gated SAEs are in this sweep."


@pytest.mark.parametrize(
    ("hashes", "same", "words"),
    [
        (["a", "a"], True, "a hash of every batch says so"),
        (["a", "b"], False, "did NOT see the same batches"),
        ([None, None], None, "is not measured here: their cards have no hashes"),
        (["a", None], None, "is not measured here"),
    ],
)
def test_cards_without_hashes_prove_no_equal_batches(hashes, same, words):
    """minilm's card has none, and None equalled None."""
    assert same_batches([{"batches": one} for one in hashes]) is same
    assert words in move_sentences.batches(same)


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
