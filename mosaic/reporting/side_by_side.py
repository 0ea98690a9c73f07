"""Commands run some at a time: what they print comes through, the first that fails ends the others.

Chapters leave a core idle now and then (a notebook reads, draws, resamples), which another chapter can use.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence

from mosaic.errors import MosaicError
from mosaic.machine import cores

ERROR = "error: "  # how the command line begins what went wrong
POLL_SECONDS = 0.1


def run(commands: Sequence[Sequence[str]], at_once: int) -> Iterator[str]:
    """What each command wrote to standard output, in the order in which they end; started in the order given.

    Each gets its share of the cores, for the threads inside one product and for fits at once: threads of two commands on
    one core wait for one another at full load, and processes that only fit start as slowly as a command.

    Raises MosaicError with the error that a command ended with; those beside it are ended too, and all of them where this
    process is told to end.
    """
    waiting, running = list(commands), []
    before = signal.signal(signal.SIGTERM, _end) if threading.current_thread() is threading.main_thread() else None
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                running.append(_Command(waiting.pop(0), cores=max(1, cores() // at_once)))
            for command in [command for command in running if command.process.poll() is not None]:
                running.remove(command)
                yield command.output()
            time.sleep(POLL_SECONDS)
    finally:
        for command in running:
            command.process.terminate()
        for command in running:
            command.process.wait()
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _end(_signal, _frame):
    """As Ctrl-C does: the way out leads past `finally`."""
    raise SystemExit(128 + signal.SIGTERM)


class _Command:
    """One command at work; its standard error is passed on line by line, errors aside, which `output` raises."""

    def __init__(self, command: Sequence[str], cores: int):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
        share = dict.fromkeys(("OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT"), str(cores))
        self.process = subprocess.Popen(list(command), env={**os.environ, **share}, **pipes)
        self.said: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self.readers = [threading.Thread(target=self._read, args=(name,), daemon=True) for name in self.said]
        for reader in self.readers:
            reader.start()

    def output(self) -> str:
        for reader in self.readers:
            reader.join()
        if code := self.process.returncode:
            error = "".join(self.said["stderr"]).removeprefix(ERROR).strip()
            raise MosaicError(error or f"{' '.join(self.process.args)} ended with {code} and said nothing.")
        return "".join(self.said["stdout"])

    def _read(self, name: str) -> None:
        for line in getattr(self.process, name):
            if name == "stdout" or line.startswith(ERROR) or self.said[name]:
                self.said[name].append(line)
            else:
                print(line, end="", file=sys.stderr, flush=True)
