"""A notebook runs again when, and only when, something changed that decides its numbers."""

from dataclasses import replace

import numpy as np
import pytest

from mosaic.models.language import ModelSpec
from mosaic.profiles.profile import OtherModel, SetChoice, Training, Vision, load_profile
from mosaic.reporting import fingerprint as module
from mosaic.reporting.fingerprint import fingerprint, package_files
from mosaic.saes.source import SAESource
from mosaic.texts import sources
from mosaic.texts.labelled import LabelledTexts

ROWS = LabelledTexts(
    "own", ["a", "b"], np.array(["x", "y"], dtype=object), np.array(["1", "1"]), np.array(["en", "de"])
)


@pytest.fixture
def profile(tmp_path, monkeypatch):
    """A small profile whose model and SAE lie in folders of the user's own; the package's own files are left out."""
    monkeypatch.setattr(module, "package_files", list)
    monkeypatch.setattr(sources, "load_set", lambda name, language=None: (ROWS, ROWS))
    monkeypatch.setattr(sources, "check_set", lambda *_: None)
    for name in ("model", "sae"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(b"weights")
    return replace(
        load_profile("mini"),
        model=ModelSpec(str(tmp_path / "model")),
        saes=(SAESource(1, "1k", path=str(tmp_path / "sae")),),
        datasets=(SetChoice("own"),),
        crossed=(),
        partly_trained=(),
        seeds=None,
        end_to_end=None,
    )


def test_the_same_gives_the_same(profile):
    assert fingerprint(profile) == fingerprint(profile)


@pytest.mark.parametrize(
    "change",
    [
        {"groups": np.array(["1", "2"])},
        {"groups": None},
        {"languages": np.array(["en", "fr"])},
        {"labels": np.array(["x", "x"], dtype=object)},
        {"texts": ["a", "c"]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_texts_labels_groups_and_languages_count(profile, monkeypatch, change):
    before = fingerprint(profile)
    monkeypatch.setattr(sources, "load_set", lambda name, language=None: (ROWS, replace(ROWS, **change)))
    assert fingerprint(profile) != before


@pytest.mark.parametrize("name", ["model", "sae"])
def test_weights_of_model_and_saes_count(profile, tmp_path, name):
    before = fingerprint(profile)
    (tmp_path / name / "model.safetensors").write_bytes(b"other..")
    assert fingerprint(profile) != before


def test_saes_trained_end_to_end_count(profile, tmp_path):
    (tmp_path / "e2e").mkdir()
    (tmp_path / "e2e" / "card.json").write_text("[]")
    with_them = replace(profile, end_to_end=str(tmp_path / "e2e"))
    before = fingerprint(with_them)
    assert before != fingerprint(profile)
    (tmp_path / "e2e" / "card.json").write_text("[1]")
    assert fingerprint(with_them) != before


def test_training_texts_count_where_chapters_read_what_was_held_out(profile, tmp_path, monkeypatch):
    (tmp_path / "e2e").mkdir()
    (tmp_path / "corpora").mkdir()
    corpus = tmp_path / "corpora" / "own.txt"
    corpus.write_text("a passage that is long enough")
    monkeypatch.setenv("MOSAIC_DATA", str(tmp_path))
    alone = replace(profile, training=Training(("own",)), recipes=None)
    read = replace(alone, end_to_end=str(tmp_path / "e2e"))
    before = [fingerprint(one) for one in (alone, read)]
    corpus.write_text("another passage that is long enough")
    after = [fingerprint(one) for one in (alone, read)]
    assert after[0] == before[0] and after[1] != before[1]


def test_a_mirror_of_the_hub_counts(profile, tmp_path, monkeypatch):
    mirrored = replace(profile, model=ModelSpec("someone/model"))
    monkeypatch.setattr(module, "commit", lambda spec: "abc")
    from_hub = fingerprint(mirrored)
    monkeypatch.setenv("MOSAIC_MODELS", str(tmp_path))
    assert fingerprint(mirrored) != from_hub


def test_a_model_of_the_hub_counts_by_its_commit(profile, monkeypatch):
    of_hub = replace(profile, model=ModelSpec("someone/elsewhere"))
    seen = []
    for commit in ("abc", "abd"):
        monkeypatch.setattr(module, "commit", lambda spec, c=commit: c)
        seen.append(fingerprint(of_hub))
    assert seen[0] != seen[1]


def test_the_profile_itself_counts(profile):
    assert fingerprint(replace(profile, max_train=7)) != fingerprint(profile)


def test_the_whole_package_counts_save_how_it_is_run_and_published():
    files = {path.relative_to(module.PACKAGE).as_posix() for path in package_files()}
    assert {"probing/scores.py", "studies/problems.py", "reporting/plots.py", "profiles/mini.yml"} <= files
    assert any(name.startswith("weights/mini/") for name in files)
    assert not [name for name in files if name.startswith("cli/")]
    assert not {"reporting/book.py", "reporting/claims.yml", "reporting/reproduce.py", "__main__.py"} & files
    for pattern in module.WITHOUT_EFFECT:
        assert list(module.PACKAGE.glob(pattern)), f"{pattern} is no file of the package"


def test_models_beside_it_and_a_vision_models_weights_count(profile, tmp_path):
    (tmp_path / "vision").mkdir()
    (tmp_path / "vision" / "model.safetensors").write_bytes(b"sees")
    other = tmp_path / "other.yml"
    other.write_text(
        f"""
title: other
model: {{id: {tmp_path / "model"}}}
shape: {{n_layers: 2, d_model: 8, parameters: 10, embedding: 10}}
saes: [{{layer: 1, width: 1k, path: {tmp_path / "sae"}}}]
middle: 1
width: 1k
poolings: [max]
datasets: []
"""
    )
    seeing = replace(
        profile, others=(OtherModel(str(other)),), vision=Vision(ModelSpec(str(tmp_path / "vision")), ("digits",))
    )
    before = fingerprint(seeing)
    assert before == fingerprint(seeing)
    (tmp_path / "vision" / "model.safetensors").write_bytes(b"seas")
    changed = fingerprint(seeing)
    assert changed != before
    other.write_text(other.read_text().replace("poolings: [max]", "poolings: [sum]"))
    load_profile.__globals__["_read"].cache_clear()
    assert fingerprint(seeing) != changed
