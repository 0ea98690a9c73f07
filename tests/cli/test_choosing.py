"""`mosaic names choose` as users meet it: three ways, a server on this machine, tables, JSON, and what is refused."""

import json
import re

import numpy as np
import pytest
from chat_server import ChatServer
from cli.test_hypotheses import own  # noqa: F401
from cli.test_scoring_names import process
from commands import mosaic
from naming_profile import SECRET, files_of

from mosaic.interpretation.endpoint import KEY, URL, Endpoint
from mosaic.interpretation.names import Fetched
from mosaic.profiles.profile import load_profile
from mosaic.studies import interpretation_scorers, naming

TELLING = re.compile(r"happy|sun|sad|rain")


@pytest.fixture(autouse=True)
def no_sentence_encoder(monkeypatch):
    monkeypatch.setattr(interpretation_scorers, "sentence_encoder", lambda device: None)


def knows(messages) -> str:
    """A model that takes the words that go with a mood for the ones that matter."""
    said = messages[1]["content"]
    if "Feature: " in said:
        return f"[IMPORTANCE]: {0.9 if TELLING.search(said.split('Feature: ')[1]) else 0.1}"
    listed = re.findall(r"(?m)^(\d+)\. (.*)$", said)
    ranked = sorted((int(n) for n, _ in listed), key=lambda n: not TELLING.search(listed[n - 1][1]))
    if "Chosen already" not in said:
        return "[ORDER]: " + ", ".join(map(str, ranked))
    chosen = [int(n) for n in re.findall(r"\d+", said.rsplit("Chosen already: ", 1)[1])]
    return f"[NEXT]: {next(n for n in ranked if n not in chosen)}"


def choose(own, work, *more, server=None, run=mosaic):  # noqa: F811
    options, file = own
    call = [
        "names",
        "choose",
        file,
        *options,
        "--cache",
        "cache",
        "--candidates",
        "8",
        "-k",
        "3",
        "--narrow",
        "firing",
        *more,
    ]
    environment = {} if server is None else {URL: server.address, KEY: SECRET}
    return run(*call, "--explainer", "endpoint:m", cwd=work, **environment)


@pytest.mark.parametrize("way", ["score", "rank", "sequential"])
def test_latents_are_chosen_asked_once_and_probed(own, tmp_path, way):  # noqa: F811
    with ChatServer(knows) as server:
        run = process if way == "rank" else mosaic
        done = choose(own, tmp_path, "--way", way, "--yes", "--json", "c.json", server=server, run=run)
        assert done.returncode == 0, done.stderr
        n = len(server.calls)
        again = choose(own, tmp_path, "--way", way, server=server)
        assert again.returncode == 0, again.stderr
        assert f"{n} of {n} questions are answered in the cache" in again.stdout and len(server.calls) == n
    found = json.loads((tmp_path / "c.json").read_text())
    assert n == {"score": len({row for row in server.asked()}), "rank": 1, "sequential": 3}[way]
    assert found["way"] == way and found["k"] == 3 and len(found["chosen"]) == 3 and found["candidates"]["n"] == 8
    assert len({row["latent"] for row in found["chosen"]}) == 3
    assert [row["place"] for row in found["chosen"]] == [1, 2, 3]
    assert all((row["score"] is not None) == (way == "score") for row in found["chosen"])
    assert all(TELLING.search(row["description"]) for row in found["chosen"][:2])
    ways = [row["way"] for row in found["probes"]]
    assert [way for way in ways if "MiniLM" not in way] == [  # which a process of its own may have
        "the language model",
        "the same, descriptions of other latents",
        "nothing, at random",
        "mean difference on the labels",
        "mean difference, among all latents",
    ]
    said = " ".join(done.stdout.split())
    assert "candidates: 8 of" in said and f"no text of yours, to {server.address}" in said
    assert "On held-out texts, latents that the language model chose" in said
    asked = server.calls[0]["body"]["messages"][-1]["content"]
    assert asked.startswith("Task: tell which mood a text has. The classes are: down; up.")
    everything = files_of(tmp_path) + done.stdout + done.stderr + again.stdout
    assert SECRET not in everything and "anybody" not in everything


def test_no_text_and_no_label_of_one_is_sent(own, tmp_path):  # noqa: F811
    with ChatServer(knows) as server:
        assert choose(own, tmp_path, "--way", "rank", "--yes", server=server).returncode == 0
    texts = [line.split(",")[0] for line in own[1].read_text().splitlines()[1:]]
    assert not any(text in json.dumps(server.calls) for text in texts)


def test_kept_names_are_what_is_read(own, tmp_path):  # noqa: F811
    profile = load_profile(str(own[0][1]))
    encoder = naming.encoder_of(profile, naming.source_of(profile, None, None))
    named = {latent: (f"the name of {latent}", "gpt") for latent in range(encoder.n_latents)}
    naming.names_cache(tmp_path / "cache", encoder).keep(Fetched("tiny/1", "x", "checked", named))
    with ChatServer(lambda messages: "[ORDER]: 2, 2, 99, 5") as server:
        done = choose(own, tmp_path, "--way", "rank", "--yes", "--json", "c.json", server=server)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "c.json").read_text())
    assert all(row["description"].startswith("the name of ") for row in found["chosen"])
    assert found["answers"] == {"unread": 0, "missing": 6, "doubled": 1, "unknown": 1}
    for told in (
        "6 candidates were left out of the order",
        "1 numbers were said twice",
        "1 numbers are of no candidate",
    ):
        assert told in done.stdout


