"""The chapter on feature spaces: what is paired, what is compared, what is said, on made-up spaces with known answers."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from mosaic.agreement.universality import Pairs
from mosaic.errors import MosaicError
from mosaic.profiles.profile import load_profile
from mosaic.studies import universality as chapter
from mosaic.studies import universality_said as said
from mosaic.studies.feature_spaces import SELDOM, Compared, Space, check_same_tokens, minus

D, T = 60, 4000


def space(model: str, layer: int, seed: int, turn: int | None = None, noise: float = 0.0, d: int = 12) -> Space:
    """A space of D latents; those of one seed fire alike and lie alike, however `turn` rotates and orders them."""
    rng = np.random.default_rng(seed)
    fires = np.where(rng.random((T, D)) < 0.03, rng.random((T, D)) + 0.5, 0)
    rows = rng.normal(size=(D, d))
    if turn is not None:
        other = np.random.default_rng(turn)
        order = other.permutation(D)
        rows = (rows @ np.linalg.qr(other.normal(size=(d, d)))[0])[order] + noise * other.normal(size=(D, d))
        fires = fires[:, order]
    return Space(model, layer, rows.astype(np.float32), csr_matrix(fires.astype(np.float32)))


def test_a_turned_and_reordered_space_is_the_same():
    found = Compared.of(space("a", 1, 0), space("b", 2, 0, turn=5))
    assert len(found.pairs) == D and found.distinct == 1 and found.pairs.r == pytest.approx(1)
    assert found.svcca.observed == pytest.approx(1, abs=1e-6) and found.rsa.observed > 0.9
    assert found.svcca.interval[0] > 0 and found.rsa.interval[0] > 0


def test_spaces_that_fire_on_other_tokens_have_no_pairs():
    assert len(Compared.of(space("a", 1, 0), space("b", 1, 1)).pairs) == 0


def test_latents_that_fire_seldom_are_not_paired():
    one, other = space("a", 1, 0), space("b", 2, 0, turn=5)
    codes = one.codes.tolil()
    rows = codes[:, 7].nonzero()[0]
    codes[rows[SELDOM - 1 :], 7] = 0
    found = Compared.of(Space("a", 1, one.decoder, csr_matrix(codes)), other)
    assert 7 not in found.pairs.first and len(found.pairs) == D - 1


def test_a_space_beside_one_whose_geometry_is_noise():
    facing = space("b", 2, 0, turn=5)
    trained, noise = (Compared.of(space("a", 1, 0, turn=9, noise=n), facing) for n in (0.0, 50.0))
    found, back = minus([trained], [noise]), minus([noise], [trained])
    assert found["interval"][0] > 0 and found["of"] > found["other"] and found["n_pairs"] == [D, D]
    assert back["difference"] == pytest.approx(-found["difference"])
    several = minus([trained], [noise, Compared.of(space("a", 1, 0, turn=8, noise=50.0), facing)])
    assert several["interval"][0] > 0


def test_spaces_of_one_kind_are_rarely_told_apart():
    """Its 95 % interval missed zero in a third of such cases where it was over overlapping subsets."""
    truth = np.random.default_rng(0).normal(size=(24, 32))

    def drawn(seed: int, n: int) -> Compared:
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(n, 24))
        y = 0.3 * x @ truth / np.sqrt(24) + rng.normal(size=(n, 32))
        sides = [Space(name, 1, rows, csr_matrix((1, n))) for name, rows in (("a", x), ("b", y))]
        return Compared(*sides, Pairs(np.arange(n), np.arange(n), np.ones(n)), 1.0)

    found = [minus([drawn(2 * i, 120)], [drawn(2 * i + 1, 90)])["interval"] for i in range(60)]
    assert sum(low > 0 or high < 0 for low, high in found) <= 8


def test_other_tokens_are_refused():
    with pytest.raises(
        MosaicError, match=r"a and b cut the texts into other tokens \(3 and 2\)\. Name profiles under others"
    ):
        check_same_tokens("a", np.array([1, 2, 3]), "b", np.array([1, 2]))
    check_same_tokens("a", np.array([1]), "b", np.array([1]))


@pytest.fixture(scope="module")
def study():
    a = [space("a", layer, 0, turn=layer, noise=0.3) for layer in (1, 2, 3)]
    b = [space("b", layer, 0, turn=10 + layer, noise=0.3) for layer in (1, 2, 3)]
    grid = [Compared.of(one, other) for one in (a[1], a[0], a[2]) for other in (b[1], b[0], b[2])]
    controls = {
        chapter.RANDOM: [Compared.of(space("r", 2, 0, turn=i, noise=50), b[1]) for i in range(2)],
        chapter.UNTRAINED: [Compared.of(space("u", 2, 0, turn=7, noise=50), b[1])],
    }
    kinds = {"message": np.arange(12), "fact": np.arange(3)}
    profile = SimpleNamespace(name="a")
    return chapter.Universality(profile, tuple(grid), Compared.of(a[1], a[1]), controls, kinds, T)


def test_the_summary_of_known_spaces(study):
    summary = study.summary()
    assert summary["main"]["first"] == "a, layer 2" and summary["main"]["second"] == "b, layer 2"
    assert summary["itself"]["svcca"]["value"] == pytest.approx(1)
    assert summary["significant"]["svcca"] == {"k": 9, "n": 9, "share": 1.0}
    for name in (chapter.RANDOM, chapter.UNTRAINED):
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


def test_a_profile_without_controls_shows_itself_alone(study):
    alone = chapter.Universality(study.profile, study.grid[:1], study.itself, {}, {}, T)
    assert alone.summary()["sentences"]["controls"] == "" and alone.controls_figure().axes


@pytest.mark.parametrize(
    ("others", "message"),
    [
        (("mini",), "profile mini, others: mini stands twice"),
        (("mini-large", "mini-large"), "profile mini, others: mini-large stands twice"),
        (("nobody",), "unknown profile 'nobody'"),
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
def test_controls_and_kinds_are_told_by_their_intervals(side, words):
    one = {"difference": 0.1, "interval": BRANCHES[side], "n": 30}
    against = one | {"of": 0.2, "other": 0.1, "n_pairs": [30, 20]}
    assert f"Beside x, the trained SAE's space is {words} (0.20 against 0.10, on 30 and 20 pairs" in said.control(
        "x", against
    )
    assert f"emotions: {words}" in said.groups({"emotions": one})


@pytest.mark.parametrize(
    ("side", "words"), [("above", "are above"), ("below", "are below"), ("between", "are not told")]
)
def test_one_component_is_told_by_its_interval(side, words):
    main = {"value": 0.043, "null": 0.034, "interval": BRANCHES[side]}
    got = said.one_component([{"n_pairs": 9, "measured": 0.1, "theory": 0.2}], main, {"k": 2, "n": 9}, 0.3)
    assert f"the middle layers {words}" in got and "2 of 9 pairs of layers are above it, and the highest is 0.30" in got


def test_what_is_missing_is_said():
    assert said.groups({}) == "Too few latents of a kind have a name here to compare kinds."
