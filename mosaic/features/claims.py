"""Who computes a shard where several processes work on the same texts: the first that claims it.

A claim is a lock on a file, which the system frees when its process ends, however it ends. Nothing that is written
hangs on it, for whoever computes a shard writes the same bytes; so where files cannot be locked, or a claim is cleared
away, a shard is computed twice and nothing else happens.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

WAIT_SECONDS = 600  # for what takes seconds: a process that was stopped, not ended, keeps its claims


@contextlib.contextmanager
def claimed(folder: Path, name: str, wait: bool) -> Iterator[bool]:
    """Whether the shard of this name is this process's to compute. Where another has claimed it: False; or with `wait`,
    True when that one is done with it, or has not been for WAIT_SECONDS."""
    from filelock import FileLock, Timeout

    path = folder / f".{name}.claim.tmp"  # cleared with what killed writers left
    lock = FileLock(path, is_singleton=True)  # a claim inside a claim, in one thread, is its own
    try:
        lock.acquire(timeout=WAIT_SECONDS if wait else 0)
    except Timeout:
        yield wait
        return
    except (OSError, NotImplementedError):
        yield True
        return
    try:
        yield True
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        lock.release()
