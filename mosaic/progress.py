"""A progress line for work longer than two seconds; silent when nobody watches a terminal."""

from __future__ import annotations

import sys
import time

PATIENCE_SECONDS = 2.0


class Progress:
    """`done / total` texts (or other units), tokens a second and time left, on standard error."""

    def __init__(self, label: str, total: int, unit: str = "texts"):
        self.label, self.total, self.unit = label, total, unit
        self.texts = self.tokens = 0
        self.start = time.monotonic()
        self.bar = None

    def advance(self, texts: int, tokens: int) -> None:
        self.texts += texts
        self.tokens += tokens
        elapsed = time.monotonic() - self.start
        if not sys.stderr.isatty() or elapsed < PATIENCE_SECONDS:
            return
        if self.bar is None:
            self.bar = self._open()
        rate = f"{self.tokens / elapsed:,.0f} tokens/s" if self.tokens else ""
        self.bar.update(self.task, completed=self.texts, rate=rate)

    def _open(self):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(self.unit))
        columns += (TextColumn("{task.fields[rate]}"),)
        bar = Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
        self.task = bar.add_task(self.label, total=self.total, rate="")
        bar.start()
        return bar

    def close(self) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_exception) -> None:
        self.close()


def announce(text: str) -> None:
    """One line on standard error, before long work that cannot say how far it is."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)
