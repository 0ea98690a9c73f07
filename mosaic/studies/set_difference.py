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
SELDOM = 10  # firings in either half of the texts below which a latent is not described
POOLING = "max"


@dataclass(frozen=True, eq=False)
class SetDifference:
    """tables: max-pooled latents of both sets' texts, the first set's rows first. found: of all their latents, in their order.
    by_chance: latents that would be found if the sets were one. names: {latent: what it tracks}. fires: {latent: (description,
    its score)} of the leading ones."""

    first: Sequence[str]
    second: Sequence[str]
    tables: Sequence[FeatureTable]
    found: Frequencies
    by_chance: float
    names: Mapping[str, str]
    fires: Mapping[str, tuple[str, float]]

    @property
    def n_found(self) -> int:
        return len(self.found.leading())

    @property
    def in_both(self) -> int:
        """Texts that stand in both sets: they can only hide a difference."""
        return len(set(self.first) & set(self.second))

    def rows(self, n: int | None = None) -> list[dict]:
        """The first n latents that differ, with their shares, difference, interval, corrected p, name and example texts."""
        out = []
        for place, (number, latent) in zip(self.found.leading()[:n], _places(self.tables, self.found)[:n], strict=True):
            table = self.tables[number]
            name = f"{table.column_prefix}/{latent}"
            fires, score = self.fires.get(name, (None, None))
            out.append(
                {
                    "latent": name,
                    "name": self.names.get(name),
                    "fires": fires,
                    "fires_score": score,
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
    n_described: int = 0,
    seed: int = 0,
) -> SetDifference:
    """One pass over both sets' texts; every latent of every encoder is one test. Another, token by token, describes the first
    n_described latents that differ."""
    from scipy.sparse import hstack

    from mosaic.features.extract import extract

    tables = extract([*first, *second], lm, Request(tuple(encoders), (), (POOLING,)), cache)
    fires = hstack([table.matrix > 0 for table in tables], format="csr")
    sizes = (len(first), len(second))

    def counts_of(of_first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return tuple(np.asarray(fires[rows].sum(0)).ravel().astype(int) for rows in (of_first, ~of_first))

    is_first = np.arange(sum(sizes)) < len(first)
    found = frequencies.compare(counts_of(is_first), sizes)
    leading = _places(tables, found)[:n_described]
    return SetDifference(
        first,
        second,
        tables,
        found,
        frequencies.found_by_chance(counts_of, sizes, seed=seed),
        names,
        _described([*first, *second], lm, encoders, tables, leading) if leading else {},
    )


def _places(tables: Sequence[FeatureTable], found: Frequencies) -> list[tuple[int, int]]:
    """(number of its table, latent) of each latent that differs."""
    starts = np.concatenate([[0], np.cumsum([table.matrix.shape[1] for table in tables])])
    number = np.searchsorted(starts, found.leading(), side="right") - 1
    return [(int(i), int(place - starts[i])) for i, place in zip(number, found.leading(), strict=True)]


def _described(
    texts: Sequence[str], lm: LanguageModel, encoders: Sequence, tables: Sequence[FeatureTable], leading
) -> dict[str, tuple[str, float]]:
    """{latent: (what it fires on, balanced accuracy of that)} on these texts, as many as `cut` leaves."""
    from mosaic.interpretation import descriptions, detection
    from mosaic.studies.readable import cut

    numbers = sorted({number for number, _ in leading})
    observed = detection.firings(cut(lm, texts), lm, [encoders[number] for number in numbers])
    out = {}
    for number, codes in zip(numbers, observed.codes, strict=True):
        latents = [latent for table, latent in leading if table == number]
        told = descriptions.describe(observed, codes, latents, least=SELDOM)
        for latent in latents:
            if (text := told.text(latent, lambda token: lm.tokenizer.decode([token]).strip())) is not None:
                out[f"{tables[number].column_prefix}/{latent}"] = (text, float(told.score[latent]))
    return out
