from hypothesis import given
from hypothesis import strategies as st

from mosaic import printable as module
from mosaic.errors import MosaicError
from mosaic.printable import cell, printable


def test_what_steers_a_terminal_is_shown_as_an_escape():
    assert printable("\x1b[2J\x9b31m\x07\r\x7f\ud800\u202e") == r"\x1b[2J\x9b31m\x07\r\x7f\ud800\u202e"
    assert str(MosaicError("no column 'a\x1b]0;owned\x07'")) == r"no column 'a\x1b]0;owned\x07'"


def test_every_script_and_every_emoji_stays():
    for text in ("naïve", "日本語\u3000全角", "العربية", "नमस्ते", "👩‍🚀🏳️‍🌈", "two\nlines\tand a tab", r"C:\path", ""):
        assert printable(text) == text


@given(st.text())
def test_it_can_always_be_encoded_and_done_twice_changes_nothing(text):
    once = printable(text)
    once.encode("utf-8")
    assert printable(once) == once


@given(st.text(st.characters(categories=["Cc", "Cs", "Cf", "Zs", "Lu", "Lo", "Mn", "So"])))
def test_the_short_way_for_harmless_texts_is_the_letter_by_letter_way(text):
    assert printable(text) == "".join(module._shown(letter) for letter in text)


def test_a_cell_is_one_line_and_no_formula():
    assert cell('=HYPERLINK("http://x")') == '\'=HYPERLINK("http://x")'
    assert [cell(text) for text in ("+cmd|' /C calc'!A0", "-1+2", "@SUM(1)")] == [
        "'+cmd|' /C calc'!A0",
        "'-1+2",
        "'@SUM(1)",
    ]
    assert cell("two\nlines\r\tand \x1b[2J") == r"two\nlines\r\tand \x1b[2J"
    for harmless in ("-1", "+1.5", "-0.25", "a=b", "", "naïve", "日本語"):
        assert cell(harmless) == harmless


@given(st.text())
def test_no_cell_begins_as_a_formula_does_unless_it_is_a_number(text):
    shown = cell(text)
    assert shown.isprintable() or not printable(text).isprintable()
    assert "\n" not in shown and "\r" not in shown and "\t" not in shown
    if shown[:1] in ("=", "+", "-", "@"):
        float(shown)
