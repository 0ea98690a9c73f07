"""The wheel: installed outside the project's folder, its commands work. What needs a clone says so."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = """
import sys
from pathlib import Path
import mosaic
from mosaic import cli
assert Path(mosaic.__file__).is_relative_to(sys.argv[1]), mosaic.__file__
SEEDS = f"{sys.argv[1]}/mosaic/weights/mini/seeds/layer_3_width_128_seed_"
for words in (
    "profiles",
    "claims",
    f"match {SEEDS}0 {SEEDS}1 --json match.json",
    "probe reviews.csv --profile mini --layers 1 --poolings max --json rows.json --report report.html",
    "show sentence --profile mini --html sentence.html",
    "study truth --profile minilm",
    "reproduce",
):
    sys.argv = ["mosaic", *words.split()]
    try:
        cli.main()
    except SystemExit as end:
        print("ended:", words, "with", end.code or 0)
"""
# `mosaic mini check` measures for minutes (the main job runs it): here its parts are opened, and counted as on the card.
CARD = """
import json
from mosaic.miniature import build, vision
card = json.loads((build.WEIGHTS / "card.json").read_text())
for name in ("mini-small", "mini-large", "mini-large-it"):
    assert sum(p.numel() for p in build.causal(build.WEIGHTS, name).parameters()) == card[name]["parameters"], name
vision.load_vision_model(build.WEIGHTS / "mini-vision")
print("opened")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with nothing but the installed wheel, built from a copy so that nothing is written into the project."""
    root = tmp_path_factory.mktemp("wheel")
    source, target = root / "source", root / "installed"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "mosaic", source / "mosaic", copy_function=_link, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", root, source], root)
    (wheel,) = root.glob("*.whl")
    _run([*pip, "install", "--no-deps", "--no-index", "--no-compile", "--target", target, wheel], root)
    return wheel, target


def _link(source, target):
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _run(command, cwd, **environment):
    inherited = {
        key: value for key, value in os.environ.items() if not key.startswith("MOSAIC_") and key != "PYTHONPATH"
    }
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env={**inherited, **environment}, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_every_module_and_every_file_it_reads_is_in_the_wheel(installed):
    wheel, _ = installed
    there = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "mosaic").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and "checkpoint" not in path.name
    }
    assert wanted - there == set()
    assert not [name for name in there if name.split("/")[0] not in ("mosaic", "mosaic_companion-0.1.0.dist-info")]


def test_its_commands_run_outside_the_project(installed, tmp_path):
    _, target = installed
    lines = [f'"{"they hide the red cat" if i % 2 else "we keep a blue dog"} {i % 9}",{i % 2}' for i in range(60)]
    (tmp_path / "reviews.csv").write_text("text,label\n" + "\n".join(lines))
    done = _run([sys.executable, "-c", CODE + CARD, target], tmp_path, PYTHONPATH=str(target))
    ends = [line for line in done.stdout.splitlines() if line.startswith("ended:")]
    assert len(ends) == 7 and all(line.endswith("with 0") for line in ends[:-2]), done.stdout + done.stderr
    assert ends[-1] == "ended: reproduce with 1" and "(a clone of its repository)" in done.stderr
    assert ends[-2].endswith("with 1") and "truth does not apply to profile minilm" in done.stderr
    assert done.stdout.endswith("opened\n") and "SAE minus tfidf" in done.stdout
    assert "both matchings proved best" in done.stdout
    for page in ("report.html", "sentence.html"):  # templates, style and script are in the wheel
        assert b"Content-Security-Policy" in (tmp_path / page).read_bytes()
    assert (tmp_path / "rows.json").is_file() and (tmp_path / "match.json").is_file()
    script = _run([target / "bin" / "mosaic", "mini", "check", "--help"], tmp_path, PYTHONPATH=str(target))
    assert "Example: mosaic mini check" in script.stdout
