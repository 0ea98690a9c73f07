"""Latents chosen by a language model: candidates, the three ways, resume, and the probes beside it."""

import re
from dataclasses import replace

import numpy as np
import pytest
from doubles_speakers import Scripted
from toy import problem as toy_problem

from mosaic.errors import MosaicError
from mosaic.interpretation.importance import RANK, SCORE, SEQUENTIAL, WAYS, Order, Task
from mosaic.interpretation.names import Name
from mosaic.interpretation.replies import Replies
from mosaic.studies import model_choice, model_choice_probes
from mosaic.studies.headline import numbers
from mosaic.studies.model_choice import SIMILAR, Candidates, Choice, candidates, task_of

TASK = Task("tell which topic a text has", ("a", "b"))
WORTH = [0.1, 0.9, 0.5, 0.7, 0.0, 0.3]
TEXTS = [f"worth {worth}" for worth in WORTH]
BEST = [1, 3, 2, 5, 0, 4]


def knows(messages) -> str:
    """What a model says that reads the worth in a description."""
    said = messages[1]["content"]
    if "Feature: " in said:
        return f"[IMPORTANCE]: {re.search(r'worth ([.0-9]+)', said)[1]}"
    listed = {int(n): float(w) for n, w in re.findall(r"(?m)^(\d+)\. worth ([.0-9]+)$", said)}
    ranked = sorted(listed, key=lambda number: -listed[number])
    if "Chosen already" not in said:
        return "[ORDER]: " + ", ".join(map(str, ranked))
    chosen = [int(n) for n in re.findall(r"\d+", said.rsplit("Chosen already: ", 1)[1])]
    return f"[NEXT]: {next(n for n in ranked if n not in chosen)}"


def choice(way, speaker, k=3, texts=TEXTS, **options):
    return Choice(way, TASK, texts, k, speaker, **options)


@pytest.mark.parametrize("way,calls", [(SCORE, 6), (RANK, 1), (SEQUENTIAL, 3)])
def test_a_model_that_knows_chooses_the_best_and_is_asked_once(way, calls, tmp_path):
    speaker = Scripted(knows)
    made, replies = choice(way, speaker), Replies(tmp_path, "c")
    cost = made.estimate(replies, 200)
    assert cost.calls == calls and cost.tokens_in > 0
    order = made.order(replies)
    assert order.places[:3].tolist() == BEST[:3] and sorted(order.places.tolist()) == list(range(6))
    assert (order.unread, order.missing, order.doubled, order.unknown) == (0, 0, 0, 0)
    assert len(speaker.asked) == calls and made.estimate(Replies(tmp_path, "c"), 200).calls == 0
    assert made.order(Replies(tmp_path, "c")).places.tolist() == order.places.tolist() and len(speaker.asked) == calls
    assert (order.scores is None) == (way != SCORE)


@pytest.mark.parametrize("way", WAYS)
def test_what_cannot_be_read_is_placed_by_chance_counted_and_asked_again(way, tmp_path):
    speaker, replies = Scripted("hm"), Replies(tmp_path, "c")
    order = choice(way, speaker, tries=2).order(replies)
    assert order.unread == {SCORE: 6, RANK: 1, SEQUENTIAL: 3}[way] and len(speaker.asked) == 2 * order.unread
    assert sorted(order.places.tolist()) == list(range(6))
    with pytest.raises(MosaicError, match=r"none of the \d answers of .* could be read, so that it chose nothing"):
        choice(way, speaker, tries=2).check(order)
    assert choice(way, speaker, tries=2).order(replies).places.tolist() == order.places.tolist()
    firsts = {int(choice(way, Scripted("hm"), tries=2, seed=s).order(replies).places[0]) for s in range(12)}
    assert len(firsts) > 2
    right = Scripted(knows)
    assert choice(way, right, tries=2).order(replies).unread == order.unread and right.asked == []
    assert choice(way, right, tries=2).estimate(replies, 200, again=True).calls == order.unread
    choice(way, right, tries=2).check(choice(way, right, tries=2).order(replies, again=True))
    assert choice(way, right, tries=2).order(replies, again=True).places[:3].tolist() == BEST[:3]


def test_one_after_another_goes_on_where_it_ended_and_never_repeats(tmp_path):
    calls = []

    def dies(messages):
        calls.append(1)
        if len(calls) == 3:
            raise MosaicError("away")
        return knows(messages)

    made, replies = choice(SEQUENTIAL, Scripted(dies), k=5), Replies(tmp_path, "c")
    with pytest.raises(MosaicError, match="away"):
        made.order(replies)
    assert made.estimate(replies, 200).calls == 3
    assert made.order(Replies(tmp_path, "c")).places.tolist() == BEST and len(calls) == 6
    stubborn = Scripted("[NEXT]: 2")
    order = choice(SEQUENTIAL, stubborn, k=5, tries=1, texts=[*TEXTS[:5], "x"]).order(Replies(tmp_path, "d"))
    assert order.places[0] == 1 and sorted(order.places.tolist()) == list(range(6)) and order.unread == 4


def test_an_order_with_missing_doubled_and_unknown_numbers_is_made_whole(tmp_path):
    order = choice(RANK, Scripted("[ORDER]: 4, 4, 17, 2")).order(Replies(tmp_path, "c"))
    assert order.places[:2].tolist() == [3, 1] and sorted(order.places.tolist()) == list(range(6))
    assert (order.missing, order.doubled, order.unknown) == (4, 1, 1)


def test_the_same_description_is_asked_about_once(tmp_path):
    speaker = Scripted(knows)
    order = choice(SCORE, speaker, texts=["worth 0.5", "worth 0.9", "worth 0.5"], k=2).order(Replies(tmp_path, "c"))
    assert len(speaker.asked) == 2 and order.places[0] == 1


