from types import SimpleNamespace

import numpy as np
import pandas
import pytest
from conftest import sentences
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from mosaic.errors import MosaicError
from mosaic.probing import estimators


@parametrize_with_checks([estimators.MeanDifferenceSelector(k=2), estimators.LogisticProbe()])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_scikit_learns_checks_of_estimators_that_read_texts():
    """scikit-learn has few checks for texts: what can be cloned, and what `__init__` may do with its arguments."""
    from sklearn.utils import estimator_checks as checks

    featurizer = estimators.SAEFeaturizer()
    for check in (
        checks.check_estimator_cloneable,
        checks.check_estimator_tags_renamed,
        checks.check_valid_tag_types,
        checks.check_estimator_repr,
        checks.check_no_attributes_set_in_init,
        checks.check_parameters_default_constructible,
        checks.check_get_params_invariance,
        checks.check_set_params,
    ):
        check("SAEFeaturizer", clone(featurizer))


def test_mean_difference_ranks_by_the_largest_one_against_rest_difference():
    rng = np.random.default_rng(0)
    y = rng.choice(["a", "b", "c"], 90)
    x = rng.random((90, 12)).astype(np.float32)
    x[:, 7] += (y == "b") * 2
    x[:, 3] -= (y == "c") * 1
    slow = [max(abs(x[y == c, j].mean() - x[y != c, j].mean()) for c in "abc") for j in range(12)]
    for matrix in (x, csr_matrix(x)):
        selector = estimators.MeanDifferenceSelector(k=2).fit(matrix, y)
        np.testing.assert_allclose(selector.scores_, slow, rtol=1e-4, atol=1e-6)
        assert selector.get_support(indices=True).tolist() == [3, 7]
        assert selector.get_feature_names_out([f"l{i}" for i in range(12)]).tolist() == ["l3", "l7"]
    with pytest.raises(ValueError, match="k is 0; a positive integer"):
        estimators.MeanDifferenceSelector(k=0).fit(x, y)
    assert estimators.MeanDifferenceSelector(k=99).fit(x, y).get_support().all()


def test_k_sparse_uses_k_columns():
    x = csr_matrix(np.random.default_rng(0).random((60, 30)))
    y = np.repeat(["a", "b"], 30)
    model = estimators.k_sparse(4).fit(x, y)
    assert model[-1].coef_.shape == (1, 4)


def test_featurizer_works_in_a_pipeline(minilm):
    texts = ["a lovely film", "a dreadful film", "what joy", "what a bore"] * 5
    labels = ["pos", "neg"] * 10
    featurizer = estimators.SAEFeaturizer(layer=4, width="2k", pooling="max")
    model = make_pipeline(
        featurizer, estimators.MeanDifferenceSelector(32), *[s for _, s in estimators.logistic().steps]
    )
    assert model.fit(texts, labels).score(texts, labels) == 1.0
    rows = model[0].transform(texts[:3])
    assert rows.shape == (3, 2048) and rows.dtype == np.float32 and rows.has_sorted_indices
    names = model[:-1].get_feature_names_out()
    assert len(names) == 32 and all(name.startswith("layer_4/width_2k/") for name in names)
    hidden = estimators.SAEFeaturizer(width="hidden", pooling="mean").fit(texts)
    assert hidden.transform(texts[:2]).shape == (2, 384)
    assert hidden.get_feature_names_out()[-1] == "layer_4/hidden/383"


def test_featurizer_is_a_well_behaved_estimator():
    featurizer = estimators.SAEFeaturizer(pooling="max")
    again = clone(featurizer)
    assert again.get_params() == featurizer.get_params() and again is not featurizer
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        featurizer.transform(["a"])
    with pytest.raises(MosaicError, match="row 0 is 3"):
        featurizer.fit([3])


def test_featurizer_runs_on_the_device_it_is_given(monkeypatch):
    """Stored as given, copied by clone, handed to the model; `profile` may be a Profile."""
    from mosaic.profiles import opening
    from mosaic.profiles.profile import load_profile

    asked = []

    def load(profile, device):
        asked.append((profile.name, device))
        return SimpleNamespace(check_layers=lambda layers: None)

    monkeypatch.setattr(opening, "load_model", load)
    featurizer = clone(estimators.SAEFeaturizer(load_profile("mini"), width="hidden", device="cuda:1"))
    assert featurizer.device == "cuda:1" and not asked
    featurizer.fit(["a text"])
    estimators.SAEFeaturizer("mini", width="hidden").fit(["a text"])
    assert asked == [("mini", "cuda:1"), ("mini", "cpu")]


def test_tfidf_takes_any_language_and_no_stop_words():
    x = estimators.tfidf("word").fit(["the cat и кот", "a 猫 I"])
    assert {"the", "a", "i", "и", "猫", "и кот"} <= set(x.vocabulary_)
    assert estimators.tfidf("char").fit_transform(sentences(3)).dtype == np.float32
    with pytest.raises(MosaicError, match="TF-IDF of 'byte' is unknown"):
        estimators.tfidf("byte")


@pytest.mark.parametrize(
    "changes,texts,message",
    [
        ({}, "one string", "texts is one string; give a list"),
        ({}, pandas.DataFrame({"text": ["a", "b"]}), r"texts have 2 dimensions; give one column"),
        ({"pooling": "best"}, ["a"], "unknown pooling 'best'"),
        ({"width": "hidden", "layer": 9}, ["a"], "layer 9 does not exist"),
        ({"width": "3k"}, ["a"], "no SAE of width '3k'"),
    ],
)
def test_the_featurizer_refuses_what_it_cannot_use_when_it_is_fitted(changes, texts, message):
    with pytest.raises(MosaicError, match=message):
        estimators.SAEFeaturizer(**{"profile": "mini", "layer": 3, "width": "1k", **changes}).fit(texts)


def test_what_was_fitted_is_not_what_is_set_afterwards():
    featurizer = estimators.SAEFeaturizer("mini", layer=3, width="1k").fit(["you are stupid"])
    featurizer.set_params(layer=1, width="hidden")
    assert featurizer.get_feature_names_out()[17] == "layer_3/width_1k/17"
    assert featurizer.transform(["you are stupid"]).shape == (1, 1024)
