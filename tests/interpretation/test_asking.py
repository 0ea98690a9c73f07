"""Many questions: each is asked once, whoever asks; what it costs is known before."""

import threading
import time

import pytest
import torch
from chat_server import SAID, ChatServer

from mosaic.errors import MosaicError
from mosaic.interpretation import asking
from mosaic.interpretation.asking import Estimate, ask, estimate, questions, unanswered
from mosaic.interpretation.endpoint import Endpoint
from mosaic.interpretation.explanations import explain
from mosaic.interpretation.names import FOLDER, NamesCache
from mosaic.interpretation.shown import Example, Shown
from mosaic.saes.encoder import Encoder

SECRET = "sk-not-for-anybody-1234567890"
SHOWN = [Shown(i, (Example((f"word{i}", " more"), (1.0 + i, 0.0)),)) for i in range(8)]


@pytest.fixture
def cache(tmp_path):
    return fresh(tmp_path)


def fresh(tmp_path) -> NamesCache:
    ones = torch.ones(9)
    return NamesCache(tmp_path / FOLDER, Encoder("sae", 3, "9", torch.ones(9, 4), ones, ones))


def test_a_second_run_asks_nothing_and_a_changed_question_is_asked(cache, tmp_path):
    with ChatServer() as server:
        speaker = Endpoint("m", server.address, SECRET)
        asked = questions(SHOWN, speaker)
        assert unanswered(asked, cache) == asked
        told = []
        ask(asked, speaker, cache, tell=lambda question, found: told.append((question.latent, found.explanation)))
        assert told == [(i, "words about cats") for i in range(8)] and len(server.calls) == 8
        again = fresh(tmp_path)
        assert unanswered(asked, again) == []
        ask(asked, speaker, again)
        assert len(server.calls) == 8
        other = [Shown(0, (Example(("other",), (1.0,)),)), *SHOWN[1:]]
        assert [q.latent for q in unanswered(questions(other, speaker), again)] == [0]
        assert len(unanswered(questions(SHOWN, Endpoint("n", server.address)), again)) == 8
    assert SECRET not in cache.answers_file.read_text() and [a.latent for a in cache.answers()] == list(range(8))


def test_the_same_question_of_other_texts_is_adopted_and_not_asked(cache, tmp_path):
    with ChatServer() as server:
        speaker = Endpoint("m", server.address, SECRET)
        asked = questions(SHOWN, speaker)
        ask(asked[:2], speaker, cache, texts="then")
        asking.adopt(asked, cache, "then")
        assert len(cache.answers()) == 2 and {name.texts for name in cache.names().values()} == {"then"}
        asking.adopt(asked, cache, "now")
        asking.adopt(asked, cache, "now")
        assert len(cache.answers()) == 4 and len(server.calls) == 2
        assert {name.texts for name in fresh(tmp_path).names().values()} == {"now"}


def test_what_was_answered_before_a_failure_is_kept(cache):
    with ChatServer(SAID, SAID, SAID, "refuses", SAID) as server:
        speaker = Endpoint("m", server.address, SECRET)
        asked = questions(SHOWN, speaker)
        with pytest.raises(MosaicError, match="401"):
            ask(asked, speaker, cache)
        assert [a.latent for a in cache.answers()] == [0, 1, 2]
        ask(asked, speaker, cache)
        assert [a.latent for a in cache.answers()] == list(range(8)) and len(server.calls) == 4 + 5


def test_no_explanation_is_an_answer_until_it_is_asked_again(cache):
    with ChatServer(*["no idea"] * 6, SAID) as server:
        speaker = Endpoint("m", server.address)
        asked = questions(SHOWN[:2], speaker)
        ask(asked, speaker, cache)
        assert len(server.calls) == 6 and cache.names() == {}
        assert unanswered(asked, cache) == [] and unanswered(asked, cache, again=True) == asked
        ask(asked, speaker, cache)
        assert len(server.calls) == 6
        ask(asked, speaker, cache, again=True)
        assert len(server.calls) == 8 and set(cache.names()) == {0, 1}
        assert unanswered(asked, cache, again=True) == []


def test_two_at_once_share_the_work(cache, tmp_path, monkeypatch):
    """Two threads with a cache of their own each, as two processes have; `explain` is slow, so that they meet."""

    def slowly(*arguments):
        time.sleep(0.02)
        return explain(*arguments)

    monkeypatch.setattr(asking, "explain", slowly)
    with ChatServer() as server:
        speaker = Endpoint("m", server.address)
        asked = questions(SHOWN, speaker)
        threads = [threading.Thread(target=ask, args=(asked, speaker, fresh(tmp_path))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.calls) == 8
    assert sorted(a.latent for a in cache.answers()) == list(range(8))


def test_the_estimate_is_a_sum_and_a_bound(cache):
    speaker = Endpoint("m", "http://localhost/v1")
    asked = questions(SHOWN, speaker)
    found = estimate(asked, speaker, answer_tokens=200, tries=3)
    size = sum(sum(len(m["content"].encode()) for m in question.messages) // 4 for question in asked)
    most = 3 * size + 8 * 2 * asking.ASKED_AGAIN
    assert found == Estimate(8, size, 8 * asking.USUAL_ANSWER, most, 8 * 200 * 3)
    assert found.cost(1.0, 0.0) == (size / 1e6, most / 1e6) and found.cost(0, 2) == (640 / 1e6, 9600 / 1e6)
    assert estimate([], speaker, 200) == Estimate(0, 0, 0, 0, 0)
