"""The shipped profiles, unmodified, against a hub of stand-ins: real ids, real layouts, the hub's real clients."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hub.local_hub import Fault, LocalHub
from hub.stand_ins import publish_model, publish_profile, publish_saes, publish_set
from hub.test_faults_of_the_hub import environment_of

from mosaic.profiles.profile import load_profile

PROFILE = "gemma-2-2b"
LAYOUTS = (
    "gpt2",
    "pythia-70m",
    "llama-3.1-8b",
    "gemma-3-270m",
)  # beside Gemma Scope's, which SAELens reads at true size alone
COMPARE = """
import sys, torch
from sae_lens import SAE
from mosaic.profiles.opening import load_model
from mosaic.profiles.profile import load_profile
from mosaic.saes.loading import load_encoder
for name in sys.argv[2:]:
    profile = load_profile(name)
    source, lm = profile.saes[0], load_model(profile)
    mine = load_encoder(source, profile.model.id, lm.d_model, first_layer=profile.model.first_layer)
    x = lm.residuals(lm.tokenize(["the happy cat sat on the red mat ."]).ids, [source.layer])[source.layer][0]
    x = torch.cat([x, 3 * torch.randn(64, lm.d_model)])
    theirs = SAE.from_pretrained(source.release, source.id).encode(x).detach() if sys.argv[1] == "online" else None
    found = torch.from_numpy(mine.encode(x).toarray())
    print(name, found.shape[1], int((found > 0).sum()), 0.0 if theirs is None else float((found - theirs).abs().max()))
"""
READ = """
import sys
from mosaic.texts.sources import load_set
for part in load_set("banking77"):
    print(len(part), part.classes)
"""


def mosaic(hub: LocalHub, home: Path, *arguments: str, cwd=None, **more: str) -> subprocess.CompletedProcess:
    return python(hub, home, "-m", "mosaic", *arguments, cwd=cwd, **more)


def python(hub: LocalHub, home: Path, *arguments: str, cwd=None, **more: str) -> subprocess.CompletedProcess:
    environment = {**environment_of(hub, home), **more}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=400)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Everything that gemma-2-2b reads, and of each other layout a model with its first SAE."""
    root = tmp_path_factory.mktemp("hub")
    publish_profile(root, load_profile(PROFILE))
    for name in LAYOUTS:
        profile = load_profile(name)
        publish_model(root, profile.model.id, profile.shape.n_layers)
        publish_saes(root, replace(profile, saes=profile.saes[:1]))
    with LocalHub(root) as served:
        yield served


