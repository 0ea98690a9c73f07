"""The chapter on explanations: what stands in the SAE's place, what is compared, what is said, and a small run of all of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mosaic import numerals
from mosaic.errors import MosaicError
from mosaic.interpretation.meanings import Rightness
from mosaic.interpretation.scores import Judged
from mosaic.profiles.profile import load_profile
from mosaic.studies import interpretation as chapter
from mosaic.studies import interpretation_labels as labels
from mosaic.studies import interpretation_said as said
from mosaic.studies.interpretation_examples import SHOWN, Strip
from mosaic.studies.interpretation_sets import RANDOM, SHUFFLED, TRAINED, UNITS, UNTRAINED, derangement, units


def made_up(level: float, n=200, seed=0, intruder=True) -> Judged:
    rng = np.random.default_rng(seed)
    scores = np.clip(rng.normal(level, 0.05, n), 0, 1)
    deciles = scores[:, None] + np.linspace(-0.1, 0.1, 10)
    found = np.full(n, 0.3 if intruder else np.nan)
    rate = rng.uniform(0.01, 0.1, n)
    return Judged(np.arange(n), scores, scores - 0.05, scores, deciles, scores + rng.normal(0, 0.02, n), found, rate)


def study(**levels) -> chapter.Interpretation:
    names = {"trained": TRAINED, "units": UNITS, "random": RANDOM, "untrained": UNTRAINED, "shuffled": SHUFFLED}
    levels = {"trained": 0.7, "units": 0.6, "random": 0.7, "untrained": 0.75, "shuffled": 0.5} | levels
    judged = {names[key]: [made_up(level, seed=i)] for i, (key, level) in enumerate(levels.items())}
    truth = np.array([f"f{i % 20}" for i in range(100)])
    rng = np.random.default_rng(0)
    right = {
        labels.INPUT: rng.random(100) < 0.3,
        labels.PROJECTED: rng.random(100) < 0.35,
        labels.BOTH: rng.random(100) < 0.9,
        labels.SHUFFLED: np.zeros(100, dtype=bool),
    }
    scored = {"detection": np.arange(30.0), "fuzzing": np.arange(30.0) ** 2, "intruder": np.ones(30)}
    return chapter.Interpretation(
        load_profile("mini"), 10, 100, judged, scored, {"layer 3, 1k": Rightness(truth, right)}, (), Strip(())
    )


def test_what_is_better_is_called_better_and_what_is_not_is_not():
    text = study().summary()["sentences"]["detection"]
    units_, random, untrained = text.split("; ")[1:]
    levels = {key: numerals.shown(one["detection"]["value"]) for key, one in study().sets.items()}
    assert units_.startswith(f"hidden units {levels[UNITS]} (") and "the trained SAE's is higher: +0.1" in units_
    assert random.startswith(f"random dictionaries {levels[RANDOM]} (") and "not told apart" in random
    assert untrained.startswith("an SAE of the untrained model") and "the trained SAE's is lower: −0.04" in untrained
    lead = study().summary()["sentences"]["lead"]
    assert (
        f"By detection, a trained SAE's median latent has {levels[TRAINED]}. It is above hidden units ({levels[UNITS]})."
        in lead
    )
    assert (
        f"not told apart from random dictionaries ({levels[RANDOM]})" in lead
        and "It is below an SAE of the untrained model" in lead
    )
    numbers = study().summary()
    assert numbers["minus"][UNITS]["detection"]["interval"][0] > 0.05
    assert numbers["minus"]["random minus chance"]["detection"]["difference"] == pytest.approx(0.2, abs=0.02)
    assert numbers["sets"][TRAINED]["near"]["value"] == pytest.approx(0.65, abs=0.02)


def test_a_lead_that_is_of_seldom_firing_alone_is_none_at_equal_rates():
    rng = np.random.default_rng(0)
    rate, other = rng.uniform(0.01, 0.2, 300), rng.uniform(0.1, 0.2, 300)
    first, second = (0.8 - one + rng.normal(0, 0.01, 300) for one in (rate, other))  # the seldomer, the better told
    base = made_up(0.7, n=300)
    judged = {
        TRAINED: [replace(base, detection=first, rate=rate)],
        UNITS: [replace(base, detection=second, rate=other)],
        SHUFFLED: [base],
    }
    found = replace(study(), judged=judged)
    assert found.minus[UNITS]["detection"]["interval"][0] > 0.005
    low, high = found.at_equal_rates[UNITS]["detection"]["interval"]
    assert low <= 0 <= high and high - low < 0.01
    better = {**judged, TRAINED: [replace(base, detection=first + 0.02, rate=rate)]}
    assert replace(study(), judged=better).at_equal_rates[UNITS]["detection"]["interval"][0] > 0.01
    told = {UNITS: {"detection": {"difference": 0.0, "interval": [-0.1, 0.1]}}}
    assert "not told apart from hidden units" in said.at_equal_rates(told) and "fuzzing" not in said.at_equal_rates(
        told
    )
    told[UNITS]["fuzzing"] = {"difference": -0.1, "interval": [-0.2, -0.05]}
    assert "). The trained SAE's fuzzing is below hidden units (" in said.at_equal_rates(told)


def test_sets_with_too_few_latents_are_no_sets():
    few = made_up(0.7, n=3)
    assert not chapter.enough([few]) and chapter.enough([made_up(0.7, n=10)])
    assert not chapter.enough([replace(made_up(0.7), fuzzing=np.full(200, np.nan))])
    alone = replace(study(), judged={TRAINED: [made_up(0.7)], SHUFFLED: [made_up(0.5)]})
    assert "random minus chance" not in alone.minus and alone.summary()["at_equal_rates"] == {}


def test_chance_is_said_by_its_interval():
    level = {"detection": {"value": 0.5, "interval": [0.49, 0.51]}, "fuzzing": {"value": 0.5, "interval": [0.49, 0.51]}}
    assert said.chance(level).count("(at chance") == 2
    level["detection"] |= {"interval": [0.505, 0.52]}
    level["fuzzing"] |= {"interval": [0.47, 0.49]}
    edge = {key: {"value": 0.5, "interval": [0.49, 0.5]} for key in ("detection", "fuzzing")}
    assert said.chance(edge).count("(at chance") == 2
    assert "(above chance" in said.chance(level) and "(below chance" in said.chance(level)


def test_deciles_that_fall_rise_or_do_neither():
    assert study().fall["value"] == pytest.approx(-0.2)
    assert "harder to tell than strong ones" in said.deciles({"value": -0.2, "interval": [-0.3, -0.1]})
    assert "easier to tell than strong ones" in said.deciles({"value": 0.2, "interval": [0.1, 0.3]})
    assert "equally well, as far as this can say" in said.deciles({"value": 0.0, "interval": [-0.1, 0.1]})


def test_scores_that_agree_and_scores_that_are_one_number():
    agreement = study().agreement
    assert agreement["detection and fuzzing"]["value"] > 0.8 and agreement["detection and fuzzing"]["n"] == 200
    assert agreement["detection and intruder"]["value"] is None
    assert "rank latents alike" in said.agreement(
        {"detection and fuzzing": {"value": 0.8, "interval": [0.7, 0.9], "n": 9}}
    )
    against = {"detection and fuzzing": {"value": -0.8, "interval": [-0.9, -0.7], "n": 9}}
    assert "against one another" in said.agreement(against)
    neither = {"detection and fuzzing": {"value": 0.0, "interval": [-0.1, 0.1], "n": 9}}
    assert "are not shown to rank latents alike" in said.agreement(neither)
    assert "Too few" in said.agreement({"detection and fuzzing": {"value": None, "interval": None, "n": 1}})


def test_labels_are_compared_latent_by_latent():
    numbers = study().summary()
    text = numbers["sentences"]["labels"]
    assert (
        text.startswith("Of the 100 latents that track a factor")
        and "are right more often than what they fire on alone" in text
    )
    assert numbers["label_minus"][f"{labels.BOTH} minus {labels.INPUT}"]["interval"][0] > 0
    alone = replace(study(), rightness={})
    assert "not known on this profile" in alone.summary()["sentences"]["labels"] and alone.labels == {}
    assert "not known" in alone.labels_figure() and "not known" in alone.by_sae()


def test_labels_of_a_model_that_does_not_write():
    share = {labels.INPUT: {"value": 0.5, "n": 4}, labels.SHUFFLED: {"value": 0.0, "n": 4}}
    text = said.labels(share, {})
    assert (
        text
        == "Of the 4 latents that track a factor, the label by what they fire on names it for 50 % (another latent's label: 0 %)."
    )


def test_nothing_is_told_by_its_own_explanation_when_shuffled():
    for n in (2, 3, 50):
        order = derangement(n, 0)
        assert sorted(order) == list(range(n)) and (order != np.arange(n)).all()
    assert derangement(1, 0).tolist() == [0]


def test_units_are_the_streams_own_coordinates(small_profile):
    from mosaic.profiles.opening import load_model, load_saes

    (encoder,) = load_saes(small_profile, load_model(small_profile), [1])
    x = torch.randn(20, encoder.d_in, generator=torch.Generator().manual_seed(0))
    codes = units(encoder, 5.4).encode(x).toarray()
    assert codes.shape == (20, 2 * encoder.d_in) and ((codes > 0).sum(1) == 5).all()
    largest = np.sort(np.abs(x.numpy()), axis=1)[:, -5:]
    assert np.sort(codes, axis=1)[:, -5:] == pytest.approx(largest)
    assert units(encoder, 0.2).k == 1 and units(encoder, 1e6).k == encoder.d_in


def test_too_few_texts_are_refused(small_profile):
    with pytest.raises(
        MosaicError,
        match=r"fewer than 10 latents of .* fire often enough on \d+ texts, and not everywhere, to be judged",
    ):
        chapter.run(small_profile, n_texts=5, cache=None)


@pytest.fixture(scope="module")
def small_run():
    mini = load_profile("mini")
    few = tuple(sae for sae in mini.saes if (sae.layer, sae.width) in ((1, "1k"), (3, "1k")))
    return chapter.run(replace(mini, saes=few), n_texts=300, cache=None)


def test_a_small_run_has_everything(small_run):
    numbers = small_run.summary()
    assert set(numbers["sets"]) == {TRAINED, UNITS, RANDOM, UNTRAINED, SHUFFLED}
    assert list(numbers["by_sae"]) == ["layer 3, 1k", "layer 1, 1k"] and labels.CHANGED in numbers["labels"]
    assert labels.CHANGED not in numbers["by_sae"]["layer 1, 1k"]
    assert len(small_run.examples) == SHOWN and "surprisal" in small_run.scored
    detections = [one.detection for one in small_run.examples]
    assert detections == sorted(detections, reverse=True)
    assert numbers["sets"][TRAINED]["detection"]["value"] > numbers["sets"][SHUFFLED]["detection"]["value"]
    for shown in (small_run.table(), small_run.agreement_table(), small_run.by_sae(), small_run.examples_table()):
        assert "<table" in shown
    assert small_run.contexts().count("token-line") == 20
    for figure in (small_run.figure(), small_run.scores_figure(), small_run.labels_figure()):
        assert figure.axes


def test_a_sentence_encoder_does_not_write(minilm):
    profile = load_profile("minilm")
    assert labels.head_of(profile, minilm) is None
