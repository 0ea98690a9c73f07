"""The comparison: SAE features against hidden states, TF-IDF and the majority class, chosen honestly.

Nested selection (design notes, audit A6): every setting, regularisation and threshold is chosen on validation
folds of the training set; the test set is only ever scored. Equal treatment (A5): every pooling for SAE
latents and for hidden states, all columns scaled. Groups never straddle a fold.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from mosaic.features.table import FeatureTable
from mosaic.probing import estimators, scores
from mosaic.progress import Progress
from mosaic.texts import labelled
from mosaic.texts.labelled import LabelledTexts

FAMILIES = ("sae", "hidden", "tfidf", "majority")
STRENGTHS = (0.003, 0.03, 0.3)
TFIDF_STRENGTHS = (1.0, 10.0, 100.0)
COUNT_THRESHOLDS = (0.0, 1.0, 2.0)
QUANTILES = (0.25, 0.5, 0.75)
DENSE_CELLS = 200_000_000


@dataclass(frozen=True)
class Setting:
    """One way to classify. layer, width, pooling, binarized are None where they do not apply."""

    features: str
    layer: int | None = None
    width: str | None = None
    pooling: str | None = None
    binarized: bool = False
    classifier: str = "logistic"


@dataclass(frozen=True)
class Budget:
    """How much validation a setting gets.

    rows: training rows used for selection (more classes need more: at least 30 a class). n_folds: validation
    folds; strength and threshold are chosen on the first, settings by the mean over all. seed: of the folds.
    """

    rows: int = 1500
    n_folds: int = 3
    seed: int = estimators.SEED


@dataclass(frozen=True)
class Result:
    """A setting with its validation mean macro-F1, what validation chose for it, and its score on test."""

    setting: Setting
    validation: float
    strength: float | None
    threshold: float | None
    score: scores.Score
    predicted: np.ndarray
    n_train: int
    selected: bool = False
    model: object = None

    def row(self) -> dict:
        """The row of `mosaic probe --json`."""
        return {
            **asdict(self.setting),
            "macro_f1": self.score.macro_f1,
            "low": self.score.low,
            "high": self.score.high,
            "accuracy": self.score.accuracy,
            "auroc": self.score.auroc,
            "validation_macro_f1": self.validation,
            "C": self.strength,
            "threshold": self.threshold,
            "n_train": self.n_train,
            "n_test": self.score.n,
            "selected": self.selected,
        }


@dataclass(frozen=True)
class Problem:
    """One labelled problem: train, test and the features of both (tables whose rows are train, then test)."""

    train: LabelledTexts
    test: LabelledTexts
    tables: tuple[FeatureTable, ...]


def make_problem(train: LabelledTexts, test: LabelledTexts, lm, request, cache=None) -> Problem:
    """Extract features for both parts in one pass. Raises MosaicError for unusable labels or texts."""
    from mosaic.features.extract import extract

    labelled.check_classes(train)
    labelled.check_test(train, test)
    return Problem(train, test, tuple(extract(train.texts + test.texts, lm, request, cache)))


def subsample(part: LabelledTexts, n: int | None, seed: int = estimators.SEED) -> LabelledTexts:
    """At most n rows, stratified by label (whole rows; groups need no care inside one part), in input order."""
    if n is None or len(part) <= n:
        return part
    rng = np.random.default_rng(seed)
    labels, counts = np.unique(part.labels, return_counts=True)
    # Largest remainders: every class keeps its share, and at least enough rows to be checked.
    share = counts * n / len(part)
    take = np.minimum(counts, np.maximum(np.floor(share), labelled.MIN_ROWS_PER_CLASS).astype(int))
    for i in np.argsort(-(share - np.floor(share)), kind="stable"):
        if take.sum() < n and take[i] < counts[i]:
            take[i] += 1
    rows = [
        rng.choice(np.flatnonzero(part.labels == label), size, replace=False)
        for label, size in zip(labels, take, strict=True)
    ]
    return part.take(np.sort(np.concatenate(rows)))


def evaluate(
    problem: Problem,
    budget: Budget = Budget(),
    families: Sequence[str] = FAMILIES,
    binarize: bool = True,
    trees: bool = True,
) -> list[Result]:
    """Score every setting of the wanted families; in each family the one chosen on validation is marked `selected`.

    Returns results family by family, best validation first. binarize: also threshold the SAE poolings.
    trees: add a shallow tree for the best pooling of each layer and width.
    """
    candidates = [TableFeatures(problem, table) for table in problem.tables if table.provenance["features"] in families]
    if binarize:
        candidates += [replace(c, binarized=True) for c in candidates if c.table.provenance["features"] == "sae"]
    if "tfidf" in families:
        candidates += [_TfidfFeatures(problem, kind) for kind in ("word", "char")]
    if "majority" in families:
        candidates.append(_Majority(problem))
    splits = _selection_splits(problem.train, budget)
    with Progress("probing", len(candidates), unit="settings") as progress:
        results = _in_parallel(lambda candidate: _fit(candidate, problem, splits), candidates, progress)
        if trees:
            best = _best_of_each_encoder(candidates, results)
            results += _in_parallel(lambda chosen: _fit_tree(chosen, problem, splits), best, progress)
    return _marked(results, families)


def _in_parallel(job, items: Sequence, progress: Progress) -> list:
    """Results in the order of the items; one thread a core, each with single-threaded matrix products."""
    import os

    from joblib import Parallel, delayed
    from threadpoolctl import threadpool_limits

    found = []
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="lbfgs failed to converge")
        workers = Parallel(n_jobs=len(os.sched_getaffinity(0)), prefer="threads", return_as="generator")
        for result in workers(delayed(job)(item) for item in items):
            found.append(result)
            progress.advance(1, 0)
    return found


def selected(results: Iterable[Result], family: str) -> Result:
    """The result of a family that validation chose."""
    return next(r for r in results if r.selected and r.setting.features == family)


# --- features of one candidate -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class TableFeatures:
    """Columns of one feature table; rows 0..n_train-1 are train, the rest test."""

    problem: Problem
    table: FeatureTable
    binarized: bool = False

    strengths = STRENGTHS

    @property
    def setting(self) -> Setting:
        what = self.table.provenance
        return Setting(what["features"], what["layer"], what.get("width"), what["pooling"], self.binarized)

    @property
    def dense(self) -> bool:
        return self.table.provenance["features"] == "hidden"

    def thresholds(self, rows: np.ndarray) -> tuple[float | None, ...]:
        if not self.binarized:
            return (None,)
        return thresholds_for(self.table.provenance["pooling"], self.table.matrix[rows].data)

    def matrices(self, fit: np.ndarray, other: np.ndarray, threshold: float | None):
        """(fit rows, other rows); columns that are zero in all fit rows carry nothing and are dropped."""
        first, second = self.table.matrix[fit], self.table.matrix[other]
        if threshold is not None:
            first, second = binarise(first, threshold), binarise(second, threshold)
        active = first.getnnz(axis=0) > 0
        columns = np.flatnonzero(active) if active.any() else np.arange(1)
        first, second = first[:, columns], second[:, columns]
        # BLAS on dense rows beats sparse products unless the matrix would be huge.
        if first.shape[0] * first.shape[1] <= DENSE_CELLS:
            first, second = first.toarray(), second.toarray()
        return first, second, columns

    def probe(self, strength: float):
        return estimators.logistic(strength, center=self.dense)


@dataclass(frozen=True)
class _TfidfFeatures:
    problem: Problem
    kind: str

    strengths = TFIDF_STRENGTHS

    @property
    def setting(self) -> Setting:
        return Setting("tfidf", pooling=self.kind)

    def thresholds(self, rows: np.ndarray) -> tuple[None]:
        return (None,)

    def matrices(self, fit: np.ndarray, other: np.ndarray, threshold: None):
        texts = self.problem.train.texts + self.problem.test.texts
        vectorizer = estimators.tfidf(self.kind)
        first = vectorizer.fit_transform([texts[i] for i in fit])
        return first, vectorizer.transform([texts[i] for i in other]), np.arange(first.shape[1])

    def probe(self, strength: float):
        return estimators.tfidf_probe(strength)


@dataclass(frozen=True)
class _Majority:
    problem: Problem

    strengths = (None,)
    setting = Setting("majority", classifier="majority")

    def thresholds(self, rows: np.ndarray) -> tuple[None]:
        return (None,)

    def matrices(self, fit: np.ndarray, other: np.ndarray, threshold: None):
        return np.zeros((len(fit), 1)), np.zeros((len(other), 1)), np.arange(1)

    def probe(self, strength: None):
        return estimators.majority()


def binarise(matrix, threshold: float):
    """scikit-learn's Binarizer (x > threshold -> 1), zeros dropped from the sparse structure."""
    from sklearn.preprocessing import Binarizer

    out = Binarizer(threshold=threshold).fit_transform(matrix)
    out.eliminate_zeros()
    return out


