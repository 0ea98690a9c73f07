"""Probes of seeds: the answer, its two quantities and the losses, on probes made up so that they are known."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from mosaic import numerals
from mosaic.agreement.probe_agreement import ProbeRun
from mosaic.errors import MosaicError
from mosaic.profiles.profile import load_profile
from mosaic.reporting import results
from mosaic.studies import probe_spread, probes_of_seeds
from mosaic.studies.probe_spread import Figures
from mosaic.texts.labelled import FAMILIAR, NEW, WHOLE

N = 8


def figures(sd_seeds=0.01, sd_draws=0.01, same_seeds=0.9, same_draws=0.9, n=N, seed=0):
    """Scores of these standard deviations exactly, and pairs that all agree so often, give or take .001."""
    generator = np.random.default_rng(seed)

    def scores(sd):
        values = generator.normal(size=n)
        return 0.8 + sd * (values - values.mean()) / values.std(ddof=1)

    def pairs(mean):
        return {pair: mean + 0.001 * generator.normal() for pair in combinations(range(n), 2)}

    return Figures(scores(sd_seeds), scores(sd_draws), pairs(same_seeds), pairs(same_draws))


def found(n_sets=12, **options):
    return probe_spread.spread([figures(seed=seed, **options) for seed in range(n_sets)])


@pytest.mark.parametrize(
    ("options", "answer", "words"),
    [
        ({}, "yes", "within the bound of 1.5"),
        ({"sd_seeds": 0.03}, "no", "more than the bound of 1.5"),
        ({"sd_seeds": 0.0155}, "undecided", "not told from the bound of 1.5"),
        ({"same_seeds": 0.84}, "no", "+0.060 (95 %: +0.0"),
        ({"same_seeds": 0.87}, "yes", "within the bound of 0.05"),
        ({"sd_seeds": 0.0, "sd_draws": 0.0}, "yes", "the draws do not move the score at all"),
    ],
)
def test_the_answer_has_two_bounds_and_three_values(options, answer, words):
    got = found(**options)
    assert got["answer"] == answer and words in got["reason"]


def test_the_ratio_is_printed_beside_its_bound():
    """ "The spread is 1.5 times" stood beside a ratio of 1.535 and the answer "no"."""
    got = found(sd_seeds=0.01535)
    assert got["ratio"]["value"] == pytest.approx(1.535, abs=0.001)
    assert "is 1.54 times that over draws (95 %: " in got["reason"] and "0.0154 and 0.0100" in got["reason"]


def test_one_set_says_less_than_twelve():
    one, twelve = found(1, sd_seeds=0.011), found(12, sd_seeds=0.011)
    width = lambda got: got["ratio"]["interval"][1] / got["ratio"]["interval"][0]  # noqa: E731
    assert width(one) > 1.5 * width(twelve)
    assert (one["answer"], twelve["answer"]) == ("undecided", "yes")


def test_the_interval_of_a_ratio_holds_the_truth():
    """Independent seeds and draws of a known ratio: 95 % of the intervals hold it, give or take."""
    generator, held = np.random.default_rng(0), 0
    for _ in range(200):
        seeds, draws = (probe_spread.mean_sd([generator.normal(0, sd, N) for _ in range(7)]) for sd in (0.02, 0.01))
        low, high = probe_spread.ratio(seeds, draws)["interval"]
        held += low <= 2 <= high
    assert 0.9 <= held / 200 <= 0.99


def test_two_seeds_give_point_estimates():
    got = found(3, n=2)
    assert got["ratio"]["interval"] is None and got["lower"]["interval"] is None
    assert got["answer"] == "yes" and "no interval" in got["reason"]
    assert probe_spread.ratio(probe_spread.mean_sd([np.zeros(4)]), probe_spread.mean_sd([np.zeros(4)])) == {
        "value": None,
        "interval": None,
    }


# --- latents of one kind ---------------------------------------------------------------------------------------------


def kept(shared=0.7, orphan=0.5, every=0.8, random=0.65, n=N):
    wobble = np.linspace(-0.01, 0.01, n)
    row = lambda mean: [None] * n if mean is None else [float(mean + w) for w in wobble]  # noqa: E731
    return {"all": row(every), "shared": row(shared), "orphan": row(orphan), "random": row(random)}


def less(sets):
    pairs = (("shared", "all"), ("shared", "random"), ("orphan", "shared"))
    return {f"{a}_less_{b}": probe_spread.kept_less(sets, a, b) for a, b in pairs}


def test_a_loss_is_the_mean_over_sets_with_its_interval_over_sets_and_seeds():
    got = probe_spread.kept_less([kept(0.7), kept(0.5)], "shared", "all")
    assert got["difference"] == pytest.approx(-0.2) and got["interval"] == pytest.approx([-0.3, -0.1])
    seeds = kept(0.7)
    seeds["shared"] = [0.7 + 0.1 * (i - 3.5) for i in range(N)]
    low, high = probe_spread.kept_less([seeds] * 3, "shared", "all")["interval"]
    assert low < -0.2 and high > 0, "sets that agree do not hide seeds that do not"
    assert probe_spread.kept_less([kept(None)], "shared", "all") == {"difference": None, "interval": None}


MEANS = {"all": 0.8, "shared": 0.7, "random": 0.65, "orphan": 0.5}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ("all (less: −0.100", "random (more: +0.050", "(less than the shared: −0.200")),
        ({"shared": 0.9}, ("(more: +0.100",)),
        ({"shared": 0.8, "every": 0.8}, ("(no difference can be told: 0.000",)),
        ({"shared": 0.6}, ("random (less: −0.050",)),
        ({"orphan": 0.75}, ("(more than the shared: +0.050",)),
    ],
)
def test_the_sentence_on_kinds_follows_the_intervals(options, words):
    text = probe_spread.kept_sentence(MEANS, less([kept(**options)] * 3))
    assert all(word in text.replace("+0.000", "0.000") for word in words), text


def test_kinds_that_cannot_be_told_apart_are_said_to_be():
    wavering = kept()
    for kind, sign in (("shared", 1), ("random", -1), ("orphan", -1)):
        wavering[kind] = [0.8 + sign * 0.05 * (-1) ** i for i in range(N)]
    text = probe_spread.kept_sentence(MEANS, less([wavering] * 3))
    assert text.count("no difference can be told") == 2 and "not told from the shared" in text
    missing = less([kept(None)])
    assert probe_spread.kept_sentence(MEANS, missing).startswith("Which latents a probe needs is not measured here")
    no_orphans = probe_spread.kept_sentence(MEANS | {"orphan": None}, less([kept(orphan=None)] * 3))
    assert no_orphans.endswith("Orphans alone give not measured here (not measured here).")


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (0.4, "So what a probe says is less a matter of the seed than the list"),
        (0.95, "So the list of latents is less a matter of the seed"),
    ],
)
def test_the_list_of_latents_is_held_against_what_the_probe_says(after, words):
    even = lambda value: {pair: value for pair in combinations(range(4), 2)}  # noqa: E731
    text = probe_spread.top_sentence({"after": even(after), "shared": even(0.2)}, even(0.86), 20)
    assert words in text and f"top 20 latents, a share of {numerals.shown(after)} is" in text
    wide = {pair: 1.0 if 0 in pair else 0.6 for pair in even(0)}
    unsure = probe_spread.top_sentence({"after": wide, "shared": even(0.2)}, even(0.86), 20)
    assert "cannot be told" in unsure
    two = probe_spread.top_sentence({"after": {(0, 1): 0.4}, "shared": {(0, 1): 0.2}}, {(0, 1): 0.9}, 20)
    assert two.endswith("From two seeds no interval can be had.")


# --- the study -------------------------------------------------------------------------------------------------------


def probes(parts=(WHOLE,), n=3, n_texts=40, missing=()):
    """Probes of n seeds and as many draws; those on the second part are right half as often."""
    generator = np.random.default_rng(0)
    size = n_texts // len(parts)
    rows = {part: np.arange(i * size, (i + 1) * size) for i, part in enumerate(parts)}

    def one():
        scores = {part: float(0.8 / (i + 1) + 0.01 * generator.normal()) for i, part in enumerate(parts)}
        return ProbeRun(generator.choice(["a", "b"], n_texts), scores, (0, 1))

    kinds = {
        kind: [None if kind in missing else one() for _ in range(n)] for kind in ("all", "shared", "random", "orphan")
    }
    pairs = list(combinations(range(n), 2))
    top = {name: {pair: 0.1 * i for pair in pairs} for i, name in enumerate(("before", "after", "shared"))}
    return probes_of_seeds.SetProbes(tuple(kinds["all"]), tuple(one() for _ in range(n)), kinds, top, rows)


@pytest.mark.parametrize(
    "sets",
    [
        [probes()],
        [probes((FAMILIAR, NEW)), probes()],
        [probes(missing=("shared", "random"))],
        [probes(missing=("orphan",)), probes()],
        [probes(n=2)],
    ],
)
def test_sets_of_every_kind_are_recorded_drawn_and_tabled(sets, tmp_path):
    """Where no latent is shared, no probe can see shared ones alone; some sets have parts."""
    row = {"architecture": "topk", "k": 8, "width": 50, "layer": 3, "tokens": 1000}
    rows = tuple(row | {"seed": i} for i in range(len(sets[0].by_seed)))
    made = probes_of_seeds.ProbesOfSeeds(load_profile("mini"), rows, "mean", dict(enumerate(sets)), 0.4)
    got = made.summary()
    nothing_shared = all(one.kept["shared"][0] is None for one in sets)
    assert (got["kept"]["shared_less_all"]["difference"] is None) == nothing_shared
    assert got["answer"] in ("yes", "no", "undecided") and got["reason"][1:] in got["sentences"]["answer"]
    assert got["sentences"]["answer"].startswith(f"{got['answer']}. {got['reason'][0].upper()}")
    assert (got["new_words"] is None) == (not any(NEW in one.parts for one in sets))
    made.record(tmp_path)
    for name in got["sentences"]:
        assert isinstance(results.lookup("mini", f"probes_of_seeds.sentences.{name}", tmp_path), str)
    assert made.figure().axes
    for table in (made.table(), made.top_table(), made.kept_table()):
        assert "<table" in table


def test_the_headline_is_the_first_part_and_new_words_stand_beside():
    made = probes_of_seeds.ProbesOfSeeds(
        load_profile("mini"),
        tuple({"architecture": "topk", "k": 8, "width": 50, "layer": 3, "tokens": 9, "seed": i} for i in range(3)),
        "mean",
        {"a": probes((FAMILIAR, NEW))},
        0.4,
    )
    got = made.summary()
    assert got["mean"]["f1"] == pytest.approx(0.8, abs=0.03) and got["new_words"]["f1"] == pytest.approx(0.4, abs=0.03)
    assert got["sentences"]["new_words"].startswith("In new words the answer is ")
    assert FAMILIAR in made.table() and NEW in made.kept_table()
    assert probes_of_seeds.new_words_sentence(None) == "In new words: not measured here."


def test_a_profile_without_sets_or_seeds_says_so():
    bare = replace(load_profile("mini"), datasets=())
    with pytest.raises(MosaicError, match="profile mini has no data set that can be had here"):
        probes_of_seeds.run(bare)
    with pytest.raises(MosaicError, match="profile mini names no SAEs of several seeds: train some"):
        probes_of_seeds.run(replace(bare, seeds=None))
