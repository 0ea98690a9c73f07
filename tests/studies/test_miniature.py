"""What the chapter on the miniature shows, and the figures it picks from the card."""

from types import SimpleNamespace

import numpy as np
import pytest

from mosaic.studies import miniature
from mosaic.studies.miniature import Miniature

CARD = {
    "mini-small": {"gap": 0.02, "entropy": 1.1},
    "mini-large": {"gap": 0.03, "entropy": 1.1},
    "saes-small/layer_1": {"l0": 30.0, "fvu": 0.04, "dead": 0.01, "recovered": 0.99},
    "saes-large/layer_2": {"l0": 40.0, "fvu": 0.06, "dead": 0.01, "recovered": 0.99},
    "saes-large on mini-large-it/layer_2": {"l0": 80.0, "fvu": 0.3, "dead": 0.01, "recovered": 1.0},
    "sets": {"ceiling toxicity": 1.0},
}


def row(name: str, told: bool, count: float, order: float, verdict: float, **others) -> dict:
    return {
        "set": name, "told": told, "why": "so", "largest class": 0.5, "best count": "negation", "its accuracy": count,
        "best order": "first: negation", "accuracy of order": order, "added up": 0.55, "by the verdict": verdict,
        "by one code": 0.52, "ceiling": 1.0, "ceiling on validation": 0.97, "no new word": 0.0, **others,
    }  # fmt: skip


SETS = (row("a", True, 0.66, 0.71, 1.0), row("b", True, 0.61, 0.6, 1.0), row("c", False, 1.0, 0.5, 0.51))
POINT = {f"accuracy {code}": 0.9 for code in miniature.CODES} | {"held_out_loss": 1.2, "entropy": 1.1}
CURVES = {name: [POINT | {"step": step} for step in (250, 500)] for name in miniature.MODELS}
TOKENS = {"mini-small": 9_000_000, "mini-large": 8_000_000}


@pytest.fixture
def study():
    return Miniature(SimpleNamespace(name="p"), SETS, CARD, CURVES, TOKENS)


def test_an_sae_on_another_model_is_not_the_worst():
    assert miniature.worst_fvu(CARD) == 0.06


def test_the_summary_of_a_known_card(study):
    summary = study.summary()
    assert summary["worst_fvu"] == 0.06 and summary["lowest_validation_ceiling"] == 0.97
    assert summary["told"] == ["a", "b"] and summary["never_told"] == ["c"]
    assert summary["models"] == {name: CARD[name] for name in miniature.MODELS}
    assert summary["sets"]["b"] == {key: value for key, value in SETS[1].items() if key != "set"}


def test_what_makes_the_larger_model_worse_is_not_made_up():
    said = miniature.larger_sentence({"mini-small": 0.02, "mini-large": 0.03}, TOKENS)
    assert (
        "comes no closer (0.030 against 0.020). It was trained on 8,000,000 tokens" in said and "is not known" in said
    )
    assert "comes closer: 0.010 against" in miniature.larger_sentence({"mini-small": 0.02, "mini-large": 0.01}, TOKENS)


def test_figure_and_tables(study):
    loss, *codes = study.figure().axes
    assert [ax.get_title() for ax in codes] == list(miniature.CODES)
    assert [line.get_label() for line in loss.lines][:2] == list(miniature.MODELS)
    assert study.dictionaries_table().count("<tr>") == 4 and "negation" in study.table()
    assert study.told_table().count("never told") == 1


def test_what_is_shown_of_the_world(study):
    assert study.documents_table().count("<tr>") == 1 + miniature.DOCUMENTS
    assert study.languages_table().count("<tr>") == 11
    words, factors = miniature.factors_of_words(miniature.quoting_insult())
    assert {"insult yes", "quotation yes", "person addressee"} <= set(factors)
    assert all(len(row) == len(words) and row.sum() > 0 for row in factors.values())
    assert not any(name.startswith("concept") for name in factors)
    assert "token" in study.words_strip() and set(np.concatenate(list(factors.values()))) <= {0.0, 1.0}
