"""The headline's tables: what stands first, and how short a setting is said."""

import re

import pytest

from mosaic.studies import headline_tables
from mosaic.texts.labelled import FAMILIAR, NEW

SCORE = {"macro_f1": 0.9, "low": 0.8, "high": 1.0}


@pytest.mark.parametrize(("c", "edge", "said"), [(None, None, ""), (1e-5, "low", "1e-5 (low)"), (1.0, None, "1e0")])
def test_a_strength_is_short(c, edge, said):
    assert headline_tables.strength({"C": c, "edge": edge}) == said


def test_scores_stand_before_settings():
    row = {
        "set": "s", "kind": "told", "features": "sae", "layer": 3, "width": "1k", "pooling": "max", "binarized": False,
        "classifier": "logistic", "C": 1e3, "edge": "high", "n_tied": 2, "converged": True,
        "parts": {FAMILIAR: SCORE, NEW: SCORE},
    }  # fmt: skip
    table = headline_tables.settings_table([row])
    places = [
        re.search(rf"<th[^>]*>{re.escape(head)}</th>", table).start()
        for head in ("set", "macro-F1 (95 %)", NEW, "chosen on validation", "C")
    ]
    assert places == sorted(places) and ">1e3 (high)</td>" in table
