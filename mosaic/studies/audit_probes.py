"""Lines of the audit whose fault lies in how probes are trained, chosen, averaged or repeated: A4 to A7, A9, A12."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from mosaic.probing import folds
from mosaic.probing.contrasts import contrast
from mosaic.probing.linear import LogisticProbe
from mosaic.probing.scores import Difference, macro_f1
from mosaic.studies import adam
from mosaic.studies.audit_fits import COUNTS, SUM, AuditedSet
from mosaic.studies.audit_lines import Line, measured

SEEDS = 5  # trainings of one probe, and draws of the training texts
LAST, NO_LAST = "hidden last", "the profile computes no last token"  # the published baseline


def last_weights(sets: Sequence[AuditedSet]) -> Line:
    """A4: Adam's last weights against the convex solution, on the same rows; beside it, against its best epoch's."""
    cases, copies, epochs = {}, {}, {}
    for one in sets:
        trained, convex = by_adam(one, f"sae {SUM}", 0), converged(one, f"sae {SUM}")
        cases[one.title] = one.predictions(trained.last, convex)
        copies[one.title] = one.predictions(trained.last, trained.best)
        epochs[one.title] = trained.best_epoch + 1
    parts = {"last weights minus a copy of the best epoch's": contrast(list(copies.values()))}
    return measured("a4", cases, parts=parts, facts={"best_epoch": epochs, "epochs": adam.EPOCHS})


def unequal_baseline(sets: Sequence[AuditedSet]) -> Line:
    """A5: the lead of SAE features over hidden states, theirs at the last token alone and nothing scaled."""
    if any(LAST not in one.results for one in sets):
        return Line("a5", why=NO_LAST)
    cases, baseline, chosen = {}, [], {}
    for one in sets:
        right = {kind: one.chosen((kind,)) for kind in ("sae", "hidden")}
        cases[one.title] = one.case(
            {"unscaled sae": 1.0, "unscaled hidden": -1.0}, {right["sae"]: 1.0, right["hidden"]: -1.0}
        )
        baseline.append(one.case("unscaled hidden", right["hidden"]))
        chosen[one.title] = right
    return measured("a5", cases, parts={"hidden states alone": contrast(baseline)}, facts={"chosen": chosen})


def chosen_on_test(sets: Sequence[AuditedSet]) -> Line:
    """A6: the best of all settings of SAE features on the test set against the one that validation chooses."""
    kinds, cases, chosen = ("sae", "sae-binarised"), {}, {}
    for one in sets:
        best, honest = one.chosen(kinds, by_test=True), one.chosen(kinds)
        cases[one.title] = one.case(best, honest)
        chosen[one.title] = {"test": best, "validation": honest}
    n = sum(name.split(" ")[0] in kinds for name in sets[0].results)
    return measured("a6", cases, facts={"chosen": chosen, "settings": n})


def mixed_averages(sets: Sequence[AuditedSet]) -> Line:
    """A7: a pooling's bar with the hidden-state rows averaged in against SAE features alone, mean over poolings; beside it
    the bar of each pooling, and the pooling whose bar is highest."""
    poolings = [name.removeprefix("sae ") for name in sets[0].results if name.startswith("sae ")]

    def bars(one: AuditedSet, which: Sequence[str]):
        share = 1 / len(which)
        mixed = {f"{kind} {pooling}": share / 2 for kind in ("sae", "hidden") for pooling in which}
        return one.case(mixed, {f"sae {pooling}": share for pooling in which})

    by_pooling = {pooling: [bars(one, [pooling]) for one in sets] for pooling in poolings}
    levels = {pooling: np.mean([case.levels() for case in cases], axis=0) for pooling, cases in by_pooling.items()}
    highest = {way: max(poolings, key=lambda p: levels[p][i]) for i, way in enumerate(("mixed", "sae"))}
    return measured(
        "a7",
        {one.title: bars(one, poolings) for one in sets},
        parts={pooling: contrast(cases) for pooling, cases in by_pooling.items()},
        facts={"highest": highest},
    )


def fixed_threshold(sets: Sequence[AuditedSet]) -> Line:
    """A9: counts above 1.0 against counts above the threshold that validation chooses."""
    if any(f"sae-binarised {COUNTS}" not in one.results for one in sets):
        return Line("a9", why=f"the profile computes no {COUNTS} counts")
    chosen = {one.title: one.results[f"sae-binarised {COUNTS}"].threshold for one in sets}
    raw = contrast([one.case("at 1.0", f"sae {COUNTS}") for one in sets])
    return measured(
        "a9",
        {one.title: one.case("at 1.0", f"sae-binarised {COUNTS}") for one in sets},
        parts={"against counts as they are": raw},
        facts={"chosen": chosen},
    )


def repeated(sets: Sequence[AuditedSet]) -> Line:
    """A12: how far the hidden-state baseline moves when only its training's seed does, and when other training texts are drawn.

    number: the mean distance of two trainings over all pairs and sets; low, high: the middle 95 % of these distances.
    """
    if any(LAST not in one.results for one in sets):
        return Line("a12", why=NO_LAST)
    by_seed = {one.title: [by_adam(one, LAST, seed).last for seed in range(SEEDS)] for one in sets}
    by_draw = {one.title: [redrawn(one, LAST, seed) for seed in range(SEEDS)] for one in sets}
    seeds, draws = ({one.title: distances(one, made[one.title]) for one in sets} for made in (by_seed, by_draw))
    number, other = (spread(np.concatenate(list(found.values()))) for found in (seeds, draws))
    facts = {"most": max(max(found) for found in seeds.values()), "most_redrawn": max(max(f) for f in draws.values())}
    by_set = {title: float(np.mean(found)) for title, found in seeds.items()}
    return Line("a12", number, None, by_set, {"other training texts drawn": other}, facts, spread=True)


def distances(one: AuditedSet, predictions: Sequence[np.ndarray]) -> list[float]:
    """|F_i - F_j| of each pair of trainings on one set."""
    values = [macro_f1(one.truth, predicted[one.rows]) for predicted in predictions]
    return [abs(a - b) for a, b in combinations(values, 2)]


def spread(found: np.ndarray) -> Difference:
    """Mean of distances, and their middle 95 %."""
    low, high = np.quantile(found, [0.025, 0.975])
    return Difference(float(found.mean()), float(low), float(high), 0.0)


# --- probes ------------------------------------------------------------------------------------------------------


def by_adam(one: AuditedSet, name: str, seed: int) -> adam.Trained:
    """The probe of these features by Adam: fitted on the first fold's fit rows, its held rows tell the best epoch."""
    x, held, other, labels = prepared(one, name)
    return adam.train(x, labels[0], held, labels[1], other, seed)


