"""Binarisation beside feature selection: costs against what numpy and scipy store, means with known answers, sentences."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from toy import problem

from mosaic.probing import comparison, examine
from mosaic.probing.candidates import TableFeatures
from mosaic.probing.scores import Difference
from mosaic.reporting.colours import ORDERED, TABLE
from mosaic.reporting.results import record
from mosaic.studies import feature_selection as fs
from mosaic.studies import feature_selection_said as said
from mosaic.studies.feature_selection_arms import ARMS, BINARISED, CHOSEN, NAMES, NO_SELECTION, SAME, binarised, named
from mosaic.studies.feature_selection_cost import Cost, Ratio, cost, ratio_over_sets
from mosaic.texts.labelled import FAMILIAR, NEW, LabelledTexts

UP, DOWN, LEVEL = (
    Difference(0.2, 0.1, 0.3, 0.01),
    Difference(-0.2, -0.3, -0.1, 0.01),
    Difference(0.0, -0.1, 0.1, 0.9),
)
KEPT, LOWER = Difference(0.0, -0.01, 0.01, 0.9), Difference(-0.03, -0.05, -0.01, 0.01)


def one(title, right, latents, k=16, parts=None):
    """A set whose arms are right on the first `right[arm]` of 20 texts, and keep latents[arm], a tenth of them active."""
    labels = np.array(["a", "b"] * 10, dtype=object)
    wrong = np.where(labels == "a", "b", "a").astype(object)

    def result(arm):
        predicted = np.where(np.arange(20) < right[arm], labels, wrong)
        row = {
            "macro_f1": right[arm] / 20,
            "low": 0.0,
            "high": 1.0,
            "validation_macro_f1": 0.5,
            "C": 1.0,
            "threshold": None,
        }
        return SimpleNamespace(predicted=predicted, row=lambda: row)

    test = LabelledTexts(title, [f"text {i}" for i in range(20)], labels, None, parts=parts)
    costs = {arm: Cost(latents[arm], 20, 2 * latents[arm], arm not in RAW) for arm in ARMS}
    return fs.OneSelection(title, test, {arm: result(arm) for arm in ARMS}, costs, dict.fromkeys(WITH_K, k), "l1")


RAW = {NO_SELECTION, "l1", "mean_difference", "mutual_information", CHOSEN}
WITH_K = [arm for arm in ARMS if not arm.startswith("all")]


def made_up(n_sets=2, parts=None):
    right = dict.fromkeys(ARMS, 10) | {BINARISED: 20, NO_SELECTION: 16, CHOSEN: 12}
    sets = []
    for i in range(n_sets):
        latents = {arm: (1024 if arm.startswith("all") else 64 * 4**i) for arm in ARMS}
        sets.append(one(f"set {i}", right, latents, 64 * 4**i, parts))
    return fs.FeatureSelection(tuple(sets), "sum", (16, 64, 256))


def test_bytes_are_those_that_are_stored():
    rng = np.random.default_rng(0)
    x = csr_matrix(np.maximum(rng.normal(size=(50, 37)) - 1, 0).astype(np.float32))
    on = (x.toarray() > 0).astype(np.uint8)
    raw, binary = (Cost(37, 50, x.nnz, binary) for binary in (False, True))
    assert raw.dense == x.toarray().nbytes and raw.packed is None
    assert raw.csr == x.data.nbytes + x.indices.nbytes + x.indptr.nbytes
    assert binary.csr == x.indices.nbytes + x.indptr.nbytes
    assert binary.packed == np.packbits(on, axis=1).nbytes == binary.least
    assert raw.least == min(raw.dense, raw.csr) and raw.per_text()["least"] == raw.least / 50


def test_the_cost_is_of_the_columns_that_the_probe_reads():
    """A latent that is silent in training, or that binarising empties there, is not stored."""
    p = problem(60, 40)
    table = p.tables[1]
    x = table.matrix.toarray()
    x[:60, 7] = 0
    x[:60, 8] = np.minimum(x[:60, 8], 0.5)
    table = replace(table, matrix=csr_matrix(x))
    raw = cost(TableFeatures(p, table), None)
    assert (raw.latents, raw.n_texts, raw.binary) == (39, 40, False)
    assert raw.active == np.count_nonzero(np.delete(x[60:], 7, axis=1))
    on = cost(TableFeatures(p, table, True), 0.6)
    assert on.latents <= 38 and on.binary and on.active < raw.active


def test_known_rows_give_known_means():
    values = made_up().summary()
    assert values["binarised_minus"][NO_SELECTION]["difference"] == pytest.approx(1 - 0.8, abs=0.01)
    assert values["arms"][BINARISED]["mean"] == 1.0 and values["arms"]["l1"]["mean"] == pytest.approx(0.5)
    # All binarised: 1,024 bits. Selected, 64 and 256 float32 with a tenth active: sparse rows are smaller.
    assert values["arms"][BINARISED]["packed_bytes"] == pytest.approx(128)
    of_sets = [(8 * 2 * k + 4 * 21) / 20 for k in (64, 256)]
    assert values["arms"][CHOSEN]["least_bytes"] == pytest.approx(np.sqrt(np.prod(of_sets)))
    binary = (4 * 2 * 1024 + 4 * 21) / 20  # more than the bits
    assert binary > 128
    assert values["bytes_ratio"][CHOSEN]["ratio"] == pytest.approx(128 / np.sqrt(np.prod(of_sets)))
    assert values["arms"][CHOSEN]["latents"] == pytest.approx(128) and values["arms"][CHOSEN]["packed_bytes"] is None
    assert values["sets"]["set 1"]["l1"]["k"] == 256 and set(values["sets"]["set 0"]) == set(ARMS) - set(SAME)
    assert values["binarised_minus_new_words"] == {} and values["arms"]["l1"]["new_words"] is None


def test_new_words_are_recorded_where_there_are_any():
    parts = np.array([FAMILIAR] * 10 + [NEW] * 10, dtype=object)
    study = made_up(parts=parts)
    assert study.summary()["binarised_minus_new_words"][CHOSEN]["difference"] > 0.5
    assert "On new words this difference " in study.sentences()["replaces"] and "macro-F1, new words" in study.table()
    assert "new words" not in made_up().table()


def test_every_arm_has_its_mark_and_its_line():
    study = made_up()
    (ax,) = study.figure().axes
    assert len(ax.containers) == len(ARMS) - len(SAME) and ax.get_xscale() == "log"
    legend = [text.get_text() for text in ax.figure.legends[0].get_texts()]
    assert legend[:2] == ["no selection", "L1"] and legend[-3:] == ["raw", "binarised", "binarised at 1.0"]
    lines = {line.get_label(): line.get_color() for line in ax.figure.legends[0].get_lines()[:4]}
    others = dict(zip(("mean difference", "L1"), ORDERED, strict=False))  # as the chapter on few labels has them
    assert lines["no selection"] == TABLE["sae"].colour and {name: lines[name] for name in others} == others
    table = study.table()
    assert all(named(arm) in table for arm in ARMS)
    assert len({named(arm) for arm in ARMS}) == len(ARMS)


def test_one_set_alone_is_enough(tmp_path):
    study = made_up(1)
    assert study.summary()["bytes_ratio"][CHOSEN]["interval"] == (None, None)
    assert "On this one set" in study.sentences()["bytes"] and "on one set" in study.sentences()["maintains"]
    record("p", "n", study.summary(), tmp_path)


def test_a_ratio_over_sets():
    assert ratio_over_sets([0.5]) == Ratio(0.5, (None, None))
    same = ratio_over_sets([0.25] * 4)
    assert same.ratio == pytest.approx(0.25) and same.interval == pytest.approx((0.25, 0.25))
    apart = ratio_over_sets([0.25, 4.0, 0.25, 4.0])
    assert apart.ratio == pytest.approx(1.0) and apart.interval[0] < 1 < apart.interval[1]
    assert apart.interval[0] * apart.interval[1] == pytest.approx(1.0, rel=0.1), "even on a logarithmic scale"


def test_from_a_problem_to_every_arm():
    p = problem(60, 40)
    found = {(r.setting.pooling, r.setting.binarized): r for r in comparison.evaluate(p, families=["sae"], trees=False)}
    published = examine.binarised_at(p, ["max"], 1.0)["max"]
    one_of = fs.one_set("toy", p, found["max", False], found["max", True], published, (1, 4))
    assert set(one_of.results) == set(one_of.costs) == set(ARMS)
    assert one_of.results[NO_SELECTION] is found["max", False] and one_of.results["all_published"].threshold == 1.0
    assert one_of.costs["l1_binarised"].binary and not one_of.costs["l1"].binary
    best = max(("l1", "mean_difference", "mutual_information"), key=lambda way: one_of.results[way].validation)
    assert one_of.way == best and one_of.results[CHOSEN] is one_of.results[best]
    assert one_of.results[binarised(CHOSEN)] is one_of.results[binarised(best)]
    assert all(
        one_of.row(way)["k"] in (1, 4) and one_of.costs[way].latents <= 4 for way in NAMES if way in one_of.sizes
    )


# --- sentences ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("d", "words"),
    [
        (UP, "Binarising all latents improves on the selection"),
        (KEPT, "loses no more than 0.02 against the selection that validation chooses on average over 3 sets"),
        (LEVEL, "Whether binarising all latents loses no more than 0.02 against the selection that validation chooses is undecided"),
        (LOWER, "scores below the selection that validation chooses on average over 3 sets; whether by more than 0.02 is open"),
        (DOWN, "loses more than 0.02 against the selection"),
    ],
)  # fmt: skip
def test_whether_it_replaces_selection(d, words):
    sentence = said.replaces(d, 3, None)
    assert words in sentence and "new words" not in sentence
    assert said.replaces(d, 1, DOWN).endswith(
        "On new words this difference lies below zero: −0.200 (95 % −0.300 to −0.100)."
    )


def test_ways_of_one_outcome_are_told_together():
    sentence = said.each({"l1": UP, "mean_difference": DOWN, "mutual_information": LEVEL})
    assert "binarised are above L1 (+0.200" in sentence and ", are below mean difference (−0.200" in sentence
    assert "and cannot be told from mutual information (" in sentence
    sentence = said.after({"l1": LEVEL, "mean_difference": UP, "mutual_information": LEVEL})
    assert sentence.count("makes no difference that can be told after L1 (") == 1
    assert "0.100) and mutual information (" in sentence and "and helps after mean difference (" in sentence


@pytest.mark.parametrize(
    ("d", "words"),
    [
        (UP, "Selection itself pays"),
        (DOWN, "Selection itself costs"),
        (LEVEL, "itself pays or costs on these features cannot"),
    ],
)
def test_whether_selection_itself_pays(d, words):
    assert words in said.worth(d) and "((" not in said.worth(d) and "e-" not in said.worth(d)


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.2, 0.8), "take less room than"),
        ((1.2, 3.0), "take more room than"),
        ((0.5, 1.5), "cannot be told over sets"),
    ],
)
def test_which_takes_less_room(interval, words):
    sentence = said.bytes_taken(Ratio(0.9, interval), 128.0, 142.4)
    assert (
        words in sentence and "128 bytes per text beside 142" in sentence and "0.90 times the bytes (95 %" in sentence
    )


@pytest.mark.parametrize(
    ("d", "words"), [(UP, "scores below binarising all"), (DOWN, "scores above"), (LEVEL, "cannot be told")]
)
def test_whether_both_together_do(d, words):
    assert words in said.both(d, 128.0, 8.0) and "8 bytes per text instead of 128" in said.both(d, 128.0, 8.0)


def test_latents_that_are_still_computed():
    assert "whoever selects needs 80, 0.10 of them." in said.latents(800.0, 80.0, 900.0)
    assert "a selection saves none of them." in said.latents(800.0, 800.0, 900.0)
