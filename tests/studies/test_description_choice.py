"""Choosing by descriptions: every way's choice, where data overtakes, what is said, and a small run of all of it."""

from dataclasses import replace

import numpy as np
import pytest
from toy import problem as toy_problem

from mosaic.errors import MosaicError
from mosaic.probing.scores import Difference
from mosaic.profiles.profile import SetChoice, load_profile
from mosaic.studies import description_choice as chapter
from mosaic.studies import description_choice_said as said
from mosaic.studies import description_choice_ways as ways
from mosaic.studies import description_choice_words as wording
from mosaic.studies.description_choice_ways import Said, by_data, chosen, crossing, overtaken


def d(value, low, high):
    return Difference(value, low, high, 0.01)


WIN, TIE, LOSS = d(0.1, 0.05, 0.15), d(0.0, -0.1, 0.1), d(-0.1, -0.15, -0.05)


@pytest.fixture(scope="module")
def toy():
    """A set whose column 5 tells the label, described by the name of a class; the other latents are described by noise."""
    problem = toy_problem()
    table = next(t for t in problem.tables if t.provenance["pooling"] == "max")
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(table.matrix.shape[1], 8))
    names = np.eye(8)[:2]
    vectors[5] = names[0]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return replace(problem, tables=(table,)), Said(np.arange(table.matrix.shape[1]), vectors), names


def take(way, toy, draw=0, rows=None):
    problem, words, names = toy
    rows = np.arange(60) if rows is None else rows
    matrix = problem.tables[0].matrix.toarray()
    return chosen(way, matrix, names @ words.vectors.T, words, rows, problem, draw)


def test_descriptions_find_what_is_called_like_the_class_and_others_do_not(toy):
    assert take(ways.BY_DESCRIPTION, toy)[0] == 5 and take(ways.IN_SEQUENCE, toy)[0] == 5
    firsts = [take(ways.SHUFFLED, toy, draw)[0] for draw in range(12)]
    assert len(set(firsts)) > 6
    drawn = [take(ways.RANDOM, toy, draw) for draw in range(5)]
    assert all(len(set(one)) == 20 for one in drawn) and len({tuple(one) for one in drawn}) == 5


def test_what_sees_no_label_is_the_same_for_any_labels(toy):
    problem, words, names = toy
    turned = replace(problem, train=replace(problem.train, labels=problem.train.labels[::-1].copy()))
    for way in ways.UNSEEN:
        assert (take(way, toy, 3) == take(way, (turned, words, names), 3)).all()
        assert (take(way, toy, 3) == take(way, toy, 3, rows=np.arange(60, 100))).all()


@pytest.mark.parametrize("way", [ways.MEAN_DIFFERENCE, ways.L1, ways.MUTUAL_INFORMATION, ways.MRMR, ways.THEN_DATA])
def test_data_finds_the_column_that_tells(toy, way):
    assert 5 in take(way, toy) and len(take(way, toy)) <= 20


def test_a_matrix_that_does_not_vary_is_one_column():
    assert by_data(ways.L1, np.zeros((6, 4)), np.array([0, 1] * 3)).tolist() == [0]


def test_every_way_is_fitted_from_every_draw(toy):
    problem, words, names = toy
    one = ways.on_set("toy", problem, words, names, n_draws=2)
    (predicted,) = one.predicted.values()
    assert set(predicted) == set(ways.WAYS)
    for by_rate in predicted.values():
        assert [len(of) for of in by_rate.values()] == [2] * 5 + [1]
    reached = one.reached()
    assert reached[ways.BY_DESCRIPTION][1.0].observed > 0.9 > reached[ways.RANDOM][0.02].observed


def test_where_data_overtakes():
    labels = [10, 100, 1000]
    assert crossing(labels, np.array([-0.1, -0.2, -0.3])) == 10
    assert crossing(labels, np.array([0.1, 0.1, 0.1])) == float("inf")
    assert crossing(labels, np.array([0.1, -0.1, -0.3])) == pytest.approx(10**1.5)
    assert crossing(labels, np.array([0.3, -0.1, -0.3])) == pytest.approx(10 ** (1 + 0.75))
    assert crossing(labels, np.array([-0.1, 0.1, -0.1])) == pytest.approx(10**2.5)  # for good
    found = overtaken(labels, [0.1, -0.1, -0.3], [np.full(50, 0.1), np.linspace(-0.2, -0.05, 50), np.full(50, -0.3)])
    assert found["value"] == pytest.approx(10**1.5) and found["interval"][0] < found["value"] < found["interval"][1]
    assert found["at_first"] == found["at_last"] == 0
    assert crossing(labels, np.zeros(3)) == float("inf")  # a tie is no lead of data's
    ahead = overtaken(labels, [0.1] * 3, [np.full(9, 0.1)] * 3)
    assert ahead["value"] is None and ahead["interval"] == [None, None] and ahead["at_last"] == 1


