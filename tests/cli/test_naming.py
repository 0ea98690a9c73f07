"""`mosaic names` as users meet it: against a server on this machine, a model of ours, and made-up exports."""

import gzip
import io
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from chat_server import SAID, ChatServer
from commands import mosaic
from naming_profile import AT, PROFILE, SECRET, files_of

from mosaic.interpretation.endpoint import KEY, URL
from mosaic.interpretation.names import NamesCache, any_kept
from mosaic.profiles.profile import load_profile
from mosaic.studies import naming

ID = "mini/3-ours"


@pytest.fixture(scope="module")
def four(observed):
    """Four latents that fire often enough to be shown, as an option names them."""
    return [shown.latent for shown in observed.shown(None)][:4]


def explain(server, latents, work, *more, **environment):
    call = ["names", "explain", "--explainer", "endpoint:m", "--latents", ",".join(map(str, latents)), *AT, *more]
    return mosaic(*call, cwd=work, **{URL: server.address, KEY: SECRET, **environment})


def test_names_are_asked_for_once_shown_and_never_hold_the_key(work, four, observed):
    with ChatServer(*["echoes"] * 2, SAID) as server:
        done = explain(server, four, work, "--yes", "--price-in", "1000", "--price-out", "0")
        assert done.returncode == 0, done.stderr
        said = " ".join(done.stdout.split())
        assert f"m at 127.0.0.1:{server.server.server_port}: 4 calls, about" in said
        most = int(said.split("at most ")[1].split(" ")[0].replace(",", ""))
        tokens = int(said.split("about ")[1].split(" ")[0].replace(",", ""))
        assert f"at these prices for a million tokens: about {tokens / 1000:,.3f}, at most {most / 1000:,.3f}" in said
        assert most > 3 * tokens and f"goes to {server.address}" in said
        assert "4 latents have a name by m at" in said and len(server.calls) == 4
        again = explain(server, four, work)
        assert again.returncode == 0 and "4 of 4 are answered in the cache" in again.stdout and len(server.calls) == 4
    shown = mosaic("names", "show", "--latents", ",".join(map(str, four)), *AT, "--json", "n.json", cwd=work)
    assert shown.returncode == 0, shown.stderr
    rows = json.loads((work / "n.json").read_text())
    assert [row["latent"] for row in rows] == [f"layer_3/width_1k/{latent}" for latent in four]
    assert [row["name"] for row in rows] == ["the header is Bearer [key]"] * 2 + ["words about cats"] * 2
    assert {row["source"] for row in rows} == {f"m at 127.0.0.1:{server.server.server_port}"}
    ours = observed.ours(four)
    assert [(row["fires"], row["fires_score"]) for row in rows] == [ours.get(latent, (None, None)) for latent in four]
    assert "4 of 4 latents have a name" in shown.stdout
    everything = files_of(work) + "".join(d.stdout + d.stderr for d in (done, again, shown))
    assert SECRET not in everything and "anybody" not in everything
    user = server.asked()[0]
    assert user.startswith("Example 1: ") and "<<" in user and "\nActivations: (" in user


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self):
        return True


def test_nothing_is_asked_before_somebody_agrees(work, four, monkeypatch):
    with ChatServer() as server:
        done = explain(server, four, work)
        assert done.returncode == 1 and "nobody is there to agree to these calls. Add --yes." in done.stderr
        assert "4 calls, about" in done.stdout and server.calls == []
        for answer, calls in (("n\n", 0), ("y\n", 4)):
            monkeypatch.setattr(sys, "stdin", Terminal(answer))
            done = explain(server, four, work)
            assert len(server.calls) == calls and done.returncode == (0 if calls else 1)


def test_what_cannot_be_read_is_recorded_and_the_rest_falls_back_to_ours(work, four, observed):
    with ChatServer("\x1b[31mno idea") as server:
        done = explain(server, four[:1], work, "--yes", "--tries", "2")
    assert done.returncode == 0 and len(server.calls) == 2
    assert "1 have none" in done.stdout and "--again asks once more" in done.stdout and "\x1b" not in done.stdout
    described = next(iter(observed.ours(None)))
    shown = mosaic("names", "show", "--latents", f"{four[0]},{described}", *AT, "--json", "n.json", cwd=work)
    assert shown.returncode == 0
    row = json.loads((work / "n.json").read_text())[-1]
    assert row["name"] == row["fires"] is not None and row["source"] == "counted tokens"


def test_names_hold_nothing_that_steers_a_terminal(work, four):
    with ChatServer("[EXPLANATION]: \x1b]0;owned\x07 \u202e <b>bold</b> [red]x") as server:
        assert explain(server, four[:1], work, "--yes").returncode == 0
    shown = mosaic("names", "show", "--latents", four[0], *AT, cwd=work)
    assert "\x1b" not in shown.stdout and "\u202e" not in shown.stdout and "owned" in shown.stdout


