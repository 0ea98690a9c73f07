"""Latents as Neuronpedia's export has them, in JSON lines, a folder an SAE:

    MODEL/SOURCE/explanations/batch-0.jsonl.gz     what each latent fires on, in words, and its kept name
    MODEL/SOURCE/features/batch-0.jsonl.gz         rate, histogram, tokens raised and lowered, neighbours
    MODEL/SOURCE/activations/batch-0.jsonl.gz      contexts, a line each

Every field that is written has the meaning it has there (docs.neuronpedia.org, Exports); what was not measured is left out:
alignment with neurons, histograms of logits, the vector itself. `mosaic names fetch` reads such a folder. An SAE that Neuronpedia knows
keeps its MODEL/SOURCE; another is called PROFILE/LAYER-WIDTH.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.explorer.panels import BINS, said
from mosaic.files import explained, write_atomically
from mosaic.interpretation.exports import EXPLANATIONS, FEATURES

ACTIVATIONS = "activations"
MARK = "made_by_mosaic"
KINDS = (EXPLANATIONS, FEATURES, ACTIVATIONS)
PER_BATCH = 256  # latents
OURS, KEPT = "MOSAIC, counted tokens", "MOSAIC, kept name"
WORDS = 10  # of an explanation


@dataclass
class Export:
    """One SAE's lines, written a batch at a time. name: MODEL/SOURCE."""

    root: Path
    name: str
    _lines: dict[str, list[dict]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    _held: int = 0
    _batches: int = 0

    @property
    def folder(self) -> Path:
        return self.root / self.name

    def claim(self) -> None:
        """Mark the folder as ours. Raises MosaicError where it holds batches of somebody else's, which would be replaced."""
        mark = self.folder / MARK
        if not mark.is_file() and next(self.folder.glob("*/batch-*"), None) is not None:
            raise MosaicError(
                f"{self.folder} holds an export that mosaic did not write; name another folder, or move it away."
            )
        write_atomically(mark, f"{self.name}\n".encode())

    def passing(self, records: Iterable[Mapping]) -> Iterator[Mapping]:
        """The records, each written as it comes by; the export is whole when all have. Raises MosaicError as `claim` does."""
        self.claim()
        self._clear()  # before, not after: what an interruption leaves is of one run
        for record in records:
            for kind, lines in zip(KINDS, (_explanations, _features, _activations), strict=True):
                self._lines[kind] += lines(record, self.name)
            self._held += 1
            if self._held == PER_BATCH:
                self._write()
            yield record
        if self._held:
            self._write()

    def _write(self) -> None:
        for kind, lines in self._lines.items():
            content = "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines)
            packed = gzip.compress(content.encode("utf-8", "replace"), mtime=0)
            write_atomically(self.folder / kind / f"batch-{self._batches}.jsonl.gz", packed)
            lines.clear()
        self._held, self._batches = 0, self._batches + 1

    def _clear(self) -> None:
        """Remove the batches of an export that was here before."""
        with explained(self.folder):
            for kind in KINDS:
                for path in (self.folder / kind).glob("batch-*.jsonl.gz"):
                    path.unlink()


def _about(record: Mapping, name: str) -> dict:
    model, _, layer = name.partition("/")
    return {"modelId": model, "layer": layer, "index": str(record["n"])}


def _explanations(record: Mapping, name: str) -> Iterator[dict]:
    label = record["label"] and said(record["label"], WORDS)
    for text, by in ((record["name"], KEPT), (label, OURS)):
        if text:
            yield {**_about(record, name), "description": text, "explanationModelName": by}


def _features(record: Mapping, name: str) -> Iterator[dict]:
    top = record["max"]
    near, together = record["near"]
    yield {
        **_about(record, name),
        "maxActApprox": top,
        "frac_nonzero": record["rate"],
        "freq_hist_data_bar_values": [round((i + 0.5) * top / BINS, 6) for i in range(BINS)],
        "freq_hist_data_bar_heights": record["bins"],
        "pos_str": record["raised"],
        "neg_str": record["lowered"],
        "topkCosSimIndices": [n for n, _ in near],
        "topkCosSimValues": [value for _, value in near],
        "correlated_features_indices": [n for n, _ in together],
        "correlated_features_pearson": [value for _, value in together],
    }


def _activations(record: Mapping, name: str) -> Iterator[dict]:
    for _, tokens, values in record["contexts"]:
        largest = max(values)
        yield {
            **_about(record, name),
            "tokens": tokens,
            "values": values,
            "maxValue": largest,
            "maxValueTokenIndex": values.index(largest),
        }
