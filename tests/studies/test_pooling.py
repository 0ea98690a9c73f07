import json
from types import SimpleNamespace

import numpy as np
import pytest

from mosaic.errors import MosaicError
from mosaic.probing.scores import Difference
from mosaic.studies import pooling

SCORES = {
    ("a", "sae"): {"sum": 0.5, "last": 0.9},
    ("b", "sae"): {"sum": 0.7, "last": 0.1},
    ("a", "hidden"): {"sum": 0.2, "last": 0.4},
    ("b", "hidden"): {"sum": 0.4, "last": 0.6},
}
ROWS = tuple(
    {"set": title, "features": features, "pooling": name, "macro_f1": value}
    for (title, features), by_pooling in SCORES.items()
    for name, value in by_pooling.items()
)


def test_the_grid_is_sets_by_poolings_of_one_kind_of_features():
    values, titles, poolings = pooling.grid(ROWS, "sae")
    assert (titles, poolings) == (["a", "b"], ["sum", "last"])
    assert values.tolist() == [[0.5, 0.9], [0.7, 0.1]]
    assert pooling.mean_of_poolings(ROWS, "hidden") == pytest.approx({"sum": 0.3, "last": 0.5})


def test_the_best_pooling_is_the_one_with_the_highest_mean():
    d = Difference(0.1, -0.05, 0.2, 0.3)
    study = pooling.Pooling(SimpleNamespace(name="p", middle=3), ROWS, {"sae": d, "hidden": d})
    summary = study.summary()
    assert summary["best"] == {"sae": "sum", "hidden": "last"} and summary["layer"] == 3
    assert summary["sets"]["b"]["sae"]["last"] == {"features": "sae", "pooling": "last", "macro_f1": 0.1}
    assert summary["mean_minus_last"]["sae"] == {"difference": 0.1, "interval": [-0.05, 0.2], "p": 0.3}
    assert "-0.050 to 0.200" in study.table()
    shown = study.figure("hidden").axes[0].collections[0].get_array()
    np.testing.assert_allclose(np.ravel(shown), [0.2, 0.4, 0.4, 0.6])


def test_from_a_profile_to_the_recorded_numbers(small_profile, tmp_path):
    study = pooling.run(small_profile, cache=tmp_path / "cache")
    values = json.loads(study.record(tmp_path).read_text())["values"]
    assert values["layer"] == 1 and set(values["mean"]["hidden"]) == set(small_profile.poolings)
    assert {row["layer"] for row in study.rows} == {1}
    for features in ("sae", "hidden"):
        mean, last = (values["mean"][features][name] for name in ("mean", "last"))
        assert values["mean_minus_last"][features]["difference"] == pytest.approx(mean - last, abs=2e-6)


def test_a_profile_without_last_is_told_so():
    profile = SimpleNamespace(name="p", poolings=("sum", "mean"))
    with pytest.raises(MosaicError, match="p does not compute the pooling 'last'"):
        pooling.check_poolings(profile, pooling.COMPARED)
