"""Binarising beside feature selection: seconds and peak memory, where the book has score, latents and bytes.

    python benchmarks/selection.py
    python benchmarks/selection.py --latents 1024 16384 --texts 2000 --json selection.json

The features are made up: sparse, a tenth of all latents active in a text, four classes, 64 latents that carry them. Each
arm does what the book's does on one set: latents kept (64 of them, where it selects), a probe for each C of the grid on
three quarters of the training texts, one more on all of them, and the test scored. Each runs in a process of its own,
whose peak memory counts everything: Python, scikit-learn, the features.

choose: seconds to choose the latents, or to binarise them. fit: to fit all probes. score: to classify the test texts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

import numpy as np

LATENTS = (1024, 4096, 16384)
KEPT, CLASSES, ACTIVE = 64, 4, 0.1
ALL, BINARISED = "no selection", "all binarised"
ARMS = (ALL, BINARISED, "l1", "mean_difference", "mutual_information")


def features(n_texts: int, n_latents: int, seed: int = 0):
    """(CSR [n_texts, n_latents] float32, labels): what sums of an SAE look like, its rows half as many again as training's."""
    from scipy.sparse import csr_matrix, random, vstack

    rng = np.random.default_rng(seed)
    labels = rng.integers(CLASSES, size=n_texts)
    drawn = random(n_texts, n_latents, ACTIVE, format="csr", dtype=np.float32, random_state=rng)
    drawn.data = rng.exponential(3.0, len(drawn.data)).astype(np.float32)
    rows = []
    for c in range(CLASSES):
        part = drawn[labels == c].toarray()
        own = np.arange(c, KEPT, CLASSES) * (n_latents // KEPT)
        part[:, own] += (rng.random((len(part), len(own))) < 0.3) * 3
        rows.append(csr_matrix(part))
    order = np.argsort(np.argsort(labels, kind="stable"), kind="stable")
    return vstack(rows, format="csr")[order], labels.astype(str)


def measure(arm: str, n_texts: int, n_latents: int) -> dict:
    """One arm at one width, in this process."""
    from mosaic.probing import estimators, narrowed
    from mosaic.probing.candidates import STRENGTHS, binarise

    X, y = features(3 * n_texts // 2, n_latents)
    warm, labels = features(80, 64)
    narrowed.choose(warm, labels, [8])  # imports are not counted
    list(estimators.path(estimators.logistic(), warm, labels, warm, STRENGTHS[:2]))
    train, test, part = np.arange(n_texts), np.arange(n_texts, len(y)), np.arange(3 * n_texts // 4)
    before, started = peak_mb(), time.perf_counter()
    kept = {}
    for name, rows in (("part", part), ("train", train)):
        columns = np.arange(n_latents)
        if arm not in (ALL, BINARISED):
            columns = narrowed.choose(X[rows], y[rows], [KEPT], [arm])[arm, KEPT]
        kept[name] = columns
    if arm == BINARISED:
        X = binarise(X, 0.0)
    chosen = time.perf_counter()
    first = X[train][:, kept["part"]].toarray()
    list(estimators.path(estimators.logistic(), first[part], y[part], first[len(part) :], STRENGTHS))
    last = X[train][:, kept["train"]].toarray()
    probe = estimators.logistic(STRENGTHS[len(STRENGTHS) // 2]).fit(last, y[train])
    fitted = time.perf_counter()
    right = float((probe.predict(X[test][:, kept["train"]].toarray()) == y[test]).mean())
    return {
        "latents": n_latents,
        "arm": arm,
        "kept": len(kept["train"]),
        "choose_s": round(chosen - started, 3),
        "fit_s": round(fitted - chosen, 3),
        "score_s": round(time.perf_counter() - fitted, 3),
        "peak_mb": round(peak_mb()),
        "over_mb": round(peak_mb() - before),
        "accuracy": right,
    }


def peak_mb() -> float:
    """The process's own high-water mark; `ru_maxrss` would count its parent's."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latents", type=int, nargs="+", default=LATENTS, help="widths of the SAE")
    parser.add_argument("--texts", type=int, default=1000, help="training texts; the test has half as many")
    parser.add_argument("--json", help="write the rows to this file")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.texts, options.latents[0])))
        return
    rows = []
    print(
        f"{'latents':>8} {'arm':>20} {'kept':>7} {'choose s':>9} {'fit s':>8} {'score s':>8} {'peak MB':>8} {'over':>6} {'right':>6}"
    )
    for n in options.latents:
        for arm in ARMS:
            command = [sys.executable, __file__, "--one", arm, "--latents", str(n), "--texts", str(options.texts)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            row = json.loads(done.stdout.splitlines()[-1])
            rows.append(row)
            print(
                f"{n:>8,} {arm:>20} {row['kept']:>7,} {row['choose_s']:>9.3f} {row['fit_s']:>8.3f} "
                f"{row['score_s']:>8.3f} {row['peak_mb']:>8,} {row['over_mb']:>6,} {row['accuracy']:>6.3f}",
                flush=True,
            )
            if options.json:
                with open(options.json, "w", encoding="utf-8") as file:
                    json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
