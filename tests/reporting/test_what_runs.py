"""The page of models, SAEs and sets: what it says of any profile, and that texts stay text."""

from dataclasses import replace

import numpy as np
import pytest

from mosaic.errors import Unavailable
from mosaic.profiles.profile import OtherModel, Profile, SetChoice, Shape, load_profile
from mosaic.texts.labelled import FAMILIAR, NEW, LabelledTexts
from tests.reporting.test_pages import ROOT, extension

HOSTILE = "<script>alert(1)</script>\x1b[2J"


@pytest.fixture(scope="module")
def runs():
    return extension("mosaic_runs")


def test_sizes_are_counted(runs):
    mini = load_profile("mini")
    assert runs.size(mini) == pytest.approx(1_707_136, rel=1e-3)  # as the card has it; the last norm is no block's
    assert [row[0] for row in runs.model_rows(mini)] == ["mini-small", "mini-large", "mini-large-it", "mini-vision"]
    assert runs.parameters(ROOT / "mosaic/weights/mini/mini-large/model.safetensors") == 3_668_928
    assert runs.millions(1_707_136) == "1.7 million" and runs.millions(2.614e9) == "2,614 million"
    assert "Gemma 2 2B has 1,5" in runs.models_sentence(mini)
    assert "Gemma" not in runs.models_sentence(load_profile("minilm"))


def test_each_chapter_is_under_the_saes_it_reads(runs):
    mini, gemma = load_profile("mini"), load_profile("gemma-2-2b")
    assert (runs.chapters(mini, False), runs.chapters(mini, True)) == ("1 to 16, 22 to 25", "17 to 21, 27")
    assert (runs.chapters(gemma, False), runs.chapters(gemma, True)) == ("3, 5 to 12, 15, 23 to 25", "")
    rows = runs.sae_rows(mini)
    assert ["1 to 16, 22 to 25", "3", "1k", "L0 32.0", "jumprelu", "seed 0"] in rows
    assert ["17 to 21, 27", "3", "512", "k = 8", "topk", "8 seeds: the base"] in rows
    assert any(row[0] == "18" and row[-1] == "width varied: 128, 256, 512, 1k; 3 seeds each" for row in rows)
    recipes = "other recipes: llama_scope, matryoshka, archetypal; 3 seeds each"
    assert ["27", *["as the base"] * 4, recipes] in rows
    assert ["2, 13, 15, 22", "4", "1k", "L0 40.0", "jumprelu", "of mini-large-it, seed 0"] in rows
    assert ["2, 5, 15, 22", "4", "1k", "L0 40.0", "jumprelu", "of mini-large, seed 0"] in rows
    assert any(row[0] == "26" and row[-1] == "loss e2e+ds: 6 SAEs, 4 values of λ" for row in rows)
    assert [
        "2, 15",
        "4",
        "4k",
        "L0 40.0",
        "jumprelu",
        "of mini-large, seed 0",
    ] in rows  # the pair is read at one width
    assert runs.ranges([1, 2, 3, 5, 7, 8]) == "1 to 3, 5, 7, 8" and runs.ranges([]) == ""
    assert all(row[3:5] == ["", ""] for row in runs.sae_rows(gemma))  # not here to be read


def test_another_model_that_is_here_has_its_rows(runs):
    """The miniature in the place of a model that only some machines have."""
    minilm = replace(load_profile("minilm"), others=(OtherModel("mini"),))
    models = runs.model_rows(minilm)
    assert [row[0] for row in models] == ["all-MiniLM-L6-v2", "mini-small"] and "feature spaces" in models[1][-1]
    rows = [row for row in runs.sae_rows(minilm) if row[-1] == "of mini, seed 0"]
    assert [row[:3] for row in rows] == [["22", "1", "1k"], ["22", "3", "1k"], ["22", "5", "1k"]]
    alone = replace(minilm, others=())
    assert len(runs.model_rows(alone)) == 1 and not [row for row in runs.sae_rows(alone) if row[0] == "22"]


def test_what_other_chapters_read_is_said_beside_the_table(runs, monkeypatch):
    said = runs.beside_sentence(load_profile("mini"))
    assert said.startswith(
        "Chapter 12 reads sets in several languages, as many texts in each: mini/toxicity in en, es, de,"
    )
    assert "Chapter 14 reads images: digits (10 classes; 600 to train and choose on, 599 to test on)" in said
    assert "places (5 classes" in said
    assert runs.beside_sentence(replace(load_profile("minilm"), crossed=())) == ""


def test_sets_say_what_they_are_and_whether_they_were_told(runs):
    mini = replace(
        load_profile("mini"), datasets=(SetChoice("mini/stance"), SetChoice("mini/alike"), SetChoice("mini/behaviour"))
    )
    told, never, made = runs.set_rows(mini)
    assert (
        told["in training"] == "told: the log says pro, contra or abstain"
        and told["classes"] == "3: against, favor, none"
    )
    assert never["in training"].startswith("never told: ") and made["in training"] == "labels that a model made"
    assert (
        told["rows"] == f"{mini.max_train} to train and choose on; to test on: 400 in familiar words, 400 in new words"
    )
    (old, a, label), (new, b, again) = told["examples"]
    assert (old, new) == (FAMILIAR, NEW) and a != b and label == again
    assert len(made["examples"]) == 1
    assert "not trained on this corpus" in runs.in_training(load_profile("minilm"), "mini/stance")
    assert runs.in_training(load_profile("minilm"), "trec") == "not known"


def test_a_set_that_cannot_be_had_has_a_row_that_says_so(runs, monkeypatch):
    def missing(*_):
        raise Unavailable("no network")

    monkeypatch.setattr(runs, "load_cut", missing)
    profile = Profile("p", "t", None, Shape(1, 1, 1, 1), (), (), (SetChoice("trec", optional=True),), 1, "1k")
    (row,) = runs.set_rows(profile)
    assert (row["set"], row["rows"], row["examples"]) == ("trec", "cannot be had here", [])


def test_texts_are_text_and_short(runs):
    labels = np.array(["a"] * 40, dtype=object)
    texts = LabelledTexts("x", [HOSTILE + " word" * 200] * 40, labels)
    ((part, text, label),) = runs.examples(texts, texts.part_rows())
    assert (
        (part, label) == ("test", "a") and "\x1b" not in text and len(text) < runs.EXAMPLE + 8 and text.endswith(" ...")
    )


def test_every_chapter_links_to_the_page():
    for path in sorted((ROOT / "notebooks").glob("*.py")):
        assert path.read_text(encoding="utf-8").count("(../what_runs.md)") == 1, path.name
    assert "file: what_runs" in (ROOT / "book" / "_toc.yml").read_text(encoding="utf-8")