def test_a_model_of_ours_is_asked_through_the_same_command(work, four):
    """mini-large-it reads 256 tokens: too few for delphi's prompt, and that is said before any answer."""
    call = ["names", "explain", "--explainer", "weights/mini/mini-large-it", "--latents", four[0], "--yes", *AT]
    done = mosaic(*call, cwd=work)
    assert done.returncode == 1 and "reads 256 tokens" in done.stderr and "Show fewer (--examples)" in done.stderr


def test_a_chat_model_on_this_machine_says_its_nonsense_once(work, four, tmp_path_factory):
    import torch
    from conftest import _config, _tokenizer
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("own") / "chat"
    torch.manual_seed(1)
    AutoModelForCausalLM.from_config(_config("llama")).save_pretrained(folder)
    _tokenizer("llama").save_pretrained(folder)
    more = ["--yes", "--examples", "2", "--answer-tokens", "8", "--tries", "1"]
    call = ["names", "explain", "--explainer", folder, "--latents", four[0], *more, *AT]
    done = mosaic(*call, cwd=work)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "1 calls, about" in said and "1 have none" in said and "the answer has no line [EXPLANATION]" in said
    assert "1 of 1 are answered in the cache" in mosaic(*call, cwd=work).stdout


SLOWLY = """
import time
from mosaic import cli
from mosaic.interpretation import asking
fast = asking.explain
def slow(*arguments):
    time.sleep(0.4)
    return fast(*arguments)
asking.explain = slow
cli.main()
"""


def command(work, server, latents) -> dict:
    (work / "slowly.py").write_text(SLOWLY)
    names = ["names", "explain", "--explainer", "endpoint:m", "--yes", "--latents", ",".join(map(str, latents)), *AT]
    path = os.pathsep.join(map(str, sys.path))
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path, URL: server.address, KEY: SECRET}
    return {"args": [sys.executable, "slowly.py", *names], "cwd": work, "env": env}


