"""Looking into a probe: its largest latents, its score against the number of latents and against the threshold.

Pictures of a fitted setting on the test set; no setting is ever chosen from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from mosaic.features.table import FeatureTable
from mosaic.machine import cores
from mosaic.probing import comparison, estimators, folds, selection
from mosaic.probing.candidates import Majority, TableFeatures, TfidfFeatures
from mosaic.probing.problem import Problem
from mosaic.probing.selection import Result


def table_of(problem: Problem, setting) -> FeatureTable:
    """The problem's table that a setting reads."""
    key = (setting.features, setting.layer, setting.width, setting.pooling)
    fields = ("features", "layer", "width", "pooling")
    return next(t for t in problem.tables if tuple(t.provenance.get(f) for f in fields) == key)


@dataclass(frozen=True)
class TopLatent:
    """A latent a probe leans on.

    weight: of the scaled column for `label` (positive: its activity speaks for the label). examples:
    training texts in which its pooled value is largest, each text once.
    """

    name: str
    label: str
    weight: float
    examples: tuple[str, ...]


def top_latents(problem: Problem, result: Result, n: int = 10, n_examples: int = 3) -> list[TopLatent]:
    """The n largest weights of a logistic SAE result (over all classes), each latent once."""
    table = table_of(problem, result.setting)
    probe, columns = fitted(problem, result)
    weights, classes = probe[-1].coef_, probe.classes_
    if len(weights) == 1:  # binary: one row, positive for the second class
        classes = classes[1:]
    train = table.matrix[: len(problem.train)].tocsc()
    found: dict[int, TopLatent] = {}
    for flat in np.argsort(-np.abs(weights), axis=None, kind="stable"):
        row, column = divmod(int(flat), weights.shape[1])
        latent = int(columns[column])
        if latent in found:
            continue
        examples = most_active(problem.train.texts, train[:, latent].toarray().ravel(), n_examples)
        name = f"{table.column_prefix}/{latent}"
        found[latent] = TopLatent(name, str(classes[row]), float(weights[row, column]), examples)
        if len(found) == n:
            break
    return list(found.values())


def candidate_of(problem: Problem, result: Result) -> TableFeatures | TfidfFeatures | Majority:
    """The features that a result reads, on a problem of the same texts or of others."""
    setting = result.setting
    if setting.features == "majority":
        return Majority(problem)
    if setting.features == "tfidf":
        return TfidfFeatures(problem, setting.pooling)
    return TableFeatures(problem, table_of(problem, setting), setting.binarized)


def fitted(problem: Problem, result: Result) -> tuple:
    """(probe, columns): a logistic result on features of a table fitted once more, for its weights."""
    candidate = candidate_of(problem, result)
    rows = np.arange(len(problem.train))
    x, _, columns = candidate.matrices(rows, rows[:1], result.threshold)
    return candidate.probe(result.strength).fit(x, problem.train.labels), columns


def most_active(texts: Sequence[str], values: np.ndarray, n: int) -> tuple[str, ...]:
    """The n texts of the largest positive values, largest first; a text that stands in several rows is given once."""
    order = np.argsort(-values, kind="stable")
    return tuple(dict.fromkeys(texts[i] for i in order if values[i] > 0))[:n]


def binarised_at(problem: Problem, poolings: Sequence[str], threshold: float) -> dict[str, Result]:
    """{pooling: the logistic probe on its SAE features binarised at a given threshold (the paper: 1.0)}, each with its own
    C, chosen on validation."""
    found = _fitted([At(problem, _sae_table(problem, pooling), True, threshold) for pooling in poolings])
    return dict(zip(poolings, found, strict=True))


@dataclass(frozen=True)
class At(TableFeatures):
    """Features of one table at one threshold, of which `k` columns are kept (all where it is None)."""

    at: float | None = None
    k: int | None = None

    def thresholds(self, rows: np.ndarray) -> tuple[float | None, ...]:
        return (self.at,)

    def probe(self, strength: float):
        return super().probe(strength) if self.k is None else estimators.k_sparse(self.k, strength)


def threshold_sweep(problem: Problem, pooling: str, n: int = 9, published: float = 1.0) -> dict:
    """Test macro-F1 of binarised features against the threshold, and at the published one (paper: 1.0).

    The thresholds are quantiles of the positive training values; `kept` is the share of them above. A picture
    of the whole curve: no setting is chosen from it. Returns {"curve": [...], "published": {...}}.
    """
    table, positive = _sae_table(problem, pooling), active_values(problem, pooling)
    quantiles = np.quantile(positive, np.linspace(0, 1, n + 1)[1:-1])
    thresholds = [*dict.fromkeys([0.0, *map(float, quantiles)]), published]
    found = _fitted([At(problem, table, True, threshold) for threshold in thresholds])
    points = [
        {"threshold": result.threshold, "kept": share_kept(positive, result.threshold), **_scores(result)}
        for result in found
    ]
    return {"curve": points[:-1], "published": points[-1]}


def active_values(problem: Problem, pooling: str) -> np.ndarray:
    """The values of SAE features of one pooling that are not zero, over all training texts and latents."""
    return _sae_table(problem, pooling).matrix[: len(problem.train)].data


def share_kept(values: np.ndarray, threshold: float) -> float:
    """Share of active values above a threshold; 0 where there are none."""
    return float((values > threshold).mean()) if len(values) else 0.0


def k_sparse_at(problem: Problem, result: Result, k: int, splits: Sequence | None = None) -> Result:
    """The same features with only the k columns whose class means differ most (SAE-Probes), its own C chosen on
    validation. splits: the folds to validate on (None: the first)."""
    return k_sparse(problem, result, (k,), splits)[k]


def k_sparse(
    problem: Problem, result: Result, sizes: Sequence[int], splits: Sequence | None = None
) -> dict[int, Result]:
    """The same for several k: {k: result}."""
    found = _fitted([_sparse(problem, result, k) for k in sizes], splits)
    return dict(zip(sizes, found, strict=True))


def k_sparse_curve(
    problem: Problem, result: Result, sizes: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128, 256)
) -> list[dict]:
    """Test score of the same features with only the k latents of largest mean difference, for each k; of every part."""
    return [{"k": k, **_scores(fitted)} for k, fitted in k_sparse(problem, result, sizes).items()]


def _scores(result: Result) -> dict:
    row = result.row()
    return {key: row[key] for key in ("macro_f1", "low", "high", "parts")}


def _sparse(problem: Problem, result: Result, k: int) -> At:
    return At(problem, table_of(problem, result.setting), result.setting.binarized, result.threshold, k)


def _fitted(candidates: Sequence[At], splits: Sequence | None = None) -> list[Result]:
    """Each with the C that the first validation split chooses for it; as many at once as the comparison fits."""
    texts = replace(candidates[0].problem, tables=())  # a process is sent its own table alone
    splits = splits or folds.splits(texts.train)[:1]
    jobs = [partial(selection.fit, replace(candidate, problem=texts), texts, splits) for candidate in candidates]
    return list(comparison.in_parallel(jobs, comparison.workers([c.cells for c in candidates], cores())))


def _sae_table(problem: Problem, pooling: str) -> FeatureTable:
    """The problem's first SAE table of a pooling."""
    return next(t for t in problem.tables if (t.provenance["features"], t.provenance["pooling"]) == ("sae", pooling))
