"""`mosaic bench` as users meet it: what is skipped, what is answered, what is kept, what is refused."""

import csv
import json
import os
import subprocess
import sys
import time

import pytest
from commands import mosaic
from conftest import sae_folder

from mosaic.errors import MosaicError
from mosaic.studies import bench_run

ANSWERS = ("bench.json", "bench.csv", "bench.svg", "bench.png")


@pytest.fixture(scope="module")
def own_profile(model_folder, tmp_path_factory):
    root = tmp_path_factory.mktemp("own")
    path = root / "own.yml"
    path.write_text(
        f"""
title: tiny
model: {{id: {model_folder("llama")}, max_length: 48}}
shape: {{n_layers: 4, d_model: 64, parameters: 30000, embedding: 4096}}
saes: [{{layer: 2, width: "128", path: {sae_folder(root, "jumprelu", d_sae=128)}}}]
middle: 2
width: "128"
poolings: [max]
datasets: []
"""
    )
    return path


def good(n=70, header="text,label", no="0", yes="1") -> str:
    rows = [f"the {'good happy' if i % 2 else 'bad sad'} film {i % 7} it {i},{yes if i % 2 else no}" for i in range(n)]
    return "\n".join([header, *rows])


@pytest.fixture
def folder(tmp_path):
    """Two sets that can be used, under names and labels that mean mischief, and three that cannot."""
    root = tmp_path / "sets"
    root.mkdir()
    (root / "a $\\frac{[red].csv").write_text(good(yes="\x1b[31mred[/]"))
    (root / "=b\nc.csv").write_text(good(60, header="prompt,target"))
    (root / "broken.csv").write_text('text,label\n"x,y\n')
    (root / "latin.csv").write_bytes(b"text,label\ncaf\xe9,b\n")
    (root / "one_class.csv").write_text(good(20, yes="0"))
    return root


def lines(done, word: str) -> list[str]:
    return [line for line in done.stderr.splitlines() if word in line]


