"""The chapter on hypotheses: what was planted is computed right, held-out texts teach nothing, every sentence has its branch."""

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import word_sae
from scipy.sparse import csr_matrix

from mosaic.errors import MosaicError
from mosaic.interpretation import hypotheses as h
from mosaic.interpretation.hypotheses import Hypothesis
from mosaic.profiles.profile import SetChoice, load_profile
from mosaic.saes import loading
from mosaic.studies import hypotheses as chapter
from mosaic.studies import hypotheses_arms as arms
from mosaic.studies import hypotheses_found as found
from mosaic.studies import hypotheses_said as said
from mosaic.studies import hypotheses_truth as truth
from mosaic.texts.labelled import LabelledTexts
from mosaic.texts.sources import load_set
from mosaic.world import sets
from mosaic.world.lexicon import concepts
from mosaic.world.statements import Statement, facts_of

# --- what was planted ----------------------------------------------------------------------------------------------


def test_a_rows_statements_are_those_it_was_written_from():
    for row in [*sets.labelled("toxicity")["train"][:20], *sets.labelled("intent", "de")["test"][:20]]:
        assert facts_of(sets.statements(row.group)) == row.factors


@pytest.mark.parametrize("group", ["nope-3", "intent", "intent-x", ""])
def test_a_group_of_no_set_is_refused(group):
    with pytest.raises(MosaicError, match="is no group of a miniature set; one such as intent-17 was expected"):
        sets.statements(group)


def test_what_is_said_is_single_things():
    thing, trait, act = concepts("thing")[0], concepts("trait-")[0], concepts("intent")[0]
    one = Statement("trait", "thing", thing, trait, negated=True, degree="intense", call="quoted")
    expected = {"about thing", "word negative", "negation", "degree intense", "quotation", f"topic {thing.topic}"}
    assert truth.said([one]) == expected
    assert truth.said([Statement("want", "self", None, act)]) == {"frame self", "kind intent", f"act {act.name}"}
    assert "place" in truth.said([Statement("place", "thing", thing, concepts("city")[0])])


def test_planted_cues_are_those_that_go_with_a_class():
    rng = np.random.default_rng(0)
    labels = rng.choice(["a", "b"], 2000).astype(object)
    told = rng.random((2000, 4)) < 0.5
    told[:, 1] = rng.random(2000) < np.where(labels == "b", 0.6, 0.3)
    told[:, 2] = True
    told[:, 3] = rng.random(2000) < np.where(labels == "a", 0.52, 0.48)  # too little to be called one
    assert truth.planted(told, ["w", "x", "y", "z"], labels) == {("x", "b")}
    got, both = truth.phi(told, told), np.corrcoef(told[:, [0, 1, 3]].T)
    assert got[np.ix_([0, 1, 3], [0, 1, 3])] == pytest.approx(both) and not got[2].any()


def test_the_miniatures_sets_have_the_cues_they_are_drawn_with():
    rows = sets.labelled("intent")["test"][:50]
    intent = truth.truth("intent", [row.group for row in rows])
    assert intent.cues == {(f"act {one.name}", one.name) for one in concepts("intent")}
    assert intent.said.shape == (50, len(intent.factors))
    acts = intent.said[:, [f.startswith("act ") for f in intent.factors]].sum(1)
    assert set(acts) <= {1, 2}
    toxic = truth.truth("toxicity", ["toxicity-3"]).cues
    assert {("about addressee", "toxic"), ("quotation", "fine")} <= toxic and not any("word" in f for f, _ in toxic)
    with pytest.raises(MosaicError, match="there is no miniature set 'nope'"):
        truth.truth("nope", [])


def test_a_hypothesis_means_what_its_texts_have_most_in_common_with():
    rng = np.random.default_rng(1)
    told = rng.random((300, 3)) < 0.4
    known = truth.Truth(("x", "y", "z"), told, frozenset())
    assert known.meant(np.stack([told[:, 2] & (rng.random(300) < 0.5), rng.random(300) < 2], axis=1)) == ["z", None]
    assert known.meant(np.zeros((300, 0), dtype=bool)) == []


