"""Few labels: the ways against scikit-learn and slow references, draws, intervals, and sentences for every outcome."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mosaic import numerals
from mosaic.errors import MosaicError
from mosaic.probing import candidates, kept, scores
from mosaic.probing.estimators import MeanDifferenceSelector
from mosaic.probing.linear import LogisticProbe
from mosaic.probing.scores import Difference
from mosaic.profiles.profile import load_profile
from mosaic.reporting import results
from mosaic.reporting.tables import Html
from mosaic.studies import few_labels, few_labels_draws, few_labels_ways
from mosaic.studies import few_labels_said as said
from mosaic.studies.few_labels_curves import Curves, Every
from mosaic.studies.few_labels_draws import OTHERS, RATES, STRENGTH, STRENGTHS, Reached, draws, on_set
from mosaic.studies.few_labels_ways import (
    BINARISED,
    EVERY,
    HIDDEN,
    L1,
    MEAN_DIFFERENCE,
    TFIDF,
    TOP_N,
    WAYS,
    Bag,
    left_out,
    predicted,
    root_mean_square,
    ways,
)
from mosaic.texts.labelled import FAMILIAR, NEW
from tests.toy import problem as toy

ABOVE, AROUND, UNDER = (
    Difference(0.05, 0.01, 0.09, 0.01),
    Difference(0.01, -0.02, 0.04, 0.6),
    Difference(-0.05, -0.09, -0.01, 0.01),
)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    """Processes of their own take longer to begin than the fits here."""
    monkeypatch.setattr(few_labels_draws.comparison, "in_parallel", lambda jobs, n: (job() for job in jobs))


def made(n_train=120, parts=False, **options):
    """The toy's problem with the tables that the chapter reads: its 'max' latents, which carry the label, as means."""
    plain = toy(n_train, **options)
    by = {(t.provenance["features"], t.provenance["pooling"]): t for t in plain.tables}

    def renamed(key, pooling):
        return replace(by[key], provenance={**by[key].provenance, "pooling": pooling})

    tables = (renamed(("sae", "max"), "mean"), renamed(("sae", "count"), "top20"), by["hidden", "mean"])
    names = np.array([FAMILIAR, NEW] * (len(plain.test) // 2), dtype=object)
    return replace(plain, tables=tables, test=replace(plain.test, parts=names) if parts else plain.test)


# --- ways ------------------------------------------------------------------------------------------------------------


def by_hand(way, problem, rows):
    """The same by scikit-learn's parts and the house's probe: columns scaled, then the whole by one number, C as it is."""
    n, train = len(problem.train), problem.train
    table = {HIDDEN: problem.tables[2], TOP_N: problem.tables[1]}.get(way, problem.tables[0])
    x = table.matrix.toarray()
    x = (x > 0).astype(np.float32) if way == BINARISED else x
    first, second, y = x[rows], x[n:], train.labels[rows]
    varies = first.std(axis=0) > 0
    first, second = first[:, varies], second[:, varies]
    steps = [MeanDifferenceSelector(20)] if way == MEAN_DIFFERENCE else []
    scaled = make_pipeline(*steps, StandardScaler(with_mean=False)).fit(first, y)
    first, second = scaled.transform(first), scaled.transform(second)
    length = np.sqrt(((first - first.mean(axis=0)) ** 2).sum(axis=1).mean())
    return LogisticProbe(STRENGTH, tol=1e-6).fit(first / length, y).predict(second / length)


@pytest.mark.parametrize("way", [BINARISED, EVERY, MEAN_DIFFERENCE, TOP_N, HIDDEN])
@pytest.mark.parametrize("n", [10, 60])
def test_a_way_says_what_its_parts_say(way, n):
    problem = made()
    rows = draws(problem.train.labels, 1, [n / 120])[n / 120][0]
    (fast,) = predicted(ways(problem)[way], problem, rows, [STRENGTH])
    assert (fast == by_hand(way, problem, rows)).mean() > 0.98, "the solver's tolerance may turn a text at the boundary"


def test_a_bag_has_the_numbers_of_tfidf_features(monkeypatch):
    problem = made()
    slow = candidates.TfidfFeatures(problem, "word")
    rows, test = np.arange(0, 60, 3), np.arange(120, 200)
    for limit in (20_000, 8):
        monkeypatch.setattr(few_labels_ways, "WORDS", limit)
        plain = few_labels_ways.estimators.tfidf
        monkeypatch.setattr(
            few_labels_ways.estimators,
            "tfidf",
            lambda kind, limit=limit, p=plain: p(kind).set_params(max_features=limit),
        )
        fast = Bag.of(problem.train.texts + problem.test.texts).rows(rows, problem.train.labels[rows], slice(120, 200))
        for a, b in zip(fast, slow.matrices(rows, test, None)[:2], strict=False):
            np.testing.assert_allclose(a.toarray(), b.toarray(), rtol=1e-6)


def test_a_bag_without_a_word_guesses_one_class():
    problem = made()
    blank = replace(
        problem, train=replace(problem.train, texts=["!"] * 120), test=replace(problem.test, texts=["?"] * 80)
    )
    (said_,) = predicted(ways(blank)[TFIDF], blank, np.arange(20), [STRENGTH])
    assert len(set(said_)) == 1


def test_latents_that_do_not_vary_guess_one_class():
    problem = made()
    way = few_labels_ways.Columns(np.zeros((200, 4), np.float32))
    (said_,) = predicted(way, problem, np.arange(20), [STRENGTH])
    assert len(set(said_)) == 1


def test_nothing_but_the_labelled_texts_is_learned_from():
    """What the other training texts are, or are called, changes nothing."""
    problem, rows = made(), np.arange(0, 40, 2)
    others = np.setdiff1d(np.arange(120), rows)
    labels, texts = problem.train.labels.copy(), list(problem.train.texts)
    labels[others] = labels[others][::-1]
    for i in others:
        texts[i] = "something else"
    tables = tuple(replace(t, matrix=t.matrix.copy()) for t in problem.tables)
    for table in tables:
        table.matrix[others] = table.matrix[others] * 5
    changed = replace(problem, train=replace(problem.train, labels=labels, texts=texts), tables=tables)
    for name in WAYS:
        a, b = (predicted(ways(p)[name], p, rows, STRENGTHS) for p in (problem, changed))
        assert (a == b).all(), name


def test_rows_have_a_mean_squared_length_of_one():
    from scipy.sparse import csr_matrix

    x = np.random.default_rng(0).random((30, 7)) + 3
    x = x / root_mean_square(x)
    assert ((x - x.mean(axis=0)) ** 2).sum(axis=1).mean() == pytest.approx(1)
    assert root_mean_square(csr_matrix(x)) == pytest.approx(1)
    assert root_mean_square(np.ones((4, 2))) == 1


def test_missing_and_repeated_tables_are_named():
    problem = made()
    with pytest.raises(MosaicError, match="no table has sae top20 features, which are compared"):
        ways(replace(problem, tables=(problem.tables[0], problem.tables[2])))
    with pytest.raises(MosaicError, match="there are two tables of sae mean; one layer"):
        ways(replace(problem, tables=(problem.tables[0],) * 2))


def test_left_out():
    assert left_out(np.array([[2.0, 2.0]]), np.array([[2.0, 1.0]])) == 0.25
    assert left_out(np.zeros((1, 2)), np.zeros((1, 2))) == 0.0


# --- draws -----------------------------------------------------------------------------------------------------------


def test_draws_are_stratified_seeded_and_keep_every_class():
    labels = np.array(["a"] * 700 + ["b"] * 280 + ["c"] * 20)
    found, again = draws(labels, 4), draws(labels, 4)
    assert {rate: len(of) for rate, of in found.items()} == {**dict.fromkeys(RATES, 4), 1.0: 1}
    for rate, of in found.items():
        for i, rows in enumerate(of):
            assert (rows == again[rate][i]).all() and len(set(rows)) == len(rows)
            counts = np.unique(labels[rows], return_counts=True)[1]
            assert len(counts) == 3 and counts.min() >= 5
            if rate >= 0.5:
                assert abs(counts[0] / len(rows) - 0.7) < 0.01
    assert len(found[0.01][0]) == 17, "seven of a, five of b, five of c"
    assert not (found[0.1][0] == found[0.1][1]).all()
    assert (found[1.0][0] == np.arange(1000)).all()


def test_what_is_no_draw_is_refused():
    labels = np.array(["a", "b"] * 20)
    with pytest.raises(MosaicError, match="0 draws were asked for; one at least"):
        draws(labels, 0)
    with pytest.raises(MosaicError, match="1.5 is no share of the training texts"):
        draws(labels, 2, [1.5])


def test_more_labels_help_where_latents_carry_the_label():
    one = on_set("toy", made(), 3)
    assert set(one.predicted) == set(STRENGTHS) and set(one.predicted[STRENGTH]) == set(WAYS)
    assert {rate: len(of) for rate, of in one.predicted[STRENGTH][EVERY].items()} == {**dict.fromkeys(RATES, 3), 1.0: 1}
    curves = Curves([one.reached()])
    few, full = curves.level(EVERY, 0.01).macro_f1, curves.level(EVERY, 1.0).macro_f1
    assert full > 0.85 and full > few + 0.05
    assert curves.level(MEAN_DIFFERENCE, 1.0).macro_f1 > 0.85 and curves.level(L1, 1.0).macro_f1 > 0.85


def test_predictions_are_kept_and_read_again(tmp_path, monkeypatch):
    problem = replace(made(), cache=tmp_path)
    first = on_set("toy", problem, 4)
    assert len(list((tmp_path / kept.FOLDER).iterdir())) == len(WAYS)
    fitted = []
    monkeypatch.setattr(few_labels_ways, "predicted", lambda *a: fitted.append(a))
    second = on_set("toy", problem, 4)
    assert not fitted
    plain_of = first.predicted[STRENGTH]
    for way in WAYS:
        for rate in RATES:
            assert (plain_of[way][rate] == second.predicted[STRENGTH][way][rate]).all()
            for C in OTHERS:
                assert len(second.predicted[C][way][rate]) == (1 if rate == 1 else few_labels_draws.N_AGAIN)
    with pytest.raises(MosaicError, match="predictions of something else"):
        few_labels_draws._labels({"classes": ["a"], "predicted": [[0]]}, 2, 1)


def test_another_problem_is_another_entry(tmp_path):
    problem = replace(made(), cache=tmp_path)
    on_set("toy", problem, 1, [EVERY])
    table = replace(problem.tables[0], matrix=problem.tables[0].matrix * 2)
    for other, n in ((problem, 1), (problem, 2), (replace(problem, tables=(table, *problem.tables[1:])), 1)):
        before = len(list((tmp_path / kept.FOLDER).iterdir()))
        on_set("toy", other, n, [EVERY])
        assert len(list((tmp_path / kept.FOLDER).iterdir())) == before + (other is not problem or n != 1)


def test_other_strengths_are_the_first_draws_with_another_c():
    problem = made()
    one = on_set("toy", problem, 4, [EVERY])
    rows = draws(problem.train.labels, 4)[0.2]
    for C in OTHERS:
        for i in range(few_labels_draws.N_AGAIN):
            (alone,) = predicted(ways(problem)[EVERY], problem, rows[i], [C])
            assert (one.predicted[C][EVERY][0.2][i] == alone).mean() > 0.97
    assert few_labels_draws._strengths(0) == STRENGTHS and few_labels_draws._strengths(3) == (STRENGTH,)


# --- intervals -------------------------------------------------------------------------------------------------------


def reached(observed, spread=0.0, seed=0):
    return Reached(observed, observed + spread * np.random.default_rng(seed).normal(size=scores.RESAMPLES))


def test_a_mean_over_sets_and_rates_and_its_interval():
    sets = [
        {"a": {0.1: reached(0.6), 1.0: reached(0.8)}, "b": {0.1: reached(0.5), 1.0: reached(0.9)}} for _ in range(5)
    ]
    curves = Curves(sets)
    d = curves.difference("a", "b", [0.1])
    assert (d.difference, d.low, d.high) == pytest.approx((0.1, 0.1, 0.1)), "nothing that is drawn differs"
    assert curves.difference("a", "b", [0.1, 1.0]).difference == pytest.approx(0)
    assert curves.growth("a", 0.1).difference == pytest.approx(-0.2)
    every = curves.every("a", "b")
    assert (
        every.rate == 1.0 and every.difference == pytest.approx(-0.1) and every.interval == pytest.approx((-0.1, -0.1))
    )
    assert (curves.enough("a"), curves.enough("b")) == (1.0, 1.0)


def test_sets_that_disagree_make_the_interval_wide():
    def curves(gaps):
        return Curves([{"a": {1.0: reached(0.5 + gap)}, "b": {1.0: reached(0.5)}} for gap in gaps])

    alike, apart = (curves(gaps).difference("a", "b", [1.0]) for gaps in ([0.1] * 6, [0.5, -0.3, 0.4, -0.2, 0.3, -0.1]))
    assert alike.difference == pytest.approx(apart.difference) and alike.low > 0 > apart.low
    gaps = np.array([0.5, -0.3, 0.4, -0.2, 0.3, -0.1])
    error = gaps.std(ddof=1) / np.sqrt(6)
    assert apart.high - apart.low == pytest.approx(2 * 1.96 * error, rel=0.1), "as a standard error over sets has it"


def test_draws_that_differ_make_the_interval_wide():
    one = on_set("toy", made(n_test=200), 10, [EVERY])
    plain = one.reached()[EVERY][0.01]
    alone = replace(one, predicted={STRENGTH: {EVERY: {0.01: one.predicted[STRENGTH][EVERY][0.01][:1]}}}).reached()
    assert plain.observed == pytest.approx(
        np.mean([scores.macro_f1(one.test.labels, p) for p in one.predicted[STRENGTH][EVERY][0.01]]), abs=1e-6
    )
    values = [scores.macro_f1(one.test.labels, p) for p in one.predicted[STRENGTH][EVERY][0.01]]
    assert plain.resampled.std() > 0.9 * np.std(values, ddof=1) / np.sqrt(10)
    assert alone[EVERY][0.01].resampled.std() > 0


def test_enough_looks_at_every_larger_rate():
    flat = {0.1: reached(0.79), 0.2: reached(0.7), 0.5: reached(0.795), 1.0: reached(0.8)}
    assert Curves([{"a": flat}]).enough("a") == 0.5, "a rate below which another falls short is luck"


# --- sentences -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("d", "words"), [(ABOVE, "score above"), (AROUND, "cannot be told"), (UNDER, "score below")])
def test_two_ways_held_against_each_other(d, words):
    got = said.answer({(BINARISED, HIDDEN): d, (BINARISED, TFIDF): ABOVE}, 0.1, 8)
    assert got.startswith("With 10% of the labels or fewer, all latents binarised ") and f"{words} " in got
    assert "score above TF-IDF (+0.050" in got and "means over 8 sets" in got
    assert ("cannot be told" in got) == (d is AROUND), "undecided stays undecided"
    assert got.count(" They score above") == 1 and "they" not in got
    assert "one set" in said.answer({(BINARISED, HIDDEN): d}, 0.1, 1)
    full = said.with_all({(BINARISED, HIDDEN): (d, d), (TFIDF, HIDDEN): (ABOVE, ABOVE)})
    assert full.startswith(f"With all labels, all latents binarised {words} ")
    assert full.count("), as with few. ") == 1 and full.endswith("), as with few.") and ". TF-IDF score above" in full
    assert "unlike with few" in said.with_all({(BINARISED, HIDDEN): (d, ABOVE if d is UNDER else UNDER)})
    assert words in said.new_words({(BINARISED, HIDDEN): d}, 4) and words in said.languages({"de": d})
    assert f"hidden states in German ({numerals.shown(d.difference, sign=True)}, 95 %" in said.languages({"de": d})
    assert "). They score above TF-IDF" in got and got.count("all latents binarised") == 1


def test_choosing_latents_has_a_branch_for_every_outcome():
    def got(*ds):
        return said.selection(dict(zip((0.01, 0.1, 1.0), ds, strict=True)), L1)

    assert "neither helps nor hurts" in got(AROUND, AROUND, AROUND)
    assert "helps with 1% and 10% of the labels (" in got(ABOVE, ABOVE, AROUND)
    assert "helps with 1% of the labels and hurts with 100% of the labels" in got(ABOVE, AROUND, UNDER)
    assert "an L1 penalty chooses, instead of all, hurts with 1% to 100%" in got(UNDER, UNDER, UNDER)


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.01, 0.2), "score above TF-IDF with every"),
        ((-0.2, -0.01), "score below TF-IDF with some"),
        ((-0.1, 0.1), "undecided"),
    ],
)
def test_every_rate(interval, words):
    got = said.every(BINARISED, TFIDF, Every(0.01, 0.05, interval))
    assert words in got and "+0.050, with 1% of the labels" in got


