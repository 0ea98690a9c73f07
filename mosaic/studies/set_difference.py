"""What sets two collections of texts apart: the latents that fire in more texts of one than of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic.features.request import Request
from mosaic.features.table import FeatureTable
from mosaic.interpretation import frequencies
from mosaic.interpretation.frequencies import Frequencies
from mosaic.models.language import LanguageModel
from mosaic.reporting.tables import shorten

EXAMPLES = 3  # texts a latent
POOLING = "max"


@dataclass(frozen=True, eq=False)
class SetDifference:
    """tables: max-pooled latents of both sets' texts, the first set's rows first. found: of all their latents, in their order.
    by_chance: latents that would be found if the sets were one. names: {latent: what it tracks}."""

    first: Sequence[str]
    second: Sequence[str]
    tables: Sequence[FeatureTable]
    found: Frequencies
    by_chance: float
    names: Mapping[str, str]

    @property
    def n_found(self) -> int:
        return len(self.found.leading())

    @property
    def in_both(self) -> int:
        """Texts that stand in both sets: they can only hide a difference."""
        return len(set(self.first) & set(self.second))

    def rows(self, n: int | None = None) -> list[dict]:
        """The first n latents that differ, with their shares, difference, interval, corrected p, name and example texts."""
        starts = np.concatenate([[0], np.cumsum([table.matrix.shape[1] for table in self.tables])])
        out = []
        for place in self.found.leading()[:n]:
            number = int(np.searchsorted(starts, place, side="right")) - 1
            table, latent = self.tables[number], int(place - starts[number])
            name = f"{table.column_prefix}/{latent}"
            out.append(
                {
                    "latent": name,
                    "name": self.names.get(name),
                    "first": float(self.found.first[place]),
                    "second": float(self.found.second[place]),
                    "difference": float(self.found.difference[place]),
                    "low": float(self.found.low[place]),
                    "high": float(self.found.high[place]),
                    "p_corrected": float(self.found.corrected[place]),
                    "examples": self._examples(table, latent, bool(self.found.difference[place] > 0)),
                }
            )
        return out

    def _examples(self, table: FeatureTable, latent: int, of_first: bool) -> list[str]:
        """Texts of the set in which it fires more often, those where it is largest."""
        texts = self.first if of_first else self.second
        start = 0 if of_first else len(self.first)
        values = table.matrix[start : start + len(texts)][:, [latent]].toarray().ravel()
        order = np.argsort(-values, kind="stable")[:EXAMPLES]
        return [shorten(texts[i]) for i in order if values[i] > 0]


def compare(
    first: Sequence[str],
    second: Sequence[str],
    lm: LanguageModel,
    encoders: Sequence,
    names: Mapping[str, str],
    cache: Path | None,
    seed: int = 0,
) -> SetDifference:
    """One pass over both sets' texts; every latent of every encoder is one test."""
    from scipy.sparse import hstack

    from mosaic.features.extract import extract

    tables = extract([*first, *second], lm, Request(tuple(encoders), (), (POOLING,)), cache)
    fires = hstack([table.matrix > 0 for table in tables], format="csr")
    sizes = (len(first), len(second))

    def counts_of(of_first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return tuple(np.asarray(fires[rows].sum(0)).ravel().astype(int) for rows in (of_first, ~of_first))

    is_first = np.arange(sum(sizes)) < len(first)
    return SetDifference(
        first,
        second,
        tables,
        frequencies.compare(counts_of(is_first), sizes),
        frequencies.in_either_half(counts_of, sizes, seed=seed),
        names,
    )
