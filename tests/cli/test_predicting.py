"""`probe --save` and `predict`, and a user's model and SAEs on the command line."""

import csv
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from commands import mosaic
from conftest import sae_folder

from mosaic.cli.options import SEED
from mosaic.cli.predicting import as_csv
from mosaic.probing import estimators
from mosaic.probing.saved import Prediction

HOOK = "blocks.2.hook_resid_post"


def write(path, rows, header=("prompt", "target")):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def work(model_folder, tmp_path):
    """A folder with a small model, an SAE that says where it was trained, and 90 labelled rows."""
    shutil.copytree(model_folder("llama"), tmp_path / "model")
    folder = sae_folder(tmp_path, "jumprelu", d_sae=128).rename(tmp_path / "sae")
    config = json.loads((folder / "cfg.json").read_text())
    config["metadata"]["hook_name"] = HOOK
    (folder / "cfg.json").write_text(json.dumps(config))
    words = ("good happy", "bad sad", "rain sun")
    write(
        tmp_path / "rows.csv", [(f"the {words[i % 3]} film {'very ' * (i % 7)}", f"class {i % 3}") for i in range(90)]
    )
    return tmp_path


OWN = ["--model", "model", "--sae", "sae", "--poolings", "max"]


def test_a_saved_probe_says_elsewhere_what_it_said_in_the_comparison(work):
    done = mosaic("probe", "rows.csv", "rows.csv", *OWN, "--save", "kept", "--json", "r.json", cwd=work)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("rows.csv: texts are read from column 'prompt', labels from 'target'.") == 2
    assert "kept: the linear probe on layer 2, width 128, max" in done.stdout and "predict kept FILE" in done.stdout
    (work / "elsewhere").mkdir()
    for out, cwd, where in (("a.csv", work, "kept"), ("b.csv", work / "elsewhere", "../kept")):
        done = mosaic("predict", where, work / "rows.csv", "--out", work / out, cwd=cwd)
        assert done.returncode == 0, done.stderr
    rows, again = read(work / "a.csv"), read(work / "b.csv")
    assert list(rows[0]) == ["row", "text", "class", "p(class 0)", "p(class 1)", "p(class 2)", "latents"]
    assert [r["class"] for r in rows] == [r["class"] for r in again] and len(rows) == 90
    for row, other in zip(rows, again, strict=True):
        values = [float(row[f"p(class {k})"]) for k in range(3)]
        assert abs(sum(values) - 1) < 1e-6 and row["class"] == f"class {np.argmax(values)}"
        assert all(abs(v - float(other[f"p(class {k})"])) < 1e-6 for k, v in enumerate(values))
        assert row["latents"].startswith("layer_2/width_128/")
    best = next(r for r in json.loads((work / "r.json").read_text()) if r["classifier"] == "logistic")
    truth = [row["target"] for row in read(work / "rows.csv")]
    right = np.mean([row["class"] == label for row, label in zip(rows, truth, strict=True)])
    assert right == pytest.approx(best["accuracy"])
    shown = " ".join(done.stdout.split())
    assert "70 more texts" in shown and "classes: class 0 " in shown


