"""`mosaic names score` as users meet it: names judged by a server on this machine, kept, shown, and what is refused."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from chat_server import ChatServer
from commands import mosaic
from naming_profile import AT, PROFILE, SECRET, files_of

from mosaic.interpretation.endpoint import KEY, URL
from mosaic.interpretation.names import Fetched
from mosaic.studies import interpretation_scorers, naming
from mosaic.studies.name_scores import ToScore

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def two(observed):
    """Two latents that fire often enough to be judged by ten contexts."""
    from mosaic.interpretation.contexts import Windows, samples

    found = samples(Windows.of(observed.found), observed.found.codes[0], 10, per_decile=1)
    return [sample.latent for sample in found][:2]


def name_them(work, observed, latents, text="words about {}"):
    """Names as Neuronpedia's, which come from texts elsewhere."""
    named = {latent: (text.format(latent), "gpt") for latent in latents}
    naming.names_cache(work / "cache", observed.encoder).keep(Fetched("mini/3", "x", "checked", named))


def verdicts(messages) -> str:
    """One for the first text, zero for the others."""
    said = next(m["content"] for m in reversed(messages) if m["content"].startswith("Statement: "))
    n = len(re.findall(r"(?m)^Text \d+: ", said))
    return str([1] + [0] * (n - 1))


def score(work, latents, *more, server=None, run=mosaic):
    call = ["names", "score", "--latents", ",".join(map(str, latents)), "--contexts", "10", *AT, *more]
    environment = {} if server is None else {URL: server.address, KEY: SECRET}
    if server is not None:
        call += ["--explainer", "endpoint:m"]
    return run(*call, cwd=work, **environment)


def process(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "mosaic", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=200,
    )


def test_names_are_judged_once_kept_and_shown(work, observed, two):
    name_them(work, observed, two)
    with ChatServer(verdicts) as server:
        done = score(work, two, "--yes", "--json", "s.json", "--price-in", "1", server=server, run=process)
        assert done.returncode == 0, done.stderr
        said = " ".join(done.stdout.split())
        n = len(server.calls)
        assert f"m at 127.0.0.1:{server.server.server_port}: {n} calls, about" in said and "at these prices" in said
        assert f"texts of the profile's sets go to {server.address}" in said
        assert "detection: median 0." in said and "fuzzing: median 0." in said and "chance is 0.5" in said
        again = score(work, two, server=server)
        assert again.returncode == 0, again.stderr
        assert f"{n} of {n} questions are answered in the cache" in again.stdout and len(server.calls) == n
    rows = json.loads((work / "s.json").read_text())
    assert [row["latent"] for row in rows] == two and {row["sentence"] for row in rows} == {
        f"words about {j}" for j in two
    }
    for row in rows:
        assert set(row["scores"]) == set(row["another"]) == {"detection", "fuzzing"} and row["unread"] == 0
        assert all(0 <= value <= 1 for value in [*row["scores"].values(), *row["another"].values()])
        assert len(row["deciles"]["detection"]) == 10 and row["contexts"] >= 30
    shown = mosaic("names", "show", "--latents", ",".join(map(str, two)), *AT, "--json", "n.json", cwd=work)
    assert shown.returncode == 0, shown.stderr
    kept = json.loads((work / "n.json").read_text())
    assert [one["scores"][0]["scores"] for one in kept] == [row["scores"] for row in rows]
    assert "detection 0." in " ".join(shown.stdout.split())
    everything = files_of(work) + "".join(d.stdout + d.stderr for d in (done, again, shown))
    assert SECRET not in everything and "anybody" not in everything


def test_answers_that_cannot_be_read_are_counted_and_asked_again(work, observed, two):
    name_them(work, observed, two)
    turns = iter(range(10**6))

    def half(messages):
        return verdicts(messages) if next(turns) % 2 else "\x1b[31mno idea"

    with ChatServer(half) as server:
        done = score(work, two, "--yes", "--tries", "1", "--json", "s.json", server=server)
        assert done.returncode == 0, done.stderr
        n = len(server.calls)
        assert "verdicts could not be read and are left out; --again asks once more" in " ".join(done.stdout.split())
        assert "\x1b" not in done.stdout and len(json.loads((work / "s.json").read_text())) == 2
        server.script = [verdicts]
        assert score(work, two, "--yes", "--tries", "1", "--again", server=server).returncode == 0
        assert len(server.calls) == n + (n + 1) // 2, "what was read is not asked for again"


def test_where_no_answer_can_be_read_no_name_is_scored(work, observed, two):
    name_them(work, observed, two)
    with ChatServer(lambda messages: "no idea") as server:
        done = score(work, two, "--yes", "--tries", "1", "--json", "s.json", server=server)
    assert done.returncode == 1 and "none of the verdicts of m at" in " ".join(done.stderr.split())
    assert not (work / "s.json").exists() and not list((work / "cache").rglob("*scores*.jsonl"))


