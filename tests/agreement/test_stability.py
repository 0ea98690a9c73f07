"""What the figures of agreement promise, on dictionaries whose agreement is known."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from mosaic.agreement import stability
from mosaic.agreement.cosines import largest
from mosaic.errors import MosaicError
from mosaic.saes.dictionary import Dictionary, load_dictionary, random_dictionary, shuffled, untrained


def rows(n, d, seed):
    x = np.random.default_rng(seed).normal(size=(n, d))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def dictionary(n=200, d=64, seed=0, **more):
    return Dictionary(f"sae {seed}", rows(n, d, 2 * seed), rows(n, d, 2 * seed + 1), **more)


def at_cosine(x, cosine, seed):
    """Rows whose cosine with those of x is exactly this."""
    noise = np.random.default_rng(seed).normal(size=x.shape)
    noise -= (noise * x).sum(1, keepdims=True) * x
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    return (cosine * x + np.sqrt(1 - cosine**2) * noise).astype(np.float32)


def figures(a, b, **options):
    return stability.summary(stability.match(a, b), **options)


def test_a_permuted_copy_is_the_same_sae():
    a = dictionary()
    order = np.random.default_rng(1).permutation(len(a))
    b = replace(a, encoder=3 * a.encoder[order], decoder=0.5 * a.decoder[order])
    got = figures(a, b)
    assert got["shared_fraction"] == got["equal_fraction"] == 1
    assert got["pw_mcc"] == pytest.approx(1) and got["mean_max_cosine"] == pytest.approx(1)
    assert [(p["a"], p["b"]) for p in got["pairs"]] == [(i, int(np.flatnonzero(order == i)[0])) for i in range(len(a))]
    assert got["exact"] and got["gap"] == 0 and got["one_sided"] is None


def test_an_sae_shares_every_latent_with_itself_at_any_threshold():
    """Cosines of float32 rows fall short of 1 by their rounding, which is no disagreement."""
    a = dictionary()
    pair = stability.match(a, a)
    assert pair.decoder.cosine.min() < 1 and pair.shared(1.0).all() and pair.curve()[1.0] == 1
    b = replace(a, encoder=at_cosine(a.encoder, 1 - 1e-6, 1), decoder=at_cosine(a.decoder, 1 - 1e-6, 2))
    assert not stability.match(a, b).shared(1.0).any()


def test_a_sign_flipped_copy_is_nothing_signed_and_all_absolute():
    a = dictionary()
    got = figures(a, replace(a, encoder=-a.encoder, decoder=-a.decoder))
    assert got["shared_fraction"] == 0
    assert got["pw_mcc"] < 0.45
    assert got["pw_mcc_absolute"] == pytest.approx(1)


@pytest.mark.parametrize("cosine", [0.75, 0.9])
def test_a_noisy_copy_of_known_cosine_gives_that_cosine(cosine):
    a = dictionary(n=100)
    b = replace(a, encoder=at_cosine(a.encoder, cosine, 1), decoder=at_cosine(a.decoder, cosine, 2))
    got = figures(a, b)
    assert got["pw_mcc"] == pytest.approx(cosine, abs=1e-5)
    assert got["shared_fraction"] == 1
    assert got["curve"]["0.7"] == 1 and got["curve"]["0.95"] == 0
    above = stability.match(a, b)
    assert above.shared(cosine - 1e-3).all() and not above.shared(cosine + 1e-3).any()


@pytest.mark.parametrize(
    ("d", "n", "matched", "above", "nearest"),
    [(16, 256, 0.620, 0.172, 0.650), (32, 512, 0.490, 0.0007, 0.511), (64, 1024, 0.379, 0, 0.394)],
)
def test_random_pairs_give_the_level_of_chance(d, n, matched, above, nearest):
    """Simulated once with dense scipy (isotropic rows): what matching makes of nothing depends on d and n."""
    draws = [[Dictionary(str(s), rows(n, d, s), rows(n, d, s)) for s in (seed, seed + 1)] for seed in (1, 3, 5)]
    pairs = [stability.match(a, b) for a, b in draws]
    assert np.mean([pair.pw_mcc for pair in pairs]) == pytest.approx(matched, abs=0.01)
    share = np.mean([(pair.decoder.cosine > 0.7).mean() for pair in pairs])
    assert share == pytest.approx(above, abs=0.03 if above > 0.01 else 0.004)
    near = np.mean([largest(a.decoder, b.decoder)[0].mean() for a, b in draws])
    assert near == pytest.approx(nearest, abs=0.01)


def test_one_definition_of_shared_against_the_slow_one():
    """Paulo and Belrose's three clauses, written with dense scipy."""
    a = dictionary(n=150, d=32)
    cosines = np.linspace(0.4, 1, 150)[:, None]
    b = replace(a, encoder=at_cosine(a.encoder, cosines[::-1], 3), decoder=at_cosine(a.decoder, cosines, 4))
    unit = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)  # noqa: E731
    dec, enc = unit(a.decoder) @ unit(b.decoder).T, unit(a.encoder) @ unit(b.encoder).T
    p_dec, p_enc = (linear_sum_assignment(c, maximize=True)[1] for c in (dec, enc))
    i = np.arange(150)
    pair = stability.match(a, b)
    for t in (0.5, 0.6, 0.65):
        slow = (p_dec == p_enc) & (dec[i, p_dec] >= t) & (enc[i, p_enc] >= t)
        assert np.array_equal(pair.shared(t), slow)
        assert 0 < slow.mean() < 1
        assert pair.curve()[t] == pytest.approx(slow.mean())
    assert np.array_equal(pair.equal, p_dec == p_enc)


