"""Which latents find which factor: possible only where the factors are known, in the miniature world.

For latent j and factor c, AUROC_jc = P(z_j(text with c) > z_j(text without)) + P(equal) / 2, with z the pooled
latent; a latent tracks the factor whose AUROC is highest. Whatever is chosen (a latent for a factor, a factor for a
latent, one SAE of several) is chosen on one half of the texts and scored on the other, so that nothing is gained by
searching longer.

Shapes: n texts, D latents, F factors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from mosaic.features.table import FeatureTable
from mosaic.interpretation import resampling
from mosaic.models.language import LanguageModel

POOLING = "max"
TEXTS = 160  # of each kind and language
NAMED = 0.8  # a latent is named after a factor from this AUROC on
ALL = "all"  # languages


@dataclass(frozen=True)
class Factor:
    """name: as shown. kind: of the texts in which it can be present or absent ("" for any). key, value: where it is
    true of a text."""

    name: str
    kind: str
    key: str
    value: str = "yes"


@dataclass(frozen=True, eq=False)
class Tracked:
    """[D] each, the factor a latent tracks best: its AUROC on the half of the texts that chooses, on the other half, its name."""

    chosen_auroc: np.ndarray
    auroc: np.ndarray
    factor: list[str]


@dataclass(frozen=True)
class Found:
    """The latent that finds a factor best in one SAE's layer, over one language (ALL: over all of them).

    chosen_auroc: on the half of the texts it was chosen on, good for further choices and for no report. auroc,
    average_precision: on the other half. low, high: 95 % of `draws`, [B] the AUROC in resamples of that half; None for
    a single language.
    """

    factor: str
    layer: int
    width: str
    language: str
    latent: int
    chosen_auroc: float
    auroc: float
    average_precision: float
    share: float  # of texts that have the factor: the average precision of a latent that knows nothing
    low: float | None = None
    high: float | None = None
    draws: np.ndarray | None = field(default=None, repr=False, compare=False)
    n_with: int | None = None  # texts of the scoring half that have the factor

    def row(self) -> dict:
        """As results record it."""
        return {key: value for key, value in asdict(self).items() if key != "draws"}


def texts(n: int = TEXTS):
    """(rows, factors): messages in five languages with what is true of them, and the factors that vary in them."""
    from mosaic.world import sets
    from mosaic.world.lexicon import LANGUAGES

    rows = [row for language in LANGUAGES for row in sets.truths(language, n)]
    return rows, list(_factors(rows))


def _factors(rows) -> Iterator[Factor]:
    for language in dict.fromkeys(row.language for row in rows):
        yield Factor(f"language {language}", "", "language", language)
    for kind in dict.fromkeys(row.label for row in rows):
        seen = {(k, v) for row in rows if row.label == kind for k, v in row.factors.items() if k != "n"}
        for key, value in sorted(seen):
            n = sum(row.factors.get(key) == value for row in rows if row.label == kind)
            if value not in ("fine", "neutral") and n < sum(row.label == kind for row in rows):
                yield Factor(f"{kind}: {key if value == 'yes' else f'{key} {value}'}", kind, key, value)


def tables(rows, lm: LanguageModel, encoders: Sequence, cache: Path | None) -> list[FeatureTable]:
    """Max-pooled latents of the texts, one table an SAE: a factor is found where a latent is largest."""
    from mosaic.features.extract import extract
    from mosaic.features.request import Request

    return extract([row.text for row in rows], lm, Request(tuple(encoders), (), (POOLING,)), cache)


def auroc(matrix, present: np.ndarray) -> np.ndarray:
    """[D, F] areas under the ROC curve of every latent (CSR [n, D]) for every factor ([n, F] bool), ties at half.

    AUROC = (R - n1 (n1 + 1) / 2) / (n1 n0), R the sum of the ranks of the texts that have the factor
    (Mann and Whitney 1947). A factor that all or no texts have gives NaN. Most entries are zero and share one rank,
    so only the others are sorted; ranks are multiples of a half, so every sum of them is exact.
    """
    n = matrix.shape[0]
    ones = present.sum(0).astype(np.float64)
    ranks, rank_of_zero = _ranks(matrix)
    ranks.data -= np.repeat(rank_of_zero, np.diff(ranks.indptr))
    sums = ranks.T @ present.astype(np.float64) + np.outer(rank_of_zero, ones)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (sums - ones * (ones + 1) / 2) / (ones * (n - ones))


def _ranks(matrix):
    """(CSC [n, D] of each column's ranks at its entries that are not zero, [D] the rank its zeros share)."""
    columns = matrix.tocsc().astype(np.float64)
    columns.eliminate_zeros()
    n, width = columns.shape
    column = np.repeat(np.arange(width), np.diff(columns.indptr))
    order = np.lexsort((columns.data, column))
    values = columns.data[order]
    new = np.ones(len(order), dtype=bool)  # the first of its value in its column
    new[1:] = (column[order][1:] != column[order][:-1]) | (values[1:] != values[:-1])
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(order))
    zeros = n - np.diff(columns.indptr)
    below = np.bincount(column, weights=columns.data < 0, minlength=width)
    tied = (first + 1 + last) / 2 - columns.indptr[:-1][column[order][first]]  # the mean of their places
    ranked = np.repeat(tied, last - first) + np.where(values > 0, zeros[column[order]], 0)
    columns.data[order] = ranked
    return columns, below + (zeros + 1) / 2


