"""Partners of latents in SAEs of other seeds: which SAEs those are, and what a slow loop says of the matching."""

import json
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from conftest import sae_folder

from mosaic.errors import MosaicError
from mosaic.explorer.other_seeds import others_of_seed, partners, seed_base
from mosaic.profiles.opening import select_saes
from mosaic.profiles.profile import load_profile
from mosaic.saes.dictionary import Dictionary, load_dictionary
from mosaic.saes.source import SAESource


def cosines(a, b):
    return np.array([[x @ y / np.sqrt((x @ x) * (y @ y)) for y in b] for x in a])


def best(values):
    """The one-to-one matching of the largest sum, by trying all."""
    n = len(values)
    return max(permutations(range(n)), key=lambda order: sum(values[i, order[i]] for i in range(n)))


@pytest.mark.parametrize("seed", range(4))
def test_partners_are_those_of_the_best_matching(seed):
    rng = np.random.default_rng(seed)
    a = Dictionary("a", *rng.normal(size=(2, 6, 4)).astype("f"))
    order = rng.permutation(6)
    b = Dictionary("b", *(rows[order] + 0.3 * rng.normal(size=(6, 4)).astype("f") for rows in (a.encoder, a.decoder)))
    (found,) = partners(a, {5: b})
    decoders, encoders = cosines(a.decoder, b.decoder), cosines(a.encoder, b.encoder)
    matched, read = best(decoders), best(encoders)
    assert found.seed == 5 and found.partner.tolist() == list(matched)
    for i, j in enumerate(matched):
        assert found.decoder[i] == pytest.approx(decoders[i, j], abs=1e-5)
        assert found.encoder[i] == pytest.approx(encoders[i, j], abs=1e-5)
        assert found.nearest[i] == pytest.approx(decoders[i].max(), abs=1e-5)
        assert found.shared[i] == (read[i] == j and min(decoders[i, j], encoders[i, j]) >= 0.7)


def test_a_latent_without_a_direction_has_no_partner():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(4, 3)).astype("f")
    rows[2] = 0
    (found,) = partners(Dictionary("a", rows, rows), {1: Dictionary("b", rows, rows)})
    assert found.partner.tolist() == [0, 1, -1, 3] and not found.shared[2] and found.decoder[2] == found.encoder[2] == 0


def test_other_seeds_are_those_that_were_trained_alike(small_profile, tmp_path):
    folders = [sae_folder(tmp_path / str(seed), "topk", d_sae=64, seed=seed) for seed in range(4)]
    sources = tuple(SAESource(1, "64", path=str(folder), seed=seed) for seed, folder in enumerate(folders))
    config = json.loads((folders[2] / "cfg.json").read_text())
    (folders[2] / "cfg.json").write_text(json.dumps({**config, "architecture": "jumprelu"}))
    profile = replace(small_profile, saes=(*sources[:3], replace(sources[3], layer=3)))
    assert list(others_of_seed(profile, sources[0])) == [1]
    assert others_of_seed(profile, replace(sources[0], path=None, release="r", id="i")) == {}
    assert seed_base(profile) is None


def test_a_profile_s_folder_of_seeds_is_read():
    profile = load_profile("mini")
    base = seed_base(profile)
    assert (base.layer, base.width, base.seed) == (3, "512", 0)
    assert list(others_of_seed(profile, base)) == list(range(1, 8)), "not the two that saw other texts"
    (main,) = select_saes(profile, [3], ["1k"])
    assert others_of_seed(profile, main) == {}, "those of its layer and width were trained with another k"
    minilm = load_profile("minilm")
    assert list(others_of_seed(minilm, select_saes(minilm, [4], ["2k"])[0])) == [1, 2]


def test_saes_that_read_other_vectors_are_refused(small_profile):
    own = load_dictionary(small_profile.saes[0])
    with pytest.raises(MosaicError, match="d_in"):
        partners(own, {1: Dictionary("narrow", np.ones((3, 2), "f"), np.ones((3, 2), "f"))})
