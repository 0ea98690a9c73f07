"""Depth and scale: positions by hand, choices and differences of made-up results whose answer is known."""

import json
from dataclasses import replace

import pytest
import scale_toy

from mosaic.errors import MosaicError
from mosaic.probing.scores import Difference
from mosaic.profiles.profile import load_profile
from mosaic.studies import layers, scale, scale_said, scale_shown
from mosaic.studies.leads import Choice, Lead
from mosaic.studies.scale_said import Place

UP, LEVEL, DOWN = (
    Difference(0.05, 0.02, 0.08, 0.0),
    Difference(0.0, -0.1, 0.1, 1.0),
    Difference(-0.05, -0.08, -0.02, 0.0),
)


@pytest.fixture(scope="module")
def pair():
    return scale_toy.scale()


@pytest.fixture(scope="module")
def alone():
    return scale_toy.scale(pair=False, new=False)


@pytest.mark.parametrize(
    ("n", "thirds"),
    [
        (6, ["early", "early", "middle", "middle", "late", "late"]),
        (9, ["early"] * 3 + ["middle"] * 3 + ["late"] * 3),
        (4, ["early", "middle", "late", "late"]),
        (2, ["middle", "late"]),
    ],
)
def test_a_third_of_the_depth(n, thirds):
    assert [scale.third(i, n) for i in range(1, n + 1)] == thirds


@pytest.mark.parametrize("name", ["mini", "mini-large", "minilm", "gemma-2-2b"])
def test_the_three_layers_of_the_shipped_profiles_lie_in_the_thirds_they_are_called_by(name):
    profile = load_profile(name)
    passed = [layer - profile.model.first_layer + 1 for layer in profile.layers]
    found = [scale.third(n, profile.shape.n_layers) for n in passed]
    assert found == [layers.position(layer, profile.layers) for layer in profile.layers] == ["early", "middle", "late"]


def test_every_block_is_compared_and_the_saes_layers_among_themselves(pair):
    small = pair.small
    assert small.every.winner == "4" and set(small.every.validation) == set("012345")
    assert small.at_saes["hidden"].winner == "3" and small.at_saes["sae"].winner == "3"
    assert (small.depth("4"), small.third("4")) == (pytest.approx(5 / 6), "late")
    assert pair.beyond.low > 0, "block 4 is better than all that have an SAE"


def test_the_summary_of_known_results(pair):
    summary = json.loads(json.dumps(pair.summary()))
    every, both = summary["every_block"], summary["pair"]
    assert (every["layer"], every["position"], every["n_blocks"], every["pooling"]) == ("4", "late", 6, "mean")
    assert every["mean_new_words"] == pytest.approx({str(b): share for b, share in scale_toy.SMALL.items()})
    assert every["mean"]["4"] == every["macro_f1"] == pytest.approx(0.95, abs=0.03)
    assert (both["small"]["model"], both["large"]["model"], both["large"]["layers"]) == (
        "mini-small",
        "mini-large",
        [2, 4, 7],
    )
    assert both["large"]["every_block"]["position"] == "middle" and both["large"]["sae"]["layer"] == "4"
    sae = both["difference"]["sae"]
    assert sae["interval"][0] > 0 and both["n_sets"] == 3
    reached = both["large"]["sae"]["macro_f1"] - both["small"]["sae"]["macro_f1"]
    assert sae["difference"] == pytest.approx(reached), "the difference is that of the chosen layers"
    assert both["difference_new_words"]["hidden"]["interval"][0] < 0


def test_without_a_larger_model_a_sentence_says_so(alone):
    assert alone.summary()["pair"] is None
    assert "names no larger model" in alone.sentences()["pair"] and alone.models == (alone.small,)
    assert alone.summary()["every_block"]["mean_new_words"] == {}


def test_the_sentences_follow_the_numbers(pair):
    said = pair.sentences()
    assert set(said) == {"every_block", "every_block_third", "every_block_beyond", "pair"}
    assert "Validation chooses block 4" in said["every_block"] and "it leads" in said["every_block"]
    assert "The late third of the blocks is best: block 4 (late) leads" in said["every_block_third"]
    assert "Something is missed" in said["every_block_beyond"] and "block 4 minus layer 3" in said["every_block_beyond"]
    assert "SAE features of mini-large, the larger model, classify better" in said["pair"]
    assert "hidden states of mini-large, the larger model, classify worse" in said["pair"]
    assert "in the same third of the two models: layer 3 of mini-small (middle: 0.67" in said["pair"]


