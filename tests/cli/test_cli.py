"""The command line as users meet it: its output, its errors, its exit code; a process of its own where one is killed."""

import json
import os
import subprocess
import sys
import time

import pytest
from commands import mosaic
from conftest import sae_folder, sentences

from mosaic.errors import MosaicError
from mosaic.profiles.profile import FOLDER

COMMANDS = [
    "reproduce", "study", "probe", "predict", "bench", "label-behaviour", "extract", "features", "train-sae", "train-end-to-end", "train-recipes", "match", "claims", "plan", "profiles",
    "show", "exercises", "slides", "notebooks-branch", "explore",
]  # fmt: skip
SEEDS = FOLDER.parent / "weights" / "mini" / "seeds"


@pytest.mark.parametrize(
    "command",
    [
        *COMMANDS,
        "mini build",
        "mini check",
        "results diff",
        "results keep",
        "names explain",
        "names fetch",
        "names show",
        "names score",
        "names choose",
    ],
)
def test_help_shows_an_example(command):
    done = mosaic(*command.split(), "--help")
    assert done.returncode == 0 and f"Example: mosaic {command}" in " ".join(done.stdout.split())


def test_no_arguments_lists_the_commands():
    done = mosaic()
    assert all(command in done.stdout for command in [*COMMANDS, "mini", "names", "results"])