def test_a_changed_model_or_sae_and_a_damaged_probe_are_refused(work):
    assert mosaic("probe", "rows.csv", *OWN, "--save", "kept", cwd=work).returncode == 0

    def refused(probe="kept"):
        done = mosaic("predict", probe, "rows.csv", "--out", "p.csv", cwd=work)
        assert done.returncode == 1 and "Traceback" not in done.stderr and not (work / "p.csv").exists()
        return " ".join(done.stderr.split())

    assert "sae holds no probe (probe.json)" in refused("sae")
    whole = (work / "sae" / "sae_weights.safetensors").read_bytes()
    other = sae_folder(work / "others", "jumprelu", d_sae=128, seed=5)
    shutil.copy(other / "sae_weights.safetensors", work / "sae")
    assert "error: the weights of SAE sae changed since this probe was fitted" in refused()
    (work / "sae" / "sae_weights.safetensors").write_bytes(whole)
    tokenizer = (work / "model" / "tokenizer.json").read_text()
    (work / "model" / "tokenizer.json").write_text(tokenizer.replace('"good"', '"gone"'))
    assert "error: the tokenizer of model model changed" in refused()
    (work / "model" / "tokenizer.json").write_text(tokenizer)
    (numbers,) = (work / "kept").glob("*.safetensors")
    content = numbers.read_bytes()
    numbers.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "is damaged: its checksum is not the one it was written with" in refused()
    numbers.write_bytes(content)
    (work / "model").rename(work / "moved")
    assert "model, from which this probe's features came, is gone" in refused()
    (work / "moved").rename(work / "model")
    done = mosaic("predict", "kept", "rows.csv", "--out", "rows.csv", cwd=work)
    assert done.returncode == 1 and "rows.csv is read by this very command" in done.stderr
    done = mosaic("predict", "kept", "rows.csv", "--text", "text", cwd=work)
    assert done.returncode == 1 and "no column 'text'" in done.stderr
    assert mosaic("predict", "kept", "rows.csv", "--out", "p.csv", cwd=work).returncode == 0


def test_every_wrong_call_is_said_before_a_model_is_loaded(work, monkeypatch):
    monkeypatch.setattr("mosaic.profiles.opening.load_model", lambda *_: pytest.fail("the model was loaded"))
    for extra, message in [
        (["--model", "model"], "--model model has no SAE beside it"),
        (["--sae", "sae"], "--sae sae has no model beside it"),
        (["--profile", "mini", "--model", "model", "--sae", "sae"], "profile mini names a model and SAEs of its own"),
        (["--profile", "mini", "--sae", "sae"], "profile mini names a model and SAEs of its own"),
        ([*OWN, "--layers", "1"], "no SAE of layer 1; it has 2"),
        ([*OWN, "--widths", "64"], "no SAE of width '64'; it has 128"),
        ([*OWN, "--sae", "sae"], "both read layer 2 with 128 latents"),
        (["--model", "nope", "--sae", "nope"], "error: HF_HUB_OFFLINE is set, and"),
        ([*OWN, "--text", "text"], "no column 'text'; its columns are 'prompt', 'target'"),
    ]:
        for command in (["probe", "rows.csv"], ["extract", "rows.csv", "--out", "tables"]):
            done = mosaic(*command, *extra, cwd=work)
            assert done.returncode == 1 and message in " ".join(done.stderr.split()), done.stderr
    done = mosaic("probe", "rows.csv", *OWN, "--label", "label", cwd=work)
    assert done.returncode == 1 and "no column 'label'" in done.stderr
    done = mosaic("probe", "rows.csv", *OWN, "--save", "rows.csv", cwd=work)
    assert done.returncode == 1 and "error: cannot write rows.csv" in done.stderr
    assert mosaic("probe", "rows.csv", "--seed", "-1").returncode == 2


def test_extract_gives_the_tables_of_a_profile_that_names_the_same(work):
    from mosaic.features.table import FeatureTable

    (work / "own.yml").write_text(
        "title: t\nmodel: {id: model}\nshape: {n_layers: 4, d_model: 64, parameters: 1, embedding: 1}\n"
        'saes: [{layer: 2, width: "128", path: sae}]\nmiddle: 2\nwidth: "128"\npoolings: [max, sum]\n'
    )
    own = ["--model", "model", "--sae", "sae", "--layers", "2", "--widths", "128", "--poolings", "max,sum"]
    for out, arguments in (("a", own), ("b", ["--profile", "own.yml"])):
        done = mosaic("extract", "rows.csv", "--out", out, "--cache", f"cache_{out}", *arguments, cwd=work)
        assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (work / "a").iterdir())
    assert names == sorted(path.name for path in (work / "b").iterdir()) and len(names) == 4
    for name in names:
        a, b = (FeatureTable.load(work / out / name) for out in "ab")
        assert (a.matrix != b.matrix).nnz == 0 and a.provenance == b.provenance


