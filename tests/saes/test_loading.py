import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import sae_folder
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from mosaic.errors import MosaicError
from mosaic.saes import encoder, loading
from mosaic.saes.checks import NEEDED
from mosaic.saes.described import Described, describe
from mosaic.saes.dictionary import load_dictionary
from mosaic.saes.registry import open_registered
from mosaic.saes.weights import npz_weights

ARCHITECTURES = sorted(NEEDED)


def load(folder, **source):
    return loading.load_encoder(loading.SAESource(1, "96", path=str(folder), **source), "tiny", 64)


def close(codes, dense, atol=2e-5):
    np.testing.assert_allclose(codes.toarray(), dense, rtol=1e-5, atol=atol)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("chunk,block", [(96, 1024), (17, 5), (1, 1)])
def test_encode_equals_saelens(tmp_path, architecture, chunk, block):
    from sae_lens import SAE

    folder = sae_folder(tmp_path, architecture)
    x = torch.randn(23, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = SAE.load_from_disk(folder).encode(x).numpy()
    assert 0 < (expected > 0).mean() < 1
    codes = replace(load(folder), latent_chunk=chunk, token_block=block).encode(x)
    assert codes.indices.dtype == np.int32 and codes.data.dtype == np.float32 and codes.has_sorted_indices
    close(codes, expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 70), st.integers(1, 30), st.integers(1, 80), st.integers(0, 2**16))
def test_chunks_never_matter(n, width, chunk, k, seed):
    generator = torch.Generator().manual_seed(seed)
    x, w = torch.randn(n, 8, generator=generator), torch.randn(width, 8, generator=generator)
    b = torch.randn(width, generator=generator)
    pre = (x @ w.T + b).numpy()
    shared = dict(name="s", layer=0, width="w", weights=w, bias=b, latent_chunk=chunk, token_block=7)
    threshold = torch.rand(width, generator=generator)
    jump = encoder.Encoder(threshold=threshold, **shared).encode(x)
    close(jump, np.where(pre > threshold.numpy(), pre, 0))
    top = encoder.Encoder(threshold=torch.zeros(width), k=k, **shared).encode(x)
    expected = np.zeros_like(pre)
    for row, values in enumerate(pre):
        for j in sorted(range(width), key=lambda j: (-values[j], j))[:k]:
            expected[row, j] = max(values[j], 0)
    close(top, expected)


@given(st.integers(1, 6), st.lists(st.lists(st.integers(0, 4), min_size=5, max_size=5), min_size=1, max_size=6))
def test_keep_top_keeps_each_rows_largest(n, rows):
    dense = np.array(rows, dtype=np.float32)
    kept = encoder.keep_top(csr_matrix(dense), n).toarray()
    for before, after in zip(dense, kept, strict=True):
        largest = [j for j in sorted(range(5), key=lambda j: (-before[j], j))[:n] if before[j] > 0]
        assert np.flatnonzero(after).tolist() == sorted(largest)
        assert (after[largest] == before[largest]).all()


def test_a_token_without_active_latents_is_an_empty_row():
    blank = encoder.Encoder("s", 0, "4", torch.eye(4), torch.zeros(4), torch.full((4,), 9.0))
    assert blank.encode(torch.ones(3, 4)).nnz == 0
    assert blank.encode(torch.ones(3, 4)).shape == (3, 4)


def test_input_norms_follow_saelens(tmp_path):
    from sae_lens import SAE

    folder = sae_folder(tmp_path, "standard")
    config = json.loads((folder / "cfg.json").read_text())
    for norm in ("layer_norm", "constant_norm_rescale"):
        (folder / "cfg.json").write_text(json.dumps({**config, "normalize_activations": norm}))
        x = torch.randn(5, 64) * 3 + 1
        with torch.no_grad():
            close(load(folder).encode(x), SAE.load_from_disk(folder).encode(x).numpy())
    (folder / "cfg.json").write_text(json.dumps({**config, "normalize_activations": "covariance_whitening"}))
    with pytest.raises(MosaicError, match="normalize_activations='covariance_whitening'"):
        load(folder)


