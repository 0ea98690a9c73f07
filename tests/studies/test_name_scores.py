"""Names scored: the truth gets 1, a guess and another's name about a half; what was shown is not judged by; each is asked once."""

from types import SimpleNamespace

import numpy as np
import pytest
from doubles_speakers import Scripted, judged_at_random, judged_by_truth
from interpretation.test_judging import digits

from mosaic.errors import MosaicError
from mosaic.interpretation.name_scores import NameScore, ScoresFile, said
from mosaic.interpretation.names import ELSEWHERE, Name
from mosaic.interpretation.replies import Replies
from mosaic.studies.name_scores import KINDS, ByModel, ToScore, by_embedding, medians

ENCODER = SimpleNamespace(weights_hash="abc")


@pytest.fixture(scope="module")
def observed():
    found, pieces = digits()
    tokenizer = SimpleNamespace(decode=lambda ids: " ".join(f"w{i}" for i in ids))
    return SimpleNamespace(found=found, pieces=pieces, key="these", lm=SimpleNamespace(tokenizer=tokenizer))


def names(texts="these"):
    return {j: Name(f"digit {j}", "m", texts) for j in range(4)}


def scored(observed, say, tmp_path, given=None, **options):
    to_score = ToScore.of(observed, given or names(), range(4), contexts=20)
    by_model = ByModel(to_score, Scripted(say), **options)
    replies = Replies(tmp_path, "j")
    replies.ask(by_model.questions, by_model.speaker)
    return list(by_model.scored(replies)), by_model


def test_the_truth_is_told_and_another_name_is_not(observed, tmp_path):
    found, by_model = scored(observed, judged_by_truth, tmp_path)
    assert [one.latent for one in found] == [0, 1, 2, 3]
    for one in found:
        assert one.scores == {"detection": 1.0, "fuzzing": 1.0} and one.deciles["detection"] == [1.0] * 10
        assert one.contexts == 80 and one.unread == 0 and one.texts == "these" and one.judge == "scripted"
        assert set(one.another) == set(KINDS)
    for own, other in medians(found).values():
        assert own == 1.0 and other == pytest.approx(0.5, abs=0.12)
    assert len(by_model.speaker.asked) == 4 * 2 * 2 * 8  # latents, kinds, sentences, questions
    again, by_model = scored(observed, judged_by_truth, tmp_path)
    assert by_model.speaker.asked == [] and again == found


def test_a_guess_is_near_a_half(observed, tmp_path):
    found, _ = scored(observed, judged_at_random(3), tmp_path)
    own = [value for one in found for value in one.scores.values()]
    assert np.mean(own) == pytest.approx(0.5, abs=0.08)


def test_what_cannot_be_read_is_left_out_and_counted(observed, tmp_path):
    calls = []

    def now_and_then(messages):
        calls.append(1)
        return judged_by_truth(messages) if len(calls) % 4 else "no idea"

    found, by_model = scored(observed, now_and_then, tmp_path, tries=1)
    assert len(by_model.speaker.asked) == len(calls) == 128 and sum(one.unread for one in found) > 0
    assert all(one.scores == {"detection": 1.0, "fuzzing": 1.0} and one.contexts + one.unread == 80 for one in found)
    never, _ = scored(observed, "no idea", tmp_path / "never", tries=1)
    assert all(one.scores == {"detection": None, "fuzzing": None} and one.unread == 80 for one in never)
    assert never[0].deciles["detection"] == [None] * 10 and medians(never)["fuzzing"] == (None, None)
    assert Replies(tmp_path, "j").unanswered(by_model.questions) == []
    assert len(Replies(tmp_path, "j").unanswered(by_model.questions, again=True)) == 32


def test_names_from_texts_that_contexts_may_be_of_are_not_scored(observed):
    given = {
        0: Name("digit 0", "m", "these"),
        1: Name("digit 1", "m", "others"),
        2: Name("digit 2", "m"),
        3: Name("digit 3", "Neuronpedia", ELSEWHERE),
    }
    found = ToScore.of(observed, given, range(4), contexts=20)
    assert [one.latent for one in found.sampled] == [0, 3] and found.left.shown == (1, 2)
    assert ToScore.of(observed, {0: given[0]}, range(4), 20).left.nameless == (1, 2, 3)
    seldom = ToScore.of(observed, names(), range(4), contexts=500)
    assert seldom.left.seldom == (0, 1, 2, 3) and seldom.sampled == ()


