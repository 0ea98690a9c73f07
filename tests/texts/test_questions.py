"""Questions from the user's own file: what is read, and every message with its row and its cure."""

import json

import pytest

from mosaic.errors import MosaicError
from mosaic.texts.questions import read_questions

AB = ["A", "B"]


def csv_of(tmp_path, *rows, header="text,answer"):
    path = tmp_path / "q.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_one_list_for_all_rows(tmp_path):
    found = read_questions(csv_of(tmp_path, "is it?,B", '"two\nlines",A'), "answer", AB)
    assert found.texts == ["is it?", "two\nlines"] and found.choices == [("A", "B")] * 2
    assert found.answers.tolist() == [1, 0] and found.where(1).endswith("q.csv, line 3") and len(found) == 2


def test_each_rows_own_choices_in_every_writing(tmp_path):
    path = csv_of(tmp_path, "a?,yes| no,no", 'b?,"[""x, y"", ""z""]",z', "c?,1|2|3,2", header="prompt,options,answer")
    found = read_questions(path, "answer", choices_column="options")
    assert found.choices == [("yes", "no"), ("x, y", "z"), ("1", "2", "3")] and found.answers.tolist() == [1, 1, 1]
    lines = tmp_path / "q.jsonl"
    lines.write_text(json.dumps({"text": "a?", "options": ["x", 2], "answer": 2}) + "\n")
    found = read_questions(lines, "answer", choices_column="options")
    assert found.choices == [("x", "2")] and found.answers.tolist() == [1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a?,A|B,C", r"q.csv, line 2: the answer 'C' is not among the choices 'A', 'B'. Write it as the choice"),
        ("a?,A||B,A", r"q.csv, line 2: choice 2 of 3 is empty. Remove it or give it a text"),
        ("a?,A,A", r"line 2: there is one choice, 'A'. Give two or more"),
        ("a?,[],A", r"line 2: there is no choice. Give two or more"),
        ("a?,A|B|A,A", r"line 2: the choice 'A' stands twice. Remove one"),
        ("a?,,A", r"line 2: the choices are ''; a list was expected, such as"),
        ("a?,[A,A", r"line 2: the choices '\[A' begin like a JSON list but are none"),
        ("a?,A|B,", r"line 2: the answer is missing \(''\). Remove the row or give its answer"),
        (" ,A|B,A", r"line 2: the text is ' '. Remove the row or give it a text"),
    ],
)
def test_a_row_that_cannot_be_asked_is_named(tmp_path, row, message):
    with pytest.raises(MosaicError, match=message):
        read_questions(csv_of(tmp_path, row, header="text,options,answer"), "answer", choices_column="options")


def test_true_and_false_are_read_as_the_file_writes_them(tmp_path):
    lines = tmp_path / "q.jsonl"
    lines.write_text('{"text": "a?", "options": [true, false], "answer": false}')
    found = read_questions(lines, "answer", choices_column="options")
    assert found.choices == [("true", "false")] and found.answers.tolist() == [1]
    assert read_questions(lines, "answer", ["true", "false"]).answers.tolist() == [1]
    path = csv_of(tmp_path, 'a?,"[true, false]",true', header="text,options,answer")
    assert read_questions(path, "answer", choices_column="options").answers.tolist() == [0]


def test_a_list_or_an_object_is_no_choice(tmp_path):
    lines = tmp_path / "q.jsonl"
    for choice in (["a"], {"text": "a", "label": "A"}):
        lines.write_text(json.dumps({"text": "a?", "options": ["b", choice], "answer": choice}))
        with pytest.raises(MosaicError, match=r"line 1: choice 2 of 2 is .*; a text or a number was expected"):
            read_questions(lines, "answer", choices_column="options")


def test_a_message_names_only_the_first_of_many_choices(tmp_path):
    path = csv_of(tmp_path, "a?,no")
    with pytest.raises(MosaicError, match=r"'c8', 'c9' and 2,990 more. Write it as"):
        read_questions(path, "answer", [f"c{i}" for i in range(3000)])


def test_options_and_columns_that_are_not_there(tmp_path):
    path = csv_of(tmp_path, "a?,A")
    for choices, column in ((None, None), (AB, "options")):
        with pytest.raises(MosaicError, match="give either --choices A,B,C,D.*or --choices-column"):
            read_questions(path, "answer", choices, column)
    with pytest.raises(MosaicError, match="--choices: choice 2 of 2 is empty"):
        read_questions(path, "answer", ["A", ""])
    for arguments, name, option in [
        (("key", AB), "key", "--answer-column"),
        (("answer", None, "options"), "options", "--choices-column"),
        (("answer", AB, None, "question"), "question", "--text"),
    ]:
        with pytest.raises(MosaicError, match=f"no column '{name}'; its columns are 'text', 'answer'. .*{option}"):
            read_questions(path, *arguments)
    with pytest.raises(MosaicError, match="header but no rows"):
        read_questions(csv_of(tmp_path), "answer", AB)
    with pytest.raises(MosaicError, match="does not exist"):
        read_questions(tmp_path / "none.csv", "answer", AB)
    with pytest.raises(MosaicError, match="files ending in .csv"):
        read_questions(__file__, "answer", AB)
