import os

import pytest

from mosaic.machine import cores


@pytest.fixture(autouse=True)
def unlimited(monkeypatch):
    for name in ("OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT"):
        monkeypatch.delenv(name, raising=False)


def test_cores_are_counted_where_there_is_no_affinity(monkeypatch):
    """macOS and Windows have no os.sched_getaffinity."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert 1 <= cores() <= os.cpu_count()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="affinity cannot be set here")
def test_affinity_is_heeded():
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.mark.parametrize(
    "value,expected", [("1", 1), ("1,4", 1), (" 1 ", 1), ("999", None), ("0", None), ("", None), ("many", None)]
)
def test_omp_num_threads_lowers_the_number_and_never_raises_it(monkeypatch, value, expected):
    available = cores()
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert cores() == (expected or available)
