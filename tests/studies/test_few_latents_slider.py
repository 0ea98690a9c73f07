"""The number of latents, moved by hand: which come in, against the k-sparse probe's own choice."""

import numpy as np
import pytest
from toy import problem

from mosaic.probing import estimators, examine
from mosaic.probing.candidates import TableFeatures
from mosaic.probing.folds import splits
from mosaic.probing.selection import fit
from mosaic.studies import few_latents_slider as slider

NAMES = {"layer_4/width_2k/5": "message: negation (0.97)"}


def found(k=2, sizes=(1, 2, 4)):
    curve = [{"k": n, "macro_f1": 0.5 + n / 20, "low": 0.4, "high": 0.8, "validation": 0.5} for n in sizes]
    return {
        "k": k,
        "short": False,
        "curve": curve,
        "parts": {"familiar words": {"all": 0.75}, "new words": {"all": 0.2}},
    }


@pytest.mark.parametrize("binarized", [False, True])
@pytest.mark.parametrize("n", [1, 3, 8])
def test_the_first_k_are_those_that_the_sparse_probe_keeps(n, binarized):
    """Against the probe fitted on every column of the table, so that a column that is never active is counted too."""
    base = problem()
    table = base.tables[1]
    result = fit(TableFeatures(base, table, binarized), base, splits(base.train)[:1])
    latents = slider.ranked(base, result, n)
    x = table.matrix[: len(base.train)].toarray()
    x = x if result.threshold is None else (x > result.threshold).astype(np.float32)
    kept = estimators.k_sparse(n).fit(x, base.train.labels)[0].get_support()
    assert {f"layer_4/width_2k/{i}" for i in np.flatnonzero(kept)} == set(latents) and len(latents) == n
    assert latents[0] == "layer_4/width_2k/5", "the column that carries the label"
    assert slider.ranked(base, result, 1)[0] == latents[0]
    assert latents == slider.ranked(base, examine.k_sparse_at(base, result, n), n), "whatever the strength"


def test_the_figure_has_a_place_for_each_size_and_begins_at_the_chosen_one():
    latents = tuple(f"layer_4/width_2k/{i}" for i in (5, 7, 9))
    made = slider.case("mini/set", found(), latents, NAMES, slider.scores_axis(slider.drawn(found())))
    assert made.title == "set" and [place.label for place in made.places] == ["1", "2", "4"] and made.start == 1
    assert made.marks == ["5: message: negation (0.97)", "latent 7", "latent 9"] and made.appear
    assert [sorted(place.marks) for place in made.places] == [[0], [0, 1], [0, 1, 2]]
    assert [place.dots[0][0] for place in made.places] == pytest.approx([0.55, 0.6, 0.7])
    assert made.chart.levels[0].value == 0.75 and made.chart.span == (0.4, 0.8)
    assert made.marks_said.endswith("first (3 at most):") and not slider.marks_said([1, 2], ())
    assert (
        [place.x for place in made.places]
        == [x for x, _ in made.chart.x_ticks]
        == [x for x, _ in made.chart.lines[0].points]
    )


def test_what_is_said_of_a_size():
    said = [slider.place(i, found(), ()).said for i in range(3)]
    assert said[0] == "1 latent: macro-F1 0.55 (0.40 to 0.80); all latents 0.75."
    assert said[1].startswith("2 latents") and "validation cannot tell from all latents" in said[1]
    assert "validation" not in said[2] and "validation" not in slider.place(1, found(None), ()).said
    assert slider.case("t", found(None), (), {}, {"span": (0, 1), "y_ticks": []}).start == 0


def test_the_table_names_each_latent_where_it_comes_in():
    latents = {"a": tuple(f"layer_4/width_2k/{i}" for i in (5, 7, 9))}
    markup = slider.slider({"a": found(), "b": found()}, latents, NAMES)
    assert (
        "5: message: negation (0.97)" in markup and "latent 9; and 1 more" in markup and "<option>b</option>" in markup
    )
    assert slider._rows("a", found(sizes=(1, 8, 16)), latents["a"], {})[2]["latent"] == "and 8 more"


def test_ten_sets_are_light():
    few = {f"set {i}": found(sizes=(1, 2, 4, 8, 16, 32, 64, 128, 256)) for i in range(10)}
    latents = {title: tuple(f"layer_4/width_2k/{i}" for i in range(slider.NAMED)) for title in few}
    names = {f"layer_4/width_2k/{i}": "message: toxicity toxic (0.97)" for i in range(32)}
    assert len(slider.slider(few, latents, names).encode()) < 100_000