def converged(one: AuditedSet, name: str) -> np.ndarray:
    """The convex solution on the same rows, at the C that the same fold chose."""
    x, _, other, labels = prepared(one, name)
    return LogisticProbe(one.results[name].strength).fit(x, labels[0]).predict(other)


def redrawn(one: AuditedSet, name: str, seed: int) -> np.ndarray:
    """The convex probe at its chosen C on training texts drawn with replacement."""
    candidate, n = one.candidate(name), len(one.problem.train)
    rows = np.random.default_rng(seed).choice(n, n)
    x, other, _ = candidate.matrices(rows, np.arange(n, n + len(one.problem.test)), None)
    return candidate.probe(one.results[name].strength).fit(x, one.problem.train.labels[rows]).predict(other)


def prepared(one: AuditedSet, name: str) -> tuple:
    """(fit rows, held rows, test rows, (labels of fit, of held)), scaled as the linear probe scales them, dense."""
    candidate, train = one.candidate(name), one.problem.train
    fit, held = folds.splits(train)[0]
    n, n_test = len(train), len(one.problem.test)
    x, rest, _ = candidate.matrices(fit, np.concatenate([held, np.arange(n, n + n_test)]), None)
    scale = candidate.probe(1.0)[:-1].fit(x)
    x, rest = (np.asarray(scale.transform(rows), dtype=np.float64) for rows in (x, rest))
    return x, rest[: len(held)], rest[len(held) :], (train.labels[fit], train.labels[held])
