"""A folder beside the pages: whole, repeatable, and honest about what is missing."""

import json
import logging

import pytest

from mosaic.errors import Unavailable
from mosaic.playground import build, runtime
from mosaic.profiles.profile import load_profile


def test_everything_that_the_page_is_told_of_is_there(made):
    folder, about = made
    (model,) = about["models"]
    assert model["special"] == [1, 0] and [one["layer"] for one in model["layers"]] == [1, 3, 5]
    for question in model["questions"]:
        assert len(question["settings"]) == 30 and question["classes"] == sorted(question["classes"])
        for setting in question["settings"]:
            weights = json.loads((folder / "mini" / setting["file"]).read_text())
            rows = 1 if len(question["classes"]) == 2 else len(question["classes"])
            assert len(weights["weights"]) == rows and len(weights["weights"][0]) == len(weights["columns"])
    for layer in (1, 3, 5):
        names = json.loads((folder / "mini" / f"names-{layer}.json").read_text())
        assert len(names) > 500 and {where for _, where in names.values()} == {"named", "tokens"}
    opening = json.loads((folder / "mini" / "opening.json").read_text())
    assert [one["text"] for one in opening] == model["pairs"][0]["texts"]
    others = {one["text"] for one in json.loads((folder / "mini" / "pairs.json").read_text())}
    assert others == {text for pair in model["pairs"][1:] for text in pair["texts"]}
    assert model["bytes"] == sum((folder / "mini" / name).stat().st_size for name in ("model.onnx", "tokenizer.json"))


def test_first_sight_is_light(made):
    """What is loaded before anybody types: names of one layer, one probe, the opening pair, and what stands in the page."""
    folder, about = made
    model = about["models"][0]
    question = next(q for q in model["questions"] if q["name"] == model["pairs"][0]["question"])
    first = ["opening.json", "names-5.json", question["settings"][question["opening"]]["file"]]
    assert sum((folder / "mini" / name).stat().st_size for name in first) + len(json.dumps(about)) < 250_000


def test_a_profile_that_none_is_offered_for_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, "runtime", lambda cache: pytest.fail("nothing is fetched for it"))
    folder = build.build(load_profile("gpt2"), tmp_path, tmp_path)
    about = json.loads((folder / build.ABOUT).read_text())
    assert about["models"] == [] and about["missing"] == [
        "There is none for profile gpt2; the books of mini and minilm have it."
    ]


def test_without_npm_and_without_weights_the_rest_is_made(tmp_path, monkeypatch, caplog):
    def no_npm(cache):
        raise runtime.Missing("npm is not installed.")

    def no_weights(offered, out, cache, missing):
        if offered.profile == "minilm":
            raise Unavailable("its weights cannot be had.")
        return {"name": offered.profile}

    monkeypatch.setattr(runtime, "runtime", no_npm)
    monkeypatch.setattr(build, "model", no_weights)
    with caplog.at_level(logging.WARNING):
        folder = build.build(load_profile("mini"), tmp_path, tmp_path)
    about = json.loads((folder / build.ABOUT).read_text())
    assert about["runtime"] is None and [one["name"] for one in about["models"]] == ["mini"]
    assert len(about["missing"]) == 2 and "npm is not installed" in about["missing"][0]
    assert "its weights cannot be had" in about["missing"][1] and len(caplog.records) == 2


def test_a_second_build_finds_what_the_first_made(made, opened, monkeypatch, tmp_path):
    """And without what writes the model's file the rest is there, and the page says why."""
    from mosaic.playground import data, export
    from mosaic.playground.offered import MINI

    _, lm, saes = opened
    asked = MINI.questions[:1]
    monkeypatch.setattr(data, "_made", lambda *given: {"questions": ["made"], "pairs": []})
    folder, told = data.data(MINI, asked, opened[0], lm, saes, tmp_path)
    assert told["questions"] == ["made"]
    monkeypatch.setattr(data, "_made", lambda *given: pytest.fail("made twice"))
    assert data.data(MINI, asked, opened[0], lm, saes, tmp_path) == (folder, told)
    monkeypatch.setattr(data, "_made", lambda *given: {"questions": ["made of another SAE"], "pairs": []})
    assert data.data(MINI, asked, opened[0], lm, saes[:2], tmp_path)[0] != folder

    def not_installed(*given):
        raise export.NotInstalled("onnx not installed.")

    monkeypatch.setattr(export, "exported", not_installed)
    missing = []
    about = build.model(MINI, tmp_path / "out", tmp_path, missing)
    assert about["bytes"] is None and missing == [
        "Typing is off for The miniature, five languages: onnx not installed."
    ]
