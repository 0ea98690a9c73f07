"""The chapter on images: what is compared, its summary, figures and tables on made-up scores."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import toy
from transfer_toy import result, scored

from mosaic.studies import image_problems, image_scores, image_tokens
from mosaic.studies import images as chapter
from mosaic.studies.image_scores import AT_LAYER, HIDDEN, PIXELS, RANDOM, SAE, TOWER, UNTRAINED, ImageScores
from mosaic.studies.image_tokens import IMAGES, TEXTS, TwoSAEs

SETS = ("digits", "shapes", "places")
KINDS = (SAE, HIDDEN, AT_LAYER, RANDOM, UNTRAINED, TOWER, PIXELS)


TRUTH = np.array(["a", "b"] * 30, dtype=object)
HALF = ["a", "b", "a", "a"] * 15


def test_the_sae_is_ahead_of_what_is_worse_and_behind_what_is_better():
    drawn = [result(["a"] * 60), result(["a"] * 60)]
    kinds = {SAE: [result(HALF)], AT_LAYER: [result(HALF)], HIDDEN: [result(TRUTH)], RANDOM: drawn}
    found = image_scores.against([(TRUTH, kinds), (TRUTH, kinds)])
    assert set(found) == {HIDDEN, RANDOM}
    assert found[HIDDEN].high < 0 < found[RANDOM].low
    assert found[HIDDEN].difference < 0 < found[RANDOM].difference


def test_a_control_of_one_layer_is_held_against_the_sae_of_that_layer():
    blank = [result(["a"] * 60)]
    kinds = {
        SAE: [result(TRUTH)],
        AT_LAYER: [result(HALF)],
        HIDDEN: [result(HALF)],
        RANDOM: [result(HALF)],
        UNTRAINED: blank,
    }
    found = image_scores.against([(TRUTH, kinds)])
    assert found[RANDOM].difference == 0 < found[HIDDEN].difference
    assert (
        found[UNTRAINED].difference
        < image_scores.against([(TRUTH, kinds | {AT_LAYER: [result(TRUTH)]})])[UNTRAINED].difference
    )


def test_the_draws_of_a_control_enter_mean_and_interval():
    apart = {SAE: [result(HALF)], AT_LAYER: [result(HALF)], RANDOM: [result(TRUTH, 1.0), result(["a"] * 60, 0.0)]}
    assert image_scores.mean_of(apart[RANDOM]) == 0.5
    found = image_scores.against([(TRUTH, apart)])[RANDOM]
    assert found.low < -0.2 and found.high > 0.2
    summary = ImageScores(TRUTH, apart, apart, {}, 0.4).summary()
    assert summary["all"][RANDOM]["n_draws"] == 2 and summary["all"]["against"][RANDOM]["interval"][0] == found.low


def test_one_kind_of_features_alone():
    problem = toy.problem()
    assert {t.provenance["features"] for t in image_scores.only(problem, "hidden").tables} == {"hidden"}


def test_what_a_reconstruction_leaves_unexplained():
    x = torch.randn(50, 4)
    assert image_problems.unexplained(x, x) == 0.0
    assert image_problems.unexplained(x, x.mean(0).expand_as(x)) == pytest.approx(1.0)
    assert image_problems.unexplained(x, (x + x.mean(0)) / 2) == pytest.approx(0.25)


def two_saes(of_images, of_texts, left_by_images=0.1, left_by_texts=0.4):
    found = {TEXTS: result(of_texts), IMAGES: result(of_images)}
    return TwoSAEs(TRUTH, found, found, {TEXTS: left_by_texts, IMAGES: left_by_images})


@pytest.mark.parametrize(
    ("images", "texts", "words"),
    [(TRUTH, HALF, "scores higher"), (HALF, TRUTH, "scores lower"), (HALF, HALF, "cannot be told from it")],
)
def test_what_an_sae_of_image_tokens_changes_is_told_by_the_interval(images, texts, words):
    sets = {"a": two_saes(images, texts), "b": two_saes(images, texts)}
    d = image_tokens.minus(sets, "full")
    assert (d.difference > 0) == (words == "scores higher") and (d.difference == 0) == ("told" in words)
    got = image_tokens.sentence(sets, 16)
    assert f"with all latents it {words}" in got and f"with 16 latents it {words}" in got
    assert "leaves 0.10 of their variance unexplained, the one of texts 0.40" in got


@pytest.fixture
def study():
    kinds = {kind: [result(HALF)] * (5 if kind == RANDOM else 1) for kind in KINDS} | {SAE: [result(TRUTH, 0.9)]}
    curves = {kind: [{"k": k, **scored(0.5)} for k in (2, 4)] for kind in KINDS}
    return chapter.Images(
        SimpleNamespace(name="p", middle=3),
        {name: ImageScores(TRUTH, kinds, kinds, curves, unexplained=0.4) for name in SETS},
        0.05,
        {name: two_saes(TRUTH, HALF, 0.1, 0.4) for name in SETS},
    )


def test_the_summary_of_known_scores(study):
    summary = study.summary()
    assert summary["minus"][HIDDEN]["interval"][0] > 0 and summary["few"]["k"] == image_scores.FEW
    assert summary["sets"]["digits"][RANDOM]["n_draws"] == 5 and summary["mean"][SAE] == pytest.approx(0.9)
    assert summary["image_tokens"]["unexplained"] == {TEXTS: pytest.approx(0.4), IMAGES: pytest.approx(0.1)}
    assert summary["image_tokens"]["minus"]["interval"][0] > 0
    assert "above" in summary["sentences"]["all"] and "digits" in summary["sentences"]["off_text"]


def test_without_an_sae_of_image_tokens_the_chapter_says_so(study):
    plain = replace(study, two_saes={})
    assert plain.summary()["image_tokens"] == {"layer": 3, "sets": {}}
    assert plain.summary()["sentences"]["image_tokens"] == image_tokens.NONE_HERE
    assert plain.image_tokens_table().count("<tr>") == 1


def test_figures_and_tables(study):
    assert [ax.get_title() for ax in study.figure().axes] == list(SETS)
    assert len(study.pictures().axes) == len(SETS) * chapter.PICTURES
    assert study.table().count("<tr>") == 4 and study.image_tokens_table().count("<tr>") == 7


def test_published_images_stand_on_lines_of_their_own(study):
    full = {kind: [SimpleNamespace(row=lambda: scored(0.5))] for kind in (SAE, HIDDEN)}
    sets = {name: ImageScores(TRUTH, full, full, {}, 0.4) for name in SETS}
    (ax,) = chapter.Images(study.profile, sets, 0.05, {}).published_figure().axes
    lines = [label.get_text() for label in ax.get_yticklabels()]
    assert lines == [*SETS, "Oxford flowers", "CIFAR-100", "Indian food"]
    hollow = [box[0] for box in ax.containers if box[0].get_markerfacecolor() == "none"]
    assert [line.get_xdata().tolist() for line in hollow] == [[0.987, 0.822, 0.859], [0.759, 0.523, 0.459]]