def test_zero_and_nan_rows_are_reported_and_never_matched():
    a = dictionary(n=50)
    b = replace(a, encoder=a.encoder.copy(), decoder=a.decoder.copy())
    b.decoder[4] = 0
    b.encoder[9, 3] = np.nan
    got = figures(a, b)
    assert got["invalid"] == {"a": [], "b": [4, 9]}
    assert {p["b"] for p in got["pairs"]} == set(range(50)) - {4, 9}
    assert got["shared_fraction"] == 48 / 50
    json.dumps(got, allow_nan=False)


def test_dead_latents_are_counted_and_left_out():
    alive = np.ones(100)
    alive[:40] = 0
    a = dictionary(n=100, frequency=alive)
    b = replace(dictionary(n=100, seed=5, frequency=alive), encoder=a.encoder.copy(), decoder=a.decoder.copy())
    b.decoder[:40] = rows(40, 64, 99)
    got = figures(a, b)
    assert got["shared_fraction"] == pytest.approx(0.6) and got["alive"]["shared_fraction"] == 1
    assert got["alive"]["n_a"] == 60
    assert figures(a, replace(b, frequency=None))["alive"] is None


def test_widths_may_differ_and_it_is_said():
    small = dictionary(n=60)
    extra = dictionary(n=140, seed=3)
    large = replace(
        extra,
        encoder=np.concatenate([extra.encoder, small.encoder]),
        decoder=np.concatenate([extra.decoder, small.decoder]),
    )
    for a, b in ((small, large), (large, small)):
        got = figures(a, b)
        assert got["shared_fraction"] == 1 and got["pw_mcc"] == pytest.approx(1)
        assert got["one_sided"].startswith(f"every latent of {small.name} (60) gets a partner among the 200")
        assert len(got["pairs"]) == 60 and got["mean_max_cosine"] == pytest.approx(1)


def test_saes_of_other_vectors_are_refused():
    a = dictionary(model="m", hook="blocks.1")
    with pytest.raises(MosaicError, match="reads vectors of d_in 64, sae 1 of 32"):
        stability.match(a, dictionary(d=32, seed=1))
    with pytest.raises(MosaicError, match="on hook blocks.1, sae 1 on blocks.2"):
        stability.match(a, dictionary(seed=1, model="m", hook="blocks.2"))
    named = dictionary(model="google/gemma-2-2b", hook="blocks.1")
    assert (
        stability.match(named, replace(named, model="gemma-2-2b")).shared().all()
    )  # registries name one model two ways
    with pytest.raises(MosaicError, match="on model m, sae 1 on other"):
        stability.match(a, dictionary(seed=1, model="other", hook="blocks.1"))


