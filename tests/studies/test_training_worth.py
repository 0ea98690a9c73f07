"""What a trained SAE is worth: verdicts and sentences from made-up differences, the whole study on made-up curves."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from mosaic.errors import MosaicError
from mosaic.probing.curves import Fit
from mosaic.probing.scores import Difference
from mosaic.profiles.profile import load_profile
from mosaic.reporting import results
from mosaic.reporting.tables import Html
from mosaic.studies import gains, training_sets, training_worth
from mosaic.studies import training_worth_said as said
from mosaic.studies.controls import FROZEN, OF_UNTRAINED, RANDOM, TRAINED
from mosaic.studies.gains import LOSS, TIE, WIN
from mosaic.studies.readable import Readable
from mosaic.studies.training_sets import DIRECTIONS, FAMILIES, PCA, SUPERVISED, SetCurves
from mosaic.texts.labelled import FAMILIAR, NEW, LabelledTexts
from tests.toy import problem as toy

SIZES = ("1", "2", "4", "all")
ABOVE, AROUND, UNDER = (
    Difference(0.05, 0.01, 0.09, 0.01),
    Difference(0.01, -0.02, 0.04, 0.6),
    Difference(-0.05, -0.09, -0.01, 0.01),
)
OF = {"w": ABOVE, "t": AROUND, "l": UNDER}


def by_size(outcomes, sizes=SIZES):
    """ "wwtl": a difference for each size."""
    return {size: OF[letter] for size, letter in zip(sizes, outcomes, strict=True)}


def test_win_tie_and_loss_are_told_by_the_interval():
    assert [gains.outcome(d) for d in (ABOVE, AROUND, UNDER)] == [WIN, TIE, LOSS]
    assert gains.outcome(Difference(0.2, 0.0, 0.4, 0.05)) == TIE, "an interval that touches zero decides nothing"
    assert gains.counts([ABOVE, AROUND, AROUND]) == {WIN: 1, TIE: 2, LOSS: 0}
    assert gains.sizes_of(by_size("wtwl"), WIN) == ["1", "4"]


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ([], "none"),
        (["2"], "2"),
        (["1", "2"], "1 and 2"),
        (["1", "2", "4"], "1 to 4"),
        (["1", "4"], "1 and 4"),
        (["1", "2", "4", "all"], "1 to 4 and all"),
        (["1", "4", "all"], "1, 4 and all"),
    ],
)
def test_a_span_of_sizes_reads_as_prose(sizes, words):
    assert gains.span(sizes, SIZES) == words


@pytest.mark.parametrize(
    ("outcomes", "words", "absent"),
    [
        ("wwww", ["Training shows with every number of latents", "With all latents it scores above them"], "below"),
        (
            "wwtt",
            ["in few latents and not in all. With 1 and 2 the", "With all latents it cannot be told"],
            "scores below",
        ),
        (
            "wwtl",
            ["in few latents and not in all", "With all it scores below them", "With all latents it scores below"],
            "shown",
        ),
        ("twtt", ["Training shows with one of 4 numbers of latents tried. With 2 latents the trained"], "in between"),
        ("ttww", ["in many latents and not in few. From 4 on"], "below"),
        ("wttw", ["Training shows with 1 and all latents"], "few"),
        ("twwt", ["neither with one latent nor with all, but in between. With 2 and 4"], "few"),
        ("tttt", ["cannot be shown for any number", "cannot be told apart from them"], "Training shows"),
        ("lttt", ["cannot be shown for any number", "With 1 it scores below them"], "Training shows"),
        ("wlww", ["Training shows with 1, 4 and all", "With 2 it scores below"], "nowhere"),
    ],
)
def test_the_answer_has_a_branch_for_every_outcome(outcomes, words, absent):
    got = said.answer(by_size(outcomes), 10)
    assert all(part in got for part in words) and absent not in got and "mean over 10 sets" in got
    most = "(+0.050, 95 % +0.010 to +0.090; mean" if "w" in outcomes else "(+0.010, 95 % −0.020 to +0.040; mean"
    assert f". The largest lead{' of these' if 'w' in outcomes else ''} is with " in got and most in got
    assert "in new words" in said.answer(by_size(outcomes), 4, " in new words")
    assert "one set" in said.answer(by_size(outcomes), 1)


@pytest.mark.parametrize(
    ("n", "new", "said_of"), [(9, 9, " in familiar words"), (10, 9, " on the first test of each set")]
)
def test_the_first_test_is_called_familiar_words_only_where_every_set_has_them(n, new, said_of):
    assert said.parts(n, new) == (said_of, " in new words") and said.parts(n, 0) == ("",)


def test_on_these_sets_both_sides_are_told():
    assert "ahead with 1 and 2 and behind with all." in said.on_these_sets(by_size("wwtl"))
    assert "ahead with no number of latents and behind with none." in said.on_these_sets(by_size("tttt"))
    both = said.on_these_sets(by_size("wttt"), by_size("tttl"))
    assert both.endswith("behind with none. In new words it is ahead with no number of latents and behind with all.")


def test_set_by_set_names_losses_and_what_chance_would_mark():
    found = {size: {"a": ABOVE, "b": UNDER, "c": AROUND} for size in SIZES}
    got = said.set_by_set(found, ("1", "all"))
    assert "with one latent it wins on 1, ties on 1 and loses on 1 (b)" in got and "of 3:" in got
    assert "Of all 12 comparisons" in got and "4 are wins and 4 losses" in got and "about 0 of each" in got


def test_against_a_family_says_where_it_is_ahead_tied_and_behind():
    got = said.against(PCA, by_size("wtlt"))
    assert "ahead with 1, not told apart with 2 and all, behind with 4" in got and "with all)." in got
    assert "with 1)." in said.against(PCA, by_size("w", ("1",)))


@pytest.mark.parametrize(
    ("d", "words"), [(ABOVE, "even scores above"), (UNDER, "does not reach"), (AROUND, "cannot be told")]
)
def test_one_latent_against_the_class_means(d, words):
    assert words in said.supervised(d)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("w", "w", "the gain survives"),
        ("w", "t", "cannot be shown in new ones"),
        ("w", "l", "becomes a loss"),
        ("t", "w", "in new words only"),
        ("l", "w", "becomes a gain"),
        ("t", "t", "neither test"),
        ("t", "l", "and new words a loss"),
        ("l", "t", "neither loss nor gain"),
        ("l", "l", "both tests show a loss"),
    ],
)
def test_new_words_have_a_branch_for_every_outcome(before, after, words):
    assert words in said.in_new_words(by_size(before * 4), by_size(after * 4), ("1",))
    assert "no second test" in said.in_new_words(None, None, ("1",))


def test_few_labels_say_from_which_shares_training_shows():
    found = {"1%": by_size("wl", ("8", "all")), "5%": by_size("wt", ("8", "all")), "100%": by_size("tt", ("8", "all"))}
    got = said.few_labels(found)
    assert "with 8 latents the trained SAE scores above random dictionaries from 1% and 5% of the labels" in got
    assert "with all latents the trained SAE scores below random dictionaries from 1% of the labels (from 1%: " in got
    open_ = said.few_labels({"1%": by_size("tt", ("8", "all"))})
    assert (
        "with 8 latents the trained SAE cannot be told from random dictionaries, whatever the share (from 1%: " in open_
    )


# --- the whole study, on made-up predictions ---------------------------------------------------------------------------


def fits(test, rng, accuracy, sizes=SIZES):
    wrong = np.where(test.labels == "a", "b", "a")
    return {
        size: Fit(np.where(rng.random(len(test)) < accuracy[size], test.labels, wrong), 0.5, 1.0, True)
        for size in sizes
    }


def one_set(title, seed, parts=True):
    rng, n = np.random.default_rng(seed), 400
    labels = rng.choice(["a", "b"], n).astype(object)
    of_part = np.repeat([FAMILIAR, NEW], n // 2) if parts else None
    test = LabelledTexts(title, [f"text {i}" for i in range(n)], labels, None, None, of_part)
    trained = {"1": 0.8, "2": 0.85, "4": 0.8, "8": 0.9, "all": 0.9}
    random = {"1": 0.6, "2": 0.7, "4": 0.8, "8": 0.7, "all": 0.9}
    n_draws = {TRAINED: 2, RANDOM: 3, DIRECTIONS: 2}
    sizes = (*SIZES[:-1], "8", "all")
    draws = {
        family: [
            fits(test, rng, trained if family == TRAINED else random, ("1",) if family == SUPERVISED else sizes)
            for _ in range(n_draws.get(family, 1))
        ]
        for family in FAMILIES
    }
    few = {
        share: {
            f: [fits(test, rng, of, ("8", "all")) for _ in range(2)] for f, of in ((TRAINED, trained), (RANDOM, random))
        }
        for share in (0.01, 0.2)
    }
    return SetCurves(title, test, draws, few)


READ = Readable(
    {TRAINED: [np.array([0.9, 0.8, np.nan])], RANDOM: [np.array([0.6, 0.7])] * 2},
    {TRAINED: [np.array([0.5, 0.5, np.nan])], RANDOM: [np.array([0.5, 0.5])] * 2},
)


def study(parts=(True, True, False)):
    sets = tuple(one_set(f"set <{i}>", i, p) for i, p in enumerate(parts))
    return training_worth.TrainingWorth(load_profile("mini"), sets, "mean", {TRAINED: [8.0], RANDOM: [8.1]}, READ)


def test_the_study_finds_what_was_put_in(tmp_path):
    made = study()
    made.record(tmp_path)
    got = results.read("mini", "training_worth", tmp_path)
    found = got["trained_minus"][RANDOM]["first"]
    assert found["1"]["outcome"] == found["8"]["outcome"] == WIN and found["all"]["outcome"] == TIE
    assert found["1"]["difference"] == pytest.approx(0.2, abs=0.05)
    assert got["shows"]["first"][WIN][0] == "1" and "all" not in got["shows"]["first"][WIN]
    assert got["n_sets"] == {"first": 3, "familiar_words": 2, "new_words": 2}
    assert got["counts"]["first"]["1"][WIN] == 3 and list(got["sets"]["new_words"]) == ["set <0>", "set <1>"]
    assert list(got["trained_minus"][SUPERVISED]["first"]) == ["1"]
    assert set(got["few_labels"]) == {"1%", "20%", "100%"} and got["not_solved"] == 0
    assert got["few_labels"]["100%"]["8"] == found["8"]
    assert "few latents and not in all" in got["sentences"]["answer"]
    assert got["readable"]["mean"] == pytest.approx({TRAINED: 0.85, RANDOM: 0.65})


def test_a_profile_without_saes_that_learned_in_part_says_so():
    made = study()
    for where in ("on the first test of each set", "in new words"):
        frozen = f"Against the SAE with a frozen decoder the trained SAE is {where} ahead with 1"
        assert frozen in made.sentences()["partly"]
    assert "Against hidden units the trained SAE is in new words" in made.sentences()["no_dictionary_new_words"]
    plain = study(parts=(False, False)).sentences()
    assert plain["partly"].count("frozen decoder") == 1 and "no second test" in plain["no_dictionary_new_words"]
    assert "Against the SAE of an untrained model" in made.sentences()["partly"]
    few = tuple(
        replace(one, draws={f: of for f, of in one.draws.items() if f not in (FROZEN, OF_UNTRAINED)})
        for one in made.sets
    )
    made = replace(made, sets=few)
    assert made.sentences()["partly"] == "This profile has no SAEs that learned in part."
    assert not {FROZEN, OF_UNTRAINED} & set(made.summary()["trained_minus"])


def test_figures_and_tables_are_drawn_and_escaped():
    made = study()
    for figure in (made.figure(), made.new_words_figure(), made.curves()):
        assert figure.axes
    assert isinstance(made.table(), Html) and made.table().count("<tr>") == 1 + 2 * (len(FAMILIES) - 1)
    assert "20%" in made.few_labels_table() and made.readable_table().count("<tr>") == 3


def test_without_new_words_it_says_so():
    made = study((False, False))
    assert "no second test" in made.sentences()["answer_new_words"] and "new words" in made.new_words_figure()
    assert set(made.summary()["trained_minus"][RANDOM]) == {"first"}


def test_a_set_gives_every_family_and_every_share(monkeypatch):
    """The jobs of a set on made-up tables: two dictionaries of each kind, hidden states last."""
    made = toy()
    tables = [made.tables[1], made.tables[2], made.tables[0], made.tables[3]]
    whole = replace(made, tables=tuple(tables))
    monkeypatch.setattr(training_sets, "make_problem", lambda *args: whole)
    monkeypatch.setattr(training_sets, "Request", lambda *args: None)
    here = {TRAINED: ("a", "b"), RANDOM: ("c",)}
    controls = SimpleNamespace(dictionaries=lambda: here, of_untrained=(), layer=4, poolings=("mean",), lm=None)
    got = training_sets.set_curves("toy", made.train, made.test, controls, None)
    assert tuple(got.draws) == tuple(f for f in FAMILIES if f not in (FROZEN, OF_UNTRAINED)) and not got.has_new_words
    assert [len(of) for of in got.draws.values()] == [2, 1, 5, 1, 1, 1]
    assert {share: [len(of) for of in by.values()] for share, by in got.few_labels.items()} == {
        0.01: [5, 5],
        0.05: [5, 5],
        0.2: [5, 5],
    }
    assert list(got.few_labels[0.01][TRAINED][0]) == ["8", "all"]
    assert list(got.draws[SUPERVISED][0]) == ["1"]
    accuracy = (got.draws[TRAINED][0]["1"].predicted == made.test.labels).mean()
    assert accuracy > 0.8 > (got.draws[RANDOM][0]["1"].predicted == made.test.labels).mean()


def test_what_learned_in_part_is_read_where_it_learned(monkeypatch):
    """The SAE with a frozen decoder among those of the language model, that of the untrained model in a pass of its own."""
    made = toy()
    tables = made.tables
    here = replace(made, tables=(tables[1], tables[2], tables[2], tables[0]))
    there = replace(made, tables=(tables[3],))
    asked = []

    def problem(train, test, lm, request, cache):
        asked.append((lm, request))
        return here if lm == "trained" else there

    monkeypatch.setattr(training_sets, "make_problem", problem)
    monkeypatch.setattr(training_sets, "Request", lambda *args: args)
    controls = SimpleNamespace(
        dictionaries=lambda: {TRAINED: ("a",), RANDOM: ("b",), FROZEN: ("f",)},
        of_untrained=("u",), layer=4, poolings=("mean",),
        lm="trained", untrained="untrained",
    )  # fmt: skip
    bare, found, hidden = training_sets._features(made.train, made.test, controls, None)
    assert asked == [("trained", (("a", "b", "f"), (4,), ("mean",))), ("untrained", (("u",), (), ("mean",)))]
    assert bare.tables == () and hidden is tables[0].matrix
    assert {family: of[0] is t.matrix for (family, of), t in zip(found.items(), (tables[1], tables[2], tables[2], tables[3]), strict=True)} == {
        TRAINED: True, RANDOM: True, FROZEN: True, OF_UNTRAINED: True,
    }  # fmt: skip


def test_a_pooling_that_is_not_linear_is_refused_before_anything_runs():
    with pytest.raises(MosaicError, match="not linear"):
        training_worth.run("mini", pooling="max")


def test_the_largest_lead_is_one_that_shows():
    """A lead that is larger still, but not told from none, was named as the largest of those that show."""
    found = {
        "1": Difference(0.06, -0.02, 0.14, 0.1),
        "2": Difference(0.05, 0.01, 0.09, 0.01),
        "all": Difference(0.0, -0.01, 0.01, 1.0),
    }
    assert "With 2 latents the trained SAE scores above" in (got := said.answer(found, 10))
    assert "The largest lead of these is with 2 latents (+0.050, 95 % +0.010 to +0.090; mean over 10 sets)." in got
