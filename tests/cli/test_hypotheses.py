"""`mosaic hypotheses` as users meet it: statements, numbers, and what it refuses before a model is loaded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import mosaic
from conftest import word_sae

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def own(model_folder, tiny, tmp_path_factory):
    """(arguments for a small model with a small SAE, a file of labelled reviews)."""
    root, rng = tmp_path_factory.mktemp("own"), np.random.default_rng(0)
    lines = ["body,mood,id,one"]
    for i in range(240):
        word = rng.choice([["happy", "sun"], ["sad", "rain"]][i % 2])
        words = [*rng.choice(["the", "cat", "dog", "film", "tree", "why"], rng.integers(3, 8)), word]
        lines.append(f"{' '.join(rng.permutation(words))},{'up' if i % 2 == 0 else 'down'},g{i // 2},same")
    (root / "reviews.csv").write_text("\n".join(lines))
    sae = word_sae(root, tiny("llama"), 1)
    profile = root / "own.yml"
    profile.write_text(
        f"""
title: tiny
model: {{id: {model_folder("llama")}, max_length: 48}}
shape: {{n_layers: 4, d_model: 64, parameters: 30000, embedding: 4096}}
saes: [{{layer: 1, width: "{sae.width}", path: {sae.path}}}]
middle: 1
width: "{sae.width}"
poolings: [sum, max]
datasets: []
"""
    )
    return ["--profile", profile, "--text", "body", "--label", "mood"], root / "reviews.csv"


def test_it_prints_sentences_and_writes_every_number(own, tmp_path):
    """A process of its own, as a shell starts it."""
    options, file = own
    command = [sys.executable, "-m", "mosaic", "hypotheses", file, *options, "--group", "id", "--top", "4"]
    done = subprocess.run(
        [*map(str, command), "--json", "h.json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "h.json").read_text())
    shown = " ".join(done.stdout.replace("│", " ").split())
    n = sum(row["verdict"] == "confirmed" for row in rows)
    assert n, rows
    assert f"{n} of {len(rows)} hypotheses are confirmed at a false-discovery rate of 5 %" in shown
    assert "160 texts of reviews.csv to find hypotheses, 80 to test them by their words alone" in shown
    for row in rows:
        known = {"happy", "sun"} if row["class"] == "up" else {"sad", "rain"}
        assert row["verdict"] != "confirmed" or set(row["words"]) & known
        assert row["latent"].startswith("layer_1/width_44/") and row["latent"] in shown
        if row["effect"] is not None:
            assert row["low"] <= row["effect"] <= row["high"]
            assert row["effect"] == pytest.approx(row["matching"] - row["others"])


@pytest.mark.parametrize("rule", ["l1", "mean-difference"])
def test_other_rules_choose_and_two_runs_are_the_same(own, tmp_path, rule):
    options, file = own
    arguments = ["hypotheses", file, *options, "--choose", rule, "--top", "2", "--json", "h.json"]
    done = mosaic(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first = (tmp_path / "h.json").read_text()
    again = mosaic(*arguments, cwd=tmp_path)
    assert again.stdout == done.stdout and (tmp_path / "h.json").read_text() == first
    assert {row["class"] for row in json.loads(first)} == {"down", "up"}


def test_where_no_latent_speaks_for_a_class_that_is_said(own, tmp_path, monkeypatch):
    from mosaic.interpretation import hypotheses

    options, file = own
    monkeypatch.setattr(hypotheses, "FAITHFUL", 2)
    done = mosaic("hypotheses", file, *options, "--json", "h.json", cwd=tmp_path)
    assert done.returncode == 0 and "0 of 0 hypotheses are confirmed" in done.stdout
    assert (
        "No latent has words that say what it is" in done.stdout and json.loads((tmp_path / "h.json").read_text()) == []
    )


def test_what_it_cannot_use_is_refused_before_the_model_is_loaded(own, tmp_path, monkeypatch):
    monkeypatch.setattr("mosaic.profiles.opening.load_model", lambda *_: pytest.fail("the model was loaded"))
    options, file = own
    options = options[:4]
    few = ["body,mood", *(f"the film {i},{'up' if i % 2 else 'down'}" for i in range(24))]
    (tmp_path / "few.csv").write_text("\n".join(few))
    (tmp_path / "folder").mkdir()
    for source, extra, message in [
        (file, ["--label", "one"], "every row has the label 'same'; a classifier needs two classes"),
        (file, ["--label", "nope"], "no column 'nope'; its columns are 'body', 'mood', 'id', 'one'"),
        (file, ["--label", "id"], "classes have fewer than 5 rows"),
        ("few.csv", ["--label", "mood"], "classes have fewer than 10 rows"),
        (file, ["--label", "mood", "--layers", "7"], "no SAE of layer 7; it has 1"),
        (file, ["--label", "mood", "--json", "folder"], "cannot write folder"),
    ]:
        done = mosaic("hypotheses", source, *options, *extra, cwd=tmp_path)
        assert done.returncode == 1 and message in " ".join(done.stderr.split()), done.stderr
    wrong = mosaic("hypotheses", file, *options, "--choose", "luck", cwd=tmp_path)
    assert wrong.returncode == 2 and "separation" in wrong.stderr
