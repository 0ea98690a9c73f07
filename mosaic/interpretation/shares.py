"""Two shares side by side: their difference with its interval, an exact test, and the correction for many tests.

a of n beside b of m, elementwise over any number of comparisons: d = a / n - b / m with Newcombe's 95 % interval (1998, method
10: from Wilson's of either share), Fisher's exact test (the smaller tail doubled), p corrected by Benjamini and Hochberg.

Shapes: all arguments broadcast to [T], T comparisons; every n and m is one or more unless told otherwise.
"""

from __future__ import annotations

import numpy as np

DISCOVERY = 0.05  # false-discovery rate
Z = 1.959963984540054  # of a normal distribution, 95 % lie within


def wilson(k, n) -> tuple[np.ndarray, np.ndarray]:
    """95 % of shares k / n."""
    p, z2 = k / n, Z**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * np.sqrt(p * (1 - p) / n + z2 / (4 * n**2)) / (1 + z2 / n)
    return centre - half, centre + half


def newcombe(a, n, b, m) -> tuple[np.ndarray, np.ndarray]:
    """95 % of a / n - b / m."""
    p, q = a / n, b / m
    (low_p, high_p), (low_q, high_q) = wilson(a, n), wilson(b, m)
    d = p - q
    low = d - np.sqrt((p - low_p) ** 2 + (high_q - q) ** 2)
    high = d + np.sqrt((high_p - p) ** 2 + (q - low_q) ** 2)
    return np.maximum(low, -1), np.minimum(high, 1)


def fisher(a, n, b, m) -> np.ndarray:
    """[T] p of a of n beside b of m; n or m may be 0, where nothing can be told (p = 1)."""
    from scipy.stats import hypergeom

    a, n, b, m = np.broadcast_arrays(a, n, b, m)
    below = hypergeom.cdf(a, n + m, a + b, n)
    above = hypergeom.sf(a - 1, n + m, a + b, n)
    return np.where((a + b > 0) & (a + b < n + m), np.minimum(1, 2 * np.minimum(below, above)), 1.0)


def corrected(p: np.ndarray, tests: np.ndarray | None = None) -> np.ndarray:
    """[T] p corrected for all of them, or for those that are tests: the others have 1 and do not weigh on these."""
    from scipy.stats import false_discovery_control

    tests = np.ones(len(p), dtype=bool) if tests is None else tests
    out = np.ones(len(p))
    if tests.any():
        out[tests] = false_discovery_control(p[tests])
    return out
