"""Verdicts over many sets: Holm, win, tie and loss, mean ranks, the sentence of every branch, the figure."""

import itertools
import warnings

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from mosaic.probing import scores
from mosaic.probing.measured import Measured
from mosaic.probing.scores import Difference
from mosaic.studies import bench
from mosaic.studies.bench import LOSS, TIE, WIN, Against, Tally
from mosaic.studies.bench_figure import forest

P = st.floats(0, 1) | st.sampled_from([0.01, 0.02, 0.025, 0.05])


@given(st.lists(P, min_size=1, max_size=7))
def test_holm_is_the_closed_test_of_bonferroni(p):
    assert bench.holm(p) == reference.holm(p)


def test_holm_by_hand():
    assert bench.holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert bench.holm([0.5]) == [0.5]


@pytest.mark.parametrize(
    "difference,adjusted,expected",
    [(0.1, 0.05, WIN), (-0.1, 0.05, LOSS), (0.1, 0.0501, TIE), (-0.1, 1.0, TIE), (0.0, 0.01, TIE)],
)
def test_a_verdict_needs_the_corrected_test(difference, adjusted, expected):
    assert bench.verdict(difference, adjusted) == expected


def one(accuracies: dict[str, float], n=150, seed=0, groups=None) -> Measured:
    rng = np.random.default_rng(seed)
    truth = rng.choice(["a", "b"], n).astype(object)
    other = np.where(truth == "a", "b", "a").astype(object)
    predicted = {family: np.where(rng.random(n) < a, truth, other) for family, a in accuracies.items()}
    chosen = {
        family: {"macro_f1": scores.macro_f1(truth, p), "low": 0.0, "high": 1.0, "layer": 1, "width": "2k", "pooling": "max"}
        for family, p in predicted.items()
    }  # fmt: skip
    return Measured(100, 2, truth, groups, chosen, predicted)


def test_p_is_that_of_probe_for_few_sets_and_finer_for_many():
    case = one({"sae": 0.8, "hidden": 0.7}).case("sae", "hidden")
    assert bench.p_value(case, bench.SETS_A_BOOTSTRAP) == scores.compare(*case).p
    assert bench.p_value(case, 100) == pytest.approx(scores.compare(*case).p, abs=0.05)
    sure = one({"sae": 0.99, "hidden": 0.3}).case("sae", "hidden")
    assert scores.compare(*sure).p * 200 > bench.LEVEL, "2,000 resamples cannot decide among 200 sets"
    assert bench.p_value(sure, 200) * 200 <= bench.LEVEL
    equal = one({"sae": 0.7}).predicted["sae"]
    assert bench.p_value((equal, equal, equal, None), 20) > 0.99


def test_a_tally_counts_and_averages():
    sets = {f"s{i}": one({"sae": 1.0, "hidden": h}, seed=i) for i, h in enumerate([0.6, 0.6, 1.0, 1.0])}
    found = bench.tally(sets, "hidden")
    assert [found.sets[name].verdict for name in sets] == [WIN, WIN, TIE, TIE]
    assert (found.count(WIN), found.count(TIE), found.count(LOSS)) == (2, 2, 0)
    mean = np.mean([against.difference.difference for against in found.sets.values()])
    assert found.mean.difference == pytest.approx(mean)
    widest = max(a.difference.high - a.difference.low for a in found.sets.values())
    assert found.mean.high - found.mean.low > widest, "sets that disagree make the interval wide"
    summary = found.summary()
    assert (summary["wins"], summary["ties"], summary["losses"]) == (2, 2, 0)


def test_mean_ranks_share_what_is_equal():
    sets = {
        "x": one({"sae": 1.0, "hidden": 1.0, "majority": 0.3}),
        "y": one({"sae": 0.5, "hidden": 0.9, "majority": 0.1}),
    }
    assert bench.mean_ranks(sets) == {"sae": 1.75, "hidden": 1.25, "majority": 3.0}


