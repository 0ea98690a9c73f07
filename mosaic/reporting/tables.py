"""Tables and token strips as HTML; every cell escaped: text never runs as markup."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np

EXAMPLE_CHARACTERS = 90


class Html(str):
    """Markup that a notebook shows as it is."""

    def _repr_html_(self) -> str:
        return str(self)


def token_strip(tokens: Sequence[str], values: Mapping[str, np.ndarray]) -> Html:
    """HTML: one line a latent, each token shaded by its activation. Tokens are escaped: text never runs as markup.

    values: name -> [T] activations.
    """
    lines = []
    for name, row in values.items():
        top = max(float(np.max(row)), 1e-9)
        cells = "".join(
            f'<span class="token" style="background: rgba(42, 157, 143, {0.85 * float(v) / top:.2f})" '
            f'title="{float(v):.2f}">{html.escape(token)}</span>'
            for token, v in zip(tokens, row, strict=True)
        )
        lines.append(f'<div class="token-line"><code>{html.escape(name)}</code> {cells}</div>')
    return Html(f'<div class="token-strip">{"".join(lines)}</div>')


def table(rows: Sequence[Mapping], columns: Mapping[str, str]) -> Html:
    """HTML table. columns: key -> heading; floats to three decimals; every cell escaped."""
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in columns.values())
    body = ""
    for row in rows:
        cells = [row.get(key) for key in columns]
        shown = ["" if c is None else f"{c:.3f}" if isinstance(c, float) else str(c) for c in cells]
        # Short cells stay on one line; texts wrap.
        tagged = [
            f'<td class="text">{html.escape(c)}</td>' if len(c) > 24 else f"<td>{html.escape(c)}</td>" for c in shown
        ]
        body += f"<tr>{''.join(tagged)}</tr>"
    return Html(f'<table class="mosaic-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')


def shorten(text: str, characters: int = EXAMPLE_CHARACTERS) -> str:
    """One line, printable, at most `characters` long."""
    line = " ".join("".join(c if c.isprintable() or c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text).split())
    return line if len(line) <= characters else line[: characters - 1] + "…"
