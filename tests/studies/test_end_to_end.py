"""The chapter on end-to-end SAEs: what is measured, compared and said, on made-up SAEs with known answers and on the shipped ones."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mosaic.agreement.resampling import Estimate
from mosaic.errors import MosaicError
from mosaic.profiles.profile import load_profile
from mosaic.saes.dictionary import Dictionary
from mosaic.saes.end_to_end_measuring import Measured
from mosaic.studies import end_to_end as chapter
from mosaic.studies import end_to_end_said as said
from mosaic.studies.end_to_end_measured import OfSeeds, Texts, Trained, comparable, minus, nearest_to, settings, several

N, D = 40, 6


def trained(loss="e2e", sparsity=1.0, seed=0, l0=3.0, ce=0.1, rows=None, fires=None) -> Trained:
    """An SAE whose L0 and added cross-entropy are these on every text; text i has 5 + i % 3 tokens."""
    tokens = 5.0 + np.arange(N) % 3
    measured = Measured(
        tokens=tokens,
        predictions=tokens - 1,
        active=l0 * tokens,
        kl=ce * tokens,
        added=ce * (tokens - 1),
        error=2 * tokens,
        downstream={4: 3 * tokens, 5: 4 * tokens},
        square=9 * tokens,
        total=np.zeros((N, 2)),
        fires=np.full(D, 7.0) if fires is None else np.array(fires, float),
    )
    rows = np.eye(D, dtype=np.float32) if rows is None else rows
    row = {"name": f"{loss}_{sparsity}_{seed}", "loss": loss, "sparsity": sparsity, "seed": seed}
    return Trained.of(row, measured, Dictionary(row["name"], rows, rows))


def test_figures_are_means_over_tokens():
    one, texts = trained(l0=3.5, ce=0.2), Texts.of(N, draws=50)
    assert texts.estimate(one, "l0") == {"value": pytest.approx(3.5), "interval": pytest.approx([3.5, 3.5])}
    assert texts.estimate(one, "ce")["value"] == pytest.approx(0.2)
    assert one.drawn("error", texts.once)[0] == pytest.approx(2) and one.drawn("downstream", texts.drawn)[
        3
    ] == pytest.approx(4)
    figures = one.measured.figures()
    assert figures["l0"] == pytest.approx(one.measured.figures(np.full(N, 2.0))["l0"]) == pytest.approx(3.5)
    assert figures["fvu"] == pytest.approx(2 / 9) and figures["downstream"] == pytest.approx({"4": 3, "5": 4})
    assert (texts.drawn.sum(1) == N).all()


def test_losses_are_compared_at_equal_cost_over_seeds():
    first = [[trained(sparsity=s, l0=10 / s, ce=0.1 * s)] for s in (1, 2, 4)]
    second = [[trained("local", sparsity=s, l0=20 / s, ce=0.1 * s)] for s in (1, 2, 4)]
    texts = Texts.of(N, draws=100)
    found = texts.compare(first, second, "l0", "ce")
    assert found.value == pytest.approx(0.5) and found.interval == pytest.approx([0.5, 0.5])
    assert texts.compare(first, second, "ce", "l0").value == pytest.approx(0.5)
    first[1] += [trained(sparsity=2, seed=seed, l0=l0, ce=0.2) for seed, l0 in ((1, 4), (2, 6))]
    spread = texts.compare(first, second, "l0", "ce")
    assert spread.value == pytest.approx(0.5) and spread.interval[0] < 0.5 < spread.interval[1]  # seeds differ


def test_settings_stand_in_the_order_of_lambda():
    saes = [trained(sparsity=s, seed=seed) for s, seed in ((4, 0), (1, 2), (1, 0), (2, 0), (1, 1))] + [trained("local")]
    assert [[(m.row["sparsity"], m.row["seed"]) for m in of] for of in settings(saes, "e2e")] == [
        [(1, 0), (1, 1), (1, 2)], [(2, 0)], [(4, 0)],
    ]  # fmt: skip
    assert [[one.row["seed"] for one in members] for members in several(saes, "e2e")] == [[0, 1, 2]]


def test_seeds_are_compared_where_they_cost_about_the_same():
    def pair(loss, sparsity, l0, ce):
        return [trained(loss, sparsity, seed, l0, ce) for seed in (0, 1)]

    saes = [
        *pair("e2e", 1, 10, 0.1), *pair("e2e+ds", 2, 12, 0.12), *pair("local", 3, 40, 0.11), *pair("local", 5, 11, 0.4),
        trained("local", 9, l0=10, ce=0.1),
    ]  # fmt: skip
    found = comparable(saes)
    assert {loss: members[0].row["sparsity"] for loss, members in found.items()} == {"local": 3, "e2e": 1, "e2e+ds": 2}
    assert nearest_to(found["e2e"], several(saes, "local"), "l0")[0].row["sparsity"] == 5


def test_the_nearest_latent_is_of_those_that_fire():
    rows = np.array([[1, 0], [0.6, 0.8], [0, 2], [3, 0]], dtype=np.float32)
    assert trained(rows=rows, fires=[1, 1, 1, 0]).nearest == pytest.approx((0.6 + 0.8 + 0.8) / 3)
    assert trained(rows=rows, fires=[1, 0, 0, 1]).nearest == pytest.approx(1)
    assert trained(rows=rows, fires=[1, 0, 0, 0]).nearest == 0


def test_seeds_that_are_one_sae_share_everything():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(30, 16)).astype(np.float32)
    same = OfSeeds([trained(seed=s, rows=rows[rng.permutation(30)], fires=[1] * 30) for s in range(3)])
    other = OfSeeds(
        [trained(seed=s, rows=rng.normal(size=(30, 16)).astype(np.float32), fires=[1] * 30) for s in range(3)]
    )
    assert same.shared_alive.value == 1 and other.shared_alive.value < 0.1
    record = same.summary()
    assert (
        record["n_saes"] == 3
        and record["decoder_alone"] == 1
        and record["shared"]["mean"] == 1
        and record["random_dictionary"]["shared_fraction"] < 0.1
    )
    assert minus(other.shared_alive, same.shared_alive)["interval"][1] < 0
    assert minus(Estimate(0.2), Estimate(0.5)) == {"difference": pytest.approx(-0.3), "interval": None}
    assert same.nearest.value == pytest.approx(same.members[0].nearest)


def ratio_of(value, low=None, high=None):
    return {"ratio": value, "interval": None if low is None else [low, high], "range": [0.01, 0.2]}


NONE = {"ratio": None, "interval": None, "range": [None, None]}
PAIRS = ("e2e over local", "e2e+ds over local", "e2e over e2e+ds")


@pytest.mark.parametrize(
    "found,expected",
    [
        (
            ratio_of(0.5, 0.4, 0.6),
            "that of e2e is below that of local (0.50 times it, 95 %: 0.40 to 0.60). The curves are read where CE is 0.010 to 0.20.",
        ),
        (ratio_of(2.0, 1.5, 2.5), "that of e2e is above that of local"),
        (ratio_of(1.0, 0.5, 1.5), "that of e2e is not told apart from that of local"),
        (ratio_of(0.9, 0.8, 1.0), "that of e2e is not told apart from that of local"),
        (ratio_of(0.9), "that of e2e is beside that of local (0.90 times it, no interval)."),
        (NONE, "e2e and local have no range of their curves in common, so nothing is said of them."),
    ],
)
def test_a_ratio_is_said_by_its_interval(found, expected):
    assert said.at_equal("L0 at equal CE", {"e2e over local": found}).startswith(f"L0 at equal CE: {expected}")


def test_ratios_are_one_sentence_each_and_their_ranges_one():
    got = said.at_equal("L0 at equal CE", dict(zip(PAIRS, [ratio_of(0.5, 0.4, 0.6), NONE, ratio_of(0.9)], strict=True)))
    assert ". E2e+ds and local have no range" in got and ". That of e2e is beside that of e2e+ds (" in got
    assert got.endswith("The curves are read where CE is 0.010 to 0.20 and 0.010 to 0.20, in this order.")


@pytest.mark.parametrize(
    "found,expected",
    [
        ([ratio_of(0.5, 0.4, 0.6)] * 3, "The published order holds here: e2e needs the fewest"),
        (
            [ratio_of(0.5, 0.4, 0.6)] * 2 + [ratio_of(1.2, 1.1, 1.3)],
            "does not hold here. Turned round is e2e below e2e+ds.",
        ),
        (
            [ratio_of(0.5, 0.4, 0.6)] * 2 + [ratio_of(1.0, 0.9, 1.1)],
            "in part at most. As published: e2e below local and e2e+ds below local. Undecided: e2e below e2e+ds.",
        ),
        (
            [ratio_of(0.5, 0.4, 0.6), NONE, ratio_of(0.9)],
            "As published: e2e below local. Undecided: e2e+ds below local and e2e below e2e+ds.",
        ),
        ([NONE] * 3, "in part at most. Undecided: e2e below local, e2e+ds below local and e2e below e2e+ds."),
    ],
)
def test_the_order_is_said_by_all_three_intervals(found, expected):
    assert expected in said.order(dict(zip(PAIRS, found, strict=True)))


@pytest.mark.parametrize(
    "interval,expected",
    [
        ([-0.3, -0.1], "is below 0 (−0.200"),
        ([0.1, 0.3], "is above 0"),
        ([-0.1, 0.3], "is undecided"),
        (None, "has no interval"),
    ],
)
def test_agreement_and_geometry_are_said_by_their_intervals(interval, expected):
    found = {
        "local": {"shared_alive": {"mean": 0.6}, "random_dictionary": {"shared_fraction": 0.0}, "n_saes": 3, "decoder_alone": 0.5, "nearest": {"value": 0.4}},
        "e2e": {"shared_alive": {"mean": 0.4}, "random_dictionary": {"shared_fraction": 0.001}, "n_saes": 3, "decoder_alone": 0.5, "nearest": {"value": 0.3}},
    }  # fmt: skip
    difference = {"e2e minus local": {"difference": -0.2, "interval": interval}}
    one, other = said.agreement(found, difference), said.geometry(found, difference)
    assert f"e2e minus local {expected}" in one and f"e2e minus local {expected}" in other
    assert "By decoders alone: local 0.50, e2e 0.50." in one
    assert (
        "pairs of 3 seeds share: local 0.60, e2e 0.40 (random dictionaries 0.001)" in one
        and "local 0.40, e2e 0.30" in other
    )


@pytest.mark.parametrize(
    "interval,expected",
    [([-0.3, -0.1], "worse than"), ([0.1, 0.3], "better than"), ([-0.1, 0.3], "not told apart from")],
)
def test_probes_are_said_by_their_interval(interval, expected):
    text = said.probes({"local": 0.8, "e2e": 0.7}, {"e2e minus local": {"difference": -0.1, "interval": interval}}, 3)
    assert (
        f"The score of e2e is {expected} that of local (−0.100" in text
        and "mean over 3 sets: local 0.80, e2e 0.70" in text
    )


def test_latents_that_fire_are_counted():
    assert said.alive({"local": [512, 512], "e2e": [500, 512]}, 512) == (
        "Of 512 latents, these fire on the texts read: local 512, e2e 500 to 512."
    )


@pytest.fixture(scope="module")
def study():
    return chapter.run("mini", n_texts=30, n_sets=1, cache=None)


def test_the_shipped_saes_are_read_again(study):
    found = study.summary()
    assert found["n_texts"] == 30 and found["n_sets"] == 1 and found["n_saes"] == len(study.saes)
    assert {row["loss"] for row in found["saes"]} == {"local", "e2e", "e2e+ds"}
    assert len({one.row["batches"] for one in study.saes}) == 1
    for one in study.saes:  # on other texts than its card's
        value = study.texts.estimate(one, "l0")["value"]
        assert value == pytest.approx(one.row["l0"], rel=0.2)
    for loss in ("local", "e2e", "e2e+ds"):
        l0, ce = (
            [study.texts.estimate(members[0], f)["value"] for members in settings(study.saes, loss)]
            for f in ("l0", "ce")
        )
        assert l0 == sorted(l0, reverse=True) and ce == sorted(ce)
        assert found["agreement"][loss]["n_saes"] == 3
    local, judged = found["agreement"]["local"]["shared_alive"]["mean"], found["agreement"]["as_much_as_local"]
    assert (judged["difference"] is None) == (local <= 0.1), "less by .1 must be possible"
    json.dumps(found)


def test_what_a_reader_sees(study):
    html = str(study.table())
    assert html.count("<tr>") == len(study.saes) + 1 and "λ" in html and "mini/toxicity" in str(study.probes_table())
    figure = study.figure()
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["local", "e2e", "e2e+ds"]
    assert figure.axes[0].get_xscale() == figure.axes[0].get_yscale() == "log"
    lines = study.downstream_figure().axes[0].get_lines()
    assert [list(line.get_xdata()) for line in lines] == [[3, 4, 5]] * 3
    figure = study.agreement_figure()
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["local", "e2e", "e2e+ds", "local of equal L0"]
    first = figure.axes[0].get_lines()
    assert len(first) == 4 and all(np.diff(line.get_ydata()).max() <= 1e-9 for line in first)


ROW = dict.fromkeys(chapter.KEYS, 1)


@pytest.mark.parametrize(
    "rows,message",
    [
        (None, "card.json does not exist. A folder of SAEs trained end to end is expected"),
        ({}, "is not the card of SAEs trained end to end: rows with name, loss"),
        ([{"name": "a"}], "is not the card of SAEs trained end to end"),
        ([{**ROW, "loss": "local"}, {**ROW, "loss": "e2e"}], r"has no SAE of the loss e2e\+ds. Train all three"),
        ([{**ROW, "loss": loss, "layer": i} for i, loss in enumerate(("local", "e2e", "e2e+ds"))], "of several layers or widths"),
    ],
)  # fmt: skip
def test_a_folder_that_cannot_be_compared_is_named(tmp_path, rows, message):
    if rows is not None:
        (tmp_path / "card.json").write_text(json.dumps(rows))
    with pytest.raises(MosaicError, match=message):
        chapter.run(replace(load_profile("mini"), end_to_end=str(tmp_path)))