@pytest.mark.parametrize(
    "arguments,code,message",
    [
        (["nonsense"], 2, "No such command 'nonsense'"),
        (["probe"], 2, "Missing argument"),
        (["plan", "--texts", "0"], 2, "Invalid value for '--texts'"),
        (["probe", "nope.csv"], 1, "error: nope.csv does not exist"),
        (["claims", "--profile", "nope"], 1, "error: unknown profile 'nope'"),
        (
            ["explore", "--all", "--layer", "3", "--out", "pages"],
            1,
            "leave --layer and --width out, or leave --all out",
        ),
        (["explore", "--n-texts", "0", "--out", "pages"], 2, "Invalid value for '--n-texts'"),
        (["explore", "--texts", "nope.csv", "--out", "pages"], 1, "error: nope.csv does not exist"),
        (["claims", "--check", "--accept"], 1, "--check and --accept exclude each other"),
        (["results", "diff"], 1, "error: no study of profile mini was recorded anew here"),
        (["results", "keep"], 1, "results/mini holds no results: run `mosaic reproduce --profile mini`"),
        (["results", "diff", "--against", "nowhere"], 1, "error: nowhere holds no results of profile mini"),
        (["train-sae", "--profile", "gemma-2-2b"], 1, "has no `training` section"),
        (["train-sae", "--profile", "minilm", "--texts", "nope.txt"], 1, "error: nope.txt does not exist"),
        (["mini", "build", "--only", "nope"], 1, "there is no step 'nope'; steps: tokenizer, mini-small"),
        (["mini", "check", "--weights", "nowhere"], 1, "card.json does not exist; `mosaic mini build` writes it"),
        (["match", "nowhere", "nowhere"], 1, "error: nowhere is neither a folder that holds cfg.json"),
        (
            ["match", SEEDS / "layer_3_width_512_seed_0", SEEDS / "layer_5_width_512_seed_0"],
            1,
            "on hook layers.3, layer_5",
        ),
        (["match", "a", "b", "--threshold", "1.5"], 2, "Invalid value for '--threshold'"),
        (["train-sae", "--profile", "mini", "--seeds", "0,x"], 1, "--seeds is '0,x'; numbers separated by commas"),
        (
            ["train-sae", "--profile", "mini", "--seeds", "0", "--architectures", "gated"],
            1,
            "0 weights of the L1 loss for 1 architectures",
        ),
        (["reproduce"], 1, "has no notebooks/ and book/: run this in the project's folder"),
    ],
)
def test_wrong_use_is_one_message_and_no_traceback(tmp_path, arguments, code, message):
    done = mosaic(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert message in " ".join((done.stderr + done.stdout).split())
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(tmp_path):
    command = [sys.executable, "-m", "mosaic", "probe", "nope.csv"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 1 and done.stderr == ("error: nope.csv does not exist or is not a file.\n")
    done = subprocess.run([*command, "--debug"], capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 1 and "Traceback" in done.stderr


def test_train_without_texts_names_the_cure(tmp_path, monkeypatch):
    monkeypatch.delenv("MOSAIC_DATA", raising=False)
    done = mosaic("train-sae", cwd=tmp_path)
    assert done.returncode == 1 and "MOSAIC_DATA, which is not set" in done.stderr


def test_match_writes_every_figure_and_says_what_is_proved(tmp_path):
    done = mosaic(
        "match",
        SEEDS / "layer_3_width_128_seed_0",
        SEEDS / "layer_3_width_128_seed_1",
        "--json",
        "m.json",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    got = json.loads((tmp_path / "m.json").read_text())
    assert {
        "shared_fraction", "equal_fraction", "mean_max_cosine", "pw_mcc", "chance", "curve", "pairs", "exact", "gap", "alive",
    } <= set(got)  # fmt: skip
    assert 0.3 < got["shared_fraction"] < 0.8 and got["exact"] is True and got["gap"] == 0
    assert len(got["pairs"]) == round(128 * got["shared_fraction"])
    assert all(min(pair["decoder"], pair["encoder"]) >= 0.7 for pair in got["pairs"])
    assert got["curve"]["0.7"] == got["shared_fraction"]
    shown = " ".join(done.stdout.split())
    assert "both matchings proved best" in shown and f"{got['shared_fraction']:.3f}" in shown
    for key, level in got["chance"].items():
        assert level["shared_fraction"] == 0 and key in shown


def test_match_of_other_widths_and_thresholds(tmp_path):
    wide, narrow = SEEDS / "layer_3_width_256_seed_0", SEEDS / "layer_3_width_128_seed_0"
    done = mosaic("match", wide, narrow, "--threshold", "0.5", "--json", "m.json", cwd=tmp_path)
    got = json.loads((tmp_path / "m.json").read_text())
    assert got["threshold"] == 0.5 and got["n_a"] == 256 and got["n_b"] == 128
    assert "every latent of layer_3_width_128_seed_0 (128) gets a partner among the 256" in got["one_sided"]
    assert "widths differ" in done.stdout


def test_a_sweep_killed_in_training_ends_as_if_it_had_not_been(tmp_path):
    """kill -9 in the middle; the same command goes on, and every file is the same byte for byte."""
    (tmp_path / "texts.txt").write_text("\n<|doc|>\n".join(f"{text} {i}" for i, text in enumerate(sentences(300))))
    words = "train-sae --profile mini --texts texts.txt --layers 3 --widths 64,32 --ks 4 --tokens 18000 --seeds 0,1 --varied 1"
    command = [sys.executable, "-m", "mosaic", *words.split(), "--batch-size", "32", "--out"]
    # Processes of one thread each: small products on a busy machine wait for their threads more than they compute.
    shared = {"cwd": tmp_path, "env": {**os.environ, "OMP_NUM_THREADS": "1"}, "stdout": subprocess.DEVNULL}
    whole = subprocess.Popen([*command, "whole"], **shared)
    killed = subprocess.Popen([*command, "killed"], **shared)
    state = tmp_path / "killed" / "checkpoint" / "state.json"
    while killed.poll() is None and not state.exists():
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    assert state.exists() and not (tmp_path / "killed" / "card.json").exists(), "killed too late to show anything"
    assert subprocess.run([*command, "killed"], **shared, check=False).returncode == 0
    assert whole.wait() == 0
    files = sorted(path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*") if path.is_file())
    assert len(files) == 3 * 3 + 2
    for file in files:
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "killed" / file).read_bytes(), file


def test_claims_and_profiles_and_plan(tmp_path):
    done = mosaic("claims", "--json", "out/claims.json", cwd=tmp_path)
    rows = json.loads((tmp_path / "out" / "claims.json").read_text())
    assert done.returncode == 0 and {row["verdict"] for row in rows} == {"not run", "not testable"}
    assert {
        "id",
        "claim",
        "published",
        "quantity",
        "chapter",
        "measured",
        "low",
        "high",
        "verdict",
        "profile",
        "reason",
        "frozen",
        "expected",
    } <= set(rows[0])
    assert "gemma-2-2b" in mosaic("profiles").stdout
    done = mosaic("plan", "--profile", "gemma-2-2b")
    assert "GFLOP/s (measured now" in done.stdout and done.returncode == 0 and "larger" not in done.stdout
    assert "Chapter 5 reads the larger model, too" in mosaic("plan", "--profile", "mini").stdout
    shipped = (FOLDER / "mini.yml").read_text(encoding="utf-8")
    (tmp_path / "mine.yml").write_text(shipped.replace("mini/stance", "mini/stanse", 1), encoding="utf-8")
    done = mosaic("plan", "--profile", "mine.yml", cwd=tmp_path)
    assert done.returncode == 1 and "there is no miniature set 'stanse' in 'en'" in done.stderr


def test_a_changed_verdict_ends_with_1_and_says_which(tmp_path, monkeypatch):
    from mosaic.reporting import claims, results

    entry = "- {id: ahead, claim: A beats B., published: p, source: s, provenance: p, quantity: A minus B, "
    entry += "result: r.value, rule: {above: 0}, frozen: 2026-11-24, "
    monkeypatch.setattr(claims, "FILE", tmp_path / "claims.yml")
    results.record("mini", "r", {"value": -0.02}, tmp_path / "results")
    for accepted, code in (("undecided, value: 0.01, since: 2026-11-20", 1), ("does not hold here", 0)):
        (tmp_path / "claims.yml").write_text(f"{entry}accepted: {{mini: {{verdict: {accepted}}}}}}}")
        done = mosaic("claims", "--check", cwd=tmp_path)
        assert done.returncode == code, done.stderr
        if code:
            assert "accepted since 2026-11-20: undecided (0.010); now: does not hold here (−0.020)" in done.stdout
            assert "A minus B: moved by −0.030" in done.stdout
        else:
            assert "every verdict is the accepted one" in done.stdout


def test_results_diff_shows_drifts_and_ends_with_1_where_one_is_too_far(tmp_path):
    from mosaic.reporting import results

    for folder, score in (("old", 0.873), ("results", 0.876)):
        results.record("mini", "layers", {"mean": {"sae": score}, "best": "late"}, tmp_path / folder)
    done = mosaic("results", "diff", "--against", "old", "--json", "drift.json", cwd=tmp_path)
    assert done.returncode == 0 and "1 numbers moved, all within their bands" in done.stdout
    assert "layers.mean.sae" in done.stdout and "+0.003" in done.stdout
    results.record("mini", "layers", {"mean": {"sae": 0.5}, "best": "middle"}, tmp_path / "results")
    done = mosaic("results", "diff", "--against", "old", "--json", "drift.json", cwd=tmp_path)
    assert done.returncode == 1 and "another choice: layers.best: late -> middle" in done.stdout
    assert "TOO FAR" in done.stdout and "NOT the same run: numbers out of their bands: 1" in done.stdout
    found = json.loads((tmp_path / "drift.json").read_text())
    assert found["failed"] and found["flips"][0]["key"] == "layers.best"


@pytest.fixture(scope="module")
def own_profile(model_folder, tmp_path_factory):
    """A profile file of the user's own, on a small model with a small SAE."""
    root = tmp_path_factory.mktemp("own")
    sae = sae_folder(root, "jumprelu", d_sae=128)
    path = root / "own.yml"
    path.write_text(
        f"""
title: tiny
model: {{id: {model_folder("llama")}, max_length: 48}}
shape: {{n_layers: 4, d_model: 64, parameters: 30000, embedding: 4096}}
saes: [{{layer: 2, width: "128", path: {sae}}}]
middle: 2
width: "128"
poolings: [sum, max]
datasets: []
training: {{tokens: 3000, k: 16}}
"""
    )
    return path


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    path = tmp_path_factory.mktemp("reviews") / "reviews.csv"
    lines = ["review,stars,id"]
    for i in range(90):
        good = i % 2
        lines.append(f'"the [bold]{"good happy" if good else "bad sad"}[/bold] film {i % 7}",{good},g{i // 2}')
    path.write_text("\n".join(lines))
    return path


def test_probe_compares_everything(own_profile, reviews, tmp_path):
    arguments = ["probe", reviews, "--profile", own_profile, "--text", "review", "--label", "stars", "--group", "id"]
    done = mosaic(*arguments, "--json", "rows.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert {row["features"] for row in rows} == {"sae", "hidden", "tfidf", "majority"}
    for row in rows:
        keys = "features layer width pooling binarized classifier macro_f1 low high n_train n_test selected"
        assert set(keys.split()) <= set(row)
    assert sum(row["selected"] for row in rows) == 4
    assert "SAE minus hidden" in done.stdout and "Largest latents" in done.stdout
    assert "[bold]" in done.stdout, "text is shown as it is, never as markup"
    again = mosaic(*arguments, "--json", "again.json", cwd=tmp_path)
    assert again.returncode == 0
    assert (tmp_path / "again.json").read_text() == (tmp_path / "rows.json").read_text()


def test_probe_shows_its_table_before_it_writes_and_says_what_the_scores_hide(
    own_profile, reviews, tmp_path, monkeypatch
):
    """What was computed is not lost where the file cannot be written in the end."""

    def full(path, rows):
        raise MosaicError(f"cannot write {path}: the disk is full.")

    monkeypatch.setattr("mosaic.cli.probing.save_json", full)
    (tmp_path / "test.csv").write_text("review,stars\n" + "\n".join(f"a good film {i},1" for i in range(6)))
    arguments = ["probe", reviews, "test.csv", "--profile", own_profile, "--text", "review", "--label", "stars"]
    done = mosaic(*arguments, "--json", "rows.json", cwd=tmp_path)
    assert done.returncode == 1 and "error: cannot write rows.json: the disk is full." in done.stderr
    assert "SAE minus hidden" in done.stdout and "Caution: every test text has the label '1'" in done.stdout


def test_probe_refuses_what_it_cannot_use(own_profile, reviews, tmp_path, monkeypatch):
    """All of it before the model is loaded."""
    monkeypatch.setattr("mosaic.profiles.opening.load_model", lambda *_: pytest.fail("the model was loaded"))
    five = "\n".join(f"the good film {i},{int(i < 5)}" for i in range(40))
    (tmp_path / "five.csv").write_text(f"review,stars\n{five}\n")
    done = mosaic("probe", "five.csv", "--profile", own_profile, "--text", "review", "--label", "stars", cwd=tmp_path)
    assert done.returncode == 1 and "those held out for the test do not count" in " ".join(done.stderr.split())
    shared = ["probe", reviews, "--profile", own_profile, "--text", "review"]
    for extra, message in [
        (["--label", "nope"], "no column 'nope'; its columns are 'review', 'stars', 'id'"),
        (["--label", "id"], "classes have fewer than 5 rows"),
        (["--label", "stars", "--layers", "7"], "no SAE of layer 7; it has 2"),
        (["--label", "stars", "--layers", "two"], "--layers is 'two'; numbers separated by commas"),
        (["--label", "stars", "--poolings", "best"], "unknown pooling 'best'"),
    ]:
        done = mosaic(*shared, *extra, cwd=tmp_path)
        assert done.returncode == 1 and message in " ".join(done.stderr.split()), done.stderr


def test_extract_writes_tables(own_profile, reviews, tmp_path):
    from mosaic.features.table import FeatureTable

    done = mosaic("extract", reviews, "--out", "tables", "--profile", own_profile, "--text", "review", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (tmp_path / "tables").iterdir())
    assert names == [f"layer_2_{w}_{p}.safetensors" for w in ("hidden", "width_128") for p in ("max", "sum")]
    table = FeatureTable.load(tmp_path / "tables" / "layer_2_width_128_max.safetensors")
    assert table.matrix.shape == (90, 128) and table.provenance["pooling"] == "max"


def test_extract_reads_a_corpus_part_by_part(own_profile, tmp_path):
    import pandas as pd

    from mosaic.features.corpus import parts

    (tmp_path / "corpus").mkdir()
    for number in range(2):
        texts = [f"the {'good' if i % 2 else 'bad'} film {number} {i}" for i in range(6)]
        pd.DataFrame({"body": texts}).to_parquet(tmp_path / "corpus" / f"{number}.parquet")
    arguments = ["extract", "corpus", "--out", "out", "--profile", own_profile, "--part", "5", "--poolings", "max"]
    refused = mosaic(*arguments, cwd=tmp_path)
    assert refused.returncode == 1 and "has no column 'text'; its columns are 'body'" in " ".join(
        refused.stderr.split()
    )
    done = mosaic(*arguments, "--text", "body", cwd=tmp_path)
    assert done.returncode == 0 and "layer_2_width_128_max 12 texts in parts of 5" in " ".join(done.stdout.split()), (
        done
    )
    assert [len(part) for part in parts(tmp_path / "out" / "layer_2_width_128_max")] == [5, 5, 2]


def test_diff_shows_what_sets_two_files_apart(own_profile, tmp_path):
    for name, words in (("a", ("happy", "cat")), ("b", ("sad", "dog", "red"))):
        rows = "".join(f"{words[i % len(words)]}\n" for i in range(60))
        (tmp_path / f"{name}.csv").write_text("body\n" + rows)
    arguments = ["diff", "a.csv", "b.csv", "--text", "body", "--profile", own_profile, "--top", "1", "--json", "d.json"]
    done = mosaic(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    assert "60 texts of a.csv (first) and 60 of b.csv (second)" in told and "would if both were one set" in told
    rows = json.loads((tmp_path / "d.json").read_text())
    assert rows and f"{len(rows)} of 128 latents differ at a false-discovery rate of 5 %" in told
    assert rows[0]["latent"] in told and rows[0]["low"] <= rows[0]["difference"] <= rows[0]["high"]
    again = mosaic(*arguments, cwd=tmp_path)
    assert again.stdout == done.stdout


@pytest.mark.parametrize(
    ("source", "option", "words"),
    [
        ("corpus", ("--split", "train"), "corpus is a folder of your own, and --split and --config are for a data set"),
        ("some.csv", ("--config", "en"), "some.csv is a file of your own, and --split and --config are for a data set"),
        ("some.csv", ("--part", "5"), "some.csv is one file, which is read whole; --part is for a corpus"),
    ],
)
def test_options_that_would_do_nothing_are_refused(own_profile, tmp_path, source, option, words):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "some.csv").write_text("text\nfine\n")
    done = mosaic("extract", source, "--out", "out", "--profile", own_profile, *option, cwd=tmp_path)
    assert done.returncode == 1 and words in " ".join(done.stderr.split())


def test_features_fill_the_cache_of_a_set(tmp_path):
    """A chapter's pass over the set then finds every row."""
    (tmp_path / "few.yml").write_text(
        """
title: few
model: {id: weights/mini/mini-small, max_length: 64}
shape: {n_layers: 6, d_model: 128, parameters: 197120, embedding: 524288}
saes: [{layer: 1, width: 1k, path: weights/mini/saes-small/layer_1_width_1k_seed_0}]
middle: 1
width: 1k
poolings: [max]
datasets: [mini/stance]
max_train: 20
max_test: 20
"""
    )
    wrong = mosaic("features", "mini/nothing", "--profile", "few.yml", cwd=tmp_path)
    assert wrong.returncode == 1 and "mini/nothing is no data set of profile few; it has mini/stance" in " ".join(
        wrong.stderr.split()
    )
    done = mosaic("features", "mini/stance", "--profile", "few.yml", "--cache", "cache", cwd=tmp_path)
    assert done.returncode == 0 and "mini/stance: features of" in done.stdout, done.stderr
    rows = list((tmp_path / "cache").rglob("*.safetensors"))
    again = mosaic("features", "mini/stance", "--profile", "few.yml", "--cache", "cache", cwd=tmp_path)
    assert again.returncode == 0 and rows and sorted((tmp_path / "cache").rglob("*.safetensors")) == sorted(rows)


def test_train_sae_trains_and_measures(own_profile, reviews, tmp_path):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text(
        "\n<|doc|>\n".join("the cat sat on the mat . the dog ran under the red tree . " * 6 for _ in range(80))
    )
    done = mosaic(
        "train-sae",
        "--profile",
        own_profile,
        "--texts",
        "corpus.txt",
        "--out",
        "saes",
        "--tokens",
        "6000",
        cwd=tmp_path,
    )
    assert done.returncode == 1 and "do not fill two batches" in done.stderr
    corpus.write_text(
        "\n<|doc|>\n".join(f"the cat sat on the mat {i} times . a good story ? not so bad ! " * 4 for i in range(200))
    )
    done = mosaic(
        "train-sae",
        "--profile",
        own_profile,
        "--texts",
        "corpus.txt",
        "--out",
        "saes",
        "--tokens",
        "150000",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (row,) = json.loads((tmp_path / "saes" / "card.json").read_text())
    assert row["l0"] <= 16 and 0 <= row["dead"] <= 1 and row["fvu"] < 1
    from sae_lens import SAE

    assert SAE.load_from_disk(tmp_path / "saes" / row["name"]).cfg.d_sae == 128


def test_a_damaged_results_file_never_becomes_the_recorded_one(tmp_path):
    from mosaic.reporting import results

    made = results.record("mini", "study", {"a": 1}, tmp_path / "results")
    assert mosaic("results", "keep", cwd=tmp_path).returncode == 0
    kept = tmp_path / "build" / "recorded" / "mini" / "study.json"
    before = kept.read_bytes()
    made.write_text('{"values": {"a": NaN}}')
    found = mosaic("results", "keep", cwd=tmp_path)
    assert found.returncode == 1 and "is not a results file" in found.stderr
    assert kept.read_bytes() == before


def test_a_command_without_labels_speaks_of_texts_alone(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("text\nfine\n")
    done = mosaic("diff", "a.csv", "b.csv", "--text", "review", cwd=tmp_path)
    assert done.returncode == 1
    assert "a.csv has no column 'review'; its columns are 'text'. Name it with --text." in " ".join(done.stderr.split())