def test_a_refusal_ends_it_and_the_same_command_goes_on(work, observed, two):
    name_them(work, observed, two)
    with ChatServer(verdicts, verdicts, "refuses", verdicts) as server:
        done = score(work, two, "--yes", server=server)
        assert done.returncode == 1 and f"{KEY} is not accepted" in done.stderr and SECRET not in done.stderr
        done = score(work, two, "--yes", server=server)
        assert done.returncode == 0 and "2 of " in done.stdout, done.stderr
        asked = [json.dumps(call["body"]) for call in server.calls]
        assert len(asked) - 1 == len(set(asked))


def test_nothing_is_asked_before_somebody_agrees(work, observed, two):
    name_them(work, observed, two)
    with ChatServer(verdicts) as server:
        done = score(work, two, server=server)
        assert done.returncode == 1 and "nobody is there to agree to these calls. Add --yes." in done.stderr
        assert server.calls == []


def test_by_embedding_no_language_model_is_asked(work, observed, two, monkeypatch):
    name_them(work, observed, two)
    done = score(work, two, "--by", "embedding", "--json", "s.json")
    if "is not on this machine" in done.stderr:
        pytest.skip("MiniLM is not on this machine")
    assert done.returncode == 0, done.stderr
    rows = json.loads((work / "s.json").read_text())
    assert all(0 <= row["scores"]["embedding"] <= 1 and "embedding" in row["another"] for row in rows)
    assert rows[0]["judge"] == "all-MiniLM-L6-v2" and "embedding: median 0." in done.stdout
    monkeypatch.setattr(interpretation_scorers, "sentence_encoder", lambda device: None)
    done = score(work, two, "--by", "embedding")
    assert done.returncode == 1 and "the sentence encoder that reads names is not on this machine" in done.stderr


def test_one_name_alone_stands_without_another(work, observed, two):
    name_them(work, observed, two[:1])
    with ChatServer(verdicts) as server:
        done = score(work, two[:1], "--yes", server=server)
    assert done.returncode == 0 and "1 of 1 names stand without the score of another's" in done.stdout, done.stderr


def test_an_explainers_names_are_scored_on_texts_it_was_not_shown(work, observed, two):
    """Asked and scored by the same commands; no text that was shown is judged."""
    latents = ",".join(map(str, two))
    with ChatServer(lambda messages: "[EXPLANATION]: x") as server:
        call = ["names", "explain", "--explainer", "endpoint:m", "--latents", latents, "--yes", *AT]
        assert mosaic(*call, cwd=work, **{URL: server.address}).returncode == 0
    names = naming.names_cache(work / "cache", observed.encoder).names()
    assert {name.texts for name in names.values()} == {observed.key}
    to_score = ToScore.of(observed, names, two, 10)
    judged = {int(observed.found.text[to_score.windows.bounds[w]]) for s in to_score.sampled for w in s.active}
    assert judged and all(text % 2 for text in judged)
    (work / "q.yml").write_text(PROFILE.replace("max_train: 150", "max_train: 140"))
    with ChatServer(verdicts) as server:
        done = score(work, two, "--yes", "--profile", "q.yml", server=server)
    assert done.returncode == 1 and "come from other texts than this profile's now" in done.stderr


@pytest.mark.parametrize(
    "more,message",
    [
        ([], "nobody is named to judge. Add --explainer MODEL, or --by embedding"),
        (
            ["--by", "embedding", "--explainer", "endpoint:m"],
            "--by embedding asks no language model, and --explainer is",
        ),
        (
            ["--by", "embedding"],
            "none of these 1 latents has a name in cache/names. Ask for some (mosaic names explain)",
        ),
        (["--explainer", "endpoint:m"], "none of these 1 latents has a name"),
    ],
)
def test_what_cannot_be_scored_is_told(work, more, message):
    done = score(work, [0], *more)
    assert done.returncode == 1 and message in " ".join(done.stderr.split())


def test_what_is_wrong_with_contexts_and_addresses_is_told(work, observed, two, monkeypatch):
    name_them(work, observed, two)
    monkeypatch.delenv(URL, raising=False)
    done = score(work, two, "--explainer", "endpoint:m")
    assert done.returncode == 1 and f"{URL} is not set" in done.stderr
    for contexts, message in (
        ("15", "a multiple of 10 was expected"),
        ("1000", "no name can be scored: 2 latents fire"),
    ):
        call = [
            "names",
            "score",
            "--latents",
            ",".join(map(str, two)),
            "--by",
            "embedding",
            "--contexts",
            contexts,
            *AT,
        ]
        done = mosaic(*call, cwd=work)
        assert done.returncode == 1 and message in " ".join(done.stderr.split())