def tallied(low, high, wins=0, losses=0, n=6) -> Tally:
    signs = [1] * wins + [-1] * losses + [0] * (n - wins - losses)
    sets = {str(i): Against(Difference(0.1 * s, -0.1, 0.1, 0.01), 0.01, 0.01 if s else 1) for i, s in enumerate(signs)}
    return Tally("hidden", sets, Difference((low + high) / 2, low, high, 0.1))


ABOVE, BELOW, LEVEL = (0.01, 0.03), (-0.03, -0.01), (-0.01, 0.03)


@pytest.mark.parametrize(
    "interval,wins,losses,said",
    [
        (ABOVE, 2, 0, "are ahead of hidden states: +0.020 (95 % +0.010 to +0.030). Set by set (Holm's correction) they win 2, tie 4 and lose 0."),
        (ABOVE, 2, 1, "win 2, tie 3 and lose 1: which is better depends on the set."),
        (ABOVE, 0, 0, "are ahead of hidden states: .* lose 0: it shows on the average alone."),
        (ABOVE, 0, 1, "the single sets that can be told apart say the opposite."),
        (BELOW, 0, 3, "are behind hidden states: .* win 0, tie 3 and lose 3."),
        (BELOW, 1, 3, "are behind .*: which is better depends on the set."),
        (BELOW, 0, 0, "are behind .*: it shows on the average alone."),
        (BELOW, 1, 0, "are behind .*: the single sets that can be told apart say the opposite."),
        (LEVEL, 0, 0, "cannot be told from hidden states: .*: no single set tells the two apart."),
        (LEVEL, 2, 0, "cannot be told from .*: where the two can be told apart, SAE features are better."),
        (LEVEL, 0, 2, "cannot be told from .*: where the two can be told apart, SAE features are worse."),
        (LEVEL, 1, 1, "cannot be told from .*: which is better depends on the set."),
    ],
)  # fmt: skip
def test_the_answer_of_every_branch(interval, wins, losses, said):
    found = bench.answer(tallied(*interval, wins=wins, losses=losses))
    assert found.startswith("On average over 6 sets, SAE features ")
    position = 0
    for part in said.split(" .*"):
        assert part in found[position:]
        position = found.index(part, position) + len(part)
    assert position == len(found)


@pytest.mark.parametrize(
    "wins,losses,how", [(1, 0, "are ahead of"), (0, 1, "are behind"), (0, 0, "cannot be told from")]
)
def test_the_answer_of_one_set_claims_no_other(wins, losses, how):
    found = bench.answer(tallied(*LEVEL, wins=wins, losses=losses, n=1))
    assert found.startswith(f"On the one set, SAE features {how} hidden states: ")
    assert found.endswith("of other sets this says nothing.")


def test_the_forest_has_a_row_a_set_the_mean_at_the_top_and_a_colour_a_verdict():
    hostile = ["$\\frac{", "\x1b[31m\u202eevil", "new\nline " * 20, "猫\udce9", "[red]", "plain"]
    of = tallied(*ABOVE, wins=2, losses=1)
    of = Tally("hidden", dict(zip(hostile, of.sets.values(), strict=True)), of.mean)
    figure = forest(of)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.canvas.draw()  # a name read as a formula would end it
    (ax,) = figure.axes
    shown = [tick.get_text() for tick in ax.get_yticklabels()]
    assert shown[0] == "mean" and shown[1] == "$\\frac{" and len(shown) == 7
    assert "\x1b" not in "".join(shown) and max(map(len, shown)) <= 40 and "\n" not in "".join(shown)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sorted(labels) == sorted(["mean, over sets and texts", "SAE features win", "tie", "SAE features lose"])
    colours = {
        label: handle.lines[0].get_color() for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    assert all(a != b for a, b in itertools.combinations([v for k, v in colours.items() if "mean" not in k], 2))


def test_the_strong_baseline_is_called_what_it_is():
    of = tallied(*BELOW, losses=3)
    found = bench.answer(Tally(bench.STRONG, of.sets, of.mean))
    assert "are behind the strong baseline on hidden states: " in found
    assert forest(Tally(bench.STRONG, of.sets, of.mean)).axes
