"""The fault campaign: what a killed process, a full disk, a damaged file or a strange input must not break.

`python tests/faults.py --long` runs all of it and writes results/faults.json, which the book shows; the suite runs a
short one (tests/test_faults.py). Every fault states what must hold and counts the tries in which it held.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(Path(__file__).parent))
TEXTS = 400  # of one extraction
KILLS_A_CACHE = 5


@dataclass(frozen=True)
class Outcome:
    """tries: how often the fault was made. held: in how many of them what must hold did. first: what broke first."""

    fault: str
    must: str
    tries: int
    held: int
    first: str = ""


@dataclass(frozen=True)
class Bench:
    """A small model with an SAE, a profile that names them, labelled rows: all that the faults are tried on."""

    root: Path
    model: Path
    sae: Path

    @property
    def profile(self) -> Path:
        return self.root / "own.yml"

    @property
    def reviews(self) -> Path:
        return self.root / "reviews.csv"

    @classmethod
    def at(cls, root: Path) -> Bench:
        import torch
        from conftest import _config, _tokenizer, sae_folder
        from transformers import AutoModel

        model = root / "tiny-llama"
        torch.manual_seed(1)
        AutoModel.from_config(_config("llama")).save_pretrained(model)
        _tokenizer("llama").save_pretrained(model)
        bench = cls(root, model, sae_folder(root, "jumprelu", d_sae=128))
        bench.profile.write_text(bench.profile_text())
        rows = [f"the {'good happy' if i % 2 else 'bad sad'} film {i % 9},{i % 2}" for i in range(60)]
        bench.reviews.write_text("\n".join(["text,label", *rows]))
        return bench

    def profile_text(self, **changes: str) -> str:
        """The profile as YAML, with some of its lines replaced."""
        lines = {
            "title": "tiny",
            "model": f"{{id: {self.model}, max_length: 48}}",
            "shape": "{n_layers: 4, d_model: 64, parameters: 30000, embedding: 4096}",
            "saes": f'[{{layer: 2, width: "128", path: {self.sae}}}]',
            "middle": "2",
            "width": '"128"',
            "poolings": "[sum, max]",
            "datasets": "[]",
        }
        return "\n".join(f"{key}: {value}" for key, value in {**lines, **changes}.items()) + "\n"


# --- processes that are killed -------------------------------------------------------------------------------------


def tables(bench: Bench, cache: Path | None, first: int = 0, n: int = TEXTS) -> list:
    """Matrices of some texts' tables, through the cache."""
    import torch
    from conftest import sentences

    from mosaic.features import extract
    from mosaic.models.language import ModelSpec
    from mosaic.models.opening import open_model
    from mosaic.saes.loading import load_encoder
    from mosaic.saes.source import SAESource

    torch.set_num_threads(1)
    lm = open_model(ModelSpec(str(bench.model), max_length=48))
    encoder = load_encoder(SAESource(2, "128", path=str(bench.sae)), "tiny", 64)
    request = extract.Request((encoder,), (2,), ("sum", "max"), token_budget=64)
    return [table.matrix for table in extract.extract(sentences(first + n, seed=6)[first:], lm, request, cache)]


def extraction(bench: Bench, cache: Path | None, first: int = 0, n: int = TEXTS) -> list[str]:
    """Digests of the same: equal for equal bytes."""
    found = tables(bench, cache, first, n)
    return [hashlib.sha256(b"".join(x.tobytes() for x in (m.data, m.indices, m.indptr))).hexdigest() for m in found]


def close(found, expected) -> bool:
    """Whether matrices are equal but for the last bits, which depend on the texts that share a batch."""
    return not isinstance(found, str) and all(
        np.allclose(a.toarray(), b.toarray(), rtol=1e-4, atol=1e-4) for a, b in zip(found, expected, strict=True)
    )


def _work(bench: Bench, cache: Path, first: int, pipe, what: Callable) -> None:
    from mosaic.features import plan

    plan.SHARD_TOKENS = 150  # many small shards, so that a kill leaves some
    pipe.send("ready")
    try:
        pipe.send(what(bench, cache, first))
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")


