"""The three named latents and the picture of the whole way, on the shipped miniature with few texts."""

from dataclasses import replace

import numpy as np
import pytest

from mosaic.interpretation import tracking
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import load_profile
from mosaic.reporting.pipeline import OTHERS
from mosaic.studies import named_latents, pictures
from mosaic.studies.problems import opened


@pytest.fixture(scope="module")
def mini():
    """Few texts are enough to find quotation."""
    profile = replace(load_profile("mini"), max_train=60)
    few = tracking.texts(12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracking, "texts", lambda: few)
        yield profile, opened(profile, "cpu")[1]


def test_a_named_latent_is_chosen_on_one_half_and_shown_on_the_other(mini):
    profile, lm = mini
    (encoder,) = load_saes(profile, lm, [profile.middle], [profile.width])
    found = {one.name: one for one in named_latents.named_latents(lm, encoder, None)}
    assert list(found) == ["quotation", "insult", "negation"]
    rows, _ = tracking.texts()
    messages = sum(row.label == "message" for row in rows)
    for one in found.values():
        assert len(one.with_it) + len(one.without) == messages // 2, "the half that did not choose"
        assert one.row()["fires_with"] == (one.with_it > 0).mean()
    quotation = found["quotation"]
    assert quotation.auroc > 0.95 and quotation.shown[0].max() < quotation.shown[1].max()
    strongest = quotation.tokens[1][int(quotation.shown[1].argmax())]
    assert '"' in strongest
    random = named_latents.of_random(lm, encoder, None)
    assert list(random) == list(found) and all(0.4 < area <= 1 for area in random.values())
    assert random == named_latents.of_random(lm, encoder, None)
    html = named_latents.contrasts(list(found.values()))
    assert f"latent {quotation.latent}" in html and html.count("token-line") == 6
    assert "insult</strong> (message: toxicity toxic)" in html, "the name that the explorer's search finds"


def test_what_latents_add_comes_to_the_probes_score(mini):
    profile, lm = mini
    sentence = "you are stupid. the film is boring."
    (encoder,) = load_saes(profile, lm, [profile.middle], [profile.width])
    added, answer, probability = pictures.asked(profile, lm, encoder, sentence, None)
    other = "you are clever. the film is boring."
    more, _, _ = pictures.asked(profile, lm, encoder, other, None)
    assert answer == "toxic" and 0.5 < probability <= 1
    assert added.sum() > more.sum(), "the insult adds to the score of the second class, toxic"


def test_the_picture_of_a_profile_with_and_without_known_factors(mini):
    profile, _ = mini
    known = pictures.pipeline(profile, cache=None)
    assert list(known.names) == ["quotation", "insult", "negation"] and list(known.contributions)[-1] == OTHERS
    assert np.array_equal(known.pooled, known.activations.max(0)) and len(known.tokens) == len(known.residuals)
    unknown = pictures.pipeline(replace(profile, truth=False), cache=None)
    assert len(unknown.names) == 3 and all(name.startswith("latent ") for name in unknown.names)
    assert sum(unknown.contributions.values()) == pytest.approx(sum(known.contributions.values()), abs=1e-4)
    assert unknown.tokens == known.tokens
