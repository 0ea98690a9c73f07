"""What this machine lends us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


def cores() -> int:
    """Cores this process may use, at least one.

    joblib heeds affinity, a container's limit and LOKY_MAX_CPU_COUNT, and knows the systems that have no affinity
    (macOS, Windows). OMP_NUM_THREADS is about the threads inside one product, not about how many fits run at once.
    """
    from joblib import cpu_count

    return cpu_count()


def free_memory() -> int:
    """Bytes that a process may take without anything being swapped."""
    import psutil

    return psutil.virtual_memory().available


def peak_memory(device: str = "cpu") -> int:
    """The most bytes this process has held so far: on a GPU what PyTorch took there, else in memory."""
    import sys

    if device.startswith("cuda"):
        import torch

        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # bytes there, kibibytes elsewhere


def device_named(name: str) -> str:
    """A device's name, "auto" being the best one here: a CUDA card, Apple's GPU, or the processor."""
    if name != "auto":
        return name
    import torch

    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


@contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch on one thread: products of a few thousand numbers wait for each other longer than they take."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