def halves(rows) -> np.ndarray:
    """[n] bool, the half of the texts to choose on: every second one of each kind and language; the others score."""
    seen: dict[tuple, int] = {}
    chosen = np.zeros(len(rows), dtype=bool)
    for i, row in enumerate(rows):
        stratum = (row.label, row.language)
        chosen[i] = seen.get(stratum, 0) % 2 == 0
        seen[stratum] = seen.get(stratum, 0) + 1
    return chosen


def find(table: FeatureTable, rows, factors: Sequence[Factor], by_language: bool = True) -> list[Found]:
    """The best latent of one table for each factor, over all languages and (by_language) in each of them."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    spoken = np.array([row.language for row in rows])
    groups = {ALL: np.ones(len(rows), dtype=bool)}
    if by_language:
        groups |= {language: spoken == language for language in dict.fromkeys(spoken)}
    what, chosen = table.provenance, halves(rows)
    weights = resampling.text_weights([(row.label, row.language) for row in rows], ~chosen)
    found = []
    for kind, of_kind, fits, truth in _by_kind(rows, factors):
        for language, inside in groups.items():
            if kind == "" and language != ALL:
                continue
            first, second = np.flatnonzero(fits & inside & chosen), np.flatnonzero(fits & inside & ~chosen)
            areas = np.nan_to_num(auroc(table.matrix[first], truth[first]))
            columns = table.matrix[second][:, areas.argmax(0)].toarray()
            for i, factor in enumerate(of_kind):
                y, z, latent = truth[second, i], columns[:, i], int(areas[:, i].argmax())
                if not 0 < y.sum() < len(y):
                    continue
                draws = resampling.auroc_draws(y, z, weights[:, second]) if language == ALL else None
                low, high = (None, None) if draws is None else resampling.interval(draws)
                area, precision = float(roc_auc_score(y, z)), float(average_precision_score(y, z))
                chosen_auroc, share = float(areas[latent, i]), float(y.mean())
                found.append(
                    Found(
                        factor.name, what["layer"], what["width"], language, latent, chosen_auroc, area, precision,
                        share, low, high, draws, int(y.sum()),
                    )
                )  # fmt: skip
    return found


def _by_kind(rows, factors: Sequence[Factor]) -> Iterator[tuple[str, list[Factor], np.ndarray, np.ndarray]]:
    """(kind, its factors, [n] bool which texts are of it, [n, factors] bool which have which) of every kind."""
    for kind in dict.fromkeys(factor.kind for factor in factors):
        of_kind = [factor for factor in factors if factor.kind == kind]
        yield kind, of_kind, np.array([kind in ("", row.label) for row in rows]), presence(rows, of_kind)


def presence(rows, factors: Sequence[Factor]) -> np.ndarray:
    """[n, F] bool: which texts have which factor."""
    return np.array(
        [
            [(row.language if f.key == "language" else row.factors.get(f.key)) == f.value for f in factors]
            for row in rows
        ]
    )


def best_factor(table: FeatureTable, rows, factors: Sequence[Factor]) -> tuple[np.ndarray, list[str]]:
    """([D] AUROC of the factor each latent tracks best, [D] the factors' names): chosen on one half of the texts, the
    AUROC measured on the other."""
    found = tracked(table.matrix, rows, factors)
    return found.auroc, found.factor


def names(table: FeatureTable, rows, factors: Sequence[Factor], minimum: float = NAMED) -> dict[int, str]:
    """{latent: "message: negation (0.97)"}: the factor each latent tracks best, where its AUROC on the half of the texts
    that chooses is high enough; the number is the other half's."""
    found = tracked(table.matrix, rows, factors)
    return {int(i): f"{found.factor[i]} ({found.auroc[i]:.2f})" for i in np.flatnonzero(found.chosen_auroc > minimum)}


def tracked(matrix, rows, factors: Sequence[Factor]) -> Tracked:
    """The factor each latent tracks best. matrix: CSR [n, D], of the texts of `rows`.

    Only factors that some texts of either half have, and some have not.
    """
    n = matrix.shape[1]
    chosen, scored, named = np.zeros(n), np.zeros(n), [""] * n
    first = halves(rows)
    for _, of_kind, fits, truth in _by_kind(rows, factors):
        here, there = (auroc(matrix[half], truth[half]) for half in (fits & first, fits & ~first))
        here = np.where(np.isnan(here) | np.isnan(there), 0, here)
        for latent in np.flatnonzero(here.max(1) > chosen):
            factor = int(here[latent].argmax())
            chosen[latent], scored[latent] = here[latent, factor], there[latent, factor]
            named[latent] = of_kind[factor].name
    return Tracked(chosen, scored, named)
