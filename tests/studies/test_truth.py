"""What the truth chapter records and shows, from made-up findings whose answer is known."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from mosaic.interpretation.tracking import Found
from mosaic.studies import truth
from mosaic.studies.truth import RANDOM, TOXICITY, TRAINED, UNTRAINED, Truth

LANGUAGES = ("en", "de", "zh")


def found(factor, layer, auroc, width="1k", language="all", latent=0):
    inside = (auroc, auroc, np.full(10, auroc)) if language == "all" else ()
    return Found(factor, layer, width, language, latent, auroc, auroc, auroc / 2, 0.25, *inside)


LEARNED = (
    found("easy", 1, 0.95), found("easy", 3, 0.99), found("easy", 3, 0.97, "4k"),
    found("hard", 1, 0.6), found("hard", 3, 0.7), found("hard", 3, 0.8, "4k", latent=7),
    found(TOXICITY, 1, 0.6), found(TOXICITY, 3, 0.8), found(TOXICITY, 3, 0.91, "4k"),
    *(found("easy", 3, 0.9, language=x, latent=5) for x in LANGUAGES),
    *(found("hard", 3, 0.7, language=x, latent=i // 2) for i, x in enumerate(LANGUAGES)),
    *(found(TOXICITY, 3, 0.7, language=x, latent=i) for i, x in enumerate(LANGUAGES[:2])),  # not told apart in Chinese
)  # fmt: skip
PROFILE = SimpleNamespace(name="p", width="1k", widths=["1k", "4k", "16k"], layers=[1, 3], middle=3)


def control(easy, hard, toxic):
    """As many dictionaries as there are SAEs, the one at layer 3 of 4k the best of them."""
    areas = {"easy": easy, "hard": hard, TOXICITY: toxic}
    places = ((1, "1k", 0.1), (3, "1k", 0.05), (3, "4k", 0.0))
    return tuple(
        found(name, layer, area - less, width) for name, area in areas.items() for layer, width, less in places
    )


def made_up(learned=LEARNED):
    random = (control(0.9, 0.5, 0.55), control(0.9, 0.5, 0.55))
    kinds = {TRAINED: (learned,), RANDOM: random, UNTRAINED: (control(0.7, 0.5, 0.5),)}
    return Truth(PROFILE, kinds, 12)


@pytest.fixture
def study():
    return made_up()


def test_the_summary_of_known_findings(study):
    summary = study.summary()
    assert summary["n_factors"] == 3 and summary["n_found"] == 2 and summary["n_saes"] == 3
    # Toxicity is found by a latent of another width; what is missed is told with the latent that was chosen.
    assert summary["missed"] == {"hard": 0.8}
    toxicity = {kind: {at: f["auroc"] for at, f in of.items()} for kind, of in summary["toxicity"].items()}
    assert toxicity[TRAINED] == {"first": 0.6, "middle": 0.8, "late": 0.8, "chosen": 0.91}
    assert toxicity[RANDOM] == pytest.approx({"first": 0.45, "middle": 0.5, "late": 0.5, "chosen": 0.55})
    assert summary["toxicity"][TRAINED]["first"]["interval"] == [0.6, 0.6]
    assert summary["same_latent"] == "1 of 2" and summary["same_as_english"] == "2 of 2"
    assert list(summary["widths"]) == ["1k", "4k"] and summary["widths"]["4k"]["found"] == pytest.approx(2 / 3)
    assert len(summary["found"]) == 9 and len(summary["chosen"]) == 3 and "draws" not in summary["found"][0]


def test_controls_get_the_same_choice_among_as_many_dictionaries(study):
    shares = {kind: row["found"] for kind, row in study.summary()["controls"].items()}
    assert shares == pytest.approx({TRAINED: 2 / 3, RANDOM: 1 / 3, UNTRAINED: 0})
    assert study.chosen(study.found[RANDOM][0])["easy"].width == "4k"
    assert study.summary()["over_control"][RANDOM]["difference"] == pytest.approx(1 / 3)


def test_sentences_follow_the_numbers(study):
    said = study.sentences()
    assert "Of 3 factors, 2" in said["found"] and said["missed"] == "Not found: hard 0.800."
    assert "gains from layer 1 to layer 3" in said["toxicity"] and "larger share" in said["random"]
    assert "2 of 3 factors lie wholly at 0.9 or above, 1 wholly below (hard 0.800)" in said["by_interval"]
    assert "by +0.050 (95 %" in said["toxicity_gain"] and "is above that (difference +0.150" in said["toxicity_gain"]
    assert "at layer 1 it is better" in said["toxicity_random"] and "at layer 3 it is better" in said["toxicity_random"]
    assert "With every layer and width" in said["toxicity_chosen"] and "0.91 against 0.55" in said["toxicity_chosen"]
    easy = made_up(tuple(f for f in LEARNED if f.factor != "hard"))
    assert easy.sentences()["missed"].startswith("Every factor")


def test_figures_and_tables_show_every_factor(study):
    assert study.factors == ["easy", TOXICITY, "hard"] and study.shared_factors == ["easy", "hard"]
    assert [t.get_text() for t in study.figure().axes[0].get_yticklabels()] == study.factors
    assert [t.get_text() for t in study.languages_figure().axes[0].get_xticklabels()] == list(LANGUAGES)
    lines = {line.get_label() for line in study.toxicity_figure().axes[0].get_lines()}
    assert lines == {"SAE features", "random dictionary", "random language model"}
    assert "layer 3, 4k, 7" in study.table() and "easy" not in study.table()
    assert "0.800 to 0.800" in study.table() and "wholly below" in study.table()
    assert "random dictionaries" in study.controls_table() and "4k" in study.widths_table()


def test_a_language_with_few_texts_of_a_factor_is_blank():
    """Fourteen texts are too few, fifteen are enough; over all languages nothing changes."""
    few = {"en": truth.LEAST - 1, "de": truth.LEAST}
    learned = tuple(replace(f, n_with=few.get(f.language)) if f.factor == "hard" else f for f in LEARNED)
    study = made_up(learned)
    drawn = study.languages_figure().axes[0]
    values = drawn.collections[0].get_array().reshape(len(study.shared_factors), len(LANGUAGES))
    assert np.ma.getmaskarray(values).tolist() == [[False] * 3, [True, False, False]]
    assert len(drawn.texts) == 5 and study.summary()["same_latent"] == "1 of 2" and study.summary()["least"] == 15


def test_every_sae_has_a_random_dictionary_of_its_layer_and_width_in_every_suite(monkeypatch):
    """And no two of them are the same directions."""
    import torch

    made = []
    monkeypatch.setattr(
        "mosaic.models.residuals.text_by_text", lambda lm, texts, layer: torch.full((3, 2), float(layer))
    )
    monkeypatch.setattr(
        "mosaic.saes.loading.random_like", lambda e, x, seed: made.append((e.layer, x[0, 0].item(), seed))
    )
    encoders = [SimpleNamespace(layer=layer) for layer in (1, 3, 3)]
    suites = truth._random(None, encoders, [SimpleNamespace(text="a")], 2)
    assert [len(suite) for suite in suites] == [3, 3]
    assert made == [(1, 1.0, 0), (3, 3.0, 1), (3, 3.0, 2), (1, 1.0, 3), (3, 3.0, 4), (3, 3.0, 5)]
