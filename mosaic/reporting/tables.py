"""Tables and token strips as HTML; every cell escaped: text never runs as markup."""

from __future__ import annotations

import base64
import csv
import html
import io
import re
from collections.abc import Mapping, Sequence

import numpy as np

from mosaic import numerals
from mosaic.printable import cell

EXAMPLE_CHARACTERS = 90
SHADE = 0.55  # of the strongest token: words stay readable on it, on dark pages too
SHORT_CELL = 24  # characters
WIDE_COLUMNS = 5
NAMED = 3  # headings by which a table is announced
DIGITS = 6  # of numbers in files
ONE = r"[+\N{MINUS SIGN}<>≥≤]? ?\d[\d,]*(?:\.\d+)?(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?(?: ?%)?"
RANGE = rf"{ONE}(?: (?:to|±|-|–) {ONE})?"
NUMERIC = re.compile(rf"{RANGE}(?:,? ?\(?(?:95 %:? )?{RANGE}\)?)?")


class Html(str):
    """Markup that a notebook shows as it is."""

    def _repr_html_(self) -> str:
        return str(self)


def token_strip(tokens: Sequence[str], values: Mapping[str, np.ndarray], full: float | None = None) -> Html:
    """HTML: one line a latent, each token shaded by its activation. Tokens are escaped: text never runs as markup.

    values: name -> [T] activations. full: the activation of the darkest shade (None: each line's largest).
    """
    lines = []
    for name, row in values.items():
        top = max(float(np.max(row)) if full is None else full, 1e-9)
        cells = "".join(
            f'<span class="token" style="background: rgba(42, 157, 143, {SHADE * float(v) / top:.2f})" '
            f'title="{float(v):.2f}">{html.escape(token)}</span>'
            for token, v in zip(tokens, row, strict=True)
        )
        lines.append(f'<div class="token-line"><code>{html.escape(name)}</code> {cells}</div>')
    return Html(f'<div class="token-strip">{"".join(lines)}</div>')


def table(rows: Sequence[Mapping], columns: Mapping[str, str]) -> Html:
    """HTML table. columns: key -> heading; numbers as `mosaic.numerals` has them, a column's to the same decimals, at the right;
    every cell escaped. Below it a link to its rows as a file (CSV), in which numbers are whole.

    It scrolls within its own box, which the keyboard reaches, where it is wider than the page. Short cells stay on one
    line; texts wrap. The site's script sorts it, and filters a long one.
    """
    places = {key: numerals.column([v for row in rows if isinstance(v := row.get(key), float)]) for key in columns}
    shown = [[_cell(row.get(key), places[key]) for key in columns] for row in rows]
    numeric = [_numeric([line[i] for line in shown]) for i in range(len(columns))]
    head = "".join(
        f'<th scope="col"{_class(number and "number")}>{html.escape(heading)}</th>'
        for heading, number in zip(columns.values(), numeric, strict=True)
    )
    body = "".join(f"<tr>{''.join(map(_td, line, numeric))}</tr>" for line in shown)
    wide = len(columns) > WIDE_COLUMNS or any(_of_text(text) for line in shown for text in line)
    content = f'<table class="mosaic-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    headings = list(columns.values())
    link = csv_link(headings, [[_raw(row.get(key)) for key in columns] for row in rows]) if rows else ""
    return Html(scrolling(content, wide, headings) + link)


def latent(layer: int, width: str, number: int, shown: str) -> Html:
    """A latent that the book leads to its page, where it has one."""
    return Html(f'<span data-latent="{layer}/{html.escape(width)}/{number}">{html.escape(shown)}</span>')


def csv_link(headings: Sequence[str], rows: Sequence[Sequence]) -> str:
    """Under a table, its rows as a file to save. Texts are no formulas to a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for line in (headings, *rows):
        writer.writerow([cell(value) if isinstance(value, str) else value for value in line])
    name = re.sub("[^a-z0-9]+", "-", "-".join(headings[:3]).lower()).strip("-")[:60].strip("-") or "table"
    data = base64.b64encode(out.getvalue().encode()).decode("ascii")
    href = f"data:text/csv;charset=utf-8;base64,{data}"
    return f'<p class="table-foot"><a download="{name}.csv" href="{href}">the rows of this table (CSV)</a></p>'


def items(sentences: Sequence[str]) -> Html:
    """HTML list, one item a sentence; every one escaped."""
    return Html(f"<ul>{''.join(f'<li>{html.escape(sentence)}</li>' for sentence in sentences)}</ul>")


def scrolling(content: str, wide: bool, headings: Sequence[str] = ()) -> str:
    """A table's markup in a box that scrolls sideways. wide: the page gives it all its width. headings: what it is read out as."""
    classes = "table-scroll wide" if wide else "table-scroll"
    label = html.escape(": ".join(filter(None, ["table", ", ".join(filter(None, headings[:NAMED]))])), quote=True)
    return f'<div class="{classes}" tabindex="0" role="region" aria-label="{label}">{content}</div>'


def _cell(value, places: int) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return numerals.shown(value, places=places)
    number = numerals.minus(str(value))
    return number if NUMERIC.fullmatch(number) else str(value)  # a text stays what it is


def _raw(value):
    """A cell as a file has it."""
    if isinstance(value, float):
        return round(value, DIGITS)
    return "" if value is None else value if isinstance(value, int | str) else str(value)


def _numeric(cells: Sequence[str]) -> bool:
    """Whether a column holds numbers: with signs, units of a share, intervals."""
    filled = list(filter(None, cells))
    return bool(filled) and all(map(NUMERIC.fullmatch, filled))


def _td(text: str, number: bool) -> str:
    return f"<td{_class('number' if number else _of_text(text))}>{html.escape(text)}</td>"


def _class(name: str | bool) -> str:
    return f' class="{name}"' if name else ""


def _of_text(text: str) -> str:
    return "text" if len(text) > SHORT_CELL and not NUMERIC.fullmatch(text) else ""


def shorten(text: str, characters: int = EXAMPLE_CHARACTERS) -> str:
    """One line, printable, at most `characters` long."""
    line = " ".join("".join(c if c.isprintable() or c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text).split())
    return line if len(line) <= characters else line[: characters - 1] + "…"