def test_the_highest_mean_is_called_no_finding():
    got = said.best({HIDDEN: {0.01: 0.5, 0.1: 0.6, 1.0: 0.9}, TFIDF: {0.01: 0.6, 0.1: 0.5, 1.0: 0.8}})
    assert "TF-IDF with 1%; " in got or "TF-IDF with 1%." in got
    assert "hidden states with 10% and 100%" in got and "One of 2 is always" in got


def test_enough_labels_and_their_number():
    last = {HIDDEN: 0.01, TFIDF: 0.05, EVERY: 0.015}
    assert said.enough({HIDDEN: 0.5, TFIDF: 1.0, EVERY: 0.5}, last, 0.5) == (
        "Within 0.02 of what all labels give (the whole interval) comes 50% for hidden states, all latents as they are; for "
        "TF-IDF no share short of all: from 50% of the labels to all of them the ways still gain +0.010 to +0.050."
    )
    assert "comes 50% for hidden states: from" in said.enough({HIDDEN: 0.5}, last, 0.5)
    assert said.enough(dict.fromkeys(last, 1.0), last, 0.5).startswith(
        "No way can be said to reach with fewer labels what it reaches with all ("
    )
    assert said.labels({0.01: [10, 50], 1.0: [1000, 1000]}, 5, [0.01]) == (
        "1% of the labels are 10 to 50 texts, 100% are 1,000; every class keeps 5 texts at least, which raises some sets at 1%."
    )
    same = said.labels({0.01: [10, 50], 0.02: [10, 50], 0.1: [50, 50], 1.0: [500, 500]}, 5, [0.01, 0.02])
    assert same.endswith(
        "So two shares can be equally many texts (1% and 2% on 2 of 2 sets; 2% and 10% on 1 of 2 sets): a curve is flat between them."
    )
    assert "without help" in said.labels({0.1: [100], 1.0: [1000]}, 5, [])


