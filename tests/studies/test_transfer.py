"""The chapter on the large model's answers: its summary and figure on made-up scores."""

from types import SimpleNamespace

import pytest
from transfer_toy import ABOVE, BELOW, OPEN, forecast, scored

from mosaic.studies.behaviour import MARGIN, Behaviour
from mosaic.studies.transfer import Transfer


@pytest.fixture
def study():
    rows = [
        {"set": "small's view", "view": "small", "features": "sae", **scored(0.6)},
        {"set": "large's own", "view": "own", "features": "sae", **scored(0.7)},
    ]
    against = {"hidden": OPEN, "tfidf": ABOVE, "majority": ABOVE}
    return Transfer(SimpleNamespace(name="p"), Behaviour(tuple(rows), OPEN, against, OPEN, BELOW, forecast(), 0.4))


def test_the_summary_of_known_scores(study):
    summary = study.summary()
    assert summary["behaviour"]["small"]["sae"] == 0.6 and summary["behaviour"]["own"]["sae"] == 0.7
    assert summary["behaviour"]["margin"] == MARGIN
    assert summary["behaviour"]["minus_confidence"]["difference"] == BELOW.difference
    assert summary["behaviour"]["auroc"]["small"]["sae"]["interval"][0] > 0.5
    assert "foresee" in summary["sentences"]["foreseen"]
    assert len(study.figure().axes) == 1
    assert len(study.ranks_figure().axes) == 2 and len(study.reliability_figure().axes) == 4


def test_the_margin_is_the_claims():
    from mosaic.reporting.claims import load_claims

    (claim,) = [claim for claim in load_claims() if claim.id == "small-predicts-large"]
    assert claim.rule["above"] == -MARGIN
