"""`mosaic explore` as a user runs it: an SAE and texts of their own, the export taken back by `mosaic names fetch`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import mosaic
from conftest import sae_folder, sentences
from naming_profile import AT, PROFILE

from mosaic.profiles.profile import FOLDER

HOSTILE = "<script>window.hacked=true</script><img src=x onerror=window.hacked=true>"
ROOT = Path(__file__).parent.parent.parent
SEEDS = FOLDER.parent / "weights" / "mini" / "seeds"


@pytest.fixture
def work(tmp_path):
    (tmp_path / "p.yml").write_text(PROFILE)
    lines = [f"you are not clever. {HOSTILE} the film number {i} is boring." for i in range(80)]
    (tmp_path / "my.jsonl").write_text("".join(json.dumps({"body": line}) + "\n" for line in lines))
    return tmp_path


def index(folder):
    text = (folder / "data" / "index.js").read_text(encoding="utf-8")
    return json.loads(text.removeprefix("mosaic.index(").removesuffix(");\n"))


def test_an_sae_and_texts_of_ones_own(work):
    """--profile gives the model; the SAE is a folder of the user's that no profile names."""
    shutil.copytree(SEEDS / "layer_3_width_512_seed_0", work / "mine")
    own = ["--sae", "mine", "--texts", "my.jsonl", "--text", "body", "--out", "pages"]
    command = [sys.executable, "-m", "mosaic", "explore", *AT, *own]
    done = subprocess.run(
        command, cwd=work, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"pages of its latents: {Path('pages', 'index.html')}"
    made = index(work / "pages")
    (sae,) = made["saes"]
    assert (sae["key"], sae["latents"], made["texts"]) == ("3/512", 512, 80) and 0 < sae["n"] <= 512
    assert json.loads((work / "pages" / "data" / "pages.json").read_text()).keys() == {"3/512"}
    assert [title for title, *_ in sae["probes"]] == ["mini/intent"]
    shards = "".join((work / "pages" / "data" / name).read_text(encoding="utf-8") for _, name in sae["shards"])
    assert "clever" in shards and max(map(len, shards.split('{"n"'))) < 12_000
    assert HOSTILE not in (work / "pages" / "index.html").read_text()


def test_a_model_an_sae_and_texts_of_ones_own(model_folder, tmp_path):
    sae = sae_folder(tmp_path, "topk", d_sae=64, seed=1)
    config = json.loads((sae / "cfg.json").read_text())
    (sae / "cfg.json").write_text(json.dumps({**config, "metadata": {"hook_name": "layers.1"}}))
    texts = tmp_path / "my.csv"
    texts.write_text("body\n" + "\n".join(f'"{text}"' for text in sentences(30) if text))
    own = ["--model", model_folder("llama"), "--sae", sae, "--texts", texts, "--text", "body"]
    done = mosaic("explore", *own, "--out", tmp_path / "out", "--cache", tmp_path / "cache")
    assert done.returncode == 0, done.stderr
    made = index(tmp_path / "out")
    assert [one["key"] for one in made["saes"]] == ["1/64"] and made["saes"][0]["probes"] == [] and not made["head"]


def test_what_was_exported_is_taken_back(work):
    done = mosaic("explore", *AT, "--n-texts", "300", "--out", "pages", "--neuronpedia", "lines", cwd=work)
    assert done.returncode == 0 and "in Neuronpedia's JSON lines: lines" in done.stdout, done.stderr
    n = index(work / "pages")["saes"][0]["n"]
    at = ["--profile", "p.yml", "--cache", "other", "--layer", "3", "--width", "1k"]
    fetched = mosaic("names", "fetch", "lines/p/3-1k", *at, "--source", "p/3-1k", cwd=work)
    assert fetched.returncode == 0, fetched.stderr
    assert "latents have an explanation" in fetched.stdout and "latents fire agrees (rho" in fetched.stdout
    (kept,) = (work / "other" / "names").glob("*.neuronpedia.json")
    assert 0 < len(json.loads(kept.read_text())["names"]) <= n


@pytest.mark.parametrize(
    "options,said",
    [
        ("--model m --sae s", "--model m has no texts to be read on. Add --texts FILE"),
        ("--model m --texts my.jsonl --text body", "--model m has no SAE beside it"),
        ("--profile p.yml --model m --sae s --texts my.jsonl --text body", "names a model and SAEs of its own"),
        ("--profile p.yml --sae s --all", "leave --all, --layer and --width out, or leave --sae out"),
        ("--profile p.yml --sae nowhere", "nowhere is neither a folder that holds cfg.json"),
        ("--profile p.yml --texts lines/my.jsonl --neuronpedia lines", "lines"),
    ],
)
def test_the_command_refuses_before_work(work, options, said):
    (work / "lines").mkdir()
    shutil.copy(work / "my.jsonl", work / "lines")
    done = mosaic("explore", "--out", "pages", *options.split(), cwd=work)
    assert done.returncode == 1 and said in " ".join(done.stderr.split()), done.stderr
    assert not (work / "pages").exists()
