import sys
from dataclasses import replace

import numpy as np
import pytest

from mosaic.errors import MosaicError
from mosaic.models.blank import Architecture, configuration
from mosaic.profiles.profile import load_profile
from mosaic.studies import rehearsal

SMALL = Architecture("llama", vocab_size=64, num_attention_heads=4, num_key_value_heads=2, intermediate_size=96)


def test_what_ran_is_told_stage_by_stage(small_profile):
    told = rehearsal.rehearse(replace(small_profile, architecture=SMALL), texts=30, tokens=12)
    assert told.texts == 30 and told.tokens > 100 and told.peak > 50 * 2**20
    assert set(told.seconds) == set(rehearsal.STAGES) and min(told.seconds.values()) > 0
    assert sum(told.shares.values()) == pytest.approx(1)
    assert told.tokens_per_second == pytest.approx(told.tokens / sum(told.seconds.values()))


def test_the_model_has_the_profiles_sizes_and_its_dictionaries_the_wanted_sparsity(small_profile):
    from mosaic.models.blank import blank_model
    from mosaic.models.residuals import at_real_tokens

    profile = replace(small_profile, architecture=SMALL)
    lm = blank_model(SMALL, 4, 64, profile.model)
    assert (len(lm.blocks), lm.d_model) == (4, 64)
    tokens = rehearsal.random_tokens(40, 12, 48, 64, seed=1)
    widened = replace(profile, saes=tuple(replace(source, width="4k") for source in profile.saes))
    encoders = rehearsal.random_encoders(widened, lm, tokens, seed=1)
    assert [(encoder.layer, encoder.n_latents) for encoder in encoders] == [(0, 4096), (1, 4096), (3, 4096)]
    residuals, _ = at_real_tokens(lm, tokens, range(40), (0, 1, 3))
    for encoder in encoders:
        active = np.diff(encoder.encode(residuals[encoder.layer]).indptr).mean()
        assert 0.5 * rehearsal.ACTIVE_LATENTS < active < 2 * rehearsal.ACTIVE_LATENTS


def test_lengths_spread_around_their_mean_within_the_limits():
    tokens = rehearsal.random_tokens(4000, 100, 512, 50, seed=3)
    assert tokens.lengths.mean() == pytest.approx(100, rel=0.05)
    assert tokens.lengths.min() >= 2 and tokens.lengths.max() <= 512 and tokens.lengths.std() > 30
    again = rehearsal.random_tokens(4000, 100, 512, 50, seed=3)
    assert all((a == b).all() for a, b in zip(tokens.ids, again.ids, strict=True))


def test_what_would_swap_is_refused_before_it_is_built(small_profile, monkeypatch):
    monkeypatch.setattr(rehearsal, "free_memory", lambda: 2**20)
    monkeypatch.setattr(rehearsal, "blank_model", lambda *_: pytest.fail("built"))
    with pytest.raises(MosaicError, match=r"small needs 0\.\d GiB, and 0\.0 GiB are free here: it would swap"):
        rehearsal.rehearse(replace(small_profile, architecture=SMALL))


def test_without_an_architecture_or_with_an_unknown_one_it_is_said(small_profile):
    with pytest.raises(MosaicError, match="profile small does not say its model's architecture"):
        rehearsal.rehearse(small_profile)
    with pytest.raises(MosaicError, match="model_type 'gemma9' is none that transformers knows"):
        configuration(replace(SMALL, model_type="gemma9"), 4, 64)


def test_bfloat16_takes_half_the_model_in_the_plan():
    from mosaic.profiles.plan import estimate

    profile = load_profile("gemma-2-9b")
    half = replace(profile, model=replace(profile.model, dtype="bfloat16"))
    numbers = profile.shape.parameters * profile.shape.n_layers + profile.shape.embedding
    assert estimate(profile, rate=1.0).memory - estimate(half, rate=1.0).memory == 2 * numbers


@pytest.mark.skipif(sys.platform == "win32", reason="no peak in the same unit")
def test_peak_memory_is_in_bytes():
    from mosaic.machine import free_memory, peak_memory

    assert 50 * 2**20 < peak_memory() < 2**40 and 2**20 < free_memory() < 2**44
