"""Scores with intervals: macro-F1, accuracy, per-class figures, AUROC; paired comparisons.

The bootstrap resamples test rows (whole groups where rows belong together), and draws where something was drawn more
than once (seeds of an SAE, random dictionaries). A resample of rows changes a confusion matrix only through its cell
counts, which are multinomial: 2,000 resamples cost one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.errors import MosaicError

if TYPE_CHECKING:
    from mosaic.texts.labelled import LabelledTexts

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


@dataclass(frozen=True)
class Mean:
    """Mean macro-F1 over several test sets, with its 95 % interval."""

    macro_f1: float
    low: float
    high: float

    def summary(self) -> dict:
        """As results record it: mean, interval."""
        return {"mean": self.macro_f1, "interval": [self.low, self.high]}


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
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    labels = np.array(sorted(set(truth) | set(predicted)), dtype=object)
    precision, recall, f1, support = precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=0)
    per_class = {
        str(label): {"precision": p.item(), "recall": r.item(), "f1": f.item(), "support": int(n)}
        for label, p, r, f, n in zip(labels, precision, recall, f1, support, strict=True)
    }
    low, high = np.quantile(_resampled(truth, [predicted], groups, seed)[0], [0.025, 0.975])
    return Score(
        macro_f1=macro_f1(truth, predicted),
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
    return compare_draws([(truth, [a], [b], groups) for truth, a, b, groups in cases], seed)


def compare_draws(cases: Sequence[tuple], seed: int = 0, over_sets: bool = False) -> Difference:
    """Mean over draws and test sets of macro-F1(a) - macro-F1(b); the interval is over test rows and over draws.

    cases: (truth, [a_1 .. a_A], [b_1 .. b_B], groups) of each set. Draw i is the same thing in every set (an SAE's
    seed i, random dictionary i), so that a resample of draws is taken once and used for all sets; those of a and of b
    are independent. Draws count as drawn from all there could be: few of them make the interval wide; one alone
    says nothing of how draws differ, and adds nothing to it. over_sets: the interval is over the sets as well
    (`compare_over_sets`). Raises MosaicError where sets differ in A or B.
    """
    n_a = _same([len(a) for _, a, _, _ in cases])
    n_b = _same([len(b) for _, _, b, _ in cases])
    rng = np.random.default_rng([seed, RESAMPLES])
    of_sets = draw_weights(len(cases), rng) if over_sets else None
    first = _mean_over_sets([(truth, [*a, *b], groups) for truth, a, b, groups in cases], seed, of_sets)
    weights = np.concatenate([draw_weights(n_a, rng), -draw_weights(n_b, rng)], axis=1)
    observed, draws = first[0], (first[1] * weights).sum(axis=1)
    return _difference(float(observed[:n_a].mean() - observed[n_a:].mean()), draws)


def compare_over_sets(cases: Sequence[tuple], seed: int = 0) -> Difference:
    """Mean difference over test sets as in `compare_mean`, the interval over test rows and over the sets themselves.

    Sets count as drawn from all the sets there could be, so that few of them, or sets that disagree, make the interval
    wide: what is needed where the sentence is "on average over data sets". One set alone is as in `compare`.
    """
    return compare_draws([(truth, [a], [b], groups) for truth, a, b, groups in cases], seed, over_sets=True)


def mean_interval(cases: Sequence[tuple], seed: int = 0, over_sets: bool = False) -> Mean:
    """Mean over draws and test sets of macro-F1(a), cases (truth, [a_1 .. a_A], groups), resampled as above.

    The interval is cut at 0 and 1: a mean with spread weights (`draw_weights`) can lie beyond what a macro-F1 can be.
    """
    rng = np.random.default_rng([seed, RESAMPLES])
    of_sets = draw_weights(len(cases), rng) if over_sets else None
    observed, resampled = _mean_over_sets(cases, seed, of_sets)
    weights = draw_weights(_same([len(a) for _, a, _ in cases]), rng)
    low, high = np.clip(np.quantile((resampled * weights).sum(axis=1), [0.025, 0.975]), 0, 1)
    return Mean(observed.mean().item(), low.item(), high.item())


def lead(truth: np.ndarray, a: np.ndarray, b: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, float]:
    """(macro-F1(a) - macro-F1(b), its standard error over rows or groups)."""
    first, second = _resampled(truth, [a, b], groups, seed=0)
    observed = [macro_f1(truth, predicted) for predicted in (a, b)]
    return float(observed[0] - observed[1]), float(np.std(first - second))


def paired(test: LabelledTexts, a, b, part: str | None = None) -> tuple:
    """(labels, predictions of a, of b, groups) on one part of a test set, its first where none is named, as `compare`
    and `compare_mean` read them. a, b: `selection.Result`."""
    labels, (first,), (second,), groups = paired_draws(test, [a], [b], part)
    return labels, first, second, groups


def paired_draws(test: LabelledTexts, a: Sequence, b: Sequence, part: str | None = None) -> tuple:
    """The same of several draws: (labels, [predictions of each a], [of each b], groups), as `compare_draws` reads
    them. Raises MosaicError for a part that the test set does not have."""
    parts = test.part_rows()
    if part is not None and part not in parts:
        raise MosaicError(f"{test.name} has no part {part!r}; its parts are {', '.join(map(repr, parts))}.")
    rows = next(iter(parts.values())) if part is None else parts[part]
    groups = None if test.groups is None else test.groups[rows]
    return test.labels[rows], [r.predicted[rows] for r in a], [r.predicted[rows] for r in b], groups


def _difference(observed: float, draws: np.ndarray) -> Difference:
    """A difference with the middle 95 % of its resamples [RESAMPLES] and their two-sided p."""
    tail = min((draws <= 0).sum(), (draws >= 0).sum())
    low, high = np.quantile(draws, [0.025, 0.975])
    return Difference(observed, low.item(), high.item(), float(min(1.0, 2 * (tail + 1) / (RESAMPLES + 1))))


def _mean_over_sets(cases: Sequence[tuple], seed: int, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Macro-F1 of each draw, mean over the sets: (observed [draws], in each resample of rows [RESAMPLES, draws]).

    cases: (truth, [predicted_1 ...], groups) of each set; each set's rows are resampled by themselves. weights:
    [RESAMPLES, sets] of the sets in each resample, or None: all alike.
    """
    observed, resampled = [], []
    for i, (truth, predictions, groups) in enumerate(cases):
        observed.append([macro_f1(truth, predicted) for predicted in predictions])
        resampled.append(np.stack(_resampled(truth, predictions, groups, seed + i), axis=1))
    _same([len(scored) for scored in observed])
    if weights is None:
        return np.mean(observed, axis=0), np.mean(resampled, axis=0)
    return np.mean(observed, axis=0), np.einsum("srd,rs->rd", np.stack(resampled), weights)