def test_what_cannot_be_used_is_said_in_a_line_and_the_rest_is_answered(folder, own_profile, tmp_path):
    call = ["bench", folder, "--profile", own_profile, "--cache", tmp_path / "cache", "--out"]
    done = mosaic(*call, "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    skipped = lines(done, "is skipped")
    assert len(skipped) == 3
    for line, (name, why) in zip(
        skipped,
        [
            ("broken.csv", "Is every quote closed"),
            ("latin.csv", "byte 0xe9 is not UTF-8"),
            ("one_class.csv", "every row"),
        ],
        strict=True,
    ):
        assert f"{name} is skipped: " in line and why in line
    assert len(lines(done, "read from column 'prompt', labels from 'target'")) == 1
    assert [line.split(":")[0] for line in lines(done, "set ")] == [
        "set 1 of 2, =b c.csv",
        "set 2 of 2, a $\\frac{[red].csv",
    ]
    assert "\x1b" not in done.stdout + done.stderr and "[red]" in done.stdout
    assert "3 of 5 sets were skipped" in done.stdout and "Answer: On average over 2 sets" in done.stdout
    assert "Holm's correction over 2 sets" in " ".join(done.stdout.split())

    found = json.loads((tmp_path / "out" / "bench.json").read_text(encoding="utf-8"))
    assert list(found["sets"]) == ["=b\nc.csv", "a $\\frac{[red].csv"] and list(found["skipped"]) == [
        "broken.csv", "latin.csv", "one_class.csv",
    ]  # fmt: skip
    for one in found["sets"].values():
        assert list(one["families"]) == ["sae", "hidden", "tfidf", "majority"]
        assert list(one["sae_minus"]) == ["hidden", "tfidf", "majority"]
        assert {"difference", "interval", "p", "p_holm", "verdict"} == set(one["sae_minus"]["hidden"])
    assert set(found["mean_rank"]) == {"sae", "hidden", "tfidf", "majority"}
    majority = found["sae_minus"]["majority"]
    assert majority["wins"] + majority["ties"] + majority["losses"] == 2
    with open(tmp_path / "out" / "bench.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["set"] for row in rows] == list(found["sets"])
    assert float(rows[0]["sae_macro_f1"]) == found["sets"]["=b\nc.csv"]["families"]["sae"]["macro_f1"]

    for again in ("out", "anew"):  # what is kept, and what is measured again
        assert mosaic(*call, again, cwd=tmp_path).returncode == 0
    for name in ANSWERS:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "anew" / name).read_bytes(), name


def test_it_goes_on_after_a_kill_and_ends_with_the_same_bytes(own_profile, tmp_path):
    sets = tmp_path / "sets"
    sets.mkdir()
    for i in range(3):
        (sets / f"{i}.csv").write_text(good(50 + 10 * i))
    call = ["bench", "sets", "--profile", own_profile]
    command = [sys.executable, "-m", "mosaic", *map(str, call), "--out", "killed", "--cache", "cache"]
    shared = {"cwd": tmp_path, "env": {**os.environ, "OMP_NUM_THREADS": "1"}, "stdout": subprocess.DEVNULL}
    process = subprocess.Popen(command, **shared, stderr=subprocess.DEVNULL)
    kept = tmp_path / "killed" / "sets"
    while process.poll() is None and not (kept.is_dir() and list(kept.glob("*.json"))):
        time.sleep(0.01)
    process.kill()
    process.wait()
    first = {path: path.stat().st_mtime_ns for path in kept.glob("*.json")}
    assert len(first) < 3 and not (tmp_path / "killed" / "bench.json").exists(), "killed too late to show anything"
    done = mosaic(*call, "--out", "killed", "--cache", "cache", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list(kept.glob("*.json"))) == 3 and all(path.stat().st_mtime_ns == t for path, t in first.items())
    assert mosaic(*call, "--out", "whole", "--cache", "whole_cache", cwd=tmp_path).returncode == 0
    for name in ANSWERS:
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_where_no_set_can_be_used_it_ends_with_1_before_the_model_is_loaded(folder, own_profile, tmp_path, monkeypatch):
    monkeypatch.setattr("mosaic.profiles.opening.load_model", lambda *_: pytest.fail("the model was loaded"))
    bad = [folder / name for name in ("broken.csv", "latin.csv", "one_class.csv")]
    done = mosaic("bench", *bad, "--profile", own_profile, cwd=tmp_path)
    assert done.returncode == 1 and len(lines(done, "is skipped")) == 3
    assert "error: none of 3 sets can be used" in done.stderr and "Traceback" not in done.stderr


def test_a_table_of_the_users_own_is_never_overwritten(folder, own_profile, tmp_path):
    (tmp_path / "bench.csv").write_text(good())
    done = mosaic("bench", folder, "--profile", own_profile, "--out", ".", cwd=tmp_path)
    assert done.returncode == 1 and "bench.csv is not a table that mosaic bench wrote" in done.stderr
    assert (tmp_path / "bench.csv").read_text() == good()


def test_a_full_disk_is_no_sets_fault(folder, own_profile, tmp_path, monkeypatch):
    def full(*_):
        try:
            raise OSError(28, "No space left on device")
        except OSError as error:
            raise MosaicError("cannot write the cache: the disk is full.") from error

    monkeypatch.setattr(bench_run, "measure", full)
    done = mosaic("bench", folder, "--profile", own_profile, cwd=tmp_path)
    assert done.returncode == 1 and "error: cannot write the cache: the disk is full." in done.stderr


def test_rows_are_cut_and_options_tried_before_any_work(folder, own_profile, tmp_path):
    call = ["bench", folder / "=b\nc.csv", "--profile", own_profile, "--cache", tmp_path / "cache"]
    done = mosaic(*call, "--max-train", "20", "--max-test", "10", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "20 training and 10 test texts" in done.stderr and "Answer: On the one set" in done.stdout
    done = mosaic(*call, "--max-train", "20", "--max-test", "10", "--strong", cwd=tmp_path)
    assert done.returncode == 0 and "the strong baseline on hidden states" in done.stdout
    (one,) = json.loads((tmp_path / "bench" / "bench.json").read_text())["sets"].values()
    assert list(one["families"]) == ["sae", "hidden", "tfidf", "majority", "strong baseline"]
    (tmp_path / "file").write_text("")
    done = mosaic("bench", "nope", "--out", "file", cwd=tmp_path)
    assert done.returncode == 1 and "error: cannot write file: " in done.stderr
    assert mosaic("bench", "nope", "--max-train", "1").returncode == 2
    assert "error: nope does not exist" in mosaic("bench", "nope", cwd=tmp_path).stderr


def test_without_what_draws_the_tables_are_written_and_that_is_said(folder, own_profile, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "seaborn", None)
    done = mosaic("bench", folder, "--profile", own_profile, "--max-train", "20", "--max-test", "10", cwd=tmp_path)
    assert done.returncode == 0 and "no figure: seaborn is not installed" in done.stdout
    assert sorted(p.name for p in (tmp_path / "bench").iterdir()) == ["bench.csv", "bench.json", "sets"]