def test_what_is_said_of_the_crossing():
    ends = {"first": 10.0, "last": 500.0, "at_first": 0, "at_last": 0}
    assert "is not ruled out (95 %: 10 or fewer to 53)" in said.overtaken(
        {"value": 10.0, "interval": [10.0, 53.0], **ends}
    )
    found = said.overtaken({"value": 40.0, "interval": [10.0, 200.0], **ends})
    assert found == "Data is ahead for good from about 40 labels on (95 %: 10 or fewer to 200)."
    assert "does not overtake" in said.overtaken({"value": None, "interval": [None, None], **ends})
    assert "is not told (95 %: 90 to more than 500)" in said.overtaken(
        {"value": None, "interval": [90.0, None], **ends}
    )
    assert "is not told (95 %: 10 or fewer to more than 500)" in said.overtaken(
        {"value": 10.0, "interval": [10.0, None], **ends}
    )
    assert "was not reached" in said.overtaken({"value": 10.0, "interval": [10.0, 10.0], **ends})
    assert "was not reached" not in said.overtaken({"value": 10.0, "interval": [10.0, 53.0], **ends})


def test_sets_and_rates_are_drawn_apart():
    seeds = {ways.seed_of(title, rate, draw) for title in ("a", "b") for rate in ways.RATES for draw in range(5)}
    assert len(seeds) == 60 and ways.seed_of("a", 0.1, 2) == ways.seed_of("a", 0.1, 2)


def test_every_outcome_has_its_words():
    few = {"description_minus_mean_difference": LOSS, "description_minus_L1": WIN}
    assert "score below those that mean difference" in said.answer(few, 3) and "score above those of L1" in said.answer(
        few, 3
    )
    assert "cannot be told apart from those of mean difference" in said.with_all(
        {**few, "description_minus_mean_difference": TIE}
    )
    assert said.text(WIN, TIE).startswith("The words carry something")
    assert said.text(TIE, LOSS).startswith(
        "That the words carry anything is not shown"
    ) and "score below latents drawn at random" in said.text(TIE, LOSS)
    assert said.text(LOSS, WIN).startswith("The words mislead")
    assert "score above those that mean difference chooses from all" in said.then_data(WIN)
    assert "cannot be told apart from the ones with the best scores" in said.sequence(TIE)
    ends = said.by_set({"a": WIN, "b": LOSS, "c": TIE})
    assert ends.index("from b (") < ends.index("to a (") and said.by_set({"a": WIN}) == ""
    levels = said.levels({ways.L1: 0.5}, 10, 50, 3)
    assert "With 10 to 50 labelled texts" in levels and "L1 0.50" in levels
    assert "trec, other" in said.unnamed(["trec", "other"]) and "Every set" in said.unnamed([])


@pytest.mark.parametrize(
    ("label", "word"),
    [
        ("toxic", True),
        ("c0", False),
        ("0", False),
        (1, False),
        ("NO", True),
        ("да", True),
        ("高兴", True),
        ("да нет", True),
    ],
)
def test_a_code_is_no_name(label, word):
    assert wording.is_name(label) == word


def test_a_class_is_called_by_its_set_and_its_name():
    assert wording.query("mini/sentiment (en)", "negative") == "sentiment: negative"
    assert wording.query("stance_abortion", "in_favor") == "stance abortion: in favor"


def test_a_small_run_has_everything(minilm):
    mini = load_profile("mini")
    few = replace(mini, datasets=(SetChoice("mini/intent"),), max_train=100, max_test=60)
    study = chapter.run(few, n_draws=2, cache=None)
    numbers = study.summary()
    assert numbers["n_sets"] == 1 and numbers["unnamed"] == [] and numbers["n_candidates"] > 500
    assert set(numbers["mean"]) == set(ways.WAYS) and len(numbers["mean"][ways.L1]) == 6
    words = study.taken["mini/intent"]
    assert set(words) >= {"alarm", "weather"} and all(len(of) == chapter.SHOWN for of in words.values())
    assert "<table" in study.table() and "alarm" in study.taken_table()
    assert study.figure().axes and study.sets_figure().axes


def test_a_missing_encoder_is_refused(small_profile, monkeypatch):
    monkeypatch.setattr(chapter, "sentence_encoder", lambda device: None)
    with pytest.raises(
        MosaicError, match="sentence encoder that reads descriptions is not on this machine. Install it"
    ):
        chapter.run(small_profile, cache=None)