def test_it_goes_on_after_a_kill_and_asks_for_what_is_missing_alone(work, four, observed):
    with ChatServer() as server:
        call = command(work, server, four)
        process = subprocess.Popen(**call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        kept = work / "cache" / "names" / f"{observed.encoder.weights_hash}.answers.jsonl"
        while process.poll() is None and not (kept.is_file() and kept.read_bytes().count(b"\n") >= 2):
            time.sleep(0.01)
        process.kill()
        process.wait()
        before = len(NamesCache(kept.parent, observed.encoder).answers())
        assert 2 <= before < 4, "killed too late to show anything"
        called = len(server.calls)
        done = subprocess.run(**call, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
        assert f"{before} of 4 are answered in the cache" in done.stdout
        assert len(server.calls) - called == 4 - before
    assert set(NamesCache(kept.parent, observed.encoder).names()) == set(four)


def test_two_processes_on_one_cache_ask_each_question_once(work, four, observed):
    with ChatServer() as server:
        call = command(work, server, four)
        both = [subprocess.Popen(**call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        for process in both:
            out, err = process.communicate(timeout=200)
            assert process.returncode == 0 and "4 latents have a name" in out, err
            assert SECRET not in out + err
        assert len(server.calls) == 4
    assert len(NamesCache(work / "cache" / "names", observed.encoder).answers()) == 4


def write_export(work, names, shares=None, layer="3-ours", name="3-ours"):
    for kind, rows in (
        (
            "explanations",
            [{"index": str(i), "description": text, "explanationModelName": "gpt"} for i, text in names.items()],
        ),
        ("features", [{"index": str(i), "frac_nonzero": share} for i, share in (shares or {}).items()]),
    ):
        if rows:
            folder = work / name / kind
            folder.mkdir(parents=True, exist_ok=True)
            lines = "".join(json.dumps({"modelId": "mini", "layer": layer, **row}) + "\n" for row in rows)
            (folder / "batch-0.jsonl.gz").write_bytes(gzip.compress(lines.encode()))


def fetch(work, *more):
    return mosaic("names", "fetch", "3-ours", *AT, "--source", ID, *more, cwd=work)


def test_an_export_is_kept_and_shown_and_said_not_to_be_checked_where_it_cannot_be(work, observed):
    described = next(iter(observed.ours(None)))
    write_export(work, {described: "theirs", 1023: "last"})
    done = fetch(work)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert f"{ID}: 2 of 1,024 latents have an explanation" in said and "the index was not checked" in said
    shown = mosaic("names", "show", "--latents", f"{described},1023", *AT, "--json", "n.json", cwd=work)
    assert shown.returncode == 0, shown.stderr
    rows = json.loads((work / "n.json").read_text())
    assert [row["name"] for row in rows] == ["theirs", "last"] and rows[0]["fires"]
    assert {row["source"] for row in rows} == {"Neuronpedia, gpt (3-ours)"}


def test_kept_names_are_shown_where_the_texts_cannot_be_had(work):
    write_export(work, {5: "theirs"})
    assert fetch(work).returncode == 0
    (work / "q.yml").write_text(PROFILE.replace("datasets: [mini/intent]", "datasets: []"))
    without = ["--profile", "q.yml", "--cache", "cache"]
    done = mosaic("names", "show", "--latents", "4,5", *without, cwd=work)
    assert done.returncode == 0, done.stderr
    assert "our own descriptions are left out: profile q names no data sets" in " ".join(done.stdout.split())
    assert "theirs" in done.stdout
    alone = mosaic("names", "show", "--latents", "4", *without, cwd=work)
    assert alone.returncode == 1 and "names no data sets" in alone.stderr


def test_how_often_latents_fire_decides_whether_an_export_is_taken(work, observed):
    frequency = observed.frequency
    noise = np.exp(np.random.default_rng(0).normal(0, 0.5, len(frequency)))
    right = np.minimum(frequency * noise, 1.0)
    write_export(work, {0: "zero"}, dict(enumerate(np.roll(right, 1).tolist())))
    refused = fetch(work)
    assert refused.returncode == 1 and "counts its latents otherwise than this SAE" in refused.stderr
    assert not any_kept(work / "cache")
    write_export(work, {0: "zero"}, dict(enumerate(right.tolist())))
    done = fetch(work)
    assert done.returncode == 0, done.stderr
    assert "agrees (rho 0." in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    "more,message",
    [
        (["--source", "mini"], "--source is 'mini'; MODEL/SOURCE was expected"),
        (["--source", "mini/4-ours"], "is of layer '3-ours', but this SAE is mini/4-ours"),
        (["--source", "gpt2/3-ours"], "is of modelId 'mini', but this SAE is gpt2/3-ours"),
        (["--layer", "4"], "has no SAE of layer 4"),
    ],
)
def test_another_model_or_source_is_refused(work, more, message):
    write_export(work, {0: "zero"})
    done = fetch(work, *more)
    assert done.returncode == 1 and message in " ".join(done.stderr.split())
    assert not (work / "cache" / "names").exists()


def test_an_sae_that_neuronpedia_may_not_have_needs_its_id(work):
    write_export(work, {0: "zero"})
    done = mosaic("names", "fetch", "3-ours", *AT, cwd=work)
    assert done.returncode == 1 and "Give it: --source MODEL/SOURCE" in done.stderr


@pytest.mark.parametrize(
    "latents,message",
    [
        ("5-2", "a range begins with its smaller number: 2-5"),
        ("1024", "are numbered 0 to 1,023"),
        ("a", "numbers and ranges"),
        (",", "is empty"),
        ("1-2-3", "numbers and"),
    ],
)
def test_latents_that_are_not_there_are_told(work, latents, message):
    done = mosaic("names", "show", "--latents", latents, *AT, cwd=work)
    assert done.returncode == 1 and message in " ".join(done.stderr.split())


def test_an_endpoint_without_an_address_is_told_before_anything_is_read(work, monkeypatch):
    monkeypatch.delenv(URL, raising=False)
    done = mosaic("names", "explain", "--explainer", "endpoint:m", *AT, cwd=work)
    assert done.returncode == 1 and f"{URL} is not set" in done.stderr and "reading" not in done.stderr


def test_names_in_the_cache_come_first_wherever_latents_are_named(work, observed):
    from dataclasses import replace

    from mosaic.interpretation.names import Fetched
    from mosaic.studies.problems import latent_names

    profile = load_profile(str(work / "p.yml"))
    assert latent_names(profile, observed.lm, work / "cache") == {}
    tracked = latent_names(replace(profile, truth=True), observed.lm, work / "cache")
    n = observed.encoder.n_latents
    first = next(latent for latent in range(n) if f"layer_3/width_1k/{latent}" in tracked)
    named = {latent: (f"the name of {latent}", "gpt") for latent in range(n) if latent != first}
    naming.names_cache(work / "cache", observed.encoder).keep(Fetched(ID, "x", "not checked", named))
    kept = {f"layer_3/width_1k/{latent}": text for latent, (text, _) in named.items()}
    assert latent_names(profile, observed.lm, work / "cache") == kept
    assert latent_names(replace(profile, truth=True), observed.lm, work / "cache") == {**tracked, **kept}
    texts = [text.replace(",", " ").replace('"', "") for text in dict.fromkeys(observed.texts)]
    for name, part in (("a.csv", texts[:40]), ("b.csv", [f"{text} not not" for text in texts[40:80]])):
        (work / name).write_text("text,label\n" + "\n".join(f"{text},{i % 2}" for i, text in enumerate(part)) + "\n")
    for call in (["probe", "a.csv"], ["diff", "a.csv", "b.csv"]):
        done = mosaic(*call, *AT, cwd=work)
        assert done.returncode == 0, done.stderr
        assert "the name of " in done.stdout, call
