"""A made-up problem whose answer is known."""

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.features.table import FeatureTable
from mosaic.probing.problem import Problem
from mosaic.texts import labelled
from mosaic.texts.ids import text_ids

WORDS = {"a": "alpha apple ant", "b": "beta banana bee"}


def problem(n_train=120, n_test=80, seed=0, groups=False):
    """Two classes; table 'max' carries the label, 'sum' is noise, 'hidden' carries it weakly."""
    rng = np.random.default_rng(seed)
    n = n_train + n_test
    labels = rng.choice(["a", "b"], n).astype(object)
    texts = [f"{rng.choice(WORDS[label].split())} {i} filler" for i, label in enumerate(labels)]
    sign = (labels == "a").astype(np.float32)

    def table(features, pooling, strength, width=None):
        x = np.maximum(rng.normal(size=(n, 40)) - 0.5, 0).astype(np.float32)
        x[:, 5] += strength * sign
        if features == "hidden":
            x = x + rng.normal(size=x.shape).astype(np.float32)
        what = {"features": features, "layer": 4, "width": width, "pooling": pooling, "max_length": 9}
        return FeatureTable(csr_matrix(x), text_ids(texts), np.ones(n, int), np.zeros(n, bool), what)

    tables = (
        table("sae", "sum", 0.0, "2k"), table("sae", "max", 2.5, "2k"), table("sae", "count", 0.5, "8k"),
        table("hidden", "mean", 0.8), table("hidden", "last", 0.0),
    )  # fmt: skip
    group_ids = np.array([f"g{i // 4}" for i in range(n)], dtype=object) if groups else None
    everything = labelled.LabelledTexts("toy", texts, labels, group_ids)
    train, test = everything.take(np.arange(n_train)), everything.take(np.arange(n_train, n))
    return Problem(train, test, tables)
