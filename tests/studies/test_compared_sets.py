from types import SimpleNamespace

import numpy as np
import pytest

from mosaic.probing.candidates import Setting
from mosaic.probing.selection import Result
from mosaic.studies import compared_sets, equal_budget
from mosaic.studies.best_mean_setting import best_mean_setting
from mosaic.studies.compared_sets import NEVER_TOLD, OTHER, TOLD, ComparedSet
from mosaic.studies.controls import HIDDEN, RANDOM, TRAINED, UNTRAINED, best_linear, rows
from mosaic.studies.effort import effort
from mosaic.texts.labelled import FAMILIAR, NEW, LabelledTexts

N = 200
TRUTH = np.array(["no", "yes"] * (N // 2), dtype=object)


def wrong(share):
    """The truth, with its first rows turned round."""
    turned = TRUTH.copy()
    turned[: int(share * N)] = np.where(turned[: int(share * N)] == "yes", "no", "yes")
    return turned


def result(*shares, **changes):
    """A result whose share of wrong predictions in each part is given."""
    parts = dict(zip((FAMILIAR, NEW), ({"macro_f1": 1 - share} for share in shares), strict=False))
    parts = {name: SimpleNamespace(**value) for name, value in parts.items()}
    predicted = np.concatenate([wrong(share) for share in shares])
    setting = changes.pop("setting", Setting("sae", 1, "1k", "mean"))
    return Result(setting, 0.5, 0.1, None, parts[FAMILIAR], predicted, N, parts=parts, **changes)


def compared(title, kind, sae, hidden, draws=None):
    n_parts = len(sae)
    parts = np.repeat([FAMILIAR, NEW][:n_parts], N)
    test = LabelledTexts(title, ["x"] * N * n_parts, np.tile(TRUTH, n_parts), parts=parts)
    best = {"sae": result(*sae), "hidden": result(*hidden)}
    linear = {"sae": result(*hidden), "hidden": result(*hidden)}  # the SAE's lead is a tree's
    return ComparedSet(title, kind, test, best, linear, draws or {}, draws or {})


SETS = [
    compared("told", TOLD, (0.0, 0.2), (0.1, 0.2)),
    compared("never", NEVER_TOLD, (0.3, 0.3), (0.1, 0.1)),
    compared("other", OTHER, (0.5,), (0.5,)),
]


def test_groups_take_the_sets_and_parts_they_name():
    found = {name: [(s.title, part) for s, part in members] for name, members in compared_sets.in_groups(SETS).items()}
    assert found == {
        "all": [("told", FAMILIAR), ("never", FAMILIAR), ("other", FAMILIAR)],
        "familiar_words": [("told", FAMILIAR), ("never", FAMILIAR)],
        "new_words": [("told", NEW), ("never", NEW)],
        "told": [("told", FAMILIAR)],
        "never_told": [("never", FAMILIAR)],
        "neither": [("other", FAMILIAR)],
        "told_new_words": [("told", NEW)],
        "never_told_new_words": [("never", NEW)],
    }


def test_differences_of_groups_are_those_of_their_parts():
    groups = compared_sets.grouped(SETS, ("sae", "hidden"))
    values = {name: round(group.differences["hidden"].difference, 2) for name, group in groups.items()}
    assert values == {
        "all": -0.03, "familiar_words": -0.05, "new_words": -0.1, "told": 0.1, "never_told": -0.2, "neither": 0.0,
        "told_new_words": 0.0, "never_told_new_words": -0.2,
    }  # fmt: skip
    assert all(group.linear.difference == 0 for group in groups.values())
    told = groups["told"]
    assert told.differences["hidden"].low > 0 and groups["never_told"].differences["hidden"].high < 0
    assert told.means["sae"].macro_f1 == pytest.approx(1.0) and told.n_sets == 1
    assert compared_sets.grouped(SETS[2:], ("sae", "hidden"))["told"] is None


def test_a_sets_difference_is_known_of_each_part():
    found = compared_sets.by_part(SETS[0], ("sae", "hidden"))
    assert found[FAMILIAR]["hidden"].difference == pytest.approx(0.1, abs=0.01)
    assert found[NEW]["hidden"].difference == 0


def test_what_was_learned_is_measured_over_draws():
    """Random dictionaries that differ among themselves make the interval wide, however many texts there are."""

    def budget(randoms):
        draws = {
            TRAINED: [result(0.1, 0.1)],
            RANDOM: [result(share, share) for share in randoms],
            HIDDEN: [result(0.2, 0.2)],
            UNTRAINED: [result(0.4, 0.4)],
        }
        sets = [compared(str(i), TOLD, (0.1, 0.1), (0.2, 0.2), draws) for i in range(4)]
        control = SimpleNamespace(layer=1, width="1k", sparsity=lambda: {})
        return equal_budget.equal_budget(sets, control, {})

    alike, apart = budget([0.15] * 5), budget([0.0, 0.05, 0.1, 0.25, 0.35])
    lead, wide = (of.linear.differences["all"]["trained_minus_random"] for of in (alike, apart))
    assert lead.low > 0 > wide.low and wide.difference == pytest.approx(0.05, abs=0.01)
    assert alike.linear.differences["all"]["hidden_minus_untrained"].difference == pytest.approx(0.2, abs=0.01)
    assert alike.linear.means[RANDOM] == pytest.approx(0.85) and alike.n_draws[RANDOM] == 5
    assert set(alike.linear.differences["new_words"]) == set(equal_budget.PAIRS)
    assert alike.linear.differences["never_told"] is None


def test_a_controls_row_has_the_range_of_its_draws():
    (row,) = rows("t", {RANDOM: [result(0.1), result(0.3)]})
    assert row["parts"][FAMILIAR] == pytest.approx({"macro_f1": 0.8, "lowest": 0.7, "highest": 0.9})
    assert (row["n_draws"], row["poolings"]) == (2, "mean")


def test_the_linear_probe_is_the_best_on_validation_that_is_no_tree():
    settings = [
        Setting("sae", 1, "1k", "mean", classifier="tree"),
        Setting("hidden", 1, None, "mean"),
        Setting("sae", 1, "4k", "last"),
        Setting("sae", 1, "1k", "sum"),
    ]
    results = [result(0.1, setting=setting) for setting in settings]
    assert best_linear(results, "sae").setting.pooling == "last" and best_linear(results).setting.pooling == "mean"


def test_one_setting_for_all_sets_is_chosen_on_validation_alone():
    first, second = Setting("sae", 1, "1k", "mean"), Setting("sae", 2, "1k", "mean")
    only_here = Setting("sae", 3, "1k", "mean")

    def of(validation):
        return [
            Result(s, v, 0.1, None, None, wrong(share), N)
            for s, v, share in ((first, validation, 0.2), (second, 0.6, 0.0))
        ]

    test = LabelledTexts("t", ["x"] * N, TRUTH)
    extra = Result(only_here, 0.99, 0.1, None, None, TRUTH, N)
    found = best_mean_setting([(test, of(0.9)), (test, [*of(0.5), extra])])
    assert found["layer"] == 1 and found["macro_f1"] == pytest.approx(0.8, abs=0.01)
    assert found["interval"][0] < found["macro_f1"] < found["interval"][1]


def test_effort_counts_settings_edges_and_fits():
    lowest = 1e-5
    results = [
        result(0.1, n_fits=9, n_unconverged=1),
        result(0.1, n_fits=9, setting=Setting("sae", 1, "1k", "last")),
        result(0.1, n_fits=2, setting=Setting("sae", 1, "1k", "last", classifier="tree")),
    ]
    results[1] = Result(**{**vars(results[1]), "strength": lowest})
    results[2] = Result(**{**vars(results[2]), "strength": None})
    found = effort(results, 1, results[1:2])
    assert (found["n_settings"], found["poolings"]) == (3, ["last", "mean"])
    assert found["edge"] == {"low": 0.5, "high": 0.0} and found["edge_selected"] == {"low": 1.0, "high": 0.0}
    assert found["not_converged"] == pytest.approx(1 / 20)
