from hypothesis import given
from hypothesis import strategies as st

from mosaic.errors import MosaicError
from mosaic.printable import printable


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
