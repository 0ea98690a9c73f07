from types import SimpleNamespace

import numpy as np

from mosaic.probing.candidates import Setting
from mosaic.probing.selection import Result
from mosaic.studies import few_latents
from mosaic.texts.labelled import FAMILIAR, NEW, LabelledTexts

N = 400
TRUTH = np.array(["no", "yes"] * (N // 2), dtype=object)


def wrong(share, seed=0):
    """The truth, with a share of it turned round."""
    turned = TRUTH.copy()
    rows = np.random.default_rng(seed).choice(N, int(share * N), replace=False)
    turned[rows] = np.where(turned[rows] == "yes", "no", "yes")
    return turned


def result(validation, test=TRUTH):
    held = (TRUTH, validation, None)
    scored = SimpleNamespace(macro_f1=0.5, low=0.4, high=0.6)
    parts = {FAMILIAR: scored, NEW: scored}
    return Result(Setting("sae"), 0.5, 0.1, None, scored, np.concatenate([test, test]), N, parts=parts, held=held)


def of(chosen, every, by_size, best=None):
    parts = np.array([FAMILIAR] * N + [NEW] * N)
    test = LabelledTexts("t", ["x"] * 2 * N, np.concatenate([TRUTH, TRUTH]), parts=parts)
    return few_latents.FewLatents("t", best or every, test, every, by_size, chosen)


def test_the_smallest_size_within_a_standard_error_is_chosen():
    every = result(wrong(0.10))
    sizes = {1: result(wrong(0.40, 1)), 4: result(wrong(0.105, 2)), 16: result(wrong(0.02, 3))}
    assert few_latents.smallest(every, sizes) == 4
    assert few_latents.smallest(every, {1: sizes[1], 16: sizes[16]}) == 16  # better than all suffices, too
    assert few_latents.smallest(every, {1: sizes[1]}) is None


def test_the_test_set_is_not_read_to_choose():
    every = result(wrong(0.10), TRUTH)
    assert few_latents.smallest(every, {1: result(wrong(0.40, 1), TRUTH), 2: result(wrong(0.1, 2), wrong(0.5))}) == 2


def test_the_row_holds_what_the_few_cost_on_every_part():
    every, few = result(TRUTH, TRUTH), result(TRUTH, wrong(0.2))
    row = of(2, every, {2: few}).row()
    assert row["k"] == 2 and list(row["parts"]) == [FAMILIAR, NEW]
    assert -0.25 < row["parts"][NEW]["interval"][0] < row["parts"][NEW]["difference"] < -0.15
    none = of(None, every, {2: few}).row()
    assert none["k"] is None and none["parts"][FAMILIAR]["interval"] is None


def test_a_set_where_a_tree_does_better_says_so_and_is_left_out_of_the_mean():
    linear, tree = result(wrong(0.4), TRUTH), result(wrong(0.1), TRUTH)
    assert of(1, linear, {1: linear}, tree).short and not of(1, linear, {1: linear}).short
    assert few_latents.mean_difference([of(1, linear, {1: linear}, tree)]) is None


def test_the_mean_is_over_sets_that_have_a_size_and_the_part():
    every, few = result(TRUTH, TRUTH), result(TRUTH, wrong(0.2))
    found = few_latents.mean_difference([of(2, every, {2: few}), of(None, every, {2: few}), of(2, every, {2: every})])
    assert abs(found.difference + 0.1) < 0.01
    assert few_latents.mean_difference([of(None, every, {2: few})]) is None
    assert few_latents.mean_difference([of(2, every, {2: few})], "no such part") is None
