"""`mosaic probe --report` and `mosaic show` as commands."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import toy
from commands import mosaic
from conftest import sae_folder
from reports import HOSTILE, nothing_ran, opened

from mosaic.cli import showing
from mosaic.probing.candidates import TableFeatures
from mosaic.probing.problem import subsample
from mosaic.probing.selection import Result
from mosaic.profiles.profile import load_profile
from mosaic.studies.report_made import k_sizes
from mosaic.texts.sources import load_set

COLUMN = "</script><script>window.pwned=7</script>"
DATA = os.environ.get("MOSAIC_DATA")
HERE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def own(model_folder, tmp_path_factory):
    """A profile file on a small model with a small SAE."""
    root = tmp_path_factory.mktemp("own")
    sae = sae_folder(root, "jumprelu", d_sae=128)
    path = root / "own.yml"
    path.write_text(
        f"""
title: tiny <i>{HOSTILE[1].replace(chr(34), "")}</i>
model: {{id: {model_folder("llama")}, max_length: 48}}
shape: {{n_layers: 4, d_model: 64, parameters: 30000, embedding: 4096}}
saes: [{{layer: 2, width: "128", path: {sae}}}]
middle: 2
width: "128"
poolings: [max]
datasets: []
"""
    )
    return path


@pytest.fixture(scope="module")
def hostile_file(tmp_path_factory):
    """90 rows whose texts, labels and column names are hostile; a few stand twice, a few are long."""
    path = tmp_path_factory.mktemp("hostile") / "<img src=x onerror=alert(1)>.csv"
    labels = [f"good {HOSTILE[0]}", f"bad {HOSTILE[1]}", f"so {HOSTILE[3]}\u202e"]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([COLUMN, "<svg onload=alert(2)>"])
        for i in range(90):
            word = ("good happy", "bad sad", "tree rain")[i % 3]
            text = f"the {word} film {i % 40} {HOSTILE[i % len(HOSTILE)]}".replace("\x00", "").replace("\x1b", "")
            writer.writerow([text * (8 if i == 7 else 1), labels[(i + (i % 7 == 0)) % 3]])
    return path


def arguments(own, file, page):
    return ["probe", file, "--profile", own, "--text", COLUMN, "--label", "<svg onload=alert(2)>", "--report", page]


@pytest.fixture(scope="module")
def written(own, hostile_file, tmp_path_factory):
    """(the page, what the command said), from a process of its own."""
    root = tmp_path_factory.mktemp("run")
    command = [sys.executable, "-m", "mosaic", *map(str, arguments(own, hostile_file, "report.html"))]
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    environment.pop("SOURCE_DATE_EPOCH", None)
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    return root / "report.html", done.stdout


def test_the_command_writes_a_page_and_says_its_size_and_cost(written):
    _, said = written
    assert (
        "report.html: the report, 0." in said
        and "its two curves took" in said
        and "fits beside the comparison's" in said
    )
    assert "SAE minus hidden" in said


def test_nothing_in_a_hostile_file_runs(browser, written):
    with opened(browser, written[0]) as page:
        assert nothing_ran(page)
        for one in page.locator("button:visible").all():
            one.click()
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert nothing_ran(page)
        assert page.locator("h1").inner_text() == "<img src=x onerror=alert(1)>.csv"
        assert COLUMN in page.locator("#settings").inner_text() and "tiny <i>" in page.locator("#settings").inner_text()
        assert page.locator("#repeated").locator("xpath=following-sibling::*[1]").inner_text() != ""
        assert page.locator("mark").count() > 0


def test_another_run_gives_the_same_bytes_and_no_path_of_the_machine(written, own, hostile_file, tmp_path, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    done = mosaic(*arguments(own, hostile_file, "report.html"), "--cache", tmp_path / "cache", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    content = (tmp_path / "report.html").read_bytes()
    assert content == written[0].read_bytes()
    assert str(hostile_file.parent).encode() not in content and str(own.parent).encode() not in content


def test_a_model_and_saes_of_ones_own_give_the_same_page(model_folder, tmp_path):
    shutil.copytree(model_folder("llama"), tmp_path / "model")
    folder = sae_folder(tmp_path, "jumprelu", d_sae=128)
    config = json.loads((folder / "cfg.json").read_text())
    config["metadata"]["hook_name"] = "blocks.2.hook_resid_post"
    (folder / "cfg.json").write_text(json.dumps(config))
    rows = [(f"the {'good happy' if i % 2 else 'bad sad'} film {i}", i % 2) for i in range(60)]
    with open(tmp_path / "own.csv", "w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    done = mosaic(
        "probe",
        "own.csv",
        "--model",
        tmp_path / "model",
        "--sae",
        folder,
        "--poolings",
        "max",
        "--report",
        "r.html",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<dd>model (weights " in page and "jumprelu_128_0" in page and str(tmp_path) not in page


def test_a_report_that_cannot_be_written_is_refused_before_the_model_loads(own, hostile_file, tmp_path, monkeypatch):
    monkeypatch.setattr("mosaic.profiles.opening.load_model", lambda *_: pytest.fail("the model was loaded"))
    done = mosaic(*arguments(own, hostile_file, tmp_path), cwd=tmp_path)
    assert done.returncode == 1 and "it is a folder" in done.stderr
    done = mosaic(*arguments(own, hostile_file, hostile_file), cwd=tmp_path)
    assert done.returncode == 1 and hostile_file.stat().st_size > 1000


def write(path, part):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *zip(part.texts, part.labels, strict=True)])


SETS = [
    ("mini/toxicity", "en"),
    ("mini/sentiment", "es"),
    ("mini/intent", None),
    ("sst2", None),
    ("trec", None),
    ("irony", None),
]


@pytest.mark.parametrize("name,language", SETS, ids=[name for name, _ in SETS])
def test_reports_of_miniature_and_real_sets(browser, name, language, tmp_path):
    if not name.startswith("mini/") and not (DATA and Path(DATA, name).is_dir()):
        pytest.skip("no real sets here: MOSAIC_DATA names their folder")
    train, test = load_set(name, language)
    train = subsample(train, 150)
    write(tmp_path / "train.csv", train)
    write(tmp_path / "test.csv", subsample(test.take(np.flatnonzero(np.isin(test.labels, train.classes))), 80))
    done = mosaic("probe", "train.csv", "test.csv", "--profile", "mini", "--layers", 3, "--widths", "1k", "--poolings", "max",
                  "--report", "r.html", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r.html").stat().st_size < 1_000_000
    with opened(browser, tmp_path / "r.html") as page:
        assert nothing_ran(page)
        assert page.locator("svg").count() == 4 and page.locator(".latent").count() >= 3
        assert page.locator(".latent[open] mark.s9").count() >= 3, "every open latent has its darkest token"
        n = page.locator("#found").inner_text().split()[0] if page.locator("#found").count() else "0"
        assert page.locator("#errors > p").first.inner_text().startswith(f"{n} of ")


def test_show_prints_tokens_and_latents_and_writes_them_as_a_page(browser, own, tmp_path):
    text = f"the happy cat {HOSTILE[0]} {HOSTILE[2]}"
    command = [sys.executable, "-m", "mosaic", "show", text, "--profile", str(own), "--k", "2", "--html", "text.html"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(HERE)}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert " cat " in done.stdout and "latents active; none has a name here" in done.stdout
    row = next(line for line in done.stdout.splitlines() if " cat " in line)
    assert row.count("(") == 2, "two latents a token"
    with opened(browser, tmp_path / "text.html") as page:
        assert page.evaluate("window.pwned") is None and page.trouble == []
        assert page.locator("h1").inner_text() == text
        assert page.locator(".tokens tbody tr").count() > 3 and page.locator("mark").count() > 3
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_show_names_latents_where_names_are_kept(own, tmp_path):
    from mosaic.interpretation.explanations import Explained
    from mosaic.interpretation.names import FOLDER, NamesCache
    from mosaic.profiles.opening import load_model, load_saes

    profile = load_profile(str(own))
    lm = load_model(profile)
    (encoder,) = load_saes(profile, lm)
    kept = NamesCache(tmp_path / "cache" / FOLDER, encoder)
    for latent in range(encoder.n_latents):
        kept.add(f"key{latent}", latent, "me", Explained(f"name {latent} <b>", 1, None))
    done = mosaic(
        "show", "the happy cat", "--profile", own, "--cache", tmp_path / "cache", "--html", tmp_path / "t.html"
    )
    assert done.returncode == 0 and " <b> (" in done.stdout and "none has a name" not in done.stdout
    page = (tmp_path / "t.html").read_text(encoding="utf-8")
    assert "name " in page and "<b>name" not in page and "&lt;b&gt;" in page


def test_show_refuses_what_it_cannot_show(own):
    for more, message in [
        (["   "], "the text is empty"),
        (["a cat", "--layer", "9"], "no SAE of layer 9; it has 2"),
        (["a cat", "--width", "9k"], "128"),
        (["a cat", "--k", "0"], None),
    ]:
        done = mosaic("show", *more, "--profile", own)
        assert done.returncode in (1, 2) and (message is None or message in " ".join(done.stderr.split())), done.stderr


def test_the_middle_layer_and_main_width_are_shown_unless_another_is_asked_for():
    mini = load_profile("mini")
    assert showing.place(mini, None, None) == (3, "1k")
    assert showing.place(mini, 5, None) == (5, "1k") and showing.place(mini, None, "4k") == (3, "4k")
    assert showing.place(mini, 9, "4k") == (9, "4k"), "as asked, for the refusal to name it"


def test_sizes_of_the_sparse_curve_stay_below_the_active_latents():
    problem = toy.problem()
    setting = next(t for t in problem.tables if t.provenance["pooling"] == "max")
    found = Result(TableFeatures(problem, setting).setting, 0.5, 1.0, None, None, np.array([]), 1)
    assert k_sizes(problem, found) == (1, 2, 4, 8, 16, 32)
