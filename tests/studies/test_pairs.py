from types import SimpleNamespace

import pytest

from mosaic.probing.candidates import Setting
from mosaic.studies import headline_said, pairs


def result(features, layer, pooling, score, binarized=False, classifier="logistic", width="1k"):
    setting = Setting(features, layer, width if features == "sae" else None, pooling, binarized, classifier)
    return SimpleNamespace(setting=setting, score=SimpleNamespace(macro_f1=score))


RESULTS = [
    result("sae", 1, "mean", 0.7),
    result("sae", 1, "mean", 0.5, binarized=True),
    result("sae", 1, "mean", 0.99, classifier="tree"),
    result("sae", 1, "last", 0.6, width="4k"),
    result("sae", 2, "mean", 0.8),
    result("hidden", 1, "mean", 0.6),
    result("hidden", 1, "last", 0.6),
    result("hidden", 1, "last", 0.1, classifier="tree"),
]


def test_a_pair_has_one_layer_and_one_pooling_and_no_tree():
    assert pairs.differences(RESULTS) == pytest.approx([0.1, -0.1, 0.0])  # layer 2 has no other side
    last = [result("hidden", 1, "last", 0.65)]
    assert pairs.differences([*RESULTS[:6], *last], "last") == pytest.approx([0.05, -0.15, -0.05])


def test_the_share_is_of_all_pairs_and_equal_scores_are_not_ahead():
    found = pairs.share({"a": [0.1, 0.1, 0.0], "b": [-0.1]})
    assert (found.share, found.equal, found.n_pairs) == (0.5, 0.25, 4) and found.mean == pytest.approx(0.025)


def test_the_interval_is_over_sets_whose_pairs_agree():
    """Ten sets of fifty pairs each, of which seven have the SAE ahead throughout: not 500 independent pairs."""
    one = {f"s{i}": [0.1 if i < 7 else -0.1] * 50 for i in range(10)}
    found = pairs.share(one)
    assert found.share == 0.7 and found.low < 0.45 and found.high > 0.9
    even = pairs.share({f"s{i}": [0.1] * 35 + [-0.1] * 15 for i in range(10)})
    assert even.share == even.low == even.high == 0.7


def test_one_set_has_no_interval_and_no_pair_no_share():
    assert pairs.share({"a": [0.1, -0.1]}).summary()["interval"] is None
    assert pairs.share({"a": []}) is None


def test_the_sentence_and_the_claim_have_one_rule():
    published, band = headline_said.pairs_rule()
    assert (published, band) == (0.69, 0.1)
