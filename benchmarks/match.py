"""Matching two dictionaries, from 1,024 to 131,072 latents: seconds, memory and proof, beside dense scipy where it fits.

    python benchmarks/match.py
    python benchmarks/match.py --sizes 16384 131072 --json match.json

The dictionaries are synthetic, d = 768: two in five latents are shared (cosine about .86), every twentieth stands
twice (exact ties), and a crowd of 200 equal rows meets 200 near-duplicates of itself, more than any list of
candidates holds. The rest are random directions. Each size runs in a process of its own, whose peak memory counts
everything: Python, torch, the two dictionaries.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

import numpy as np

SIZES = (1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072)
DENSE_UP_TO = 8192
D = 768


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def dictionaries(n: int, d: int = D, seed: int = 0) -> tuple[np.ndarray, np.ndarray, int]:
    """(a [n, d], b [n, d], pairs planted with a cosine of at least .7)."""
    generator = np.random.default_rng(seed)
    a, b = (unit(generator.normal(size=(n, d)).astype(np.float32)) for _ in range(2))
    shared, twins, crowd = int(0.4 * n), n // 20, min(200, n // 10)
    b[:shared] = unit(a[:shared] + 0.6 * unit(generator.normal(size=(shared, d)).astype(np.float32)))
    a[shared : shared + twins], b[shared : shared + twins] = a[:twins], b[:twins]
    a[-crowd:] = a[-1]
    b[-crowd:] = unit(a[-1] + 0.2 * unit(generator.normal(size=(crowd, d)).astype(np.float32)))
    return a, b[generator.permutation(n)], shared + twins + crowd


def measure(n: int) -> dict:
    """One size, in this process."""
    from mosaic.agreement.matching import assign

    a, b, planted = dictionaries(n)
    assign(a[:64], b[:64])  # imports are not counted
    start = time.perf_counter()
    got = assign(a, b)
    row = {
        "n": n,
        "d": D,
        "seconds": round(time.perf_counter() - start, 2),
        "peak_mb": round(peak_mb()),
        "shared_fraction": float((got.cosine >= 0.7).mean()),
        "planted_fraction": planted / n,
        "exact": got.exact,
        "gap": got.gap,
        "objective": got.objective,
        "tied": int(got.tied.sum()),
        "rounds": got.rounds,
        "kept_per_row": round(got.kept / n, 1),
    }
    if n <= DENSE_UP_TO:
        from scipy.optimize import linear_sum_assignment

        start = time.perf_counter()
        cosines = a.astype(np.float64) @ b.astype(np.float64).T
        rows, columns = linear_sum_assignment(cosines, maximize=True)
        best = cosines[rows, columns]
        row |= {
            "dense_seconds": round(time.perf_counter() - start, 2),
            "dense_peak_mb": round(peak_mb()),
            "same_objective": bool(abs(best.sum() - got.objective) < 1e-6 * n),
            "same_shared": set(np.flatnonzero(best >= 0.7)) == set(np.flatnonzero(got.cosine >= 0.7)),
            "same_partners": bool((columns == got.partner)[~got.tied].all()),
        }
    return row


def peak_mb() -> float:
    """The process's own high-water mark; `ru_maxrss` would count its parent's."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="latents in each dictionary")
    parser.add_argument("--json", help="write the rows to this file")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    rows = []
    print(
        f"{'latents':>8} {'seconds':>8} {'peak MB':>8} {'shared':>7} {'exact':>6} {'gap':>8} {'dense s':>8} {'MB':>6} same"
    )
    for n in options.sizes:
        done = subprocess.run(
            [sys.executable, __file__, "--one", str(n)], stdout=subprocess.PIPE, text=True, check=True
        )
        row = json.loads(done.stdout.splitlines()[-1])
        rows.append(row)
        dense = (
            f"{row['dense_seconds']:>8} {row['dense_peak_mb']:>6}" if "dense_seconds" in row else f"{'-':>8} {'-':>6}"
        )
        same = row.get("same_objective", True) and row.get("same_shared", True) and row.get("same_partners", True)
        print(
            f"{n:>8,} {row['seconds']:>8} {row['peak_mb']:>8,} {row['shared_fraction']:>7.4f} {row['exact']!s:>6} "
            f"{row['gap']:>8.1e} {dense} {'yes' if same and 'dense_seconds' in row else '-' if same else 'NO'}",
            flush=True,
        )
        if options.json:
            with open(options.json, "w", encoding="utf-8") as file:
                json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