def gemma_scope_stand_in(cache, width=16_384, d=2304):
    """The hub cache's layout of google/gemma-scope-2b-pt-res with one params.npz of the true shape (300 MB)."""
    from sae_lens.loading.pretrained_saes_directory import get_repo_id_and_folder_name

    repo, folder = get_repo_id_and_folder_name("gemma-scope-2b-pt-res-canonical", "layer_12/width_16k/canonical")
    snapshot = cache / f"models--{repo.replace('/', '--')}" / "snapshots" / "abc"
    (snapshot / folder).mkdir(parents=True)
    (snapshot.parent.parent / "refs").mkdir()
    (snapshot.parent.parent / "refs" / "main").write_text("abc")
    rng = np.random.default_rng(0)
    shapes = {"W_enc": (d, width), "W_dec": (width, d), "b_enc": (width,), "b_dec": (d,), "threshold": (width,)}
    weights = {name: rng.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}
    weights["threshold"] = np.abs(weights["threshold"]) * 60
    np.savez(snapshot / folder / "params.npz", **weights)


def test_gemma_scope_layout_loads_without_the_decoder(tmp_path, monkeypatch):
    from sae_lens import SAE

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    gemma_scope_stand_in(tmp_path)
    release, sae_id = "gemma-scope-2b-pt-res-canonical", "layer_12/width_16k/canonical"
    source = loading.SAESource(12, "16k", release=release, id=sae_id)
    loaded = loading.load_encoder(source, "google/gemma-2-2b", 2304)
    told = describe(replace(source, layer=0, width=""))
    assert told == Described(f"{release}/{sae_id}", "blocks.12.hook_resid_post", "gemma-2-2b", 2304, 16_384)
    reference = SAE.from_pretrained(release, sae_id)
    x = torch.randn(19, 2304)
    with torch.no_grad():
        close(loaded.encode(x), reference.encode(x).numpy(), atol=2e-3)
    assert loaded.b_dec is None, "Gemma Scope does not subtract b_dec"
    close(loading.from_sae(reference, source, "same").encode(x), loaded.encode(x).toarray(), atol=2e-3)
    whole = open_registered(source)
    assert all((value == whole.state_dict()[name]).all() for name, value in reference.state_dict().items())
    assert whole.cfg.metadata.hook_name == reference.cfg.metadata.hook_name
    with torch.no_grad():
        assert (whole(x) == reference(x)).all()
    with pytest.raises(MosaicError, match="was trained on gemma-2-2b, not on google/gemma-2-9b-it"):
        loading.load_encoder(source, "google/gemma-2-9b-it", 2304)
    transfer = loading.SAESource(12, "16k", release=release, id=sae_id, transfer_from="google/gemma-2-2b")
    assert loading.load_encoder(transfer, "google/gemma-2-9b-it", 2304).n_latents == 16_384


def test_an_sae_says_what_it_is_before_it_is_loaded(tmp_path, monkeypatch):
    from sae_lens import SAE

    folder = sae_folder(tmp_path, "gated", d_sae=70, model_name="gpt2")
    config = json.loads((folder / "cfg.json").read_text())
    config["metadata"]["hook_name"] = "blocks.1.hook_resid_post"
    (folder / "cfg.json").write_text(json.dumps(config))
    told = describe(loading.SAESource(0, "", path=str(folder)))
    assert told == Described(folder.name, "blocks.1.hook_resid_post", "gpt2", 64, 70)
    # An entry of the registry that is not Gemma Scope's is opened by SAELens.
    monkeypatch.setattr(SAE, "from_pretrained", lambda *_: SAE.load_from_disk(folder))
    monkeypatch.setattr("mosaic.saes.registry.snapshot", lambda repository: tmp_path)
    entry = loading.SAESource(0, "", release="gpt2-small-res-jb", id="blocks.1.hook_resid_pre")
    name = "gpt2-small-res-jb/blocks.1.hook_resid_pre"
    assert describe(entry) == Described(name, "blocks.1.hook_resid_post", "gpt2-small", 64, 70)
    (folder / "sae_weights.safetensors").write_bytes(b"")
    with pytest.raises(MosaicError, match="cannot be read"):
        describe(loading.SAESource(0, "", path=str(folder)))


