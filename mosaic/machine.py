"""What this machine lends us."""

from __future__ import annotations


def cores() -> int:
    """Cores this process may use, at least one.

    joblib heeds affinity, a container's limit and LOKY_MAX_CPU_COUNT, and knows the systems that have no affinity
    (macOS, Windows). OMP_NUM_THREADS is about the threads inside one product, not about how many fits run at once.
    """
    from joblib import cpu_count

    return cpu_count()
