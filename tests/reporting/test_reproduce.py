"""`mosaic reproduce` from its call to the notebooks: the device it hands on, and what a kill leaves behind."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from commands import mosaic

from mosaic.reporting import reproduce

ROOT = Path(__file__).parents[2]
NOTEBOOK = """# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %%
import time
from pathlib import Path
from mosaic.reporting import results

with open("log", "a") as log:
    print("{name} begins", file=log)
while {waits} and Path("wait").exists():
    time.sleep(0.05)
results.record(profile, "{name}", {{"value": 1.5}});
print(device)
"""


@pytest.fixture
def clone(tmp_path):
    """A folder that `reproduce` takes for the project's: three notebooks, the second of which waits while it is told to."""
    for folder in ("notebooks", "book"):
        (tmp_path / folder).mkdir()
    for i, name in enumerate(("one", "two", "three"), 1):
        text = NOTEBOOK.format(name=name, waits=name == "two")
        (tmp_path / "notebooks" / f"0{i}_{name}.py").write_text(text)
    return tmp_path


def test_every_notebook_gets_the_device(clone, monkeypatch):
    asked, handed = [], []
    monkeypatch.setattr("mosaic.models.opening.check_device", asked.append)
    monkeypatch.setattr(reproduce, "fingerprint", lambda profile: "shared")
    monkeypatch.setattr(reproduce, "run_notebook", lambda source, given, *_: handed.append((source.stem, given)) or "")
    done = mosaic("reproduce", "--no-book", "--device", "cuda:7", cwd=clone)
    assert done.returncode == 0, done.stderr
    assert asked == ["cuda:7"]
    assert handed == [(n, {"profile": "mini", "device": "cuda:7"}) for n in ("01_one", "02_two", "03_three")]


def test_the_playground_is_made_before_the_book_and_only_for_it(clone, monkeypatch):
    def executed(source, given, folder, *_):
        (clone / folder).mkdir(parents=True, exist_ok=True)
        (clone / folder / f"{source.stem}.ipynb").touch()
        return ""

    order = []
    monkeypatch.setattr(reproduce, "fingerprint", lambda profile: "shared")
    monkeypatch.setattr(reproduce, "run_notebook", executed)
    monkeypatch.setattr(reproduce, "build_book", lambda *given: order.append("book") or "index.html")
    monkeypatch.setattr("mosaic.playground.build.build", lambda profile: order.append(f"playground of {profile.name}"))
    assert mosaic("reproduce", "--no-book", "--at-once", "1", cwd=clone).returncode == 0 and order == []
    assert mosaic("reproduce", "--at-once", "1", cwd=clone).returncode == 0
    assert order == ["playground of mini", "book"]


def test_pages_of_every_latent_without_a_site_are_refused(clone):
    done = mosaic("reproduce", "--no-book", "--every-latent", cwd=clone)
    assert done.returncode == 1 and "leave --no-book out, or leave --every-latent out" in done.stderr


def test_a_device_that_is_not_here_is_said_before_any_notebook(clone, monkeypatch):
    monkeypatch.setattr(reproduce, "run_notebook", lambda *_: pytest.fail("a notebook ran"))
    done = mosaic("reproduce", "--device", "tpu", cwd=clone)
    assert done.returncode == 1 and "error: device 'tpu' is not here" in done.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("[0-9]*.py")), ids=lambda path: path.stem)
def test_every_notebook_of_the_book_takes_a_device(path):
    (cell,) = re.findall(r'^# %% tags=\["parameters"\]\n(.*?)(?=^# %%)', path.read_text(encoding="utf-8"), re.S | re.M)
    assert re.search(r'(?m)^device = "cpu"$', cell)


def untimed(path):
    """A file's bytes, without how long its notebook took."""
    return re.sub(rb'"seconds": [0-9.]+', b"", path.read_bytes())


def until(true, process, seconds=120):
    end = time.monotonic() + seconds
    while not true() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    assert true(), "it did not come so far"


def test_killed_inside_a_chapter_it_goes_on_from_there_to_the_same_bytes(clone):
    """kill -9 while the second of three runs: the first is not run again, and nothing differs from a run never killed."""
    command = [sys.executable, "-m", "mosaic", "reproduce", "--no-book", "--at-once", "1"]
    log, executed = clone / "log", clone / "build" / "executed" / "mini"
    (clone / "wait").touch()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=clone, start_new_session=True, **quiet)
    until(lambda: log.exists() and "two begins" in log.read_text(), process)
    os.killpg(process.pid, signal.SIGKILL)  # the notebook's kernel with it
    process.wait()
    (clone / "wait").unlink()
    assert (executed / "01_one.ipynb").is_file() and not (executed / "02_two.ipynb").exists()
    assert subprocess.run(command, cwd=clone, **quiet, check=False).returncode == 0
    assert log.read_text().split("\n")[:-1] == [f"{name} begins" for name in ("one", "two", "two", "three")]
    kept = {path.relative_to(clone): untimed(path) for path in [*executed.iterdir(), *clone.glob("results/*/*")]}
    assert len(kept) == 3 * 3, "what was killed leaves no litter"
    for path in kept:
        (clone / path).unlink()
    assert subprocess.run(command, cwd=clone, **quiet, check=False).returncode == 0
    assert {path: untimed(clone / path) for path in kept} == kept


def test_notebooks_run_side_by_side_to_the_same_bytes(clone):
    """The second waits for a word of the third, which it never gets where one has to end before the next begins."""
    second = clone / "notebooks" / "02_two.py"
    second.write_text(
        second.read_text().replace('while True and Path("wait")', 'while not Path("results/mini/three.json")')
    )
    done = mosaic("reproduce", "--no-book", cwd=clone)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
    assert sorted(line.split()[:2] for line in lines) == [
        [f"[{i}/3]", f"0{i}_{n}"] for i, n in enumerate(("one", "two", "three"), 1)
    ]
    executed = clone / "build" / "executed" / "mini"
    kept = {path.name: untimed(path) for path in executed.iterdir()}
    assert len(kept) == 6
    for path in executed.iterdir():
        path.unlink()
    assert mosaic("reproduce", "--no-book", "--at-once", "1", cwd=clone).returncode == 0
    assert {path.name: untimed(path) for path in executed.iterdir()} == kept


def test_side_by_side_a_notebook_that_fails_ends_the_run_with_its_error(clone):
    (clone / "wait").touch()  # the second would wait for ever
    third = clone / "notebooks" / "03_three.py"
    third.write_text(third.read_text() + "\nraise ValueError('no such thing')\n")
    done = mosaic("reproduce", "--no-book", "--at-once", "3", cwd=clone)
    assert done.returncode == 1 and "03_three.py failed: ValueError: no such thing" in done.stderr
    assert done.stderr.count("error:") == 1


@pytest.mark.parametrize(("device", "parameters", "cores", "n"), [
    ("cpu", 1000, 2, 2), ("cpu", 1000, 1, 1), ("cuda", 1000, 2, 1), ("cpu", 2_000_000_000, 16, 1),
])  # fmt: skip
def test_two_models_are_opened_only_where_they_are_small(device, parameters, cores, n, monkeypatch):
    monkeypatch.setattr(reproduce, "cores", lambda: cores)
    shape = SimpleNamespace(n_layers=2, parameters=parameters, embedding=10)
    assert reproduce.fitting(SimpleNamespace(shape=shape), device) == n
