"""Questions read by a rule: asked once, reminded, resumed, and never again once answered."""

import json
import threading
import time

import pytest
from chat_server import ChatServer
from doubles_speakers import Scripted

from mosaic.errors import MosaicError, Unavailable
from mosaic.interpretation.endpoint import Endpoint
from mosaic.interpretation.replies import Question, Replies, Unreadable, hear

SECRET = "sk-not-for-anybody-1234567890"


def number(answer):
    if not answer.isdigit():
        raise Unreadable(f"the answer is no number; it begins {answer!r}")
    return int(answer)


def says(text):
    return lambda messages: text


def asked_of(speaker, n=6, tries=3):
    return [
        Question.of([{"role": "user", "content": f"question {i}"}], number, "A number.", speaker, tries)
        for i in range(n)
    ]


def test_what_cannot_be_read_is_asked_again_with_a_reminder():
    speaker = Scripted("no\nidea", "7")
    heard = hear([{"role": "user", "content": "how many"}], speaker, number, "A number.")
    assert (heard.value, heard.tries) == (7, 2)
    assert [m["content"] for m in speaker.asked[1]] == ["how many", "no idea", "A number."]
    heard = hear([{"role": "user", "content": "how many"}], Scripted("x"), number, "A number.", tries=2)
    assert heard.value is None and heard.tries == 2 and "begins 'x'" in heard.problem


def test_each_is_asked_once_and_a_repeated_question_is_one(tmp_path):
    speaker = Scripted("1", "2", "3", "4", "5", "6")
    asked = asked_of(speaker)
    replies = Replies(tmp_path / "r", "kind")
    assert replies.unanswered([*asked, asked[0]]) == asked and not (tmp_path / "r").exists()
    replies.ask([*asked, asked[0]], speaker)
    again = Replies(tmp_path / "r", "kind")
    again.ask(asked, speaker)
    assert len(speaker.asked) == 6 and [again.value(q) for q in asked] == [1, 2, 3, 4, 5, 6]
    assert again.unanswered(asked) == [] and Replies(tmp_path / "r", "other").unanswered(asked) == asked
    other = asked_of(Scripted(name="another"))
    assert again.unanswered(other) == other and again.value(other[0]) is None


def test_no_reading_is_a_reply_until_it_is_asked_again(tmp_path):
    speaker = Scripted(*["no"] * 3, "5")
    (question,) = asked_of(speaker, 1)
    replies = Replies(tmp_path, "kind")
    assert replies.ask_one(question, speaker) is None and len(speaker.asked) == 3
    assert replies.ask_one(question, speaker) is None and len(speaker.asked) == 3
    assert replies.unanswered([question], again=True) == [question]
    assert replies.ask_one(question, speaker, again=True) == 5
    assert replies.ask_one(question, speaker, again=True) == 5 and len(speaker.asked) == 4


def test_it_goes_on_after_a_failure_and_the_key_is_in_no_file(tmp_path):
    with ChatServer(says("1"), "busy", says("2"), "refuses", says("3")) as server:
        speaker = Endpoint("m", server.address, SECRET, sleep=lambda s: None)
        asked = asked_of(speaker, 4)
        with pytest.raises(MosaicError, match="401") as told:
            Replies(tmp_path, "kind").ask(asked, speaker)
        assert SECRET not in str(told.value) and [Replies(tmp_path, "kind").value(q) for q in asked] == [
            1,
            2,
            None,
            None,
        ]
        Replies(tmp_path, "kind").ask(asked, speaker)
        assert [Replies(tmp_path, "kind").value(q) for q in asked] == [1, 2, 3, 3] and len(server.calls) == 4 + 2
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert written and SECRET.encode() not in written


def test_an_answer_that_never_comes_is_no_reply(tmp_path):
    with ChatServer("slow") as server:
        speaker = Endpoint("m", server.address, SECRET, seconds=0.2, tries=2, sleep=lambda s: None)
        (question,) = asked_of(speaker, 1)
        with pytest.raises(Unavailable, match=r"in 0\.2 s, 2 times"):
            Replies(tmp_path, "kind").ask([question], speaker)
        assert Replies(tmp_path, "kind").unanswered([question]) == [question]


def test_two_at_once_ask_each_question_once(tmp_path):
    def slowly(messages):
        time.sleep(0.02)
        return "1"

    speaker = Scripted(slowly)
    asked = asked_of(speaker, 8)
    threads = [threading.Thread(target=Replies(tmp_path, "kind").ask, args=(asked, speaker)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(speaker.asked) == 8


def test_a_cut_file_and_lines_of_another_kind_are_passed_over(tmp_path):
    speaker = Scripted("1")
    asked, replies = asked_of(speaker, 2), Replies(tmp_path, "kind")
    replies.ask(asked, speaker)
    path = tmp_path / "kind.jsonl"
    first, second, _ = path.read_bytes().split(b"\n")
    path.write_bytes(b"[]\n3\n{}\n" + json.dumps({"key": 3}).encode() + b"\n" + second[:-4])
    assert Replies(tmp_path, "kind").unanswered(asked) == asked
    path.write_bytes(first + b"\n" + second + b"\n")
    replies = Replies(tmp_path, "kind")
    assert replies.unanswered(asked) == []
    path.write_bytes(first + b"\n")
    assert replies.unanswered(asked) == asked[1:] and replies.value(asked[0]) == 1
