"""Estimators for probing: texts -> SAE features, feature selection, the two probes, the baselines.

All follow scikit-learn's conventions and work in anybody's Pipeline; binarisation is scikit-learn's own
`Binarizer(threshold=...)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from mosaic.errors import MosaicError
from mosaic.probing.linear import LogisticProbe

SEED = 42


class SAEFeaturizer(TransformerMixin, BaseEstimator):
    """x_i = pool_t f(h_t): texts to pooled SAE latents (or hidden states), without training.

    profile: name of a profile, or a `mosaic.profiles.profile.Profile`. layer, width, seed: which SAE of it; width
    "hidden" gives the residual stream itself. pooling: see `mosaic.features.pooling`. cache: folder of the feature
    cache, or None. device: where model and SAE run: cpu, cuda, cuda:0, mps.

    transform gives CSR [n_texts, n_latents] float32. Source: MOSAIC (arXiv 2502.11367), section 3.
    """

    def __init__(self, profile="minilm", layer=4, width="2k", pooling="sum", seed=0, cache=None, device="cpu"):
        self.profile = profile
        self.layer = layer
        self.width = width
        self.pooling = pooling
        self.seed = seed
        self.cache = cache
        self.device = device

    def fit(self, X: Sequence[str], y=None) -> SAEFeaturizer:
        """Load the model and the SAE; texts are only checked.

        Raises MosaicError for texts that are none or a table, an unknown pooling, a layer or width that is not there.
        """
        from mosaic.features.extract import check_texts
        from mosaic.features.pooling import top_n
        from mosaic.features.request import Request
        from mosaic.profiles.opening import load_model, load_saes
        from mosaic.profiles.profile import load_profile

        check_texts(_one_column(X))
        top_n(self.pooling)
        profile = load_profile(self.profile) if isinstance(self.profile, str) else self.profile
        lm = load_model(profile, self.device)
        if self.width == "hidden":
            request = Request((), (self.layer,), (self.pooling,))
        else:
            saes = load_saes(profile, lm, layers=[self.layer], widths=[str(self.width)], seeds=[self.seed])
            request = Request(saes, (), (self.pooling,))
        request.check(lm)
        self.lm_, self.request_ = lm, request
        return self

    def transform(self, X: Sequence[str]):
        from mosaic.features.extract import extract

        check_is_fitted(self, "request_")
        return extract(_one_column(X), self.lm_, self.request_, self.cache)[0].matrix

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """`layer_4/width_2k/17` for latent 17, `layer_4/hidden/17` for dimension 17 of the residual stream."""
        check_is_fitted(self, "request_")
        if self.request_.encoders:
            (sae,) = self.request_.encoders
            prefix, n = f"layer_{sae.layer}/width_{sae.width}", sae.n_latents
        else:
            prefix, n = f"layer_{self.request_.hidden_layers[0]}/hidden", self.lm_.d_model
        return np.array([f"{prefix}/{j}" for j in range(n)], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = True
        return tags


def _one_column(X) -> Sequence[str]:
    """The texts as a list. Raises MosaicError for a table, whose iteration would give its column names."""
    if getattr(X, "ndim", 1) != 1:
        raise MosaicError(f"texts have {X.ndim} dimensions; give one column of them, such as frame['text'].")
    return X if isinstance(X, str) else list(X)


class MeanDifferenceSelector(SelectorMixin, BaseEstimator):
    """Keep the k columns with the largest max_c |mean(x | y = c) - mean(x | y != c)|.

    k: columns kept (all, where there are fewer). Equal differences keep the lower column. Source: SAE-Probes
    (Kantamneni et al. 2025), which uses it for two classes; for more the largest one-against-rest difference counts.
    """

    def __init__(self, k=16):
        self.k = k

    def fit(self, X, y) -> MeanDifferenceSelector:
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=[np.float64, np.float32])
        if not isinstance(self.k, int | np.integer) or self.k < 1:
            raise ValueError(f"k is {self.k!r}; a positive integer was expected.")
        self.classes_, codes = np.unique(y, return_inverse=True)
        n = np.bincount(codes).astype(np.float64)
        sums = np.stack([np.asarray(X[codes == c].sum(axis=0), dtype=np.float64).ravel() for c in range(len(n))])
        rest = np.maximum(len(codes) - n, 1)
        difference = np.abs(sums / n[:, None] - (sums.sum(0) - sums) / rest[:, None])
        self.scores_ = difference.max(axis=0)
        self.support_ = np.zeros(X.shape[1], dtype=bool)
        self.support_[np.argsort(-self.scores_, kind="stable")[: self.k]] = True
        return self

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        return self.support_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        return tags


def logistic(C: float = 0.1, center: bool = False):
    """The linear probe: columns scaled to unit variance, classes balanced, L2-regularised, solved to convergence.

    center: subtract column means as well (dense features only; sparse ones stay sparse).
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(with_mean=center), LogisticProbe(C))


def tree(max_depth: int = 5, min_samples_leaf: int = 4, k: int = 256):
    """The shallow decision tree, on the k columns that differ most between the classes."""
    from sklearn.pipeline import make_pipeline
    from sklearn.tree import DecisionTreeClassifier

    return make_pipeline(
        MeanDifferenceSelector(k),
        DecisionTreeClassifier(
            max_depth=max_depth, min_samples_leaf=min_samples_leaf, class_weight="balanced", random_state=SEED
        ),
    )


def k_sparse(k: int, C: float = 1.0):
    """A linear probe on k latents only: how few suffice (SAE-Probes; SAEBench)."""
    from sklearn.pipeline import make_pipeline

    return make_pipeline(MeanDifferenceSelector(k), *(step for _, step in logistic(C).steps))


def tfidf(kind: str = "word"):
    """TF-IDF of word 1-2-grams or character 1-4-grams (within words), sublinear; no stop words of any language."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    settings = {
        "word": dict(analyzer="word", ngram_range=(1, 2), max_features=20_000, token_pattern=r"(?u)\b\w+\b"),
        "char": dict(analyzer="char_wb", ngram_range=(1, 4), max_features=50_000),
    }
    if kind not in settings:
        raise MosaicError(f"TF-IDF of {kind!r} is unknown; choose word or char.")
    return TfidfVectorizer(sublinear_tf=True, lowercase=True, dtype=np.float32, **settings[kind])


def tfidf_probe(C: float = 1.0):
    """The linear probe on TF-IDF rows, which are unit vectors already and so are not scaled again."""
    return LogisticProbe(C)


def path(probe, X, y, other, strengths: Sequence) -> Iterator[tuple[np.ndarray, bool]]:
    """(predictions for the rows of `other`, whether the solver came to its end) of the probe for each strength.

    What stands before the last step of a pipeline is fitted once; a probe without strengths (None) is fitted alone.
    """
    if hasattr(probe, "steps"):
        X, other = (before := probe[:-1].fit(X, y)).transform(X), before.transform(other)
        probe = probe[-1]
    for fitted in probe.path(X, y, strengths) if hasattr(probe, "path") else [probe.fit(X, y)]:
        yield fitted.predict(other), solved(fitted)


def solved(probe) -> bool:
    """Whether a fitted probe's solver came to its end; what has no solver is always solved."""
    return getattr(probe[-1] if hasattr(probe, "steps") else probe, "converged_", True)


def majority():
    """The largest class of the training set, always."""
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="most_frequent")
