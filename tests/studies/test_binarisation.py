import json
from types import SimpleNamespace

import pytest

from mosaic.errors import MosaicError
from mosaic.probing.scores import Difference
from mosaic.studies import binarisation


def rows(n_sets):
    scored = {("sum", False): 0.5, ("sum", True): 0.7, ("max", False): 0.6, ("max", True): 0.4}
    return tuple(
        {"set": f"set {i}", "pooling": pooling, "binarized": on, "macro_f1": value + 0.1 * (i % 2)}
        for i in range(n_sets)
        for (pooling, on), value in scored.items()
    )


def made_up(n_sets):
    curve = [{"threshold": t, "kept": 1 - t, "macro_f1": 0.5 + t / 4} for t in (0.0, 0.5)]
    sweeps = {f"set {i}": {"curve": curve, "published": {**curve[1], "threshold": 1.0}} for i in range(n_sets)}
    differences = {
        "tuned": {"sum": Difference(0.2, 0.1, 0.3, 0.01), "max": Difference(-0.2, -0.3, -0.1, 0.01)},
        "published": {"sum": Difference(0.0, -0.1, 0.1, 0.9), "max": Difference(-0.4, -0.5, -0.3, 0.0)},
    }
    return binarisation.Binarisation(SimpleNamespace(name="p", middle=3), rows(n_sets), differences, sweeps)


def test_means_over_sets_keep_raw_and_binarised_apart():
    means = binarisation.mean_over_sets(rows(2))
    assert means["sum"] == pytest.approx({"raw": 0.55, "binarized": 0.75})
    assert means["max"] == pytest.approx({"raw": 0.65, "binarized": 0.45})


def test_the_summary_of_known_rows():
    summary = made_up(2).summary()
    assert summary["sets"]["set 1"]["max"]["binarized"]["macro_f1"] == 0.5
    assert summary["difference"]["published"]["sum"] == {"difference": 0.0, "interval": [-0.1, 0.1], "p": 0.9}
    assert "+0.200 (+0.100 to +0.300)" in made_up(2).table()


@pytest.mark.parametrize("n_sets", [1, 7, 10])
def test_no_set_is_left_out_of_the_threshold_curve(n_sets):
    """Seven sets were once zipped with six colours."""
    study = made_up(n_sets)
    ax = study.threshold_curve().axes[0]
    lines = [line for line in ax.get_lines() if line.get_label() in study.sweeps]
    assert [line.get_label() for line in lines] == list(study.sweeps)
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == n_sets
    assert len(ax.get_lines()) == 2 * n_sets  # each with the mark of the published threshold


def test_both_thresholds_stand_beside_each_other():
    (ax,) = study_axes = made_up(1).figure().axes
    labels = {text.get_text() for text in ax.figure.legends[0].get_texts()}
    assert len(study_axes) == 1 and labels == {"threshold chosen on validation", "threshold 1.0"}


def test_from_a_profile_to_the_recorded_numbers(small_profile, tmp_path):
    study = binarisation.run(small_profile, poolings=("sum", "count"), cache=tmp_path / "cache")
    values = json.loads(study.record(tmp_path).read_text())["values"]
    assert set(values["difference"]) == {"tuned", "published"}
    means = values["mean"]["sum"]
    tuned = values["difference"]["tuned"]["sum"]["difference"]
    assert tuned == pytest.approx(means["binarized"] - means["raw"], abs=2e-6)
    for sweep in values["sweeps"].values():
        assert sweep["published"]["threshold"] == 1.0 and sweep["curve"][0]["kept"] == 1.0


def test_poolings_without_sum_are_refused_before_any_work():
    with pytest.raises(MosaicError, match="needs the pooling 'sum' beside max, count"):
        binarisation.run("no such profile", poolings=("max", "count"))
