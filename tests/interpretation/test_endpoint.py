"""The explainer's endpoint against a real server on this machine that misbehaves; the key is looked for wherever it could be."""

import logging
import traceback
from datetime import UTC, datetime

import pytest
from chat_server import SAID, ChatServer

from mosaic.errors import MosaicError, Unavailable
from mosaic.interpretation.endpoint import KEY, PLAIN, URL, Endpoint, asked_to_wait, check_address, usable_key

SECRET = "sk-not/for+anybody-1234567890"
ASKED = [{"role": "system", "content": "be short"}, {"role": "user", "content": "what is it"}]


def endpoint(server: ChatServer, **settings) -> tuple[Endpoint, list[float]]:
    slept: list[float] = []
    return Endpoint("m", server.address, SECRET, sleep=slept.append, **settings), slept


def test_it_speaks_the_protocol_and_says_nothing_else():
    with ChatServer() as server:
        speaker, slept = endpoint(server, answer_tokens=77)
        assert speaker.say(ASKED) == SAID and not slept
    (call,) = server.calls
    assert call["path"] == "/v1/chat/completions" and call["headers"]["Authorization"] == f"Bearer {SECRET}"
    assert call["body"] == {"model": "m", "messages": ASKED, "max_tokens": 77, "temperature": 0}


def test_without_a_key_no_header_is_sent():
    with ChatServer() as server:
        assert Endpoint("m", server.address).say(ASKED) == SAID
    assert "Authorization" not in server.calls[0]["headers"]


@pytest.mark.parametrize(
    "script,waits",
    [
        (["busy", SAID], [7.0]),
        (["fails", "fails", SAID], [1.0, 2.0]),
        (["not_json", SAID], [1.0]),
        (["no_choices", SAID], [1.0]),
        (["closes", SAID], [1.0]),
        (["fails", "busy", "a_list", "closes", SAID], [1.0, 7.0, 4.0, 8.0]),
    ],
)
def test_what_may_be_better_is_asked_again_after_a_wait(script, waits):
    with ChatServer(*script) as server:
        speaker, slept = endpoint(server)
        assert speaker.say(ASKED) == SAID and slept == waits and len(server.calls) == len(script)


@pytest.mark.parametrize("step", ["slow", "drips"])
def test_an_answer_that_takes_too_long_is_given_up(step):
    with ChatServer(step, SAID) as server:
        speaker, slept = endpoint(server, seconds=0.5)
        assert speaker.say(ASKED) == SAID and slept == [1.0]
    with ChatServer(step) as server:
        speaker, _ = endpoint(server, seconds=0.3, tries=2)
        with pytest.raises(Unavailable, match=r"in 0\.3 s, 2 times\. What was answered is kept"):
            speaker.say(ASKED)
        assert len(server.calls) == 2