@pytest.mark.parametrize(
    ("d", "words"),
    [
        (
            UP,
            "The middle third of the blocks is best: block 2 (middle) leads every block outside it, the strongest, block 5 (late), by",
        ),
        (LEVEL, "is undecided: validation chooses block 2 (middle), which cannot be told from block 5"),
        (
            DOWN,
            "No third of the blocks is best: validation chooses block 2 (middle), which is behind block 5 (late), −0.050",
        ),
    ],
)
def test_which_third_is_best(d, words):
    """A neighbour in the same third may be as good: it is no rival."""
    thirds = {"0": "early", "2": "middle", "3": "middle", "5": "late"}
    lead = Lead("3", {"3": DOWN, "0": replace(UP, low=0.2), "5": d}, 2)
    choice = Choice("2", {}, "3", UP, 0.8, lead, None)
    assert words in scale_said.thirds_sentence(choice, thirds)
    assert "not compared" in scale_said.thirds_sentence(choice, dict.fromkeys(thirds, "late"))


@pytest.mark.parametrize(
    ("d", "words"),
    [
        (
            None,
            "Nothing is missed by reading only layers with an SAE: of all blocks validation chooses one of them, 4.",
        ),
        (UP, "Something is missed"),
        (LEVEL, "cannot be told: block 4 minus layer 3 is 0.000"),
        (DOWN, "the block chosen of all is the worse one on test"),
    ],
)
def test_what_is_missed_between_the_saes(d, words):
    assert words in scale_said.beyond_sentence("4", "3", d)


@pytest.mark.parametrize(
    ("d", "words"),
    [(UP, "classify better than those of s: +0.050"), (DOWN, "classify worse"), (LEVEL, "cannot be told")],
)
def test_whether_the_larger_model_is_better(d, words):
    assert words in scale_said.larger_sentence("sae", "l", "s", d, None)
    assert "on new words −0.050" in scale_said.larger_sentence("hidden", "l", "s", d, DOWN)


def test_where_two_models_are_read():
    places = {"s": Place("3", 4 / 6, "middle", 0.8), "l": Place("7", 8 / 9, "late", 0.5)}
    said = scale_said.position_sentence(places)
    assert (
        "different thirds" in said
        and "layer 7 of l (late: 0.89 of its blocks are passed there; chosen again in 50 %" in said
    )


def test_the_figure_has_a_panel_a_kind_of_features_and_a_line_a_model(pair, alone):
    hidden, sae = scale_shown.figure(pair).axes
    assert [line.get_label() for line in hidden.get_lines()[::2]] == ["mini-small", "mini-large"]
    assert hidden.get_lines()[0].get_xdata()[-1] == 1.0 and len(sae.get_lines()[0].get_xdata()) == 3
    assert hidden.get_lines()[1].get_xdata().tolist() == [pytest.approx(5 / 6)], "the large mark is the chosen block"
    assert len(scale_shown.figure(alone).axes[0].get_lines()) == 2
    assert scale_shown.table(pair).count("<tr>") == 7 and "0 to 8" in scale_shown.table(pair)


def test_a_larger_model_is_larger():
    mini = load_profile("mini")
    assert scale.larger_of(mini).name == "mini-large" and scale.larger_of(replace(mini, larger=None)) is None
    with pytest.raises(
        MosaicError, match="larger: the blocks of mini have 197,120|have .* parameters, those of mini-large"
    ):
        scale.larger_of(replace(load_profile("mini-large"), larger="mini"))


def test_rows_and_pooling_are_few():
    mini = replace(load_profile("mini"), max_train=None, max_test=200)
    assert (scale.cut(mini).max_train, scale.cut(mini).max_test) == (300, 200)
    assert scale.one_pooling(("sum", "mean")) == "mean" and scale.one_pooling(("sum", "max")) == "sum"


def test_both_models_read_the_same_rows(small_profile, monkeypatch):
    """From profiles to numbers: the larger one's own sets and cuts are not read."""
    other = replace(small_profile, name="other", datasets=(), max_train=None, max_test=None)
    monkeypatch.setattr(scale, "larger_of", lambda profile: other)
    profile = replace(small_profile, datasets=small_profile.datasets[:1])
    found = scale.run(profile, scale.opened(profile)[1], ("mean", "max"), "cpu", None)
    assert [len(one.sets["hidden"][0].results) for one in found.models] == [4, 4]
    (small,), (large,) = (one.sets["sae"] for one in found.models)
    assert small.test.texts == large.test.texts and len(small.test) < 100, "cut as the smaller one says"
    assert found.difference["sae"] == Difference(0.0, 0.0, 0.0, 1.0), "a model against itself"
