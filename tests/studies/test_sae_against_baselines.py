import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from mosaic.errors import MosaicError
from mosaic.probing.examine import TopLatent
from mosaic.probing.scores import Difference, Mean
from mosaic.profiles.profile import SetChoice
from mosaic.studies import headline_tables
from mosaic.studies import sae_against_baselines as study_module
from mosaic.studies.classifiers import Classifiers
from mosaic.studies.compared_sets import GROUPS, NEVER_TOLD, OTHER, TOLD, UNKNOWN, Group
from mosaic.studies.controls import HIDDEN, RANDOM, TRAINED, UNTRAINED
from mosaic.studies.equal_budget import PAIRS, Budget, EqualBudget
from mosaic.studies.pairs import Share
from mosaic.texts.labelled import FAMILIAR, NEW, WHOLE

RESULTS = Path(__file__).parents[2] / "results"
FAMILIES = study_module.FAMILIES


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
        "C": 0.1,
        "edge": None,
        "converged": True,
        "n_tied": 2,
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
    assert headline_tables.setting(chosen) == shown


def group(n_sets):
    means = {f: Mean(v, v - 0.1, v + 0.1) for f, v in zip(FAMILIES, (0.8, 0.7, 0.6, 0.3), strict=True)}
    return Group(n_sets, means, {b: difference(0.1) for b in study_module.BASELINES}, difference(0.1))


def made_up(n_sets, kinds=(TOLD, NEVER_TOLD), parts=(FAMILIAR, NEW)):
    """A study whose sets take the kinds in turn."""
    titles = {f"mini/set {i}": kinds[i % len(kinds)] for i in range(n_sets)}
    scored = {"macro_f1": 0.5, "low": 0.4, "high": 0.6}
    spread = {"macro_f1": 0.5, "lowest": 0.4, "highest": 0.6}
    curve = [{"k": k, "macro_f1": 0.4 + k / 100, "low": 0.3, "high": 0.6, "validation": 0.5} for k in (1, 2)]
    few = {"few": 0.6, "all": 0.5, "difference": 0.1, "interval": [0.05, 0.15]}
    budget = Budget(
        means={TRAINED: 0.8, RANDOM: 0.8, HIDDEN: 0.7, UNTRAINED: 0.5},
        differences={group: {name: difference(0.0) for name in PAIRS} for group in ("all", "never_told")}
        | {"new_words": None},
    )
    equal = EqualBudget(
        layer=3,
        width="1k",
        n_draws={TRAINED: 1, RANDOM: 5, HIDDEN: 1, UNTRAINED: 1},
        linear=budget,
        with_tree=budget,
        sparsity={TRAINED: [32.0], RANDOM: [32.0] * 5},
        effort={},
    )
    what = {
        "n_settings": 12,
        "poolings": ["last", "mean"],
        "edge": {"low": 0.1, "high": 0.0},
        "n_fits": 5,
        "not_converged": 0,
    }
    n_told = sum(kind == TOLD for kind in titles.values())
    sizes = {"all": n_sets, "told": n_told, "never_told": n_sets - n_told} if UNKNOWN not in kinds else {"all": n_sets}
    if NEW in parts:
        sizes |= {"familiar_words": n_sets, "new_words": n_sets}
    if NEW in parts and UNKNOWN not in kinds:
        sizes |= {"told_new_words": n_told, "never_told_new_words": n_sets - n_told}
    return study_module.SaeAgainstBaselines(
        profile=SimpleNamespace(name="p", poolings=("mean", "last"), truth=UNKNOWN not in kinds),
        rows=tuple(
            row(set=t, kind=kind, features=f, parts={part: scored for part in parts})
            for t, kind in titles.items()
            for f in FAMILIES
        ),
        controls=tuple(
            {"set": t, "control": c, "n_draws": 5, "poolings": "mean", "parts": {part: spread for part in parts}}
            for t in titles
            for c in equal.n_draws
        ),
        groups={name: group(sizes[name]) if sizes.get(name) else None for name in GROUPS},
        per_set={t: {part: {b: difference(0.1) for b in study_module.BASELINES} for part in parts} for t in titles},
        equal=equal,
        pairs=Share(0.6, 0.5, 0.7, 0.01, 0.02, 100),
        pairs_against_last=None,
        few={t: {"k": 2, "short": False, "parts": {part: few for part in parts}, "curve": curve} for t in titles},
        few_difference={"first": difference(0.0), "new": None},
        effort={f: what for f in FAMILIES},
        best_mean={},
        classifiers=Classifiers(3, {"sae": difference(0.1), "hidden": difference(0.1)}, difference(0.0)),
        latents={t: [TopLatent("layer_0/width_1k/7", "yes", -0.5, ("the text",))] for t in titles},
        tracked={"layer_0/width_1k/7": "message: negation (0.97)"},
    )


