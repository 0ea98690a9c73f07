"""Text from a file made safe to show: what a user's label or column name holds never steers a terminal."""

from __future__ import annotations

import re
import unicodedata

# Marks that reorder what stands beside them: a label could pretend to be another one.
BIDIRECTIONAL = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}

FORMULA = ("=", "+", "-", "@")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)


def printable(text: object) -> str:
    """`text` with control characters, direction marks and lone surrogates as escapes (\\x1b, \\u202e).

    Line breaks and tabs stay, and so does every letter of every script, joined emoji included.
    """
    text = str(text)
    if text.isprintable():  # most texts are, and a letter at a time takes a minute for 10,000 of them
        return text
    return "".join(_shown(character) for character in text)


def cell(text: object) -> str:
    """`text` as one cell of a CSV file: printable, on one line, and no formula to a spreadsheet.

    What a spreadsheet would take for a formula stands behind an apostrophe; a plain number does not.
    """
    line = printable(text).replace("\n", "\\n").replace("\t", "\\t")
    formula = line.startswith(FORMULA) and not NUMBER.fullmatch(line)
    return f"'{line}" if formula else line


def _shown(character: str) -> str:
    if character in "\n\t":
        return character
    steers = unicodedata.category(character) in ("Cc", "Cs") or unicodedata.bidirectional(character) in BIDIRECTIONAL
    return character.encode("unicode_escape", "surrogatepass").decode("ascii") if steers else character