def test_an_sae_without_two_directions_a_latent_is_refused_with_its_shapes():
    a = dictionary()
    with pytest.raises(MosaicError, match=r"sae 1: its encoder has rows of 200 x 64, its decoder of 199 x 64"):
        stability.match(a, replace(dictionary(seed=1), decoder=dictionary(n=199).decoder))
    with pytest.raises(MosaicError, match=r"sae 1: its encoder has rows of 200 x 32.*transcoder"):
        stability.match(a, replace(dictionary(seed=1), encoder=dictionary(d=32).encoder))


def test_baselines_share_nothing_and_keep_what_they_promise():
    a, b = dictionary(), dictionary(seed=4)
    same = replace(a, name="copy")
    got = figures(a, same, baselines=2)
    assert set(got["chance"]) == {"random dictionary", "untrained SAEs", "shuffled coordinates"}
    assert all(level["shared_fraction"] == 0 and level["pw_mcc"] < 0.45 for level in got["chance"].values())
    assert np.array_equal(untrained(a, 0).encoder, untrained(a, 0).decoder)
    assert not np.array_equal(random_dictionary(a, 0).encoder, random_dictionary(a, 0).decoder)
    mixed = shuffled(b, 0)
    assert np.allclose(mixed.decoder @ mixed.decoder.T, b.decoder @ b.decoder.T, atol=1e-5)


def test_chance_of_a_wide_sae_is_drawn_from_some_of_its_latents(monkeypatch):
    monkeypatch.setattr(stability, "CHANCE_LATENTS", 80)
    got = figures(dictionary(), dictionary(n=120, seed=4))
    assert {level["n"] for level in got["chance"].values()} == {80}
    assert got["n_a"] == 200 and got["n_b"] == 120


# --- on disk -----------------------------------------------------------------------------------------------------


def test_a_folder_gives_both_directions(tmp_path):
    from conftest import sae_folder
    from sae_lens import SAE

    folder = sae_folder(tmp_path, "jumprelu", seed=3)
    sae = SAE.load_from_disk(folder)
    got = load_dictionary(folder)
    assert np.allclose(got.encoder, sae.W_enc.detach().T, atol=1e-6)
    assert np.allclose(got.decoder, sae.W_dec.detach(), atol=1e-6)
    assert got.frequency is None and got.alive is None


def test_a_registry_entry_gives_both_directions(tmp_path, monkeypatch):
    import sae_lens
    from conftest import sae_folder

    sae = sae_lens.SAE.load_from_disk(sae_folder(tmp_path, "jumprelu", seed=3))
    monkeypatch.setattr("mosaic.saes.registry.snapshot", lambda repository: tmp_path)
    monkeypatch.setattr(sae_lens.SAE, "from_pretrained", lambda release, sae_id: sae)
    got = load_dictionary("pythia-70m-deduped-res-sm/blocks.3.hook_resid_post")
    assert got.name == "pythia-70m-deduped-res-sm/blocks.3.hook_resid_post"
    assert np.allclose(got.encoder, sae.W_enc.detach().T) and np.allclose(got.decoder, sae.W_dec.detach())
    monkeypatch.setattr(sae_lens.SAE, "from_pretrained", lambda *_: (_ for _ in ()).throw(ValueError("of two layouts")))
    with pytest.raises(MosaicError, match="SAE pythia-70m-deduped-res-sm/blocks.3.* cannot be read: of two layouts"):
        load_dictionary("pythia-70m-deduped-res-sm/blocks.3.hook_resid_post")


def test_what_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(MosaicError, match="nowhere is neither a folder"):
        load_dictionary("nowhere")
    (tmp_path / "cfg.json").write_text("{}")
    with pytest.raises(MosaicError, match="sae_weights.safetensors does not exist"):
        load_dictionary(tmp_path)
    (tmp_path / "sae_weights.safetensors").write_bytes(b"nonsense")
    with pytest.raises(MosaicError, match="cannot be read"):
        load_dictionary(tmp_path)
    with pytest.raises(MosaicError, match="unknown release 'gemma'"):
        load_dictionary("gemma/layer_1")
