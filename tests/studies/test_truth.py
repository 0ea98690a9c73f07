"""What the truth chapter decides, on made-up findings whose answer is known."""

from types import SimpleNamespace

import pytest

from mosaic.interpretation.tracking import Found
from mosaic.studies import truth
from mosaic.studies.truth import TOXICITY, Truth

LANGUAGES = ("en", "de", "zh")


def found(factor, layer, auroc, width="1k", language="all", latent=0):
    return Found(factor, layer, width, language, latent, auroc, auroc / 2, 0.25)


FOUND = (
    found("easy", 1, 0.95), found("easy", 3, 0.99), found("easy", 3, 0.97, "4k"),
    found("hard", 1, 0.6), found("hard", 3, 0.7), found("hard", 3, 0.8, "4k", latent=7),
    found(TOXICITY, 1, 0.6), found(TOXICITY, 3, 0.8), found(TOXICITY, 3, 0.91, "4k"),
    *(found("easy", 3, 0.9, language=x, latent=5) for x in LANGUAGES),
    *(found("hard", 3, 0.7, language=x, latent=i // 2) for i, x in enumerate(LANGUAGES)),
    *(found(TOXICITY, 3, 0.7, language=x, latent=i) for i, x in enumerate(LANGUAGES[:2])),  # not told apart in Chinese
)  # fmt: skip
PROFILE = SimpleNamespace(name="p", width="1k", widths=["1k", "4k", "16k"], layers=[1, 3], middle=3)
CONTROLS = {
    "random dictionary": {"easy": 0.9, "hard": 0.5, TOXICITY: 0.55},
    "untrained language model": {"easy": 0.7, "hard": 0.5, TOXICITY: 0.5},
}


@pytest.fixture
def study():
    return Truth(PROFILE, FOUND, CONTROLS, 12)


def test_the_best_of_each_factor_stands_in_falling_order():
    ties = [found("b", 1, 0.7), found("a", 1, 0.7), found("a", 3, 0.7), found("c", 1, 0.6), found("c", 3, 0.9)]
    top = truth.best(ties)
    assert list(top) == ["c", "a", "b"]
    assert top["a"].layer == 1 and top["c"].layer == 3  # of equal ones the first


def test_a_factor_is_found_from_nine_tenths_on():
    assert truth.found_and_mean({"a": 0.9, "b": 0.89999}) == {"found": 0.5, "auroc": pytest.approx(0.899995)}
    assert truth.found_and_mean({"a": 0.2})["found"] == 0 and truth.found_and_mean({"a": 1.0})["found"] == 1


@pytest.mark.parametrize(
    ("latents", "everywhere", "elsewhere"),
    [
        ({"en": 4, "de": 4, "zh": 4}, True, True),
        ({"en": 4, "de": 4, "zh": 9}, False, True),
        ({"en": 4, "de": 9, "zh": 9}, False, False),  # one latent, but not the English one
    ],
)
def test_whether_languages_share_a_latent(latents, everywhere, elsewhere):
    assert bool(truth.same_everywhere({"f": latents})) == everywhere
    assert bool(truth.same_elsewhere({"f": latents})) == elsewhere


def test_the_summary_of_known_findings(study):
    summary = study.summary()
    assert summary["n_factors"] == 3 and summary["n_found"] == 2
    # Toxicity is found by a latent of another width; what is missed is told with the best there is.
    assert summary["missed"] == {"hard": 0.8} and summary["missed_names"] == "hard"
    assert summary["toxicity"] == {
        "first": 0.6, "middle": 0.8, "late": 0.8, "untrained": 0.5, "random_dictionary": 0.55,
    }  # fmt: skip
    assert summary["same_latent"] == "1 of 2" and summary["same_as_english"] == "2 of 2"
    assert list(summary["widths"]) == ["1k", "4k"] and summary["widths"]["4k"]["found"] == pytest.approx(2 / 3)
    assert summary["controls"]["trained SAE"] == {"found": pytest.approx(1 / 3), "auroc": pytest.approx(2.49 / 3)}
    assert len(summary["found"]) == 9


def test_nothing_missed_is_said_so():
    easy = tuple(f for f in FOUND if f.factor != "hard")
    assert Truth(PROFILE, easy, CONTROLS, 12).summary()["missed_names"] == "none"


def test_figures_and_tables_show_every_factor(study):
    assert study.factors == ["easy", TOXICITY, "hard"] and study.shared_factors == ["easy", "hard"]
    assert [t.get_text() for t in study.figure().axes[0].get_yticklabels()] == study.factors
    assert [t.get_text() for t in study.languages_figure().axes[0].get_xticklabels()] == list(LANGUAGES)
    assert "layer 3, 4k, 7" in study.table() and "easy" not in study.table()
    assert "random dictionary" in study.controls_table() and "4k" in study.widths_table()
