"""Scores with intervals: macro-F1, accuracy, per-class figures, AUROC; paired comparisons.

The bootstrap resamples test rows (whole groups where rows belong together). A resample of rows changes a
confusion matrix only through its cell counts, which are multinomial: 2,000 resamples cost one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy.sparse import csr_matrix

RESAMPLES = 2000


@dataclass(frozen=True)
class Score:
    """One classifier on one test set: macro-F1 with its 95 % bootstrap interval, and the rest."""

    macro_f1: float
    low: float
    high: float
    accuracy: float
    auroc: float | None
    per_class: dict[str, dict[str, float]]
    n: int

    def as_dict(self) -> dict:
        return asdict(self)


@dataclass(frozen=True)
class Difference:
    """Macro-F1 of A minus that of B on the same rows: mean, 95 % interval, two-sided bootstrap p."""

    difference: float
    low: float
    high: float
    p: float

    def summary(self) -> dict:
        """As results record it: difference, interval, p."""
        return {"difference": self.difference, "interval": [self.low, self.high], "p": self.p}


def score(
    truth: np.ndarray,
    predicted: np.ndarray,
    probabilities: np.ndarray | None = None,
    classes: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    seed: int = 0,
) -> Score:
    """Score predictions [n] against labels [n].

    probabilities: [n, n_classes] in the order of `classes`, for AUROC (one against the rest, macro average),
    which is None where a class is absent from the test set. groups: [n], resampled as wholes.
    """
    from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

    labels = np.array(sorted(set(truth) | set(predicted)), dtype=object)
    precision, recall, f1, support = precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=0)
    per_class = {
        str(label): {"precision": p.item(), "recall": r.item(), "f1": f.item(), "support": int(n)}
        for label, p, r, f, n in zip(labels, precision, recall, f1, support, strict=True)
    }
    low, high = np.quantile(_resampled(truth, [predicted], groups, seed)[0], [0.025, 0.975])
    return Score(
        macro_f1=float(f1_score(truth, predicted, average="macro", zero_division=0)),
        low=low.item(),
        high=high.item(),
        accuracy=float(accuracy_score(truth, predicted)),
        auroc=_auroc(truth, probabilities, classes),
        per_class=per_class,
        n=len(truth),
    )


def compare(
    truth: np.ndarray, a: np.ndarray, b: np.ndarray, groups: np.ndarray | None = None, seed: int = 0
) -> Difference:
    """Paired bootstrap of macro-F1(a) - macro-F1(b): both are scored on the same resampled rows."""
    return compare_mean([(truth, a, b, groups)], seed)


def compare_mean(cases: Sequence[tuple], seed: int = 0) -> Difference:
    """The same for the mean difference over several test sets, each (truth, a, b, groups), resampled within each."""
    from sklearn.metrics import f1_score

    observed, draws = [], []
    for i, (truth, a, b, groups) in enumerate(cases):
        first, second = _resampled(truth, [a, b], groups, seed + i)
        draws.append(first - second)
        f1 = [f1_score(truth, predicted, average="macro", zero_division=0) for predicted in (a, b)]
        observed.append(f1[0] - f1[1])
    draws = np.mean(draws, axis=0)
    tail = min((draws <= 0).sum(), (draws >= 0).sum())
    low, high = np.quantile(draws, [0.025, 0.975])
    p = min(1.0, 2 * (tail + 1) / (RESAMPLES + 1))
    return Difference(float(np.mean(observed)), low.item(), high.item(), float(p))


def _auroc(truth, probabilities, classes) -> float | None:
    from sklearn.metrics import roc_auc_score

    if probabilities is None or set(truth) != set(classes):
        return None
    if len(classes) == 2:
        return float(roc_auc_score(truth == classes[1], probabilities[:, 1]))
    return float(roc_auc_score(truth, probabilities, multi_class="ovr", labels=list(classes)))


def _resampled(truth, predictions: list[np.ndarray], groups, seed: int) -> list[np.ndarray]:
    """Macro-F1 of each prediction in each of RESAMPLES resamples of the rows (or groups)."""
    labels, codes = np.unique(np.concatenate([truth, *predictions]).astype(str), return_inverse=True)
    codes = codes.reshape(1 + len(predictions), -1)
    cells, cell_of_row = np.unique(codes, axis=1, return_inverse=True)
    cell_of_row = cell_of_row.reshape(-1)
    rng = np.random.default_rng(seed)
    n_cells = cells.shape[1]
    if groups is None:
        n = len(truth)
        counts = rng.multinomial(n, np.bincount(cell_of_row, minlength=n_cells) / n, size=RESAMPLES)
    else:
        units, unit_of_row = np.unique(np.asarray(groups).astype(str), return_inverse=True)
        table = csr_matrix((np.ones(len(truth)), (unit_of_row, cell_of_row)), (len(units), n_cells))
        weights = rng.multinomial(len(units), np.full(len(units), 1 / len(units)), size=RESAMPLES)
        counts = weights @ table
    return [_macro_f1(counts, cells[0], cells[i + 1], len(labels)) for i in range(len(predictions))]


def _macro_f1(counts: np.ndarray, true: np.ndarray, predicted: np.ndarray, n_labels: int) -> np.ndarray:
    """Macro-F1 from cell counts [draws, cells], over the labels that occur in truth or prediction of a draw."""
    one_true, one_predicted = np.eye(n_labels)[true], np.eye(n_labels)[predicted]
    hits = counts @ (one_true * one_predicted)
    total = counts @ (one_true + one_predicted)
    with np.errstate(invalid="ignore", divide="ignore"):
        f1 = np.where(total > 0, 2 * hits / total, np.nan)
    return np.nanmean(f1, axis=1)