# --- from texts to tested hypotheses ---------------------------------------------------------------------------------


def labelled(n: int, seed: int, name: str = "t") -> LabelledTexts:
    """Texts of "up" have "happy" or "sun", those of "down" "sad" or "rain"; all else is the same."""
    rng, texts = np.random.default_rng(seed), []
    labels = rng.choice(["up", "down"], n)
    for label in labels:
        own = rng.choice(["happy", "sun"] if label == "up" else ["sad", "rain"])
        words = [*rng.choice(["the", "cat", "dog", "film", "tree", "sat", "very"], rng.integers(3, 9)), own]
        texts.append(" ".join(rng.permutation(words)))
    return LabelledTexts(name, texts, labels.astype(object))


@pytest.fixture(scope="module")
def encoder(tiny, tmp_path_factory):
    return loading.load_encoder(word_sae(tmp_path_factory.mktemp("saes"), tiny("llama"), 1), "tiny", 64)


def latents(train, test, lm, encoder):
    texts = found.Texts.of(train, test, lm)
    (candidates,) = found.latents_of(texts, lm, [encoder], None)
    return texts, candidates


def test_what_separates_the_classes_is_found(tiny, encoder):
    texts, candidates = latents(labelled(300, 0), labelled(200, 1), tiny("llama"), encoder)
    for of, rule in ((candidates, "separation"), (found.single_words(texts), "separation"), (candidates, "l1")):
        tested = texts.test_all(texts.choose(of, 4, found.RULES[rule]))
        confirmed = {
            (one.hypothesis.label, *texts.named(one.hypothesis)) for one in tested if one.verdict == h.CONFIRMED
        }
        assert confirmed, rule
        for label, *names in confirmed:
            assert set(names) & ({"happy", "sun"} if label == "up" else {"sad", "rain"}), (rule, label, names)
    assert max(k for k, _ in texts.by_chance(candidates, 4, h.separation, 5)) <= 1


def test_held_out_texts_teach_nothing(tiny, encoder):
    """Other texts to test on, and the hypotheses stay the same to the word."""
    train = labelled(300, 0)
    (one, a), (other, b) = (
        latents(train, labelled(n, seed), tiny("llama"), encoder) for n, seed in ((200, 1), (90, 2))
    )
    assert (a.words == b.words).all() and (a.values != b.values).nnz == 0
    assert [(x.label, one.named(x), x.merged) for x in one.choose(a)] == [
        (x.label, other.named(x), x.merged) for x in other.choose(b)
    ]


def test_classes_that_take_turns_are_described_too(tiny, encoder):
    """Every other text is learned from: in the order of the file that was one class alone, and nothing was said of it."""
    train = labelled(300, 0)
    rows = np.argsort(train.labels, kind="stable")
    n = min(np.unique(train.labels, return_counts=True)[1])
    turns = np.stack([rows[:n], rows[-n:]], axis=1).ravel()
    texts, candidates = latents(train.take(turns), labelled(200, 1), tiny("llama"), encoder)
    assert {texts.named(one)[0] for one in texts.choose(candidates, 4)} == {"happy", "sun", "sad", "rain"}


def test_of_a_wide_sae_the_best_latents_alone_are_described(tiny, encoder, monkeypatch):
    train, test = labelled(300, 0), labelled(200, 1)
    _, every = latents(train, test, tiny("llama"), encoder)
    monkeypatch.setattr(found, "DESCRIBED", 5)
    _, few = latents(train, test, tiny("llama"), encoder)
    told = (few.words != found.NONE).any(1)
    assert 0 < told.sum() <= 10 and (few.words[told] == every.words[told]).all()
    both = found.joined([few, every])
    assert len(both.names) == 88 and both.values.shape == (300, 88) and both.words.shape[0] == 88


def test_the_lasso_puts_the_column_of_the_class_first():
    rng = np.random.default_rng(0)
    of_class = rng.random(200) < 0.5
    values = rng.random((200, 6)) * (rng.random((200, 6)) < 0.6)
    values[:, 2] += of_class
    values[:, 5] = 0
    score = found.l1(csr_matrix(values), of_class)
    assert np.argmax(score) == 2 and score[5] == 0 and found.l1(csr_matrix((200, 3)), of_class).tolist() == [0, 0, 0]


