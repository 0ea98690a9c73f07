"""What the chapter on transfer decides, on made-up scores whose answer is known."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mosaic.miniature import vision
from mosaic.probing.problem import Problem
from mosaic.studies import image_problems, image_scores, transfer
from mosaic.studies.image_scores import ImageScores
from mosaic.studies.transfer import Transfer
from mosaic.texts.labelled import LabelledTexts


def scored(value: float) -> dict:
    return {"macro_f1": value, "low": value - 0.1, "high": value + 0.1}


def test_abroad_is_every_language_but_the_one_trained_on():
    assert transfer.mean_abroad({"en": scored(1.0), "de": scored(0.4), "zh": scored(0.6)}) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("score", "majority", "n_classes", "expected"),
    [
        (0.7, 0.34, 2, 0.2),  # a toss of two classes is the higher floor
        (0.7, 0.6, 2, 0.1),
        (0.4, 0.34, 2, -0.1),  # above the majority class, below the toss
        (0.4, 0.2, 4, 0.15),
    ],
)
def test_above_chance_is_above_the_majority_class_and_the_toss(score, majority, n_classes, expected):
    assert transfer.above_chance(score, majority, n_classes) == pytest.approx(expected)


def test_each_language_is_scored_on_its_own_rows():
    """Words that tell the label in English, and nothing anywhere else."""
    train = LabelledTexts(
        "t", [f"{word} {i}" for i in range(20) for word in ("good", "bad")], np.array(["+", "-"] * 20, dtype=object)
    )
    texts = [f"good {i}" if i % 2 else f"bad {i}" for i in range(20)] + [f"gut {i}" for i in range(20)]
    labels = np.array(["+" if i % 2 else "-" for i in range(40)], dtype=object)
    test = LabelledTexts("t", texts, labels, languages=np.array(["en"] * 20 + ["de"] * 20, dtype=object))
    found = transfer.by_language(Problem(train, test, ()), families=("tfidf", "majority"), trees=False)
    words = found["tfidf"]["by_language"]
    assert list(words) == ["en", "de"] and words["en"]["macro_f1"] == 1.0 and words["en"]["n"] == 20
    assert words["de"]["macro_f1"] < 0.6 and found["tfidf"]["setting"]["n_test"] == 40


def result(predicted, f1):
    return SimpleNamespace(predicted=np.array(predicted, dtype=object), row=lambda: {"macro_f1": f1, "selected": True})


def test_the_sae_is_ahead_of_what_is_worse_and_behind_what_is_better():
    truth = np.array(["a", "b"] * 30, dtype=object)
    half = ["a", "b", "a", "a"] * 15
    compared = image_scores.beside_the_sae(
        {"SAE": result(half, 0.7), "hidden states": result(truth, 1.0), "random dictionary": result(["a"] * 60, 0.3)},
        truth,
    )
    assert compared["SAE"] == {"macro_f1": 0.7} and set(compared["against"]) == {"hidden states", "random dictionary"}
    behind, ahead = compared["against"]["hidden states"], compared["against"]["random dictionary"]
    assert behind["interval"][1] < 0 < ahead["interval"][0]
    assert behind["difference"] < 0 < ahead["difference"]


def test_what_a_reconstruction_leaves_unexplained():
    x = torch.randn(50, 4)
    assert image_problems.unexplained(x, x) == 0.0
    assert image_problems.unexplained(x, x.mean(0).expand_as(x)) == pytest.approx(1.0)
    assert image_problems.unexplained(x, (x + x.mean(0)) / 2) == pytest.approx(0.25)


ROWS = [
    {"set": "mini-small's view", "features": "sae", **scored(0.6)},
    {"set": "mini-large-it's own", "features": "sae", **scored(0.7)},
]
KINDS = ("SAE", "hidden states", "random dictionary", "random language model")


@pytest.fixture
def study():
    families = {
        family: {"setting": {}, "by_language": {"en": scored(0.9), "de": scored(value)}}
        for family, value in (("sae", 0.7), ("hidden", 0.6), ("tfidf", 0.5), ("majority", 0.34), ("tree", 0.8))
    }
    curve = [{"k": k, **scored(0.5)} for k in (2, 4)]
    images = ImageScores(
        {**{kind: scored(0.5) for kind in KINDS}, "against": {}}, {"against": {}}, {kind: curve for kind in KINDS}
    )
    return Transfer(
        SimpleNamespace(name="p"),
        {"toxicity": families, "sentiment": families},
        2,
        {"rows": ROWS},
        {name: images for name in transfer.IMAGE_SETS},
        {"digits": 0.4, "texts": 0.05},
    )


def test_the_summary_of_known_scores(study):
    summary = study.summary()
    assert summary["languages"]["toxicity"]["mean"]["tree"] == 0.8
    assert summary["languages"]["above_majority"] == pytest.approx(0.36)
    assert summary["languages"]["above_chance"] == pytest.approx(0.2)
    assert summary["images_few"]["k"] == image_scores.FEW and set(summary["images"]) == set(transfer.IMAGE_SETS)


def test_figures_and_tables(study):
    assert [ax.get_title() for ax in study.figure().axes] == list(transfer.TEXT_SETS)
    assert [ax.get_title() for ax in study.few_latents_figure().axes] == list(transfer.DRAWN)
    assert len(study.behaviour_figure().axes) == 1
    assert len(study.pictures().axes) == len(transfer.DRAWN) * transfer.PICTURES
    assert "SAE features, tree" in study.table() and study.images_table().count("<tr>") == 4
    assert "against" not in study.images_table()


def test_image_batches_stand_on_the_device_asked_for():
    tokenizer = lambda text: {"input_ids": [2, 9]}  # noqa: E731
    images = np.zeros((3, 32, 32, 3), np.uint8)
    batch = next(vision.image_batches(tokenizer, images, device="meta"))
    assert {value.device.type for value in batch.values()} == {"meta"}
