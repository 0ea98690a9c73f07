"""What an explainer is asked, letter by letter, and what is made of its answer."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mosaic.errors import MosaicError
from mosaic.interpretation.explanations import (
    AGAIN,
    LONGEST,
    SYSTEM,
    Explained,
    Unreadable,
    explain,
    laid_out,
    messages,
    neutral,
    parse,
)
from mosaic.interpretation.shown import Example, Shown

CATS = Shown(
    7,
    (
        Example(("the", " black", " cat", " sat", " on", " a", " mat"), (0, 1.2, 4.0, 0, 0, 0, 2.0)),
        Example(("cat", "food"), (0.5, 0.05)),
    ),
)
LAID_OUT = """\
Example 1: the black<< cat>> sat on a<< mat>>
Activations: (" cat", 10), (" mat", 5)

Example 2: <<cat>>food
Activations: ("cat", 2)"""


class Says:
    """Says what it is told to, one thing after the other."""

    name, settings = "says", {}

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def say(self, asked):
        self.asked.append(list(asked))
        return self.answers.pop(0)

    def n_tokens(self, asked):
        return 1


def test_the_layout_is_delphis():
    assert laid_out(CATS.examples) == LAID_OUT


def test_a_latent_is_asked_about_after_three_worked_examples():
    asked = messages(CATS)
    assert [message["role"] for message in asked] == ["system", *["user", "assistant"] * 3, "user"]
    assert asked[0]["content"] == SYSTEM and asked[-1]["content"] == LAID_OUT
    assert asked[1]["content"] == (
        "Example 1: We<< never>> saw the parcel ,<< nor>> did the neighbour .\n"
        'Activations: (" never", 9), (" nor", 6)\n\n'
        "Example 2: It is<< not>> that I mind the noise .\n"
        'Activations: (" not", 10)'
    )
    for answer in asked[2::2]:
        assert parse(answer["content"]) in answer["content"]


def test_neighbours_share_one_marker_and_the_bar_is_a_share_of_the_examples_own_maximum():
    text = laid_out([Example(("a", "b", "c", "d"), (3.1, 10.0, 3.0, 4.0)), Example(("e", "f"), (0.31, 1.0))])
    assert "Example 1: <<ab>>c<<d>>\n" in text and '("a", 4), ("b", 10), ("d", 4)' in text
    assert "Example 2: <<ef>>\n" in text and '("e", 1), ("f", 1)' in text


def test_activations_are_rescaled_upwards_and_a_tenth_is_no_more():
    values = (1.0, 0.1, 0.31, 0.9, 1e-12)
    text = laid_out([Example(("a",), (value,)) for value in values])
    assert re.findall(r"(\d+)\)", text) == ["10", "1", "4", "9", "1"]


def test_a_latent_that_never_fires_cannot_be_asked_about():
    for examples in ((), (Example(("a",), (0.0,)),)):
        with pytest.raises(MosaicError, match="never fires"):
            messages(Shown(1, examples))


@pytest.mark.parametrize(
    "token,shown",
    [
        ("a << b", "a ‹‹ b"),
        ("<<", "‹‹"),
        ("<", "‹"),
        ("x <div> y", "x <div> y"),
        ("end>>", "end››"),
        ("1 > 2", "1 > 2"),
        ("[EXPLANATION]: it is good", "(EXPLANATION): it is good"),
        ("[ explanation ]", "( explanation )"),
        ("a\nExample 9: b\r\tc\u2028d\x85", "a\\nExample 9: b\\r\\tc\\nd\\x85"),
        ("\x1b[2J", "\\x1b[2J"),
        ("<|im_end|>", "‹|im_end|›"),
    ],
)
def test_nothing_in_a_text_passes_for_a_marker(token, shown):
    assert neutral(token) == shown


@given(st.lists(st.tuples(st.text(alphabet="<>[]|a\n: EXPLANTIOexplanatio", max_size=9), st.floats(0, 5)), min_size=1))
def test_markers_balance_and_examples_keep_to_their_lines(tokens):
    example = Example(tuple(token for token, _ in tokens), tuple(value for _, value in tokens))
    if max(example.activations) <= 0:
        return
    text = laid_out([example])
    line, listed = text.split("\n")
    assert re.fullmatch(r"Example 1: ((?!<<|>>).|<<(?:(?!<<|>>).)*>>)*", line)
    runs = sum(
        value > 0.3 * max(example.activations)
        and (i == 0 or example.activations[i - 1] <= 0.3 * max(example.activations))
        for i, value in enumerate(example.activations)
    )
    assert line.count("<<") == line.count(">>") == runs and listed.startswith("Activations: ")
    assert not re.search(r"\[\s*explanation\s*\]", line.replace("<<", "").replace(">>", ""), re.IGNORECASE) or runs


@pytest.mark.parametrize(
    "answer,read",
    [
        ("[EXPLANATION]: the word cat", "the word cat"),
        ("Let me see.\n[EXPLANATION]: first\n\n[explanation]:  last   one \nBye.", "last one"),
        ("**[EXPLANATION]:** bold\n", "bold"),
        ("**[EXPLANATION]**: bold too", "bold too"),
        ("<think>[EXPLANATION]: no</think>\n  > [EXPLANATION]: yes", "yes"),
        ("[EXPLANATION]: " + "x" * 999, "x" * (LONGEST - 1) + "…"),
    ],
)
def test_the_last_explanation_is_read(answer, read):
    assert parse(answer) == read


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "no idea",
        "[EXPLANATION]:",
        "[EXPLANATION]: **",
        "I say [EXPLANATION]: in the middle",
        "EXPLANATION: x",
        "x" * 5000,
    ],
)
def test_an_answer_without_one_is_quoted_shortly(answer):
    with pytest.raises(Unreadable, match="no line") as told:
        parse(answer)
    assert len(str(told.value)) < 260 and (answer[:20] in str(told.value))


def test_an_answer_that_cannot_be_read_is_asked_for_again_with_a_reminder():
    speaker = Says("cats, I think", "still cats", "[EXPLANATION]: cats")
    asked = messages(CATS)
    assert explain(asked, speaker) == Explained("cats", 3)
    assert speaker.asked[0] == asked
    for said, before in ((speaker.asked[1], "cats, I think"), (speaker.asked[2], "still cats")):
        assert said == [*asked, {"role": "assistant", "content": before}, {"role": "user", "content": AGAIN}]


def test_after_so_many_tries_there_is_no_explanation():
    found = explain(messages(CATS), Says("", "\x1b[31m", "nothing"), tries=3)
    assert found.explanation is None and found.tries == 3 and "nothing" in found.problem
    assert explain(messages(CATS), Says("a"), tries=1).tries == 1


def test_a_long_answer_is_read_in_no_time():
    import time

    begin = time.perf_counter()
    with pytest.raises(Unreadable):
        parse("\n" * 4_000_000)
    assert parse("x" * 10**6 + "\n[EXPLANATION]: words of colour") == "words of colour"
    assert time.perf_counter() - begin < 2
