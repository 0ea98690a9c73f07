"""How commands answer: tables on the page, rows in a JSON file. What is shown is never markup and never steers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from mosaic.errors import MosaicError

WIDE = 140  # columns where there is no terminal, so that tables written to a file are not cut


def console():
    """A page to print on: labels, paths and texts are shown as they are, control characters as escapes."""
    from rich.console import Console

    from mosaic.printable import printable

    class Page(Console):
        def render_str(self, text: str, **style):
            return super().render_str(printable(text), **style)  # every string, also a cell's, comes through here

    width = None if sys.stdout.isatty() else WIDE
    return Page(width=width, markup=False, emoji=False, highlight=False)


def print_rows(rows: Sequence[dict], columns: Sequence[str], title: str) -> None:
    """One table, a column for each key; numbers to four digits."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        cells = [row.get(column) for column in columns]
        table.add_row(*(f"{c:.4g}" if isinstance(c, float) else "" if c is None else str(c) for c in cells))
    console().print(table)


def say(text: str) -> None:
    """One line, never wrapped: paths can be copied."""
    console().print(text, soft_wrap=True)


def size(n: float) -> str:
    """Bytes as every command shows them."""
    return f"{n / 2**20:.0f} MiB" if n < 2**30 else f"{n / 2**30:.1f} GiB"


def save_json(path: Path | None, rows: list[dict] | dict) -> None:
    """Write rows to a file, where one was asked for. Raises MosaicError where that fails or a number is none."""
    import json

    from mosaic.files import write_atomically

    if path is not None:
        try:
            text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        except ValueError as error:
            raise MosaicError(f"{path} is not written: a figure is not a finite number ({error}).") from error
        write_atomically(path, text.encode("utf-8", "backslashreplace"))


def save_figure(figure, path: Path) -> None:
    """Save a figure in the format of the path's ending; the same figure gives the same bytes."""
    import io

    import matplotlib

    from mosaic.files import write_atomically

    dates = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix)
    drawn = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "mosaic"}):
        figure.savefig(drawn, format=path.suffix[1:], metadata=dates)
    write_atomically(path, drawn.getvalue())