def test_latents_at_random_are_the_same_in_every_run_and_differ_by_seed():
    values, of_class = csr_matrix((50, 8)), np.arange(50) < 20
    first, again, other = (found.at_random(seed)(values, of_class) for seed in (0, 0, 1))
    assert (first == again).all() and (first != other).any() and (first > 0).all()


@pytest.mark.parametrize(
    ("n", "labels", "message"),
    [
        (40, ["up"], "t: every row has the label 'up'; a classifier needs two classes"),
        (25, ["up", "up", "down"], "t: 1 of 2 classes have fewer than 10 rows: 'down' \\(8\\)"),
    ],
)
def test_labels_that_nothing_can_be_drawn_from_are_refused(n, labels, message):
    few = LabelledTexts("t", ["x"] * n, np.array([labels[i % len(labels)] for i in range(n)], dtype=object))
    with pytest.raises(MosaicError, match=message):
        found.check(few, few)


def test_too_few_texts_to_test_on_are_refused():
    with pytest.raises(MosaicError, match="t: 19 held-out texts are too few to test a hypothesis on; 20 or more were"):
        found.check(labelled(60, 0), labelled(19, 1))


# --- arms, numbers, sentences ----------------------------------------------------------------------------------------


def made(effect=0.3, corrected=0.01, label="up", n_matching=40):
    if effect is None:
        return h.Tested(Hypothesis(label, (1,), 0), 100, n_matching, None, None, None, None, 1.0, 1.0)
    return h.Tested(
        Hypothesis(label, (1,), 0), 100, n_matching, 0.5 + effect, 0.5, effect - 0.1, effect + 0.1, 0.01, corrected
    )


def one_set(*own: arms.Draw, cues=None) -> arms.SetFound:
    draws = {arms.SAE: own, arms.RANDOM: own * 2, arms.AT_RANDOM: own, arms.WORDS: own}
    return arms.SetFound("t", (300, 100), draws, {"separation": own[0]}, [(1, 4), (0, 4)], cues)


def test_shares_are_counted_over_sets_and_draws():
    own = arms.Draw((made(), made(0.2), made(-0.2), made(corrected=0.5)), (("a",),) * 4, ("x", "y", "x", None))
    one = one_set(own, cues=frozenset({("x", "up"), ("z", "up")}))
    assert arms.confirmed([one], arms.SAE)["count"] == 2 and arms.confirmed([one, one], arms.RANDOM)["n"] == 16
    assert arms.confirmed([one], arms.SHUFFLED) | {"interval": 0} == {"count": 1, "n": 8, "share": 0.125, "interval": 0}
    assert arms.precision([one], arms.SAE)["share"] == 0.5 and arms.recall([one], arms.SAE)["share"] == 0.5
    assert one.right(own) == [0] and one.hit(own) == {("x", "up")}
    blind = one_set(replace(own, meant=None))
    assert arms.precision([blind], arms.SAE) == {"count": 0, "n": 0, "share": None, "interval": None}
    assert arms.mean_effect([one], arms.SAE) == pytest.approx(0.15)
    nothing = one_set(arms.Draw((), (), None))
    assert arms.mean_effect([nothing], arms.SAE) is None and arms.mean_prevalence([nothing], arms.SAE) is None


def test_bonferroni_divides_by_the_tests_of_the_list():
    at = [replace(made(), p=p) for p in (0.02, 0.03, 0.001)]
    draw = arms.Draw((*at, made(-0.2), made(None)), (("a",),) * 5, None)
    assert draw.confirmed == [0, 1, 2] and draw.strictly == [2], "four tests: .0125"
    assert arms.strictly([one_set(draw)], arms.SAE)["count"] == 1 and arms.Draw((), (), None).strictly == []