def _same(counts: Sequence[int]) -> int:
    if len(set(counts)) != 1:
        raise MosaicError(f"sets have {', '.join(map(str, counts))} draws; every set needs the same draws, and a set.")
    return counts[0]


def draw_weights(n: int, rng: np.random.Generator, resamples: int = RESAMPLES) -> np.ndarray:
    """[resamples, n], each row summing to one: n draws resampled with replacement.

    Resampling n draws shows (n - 1) / n of their variance, a fifth too little for five; the weights are spread so that
    it shows all of it.
    """
    if n == 1:
        return np.ones((resamples, 1))
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples) / n
    return 1 / n + (weights - 1 / n) * np.sqrt(n / (n - 1))


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
    n_cells = cells.shape[1]
    if groups is None:
        n, rng = len(truth), np.random.default_rng(seed)
        counts = rng.multinomial(n, np.bincount(cell_of_row, minlength=n_cells) / n, size=RESAMPLES)
    else:
        units, unit_of_row = np.unique(np.asarray(groups).astype(str), return_inverse=True)
        table = csr_matrix((np.ones(len(truth)), (unit_of_row, cell_of_row)), (len(units), n_cells))
        counts = _unit_weights(len(units), seed).astype(np.float32) @ table
    return [_macro_f1(counts, cells[0], cells[i + 1], len(labels)) for i in range(len(predictions))]


@lru_cache(maxsize=24)
def _unit_weights(n: int, seed: int) -> np.ndarray:
    """[RESAMPLES, n]: how often each of n groups is drawn; the same for every prediction on the same test set.

    In bytes, so that the sets of a profile are kept together: no group is drawn 256 times in n draws."""
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=RESAMPLES).astype(np.uint8)


def macro_f1(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Mean F1 of the labels that occur, as scikit-learn's f1_score(average="macro"), which takes 3 ms a call."""
    numbers: dict = {}
    codes = [numbers.setdefault(label, len(numbers)) for label in (*truth, *predicted)]
    true, guess = np.array(codes).reshape(2, -1)
    hits = np.bincount(true[true == guess], minlength=len(numbers))
    total = np.bincount(true, minlength=len(numbers)) + np.bincount(guess, minlength=len(numbers))
    return float(np.mean(2 * hits / total))


def _macro_f1(counts: np.ndarray, true: np.ndarray, predicted: np.ndarray, n_labels: int) -> np.ndarray:
    """Macro-F1 from cell counts [draws, cells], over the labels that occur in truth or prediction of a draw."""
    one_true, one_predicted = np.eye(n_labels)[true], np.eye(n_labels)[predicted]
    hits = counts @ (one_true * one_predicted)
    total = counts @ (one_true + one_predicted)
    with np.errstate(invalid="ignore", divide="ignore"):
        f1 = np.where(total > 0, 2 * hits / total, np.nan)
    return np.nanmean(f1, axis=1)