def _start(bench: Bench, cache: Path, first: int = 0, what: Callable = extraction):
    """A process that extracts, at work when this returns, and the pipe its answer comes through."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "transformers", "mosaic.features.extract", "conftest"])
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(bench, cache, first, theirs, what))
    process.start()
    theirs.close()
    ours.recv()
    return process, ours


def kills(bench: Bench, n: int) -> Outcome:
    """SIGKILL at random moments; the next run ends with the bytes of one that was never killed."""
    expected = extraction(bench, None)
    rng = np.random.default_rng(0)
    held, first = 0, ""
    with tempfile.TemporaryDirectory() as folder:
        process, answer = _start(bench, Path(folder) / "whole")
        start = time.monotonic()
        answer.recv()
        lasts = time.monotonic() - start
        process.join()
        for start in range(0, n, KILLS_A_CACHE):
            cache, tried = Path(folder) / f"killed {start}", min(KILLS_A_CACHE, n - start)
            for _ in range(tried):
                process, _answer = _start(bench, cache)
                time.sleep(rng.uniform(0, lasts))
                process.kill()
                process.join()
            process, answer = _start(bench, cache)
            got = answer.recv()
            process.join()
            left = list(cache.rglob("*.part*")) + list(cache.rglob("*.tmp"))
            if got == expected and not [path for path in left if path.suffix != ".tmp"]:
                held += tried
            else:
                first = first or f"{got} against {expected}; left {left[:3]}"
    return Outcome(
        "kill -9 of an extraction, at a random moment", "the next run ends with the same bytes", n, held, first
    )


def crowd(bench: Bench, rounds: int, killed: bool = False) -> Outcome:
    """Four processes extract overlapping texts into one cache at once."""
    offsets = (0, 0, 100, 200)
    expected = {offset: tables(bench, None, offset) for offset in set(offsets)}
    held, first = 0, ""
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            workers = [_start(bench, Path(folder) / "cache", offset, tables) for offset in offsets]
            if killed:
                time.sleep(0.05 * number % 0.5)
                workers[0][0].kill()
            got = []
            for (process, answer), offset in zip(workers, offsets, strict=True):
                with contextlib.suppress(EOFError):
                    got.append((offset, answer.recv()))
                process.join()
            wrong = [result for offset, result in got if not close(result, expected[offset])]
            again = tables(bench, Path(folder) / "cache")
            if not wrong and close(again, expected[0]) and len(got) >= len(offsets) - killed:
                held += 1
            else:
                first = first or str(wrong or again)
    what = "four processes on one cache" + (", one of them killed" if killed else "")
    return Outcome(what, "each gets what it would have got alone", rounds, held, first)


# --- damaged files -------------------------------------------------------------------------------------------------


def _flip(path: Path, rng) -> None:
    content = bytearray(path.read_bytes())
    content[rng.integers(len(content))] ^= 1 << rng.integers(8)
    path.write_bytes(content)


def _cut(path: Path, rng) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: rng.integers(len(content))])


def _swap(path: Path, rng) -> None:
    others = [p for p in path.parent.parent.rglob("*.safetensors") if p.parent != path.parent]
    shutil.copy(others[rng.integers(len(others))], path)


def _folder(path: Path, rng) -> None:
    path.unlink()
    path.mkdir()


DAMAGE: dict[str, Callable] = {
    "a bit of a shard flipped": _flip,
    "a shard cut short": _cut,
    "a shard deleted": lambda path, rng: path.unlink(),
    "another table's shard in its place": _swap,
    "a folder in a shard's place": _folder,
}


def damage(bench: Bench, n: int) -> Iterator[Outcome]:
    """A shard of a finished cache is spoiled; the next run notices and computes its texts again."""
    from mosaic.errors import MosaicError

    expected = extraction(bench, None, n=60)
    for name, spoil in DAMAGE.items():
        rng, held, first = np.random.default_rng(1), 0, ""
        with tempfile.TemporaryDirectory() as folder:
            extraction(bench, Path(folder), n=60)
            for _ in range(n):
                shards = sorted(path for path in Path(folder).rglob("*.safetensors") if path.is_file())
                spoil(shards[rng.integers(len(shards))], rng)
                try:
                    got = extraction(bench, Path(folder), n=60)
                except MosaicError as error:  # only a folder may need the user's hand
                    got = expected if spoil is _folder and folder in str(error) else str(error)
                    shutil.rmtree(folder)
                    extraction(bench, Path(folder), n=60)
                held += got == expected
                first = first or ("" if got == expected else str(got))
        yield Outcome(name, "noticed; the same numbers again", n, held, first)


# --- a full disk ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(kilobytes: int) -> Iterator[Path | None]:
    """A file system of this size; None where none may be mounted."""
    folder = tempfile.mkdtemp()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder]
    mounted = shutil.which("mount") and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield Path(folder) if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", folder], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def full_disk(bench: Bench) -> Iterator[Outcome]:
    """The cache's disk fills up: one message, and with room again the run goes on to the same numbers."""
    from mosaic.errors import MosaicError

    expected = extraction(bench, None)
    with small_disk(160) as disk:
        if disk is None:
            return
        try:
            said = str(extraction(bench, disk / "cache"))
        except MosaicError as error:
            said = str(error)
        named = str(disk) in said and "space" in said
        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        got = extraction(bench, disk / "cache")
        yield Outcome(
            "the cache's disk is full",
            "the message names the path; with room again, the same numbers",
            1,
            int(named and got == expected),
            "" if named and got == expected else said,
        )
    with small_disk(4096) as disk:
        extraction(bench, disk / "cache", n=60)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        whole = extraction(bench, disk / "cache", n=60) == extraction(bench, None, n=60)
        try:
            said = str(extraction(bench, disk / "cache", n=90))
        except MosaicError as error:
            said = str(error)
        held = whole and str(disk) in said and "read-only" in said.lower()
        yield Outcome(
            "a cache that can only be read",
            "serves what it has; says so where a text is missing",
            1,
            int(held),
            "" if held else said,
        )
    with small_disk(64) as disk:
        (disk / "filler").write_bytes(b"x" * 60_000)
        with contextlib.suppress(OSError):
            (disk / "filler 2").write_bytes(b"x" * 60_000)
        code, _, err = command_line(
            ["probe", bench.reviews, "--profile", bench.profile, "--json", disk / "rows.json"], bench.root
        )
        held = code == 1 and str(disk) in err and "Traceback" not in err
        yield Outcome("the disk of --json is full", "said before the work, or the table is printed", 1, int(held), err)


