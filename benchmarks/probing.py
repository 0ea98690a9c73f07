"""Probing at the scale of a wide SAE: seconds and peak memory of the whole comparison on made-up sparse features.

    python benchmarks/probing.py
    python benchmarks/probing.py --texts 100000 --latents 131072 --json probing.json

What is run is what `mosaic probe` runs once features are there: every strength on the validation folds, the chosen one on
all training rows, the test scored with its interval. Nothing in it holds texts x latents densely. Columns are drawn as
latents are: few fire often, most rarely; 64 of the rarer ones carry two classes.
"""

from __future__ import annotations

import argparse
import json
import os
import time

import numpy as np

from mosaic.machine import peak_memory

CARRY, TEST = 64, 0.2


def features(n_texts: int, n_latents: int, active: int, seed: int = 0):
    """(CSR [n_texts, n_latents] float32 with about `active` numbers a row, labels [n_texts])."""
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n_texts)
    # A latent's rank in frequency, Zipf-like: n_latents ** u has density 1 / rank.
    columns = np.minimum(n_latents ** rng.random((n_texts, active)), n_latents - 1).astype(np.int32)
    own = n_latents // 2 + np.arange(CARRY, dtype=np.int32).reshape(2, -1)
    told = rng.random((n_texts, 3)) < 0.4
    columns[:, :3] = np.where(told, own[labels[:, None], rng.integers(CARRY // 2, size=(n_texts, 3))], columns[:, :3])
    data = rng.exponential(3.0, columns.size).astype(np.float32)
    matrix = csr_matrix((data, columns.ravel(), np.arange(n_texts + 1) * active), (n_texts, n_latents))
    matrix.sum_duplicates()
    return matrix, np.array(["one", "other"], dtype=object)[labels]


def measure(n_texts: int, n_latents: int, active: int) -> dict:
    os.environ["LOKY_MAX_CPU_COUNT"] = "1"  # fits stay in this process, whose high-water mark then counts everything
    from mosaic.features.table import FeatureTable
    from mosaic.probing.comparison import evaluate, selected
    from mosaic.probing.problem import Problem
    from mosaic.texts.ids import text_ids
    from mosaic.texts.labelled import LabelledTexts

    matrix, labels = features(n_texts, n_latents, active)
    texts = [f"text {i}" for i in range(n_texts)]
    what = {"features": "sae", "layer": 1, "width": str(n_latents), "pooling": "max"}
    table = FeatureTable(matrix, text_ids(texts), np.ones(n_texts, int), np.zeros(n_texts, bool), what)
    cut = round(n_texts * (1 - TEST))
    train, test = (LabelledTexts("made up", texts[rows], labels[rows]) for rows in (slice(cut), slice(cut, None)))
    made, start = peak_memory(), time.perf_counter()
    result = selected(evaluate(Problem(train, test, (table,)), families=("sae",), binarize=False, trees=False), "sae")
    seconds = time.perf_counter() - start
    return {
        "texts": n_texts,
        "latents": n_latents,
        "numbers": int(matrix.nnz),
        "seconds": round(seconds, 1),
        "peak_gb": round(peak_memory() / 1e9, 2),
        "before_gb": round(made / 1e9, 2),
        "dense_gb": round(4 * n_texts * n_latents / 1e9, 1),
        "macro_f1": round(result.score.macro_f1, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--latents", type=int, default=131_072)
    parser.add_argument("--active", type=int, default=100, help="numbers in a row")
    parser.add_argument("--json", help="write the row to this file")
    options = parser.parse_args()
    row = measure(options.texts, options.latents, options.active)
    print(json.dumps(row, indent=1))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(row, file, indent=1)


if __name__ == "__main__":
    main()
