"""`mosaic label-behaviour` as users meet it: the table, what resumes, what is refused."""

import csv
import json
import os
import subprocess
import sys
import time

import pytest
import torch
from commands import mosaic
from conftest import _config, _tokenizer, sentences

from mosaic.cli import labelling
from mosaic.models import choices
from mosaic.models.causal import open_causal
from mosaic.models.language import ModelSpec
from mosaic.studies import behaviour_labels
from mosaic.texts.own_files import read_file

COLUMNS = ["row", "text", "answer", "log_p(cat)", "log_p(dog)", "log_p(sun)", "predicted", "confidence", "correct"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("own") / "model"
    torch.manual_seed(1)
    made = AutoModelForCausalLM.from_config(_config("llama"))
    for parameter in made.parameters():
        parameter.data.mul_(4)
    made.save_pretrained(folder)
    _tokenizer("llama").save_pretrained(folder)
    return folder


@pytest.fixture
def work(tmp_path):
    """Questions of every length; some would be formulas to a spreadsheet, some have two lines."""
    texts = ["=1+1 the cat", 'the cat\nsat on, "the" mat', *sentences(150, seed=2)]
    with open(tmp_path / "q.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [("prompt", "key"), *((t, ["cat", "dog", "sun"][i % 3]) for i, t in enumerate(texts))]
        )
    return tmp_path


def call(model, *more):
    return ["label-behaviour", "q.csv", "--model", model, "--choices", "cat, dog,sun", "--answer-column", "key", *more]


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_table_says_what_one_choice_at_a_time_says(model, work):
    done = mosaic(*call(model, "--out", "labels.csv"), cwd=work)
    assert done.returncode == 0, done.stderr
    assert "texts are read from column 'prompt'" in done.stderr
    rows, asked = read(work / "labels.csv"), read(work / "q.csv")
    assert list(rows[0]) == COLUMNS and [row["text"] for row in rows] == [row["prompt"] for row in asked]
    assert [row["answer"] for row in rows] == [row["key"] for row in asked]
    lm = open_causal(ModelSpec(str(model)))
    for i in (0, 1, 7, 80, 151):
        row, words = rows[i], ("cat", "dog", "sun")
        ids = lm.tokenizer(f"{row['text']} cat")["input_ids"][:-1]
        with torch.no_grad():
            log_p = torch.log_softmax(lm.model(input_ids=torch.tensor([ids])).logits[0, -1].double(), 0)
        wanted = torch.stack([log_p[lm.tokenizer.convert_tokens_to_ids(word)] for word in words])
        assert [float(row[f"log_p({word})"]) for word in words] == pytest.approx(wanted.tolist(), abs=1e-4)
        assert row["predicted"] == words[int(wanted.argmax())] and row["row"] == str(i)
        assert float(row["confidence"]) == pytest.approx(float(torch.softmax(wanted, 0).max()), abs=1e-4)
        assert row["correct"] == ("correct" if row["predicted"] == row["answer"] else "incorrect")
    right = sum(row["correct"] == "correct" for row in rows)
    shown = " ".join(done.stdout.split())
    assert f"{right} of 152 are answered right" in shown and "132 more questions in labels.csv" in shown
    assert "mosaic probe labels.csv --label correct" in shown


def test_the_batch_changes_no_number_beyond_rounding(model, work):
    for batch in ("1", "16", "200"):
        done = mosaic(*call(model, "--batch-size", batch, "--out", f"{batch}.csv"), cwd=work)
        assert done.returncode == 0, done.stderr
    first = read(work / "1.csv")
    for batch in ("16", "200"):
        for a, b in zip(first, read(work / f"{batch}.csv"), strict=True):
            assert a["predicted"] == b["predicted"]
            for name in COLUMNS[3:6]:
                assert float(a[name]) == pytest.approx(float(b[name]), abs=1e-4)


SLOWLY = """
import sys, time
from mosaic import cli
from mosaic.models import choices
fast = choices.score
def slow(*arguments):
    found = fast(*arguments)
    time.sleep(0.7)
    return found
choices.score = slow
cli.main()
"""


def test_it_goes_on_after_a_kill_to_the_same_bytes(model, work):
    (work / "slowly.py").write_text(SLOWLY)
    command = [sys.executable, "slowly.py", *map(str, call(model, "--out", "killed.csv", "--cache", "cache"))]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(map(str, sys.path))}
    process = subprocess.Popen(command, cwd=work, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    kept = work / "cache" / behaviour_labels.FOLDER
    while process.poll() is None and not (kept.is_dir() and list(kept.glob("*.json"))):
        time.sleep(0.01)
    process.kill()
    process.wait()
    first = {path: path.stat().st_mtime_ns for path in kept.glob("*.json")}
    assert 0 < len(first) < 3 and not (work / "killed.csv").exists(), "killed too late to show anything"
    command = [sys.executable, "-m", "mosaic", *command[2:]]
    done = subprocess.run(command, cwd=work, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert len(list(kept.glob("*.json"))) == 3 and all(path.stat().st_mtime_ns == t for path, t in first.items())
    # In one pass, with as many threads: another number of them moves last digits.
    whole = [sys.executable, "-m", "mosaic", *map(str, call(model, "--out", "whole.csv", "--cache", "other"))]
    assert subprocess.run(whole, cwd=work, env=env, capture_output=True, timeout=300).returncode == 0
    assert (work / "killed.csv").read_bytes() == (work / "whole.csv").read_bytes()


def test_kept_parts_are_of_one_question_list_model_and_batch_and_a_damaged_one_is_made_again(model, work, monkeypatch):
    scored = []
    fast = choices.score
    monkeypatch.setattr(choices, "score", lambda *a: scored.append(len(a[1])) or fast(*a))

    def run(*more):
        scored.clear()
        done = mosaic(*call(model, "--out", "o.csv", "--cache", "cache", *more), cwd=work)
        assert done.returncode == 0, done.stderr
        return sum(scored), done

    assert run()[0] == 152 and run()[0] == 0
    whole = (work / "o.csv").read_bytes()
    path = next((work / "cache" / behaviour_labels.FOLDER).glob("*.json"))
    path.write_text(path.read_text()[:-9])
    n, done = run()
    assert n in (24, 64) and "is damaged" in done.stderr and (work / "o.csv").read_bytes() == whole
    assert run("--batch-size", "4")[0] == 152
    with open(work / "q.csv", "a", encoding="utf-8") as file:
        file.write("the dog sat,dog\n")
    assert run()[0] == 25  # the last part alone is another one
    assert len(read(work / "o.csv")) == 153


def test_every_wrong_call_is_said_before_a_model_is_opened(model, work, monkeypatch):
    monkeypatch.setattr("mosaic.models.causal.open_causal", lambda *_: pytest.fail("the model was opened"))
    (work / "bad.csv").write_text("text,key\na?,cat\nb?,cow\n")
    own = ["--model", model, "--answer-column", "key"]
    for arguments, message in [
        (["q.csv", *own, "--out", "o.csv"], "give either --choices A,B,C,D"),
        (["q.csv", *own, "--choices", "cat,,dog", "--out", "o.csv"], "--choices: choice 2 of 3 is empty"),
        (["q.csv", *own, "--choices-column", "options", "--out", "o.csv"], "no column 'options'"),
        (["q.csv", *own, "--choices", "cat,dog", "--text", "text", "--out", "o.csv"], "no column 'text'"),
        (["bad.csv", *own, "--choices", "cat,dog", "--out", "o.csv"], "bad.csv, line 3: the answer 'cow' is not among"),
        (["q.csv", *own, "--choices", "cat,dog", "--out", "q.csv"], "q.csv is read by this very command"),
        (
            ["q.csv", *own, "--choices", "cat,dog", "--out", "o.json"],
            "a .csv file is written. Let its name end in .csv",
        ),
        (["q.csv", *own, "--choices", "cat,dog", "--out", "o.csv", "--device", "gpu"], "device 'gpu' is not here"),
    ]:
        done = mosaic("label-behaviour", *arguments, cwd=work)
        assert done.returncode == 1 and message in " ".join(done.stderr.split()), done.stderr
        assert not (work / "o.csv").exists()
    assert mosaic("label-behaviour", "q.csv", "--out", "o.csv").returncode == 2


def test_a_question_longer_than_the_model_reads_is_named(tmp_path):
    from transformers import AutoModelForCausalLM

    AutoModelForCausalLM.from_config(_config("gpt2")).save_pretrained(tmp_path / "gpt2")
    _tokenizer("gpt2").save_pretrained(tmp_path / "gpt2")
    (tmp_path / "q.csv").write_text(f"text,key\na cat,cat\n{'the ' * 70},dog\n")
    done = mosaic(*call("gpt2", "--out", "o.csv"), cwd=tmp_path)
    assert done.returncode == 1
    assert "q.csv, line 3: question and choice are 71 tokens, and gpt2 reads 64. Shorten" in " ".join(
        done.stderr.split()
    )


def test_a_tokenizer_of_more_tokens_than_the_model_has_is_named(work):
    from transformers import AutoModelForCausalLM

    config = _config("llama")
    config.vocab_size = 5
    AutoModelForCausalLM.from_config(config).save_pretrained(work / "small")
    _tokenizer("llama").save_pretrained(work / "small")
    done = mosaic(*call("small", "--out", "o.csv"), cwd=work)
    said = " ".join(done.stderr.split())
    assert done.returncode == 1 and "q.csv, line 2: " in said, said
    assert "of the tokenizer of small, whose model has 5. Save the model with its own tokenizer" in said


def test_rows_of_their_own_choices_and_hostile_names(model, tmp_path):
    (tmp_path / "q.csv").write_text("text,options,key\nthe cat,cat|dog|sun,sun\nthe \x1b[2J dog,cat|dog,cat\n")
    arguments = ["--model", model, "--choices-column", "options", "--answer-column", "key", "--out", "o.csv"]
    done = mosaic("label-behaviour", "q.csv", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    rows = read(tmp_path / "o.csv")
    assert list(rows[0])[3:6] == ["log_p(1)", "log_p(2)", "log_p(3)"] and rows[1]["log_p(3)"] == ""
    assert rows[1]["text"] == "the \x1b[2J dog"


def test_a_carriage_return_in_a_text_ends_no_row(model, tmp_path):
    texts = ["the\rcat", "the\r\ncat", 'the "cat"\n', "the cat\r", "a\x00 cat", "\u2028the cat"]
    lines = [json.dumps({"text": text, "o": ["cat\r", "dog"], "key": "dog"}) for text in texts]
    (tmp_path / "q.jsonl").write_text("\n".join(lines))
    arguments = ["--model", model, "--choices-column", "o", "--answer-column", "key", "--out", "o.csv"]
    assert mosaic("label-behaviour", "q.jsonl", *arguments, cwd=tmp_path).returncode == 0
    assert read_file(tmp_path / "o.csv", label="correct").texts == texts
    assert list(read(tmp_path / "o.csv")[0])[3] == "log_p(cat\r)"


def test_the_default_batch_is_the_scorers():
    import inspect

    assert inspect.signature(labelling.label_behaviour).parameters["batch"].default == choices.BATCH
