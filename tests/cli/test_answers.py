"""What the command line refuses before work, what it prints, and that no answer is a riddle."""

import errno
import json
import shutil
import sys

import pytest
import yaml
from commands import mosaic

from mosaic import cli
from mosaic.cli import explain, output
from mosaic.cli.options import listed
from mosaic.errors import MosaicError
from mosaic.profiles.profile import FOLDER

WEIGHTS = FOLDER.parent / "weights" / "mini"
SMALL = WEIGHTS / "seeds" / "layer_3_width_128_seed_0"


@pytest.mark.parametrize(
    "command,path",
    [
        ("probe nope.csv --json folder", "folder"),
        ("probe nope.csv --json file/rows.json", "file/rows.json"),
        ("probe nope.csv --cache file", "file"),
        ("bench nope.csv --out file", "file"),
        ("bench nope.csv --out new --cache file", "file"),
        ("probe nope.csv --save file", "file"),
        ("predict nope nope.csv --out folder", "folder"),
        ("predict nope nope.csv --cache file", "file"),
        ("extract nope.csv --out file", "file"),
        ("extract nope.csv --out new --cache file/cache", "file/cache"),
        ("match nope nope --json folder", "folder"),
        ("claims --profile nope --json folder", "folder"),
        ("results diff --profile nope --json folder", "folder"),
        ("train-sae --profile nope --out file", "file"),
        ("study layers --profile nope --out file", "file"),
        ("study layers --profile nope --figure folder.svg/a.svg/b.svg", "folder.svg/a.svg/b.svg"),
        ("study layers --profile nope --cache file", "file"),
        ("mini build --weights file --only nope", "file"),
    ],
)
def test_where_to_write_is_tried_before_any_work(tmp_path, command, path):
    """Even what else is wrong with the call is said later: nothing was read, loaded or computed."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.svg").mkdir()
    (tmp_path / "folder.svg" / "a.svg").write_text("")
    done = mosaic(*command.split(), cwd=tmp_path)
    assert done.returncode == 1 and f"error: cannot write {path}: " in done.stderr and "nope" not in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder", "folder.svg"]


@pytest.mark.parametrize(
    "command",
    [
        "probe nope.csv",
        "bench nope.csv",
        "extract nope.csv --out new",
        "predict nope nope.csv",
        "match nope nope",
        "train-sae --profile nope",
        "study layers --profile nope",
        "mini build --weights new --only nope",
        "mini check --weights nope",
    ],
)
def test_a_device_that_is_not_here_is_said_before_any_work(tmp_path, command):
    done = mosaic(*command.split(), "--device", "tpu", cwd=tmp_path)
    assert done.returncode == 1 and "error: device 'tpu' is not here" in done.stderr and "there is cpu" in done.stderr


@pytest.mark.parametrize(
    "option",
    ["plan --texts", "plan --tokens", "train-sae --batch-size", "train-sae --data-seed", "train-sae --varied", "match a b --baselines"],
)  # fmt: skip
def test_a_number_that_counts_nothing_is_refused_where_it_is_read(option):
    done = mosaic(*option.split(), "9" * 400)
    assert done.returncode == 2 and f"Invalid value for '{option.split()[-1]}'" in done.stderr + done.stdout


def test_texts_are_not_read_from_where_training_clears_up(tmp_path):
    (tmp_path / "out" / "checkpoint").mkdir(parents=True)
    (tmp_path / "out" / "checkpoint" / "mine.txt").write_text("keep me")
    (tmp_path / "out" / "mine.txt").write_text("these may stay")
    call = ["train-sae", "--profile", "nope", "--out", "out", "--texts"]
    done = mosaic(*call, "out/checkpoint/mine.txt", cwd=tmp_path)
    assert done.returncode == 1 and "out/checkpoint/mine.txt is read by this very command" in done.stderr
    assert "unknown profile" in mosaic(*call, "out/mine.txt", cwd=tmp_path).stderr


def test_the_table_is_printed_even_if_the_file_cannot_be_written_in_the_end(tmp_path, monkeypatch):
    def full(path, content):
        raise MosaicError(f"cannot write {path}: the disk is full.")

    monkeypatch.setattr("mosaic.files.write_atomically", full)
    done = mosaic("match", SMALL, SMALL, "--json", "match.json", cwd=tmp_path)
    assert done.returncode == 1 and "error: cannot write match.json: the disk is full." in done.stderr
    assert "128 shared pairs" in done.stdout


def test_brackets_in_paths_and_names_are_no_markup(tmp_path):
    strange = tmp_path / "[/] b [red] :smile:"
    shutil.copytree(SMALL, strange)
    done = mosaic("match", strange, strange, "--json", strange / "m[/].json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "] b [red] :smile: (128)" in done.stdout and (strange / "m[/].json").is_file()
    done = mosaic("claims", "--profile", "[/].yml", cwd=tmp_path)
    assert done.returncode == 1 and "error: unknown profile '[/].yml'" in done.stderr


def test_nothing_that_is_printed_steers_the_terminal(capsys):
    wild = "\x1b[31mred\x1b]0;title\x07 \u202eevil [bold]\udce9"
    output.print_rows([{wild: wild, "score": 0.5}], [wild, "score"], wild)
    output.say(wild)
    shown = capsys.readouterr().out
    assert not [c for c in shown if c != "\n" and (ord(c) < 32 or c in "\x7f\u202e\udce9")]
    assert "\\x1b[31mred" in shown and "[bold]" in shown


def test_a_long_line_of_output_is_never_broken(capsys):
    output.say("[/]" + "long/" * 60)
    assert capsys.readouterr().out == "[/]" + "long/" * 60 + "\n"


def test_rows_are_valid_json_whatever_the_texts_hold(tmp_path):
    output.save_json(tmp_path / "rows.json", [{"text": 'lone \ud800, "é", 猫'}])
    assert json.loads((tmp_path / "rows.json").read_text(encoding="utf-8")) == [{"text": 'lone \ud800, "é", 猫'}]
    with pytest.raises(MosaicError, match="not a finite number"):
        output.save_json(tmp_path / "rows.json", {"f1": float("nan")})


def test_lists_name_what_is_wrong():
    assert listed(None) is None and listed("2, 4,", int, "--layers") == [2, 4]
    for value, least, message in (
        ("2,x", None, "--ks is '2,x'"),
        (",", None, "--ks is empty"),
        ("0", 1, "from 1 on"),
        ("9" * 400, 1, "Write a smaller one"),
        ("9" * 5000, 1, "--ks is '9"),
    ):
        with pytest.raises(MosaicError, match=message):
            listed(value, int, "--ks", least)
    done = mosaic("train-sae", "--profile", "mini", "--seeds", "0", "--widths", "many")
    assert done.returncode == 1 and "the width 'many' is not a number of latents" in done.stderr


def test_what_ends_a_command_is_told_apart():
    assert explain(MosaicError("mend it")) == "mend it"
    full = explain(OSError(errno.ENOSPC, "No space left on device", "features/a"))
    assert full.startswith("cannot write features/a: the disk is full.")
    for number in (28, 27):
        assert explain(RuntimeError(f"I/O error: it is so (os error {number})")).startswith(
            "cannot write the output: the "
        )
    for error in (MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")):
        assert "not enough memory" in explain(error) and "mosaic plan" in explain(error)
    assert "this is a bug in mosaic" in explain(OverflowError("int too large to convert to float"))
    bug = explain(KeyError("x"))
    assert "this is a bug in mosaic" in bug and "KeyError: 'x'" in bug and "--debug" in bug and "report" in bug


def test_an_interrupt_says_that_work_is_kept(monkeypatch):
    def stop():
        raise KeyboardInterrupt

    monkeypatch.setattr("mosaic.profiles.profile.profile_names", stop)
    done = mosaic("profiles")
    assert done.returncode == 130 and "interrupted; finished work is kept and the same command resumes" in done.stderr


def test_a_study_runs_without_notebooks_and_records_the_same_numbers(tmp_path):
    """The command gives what the book's run gave; the names of factors aside, which take a pass over many texts."""
    profile = yaml.safe_load((FOLDER / "mini.yml").read_text(encoding="utf-8")) | {"truth": False}
    (tmp_path / "own.yml").write_text(yaml.safe_dump(profile))
    done = mosaic("study", "text_to_features", "--profile", "own.yml", "--figure", "f.svg", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "text_to_features.n_latents" in done.stdout and "recorded in results/own/text_to_features" in done.stdout
    values = json.loads((tmp_path / "results" / "own" / "text_to_features.json").read_text())["values"]
    shipped = json.loads((FOLDER.parent.parent / "results" / "mini" / "text_to_features.json").read_text())["values"]
    assert {key: values[key] for key in ("l0", "n_tokens", "n_latents")} == {
        key: shipped[key] for key in ("l0", "n_tokens", "n_latents")
    }
    again = mosaic("study", "text_to_features", "--profile", "own.yml", "--figure", "g.svg", cwd=tmp_path)
    assert again.returncode == 0 and (tmp_path / "g.svg").read_bytes() == (tmp_path / "f.svg").read_bytes()


@pytest.mark.parametrize(
    "arguments,message",
    [
        (["layer"], "there is no study 'layer'; the nearest are layers"),
        (["truth", "--profile", "minilm"], "truth does not apply to profile minilm, which lacks texts whose factors"),
        (["what_moves_it", "--profile", "gemma-2-2b"], "SAEs that vary in more than their seed"),
        (["layers", "--figure", "a.gif"], "--figure is 'a.gif'; a name that ends in .svg, .png, .pdf was expected"),
    ],
)
def test_a_study_that_cannot_run_says_why(tmp_path, arguments, message):
    done = mosaic("study", *arguments, cwd=tmp_path)
    assert done.returncode == 1 and message in done.stderr


def test_closed_streams_are_no_bug(monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    cli._prepare_streams()
    assert sys.stdout.isatty() is False
