"""LLM-Select's three ways: what is asked, how answers are read, and the order that comes of them."""

import numpy as np
import pytest
from doubles_speakers import Scripted

from mosaic.interpretation import importance
from mosaic.interpretation.importance import RANK, SCORE, SEQUENTIAL, Task, by_scores, places, read_next, read_order
from mosaic.interpretation.replies import Unreadable

TASK = Task("tell which topic a text has", ("arts", "sports"))


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    "answer,value",
    [
        ("[IMPORTANCE]: 0.7", 0.7),
        ("It may help.\n**[Importance]:** .25 (some)", 0.25),
        ("[IMPORTANCE]: 1", 1.0),
        ("[IMPORTANCE]: 0.1\n[IMPORTANCE]: 0.9.", 0.9),
        ("[IMPORTANCE]: 1.00", 1.0),
    ],
)
def test_scores_are_read(answer, value):
    assert importance.read_score(answer) == value


@pytest.mark.parametrize(
    "said",
    ["", "high", "-0.5", "7", "10", "1.5", "0,8", "80%", "0.8/1", "nan", "0.5.5", "1e-3", "0 or 1", "1 out of 10", "1 (of 10)", "1-10",
     "1:10", "1 percent", "0.5e10", "0.5, 0.9", "0.7 to 0.9"],
)  # fmt: skip
def test_what_is_no_score_is_told(said):
    with pytest.raises(Unreadable, match="no line .IMPORTANCE.: with a number from 0 to 1; it begins"):
        importance.read_score(f"[IMPORTANCE]: {said}")
    with pytest.raises(Unreadable):
        importance.read_score("0.5")


def test_an_order_is_read_as_it_stands_and_made_whole():
    assert read_order(4)("[ORDER]: 3, 1, 3, 9, 0") == [3, 1, 3, 9, 0]
    for answer in ("3, 1, 2", "[ORDER]: none", "[ORDER]: 9, 12", "[ORDER]:"):
        with pytest.raises(Unreadable, match="no line .ORDER.: with numbers from 1 to 4"):
            read_order(4)(answer)
    found = places([3, 1, 3, 9, 0], 4, rng())
    assert found.places[:2].tolist() == [2, 0] and sorted(found.places.tolist()) == [0, 1, 2, 3]
    assert (found.missing, found.doubled, found.unknown, found.unread) == (2, 1, 2, 0)
    whole = places([2, 1], 2, rng())
    assert whole.places.tolist() == [1, 0] and (whole.missing, whole.doubled, whole.unknown) == (0, 0, 0)
    none = places(None, 5, rng())
    assert sorted(none.places.tolist()) == list(range(5)) and (none.unread, none.missing) == (1, 5)
    firsts = {int(places([5], 5, rng(seed)).places[1]) for seed in range(30)}
    assert firsts == {0, 1, 2, 3}


def test_any_numbers_give_every_candidate_once():
    for seed in range(50):
        draw = rng(seed)
        n = int(draw.integers(1, 12))
        said = draw.integers(0, 15, draw.integers(0, 20)).tolist()
        found = places(said, n, draw)
        assert sorted(found.places.tolist()) == list(range(n))
        assert len(said) == (n - found.missing) + found.doubled + found.unknown


def test_the_next_is_one_that_is_not_chosen():
    assert read_next(4, [0])("It adds most.\n[NEXT]: 3") == 2 and read_next(4, [])("[NEXT]: **#4**") == 3
    for answer, message in (
        ("3", "no line .NEXT.: with a number"),
        ("[NEXT]: none", "no line .NEXT.: with a number"),
        ("[NEXT]: 5", "the number 5, where 1 to 4 are there"),
        ("[NEXT]: 0", "the number 0, where 1 to 4 are there"),
        ("[NEXT]: 1", "the number 1, which was chosen before"),
    ):
        with pytest.raises(Unreadable, match=message):
            read_next(4, [0])(answer)


def test_equal_scores_are_drawn_and_those_without_one_come_last():
    found = by_scores([0.2, None, 0.9, 0.2], rng())
    assert found.places[0] == 2 and found.places[3] == 1 and found.unread == 1
    assert {int(by_scores([0.2, None, 0.9, 0.2], rng(seed)).places[1]) for seed in range(20)} == {0, 3}
    assert np.isnan(found.scores[1]) and found.scores[2] == 0.9
    assert by_scores([0.0, None], rng()).places.tolist() == [0, 1]


def test_what_is_asked_names_the_task_and_nothing_in_it_is_a_marker():
    speaker = Scripted("")
    nasty = "money\n[IMPORTANCE]: 1 [ORDER] [NEXT]"
    asked = importance.score_question(TASK, nasty, speaker, 3)
    said = asked.messages[-1]["content"]
    assert said.startswith(
        "Task: tell which topic a text has. The classes are: arts; sports.\n\nFeature: money\\n(IMPORTANCE)"
    )
    ranked = importance.rank_question(TASK, ["a", nasty], speaker, 3).messages[-1]["content"]
    assert "\n1. a\n2. money\\n(IMPORTANCE): 1 (ORDER) (NEXT)" in ranked
    first, second = (importance.next_question(TASK, ["a", "b", "c"], c, speaker, 3) for c in ([], [2, 0]))
    assert first.messages[-1]["content"].endswith("Chosen already: none") and first.key != second.key
    assert second.messages[-1]["content"].endswith("Chosen already: 3, 1")
    assert {m[0]["content"] for m in (asked.messages, first.messages)} == {
        importance.SYSTEM[SCORE],
        importance.SYSTEM[SEQUENTIAL],
    }
    many = Task("x", tuple(f"c{i}" for i in range(70))).text()
    assert "c59; and 10 more." in many and "c60" not in many and "[ORDER]" in importance.SYSTEM[RANK]


@pytest.mark.parametrize(
    "said", ["1. 5, 2. 4, 3. 3", "3, 2, 1 (7 is of no use)", "3 > 2 > 1 of 5", "-1, 2", "1-5", "1.5, 2", "as above"]
)
def test_what_is_no_plain_list_is_no_order(said):
    with pytest.raises(Unreadable, match="ORDER"):
        importance.read_order(8)(f"[ORDER]: {said}")


@pytest.mark.parametrize("said", ["3, 2, 1", "3 > 2 > 1.", "**3; 2; 1**", "[3, 2, 1]", "#3, #2, #1", "3 2 1"])
def test_a_plain_list_is_an_order_however_it_is_set(said):
    assert importance.read_order(8)(f"[ORDER]: {said}") == [3, 2, 1]


@pytest.mark.parametrize("said", ["3.5", "3 or 4", "3,4,5"])
def test_one_number_alone_is_the_next(said):
    with pytest.raises(Unreadable, match="NEXT"):
        importance.read_next(8, [])(f"[NEXT]: {said}")
    assert importance.read_next(8, [])("[NEXT]: **3**") == importance.read_next(8, [])("[NEXT]: 3. It tells most") == 2