@pytest.mark.parametrize(
    "step,calls,message",
    [
        ("fails", 5, r"is busy or failed \(status 500\), 5 times"),
        ("not_json", 5, "sends what is not JSON, 5 times"),
        ("no_choices", 5, "answers without choices, 5 times"),
        ("a_list", 5, "answers with what is not text, 5 times"),
        ("closes", 5, "broke off in the middle of its answer, 5 times"),
        ("busy_for_hours", 1, "asks to wait 7200 s"),
        ("refuses", 1, f"status 401.*{KEY} is not accepted"),
        ("forbids", 1, f"status 403.*{KEY} is not accepted"),
        ("bad_request", 1, r"status 400.*bad: Bearer \[key\]"),
        ("unknown_model", 1, f"status 404.*no such model.*Check the model's name and {URL}"),
        ("html", 1, "answers with 'text/html', not JSON: this is no chat endpoint"),
        ("moves", 1, "sends on to another address.*is not followed"),
        ("floods", 1, "more than 4 MiB"),
    ],
)
def test_what_ends_a_run_says_why_and_never_the_key(step, calls, message, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    with ChatServer(step) as server:
        speaker, _ = endpoint(server)
        with pytest.raises(MosaicError, match=message) as told:
            speaker.say(ASKED)
        assert len(server.calls) == calls
    out, err = capsys.readouterr()
    everything = "".join(
        [*traceback.format_exception(told.value), caplog.text, out, err, repr(speaker), str(vars(told.value))]
    )
    assert SECRET not in everything and "anybody" not in everything


def test_a_redirect_takes_the_key_nowhere():
    with ChatServer("moves") as server, pytest.raises(MosaicError):
        endpoint(server)[0].say(ASKED)
    assert [call["path"] for call in server.calls] == ["/v1/chat/completions"]


def test_what_is_for_this_machine_goes_through_no_proxy(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with ChatServer() as server:
        assert endpoint(server)[0].say(ASKED) == SAID


def test_nobody_there_is_unavailable():
    with ChatServer() as server:
        address = server.address
    with pytest.raises(Unavailable, match="cannot be reached"):
        Endpoint("m", address, SECRET, sleep=lambda s: None).say(ASKED)


def test_an_answer_that_repeats_the_key_is_cleaned_and_silence_is_empty(caplog):
    caplog.set_level(logging.DEBUG)
    with ChatServer("echoes", "nothing") as server:
        speaker, _ = endpoint(server)
        assert speaker.say(ASKED) == "[EXPLANATION]: the header is Bearer [key]"
        assert speaker.say(ASKED) == ""
    assert SECRET not in caplog.text and SECRET not in repr(speaker) + speaker.name + str(speaker.settings)


def test_a_word_that_local_servers_take_for_a_key_may_stand_in_an_answer():
    with ChatServer("[EXPLANATION]: EMPTY lines") as server:
        assert Endpoint("m", server.address, "EMPTY").say(ASKED) == "[EXPLANATION]: EMPTY lines"


def test_settings_that_a_model_does_not_take_are_left_out_from_then_on():
    with ChatServer("picky") as server:
        speaker, _ = endpoint(server)
        assert speaker.say(ASKED) == SAID and len(server.calls) == 3
        assert speaker.say(ASKED) == SAID and len(server.calls) == 4
    assert server.calls[-1]["body"] == {"model": "m", "messages": ASKED, "max_completion_tokens": 200}
    assert speaker.settings["temperature"] == 0, "the key of an answer does not hang on what was found out"


@pytest.mark.parametrize(
    "address,message",
    [
        ("ftp://x/v1", "is not an address"),
        ("localhost:8000", "is not an address"),
        ("http://[::1/v1", "is not an address"),
        ("https://me:secret@x/v1", "holds a user's name"),
        ("https://x/v1?key=secret", "holds a user's name, a query"),
        ("http://example.org/v1", "would go unencrypted"),
        ("http://localhost.example.org/v1", "would go unencrypted"),
        ("http://10.0.0.1/v1", "would go unencrypted"),
    ],
)
def test_addresses_that_are_refused_before_anything_is_sent(address, message):
    with pytest.raises(MosaicError, match=message) as told:
        check_address(address)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "address", ["https://x/v1", "http://localhost:8000/v1", "http://127.0.0.2/v1", "http://[::1]:80/v1"]
)
def test_addresses_that_are_taken(address):
    check_address(address)


def test_http_elsewhere_is_taken_where_it_is_asked_for(monkeypatch):
    check_address("http://10.0.0.1/v1", plain=True)
    monkeypatch.setenv(URL, "http://10.0.0.1/v1/")
    with pytest.raises(MosaicError, match=f"{PLAIN}=1"):
        Endpoint.from_environment("m")
    monkeypatch.setenv(PLAIN, "1")
    monkeypatch.setenv(KEY, f" {SECRET}\n")
    made = Endpoint.from_environment("m")
    assert made.address == "http://10.0.0.1/v1" and made.key == SECRET and SECRET not in repr(made)
    assert made.name == "m at 10.0.0.1"


def test_an_environment_without_an_address_or_a_model_is_told(monkeypatch):
    monkeypatch.delenv(URL, raising=False)
    with pytest.raises(MosaicError, match=f"{URL} is not set"):
        Endpoint.from_environment("m")
    monkeypatch.setenv(URL, "https://x/v1")
    with pytest.raises(MosaicError, match="endpoint:MODEL"):
        Endpoint.from_environment("")


@pytest.mark.parametrize("key", ["sk a b", "sk-\x00", "schlüssel", "a\nb"])
def test_a_key_that_no_header_holds_is_refused_without_being_told(key):
    with pytest.raises(MosaicError, match=f"{KEY} holds white space or characters beyond ASCII") as told:
        usable_key(key)
    assert key not in str(told.value)
    assert usable_key("  \n") is None


def test_retry_after_is_seconds_or_a_date():
    def now():
        return datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)

    assert asked_to_wait("30") == 30 and asked_to_wait(" 1.5 ") == 1.5 and asked_to_wait("0") == 0
    assert asked_to_wait("Thu, 01 Jan 2026 12:00:20 GMT", now) == 20
    assert asked_to_wait("Thu, 01 Jan 2026 11:00:00 GMT", now) == 0
    for none in ("", "soon", "-3", "1e9", "٣", "."):
        assert asked_to_wait(none, now) is None, none


def test_no_part_of_the_key_is_shown_however_a_server_writes_it():
    speaker = Endpoint("m", "http://localhost/v1", key="sk-abc+DEFGHIJKLMNOP/qrstuv")
    for body in (
        b'{"error": "Incorrect key sk-abc+DEFGHIJKLMNOP... given"}',
        b'{"error": "Incorrect key sk-abc\\u002bDEFGHIJKLMNOP\\/qrstuv given"}',
        b"Incorrect key ...KLMNOP/qrstuv given",
    ):
        said = str(speaker._refused(400, {}, body))
        assert "[key]" in said and "given" in said and "Incorrect" in said
        assert not any(speaker.key[i : i + 5] in said for i in range(len(speaker.key) - 4)), said


def test_an_answer_in_parts_is_joined_and_half_a_surrogate_pair_is_no_text():
    from mosaic.interpretation.endpoint import _content

    parts = b'{"choices": [{"message": {"content": [{"type": "text", "text": "a "}, {"type": "text", "text": "b"}]}}]}'
    assert _content(parts) == "a b"
    assert _content(b'{"choices": [{"message": {"content": "bad \\ud800 answer"}}]}').encode() == b"bad ? answer"


def test_a_key_less_its_last_character_is_hidden_in_an_answer():
    speaker = Endpoint("m", "http://localhost/v1", key="sk-SECRETKEY-0123456789abcdef")
    said = speaker._blanked(f"the key is {speaker.key[:-1]} or so")
    assert said == "the key is [key] or so"
