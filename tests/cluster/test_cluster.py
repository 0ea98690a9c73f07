"""The book as jobs: on a real Slurm of three nodes, with a lost node, a controller started again and Snakemake killed.

Everything finishes, nothing that was finished runs again, and the files of results are those of one machine, byte for byte.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cluster.loopback import Slurm, can_run

from mosaic.profiles.profile import load_profile
from mosaic.studies.problems import read_sets

ROOT = Path(__file__).parent.parent.parent
SNAKEMAKE = Path(sys.executable).parent / "snakemake"
CHAPTERS = ("03_text_to_features", "07_pooling")
PROFILE = """
title: a cluster's test
model: {id: weights/mini/mini-small, max_length: 128}
shape: {n_layers: 6, d_model: 128, parameters: 197120, embedding: 524288}
saes: [{layer: 3, width: 1k, path: weights/mini/saes-small/layer_3_width_1k_seed_0}]
middle: 3
width: 1k
poolings: [sum, mean, max, last, count, top20]
datasets: [mini/stance, {name: mini/sentiment, language: en}]
max_train: 40
max_test: 24
"""
CONFIG = f"""
profile: small.yml
chapters: [{", ".join(CHAPTERS)}]
pairs: {{seeds: [weights/layer_3_width_1k_seed_0, weights/layer_3_width_1k_seed_1]}}
threads: 1
"""
QUICK = [
    "--configfile=cluster.yml",
    "--jobs=3",
    "--latency-wait=15",
    "--seconds-between-status-checks=2",
    "--slurm-init-seconds-before-status-checks=2",
    "--default-resources",
    "cpus_per_task=1",
    "mem_mb=1500",
    "runtime=10m",
]
pytestmark = pytest.mark.skipif(not SNAKEMAKE.is_file(), reason="Snakemake is not installed here: make .venv/.cluster")


@pytest.fixture
def project(tmp_path):
    """The project's folder as a cluster's nodes share it, without what is built."""
    for name in ("notebooks", "book", "workflow"):
        shutil.copytree(ROOT / name, tmp_path / "shared" / name)
    folder = tmp_path / "shared"
    (folder / "small.yml").write_text(PROFILE)
    (folder / "cluster.yml").write_text(CONFIG)
    seeds = ROOT / "mosaic" / "weights" / "mini" / "seeds"
    found = sorted(path.parent for path in seeds.rglob("cfg.json"))[:2]
    for number, sae in enumerate(found):
        shutil.copytree(sae, folder / "weights" / f"layer_3_width_1k_seed_{number}")
    return folder


def environment(**more: str) -> dict:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "LOKY_MAX_CPU_COUNT": "1", **more}


def finished(project: Path) -> set[str]:
    """Steps that Snakemake has files of."""
    return {path.stem for path in (project / "build" / "jobs").rglob("*.*") if path.is_file()}


def computed(project: Path) -> dict[str, int]:
    """{executed notebook or rows of features: when it was made}. (What Snakemake had no time to note it asks for again;
    a finished notebook then says that it is unchanged.)"""
    paths = [
        *(project / "build" / "executed").rglob("[01]*.ipynb"),
        *(project / "build" / "cache").rglob("*.safetensors"),
    ]
    return {str(path): path.stat().st_mtime_ns for path in paths if not path.name.endswith(".running.ipynb")}


def snakemake(project: Path, slurm: Slurm, *more: str) -> subprocess.Popen:
    command = [
        SNAKEMAKE,
        "--snakefile",
        "workflow/Snakefile",
        "--workflow-profile",
        "workflow/profiles/slurm",
        *QUICK,
        *more,
    ]
    with (project / "snakemake.log").open("a") as log:
        return subprocess.Popen(
            list(map(str, command)),
            cwd=project,
            env=environment(**slurm.environment),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


@contextlib.contextmanager
def started(slurm: Slurm):
    """Slurm, up; skipped where the system does not let a user start one (what fails later, fails)."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(slurm)
        except TimeoutError as error:
            slurm.__exit__()
            pytest.skip(f"Slurm does not start here: {error}")
        yield slurm


def wait_for(holds, seconds: float, what: str, project: Path):
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        log = (project / "snakemake.log").read_text()[-3000:] if (project / "snakemake.log").exists() else ""
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} s\n{log}"
        time.sleep(0.2)
    return found


