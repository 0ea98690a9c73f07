"""Every study that a shipped profile carries, unmodified, against a hub of stand-ins: recorded, drawn, and judged by nobody."""

import json

import pytest
from hub.local_hub import LocalHub
from hub.stand_ins import publish_profile
from hub.test_profiles_on_the_hub import mosaic, python

from mosaic import studies
from mosaic.profiles.opening import lacking
from mosaic.profiles.profile import load_profile

# One process: ten of them would read SAELens and transformers ten times.
STUDY = """
import sys
from mosaic import studies
from mosaic.profiles.profile import load_profile
profile = load_profile(sys.argv[1])
for name in sys.argv[2:]:
    study = studies.run(name, profile)
    study.record()
    study.figure()
    print(name, len(study.table()))
"""
EVERY = {  # what needs neither several seeds nor the miniature's world
    "text_to_features",
    "layers",
    "pooling",
    "binarisation",
    "sae_against_baselines",
    "few_labels",
    "training_worth",
    "audit",
}
SAYS = ("interpretation", "hypotheses", "description_choice")  # read more texts than scores need
CARRIED = {
    "gemma-2-2b": EVERY | {"width", "languages"},
    "gemma-2-9b-it": EVERY | {"width", "languages"},
    "paligemma2-3b": EVERY | {"images"},
}


@pytest.mark.parametrize("name", CARRIED)
def test_every_study_of_a_profile_runs_on_what_the_hub_keeps(tmp_path, name):
    profile = load_profile(name)
    carried = [study for study in studies.NAMES if not lacking(profile, set(studies.kind(study).needs) - {"languages"})]
    carried = [study for study in carried if study != "languages" or profile.crossed]  # it would ask the hub
    assert set(carried) == CARRIED[name] | set(SAYS)
    carried = [study for study in carried if study not in SAYS]
    run_them(tmp_path, profile, carried, rows=32)


def test_studies_of_what_latents_mean_run_on_what_the_hub_keeps(tmp_path):
    run_them(tmp_path, load_profile("gemma-2-2b"), SAYS, rows=240)


def run_them(tmp_path, profile, carried, rows):
    name = profile.name
    publish_profile(tmp_path / "hub", profile, rows)
    with LocalHub(tmp_path / "hub") as hub:
        home = tmp_path / "home"
        done = python(hub, home, "-c", STUDY, name, *carried, cwd=tmp_path)
        assert done.returncode == 0, done.stderr[-3000:]
        assert [line.split()[0] for line in done.stdout.splitlines()] == list(carried)
        before = len(hub.asked)
        judged = mosaic(hub, home, "claims", "--profile", name, "--json", "claims.json", cwd=tmp_path)
        assert judged.returncode == 0 and "stand-in weights" in judged.stdout, judged.stderr
        assert not hub.asked[before:]
    for study in carried:
        found = json.loads((tmp_path / "results" / name / f"{study}.json").read_text(encoding="utf-8"))
        assert found["weights"] == "stand-in", study
    verdicts = {row["chapter"]: row["verdict"] for row in json.loads((tmp_path / "claims.json").read_text("utf-8"))}
    assert {verdicts[study] for study in carried if study in verdicts} == {"not testable"}
