"""Linear probes against trees on predictions whose differences are known."""

import numpy as np
import pytest
from transfer_toy import ABOVE, BELOW, OPEN, parallel, result

from mosaic.studies.classifiers import Classifiers, chosen, compare


def results(test, right):
    """One result a kind, each right on every row or on none; a worse one of each kind after it."""
    wrong = np.where(test.labels == "good", "bad", "good")
    return [
        result(predicted, features=features, classifier=classifier)
        for (features, classifier), good in right.items()
        for predicted in ((test.labels, wrong) if good else (wrong, test.labels))
    ]


def test_each_kind_has_the_result_that_validation_put_first():
    test = parallel(n=12)
    right = {
        ("sae", "logistic"): True,
        ("sae", "tree"): False,
        ("hidden", "logistic"): False,
        ("hidden", "tree"): False,
    }
    found = chosen(results(test, right))
    assert set(found) == set(right) and (found["sae", "logistic"].predicted == test.labels).all()
    both = compare(3, [(test, results(test, right)), (test, results(test, right))])
    assert both.linear_minus_tree["sae"].difference == pytest.approx(1)
    assert both.summary()["linear_minus_tree"]["sae"]["interval"] == pytest.approx([1, 1])
    assert both.summary()["linear_minus_tree"]["hidden"]["interval"] == [0, 0]
    assert both.trees.difference == 0
    one = compare(3, [(test, results(test, right)), (test, results(test, dict.fromkeys(right, True)))])
    d = one.linear_minus_tree["sae"]
    assert d.difference == pytest.approx(0.5) and d.low < 0.5 < d.high  # two sets that disagree


def test_the_sentence_follows_the_intervals():
    said = Classifiers(3, {"sae": ABOVE, "hidden": BELOW}, OPEN).sentence()
    assert said.startswith(
        "On SAE features linear probes score above shallow trees (+0.100, 95 % +0.050 to +0.150); on hidden"
    )
    assert "linear probes score below shallow trees" in said and "SAE features cannot be told apart from hidden" in said
    assert "SAE features score above hidden" in Classifiers(3, {"sae": OPEN}, ABOVE).sentence()