def test_candidates_by_similarity_say_what_that_does_to_the_controls(own, tmp_path, monkeypatch):  # noqa: F811
    from mosaic.studies import model_choice

    def similarities(problem, texts, label, encoder):
        return np.array([[float("happy" in text) for text in texts], [float("sad" in text) for text in texts]])

    monkeypatch.setattr(interpretation_scorers, "sentence_encoder", lambda device: object())
    monkeypatch.setattr(model_choice, "similarities", similarities)
    with ChatServer(knows) as server:
        done = choose(own, tmp_path, "--way", "rank", "--narrow", "similarity", "--yes", server=server)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "most like a class's name" in said and "The candidates were chosen by their descriptions already" in said
    assert "similarity to the classes' names (MiniLM)" in said and "happy" in server.asked()[0]


@pytest.mark.parametrize("way,n", [("score", None), ("rank", 1), ("sequential", 3)])
def test_what_cannot_be_read_is_counted_and_asked_again(own, tmp_path, way, n):  # noqa: F811
    with ChatServer(lambda messages: "\x1b[1mwell") as server:
        done = choose(own, tmp_path, "--way", way, "--yes", "--tries", "1", "--json", "c.json", server=server)
        assert done.returncode == 1 and "so that it chose nothing" in " ".join(done.stderr.split())
        assert "\x1b" not in done.stdout + done.stderr and not (tmp_path / "c.json").exists()
        assert n is None or n == len(server.calls)
        called, server.script = len(server.calls), [knows]
        done = choose(
            own, tmp_path, "--way", way, "--yes", "--tries", "1", "--again", "--json", "c.json", server=server
        )
        assert done.returncode == 0, done.stderr
        assert (
            json.loads((tmp_path / "c.json").read_text())["answers"]["unread"] == 0 and len(server.calls) == 2 * called
        )


def test_answers_of_which_some_cannot_be_read_are_counted(own, tmp_path):  # noqa: F811
    turns = iter(range(10**6))
    with ChatServer(lambda messages: knows(messages) if next(turns) else "well") as server:
        done = choose(own, tmp_path, "--way", "score", "--yes", "--tries", "1", "--json", "c.json", server=server)
    assert done.returncode == 0 and "answers could not be read" in done.stdout, done.stderr
    assert json.loads((tmp_path / "c.json").read_text())["answers"]["unread"] >= 1


def test_a_busy_server_is_waited_for_and_a_refusal_goes_on(own, tmp_path, monkeypatch):  # noqa: F811
    slept, made = [], Endpoint.from_environment
    monkeypatch.setattr(Endpoint, "from_environment", lambda model, **more: made(model, sleep=slept.append, **more))
    with ChatServer(knows, "busy", knows, "refuses", knows) as server:
        done = choose(own, tmp_path, "--way", "sequential", "--yes", server=server)
        assert done.returncode == 1 and f"{KEY} is not accepted" in done.stderr and slept == [7.0]
        done = choose(own, tmp_path, "--way", "sequential", "--yes", server=server)
        assert done.returncode == 0 and "2 of 3 questions are answered in the cache" in done.stdout, done.stderr
        assert len(server.calls) == 5


@pytest.mark.parametrize(
    "more,message",
    [
        (["--candidates", "3"], "3 latents are to be chosen among 3 candidates: a number from 1 to 2 was expected"),
        (["--narrow", "similarity"], "the sentence encoder that narrows the candidates down is not on this machine"),
        (["--label", "one"], "every row has the label 'same'"),
        (["--layer", "3"], "has no SAE of layer 3"),
    ],
)
def test_what_cannot_be_done_is_told(own, tmp_path, more, message):  # noqa: F811
    with ChatServer(knows) as server:
        done = choose(own, tmp_path, *more, "--yes", server=server)
    assert done.returncode == 1 and server.calls == [] and message in " ".join(done.stderr.split())


def test_nobody_to_ask_and_nobody_to_agree(own, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.delenv(URL, raising=False)
    done = choose(own, tmp_path)
    assert done.returncode == 1 and f"{URL} is not set" in done.stderr
    with ChatServer(knows) as server:
        done = choose(own, tmp_path, server=server)
        assert done.returncode == 1 and "Add --yes" in done.stderr and server.calls == []


def test_codes_for_classes_need_a_task(own, tmp_path):  # noqa: F811
    options, file = own
    coded = tmp_path / "coded.csv"
    coded.write_text(re.sub(r",(up|down),", lambda m: f",{int(m[1] == 'up')},", file.read_text()))
    with ChatServer(knows) as server:
        done = choose((options, coded), tmp_path, "--way", "rank", "--yes", server=server)
        assert done.returncode == 1 and "have codes for names, such as '0'" in done.stderr and server.calls == []
        done = choose((options, coded), tmp_path, "--way", "rank", "--yes", "--task", "good or bad mood", server=server)
        assert done.returncode == 0, done.stderr
    assert server.asked()[0].startswith("Task: good or bad mood. The classes are: 0; 1.")