def test_npz_weights_of_either_order_are_read_in_pieces(tmp_path, monkeypatch):
    w = np.random.default_rng(0).normal(size=(6, 40)).astype(np.float32)
    for i, order in enumerate("CF"):
        path = tmp_path / f"{i}.npz"
        np.savez_compressed(path, W_enc=np.asarray(w, order=order), W_dec=w.T, b_enc=np.zeros(40, np.float32))
        np.testing.assert_array_equal(npz_weights(path).transposed().numpy(), w.T)


def test_unknown_ids_name_the_nearest():
    with pytest.raises(
        MosaicError, match=r"unknown release 'gemma-scope-2b-pt-rez-canonical'; the nearest of \d+ are gemma"
    ):
        loading.load_encoder(loading.SAESource(1, "16k", release="gemma-scope-2b-pt-rez-canonical", id="x"), "m", 64)
    with pytest.raises(MosaicError, match=r"unknown SAE id of gpt2-small-res-jb 'blocks.99"):
        loading.load_encoder(
            loading.SAESource(1, "x", release="gpt2-small-res-jb", id="blocks.99.hook_resid_pre"), "m", 64
        )


def test_an_offline_registry_entry_is_explained(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    source = loading.SAESource(12, "16k", release="gemma-scope-2b-pt-res-canonical", id="layer_12/width_16k/canonical")
    with pytest.raises(MosaicError, match="HF_HUB_OFFLINE is set, and .* google/gemma-scope-2b-pt-res"):
        loading.load_encoder(source, "google/gemma-2-2b", 64)


def test_an_sae_of_another_model_or_width_is_refused(tmp_path):
    folder = sae_folder(tmp_path, "standard", model_name="org/other-model")
    with pytest.raises(MosaicError, match="was trained on org/other-model, not on tiny"):
        load(folder)
    assert load(folder, transfer_from="org/other-model").n_latents == 96
    narrow = sae_folder(tmp_path, "standard", d_in=32)
    with pytest.raises(MosaicError, match="d_in 32, but tiny has d_model 64"):
        load(narrow)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(MosaicError, match=r"cfg.json does not exist. An SAE folder holds cfg.json and sae_weights"):
        load(tmp_path)


def test_random_dictionary_matches_width_and_sparsity(tmp_path):
    loaded = load(sae_folder(tmp_path, "jumprelu"))
    x = torch.randn(600, 64)
    control = loading.random_like(loaded, x)
    assert control.weights.shape == loaded.weights.shape
    assert control.weights_hash != loaded.weights_hash
    wanted, got = (e.encode(x[:256]).nnz / 256 for e in (loaded, control))
    assert abs(wanted - got) < 0.15 * wanted


def rewritten(folder, config=None, metadata=None, drop=(), **tensors):
    """The SAE folder with keys of its configuration or tensors replaced (None: removed)."""
    from safetensors.torch import load_file, save_file

    written = json.loads((folder / "cfg.json").read_text())
    written |= config or {}
    written["metadata"] = (written.get("metadata") or {}) | (metadata or {})
    (folder / "cfg.json").write_text(json.dumps({key: value for key, value in written.items() if key not in drop}))
    state = load_file(folder / "sae_weights.safetensors") | tensors
    kept = {name: value.contiguous() for name, value in state.items() if name not in drop}
    save_file(kept, folder / "sae_weights.safetensors")
    return folder


HOOKS = [  # hook, layer it is of for a model whose layers are counted from 0 (None: it says nothing)
    ("layers.3", 3),
    ("model.layers.2", 2),
    ("transformer.h.5", 5),
    ("encoder.layer.3", 3),
    ("language_model.layers.7", 7),
    ("blocks.12.hook_resid_post", 12),
    ("blocks.12.hook_resid_pre", 11),
    ("somewhere.else", None),
    ("hook_embed", None),
    (None, None),
]


@pytest.mark.parametrize("hook,of", HOOKS)
@pytest.mark.parametrize("first_layer", [0, 1])
def test_an_sae_of_another_layer_is_refused(tmp_path, hook, of, first_layer):
    folder = rewritten(sae_folder(tmp_path, "topk"), metadata={"hook_name": hook})

    def at(layer):
        return loading.load_encoder(loading.SAESource(layer, "96", str(folder)), "tiny", 64, first_layer=first_layer)

    if of is None:
        assert at(5).layer == 5
        return
    of += first_layer
    assert at(of).layer == of
    with pytest.raises(MosaicError, match=f"is named for layer {of + 1}, but was trained at .*Write layer: {of},"):
        at(of + 1)


@pytest.mark.parametrize(
    "hook", ["blocks.1.hook_mlp_out", "blocks.1.attn.hook_z", "layers.1.mlp", "blocks.1.hook_resid_mid"]
)
def test_an_sae_of_another_site_is_refused(tmp_path, hook):
    with pytest.raises(MosaicError, match="was trained at .*, inside a block; SAEs of the residual stream"):
        load(rewritten(sae_folder(tmp_path, "topk"), metadata={"hook_name": hook}))


@pytest.mark.parametrize("width,fits", [("96", True), ("w", True), ("97", False), ("1k", False), ("9" * 5000, False)])
def test_an_sae_of_another_width_is_refused(tmp_path, width, fits):
    source = loading.SAESource(1, width, path=str(sae_folder(tmp_path, "topk")))
    if fits:
        assert loading.load_encoder(source, "tiny", 64).n_latents == 96
        return
    with pytest.raises(MosaicError, match=f"is named for width {width:.60}, but has 96 latents. Write width: 96,"):
        loading.load_encoder(source, "tiny", 64)


@pytest.mark.parametrize(
    "name,n", [("1k", 1024), ("16k", 16_384), ("65k", 65_536), ("131k", 131_072), ("1m", 2**20), ("24k", 24_576)]
)
def test_width_names_round_as_gemma_scope_does(name, n):
    from mosaic.saes.checks import check_width

    check_width("sae", name, n)
    for other in (n // 2, 4 * n):
        with pytest.raises(MosaicError, match=f"is named for width {name}, but has {other} latents"):
            check_width("sae", name, other)


@pytest.mark.parametrize(
    "architecture,changes,message",
    [
        ("jumprelu", {"W_enc": torch.full((64, 96), torch.nan)}, "6144 of 6144 numbers of W_enc are NaN or infinite"),
        ("jumprelu", {"b_enc": torch.full((96,), torch.inf)}, "96 of 96 numbers of b_enc are NaN or infinite"),
        ("topk", {"W_enc": torch.zeros(64, 96)}, "all numbers of W_enc are zero"),
        ("jumprelu", {"W_enc": torch.randn(64, 89)}, r"b_enc has shape \[96\], but W_enc \[64, 89\] asks for \[89\]"),
        ("jumprelu", {"threshold": torch.ones(95)}, r"threshold has shape \[95\], .*asks for \[96\]"),
        ("topk", {"b_dec": torch.ones(63)}, r"b_dec has shape \[63\], .*asks for \[64\]"),
        ("topk", {"W_dec": torch.ones(64, 96)}, r"W_dec has shape \[64, 96\], .*asks for \[96, 64\]"),
        ("topk", {"W_enc": torch.ones(64)}, r"W_enc has shape \[64\]; \[d_in, d_sae\] was expected"),
        ("gated", {"r_mag": torch.ones(1)}, r"r_mag has shape \[1\]"),
        ("topk", {"drop": ["b_enc"]}, "has no b_enc, which a topk SAE needs; it holds"),
        ("standard", {"drop": ["b_dec"]}, "has no b_dec, which a standard SAE needs"),
        ("topk", {"drop": ["W_enc"]}, "an encoder W_enc .* was expected"),
        ("topk", {"drop": ["architecture"]}, "has architecture None; encoders of standard, jumprelu, topk and gated"),
        ("topk", {"config": {"architecture": ["topk"]}}, "has architecture .'topk'.; encoders"),
        ("topk", {"config": {"k": "nine"}}, "k is 'nine'; .*a whole number from 1 to"),
        ("topk", {"config": {"k": float("inf")}}, "k is inf; .*a whole number from 1 to"),
        ("topk", {"drop": ["k"]}, "k is None"),
        ("topk", {"config": {"k": 97}}, "k is 97; .*from 1 to its number of latents, 96"),
        ("topk", {"W_enc": torch.ones(64, 96, dtype=torch.int64)}, "W_enc holds numbers of kind I64; real ones"),
        ("topk", {"b_enc": torch.ones(96, dtype=torch.complex64)}, "b_enc holds numbers of kind C64; real ones"),
        ("topk", {"config": {"d_in": 128}}, "its cfg.json says d_in 128, but its weights have 64"),
        ("topk", {"config": {"d_sae": 95}}, "its cfg.json says d_sae 95, but its weights have 96"),
        ("topk", {"metadata": {"hook_name": "layers." + "9" * 5000}}, "no model has a block of 5000 digits"),
        (
            "topk",
            {"config": {"rescale_acts_by_decoder_norm": True}, "W_dec": torch.full((96, 64), torch.nan)},
            "96 of 96 numbers of W_dec's row lengths are NaN or infinite",
        ),
        ("topk", {"metadata": {"model_name": 3}}, "was trained on 3, not on"),
    ],
)
def test_weights_that_are_no_sae_are_refused(tmp_path, architecture, changes, message):
    with pytest.raises(MosaicError, match=message):
        load(rewritten(sae_folder(tmp_path, architecture), **changes))


@pytest.mark.parametrize(
    "file,content,message",
    [
        ("cfg.json", b"{", "cfg.json cannot be read .* Copy the SAE again"),
        ("cfg.json", b"\xff\xfe", "cfg.json cannot be read"),
        ("cfg.json", b"[" * 100_000, "cfg.json cannot be read"),
        ("cfg.json", b"[1]", "cfg.json does not hold the keys of a configuration"),
        ("cfg.json", b'{"metadata": [1]}', "cfg.json does not hold the keys"),
        ("sae_weights.safetensors", None, "sae_weights.safetensors cannot be read .*Copy the SAE again"),
        ("sae_weights.safetensors", b"", "sae_weights.safetensors cannot be read"),
    ],
)
def test_broken_files_are_named_by_both_loaders(tmp_path, file, content, message):
    folder = sae_folder(tmp_path, "topk")
    whole = (folder / file).read_bytes()
    (folder / file).write_bytes(whole[: len(whole) // 2] if content is None else content)
    for loader in (load, load_dictionary):
        with pytest.raises(MosaicError, match=message):
            loader(folder)


@pytest.mark.parametrize(
    "changes,message",
    [
        ({"W_dec": torch.ones(96, 64, dtype=torch.int8)}, "W_dec holds numbers of kind I8; real ones"),
        ({"W_enc": torch.ones(64, 96, dtype=torch.complex64)}, "W_enc holds numbers of kind C64; real ones"),
        ({"config": {"d_in": 128}}, "its cfg.json says d_in 128, but its weights have 64"),
        ({"W_dec": torch.full((96, 64), torch.nan)}, "6144 of 6144 numbers of W_dec are NaN or infinite"),
    ],
)
def test_what_contradicts_itself_is_refused_by_the_dictionary(tmp_path, changes, message):
    with pytest.raises(MosaicError, match=message):
        load_dictionary(rewritten(sae_folder(tmp_path, "topk"), **changes))


def test_whole_numbers_of_no_weight_are_let_be(tmp_path):
    folder = rewritten(sae_folder(tmp_path, "topk"), steps=torch.tensor([3]))
    assert load(folder).n_latents == len(load_dictionary(folder)) == 96


@pytest.mark.parametrize("name", ["W_enc", "b_enc"])
def test_npz_weights_that_are_whole_numbers_are_refused(tmp_path, name):
    weights = {"W_enc": np.ones((6, 40), np.float32), "b_enc": np.ones(40, np.float32)}
    weights[name] = weights[name].astype(np.int64)
    np.savez(tmp_path / "params.npz", **weights)
    with pytest.raises(MosaicError, match=f"{name} holds numbers of kind INT64"):
        npz_weights(tmp_path / "params.npz")


def test_unequal_encoder_and_decoder_are_refused_by_the_dictionary(tmp_path):
    folder = rewritten(sae_folder(tmp_path, "topk"), W_dec=torch.ones(95, 64))
    with pytest.raises(MosaicError, match=r"W_enc has shape \[64, 96\] and W_dec \[95, 64\]; .*copy the SAE again"):
        load_dictionary(folder)


def test_every_architecture_that_is_checked_is_read():
    assert set(loading.READERS) == set(NEEDED)