@pytest.fixture(scope="module")
def home(hub, tmp_path_factory):
    """A cache into which gemma-2-2b was fetched by a command that was killed first."""
    home = tmp_path_factory.mktemp("home")
    with hub.failing(Fault("hang", path=r"/stored/.*65k", times=1)):
        killed = subprocess.Popen(
            [sys.executable, "-m", "mosaic", "fetch", "--profile", PROFILE],
            env={**environment_of(hub, home), "HF_HUB_DOWNLOAD_TIMEOUT": "60"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 120
        while hub.faults[0].met == 0 and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)  # other files are under way by now
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    done = mosaic(hub, home, "fetch", "--profile", PROFILE)
    assert done.returncode == 0, done.stderr[-2000:]
    assert f"All of {PROFILE} is here" in done.stdout
    return home


def test_what_was_fetched_is_not_fetched_again(hub, home):
    before = len(hub.asked)
    told = mosaic(hub, home, "fetch", "--profile", PROFILE, "--sizes")
    assert told.returncode == 0 and "0 MiB are not here yet" in told.stdout, told.stderr
    assert not [path for method, path in hub.asked[before:] if method == "GET" and "/resolve/" in path]
    assert not [path for _, path in hub.asked if path.endswith((".bin", "original/model.safetensors"))]


def test_after_fetch_a_probe_runs_without_a_hub(hub, home, tmp_path):
    rows = ["text,label"] + [
        f"the {'happy good' if i % 2 else 'sad bad'} cat sat on mat {i},{i % 2}" for i in range(60)
    ]
    (tmp_path / "my.csv").write_text("\n".join(rows))
    before = len(hub.asked)
    arguments = ("probe", "my.csv", "--profile", PROFILE, "--layers", "5", "--widths", "16k", "--json", "out.json")
    done = mosaic(hub, home, *arguments, cwd=tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr[-2000:]
    assert hub.asked[before:] == []
    assert json.loads((tmp_path / "out.json").read_text())


def test_offline_with_nothing_fetched_says_what_to_do(hub, tmp_path):
    (tmp_path / "my.csv").write_text("text,label\n" + "\n".join(f"a good cat {i},{i % 2}" for i in range(40)))
    done = mosaic(hub, tmp_path / "empty", "probe", "my.csv", "--profile", PROFILE, cwd=tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == 1 and "HF_HUB_OFFLINE is set" in done.stderr and "mosaic fetch" in done.stderr


def test_an_encoder_of_each_layout_read_here_says_what_saelens_says(hub, home):
    online = python(hub, home, "-c", COMPARE, "online", *LAYOUTS)
    assert online.returncode == 0, online.stderr[-2000:]
    rows = [line.split() for line in online.stdout.splitlines() if line.startswith(LAYOUTS)]
    assert [row[0] for row in rows] == list(LAYOUTS)
    for name, latents, active, apart in rows:
        assert int(latents) >= 2**14 and int(active) > 0 and float(apart) < 1e-4, name
    offline = python(hub, home, "-c", COMPARE, "offline", *LAYOUTS, HF_HUB_OFFLINE="1")
    assert offline.returncode == 0, offline.stderr[-2000:]


def test_a_set_that_a_program_would_read_comes_from_the_hubs_conversion(tmp_path):
    publish_set(tmp_path / "hub", "banking77", rows=20, script=True)
    with LocalHub(tmp_path / "hub") as hub:
        done = python(hub, tmp_path / "home", "-c", READ)
        again = python(hub, tmp_path / "home", "-c", READ, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split("\n")[:2] == ["20 ['0', '1', '2', '3']"] * 2 and "ran" not in done.stderr
    assert again.stdout == done.stdout


def test_the_doctor_says_what_stops_a_profile(hub, home, tmp_path):
    fine = mosaic(hub, home, "doctor", "--profile", PROFILE)
    assert fine.returncode == 0 and "all 8 repositories are here or can be had" in fine.stdout, (
        fine.stdout + fine.stderr
    )
    gated = Fault("status", path=f"{PROFILE}/resolve/", code=401, error="GatedRepo")
    with hub.failing(gated):
        stopped = mosaic(hub, tmp_path / "empty", "doctor", "--profile", PROFILE)
    assert stopped.returncode == 1 and "STOPS" in stopped.stdout and "is gated (status 401)" in stopped.stdout
    assert "what is to be fetched is not known" in stopped.stdout


def test_fetch_and_doctor_know_without_a_hub_that_all_is_here(hub, home):
    for command in ("fetch", "doctor"):
        done = mosaic(hub, home, command, "--profile", PROFILE, HF_HUB_OFFLINE="1")
        assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_measured_on_stand_ins_is_judged_by_nobody(hub, home, tmp_path):
    done = mosaic(hub, home, "study", "layers", "--profile", PROFILE, cwd=tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads((tmp_path / "results" / PROFILE / "layers.json").read_text())["weights"] == "stand-in"
    judged = mosaic(hub, home, "claims", "--profile", PROFILE, "--json", "claims.json", cwd=tmp_path)
    verdicts = {
        row["verdict"] for row in json.loads((tmp_path / "claims.json").read_text()) if row["chapter"] == "layers"
    }
    assert judged.returncode == 0 and verdicts == {"not testable"}, judged.stderr
    assert "stand-in weights" in judged.stdout


def test_the_first_chapter_reads_whole_saes_of_any_size(hub, home, tmp_path):
    """It holds our encoder against SAELens's, which took Gemma Scope's sizes from the model's name."""
    done = mosaic(hub, home, "study", "text_to_features", "--profile", PROFILE, cwd=tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads((tmp_path / "results" / PROFILE / "text_to_features.json").read_text())["weights"] == "stand-in"


def test_a_changed_revision_is_read_whole_and_a_pinned_one_stays(tmp_path):
    """The branch moves on between two runs: the second reads the new commit, one that names the old commit still the old."""
    name, root = "openai-community/gpt2", tmp_path / "hub"
    script = (
        "import sys; from mosaic.models.language import ModelSpec; from mosaic.models.opening import local_folder\n"
    )
    script += "print(local_folder(ModelSpec(sys.argv[1], revision=sys.argv[2] or None)))"
    with LocalHub(root) as hub:

        def opened(revision: str) -> Path:
            done = python(hub, tmp_path / "home", "-c", script, name, revision)
            assert done.returncode == 0, done.stderr[-2000:]
            return Path(done.stdout.strip())

        commits = []
        for n_layers in (2, 3):
            commits.append(commit := publish_model(root, name, n_layers))
            folder = opened("")
            assert folder.name == commit
            for path in (root / "models" / name / commit).glob("*.*"):
                if path.suffix != ".bin":
                    assert (folder / path.name).read_bytes() == path.read_bytes()
        assert opened(commits[0]).name == commits[0] != commits[1]
