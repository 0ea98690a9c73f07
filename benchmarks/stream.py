"""Features of a corpus: seconds and peak memory of `mosaic extract FOLDER_OF_PARQUET`, at several numbers of texts.

    python benchmarks/stream.py
    python benchmarks/stream.py --texts 10000 40000 --json stream.json

Made-up short texts of the miniature's words, one SAE and one pooling of profile mini. Memory must not grow with the texts;
the time of a million is what the largest run's rate gives. Each run is the command itself, in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

MILLION = 1_000_000


def write_corpus(folder: Path, n_texts: int, rows: int = 50_000) -> None:
    """Parquet files of `rows` texts: sentences of the miniature, cut and joined so that no two are alike."""
    import pyarrow as pa
    from pyarrow import parquet

    from mosaic.texts.sources import load_set

    folder.mkdir(parents=True)
    words = sorted({word for text in load_set("mini/sentiment", "en")[0].texts for word in text.split()})
    rng = np.random.default_rng(0)
    for first in range(0, n_texts, rows):
        n = min(rows, n_texts - first)
        drawn = rng.choice(words, (n, 8))
        texts = [" ".join(row[: 4 + i % 5]) + f" {first + i}" for i, row in enumerate(drawn)]
        parquet.write_table(pa.table({"text": texts}), folder / f"{first // rows:04d}.parquet", row_group_size=5_000)


def measure(n_texts: int, width: str) -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        write_corpus(Path(scratch) / "corpus", n_texts)
        command = [
            sys.executable, "-m", "mosaic", "extract", "corpus", "--profile", "mini", "--layers", "3", "--widths", width,
            "--poolings", "max", "--out", "features",
        ]  # fmt: skip
        start = time.perf_counter()
        running = subprocess.Popen(command, cwd=scratch, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(running.pid, 0)
        seconds = time.perf_counter() - start
        if status:
            raise SystemExit(f"{' '.join(command)} ended with {status}")
        written = sum(path.stat().st_size for path in (Path(scratch) / "features").rglob("*.safetensors"))
    unit = 1 if sys.platform == "darwin" else 1024
    return {"texts": n_texts, "seconds": seconds, "peak_gb": used.ru_maxrss * unit / 1e9, "written_mb": written / 1e6}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, nargs="+", default=[10_000, 40_000, 80_000])
    parser.add_argument("--width", default="1k")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = []
    for n_texts in sorted(arguments.texts):
        found.append(measure(n_texts, arguments.width))
        print("{texts:>9,} texts: {seconds:6.0f} s, {peak_gb:.2f} GB at most, {written_mb:,.0f} MB written".format(**found[-1]), flush=True)
    told = {"runs": found}
    if len(found) > 1:
        first, last = found[0], found[-1]
        rate = (last["texts"] - first["texts"]) / (last["seconds"] - first["seconds"])
        told |= {"texts_per_second": rate, "hours_of_a_million": MILLION / rate / 3600}
        print(f"{rate:,.0f} texts/s beyond start-up: a million in {told['hours_of_a_million']:.1f} h")
        print(f"memory: {last['peak_gb'] / first['peak_gb']:.2f} times with {last['texts'] / first['texts']:.0f} times the texts")
    if arguments.json:
        arguments.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
