"""Which latents find which factor: possible only where the factors are known, in the miniature world.

For latent j and factor c, AUROC_jc = P(z_j(text with c) > z_j(text without)) + P(equal) / 2, with z the pooled
latent; a latent tracks the factor whose AUROC is highest. The best latent is chosen on one half of the texts
and scored on the other, so that a wide dictionary gains nothing by being searched.

Shapes: n texts, D latents, F factors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic.features.table import FeatureTable
from mosaic.models.language import LanguageModel

POOLING = "max"
TEXTS = 160  # of each kind and language
NAMED = 0.8  # a latent is named after a factor from this AUROC on


@dataclass(frozen=True)
class Factor:
    """name: as shown. kind: of the texts in which it can be present or absent ("" for any). key, value: where it is
    true of a text."""

    name: str
    kind: str
    key: str
    value: str = "yes"


@dataclass(frozen=True)
class Found:
    """The latent that finds a factor best in one SAE's layer, over one language ("all": over all of them)."""

    factor: str
    layer: int
    width: str
    language: str
    latent: int
    auroc: float
    average_precision: float
    share: float  # of texts that have the factor: the average precision of a latent that knows nothing


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


def find(table: FeatureTable, rows, factors: Sequence[Factor], by_language: bool = True) -> list[Found]:
    """The best latent of one table for each factor, over all languages and (by_language) in each of them."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    spoken = np.array([row.language for row in rows])
    groups = {"all": np.ones(len(rows), dtype=bool)}
    if by_language:
        groups |= {language: spoken == language for language in dict.fromkeys(spoken)}
    what = table.provenance
    found = []
    for kind in dict.fromkeys(factor.kind for factor in factors):
        of_kind = [factor for factor in factors if factor.kind == kind]
        truth = presence(rows, of_kind)
        fits = np.array([kind in ("", row.label) for row in rows])
        for language, inside in groups.items():
            if kind == "" and language != "all":
                continue
            where = np.flatnonzero(fits & inside)
            chosen, scored = where[::2], where[1::2]
            best = np.nan_to_num(auroc(table.matrix[chosen], truth[chosen])).argmax(0)
            for i, factor in enumerate(of_kind):
                y, z = truth[scored, i], table.matrix[scored][:, best[i]].toarray().ravel()
                if 0 < y.sum() < len(y):
                    area, precision = float(roc_auc_score(y, z)), float(average_precision_score(y, z))
                    found.append(
                        Found(
                            factor.name, what["layer"], what["width"], language, int(best[i]), area, precision, y.mean()
                        )
                    )
    return found


def presence(rows, factors: Sequence[Factor]) -> np.ndarray:
    """[n, F] bool: which texts have which factor."""
    return np.array(
        [
            [(row.language if f.key == "language" else row.factors.get(f.key)) == f.value for f in factors]
            for row in rows
        ]
    )


def best_factor(table: FeatureTable, rows, factors: Sequence[Factor]) -> tuple[np.ndarray, list[str]]:
    """([D] the AUROC of the factor each latent tracks best, the factors' names)."""
    best, named = np.zeros(table.matrix.shape[1]), [""] * table.matrix.shape[1]
    for kind in dict.fromkeys(factor.kind for factor in factors):
        of_kind = [factor for factor in factors if factor.kind == kind]
        where = np.flatnonzero([kind in ("", row.label) for row in rows])
        areas = np.nan_to_num(auroc(table.matrix[where], presence([rows[i] for i in where], of_kind)))
        for latent in np.flatnonzero(areas.max(1) > best):
            factor = int(areas[latent].argmax())
            best[latent], named[latent] = areas[latent, factor], of_kind[factor].name
    return best, named


def names(table: FeatureTable, rows, factors: Sequence[Factor], minimum: float = NAMED) -> dict[int, str]:
    """{latent: "message: negation (.97)"}: the factor each latent tracks best, where its AUROC is high enough."""
    best, named = best_factor(table, rows, factors)
    return {int(i): f"{named[i]} ({best[i]:.2f})" for i in np.flatnonzero(best > minimum)}