def test_the_seed_decides_which_rows_are_held_out(work):
    assert SEED == estimators.SEED
    rows = {}
    for name, extra in (("a", []), ("b", ["--seed", str(SEED)]), ("c", ["--seed", "7"])):
        done = mosaic("probe", "rows.csv", *OWN, *extra, "--json", f"{name}.json", cwd=work)
        assert done.returncode == 0, done.stderr
        rows[name] = (work / f"{name}.json").read_text()
    assert rows["a"] == rows["b"] != rows["c"]


def test_a_probe_on_the_miniature_is_the_same_in_another_process_and_folder(tmp_path):
    """Shipped weights are found from anywhere; the predictions are those of the probe in this process."""
    from mosaic.features.request import Request
    from mosaic.probing import comparison, examine
    from mosaic.probing.candidates import TableFeatures
    from mosaic.probing.problem import make_problem
    from mosaic.probing.saved import SavedProbe
    from mosaic.profiles.opening import load_model, load_saes
    from mosaic.profiles.profile import load_profile
    from mosaic.texts.sources import load_set

    profile = load_profile("mini")
    lm = load_model(profile)
    train, test = (part.take(np.arange(200)) for part in load_set("mini/intent"))
    request = Request(load_saes(profile, lm, [3], ["1k"]), (), ("max", "count"))
    problem = make_problem(train, test, lm, request)
    results = comparison.evaluate(problem, families=("sae",), trees=False)
    SavedProbe.of(problem, results, profile).save(tmp_path / "kept")
    best = results[0]
    pipeline, _ = examine.fitted(problem, best)
    candidate = TableFeatures(problem, examine.table_of(problem, best.setting), best.setting.binarized)
    x = candidate.matrices(np.arange(200), np.arange(200, 400), best.threshold)[1]
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path / "test.csv", zip(test.texts, test.labels, strict=True), ("text", "label"))
    command = ["-m", "mosaic", "predict", "../kept", "../test.csv", "--out", "p.csv"]
    done = subprocess.run(
        [sys.executable, *command], cwd=tmp_path / "elsewhere", capture_output=True, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = read(tmp_path / "elsewhere" / "p.csv")
    assert [row["class"] for row in rows] == best.predicted.tolist() == pipeline.predict(x).tolist()
    got = np.array([[float(row[f"p({label})"]) for label in pipeline.classes_] for row in rows])
    assert np.abs(got - pipeline.predict_proba(x)).max() < 1e-6


def test_no_text_and_no_name_steers_a_spreadsheet_or_a_terminal(work):
    hostile = ["=1+1", "+cmd|x", "-2+3", "@SUM(A1)", "two\nlines", "tab\there", "\x1b[2J\u202e", 'quote " , comma']
    classes = ("=A1", "-1", "\x1b]0;x\x07")
    table = as_csv(hostile, Prediction(classes, np.array([*classes, *classes, *classes[:2]], dtype=object),
                                       np.full((8, 3), 1 / 3), [[]] * 8))  # fmt: skip
    rows = list(csv.reader(table.splitlines()))
    assert len(rows) == 9 == len(table.splitlines()) and table.isascii()
    assert rows[0] == ["row", "text", "class", "p('=A1)", "p(-1)", r"p(\x1b]0;x\x07)", "latents"]
    assert [row[1] for row in rows[1:]] == [
        "'=1+1", "'+cmd|x", "'-2+3", "'@SUM(A1)", r"two\nlines", r"tab\there", r"\x1b[2J\u202e", 'quote " , comma',
    ]  # fmt: skip
    assert [row[2] for row in rows[1:4]] == ["'=A1", "-1", r"\x1b]0;x\x07"]
    write(work / "hostile.csv", [(text, "=A1" if i % 2 else "\x1b[31m") for i, text in enumerate(hostile * 4)])
    done = mosaic("probe", "hostile.csv", "hostile.csv", *OWN, "--save", "kept", cwd=work)
    assert done.returncode == 0, done.stderr
    done = mosaic("predict", "kept", "hostile.csv", "--out", "p.csv", cwd=work)
    assert done.returncode == 0, done.stderr
    assert not {"\x1b", "\u202e"} & set(done.stdout + done.stderr + (work / "p.csv").read_text(encoding="utf-8"))
    assert {row["class"] for row in read(work / "p.csv")} <= {"'=A1", r"\x1b[31m"}
