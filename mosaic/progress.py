"""How far long work is, on standard error: a bar on a terminal, one line every 30 seconds in a log or a job.

A thread of its own looks at the work, so that one long step is seen to be alive too. Short work says nothing, and
nothing is said in a notebook's kernel, where times would become part of what is published.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

PATIENCE_SECONDS = 2.0  # before a bar appears
REDRAW_SECONDS = 0.2
LINE_SECONDS = 30.0  # between two lines where nobody watches


class Progress:
    """`done / total` texts (or other units), tokens a second, time so far and time left; used as `with Progress(...)`.

    total: None for work that cannot say how far it is. done: units that an interrupted run left finished.
    """

    def __init__(
        self,
        label: str,
        total: int | None = None,
        unit: str = "texts",
        done: int = 0,
        every: float = LINE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.label, self.total, self.unit, self.every, self.clock = label, total, unit, every, clock
        self.done = self.before = done
        self.tokens = 0
        self.start = clock()
        self.ended, self.counting = threading.Event(), threading.Lock()
        self.watcher: threading.Thread | None = None

    def advance(self, units: int, tokens: int = 0) -> None:
        """Called as work is done, by any thread."""
        with self.counting:
            self.done += units
            self.tokens += tokens

    def line(self) -> str:
        """`extracting: 1,240 of 8,500 texts (15 %), 2,310 tokens/s, 0:30 so far, about 2:55 left`."""
        elapsed, new = self.clock() - self.start, self.done - self.before
        parts = []
        if self.total:
            parts.append(f"{self.done:,} of {self.total:,} {self.unit} ({100 * self.done // self.total} %)")
        if rate := self._rate():
            parts.append(rate)
        parts.append(f"{_clock(elapsed)} so far")
        if self.total and new > 0 and self.done < self.total:
            parts.append(f"about {_clock(elapsed / new * (self.total - self.done))} left")
        return f"{self.label}: {', '.join(parts)}"

    def close(self) -> None:
        self.ended.set()
        if self.watcher is not None:
            self.watcher.join()
            self.watcher = None

    def __enter__(self) -> Progress:
        if not _in_kernel():
            watch = self._draw if sys.stderr.isatty() else self._write
            self.watcher = threading.Thread(target=watch, name=f"progress of {self.label}", daemon=True)
            self.watcher.start()
        return self

    def __exit__(self, *_exception) -> None:
        self.close()

    def _write(self) -> None:
        while not self.ended.wait(self.every):
            print(self.line(), file=sys.stderr, flush=True)

    def _draw(self) -> None:
        if self.ended.wait(PATIENCE_SECONDS):
            return
        with self._bar() as bar:
            task = bar.add_task(self.label, total=self.total, completed=self.done, rate="")
            while not self.ended.wait(REDRAW_SECONDS):
                bar.update(task, completed=self.done, rate=self._rate())

    def _bar(self):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = [TextColumn("{task.description}", markup=False), BarColumn()]
        if self.total:
            columns += [MofNCompleteColumn(), TextColumn(self.unit), TextColumn("{task.fields[rate]}")]
        columns.append(TimeElapsedColumn())
        if self.total:
            columns.append(TimeRemainingColumn())
        # What a command prints meanwhile stays where it belongs: rich would send it to standard error.
        return Bar(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)

    def _rate(self) -> str:
        elapsed = self.clock() - self.start
        return f"{self.tokens / elapsed:,.0f} tokens/s" if self.tokens and elapsed > 0 else ""


def announce(text: str) -> None:
    """One line on standard error, before long work that cannot say how far it is."""
    if not _in_kernel():
        print(text, file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    """75 -> 1:15; 3,675 -> 1:01:15."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _in_kernel() -> bool:
    return "ipykernel" in sys.modules and "ipykernel" in type(sys.stderr).__module__
