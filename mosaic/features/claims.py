"""Who computes a shard where several processes work on the same texts: the first that claims it.

A claim is a lock on a file, which the system frees when its process ends, however it ends. Nothing that is written
hangs on it, for whoever computes a shard writes the same bytes; so where files cannot be locked, or a claim is cleared
away, a shard is computed twice and nothing else happens.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def claimed(folder: Path, name: str, patience: float | None = None) -> Iterator[bool]:
    """Whether the shard of this name is this process's to compute.

    patience: None says False at once where another has claimed it; seconds wait for that one to be done with it, and
    say True when it is, or when they have passed (a process that was stopped, not ended, keeps its claims).
    """
    from filelock import FileLock, Timeout

    path = folder / f".{name}.claim.tmp"  # cleared with what killed writers left
    # Singleton: a claim inside a claim, in one thread, is its own. A soft lock would outlive a process that is killed.
    lock = FileLock(path, is_singleton=True, fallback_to_soft=False)
    try:
        lock.acquire(timeout=patience or 0)
        mine = True
    except Timeout:
        mine = patience is not None
    except (OSError, NotImplementedError):  # a file system or platform without locks, which filelock tells by these
        mine = True
    try:
        yield mine
    finally:
        with contextlib.suppress(OSError):
            if lock.lock_counter == 1:
                path.unlink()
            lock.release()