def test_the_slider_on_few_latents_names_those_that_come_in():
    study = replace(made_up(2), ranked={"mini/set 0": ("layer_0/width_1k/7", "layer_0/width_1k/9")})
    markup = study.few_slider()
    assert "7: message: negation (0.97)" in markup and "latent 9" in markup and "<option>set 1</option>" in markup


@pytest.mark.parametrize("kinds,parts", [((TOLD, NEVER_TOLD), (FAMILIAR, NEW)), ((UNKNOWN,), (WHOLE,))])
def test_the_figure_has_each_kinds_mean_above_its_sets(kinds, parts):
    study = made_up(4, kinds, parts)
    labels = [line.label for line in study.lines()]
    if kinds == (UNKNOWN,):
        assert labels == ["mean of all sets", "set 0", "set 1", "set 2", "set 3"]
    else:
        assert labels == ["mean: told in training", "set 0", "set 2", "mean: never told", "set 1", "set 3"]
    assert [line.begins for line in study.lines()] == [line.mean for line in study.lines()]
    left, right = study.figure().axes
    assert [text.get_text() for text in left.get_yticklabels()] == labels
    names = [text.get_text() for text in left.figure.legends[0].get_texts()]
    assert ("new words" in names) == (NEW in parts)
    assert len(right.containers) == (2 if NEW in parts else 1)  # filled marks, and hollow ones for the new words


def test_published_scores_are_grey_and_hollow_and_only_where_the_paper_has_the_task():
    study = made_up(4, (UNKNOWN,), (WHOLE,))
    left = study.figure().axes[0]
    (mean,) = [line for line in left.get_lines() if line.get_label() == "published, Gemma 2: SAE features"]
    assert mean.get_xdata() == [0.802] and mean.get_markerfacecolor() == "none" and mean.get_linestyle() == "None"
    assert study.lines()[0].published == {"sae": 0.802} and not any(line.published for line in study.lines()[1:])
    assert not any(line.published for line in made_up(4).lines()), (
        "a mean of some kinds of sets is not the paper's mean"
    )


def test_a_set_alone_of_its_kind_has_no_mean_and_names_the_kind():
    lines = made_up(3).lines()
    assert [(line.label, line.begins) for line in lines[-1:]] == [("set 1 (never told)", True)]


def test_a_mean_in_new_words_is_left_out_where_not_all_its_sets_have_them():
    study = made_up(4, (UNKNOWN,))
    partly = replace(study, groups={**study.groups, "all_new_words": None})
    assert list(partly.lines()[0].lead) == ["first"] and list(partly.lines()[1].lead) == [FAMILIAR, NEW]


@pytest.mark.parametrize("n_sets", [1, 7, 10])
def test_every_set_has_a_panel_of_its_own(n_sets):
    """Seven sets once shared six colours."""
    study = made_up(n_sets)
    shown = [ax for ax in study.k_sparse_curves().axes if ax.get_visible()]
    assert [f"mini/{ax.get_title()}" for ax in shown] == list(study.few)
    assert all(len(ax.get_lines()) == 3 for ax in shown)  # the curve, what all reach, the size chosen


def test_the_tables_hold_every_row_and_name_layer_0():
    study = made_up(2)
    assert study.table().count("<tr>") == 1 + 8 and study.controls_table().count("<tr>") == 1 + 8
    assert study.few_table().count("<tr>") == 1 + 2 and study.effort_table().count("<tr>") == 1 + 4
    latents = study.latents_table()
    assert "0/width_1k/7" in latents and "negation" in latents and "the text" in latents


def test_what_a_run_lacks_is_said_and_what_it_has_is_judged():
    """The sentences of random dictionaries: of the group they name, or that there is none."""
    found = made_up(4).sentences
    assert found["learned_never_told"].startswith("On labels never told, with a tree to choose from, the trained SAE")
    assert found["learned_new_words"].startswith("These sets have no second test in new words")
    assert found["pairs"].startswith("Against its layer's hidden states of the same pooling the SAE is ahead in 0.60")
    assert found["pairs_as_published"].startswith("No pair of an SAE setting and its layer's hidden states at the last")