@pytest.mark.parametrize("more", [(), ("--config", "chapters=", "pairs=")], ids=["defaults", "keys without values"])
def test_every_set_and_chapter_of_the_default_profile_is_a_job(project, more):
    command = [
        SNAKEMAKE,
        "--snakefile",
        "workflow/Snakefile",
        "--workflow-profile",
        "workflow/profiles/local",
        "--dry-run",
        *more,
    ]
    done = subprocess.run(command, cwd=project, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    counts = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE))
    mini = load_profile("mini")
    assert counts["features"] == str(len(read_sets(mini))) == "22" and counts["chapter"] == str(
        len(list((ROOT / "notebooks").glob("[0-9]*.py")))
    )
    assert counts["claims"] == counts["book"] == "1" and "match" not in counts


@pytest.mark.parametrize(
    ("arguments", "end"),
    [
        ((), "--config profile=mini"),
        (("PROFILE=minilm",), "--config profile=minilm"),
        (("CONFIG=mine.yml",), "--configfile mine.yml"),
        (("CONFIG=mine.yml", "PROFILE=minilm"), "--configfile mine.yml --config profile=minilm"),
    ],
)
def test_a_profile_that_is_given_has_the_last_word(arguments, end):
    # A make that make itself started says which folder it enters, and takes its caller's variables.
    alone = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAKE", "MFLAGS", "PROFILE", "CONFIG"))
    }
    command = ["make", "--no-print-directory", "--dry-run", "cluster", *arguments]
    told = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, check=True, timeout=60)
    assert " ".join(told.stdout.split()).endswith(end)


@pytest.mark.skipif(not can_run(), reason="Slurm (slurm-wlm, munge) is not installed here")
@pytest.mark.timeout(580)
def test_a_lost_node_a_new_controller_and_a_killed_snakemake(project, tmp_path):
    alone = tmp_path / "alone"
    shutil.copytree(project, alone)
    with started(Slurm(tmp_path / "slurm", 3)) as slurm:
        first = snakemake(project, slurm)
        # A node is lost in the middle of a job; Slurm gives its job to another.
        node = wait_for(lambda: next(iter(slurm.jobs()), None), 120, "a running job", project)
        time.sleep(3)
        slurm.kill(node)
        slurm.start_node(node)
        # The controller goes, and comes back with what it had written.
        wait_for(lambda: len(finished(project)) >= 3, 240, "the features and the pair", project)
        wait_for(slurm.jobs, 120, "a chapter's job", project)
        slurm.kill("slurmctld")
        slurm.start_controller()
        # Snakemake is killed. What it started is cancelled, as the page on clusters says, and it is started again.
        wait_for(lambda: any(name in finished(project) for name in CHAPTERS), 240, "a chapter", project)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        (run_id,) = re.findall(r"SLURM run ID: (\S+)", (project / "snakemake.log").read_text())
        slurm.cancel("--name", run_id)
        before = computed(project)
        assert before and "claims" not in finished(project), "it was killed too late to say anything"
        unlocked = snakemake(project, slurm, "--unlock")
        assert unlocked.wait(60) == 0, (project / "snakemake.log").read_text()[-2000:]
        again = snakemake(project, slurm)
        code = again.wait(240)
        assert code == 0, (project / "snakemake.log").read_text()[-4000:]
        after = computed(project)
    assert finished(project) == {"seeds", "claims", "mini-stance", "mini-sentiment-en", *CHAPTERS}
    assert {path: after.get(path) for path in before} == before, "what was finished ran again"
    assert not list(project.rglob("*.tmp")), "something half written was left"
    only = [argument for name in CHAPTERS for argument in ("--only", name)]
    command = [
        sys.executable,
        "-m",
        "mosaic",
        "reproduce",
        "--profile",
        "small.yml",
        "--no-book",
        "--at-once",
        "1",
        *only,
    ]
    subprocess.run(command, cwd=alone, env=environment(), check=True, capture_output=True, timeout=240)
    names = sorted(path.name for path in (alone / "results" / "small").glob("*.json"))
    assert len(names) == len(CHAPTERS)
    for name in names:
        here, there = (root / "results" / "small" / name for root in (alone, project))
        assert here.read_bytes() == there.read_bytes(), f"{name} differs from one machine's"
