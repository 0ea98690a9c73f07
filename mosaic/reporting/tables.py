"""Tables and token strips as HTML; every cell escaped: text never runs as markup."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np

EXAMPLE_CHARACTERS = 90
SHORT_CELL = 24  # characters
WIDE_COLUMNS = 5


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
            f'<span class="token" style="background: rgba(42, 157, 143, {0.85 * float(v) / top:.2f})" '
            f'title="{float(v):.2f}">{html.escape(token)}</span>'
            for token, v in zip(tokens, row, strict=True)
        )
        lines.append(f'<div class="token-line"><code>{html.escape(name)}</code> {cells}</div>')
    return Html(f'<div class="token-strip">{"".join(lines)}</div>')


def table(rows: Sequence[Mapping], columns: Mapping[str, str]) -> Html:
    """HTML table. columns: key -> heading; floats to three decimals; every cell escaped.

    It scrolls within its own box, which the keyboard reaches, where it is wider than the page. Short cells stay on one
    line; texts wrap.
    """
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in columns.values())
    shown = [[_cell(row.get(key)) for key in columns] for row in rows]
    body = "".join(
        "<tr>" + "".join(f"<td{_of_text(cell)}>{html.escape(cell)}</td>" for cell in line) + "</tr>" for line in shown
    )
    wide = len(columns) > WIDE_COLUMNS or any(_of_text(cell) for line in shown for cell in line)
    content = f'<table class="mosaic-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return Html(scrolling(content, wide))


def items(sentences: Sequence[str]) -> Html:
    """HTML list, one item a sentence; every one escaped."""
    return Html(f"<ul>{''.join(f'<li>{html.escape(sentence)}</li>' for sentence in sentences)}</ul>")


def scrolling(content: str, wide: bool) -> str:
    """A table's markup in a box that scrolls sideways. wide: the page gives it all its width."""
    classes = "table-scroll wide" if wide else "table-scroll"
    return f'<div class="{classes}" tabindex="0" role="region" aria-label="table">{content}</div>'


def _cell(value) -> str:
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def _of_text(cell: str) -> str:
    return ' class="text"' if len(cell) > SHORT_CELL else ""


def shorten(text: str, characters: int = EXAMPLE_CHARACTERS) -> str:
    """One line, printable, at most `characters` long."""
    line = " ".join("".join(c if c.isprintable() or c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text).split())
    return line if len(line) <= characters else line[: characters - 1] + "…"