# --- strange inputs ------------------------------------------------------------------------------------------------


def command_line(arguments, cwd: Path, **environment: str) -> tuple[int, str, str]:
    """(exit code, output, errors) of `mosaic ...`, run in this process."""
    from mosaic import cli

    out, err = io.StringIO(), io.StringIO()
    before, argv, variables = Path.cwd(), sys.argv, dict(os.environ)
    os.chdir(cwd)
    sys.argv = ["mosaic", *map(str, arguments)]
    os.environ.update(environment)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
        code = 0
    except SystemExit as stop:
        code = stop.code or 0
    finally:
        os.chdir(before)
        sys.argv = argv
        os.environ.clear()
        os.environ.update(variables)
    return code, out.getvalue(), err.getvalue()


@dataclass(frozen=True)
class Strange:
    """An input and what the command must say of it. says: a pattern of the message (or output). code: of the exit."""

    name: str
    make: Callable[[Bench, Path], list]
    says: str
    code: int = 1


def _file(name: str, content: str | bytes, *extra) -> Callable[[Bench, Path], list]:
    """A labelled file with this content, probed."""

    def make(bench: Bench, folder: Path) -> list:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        return ["probe", path, "--profile", bench.profile, "--cache", folder / "cache", *extra]

    return make


def _profile(**changes: str) -> Callable[[Bench, Path], list]:
    def make(bench: Bench, folder: Path) -> list:
        (folder / "p.yml").write_text(bench.profile_text(**changes), encoding="utf-8")
        return ["probe", bench.reviews, "--profile", folder / "p.yml", "--cache", folder / "cache"]

    return make