def test_a_difference_of_shares_is_newcombes():
    """His own example, table II (a)."""
    got = arms.difference(arms.share(56, 70), arms.share(48, 80))
    assert got["difference"] == pytest.approx(0.2) and got["interval"] == pytest.approx([0.0524, 0.3339], abs=5e-5)
    assert arms.difference(arms.share(0, 0), arms.share(1, 2)) == {"difference": None, "interval": None}


@pytest.mark.parametrize(
    ("one", "words", "expected"),
    [
        (
            made(),
            ["a"],
            'texts with "a" are more often up: 80 % against 50 % (+0.30, 95 %: 0.20 to 0.40), in 40 % of texts',
        ),
        (
            made(-0.2),
            ["a", "b"],
            'texts with "a" or "b" are less often up, against what the training texts said: 30 %',
        ),
        (made(corrected=0.06), ["a", "b", "c"], 'whether texts with "a", "b" or "c" are more often up is open: 80 %'),
        (
            made(None, n_matching=0),
            ['"'],
            "whether texts with '\"' are more often up is open: no held-out text has such",
        ),
        (
            made(None, n_matching=100),
            ["."],
            'whether texts with "." are more often up is open: every held-out text has',
        ),
    ],
)
def test_a_hypothesis_is_said_by_its_verdict(one, words, expected):
    assert said.sentence(one, words).startswith(expected)


def test_what_a_text_holds_never_steers_a_terminal_or_a_figure():
    hostile = ("\x1b[2j", "<b>", "$x$")
    assert "\x1b" not in said.texts_with(hostile) and "<b>" in said.texts_with(hostile)
    study = chapter.Hypotheses(load_profile("mini"), (one_set(arms.Draw((made(),), (hostile,), None)),), ())
    (ax,) = study.forest().axes
    (label,) = [text.get_text() for text in ax.get_yticklabels()]
    assert "\x1b" not in label and r"\$x\$" in label
    assert "&lt;b&gt;" in study.table() and "<b>" not in study.table()


def test_lists_are_told_beside_chance():
    share, none = arms.share(2, 4), arms.share(0, 0)
    assert said.list_of("t", share, arms.share(1, 40)) == (
        "t: 2 of 4 hypotheses are confirmed (with shuffled labels 1 of 40)."
    )
    assert said.list_of("t", share, none) == "t: 2 of 4 hypotheses are confirmed."
    assert "so there is no hypothesis" in said.list_of("t", none, none)


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ([0.1, 0.2], "That is more than with x ("),
        ([-0.2, -0.1], "That is less than with x ("),
        ([-0.1, 0.1], "That is not told apart from x ("),
        (None, "Beside x nothing can be said"),
    ],
)
def test_arms_are_told_by_their_interval(interval, words):
    found = {"difference": 0.1, "interval": interval}
    got = said.arms(arms.share(1, 2), {"x": arms.share(1, 3)}, {"x": found})
    assert (
        got
        == f"Of the trained SAE's hypotheses, a share of 0.50 is confirmed. {said.beside('x', arms.share(1, 3), found)}"
    )
    assert words in got and (interval is None or "(0.33; difference +0.100, 95 %" in got)
    assert "none to confirm" in said.arms(arms.share(0, 0), {"x": arms.share(1, 3)}, {"x": found})


@pytest.mark.parametrize(
    ("k", "n", "words"), [(29, 30, "more than half"), (0, 30, "half at most"), (15, 30, "not told from half")]
)
def test_precision_is_told_by_its_interval(k, n, words):
    other = {"precision": arms.share(3, 4), "recall": arms.share(1, 9)}
    got = said.truth(arms.share(k, n), arms.share(2, 9), other, 9)
    assert words in got and "find 2 of 9 planted cues" in got and "right in 3 of 4 and find 1 of 9" in got
    assert "find none" in said.truth(arms.share(0, 0), arms.share(0, 9), other, 9)
    assert "nobody knows" in said.truth(arms.share(0, 0), arms.share(0, 0), other, 0)


