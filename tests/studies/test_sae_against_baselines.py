import json
from types import SimpleNamespace

import pytest

from mosaic.errors import MosaicError
from mosaic.probing.candidates import Setting
from mosaic.probing.examine import TopLatent
from mosaic.probing.scores import Difference
from mosaic.studies import sae_against_baselines as study_module


def difference(value):
    return Difference(value, value - 0.1, value + 0.1, 0.5)


def row(**changes):
    plain = {
        "layer": 3,
        "width": "1k",
        "pooling": "max",
        "binarized": False,
        "threshold": None,
        "classifier": "logistic",
    }
    return {**plain, **changes}


@pytest.mark.parametrize(
    "chosen,shown",
    [
        (row(), "layer 3, 1k, max"),
        (row(layer=0), "layer 0, 1k, max"),
        (row(binarized=True, threshold=0.123), "layer 3, 1k, max, > 0.12"),
        (row(binarized=True, threshold=0.0), "layer 3, 1k, max, > 0"),
        (row(layer=0, width=None, pooling="mean", classifier="tree"), "layer 0, mean, tree"),
        (row(layer=None, width=None, pooling="word"), "word"),
        (row(layer=None, width=None, pooling=None, classifier="majority"), ""),
    ],
)
def test_a_settings_name_says_all_that_was_chosen(chosen, shown):
    """Layer 0 once vanished from it."""
    assert study_module.setting(chosen) == shown


def test_a_set_is_lost_when_the_baseline_scores_higher():
    per_set = {
        "a": {"hidden": difference(-0.01), "tfidf": difference(0.2)},
        "b": {"hidden": difference(0.3), "tfidf": difference(-0.2)},
        "c": {"hidden": difference(0.0), "tfidf": difference(0.0)},
    }
    assert study_module.losses(per_set) == ["a"] and study_module.losses(per_set, "tfidf") == ["b"]
    assert study_module.share_ahead(per_set) == pytest.approx(1 / 3)  # equal is neither lost nor ahead


def test_the_linear_probe_is_the_best_on_validation_that_is_no_tree():
    names = [("sae", "tree"), ("hidden", "logistic"), ("sae", "logistic"), ("sae", "logistic")]
    results = [
        SimpleNamespace(setting=Setting(f, 1, "1k", "sum", classifier=c), at=i) for i, (f, c) in enumerate(names)
    ]
    assert study_module.best_linear(results).at == 2


def made_up(n_sets):
    titles = [f"set {i}" for i in range(n_sets)]
    scored = {"sae": 0.8, "hidden": 0.7, "tfidf": 0.6, "majority": 0.3}
    controls = {"random dictionary": 0.75, "trained SAE, same setting": 0.7, "random language model": 0.5}
    low_high = {"low": 0.1, "high": 0.9}
    curve = [{"k": k, "macro_f1": 0.4 + k / 100, "low": 0.3, "high": 0.6} for k in (1, 2)]
    latent = TopLatent("layer_0/width_1k/7", "yes", -0.5, ("the text",))
    return study_module.SaeAgainstBaselines(
        profile=SimpleNamespace(name="p"),
        rows=tuple(row(set=t, features=f, macro_f1=v, **low_high) for t in titles for f, v in scored.items()),
        controls=tuple(row(set=t, control=c, macro_f1=v, **low_high) for t in titles for c, v in controls.items()),
        differences={b: difference(0.1) for b in study_module.BASELINES},
        per_set={t: {b: difference(0.1) for b in study_module.BASELINES} for t in titles},
        against_random=difference(-0.05),
        k_sparse={t: curve for t in titles},
        latents={t: [latent] for t in titles},
        tracked={"layer_0/width_1k/7": "message: negation (0.97)"},
    )


def test_the_summary_of_known_rows():
    summary = made_up(3).summary()
    assert summary["mean"] == pytest.approx({"sae": 0.8, "hidden": 0.7, "tfidf": 0.6, "majority": 0.3})
    assert summary["control_mean"]["trained SAE, same setting"] == pytest.approx(0.7)
    assert (summary["losses"], summary["n_losses"], summary["ahead_of_hidden"]) == ("none", 0, 1.0)


@pytest.mark.parametrize("n_sets", [1, 7, 10])
def test_every_set_has_a_panel_of_its_own(n_sets):
    """Seven sets once shared six colours."""
    study = made_up(n_sets)
    shown = [ax for ax in study.k_sparse_curves().axes if ax.get_visible()]
    assert [ax.get_title() for ax in shown] == list(study.k_sparse)
    assert all(len(ax.get_lines()) == 1 for ax in shown)


def test_the_tables_hold_every_row_and_name_layer_0():
    study = made_up(2)
    assert study.table().count("<tr>") == 1 + 8 and study.controls_table().count("<tr>") == 1 + 6
    latents = study.latents_table()
    assert "0/width_1k/7" in latents and "negation" in latents and "the text" in latents


def test_from_a_profile_to_the_recorded_numbers(small_profile, tmp_path):
    study = study_module.run(small_profile, poolings=("mean",), cache=tmp_path / "cache")
    values = json.loads(study.record(tmp_path).read_text())["values"]
    assert values["n_sets"] == 2 and len(values["rows"]) == 8
    mean, control = values["mean"], values["control_mean"]
    assert list(control) == sorted(["random dictionary", "random language model", "trained SAE, same setting"])
    against = values["against_random"]["difference"]
    assert against == pytest.approx(control["trained SAE, same setting"] - control["random dictionary"], abs=2e-6)
    assert values["difference"]["tfidf"]["difference"] == pytest.approx(mean["sae"] - mean["tfidf"], abs=2e-6)
    assert all(len(found) == study_module.N_LATENTS for found in study.latents.values())
    assert study.tracked == {}


def test_poolings_without_mean_are_refused_before_any_work():
    with pytest.raises(MosaicError, match="needs the pooling 'mean' beside sum"):
        study_module.run("no such profile", poolings=("sum",))