def test_contexts_are_of_texts_that_no_explainer_saw(observed):
    found = ToScore.of(observed, names(), range(4), contexts=20)
    for sample in found.sampled:
        assert found.windows.judged[np.concatenate([sample.active, sample.silent])].all()


@pytest.mark.parametrize("contexts", [0, 5, 25])
def test_tenths_share_contexts_alike(observed, contexts):
    with pytest.raises(MosaicError, match=f"{contexts} contexts of a latent.*a multiple of 10 was expected"):
        ToScore.of(observed, names(), range(4), contexts)


def test_another_sentence_is_never_the_own(observed):
    same = {j: Name("digit 1", "m", "these") for j in range(4)}
    assert ToScore.of(observed, same, range(4), 20).others == {}
    one = {**same, 2: Name("digit 2", "m", "these")}
    found = ToScore.of(observed, one, range(4), 20)
    assert found.others == {0: "digit 2", 1: "digit 2", 2: "digit 1", 3: "digit 2"}
    assert found.sentences(2) == ["digit 2", "digit 1"]
    assert ToScore.of(observed, {0: one[0]}, range(4), 20).sentences(0) == ["digit 1"]


def test_embedding_prefers_contexts_like_the_sentence(observed, monkeypatch):
    """A made-up encoder: a text's vector counts the last digits of its words."""

    def embedded(texts, encoder):
        vectors = np.zeros((len(texts), 10))
        for row, text in zip(vectors, texts, strict=True):
            for word in text.split():
                row[int(word[-1])] += 1
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    monkeypatch.setattr("mosaic.interpretation.language_scores.embedded", embedded)
    given = {j: Name(f"{j}", "m", "these") for j in range(4)}
    encoder = SimpleNamespace(spec=SimpleNamespace(id="some/all-MiniLM"))
    found = list(by_embedding(ToScore.of(observed, given, range(4), 20), encoder))
    assert [one.scores["embedding"] for one in found] == [1.0] * 4
    assert np.mean([one.another["embedding"] for one in found]) == pytest.approx(0.5, abs=0.12)
    assert {one.judge for one in found} == {"all-MiniLM"} and found[0].contexts == 40
    alone = list(by_embedding(ToScore.of(observed, {0: given[0]}, range(4), 20), encoder))
    assert alone[0].another == {} and alone[0].scores == {"embedding": 1.0}


def test_scores_are_kept_beside_the_name_they_are_of(tmp_path):
    kept = ScoresFile(tmp_path, ENCODER)
    assert kept.of(names()) == {} and not list(tmp_path.iterdir())
    first = NameScore(1, "digit 1", "m", "judge", {"detection": 0.8, "fuzzing": None}, {"detection": 0.5})
    for one in (
        first,
        NameScore(1, "digit 1", "m", "judge", {"detection": 0.9}, {}),
        NameScore(1, "x", "m", "j", {}, {}),
    ):
        kept.add([one])
    embedded = NameScore(1, "digit 1", "m", "MiniLM", {"embedding": 0.71}, {"embedding": 0.5})
    kept.add([embedded])
    n = len(kept.lines.all())
    kept.add([embedded, embedded])
    assert n == len(kept.lines.all()) == 4
    found = ScoresFile(tmp_path, ENCODER).of(names())
    assert list(found) == [1] and [one.judge for one in found[1]] == ["MiniLM", "judge"]
    assert said(found[1]) == "embedding 0.71 (another's 0.50) by MiniLM; detection 0.90 by judge"
    assert said([first]) == "detection 0.80 (another's 0.50), fuzzing - by judge" and said([]) == ""
    assert (
        kept.of({1: Name("another name", "m")}) == {}
        and ScoresFile(tmp_path, SimpleNamespace(weights_hash="d")).of(names()) == {}
    )
    with open(kept.lines.path, "ab") as file:
        file.write(
            b'[]\n{"latent": 1}\n{"latent":1,"sentence":"digit 1","source":"m","judge":"k","scores":3,"another":{}}\n{"la'
        )
    assert ScoresFile(tmp_path, ENCODER).of(names()) == found
