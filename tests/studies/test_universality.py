"""The chapter on feature spaces: what is paired, what is compared, what is said, on made-up spaces with known answers."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from mosaic.agreement.universality import Correlations, Pairs
from mosaic.errors import MosaicError
from mosaic.profiles.profile import OtherModel, load_profile
from mosaic.studies import universality as chapter
from mosaic.studies import universality_said as said
from mosaic.studies.feature_spaces import SELDOM, Compared, Space, minus
from mosaic.studies.universality_kinds import ANY, Kinds
from mosaic.studies.universality_reading import RANDOM, UNTRAINED, Readings

D, T = 60, 4000


def space(model: str, layer: int, seed: int, turn: int | None = None, noise: float = 0.0, d: int = 12):
    """(a space of D latents, their codes); those of one seed fire alike and lie alike, however `turn` rotates and orders them."""
    rng = np.random.default_rng(seed)
    fires = np.where(rng.random((T, D)) < 0.03, rng.random((T, D)) + 0.5, 0)
    rows = rng.normal(size=(D, d))
    if turn is not None:
        other = np.random.default_rng(turn)
        order = other.permutation(D)
        rows = (rows @ np.linalg.qr(other.normal(size=(d, d)))[0])[order] + noise * other.normal(size=(D, d))
        fires = fires[:, order]
    return Space(model, layer, rows.astype(np.float32)), csr_matrix(fires.astype(np.float32))


def compared(one, other) -> Compared:
    sums = Correlations(D, D)
    sums.add(one[1], other[1])
    return Compared.of(one[0], other[0], sums)


def test_a_turned_and_reordered_space_is_the_same():
    found = compared(space("a", 1, 0), space("b", 2, 0, turn=5))
    assert len(found.pairs) == D and found.distinct == 1 and found.pairs.r == pytest.approx(1)
    assert found.svcca.observed == pytest.approx(1, abs=1e-6) and found.rsa.observed > 0.9
    assert found.svcca.interval[0] > 0 and found.rsa.interval[0] > 0


def test_spaces_that_fire_on_other_tokens_have_no_pairs():
    assert len(compared(space("a", 1, 0), space("b", 1, 1)).pairs) == 0


def test_latents_that_fire_seldom_are_not_paired():
    one, other = space("a", 1, 0), space("b", 2, 0, turn=5)
    codes = one[1].tolil()
    rows = codes[:, 7].nonzero()[0]
    codes[rows[SELDOM - 1 :], 7] = 0
    found = compared((one[0], csr_matrix(codes)), other)
    assert 7 not in found.pairs.first and len(found.pairs) == D - 1


def test_a_space_beside_one_whose_geometry_is_noise():
    facing = space("b", 2, 0, turn=5)
    trained, noise = (compared(space("a", 1, 0, turn=9, noise=n), facing) for n in (0.0, 50.0))
    found, back = minus([trained], [noise]), minus([noise], [trained])
    assert found["interval"][0] > 0 and found["of"] > found["other"] and found["n_pairs"] == [D, D]
    assert back["difference"] == pytest.approx(-found["difference"])
    several = minus([trained], [noise, compared(space("a", 1, 0, turn=8, noise=50.0), facing)])
    assert several["interval"][0] > 0


def test_spaces_of_one_kind_are_rarely_told_apart():
    """Its 95 % interval missed zero in a third of such cases where it was over overlapping subsets."""
    truth = np.random.default_rng(0).normal(size=(24, 32))

    def drawn(seed: int, n: int) -> Compared:
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(n, 24))
        y = 0.3 * x @ truth / np.sqrt(24) + rng.normal(size=(n, 32))
        sides = [Space(name, 1, rows) for name, rows in (("a", x), ("b", y))]
        return Compared(*sides, Pairs(np.arange(n), np.arange(n), np.ones(n)), 1.0)

    found = [minus([drawn(2 * i, 120)], [drawn(2 * i + 1, 90)])["interval"] for i in range(60)]
    assert sum(low > 0 or high < 0 for low, high in found) <= 8


@pytest.fixture(scope="module")
def study():
    a = [space("a", layer, 0, turn=layer, noise=0.3) for layer in (1, 2, 3)]
    b = [space("b", layer, 0, turn=10 + layer, noise=0.3) for layer in (1, 2, 3)]
    grid = [compared(one, other) for one in (a[1], a[0], a[2]) for other in (b[1], b[0], b[2])]
    controls = {
        RANDOM: [compared(space("r", 2, 0, turn=i, noise=50), b[1]) for i in range(2)],
        UNTRAINED: [compared(space("u", 2, 0, turn=7, noise=50), b[1])],
    }
    words = [("day", "day", "night", "hour", "day")] * 20 + [(".", "!", "no", "no", "no")] * 25 + [("no",) * 5] * 15
    found = Readings(tuple(grid), compared(a[1], a[1]), None, controls, {"b": ("tokens", T)}, {})
    kinds = Kinds(grid[0], {"message": np.arange(12), "fact": np.arange(3)}, False, words)
    return chapter.Universality(SimpleNamespace(name="a"), found, (words, words[::-1]), kinds)


def test_the_summary_of_known_spaces(study):
    summary = study.summary()
    assert summary["main"]["first"] == "a, layer 2" and summary["main"]["second"] == "b, layer 2"
    assert summary["itself"]["svcca"]["value"] == pytest.approx(1)
    assert summary["significant"]["svcca"] == {"k": 9, "n": 9, "share": 1.0}
    for name in (RANDOM, UNTRAINED):
        assert summary["trained_minus"][name]["interval"][0] > 0
    assert set(summary["kinds"]) == {"message"}, "three pairs are too few"
    nulls = summary["one_component"]
    assert all(one["measured"] == pytest.approx(one["theory"], rel=0.15) for one in nulls.values())
    assert list(nulls) == ["7553", "1879"]


def test_figures_and_table(study):
    (ax, _) = study.figure().axes
    assert [label.get_text() for label in ax.get_yticklabels()] == [f"b, layer {i}" for i in (1, 2, 3)]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "3"] and ax.get_xlabel() == "layer of a"
    assert study.rsa_figure().axes and study.controls_figure().axes
    assert study.table().count("<tr>") == 10


def test_what_the_filters_leave_is_counted_by_hand(study):
    """Latents 0 to 19 are of time, 20 to 44 on a mark, 45 to 59 on "no" alone; the other side has them in reverse."""
    found = study.summary()["filters"]
    assert {name: one["n"] for name, one in found.items()} == {
        "all pairs": 60,
        "no mark": 30,  # 0 to 14 beside "no", 15 to 19 beside a mark ... and the same from the other end
        "no mark and no single word": 0,
        "as published": 0,
    }
    assert found["no mark"]["share"] == 0.5 and found["no mark"]["interval"][0] < 0.5 < found["no mark"]["interval"][1]
    assert found["all pairs"]["beside_any"] is None and found["as published"]["rsa"] is None
    assert found["no mark"]["rsa"]["interval"][0] > 0 and set(found["no mark"]["beside_any"]) == {"r", "rsa"}
    assert study.filters_table().count("<tr>") == 5


def test_lists_of_words_take_the_place_of_factors(study):
    lists = Kinds(study.main, {"time": np.arange(20), "speech": np.arange(4), ANY: np.arange(24)}, True, study.words[0])
    summary = replace(study, kinds=lists, layers=lists).summary()
    assert summary["kinds"] is None and set(summary["lists"]) == {"time", ANY}
    assert set(summary["layers"]) == {"time", ANY, "mean"} and summary["layers"]["mean"]["n"] == 1
    assert "RSA within a list of words" in summary["sentences"]["kinds"]
    rows = said.kind_rows(lists)
    assert rows[0]["words"] == "day night hour; day night hour" and rows[0]["n"] == 20
    assert study.kinds_table().count("<tr>") == 2
    empty = replace(study, kinds=replace(lists, members={}))
    none = empty.summary()
    assert empty.kinds_table().count("<tr>") == 1
    assert none["lists"] == {ANY: None} and none["layers"] is None, "a claim on them is not testable"


def test_a_profile_without_controls_shows_itself_alone(study):
    alone = replace(study, found=replace(study.found, grid=study.found.grid[:1], controls={}))
    summary = alone.summary()
    assert summary["sentences"]["controls"] == "" and alone.controls_figure().axes
    assert summary["trained_minus"] == {RANDOM: None, UNTRAINED: None}


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ((OtherModel("mini"),), "profile mini, others: mini stands twice"),
        ((OtherModel("mini-large"), OtherModel("mini-large")), "profile mini, others: mini-large stands twice"),
        ((OtherModel("nobody"),), "unknown profile 'nobody'"),
        ((), "profile mini has no other model that can be had here. Name profiles under others"),
    ],
)
def test_other_models_are_checked_before_any_is_opened(others, message):
    with pytest.raises(MosaicError, match=message):
        chapter.run(replace(load_profile("mini"), others=others))


def test_a_middle_layer_without_an_sae_is_refused_before_any_is_opened():
    with pytest.raises(MosaicError, match="profile mini has no SAE of layer 2"):
        chapter.run(replace(load_profile("mini"), middle=2))


BRANCHES = {"above": [0.1, 0.2], "below": [-0.2, -0.1], "between": [-0.1, 0.1]}


@pytest.mark.parametrize(
    ("side", "words"),
    [
        ("above", "is above what a permuted"),
        ("below", "is below what a permuted"),
        ("between", "is not told apart from"),
    ],
)
def test_likeness_is_told_by_its_interval(side, words):
    one = {"value": 0.5, "null": 0.4, "excess": 0.1, "interval": BRANCHES[side], "n": 30}
    assert f"SVCCA {words}" in said.alike("a", "b", {"svcca": one})


@pytest.mark.parametrize(
    ("side", "words"), [("above", "more alike"), ("below", "less alike"), ("between", "not told apart")]
)
def test_controls_kinds_and_filters_are_told_by_their_intervals(side, words):
    one = {"difference": 0.1, "interval": BRANCHES[side], "n": 30}
    against = one | {"of": 0.2, "other": 0.1, "n_pairs": [30, 20]}
    told = said.control("x", against)
    assert {"above": "is more like", "below": "is less like", "between": "cannot be told whether"}[side] in told
    assert "than that of x is (difference +0.100, 95 %" in told and "0.20 and 0.10, on 30 and 20 pairs." in told
    every = {"n": 30, "rsa": one, "one_component": one, "r": one}
    got = said.groups("a against b", "list of words", {"emotions": every}, every | {"n": 4})
    assert f"emotions: {words}" in got and f"The mean over 4: {words} by RSA" in got
    assert "mean over" not in said.groups("a against b", "list of words", {"emotions": every}, every | {"n": 1})
    many = {name: every for name in ("a", "b", "c", "d", ANY)}
    short = said.groups("x", "list of words", many)
    assert f"{ANY}: {words}" in short and ("not told apart: a, b, c, d" in short) == (side == "between")
    kept = {"n": 20, "share": 0.5, "rsa": {"excess": 0.1, "interval": [0.1, 0.2]}, "beside_any": every}
    left = said.filters({"all pairs": {"n": 40}, "no mark": kept})
    assert "RSA is above a permuted pairing (excess +0.100" in left and f"they are {words} by RSA" in left
    assert 'The rule "neither latent on a mark" leaves 20 of 40 pairs (50 %). Their' in left
    assert f"By how they fire, they are {words} (+0.100)." in left


@pytest.mark.parametrize(
    ("side", "words"), [("above", "above a"), ("below", "below a"), ("between", "not told apart from a")]
)
def test_what_is_left_is_held_against_permuted_pairings(side, words):
    kept = {"n": 20, "share": 0.5, "rsa": {"excess": 0.1, "interval": BRANCHES[side]}, "beside_any": None}
    assert f"RSA is {words} permuted" in said.filters({"all pairs": {"n": 40}, "no mark": kept})


@pytest.mark.parametrize(
    ("side", "words"), [("above", "are above"), ("below", "are below"), ("between", "are not told")]
)
def test_one_component_is_told_by_its_interval(side, words):
    main = {"value": 0.043, "null": 0.034, "interval": BRANCHES[side]}
    got = said.one_component([{"n_pairs": 9, "measured": 0.1, "theory": 0.2}], main, {"k": 2, "n": 9}, 0.3)
    assert f"the middle layers {words}" in got and "2 of 9 pairs of layers are above it, and the highest is 0.30" in got


def test_what_is_missing_is_said():
    assert (
        said.groups("a against b", "kind of factor", {})
        == "a against b: too few latents of a kind of factor to compare."
    )
    few = {"n": 3, "share": 0.1, "rsa": None, "beside_any": None}
    assert "leaves 3 of 30 pairs (10 %)" in said.filters({"all pairs": {"n": 30}, "no mark": few})
    assert said.filters({"all pairs": {"n": 30}, "no mark": few}).endswith("too few to compare.")


def test_what_a_row_is_is_said():
    assert said.read({"b": ("tokens", 1200)}) == "Latents are paired on 1,200 tokens beside b."
    both = said.read({"b": ("tokens", 1200), "c": ("whole words", 900)})
    assert "900 whole words beside c" in both and "The tokenizer of c cuts texts elsewhere" in both