def thresholds_for(pooling: str, positive: np.ndarray) -> tuple[float, ...]:
    """Thresholds to try: whole numbers for counts (a count > 1 means two tokens), quartiles of the rest."""
    if pooling == "count" or pooling.startswith("top"):
        return COUNT_THRESHOLDS
    if not len(positive):
        return (0.0,)
    return (0.0, *(float(q) for q in np.quantile(positive, QUANTILES)))


# --- choosing and fitting ----------------------------------------------------------------------------------------


def _selection_splits(train: LabelledTexts, budget: Budget) -> list[tuple[np.ndarray, np.ndarray]]:
    """(fit, validation) rows of the training set, stratified, grouped, at most `budget.rows` of them."""
    n = max(budget.rows, 30 * len(train.classes))
    rows = np.arange(len(train))
    if n < len(rows):
        keep = labelled.folds(train.labels, train.groups, -(-len(rows) // n), budget.seed)
        rows = next(keep)[1]
    smallest = int(np.unique(train.labels[rows], return_counts=True)[1].min())
    groups = None if train.groups is None else train.groups[rows]
    n_folds = max(2, min(budget.n_folds, smallest))
    return [(rows[a], rows[b]) for a, b in labelled.folds(train.labels[rows], groups, n_folds, budget.seed)]


def _validate(candidate, labels: np.ndarray, split, strength, threshold) -> float:
    from sklearn.metrics import f1_score

    fit, validation = split
    first, second, _ = candidate.matrices(fit, validation, threshold)
    probe = candidate.probe(strength).fit(first, labels[fit])
    return float(f1_score(labels[validation], probe.predict(second), average="macro", zero_division=0))


def _fit(candidate, problem: Problem, splits) -> Result:
    labels = problem.train.labels
    first, *others = splits
    middle = candidate.strengths[len(candidate.strengths) // 2]
    tried: dict[tuple, float] = {}

    def value(strength, threshold) -> float:
        if (strength, threshold) not in tried:
            tried[strength, threshold] = _validate(candidate, labels, first, strength, threshold)
        return tried[strength, threshold]

    threshold = max(candidate.thresholds(first[0]), key=lambda t: value(middle, t))
    strength = max(candidate.strengths, key=lambda s: value(s, threshold))
    folds = [value(strength, threshold)] + [_validate(candidate, labels, s, strength, threshold) for s in others]
    return final(
        candidate, candidate.setting, problem, candidate.probe(strength), float(np.mean(folds)), strength, threshold
    )


def _fit_tree(chosen, problem: Problem, splits) -> Result:
    """A tree on the best pooling of one encoder; depth and leaf size chosen on the first validation fold."""
    from sklearn.metrics import f1_score

    candidate, threshold = chosen
    labels = problem.train.labels
    prepared = [(fit, val, *candidate.matrices(fit, val, threshold)[:2]) for fit, val in splits]

    def value(depth: int, leaf: int, folds) -> float:
        return float(
            np.mean(
                [
                    f1_score(
                        labels[val],
                        estimators.tree(depth, leaf).fit(first, labels[fit]).predict(second),
                        average="macro",
                        zero_division=0,
                    )
                    for fit, val, first, second in folds
                ]
            )
        )

    grid = [(depth, leaf) for depth in (3, 5, 7, 9) for leaf in (1, 4)]
    depth, leaf = max(grid, key=lambda choice: value(*choice, prepared[:1]))
    setting = replace(candidate.setting, classifier="tree")
    return final(
        candidate, setting, problem, estimators.tree(depth, leaf), value(depth, leaf, prepared), None, threshold
    )


def final(candidate, setting, problem, probe, validation, strength, threshold) -> Result:
    """Refit on the whole training set, score on test."""
    n = len(problem.train)
    fit, test = np.arange(n), np.arange(n, n + len(problem.test))
    first, second, columns = candidate.matrices(fit, test, threshold)
    probe = probe.fit(first, problem.train.labels)
    predicted = probe.predict(second)
    scored = scores.score(
        problem.test.labels, predicted, probe.predict_proba(second), probe.classes_, problem.test.groups
    )
    return Result(setting, validation, strength, threshold, scored, predicted, n, model=(probe, columns))


def _best_of_each_encoder(candidates, results: list[Result]):
    """For each (features, layer, width): the candidate with the best validation, and its threshold."""
    best: dict[tuple, tuple] = {}
    for candidate, result in zip(candidates, results, strict=True):
        setting = result.setting
        key = (setting.features, setting.layer, setting.width)
        if setting.layer is not None and (key not in best or result.validation > best[key][0]):
            best[key] = (result.validation, candidate, result.threshold)
    return [(candidate, threshold) for _, candidate, threshold in best.values()]


def _marked(results: list[Result], families: Sequence[str]) -> list[Result]:
    ordered = []
    for family in families:
        members = sorted((r for r in results if r.setting.features == family), key=lambda r: -r.validation)
        ordered += [replace(result, selected=i == 0) for i, result in enumerate(members)]
    return ordered
