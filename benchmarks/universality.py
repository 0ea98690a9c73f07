"""Correlations of all latents of two SAEs over many tokens: seconds and peak memory.

    python benchmarks/universality.py [--latents 16384] [--tokens 1000000] [--json OUT]

Codes are drawn, 32 active latents a token, of which half fire in both SAEs, and come in parts, as a model would give them. What is
measured is what comes after the model: products of all pairs of latents, and the best partner of each.
"""

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.agreement.universality import Correlations, best_pairs

ACTIVE = 32


def codes(n: int, d: int, shared: np.ndarray, rng: np.random.Generator) -> csr_matrix:
    """[n, d]: the shared latents of each token, and as many drawn for this SAE alone."""
    columns = np.hstack([shared, rng.integers(0, d, (n, ACTIVE - shared.shape[1]))])
    values = rng.random(columns.size, dtype=np.float32) + 0.5
    return csr_matrix((values, columns.ravel(), np.arange(n + 1) * ACTIVE), shape=(n, d))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--latents", type=int, default=16_384)
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--part", type=int, default=50_000, help="tokens a part")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    rng, sums, seconds = np.random.default_rng(0), Correlations(chosen.latents, chosen.latents), 0.0
    for start in range(0, chosen.tokens, chosen.part):
        n = min(chosen.part, chosen.tokens - start)
        shared = rng.integers(0, chosen.latents, (n, ACTIVE // 2))
        a, b = (codes(n, chosen.latents, shared, rng) for _ in range(2))
        before = time.perf_counter()
        sums.add(a, b)
        seconds += time.perf_counter() - before
        print(f"{start + n:,} tokens, {seconds:.0f} s", flush=True)
    before = time.perf_counter()
    pairs = best_pairs(sums.values())
    seconds += time.perf_counter() - before
    found = {
        "latents": chosen.latents,
        "tokens": chosen.tokens,
        "seconds": seconds,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "pairs": len(pairs),
        "right": float((pairs.first == pairs.second).mean()) if len(pairs) else None,
    }
    print(json.dumps(found, indent=1))
    if chosen.json:
        chosen.json.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
