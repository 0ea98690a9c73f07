"""What this machine lends us."""

from __future__ import annotations

import os


def cores() -> int:
    """Cores this process may use, at least one.

    joblib heeds affinity, a container's limit and LOKY_MAX_CPU_COUNT, and knows the systems that have no affinity
    (macOS, Windows); OMP_NUM_THREADS, which clusters set to the cores of a job, is heeded here.
    """
    from joblib import cpu_count

    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return min(cpu_count(), int(wanted)) if wanted.isdecimal() and int(wanted) > 0 else cpu_count()
