"""The chapter on recipes: who is compared, what is measured, what is said, on made-up SAEs and on those that are shipped."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from mosaic.agreement import stability
from mosaic.agreement.pairwise import Seeds
from mosaic.agreement.resampling import Estimate
from mosaic.errors import MosaicError
from mosaic.profiles.opening import lacking, located_folder
from mosaic.profiles.profile import load_profile
from mosaic.saes.dictionary import Dictionary
from mosaic.saes.sweep import read_card
from mosaic.studies import recipes, recipes_read, recipes_said

UP, DOWN, OPEN = ({"difference": d, "interval": [d - 0.1, d + 0.1]} for d in (0.2, -0.2, 0.05))
ALONE = {"difference": 0.3, "interval": None}


def dictionary(rows, frequency=None):
    rows = np.asarray(rows, np.float32)
    return Dictionary("made up", rows, rows, frequency=frequency)


# --- who is compared ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["mini", "stories260k"])
def test_every_shipped_recipe_stands_beside_topk_and_batchtopk(profile):
    groups = recipes_read.groups_of(load_profile(profile))
    assert [group.key for group in groups] == list(recipes_read.TITLES)
    assert all([row["seed"] for row in group.rows] == [0, 1, 2] for group in groups)
    assert len({row["batches"] for group in groups for row in group.rows}) == 1  # to the last bit
    assert all((folder / "sae_weights.safetensors").is_file() for group in groups for folder in group.folders)


def test_the_shipped_recipes_are_those_of_the_build():
    from mosaic.miniature.build import WEIGHTS, steps

    step = next(step for step in steps() if step.name == "recipes")
    kept = json.loads((WEIGHTS / "recipes" / "recipe.json").read_text())
    assert kept["recipe"] == json.loads(json.dumps(step.recipe)) and kept["saes"] == 15


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[0].update(tokens=1_000_000), "has tokens 1000000, the profile's TopK SAEs 1999872"),
        (lambda rows: rows[0].update(k=16), "has k 16, the profile's TopK SAEs 8"),
        (lambda rows: rows.pop(0), r"llama_scope has seeds \[1, 2\]. Three or more are expected"),
        (lambda rows: [row.update(seed=row["seed"] + 90) for row in rows], r"the same of every recipe, and of TopK"),
    ],
)
def test_other_budgets_and_other_seeds_are_refused(tmp_path, change, message):
    mini = load_profile("mini")
    rows = read_card(located_folder(mini.recipes))
    change(rows)
    (tmp_path / "card.json").write_text(json.dumps(rows))
    with pytest.raises(MosaicError, match=message):
        recipes_read.groups_of(replace(mini, recipes=str(tmp_path)))


def test_recipes_of_fewer_tokens_stand_beside_topk_of_as_many(tmp_path):
    mini = load_profile("mini")
    fewer = next(row["tokens"] for row in read_card(located_folder(mini.seeds)) if row["tokens"] < 1_000_000)
    rows = [{**row, "tokens": fewer} for row in read_card(located_folder(mini.recipes))]
    (tmp_path / "card.json").write_text(json.dumps(rows))
    topk, *others = recipes_read.groups_of(replace(mini, recipes=str(tmp_path)))
    assert topk.key == "topk" and all(row["tokens"] == fewer and row["seed"] in (0, 1, 2) for row in topk.rows)
    assert "batchtopk" not in [group.key for group in others]  # that of the sweep saw more


def test_a_profile_without_recipes_has_no_such_chapter():
    assert lacking(load_profile("minilm"), recipes.Recipes.needs) == ["recipes"]
    with pytest.raises(MosaicError, match="profile minilm names no SAEs by other recipes"):
        recipes.run("minilm")


# --- what is measured -----------------------------------------------------------------------------------------------


def test_order_is_one_for_equal_numbers_minus_one_for_reversed_ones():
    rows = np.random.default_rng(0).normal(size=(30, 8))
    frequency = np.linspace(0.1, 0.4, 30)
    same = stability.match(dictionary(rows, frequency), dictionary(rows, frequency))
    back = stability.match(dictionary(rows, frequency), dictionary(rows[::-1], frequency[::-1]))
    assert recipes_read.order(same) == pytest.approx(1) and recipes_read.order(back) == pytest.approx(-1)
    assert recipes_read.order_by_frequency(back) == pytest.approx(1)  # however they are numbered
    assert np.isnan(recipes_read.order_by_frequency(stability.match(dictionary(rows), dictionary(rows))))


def test_latents_that_never_fire_are_left_out_of_the_living():
    rng = np.random.default_rng(0)
    rows, other = rng.normal(size=(40, 12)), rng.normal(size=(40, 12))
    other[:20] = rows[:20]  # dead in both, and equal
    frequency = np.repeat([0.0, 0.1], 20)
    match = stability.match(dictionary(rows, frequency), dictionary(other, frequency))
    assert recipes_read.of_living(match) < match.pw_mcc - 0.15


def test_levels_add_up_to_the_whole():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(64, 10))
    seeds = Seeds.of([dictionary(np.vstack([rows[:8], rng.normal(size=(56, 10))])) for _ in range(3)])
    recipe = recipes_read.Recipe(None, seeds, (), (), (), {}, {}, {})
    levels = recipe.levels()
    assert [(one["from"], one["to"]) for one in levels] == [(1, 8), (9, 16), (17, 32), (33, 64)]
    assert levels[0]["pw_mcc"] > 0.95 and levels[0]["shared"] == 1 and levels[3]["shared"] < 0.4
    sizes = np.array([8, 8, 16, 32]) / 64
    for figure in ("pw_mcc", "shared"):
        assert recipe.of_pairs(figure).value == pytest.approx(float(sizes @ [one[figure] for one in levels]))


def test_centroids_of_separate_clumps_agree_and_those_of_noise_less():
    rng = np.random.default_rng(0)
    clumps = (5 * rng.normal(size=(6, 8)))[rng.integers(0, 6, 600)] + 0.01 * rng.normal(size=(600, 8))
    noise = rng.normal(size=(600, 8))
    clear, vague = (recipes_read.centroids_agree(x, n, (0, 1, 2)).value for x, n in ((clumps, 2), (noise, 40)))
    assert vague < 0.95 and clear > vague


def test_a_mean_over_seeds_is_jackknifed():
    found = recipes_read.over_seeds([0.1, 0.2, 0.3])
    assert found.value == pytest.approx(0.2) and found.se == pytest.approx(0.1 / np.sqrt(3)) and found.df == 2
    less = recipes_read.minus(found, Estimate(0.1))
    assert less["difference"] == pytest.approx(0.1) and less["interval"] is None


# --- what is said ---------------------------------------------------------------------------------------------------


def test_recipes_are_grouped_by_the_sign_of_their_difference():
    said = recipes_said.agree({"a": UP, "b": DOWN, "c": OPEN, "d": UP, "e": ALONE}, "cosine")
    assert "These agree more than TopK's: a (+0.200, 95 %: +0.100 to +0.300) and d (" in said
    assert "These agree less than TopK's: b (−0.200" in said and "These are not told apart from TopK's: c (" in said
    assert said.endswith("These give no interval: e (+0.300, no interval).")
    assert "less than TopK's: x with y (" in recipes_said.agree({"x, y": DOWN}, "cosine")


def test_decoders_that_agree_more_need_not_share_more():
    said = recipes_said.both({"a": (UP, DOWN), "b": (UP, UP), "c": (UP, OPEN), "d": (DOWN, UP)})
    assert (
        "Seeds of a share fewer" in said and "Seeds of b share more" in said and "Seeds of c share neither more" in said
    )
    assert "of d" not in said
    assert recipes_said.both({"d": (DOWN, UP)}) == "No recipe's decoders agree more than TopK's."


def test_what_is_not_comparable_is_named():
    base = {"TopK": (8.0, 0.11)}
    assert "All others are within" in recipes_said.comparable(base | {"a": (8.7, 0.12)}, "TopK")
    said = recipes_said.comparable(base | {"a": (9.0, 0.11), "b": (8.0, 0.15), "c": (8.0, 0.1)}, "TopK")
    assert "a (L0 9" in said and "b (L0 8" in said and "c (L0" not in said


@pytest.mark.parametrize(
    ("interval", "words"),
    [([0.1, 0.2], "fewer dead"), ([-0.2, -0.1], "more dead"), ([-1, 1], "cannot be told"), (None, "no interval can")],
)
def test_annealing_by_its_sign(interval, words):
    found = {"fewer_dead": {"mean": 0.1, "interval": interval}, "dead_with": 0.0, "dead_without": 0.1}
    assert words in recipes_said.annealing(found)


@pytest.mark.parametrize(
    ("interval", "words"),
    [([0.1, 0.2], "more is left"), ([-0.2, -0.1], "less is left"), ([-1, 1], "no change"), (None, "a point estimate")],
)
def test_conversion_by_its_sign(interval, words):
    found = {"l0": 8.1, "l0_ratio": {"mean": 1.01, "interval": None}, "l0_sd_by_token": 3.0}
    assert words in recipes_said.conversion(found | {"fvu_change": {"mean": 0.1, "interval": interval}})


@pytest.mark.parametrize(("one", "words"), [(UP, "more in"), (DOWN, "less in"), (OPEN, "not told"), (ALONE, "without")])
def test_order_by_its_sign(one, words):
    found = {"minus_topk": one, "order": {"mean": 0.5}, "order_of_topk": {"mean": 0.0}, "topk_by_frequency": None}
    assert words in recipes_said.ordered(found) and "how often" not in recipes_said.ordered(found)
    assert "how often they fire" in recipes_said.ordered(found | {"topk_by_frequency": {"mean": 0.6}})


@pytest.mark.parametrize(
    ("learned", "words"),
    [(UP, "Learning adds"), (DOWN, "Learning takes"), (OPEN, "cannot be told"), (ALONE, "has no interval")],
)
def test_what_learning_does_to_centroids(learned, words):
    against = {"archetypal": {"pw_mcc": OPEN}, "archetypal_common_centroids": {"pw_mcc": UP}}
    said = recipes_said.archetypal(against, {"mean": 0.9}, learned)
    assert words in said and "every seed, archetypal decoders agree more than TopK" in said
    assert "of their own, they are not told apart" in said
    assert ("was given to them" in said) == (learned is DOWN)


@pytest.mark.parametrize(
    ("one", "words"), [(UP, "agree more"), (DOWN, "agree less"), (OPEN, "are not"), (ALONE, "no int")]
)
def test_probes_by_their_sign(one, words):
    assert words in recipes_said.probes({"recipe": "a", "probes_agree": one, "of": 0.9, "topk": 0.8})


def test_what_a_folder_lacks_is_said():
    assert all(
        "not measured" in said
        for said in (
            recipes_said.conversion(None),
            recipes_said.annealing(None),
            recipes_said.ordered(None),
            recipes_said.archetypal({}, None, None),
        )
    )
    assert "No recipe's seeds agree more" in recipes_said.probes({"recipe": None})


# --- the whole ------------------------------------------------------------------------------------------------------


def test_the_chapter_on_the_shipped_saes_with_few_texts(tmp_path, monkeypatch):
    monkeypatch.setattr(recipes_read, "CENTROID_TOKENS", 1200)
    small = replace(load_profile("mini"), max_train=120, max_test=80)
    study = recipes.run(small, n_texts=60, n_sets=1, cache=tmp_path / "cache")
    found = study.summary()
    assert list(found["recipes"]) == list(recipes_read.TITLES) and found["n_seeds"] == 3
    topk, converted = found["recipes"]["topk"], found["recipes"]["llama_scope"]
    assert topk["l0"]["mean"] == pytest.approx(8, abs=0.01) and topk["l0_sd_by_token"]["mean"] < 0.1
    assert converted["l0"]["mean"] == pytest.approx(8, rel=0.1) and converted["l0_sd_by_token"]["mean"] > 1
    assert topk["chance"]["pw_mcc"] < 0.35 < topk["pw_mcc"]["mean"] and topk["chance"]["shared"] == 0
    ours = study.recipes["llama_scope"]
    for active, theirs in zip(ours.active, ours.measured, strict=True):  # both ways of reading count the same
        assert active.mean() == pytest.approx(theirs["l0"], rel=1e-4)
    assert abs(found["conversion"]["llama_scope"]["fvu_change"]["mean"]) < 0.02
    assert 'class="mosaic-table"' in study.table()._repr_html_() and "1 to 64" in study.levels_table()._repr_html_()
    assert study.figure().axes and study.active_figure().axes
    study.record(tmp_path)
    assert not re.search(r"NaN|Infinity", (tmp_path / "mini" / "recipes.json").read_text())