def _sae(change: Callable[[Path], None], **fields: str) -> Callable[[Bench, Path], list]:
    """The bench's SAE, changed, in a profile of its own."""

    def make(bench: Bench, folder: Path) -> list:
        copy = folder / "sae"
        shutil.copytree(bench.sae, copy)
        change(copy)
        entry = {"layer": "2", "width": '"128"', "path": str(copy), **fields}
        saes = "[{" + ", ".join(f"{key}: {value}" for key, value in entry.items()) + "}]"
        return _profile(saes=saes)(bench, folder)

    return make


def _weights(**changes) -> Callable[[Path], None]:
    """Change an SAE folder's tensors: name -> function of the tensor, or None to drop it."""

    def change(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        path = folder / "sae_weights.safetensors"
        state = load_file(path)
        for name, value in changes.items():
            if value is None:
                del state[name]
            else:
                state[name] = value(state[name]).contiguous()
        save_file(state, path)

    return change


def _config(**changes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "cfg.json"
        config = json.loads(path.read_text())
        for name, value in changes.items():
            if value is None:
                config.pop(name, None)
            elif isinstance(value, dict):
                config[name] = {**(config.get(name) or {}), **value}
            else:
                config[name] = value
        path.write_text(json.dumps(config))

    return change


def _rows(labels: list, text: str = "the cat {i}", key: str = "text") -> str:
    texts = (text.format(i=i, more="\U0001f600" * i) for i in range(len(labels)))
    return "\n".join(json.dumps({key: text, "label": label}) for text, label in zip(texts, labels, strict=True))


def _uneven(bench: Bench, folder: Path, latents: int = 100) -> Path:
    """The bench's SAE with 100 rows in its decoder and 128 columns in its encoder; with 0 latents, none in both."""
    shutil.copytree(bench.sae, folder / "uneven")
    kept = {"W_dec": lambda x: x[:latents]} | ({} if latents else {"W_enc": lambda x: x[:, :0]})
    _weights(**kept)(folder / "uneven")
    return folder / "uneven"


def _own(bench: Bench, folder: Path, target: str) -> list:
    """A probe that is to write its rows over one of the files that it reads."""
    for path in (bench.reviews, bench.profile):
        shutil.copy(path, folder)
    read = ["probe", folder / "reviews.csv", "--profile", folder / "own.yml"]
    return [*read, "--json", folder / target, "--cache", folder / "c"]


def _planned(bench: Bench, folder: Path, **changes: str) -> list:
    (folder / "p.yml").write_text(bench.profile_text(**changes), encoding="utf-8")
    return ["plan", "--profile", folder / "p.yml"]


TWO = ["a", "b"] * 20
GOOD = "text,label\n" + "\n".join(f"the cat {i},{'ab'[i % 2]}" for i in range(40))
STRANGE = (
    # texts and labels
    Strange("no file", lambda b, f: ["probe", f / "nope.csv", "--profile", b.profile], "does not exist"),
    Strange("an empty file", _file("x.csv", ""), "is empty"),
    Strange("UTF-16 in a .csv", _file("x.csv", GOOD.encode("utf-16")), "UTF-16"),
    Strange("gzip in a .csv", _file("x.csv", b"\x1f\x8b\x08\x00" + bytes(40)), "gzip"),
    Strange("Latin-1 in a .csv", _file("x.csv", "text,label\ncaf\xe9,a\n".encode("latin1")), "line 2.*not UTF-8"),
    Strange("semicolons in a .csv", _file("x.csv", GOOD.replace(",", ";")), "';'|semicolon"),
    Strange("a ragged line", _file("x.csv", GOOD + "\none,two,three\n"), "line 42: 3 fields"),
    Strange("a lone surrogate", _file("x.jsonl", '{"text": "a \\ud800 b", "label": "a"}\n' + _rows(TWO)), "line 1|row 0"),
    Strange("brackets, 100,000 deep", _file("x.jsonl", "[" * 100_000), "line 1"),
    Strange("a number of 5,000 digits", _file("x.jsonl", '{"text": "a", "label": ' + "9" * 5000 + "}"), "line 1"),
    Strange("blank lines with CR LF", _file("x.jsonl", _rows(TWO).replace("\n", "\r\n") + "\r\n\r\n"), "SAE minus", 0),
    Strange("texts of emoji only", _file("x.jsonl", _rows(TWO, "\U0001f622{more}")), "SAE minus|no tokens", 0),
    Strange("a text of 2 MB", _file("x.jsonl", _rows(TWO) + "\n" + _rows(["a"], "the cat " * 250_000)), "1 of 41 texts", 0),
    Strange("one text in all rows", _file("x.jsonl", _rows(TWO, "\U0001f622")), "cannot be divided"),
    Strange("one class", _file("x.jsonl", _rows(["a"] * 40)), "needs two classes"),
    Strange("three rows in a class", _file("x.jsonl", _rows(["a"] * 40 + ["b"] * 3)), "fewer than"),
    Strange("five rows in a class", _file("x.jsonl", _rows(["a"] * 40 + ["b"] * 5)), "rows|SAE minus", -1),
    Strange(
        "two groups",
        _file("x.jsonl", "\n".join(json.dumps({"text": f"t {i}", "label": "ab"[i % 2], "g": i // 20}) for i in range(40)), "--group", "g"),
        "group",
        -1,
    ),
    Strange("escapes in a label", _file("x.jsonl", _rows(["a", "z\x1b[31mred"] * 20)), "z.*red", 0),
    Strange("labels that look alike", _file("x.jsonl", _rows(["pos", "pos ", "neg", "neg"] * 10)), "'pos '", -1),
    Strange("escapes in a column", _file("x.jsonl", _rows(TWO, key="\x1b]0;owned\x07")), "no column 'text'"),
    Strange("markup in a label", _file("x.jsonl", _rows(["[/bold]", "[red]b"] * 20)), r"\[red\]b", 0),
    # profiles
    Strange("saes: 3", _profile(saes="3"), "saes"),
    Strange("layer: one", _profile(saes="[{layer: one, width: '128', path: x}]"), "layer.*one|one.*layer"),
    Strange("dtype: float33", _profile(model="{id: x, dtype: float33}"), "float33"),
    Strange("poolings: max", _profile(poolings="max"), "poolings|SAE minus", -1),
    Strange("poolings: best", _profile(poolings="[best]"), "unknown pooling 'best'"),
    Strange("an unknown key", _profile(colour="red"), "no key 'colour'"),
    Strange(
        "a profile in Latin-1",
        lambda b, f: [(f / "p.yml").write_bytes("title: caf\xe9\n".encode("latin1")), ["plan", "--profile", f / "p.yml"]][1],
        "UTF-8",
    ),
    Strange("a layer the model lacks", _profile(saes='[{layer: 9, width: "128", path: SAE}]'), "SAE|layer 9"),
    # SAEs
    Strange("an SAE of another layer", _sae(_config(metadata={"hook_name": "layers.3"})), "layers.3"),
    Strange("an SAE of another model", _sae(_config(metadata={"model_name": "other"})), "trained on other"),
    Strange("a wrong width name", _sae(lambda folder: None, width='"256"'), "128"),
    Strange("weights that are NaN", _sae(_weights(W_enc=lambda x: x * float("nan"))), "NaN|finite"),
    Strange("weights that are zero", _sae(_weights(W_enc=lambda x: x * 0)), "zero"),
    Strange("shapes that do not fit", _sae(_weights(W_enc=lambda x: x[:, :100])), "100"),
    Strange("no b_enc", _sae(_weights(b_enc=None)), "b_enc"),
    Strange("no architecture", _sae(_config(architecture=None)), "architecture"),
    Strange("a broken cfg.json", _sae(lambda folder: (folder / "cfg.json").write_text("{")), "cfg.json|cannot be read"),
    Strange(
        "cut weights",
        _sae(lambda f: (f / "sae_weights.safetensors").write_bytes((f / "sae_weights.safetensors").read_bytes()[:500])),
        "cannot be read|sae_weights",
    ),
    Strange("no such SAE", _profile(saes='[{layer: 2, width: "128", path: nowhere}]'), "nowhere"),
    Strange("match of unequal shapes", lambda b, f: ["match", b.sae, _uneven(b, f)], "100"),
    # places and machines
    Strange(
        "--json where nothing can be written",
        lambda b, f: ["probe", b.reviews, "--profile", b.profile, "--json", "/proc/rows.json", "--cache", f / "c"],
        "/proc/rows.json",
    ),
    Strange("no such device", lambda b, f: ["probe", b.reviews, "--profile", b.profile, "--device", "tpu9"], "tpu9"),
    Strange("--device cuda without one", lambda b, f: ["probe", b.reviews, "--profile", b.profile, "--device", "cuda"], "cuda"),
    Strange("--cache is a file", lambda b, f: ["probe", b.reviews, "--profile", b.profile, "--cache", b.reviews], "reviews.csv"),
    Strange("--out is a file", lambda b, f: ["extract", b.reviews, "--profile", b.profile, "--out", b.reviews, "--cache", f], "reviews.csv"),
    Strange("--json is a folder", lambda b, f: ["probe", b.reviews, "--profile", b.profile, "--json", f, "--cache", f / "c"], "folder"),
    Strange(
        "a path with [/]",
        lambda b, f: ["extract", b.reviews, "--profile", b.profile, "--out", f / "a[" / "]b", "--cache", f / "c"],
        r"a\[/\]b",
        0,
    ),
    # found by a hostile tester after the first campaign
    Strange("labels that differ by a zero-width space", _file("x.jsonl", _rows(["pos", "pos\u200b"] * 20)), "counted as 2 classes", 0),
    Strange("one name twice in a JSON object", _file("x.jsonl", '{"text": "a", "text": "b", "label": "a"}'), "line 1.*'text'.*twice"),
    Strange("an invisible letter in a header", _file("x.csv", "\ufeff\ufeff" + GOOD), r"columns are '\\ufefftext'"),
    Strange("groups that are the labels", _file("x.csv", GOOD, "--group", "label"), "leave the groups out"),
    Strange("--text of no letters", _file("x.csv", GOOD, "--text", ""), "no column ''"),
    Strange("--group of no letters", _file("x.csv", GOOD, "--group", ""), "no column ''"),
    Strange("--json is the input", lambda b, f: _own(b, f, "reviews.csv"), "would be overwritten"),
    Strange("--json is the profile", lambda b, f: _own(b, f, "own.yml"), "would be overwritten"),
    Strange("--json in a matched SAE", lambda b, f: ["match", b.sae, b.sae, "--json", b.sae / "cfg.json"], "would be overwritten"),
    Strange(
        "a pooling asked for twice",
        lambda b, f: ["extract", b.reviews, "--profile", b.profile, "--out", f, "--cache", f / "c", "--poolings", "max,max"],
        "width_128_max",
        0,
    ),
    Strange("a pooling of 5,000 digits", _file("x.csv", GOOD, "--poolings", "top" + "9" * 5000), "unknown pooling 'top9"),
    Strange(
        "two SAEs of one name",
        _profile(saes='[{layer: 2, width: "128", path: a}, {layer: 2, width: "128", path: b}]'),
        "two SAEs have layer 2",
    ),
    Strange("an SAE of no place", _profile(saes='[{layer: 2, width: "128"}]'), "neither a path"),
    Strange("max_length: -5", _profile(model="{id: x, max_length: -5}"), "max_length"),
    Strange("a profile named as a path", _profile(name="../../x"), "cannot be a folder's"),
    Strange("plan without SAEs", lambda b, f: _planned(b, f, saes="[]"), "no SAEs"),
    Strange(
        "plan of a number of 400 digits",
        lambda b, f: ["plan", "--profile", b.profile, "--texts", "9" * 400],
        "Invalid value for '--texts'",
        2,
    ),
    Strange("k is infinite", _sae(_config(architecture="topk", k=float("inf"))), "k is inf"),
    Strange("a model's name that is a number", _sae(_config(metadata={"model_name": 3})), "trained on 3"),
    Strange("a layer of 5,000 digits in a hook", _sae(_config(metadata={"hook_name": "layers." + "9" * 5000})), "5000 digits"),
    Strange("a k larger than the width", _sae(_config(architecture="topk", k=129)), "k is 129.*128"),
    Strange("weights that are whole numbers", _sae(_weights(W_enc=lambda x: x.int())), "W_enc holds numbers of kind I32"),
    Strange("a d_in that contradicts the weights", _sae(_config(d_in=65)), "d_in 65.*64"),
    Strange("one key twice in a profile", lambda b, f: _planned(b, f, width='"128"\nwidth: "256"'), "'width' stands twice"),
    Strange("a layer of 400 digits", _profile(middle="9" * 400), "middle.*a number up to"),
    Strange("match of no latents", lambda b, f: ["match", b.sae, _uneven(b, f, 0)], "shape"),
    Strange("an unknown profile", lambda b, f: ["plan", "--profile", "nope"], "unknown profile 'nope'"),
)  # fmt: skip
NEVER = re.compile(r"Traceback|a bug in mosaic|unexpected \w+Error|\x1b[\]\[]0?;?31m|\x07|AssertionError")


def strange_input(bench: Bench, case: Strange) -> str:
    """What is wrong with the answer, or nothing. code -1: refused or done, as long as it says so."""
    with tempfile.TemporaryDirectory() as folder:
        code, out, err = command_line(case.make(bench, Path(folder)), bench.root)
    said = " ".join((err + out).split())
    if NEVER.search(err + out):
        return f"says {NEVER.search(err + out)[0]!r}: {err[-300:]}"
    if code != case.code and not (case.code == -1 and code in (0, 1)):
        return f"ends with {code}: {said[:300]}"
    return "" if re.search(case.says, said) else f"does not say {case.says!r}: {said[:300]}"


def inputs(bench: Bench) -> Iterator[Outcome]:
    for case in STRANGE:
        wrong = strange_input(bench, case)
        must = {0: "works", 1: "one message with the cure, exit 1"}.get(
            case.code, "works, or one message with the cure"
        )
        yield Outcome(case.name, must, 1, int(not wrong), wrong)


# --- the whole -----------------------------------------------------------------------------------------------------


def campaign(bench: Bench, long: bool) -> Iterator[Outcome]:
    yield kills(bench, 100 if long else 4)
    yield crowd(bench, 10 if long else 1)
    if long:
        yield crowd(bench, 10, killed=True)
    yield from damage(bench, 40 if long else 2)
    yield from full_disk(bench)
    yield from inputs(bench)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--long", action="store_true", help="100 kills, ten crowds, forty damages of each kind")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "faults.json")
    chosen = parser.parse_args()
    from mosaic.files import write_atomically

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for outcome in campaign(Bench.at(Path(folder)), chosen.long):
            rows.append(asdict(outcome))
            print(f"{outcome.held:4d} of {outcome.tries:4d}  {outcome.fault}  {outcome.first}", flush=True)
    text = json.dumps({"length": "long" if chosen.long else "short", "rows": rows}, indent=1, ensure_ascii=False)
    write_atomically(chosen.out, (text + "\n").encode())
    broken = [row["fault"] for row in rows if row["held"] < row["tries"]]
    sys.exit(f"broken: {', '.join(broken)}" if broken else 0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    main()