@pytest.mark.parametrize("k", [0, 6, 7])
def test_some_are_to_be_left_out(k):
    with pytest.raises(MosaicError, match=f"{k} latents are to be chosen among 6 candidates: a number from 1 to 5"):
        choice(SCORE, Scripted(""), k=k)


@pytest.fixture(scope="module")
def problem():
    """Columns that tell the label: 5 (the toy's), pooled by max."""
    made = toy_problem()
    return replace(made, tables=(next(t for t in made.tables if t.provenance["pooling"] == "max"),))


def test_candidates_are_the_described_latents_that_fire_most(problem):
    matrix = problem.tables[0].matrix[: len(problem.train)]
    fires = np.asarray((matrix > 0).sum(0)).ravel()
    names = {j: Name(f"n{j}", "m") for j in range(0, matrix.shape[1], 2)}
    found = candidates(problem, names, 5)
    described = [j for j in names if fires[j] > 0]
    best = sorted(described, key=lambda j: (-fires[j], j))[:5]
    assert sorted(found.latents.tolist()) == sorted(best) and found.n_described == len(described)
    assert [name.text for name in found.names] == [f"n{j}" for j in found.latents] and found.similarity is None
    assert found.share == pytest.approx(fires[found.latents] / matrix.shape[0])
    assert (
        found.said()
        == f"5 of {len(described)} latents that have a description: those that fire in the most training texts"
    )
    every = candidates(problem, names, 10_000)
    assert every.said() == f"all {len(described)} latents that have a description and fire in some training text"
    assert candidates(problem, names, 5).latents.tolist() == found.latents.tolist()
    assert candidates(problem, names, 10_000, seed=1).latents.tolist() != every.latents.tolist()
    with pytest.raises(MosaicError, match="no latent of this SAE that fires"):
        candidates(problem, {})


def test_candidates_may_be_those_most_like_a_class(problem, monkeypatch):
    def similarities(problem, texts, label, encoder):
        return np.array([[float(text == "n4") for text in texts], [float(text == "n8") for text in texts]])

    monkeypatch.setattr(model_choice, "similarities", similarities)
    names = {j: Name(f"n{j}", "m") for j in range(problem.tables[0].matrix.shape[1])}
    found = candidates(problem, names, 2, SIMILAR, "label", encoder=object())
    assert sorted(found.latents.tolist()) == [4, 8] and "most like a class's name" in found.said()
    assert found.similarity.shape == (2, 2) and found.similarity.max(0).tolist() == [1.0, 1.0]


def test_classes_with_codes_for_names_need_a_task(problem):
    coded = replace(problem.train, labels=np.array(["0", "1"] * (len(problem.train) // 2), dtype=object))
    with pytest.raises(MosaicError, match="have codes for names, such as '0'.*--task"):
        task_of(coded, "stars")
    assert task_of(coded, "stars", "good or bad") == Task("good or bad", ("0", "1"))
    called = replace(problem.train, labels=np.array(["arts", "sports"] * (len(problem.train) // 2), dtype=object))
    assert task_of(called, "news_topic").said == "tell which news topic a text has"


def test_the_probe_on_what_tells_the_label_is_ahead_of_the_rest(problem):
    matrix = problem.tables[0].matrix
    others = [j for j in range(matrix.shape[1]) if j != 5][:11]
    latents = np.array([5, *others])
    similarity = np.zeros((2, 12))
    similarity[:, 0] = 1
    among = Candidates(latents, tuple(Name(f"n{j}", "m") for j in latents), np.ones(12), 12, similarity=similarity)
    found = {one.way: one for one in model_choice_probes.probes(problem, among, Order(np.arange(12)), 1)}
    model = found[model_choice_probes.BY_MODEL]
    assert model.minus is None and model.draws == 1
    for way in (model_choice_probes.ANOTHER, model_choice_probes.AT_RANDOM):
        assert found[way].draws == 10 and found[way].minus.low > 0, way
        assert found[way].macro_f1.macro_f1 < model.macro_f1.macro_f1
    for way in (
        model_choice_probes.BY_LABELS,
        model_choice_probes.BY_LABELS_OF_ALL,
        model_choice_probes.BY_SIMILARITY,
    ):
        assert (
            found[way].macro_f1.macro_f1 == pytest.approx(model.macro_f1.macro_f1) and found[way].minus.difference == 0
        )
    told = model_choice_probes.sentence(list(found.values()))
    assert "score above those it chooses by descriptions of other latents" in told
    same = numbers(found[model_choice_probes.BY_LABELS].minus)
    assert told.endswith(f"and cannot be told apart from those of mean difference on the labels ({same}).")
    row = model.row()
    assert row["model_minus"] is None and row["low"] <= row["macro_f1"] <= row["high"]


def test_dealt_descriptions_leave_none_in_its_place_and_draws_differ():
    among = Candidates(np.arange(30), tuple(Name(str(j), "m") for j in range(30)), np.ones(30), 30)
    order = Order(np.arange(30)[::-1])
    found = model_choice_probes.choices(among, order, 30)
    for dealt in found[model_choice_probes.ANOTHER]:
        assert sorted(dealt.tolist()) == list(range(30)) and not (dealt == order.places).any()
    assert len({tuple(d.tolist()) for d in found[model_choice_probes.ANOTHER]}) == 10
    assert len({tuple(d.tolist()) for d in found[model_choice_probes.AT_RANDOM]}) == 10
    assert model_choice_probes.BY_SIMILARITY not in found