def test_rules_and_what_is_missing_are_said():
    assert said.rules({"l1": arms.share(1, 2), "mean-difference": arms.share(0, 2)}) == (
        "By the rule that chooses latents, confirmed are 1 of 2 by l1, 0 of 2 by mean difference."
    )
    assert said.left_out([]) == "" and said.left_out(["a", "b"]) == "Left out, as they cannot be had here: a, b."


def test_sets_are_the_preferred_ones_that_are_here():
    profile = load_profile("minilm")
    here = {choice.name: choice for choice in profile.datasets}
    chosen, missing = chapter.chosen_sets(profile, [here["trec"], here["mini/toxicity"], here["mini/stance"]])
    assert [one.name for one in chosen] == ["trec", "mini/toxicity", "mini/stance"]
    assert missing[:2] == ("sst2", "sentiment_tweets (en)")
    chosen, missing = chapter.chosen_sets(profile, profile.datasets)
    assert [one.name for one in chosen] == ["sst2", "trec", "sentiment_tweets"] and missing == ()
    mini = load_profile("mini")
    assert [one.name for one in chapter.chosen_sets(mini, mini.datasets)[0]] == list(chapter.FIRST[3:])


@pytest.fixture(scope="module")
def study(small_profile, tiny, tmp_path_factory):
    """On a random model, read by an SAE that has a latent for each word of its tokenizer, such as "the" and "not"."""
    source = word_sae(tmp_path_factory.mktemp("saes"), tiny("llama"), 1)
    sets_ = (SetChoice("mini/intent"), SetChoice("mini/toxicity", "en"))
    profile = replace(small_profile, saes=(source,), width=source.width, datasets=sets_)
    return chapter.run(profile, n_texts=600, cache=None)


def test_a_study_from_its_profile_to_its_numbers(study):
    summary = json.loads(json.dumps(study.summary(), allow_nan=False))
    assert list(summary["sets"]) == ["mini/toxicity (en)", "mini/intent"]
    for title, one in summary["sets"].items():
        assert (one["n_train"], one["n_test"]) == (600, 300) and len(one["hypotheses"]) == len(one["verdicts"])
        assert one["verdicts"].count("confirmed") == one["confirmed"][arms.SAE]["count"], title
        assert set(one["found"]) <= set(one["cues"])
    words = summary["sets"]["mini/intent"]
    assert words["precision"][arms.WORDS]["share"] > 0.8 and words["recall"][arms.WORDS]["share"] > 0.8
    assert summary["confirmed"][arms.SHUFFLED]["share"] < 0.05
    assert summary["n_cues"] == summary["recall"][arms.SAE]["n"]
    assert set(summary["minus"]) == {arms.RANDOM, arms.AT_RANDOM, arms.WORDS, arms.SHUFFLED}


def test_where_there_is_no_hypothesis_that_is_said(study):
    nothing = [
        replace(one, arms={**one.arms, arms.SAE: [arms.Draw((), (), ())]}, shuffled=[(0, 0)]) for one in study.found
    ]
    none = replace(study, found=tuple(nothing))
    summary = json.loads(json.dumps(none.summary(), allow_nan=False))
    assert summary["confirmed"][arms.SAE] == {"count": 0, "n": 0, "share": None, "interval": None}
    assert "there is no hypothesis" in summary["sentences"]["lists"] and "find none" in summary["sentences"]["truth"]
    assert none.forest().axes[0].get_title() == "no hypothesis" and none.table().count("<tr>") == 1
    assert none.figure().axes, "single words have some"


def test_the_test_is_of_familiar_words(study):
    _, test = load_set("mini/intent")
    assert study.found[1].n[1] <= len(test) // 2


def test_figures_and_tables_show_every_hypothesis(study):
    n = sum(len(one.own.tested) for one in study.found)
    assert study.table().count("<tr>") == n + 1 and study.arms_table().count("<tr>") == 6
    assert "a planted cue" in study.table() or not any(one.right(one.own) for one in study.found)
    (ax,) = study.figure().axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["mini/toxicity (en)", "mini/intent"]
    (ax,) = study.forest().axes
    assert 0 < len(ax.get_yticklabels()) <= 2 * chapter.SHOWN