def test_strengths_that_turn_a_sign_are_named():
    same = {(BINARISED, HIDDEN): (0.02, {1.0: 0.01, 100.0: 0.03})}
    assert "No other C turns a sign" in said.strengths(same) and "+0.010 with 1 and +0.030 with 100" in said.strengths(
        same
    )
    turned = {(BINARISED, HIDDEN): (0.02, {1.0: -0.01, 100.0: 0.03})}
    assert "turns the sign of all latents binarised minus hidden states" in said.strengths(turned)


def test_what_is_not_measured_is_said():
    assert "No set here" in said.new_words(None, 0) and "not measured here" in said.languages({})
    assert (
        "not measured" in said.top_n(None) and "select nothing" in said.top_n(0.0) and "0.25 of all" in said.top_n(0.25)
    )


# --- the study -------------------------------------------------------------------------------------------------------


def study(parts, languages):
    sets = tuple(on_set(f"toy {seed}", made(parts=parts, seed=seed), 2) for seed in (0, 1))
    return few_labels.FewLabels(load_profile("mini"), sets, {"en": sets[0]} if languages else {}, 0.0)


@pytest.mark.parametrize("parts", [True, False])
def test_a_study_records_draws_and_says(tmp_path, parts):
    found = study(parts, languages=parts)
    values = results.content(found.record(tmp_path))["values"]
    assert values["n_draws"] == 2 and values["labelled"]["1%"] == {"least": 10, "most": 10}
    assert set(values["minus"]) == set(few_labels.CONTRASTS) and len(found.figure().axes) == 2
    few = values["minus"]["binarised_minus_hidden"]
    by_hand = [few["by_rate"][rate]["difference"] for rate in ("1%", "2%", "5%", "10%")]
    assert few["few"]["difference"] == pytest.approx(np.mean(by_hand), abs=1e-5)
    assert few["every"]["difference"] == pytest.approx(min(d["difference"] for d in few["by_rate"].values()), abs=1e-6)
    assert (few["new_words"] is not None) == parts
    assert all(text.strip() for text in values["sentences"].values())
    assert isinstance(found.table(), Html) and ("new words" in found.table()) == parts
    drawn = found.languages_figure()
    assert "not measured" in drawn if not parts else len(drawn.axes) == 1
    assert found.record(tmp_path).read_bytes() == found.record(tmp_path).read_bytes()