def test_tables_have_new_words_only_where_they_were_tested():
    assert "new words" in made_up(2).table() and "new words" not in made_up(2, (UNKNOWN,), (WHOLE,)).table()


@pytest.fixture(scope="module")
def recorded(small_profile, tmp_path_factory):
    """(the study, its recorded values) of a whole run on few rows."""
    folder = tmp_path_factory.mktemp("run")
    study = study_module.run(replace(small_profile, poolings=("mean", "last")), cache=folder / "cache")
    return study, json.loads(study.record(folder).read_text())["values"]


def test_from_a_profile_to_the_recorded_numbers(recorded):
    study, values = recorded
    assert values["n_sets"] == 2 and len(values["rows"]) == 8
    assert list(study.ranked) == list(study.few) and all(len(set(found)) > 8 for found in study.ranked.values())
    mean, equal = values["mean"], values["equal_budget"]
    for baseline in study_module.BASELINES:
        d = values["difference"][baseline]["difference"]
        assert d == pytest.approx(mean["sae"] - mean[baseline], abs=3e-6)
    for name, (a, b) in PAIRS.items():
        assert equal[name]["difference"] == pytest.approx(equal["mean"][a] - equal["mean"][b], abs=3e-6)
    assert equal["n_draws"] == {TRAINED: 1, RANDOM: 5, HIDDEN: 1, UNTRAINED: 1}
    for lively in equal["sparsity"][RANDOM]:
        assert lively == pytest.approx(equal["sparsity"][TRAINED][0], rel=0.15)
    assert all(len(found) == study_module.N_LATENTS for found in study.latents.values())
    assert study.tracked == {} and values["over"]["told"] is None
    assert "0 of" not in " ".join(values["sentences"].values())


def check_every_pooling(values):
    """Every comparison of families used every pooling of the profile, on both sides."""
    for what in ("sae", "hidden"):
        assert values["effort"][what]["poolings"] == sorted(values["poolings"]), what
    for what in (TRAINED, RANDOM, HIDDEN, UNTRAINED):
        found = values["equal_budget"]["effort"][what]
        assert found["poolings"] == sorted(values["poolings"]) and found["n_settings"] == len(values["poolings"]) + 1, (
            what
        )  # and a tree


def test_every_comparison_used_every_pooling(recorded):
    check_every_pooling(recorded[1])


@pytest.mark.parametrize("profile", ["mini", "minilm"])
def test_every_recorded_comparison_used_every_pooling(profile):
    """What the book shows, too; "last" is the hidden states' best pooling, and was once left out."""
    values = json.loads((RESULTS / profile / "sae_against_baselines.json").read_text())["values"]
    if "equal_budget" not in values:
        pytest.skip("recorded before every pooling was")
    check_every_pooling(values)
    assert "last" in values["poolings"]


def test_labels_are_told_or_not_only_where_training_is_known(small_profile):
    assert study_module.kind_of(small_profile, "mini/toxicity") == UNKNOWN
    known = replace(small_profile, truth=True)
    kinds = [study_module.kind_of(known, f"mini/{name}") for name in ("toxicity", "agreement", "behaviour")]
    assert kinds == [TOLD, NEVER_TOLD, OTHER]


def test_a_profile_without_sets_is_refused(small_profile):
    with pytest.raises(MosaicError, match="names no data sets"):
        study_module.run(replace(small_profile, datasets=()), cache=None)


def test_a_profile_whose_sets_are_all_left_out_is_refused(small_profile, monkeypatch):
    from mosaic.errors import Unavailable
    from mosaic.studies import few_labels, layers, training_worth

    def offline(*_):
        raise Unavailable("no network")

    monkeypatch.delenv("MOSAIC_DATA", raising=False)
    monkeypatch.setattr("mosaic.texts.sources._from_hub", offline)
    sets = (SetChoice("trec", optional=True), SetChoice("sib200", "en", optional=True))
    for study in (study_module, few_labels, layers, training_worth):
        with pytest.raises(MosaicError, match=r"can be had here: trec, sib200 \(en\) are all left out. Connect to"):
            study.run(replace(small_profile, datasets=sets), cache=None)
