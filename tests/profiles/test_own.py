"""A profile of a user's model and SAEs: the same as one written down, and every mistake named."""

import json
import shutil

import pytest
from conftest import sae_folder, sentences

from mosaic.errors import MosaicError
from mosaic.features.extract import extract
from mosaic.features.pooling import POOLINGS
from mosaic.features.request import Request
from mosaic.models.sizes import read_sizes
from mosaic.profiles.opening import load_model, load_saes
from mosaic.profiles.own import own_profile
from mosaic.profiles.places import Place
from mosaic.profiles.plan import estimate, width_of
from mosaic.profiles.profile import FOLDER, Profile, Shape, load_profile
from mosaic.saes.described import width_name
from mosaic.saes.source import SAESource


@pytest.fixture
def sae(tmp_path):
    """An SAE folder, its configuration changed."""

    def make(hook: str | None = "blocks.2.hook_resid_post", d_sae: int = 96, d_in: int = 64, **metadata):
        folder = sae_folder(tmp_path, "topk", d_sae=d_sae, d_in=d_in, seed=len(list(tmp_path.iterdir())))
        path = folder / "cfg.json"
        config = json.loads(path.read_text())
        config["metadata"] = {**(config.get("metadata") or {}), "hook_name": hook, **metadata}
        path.write_text(json.dumps(config))
        return str(folder)

    return make


def test_shipped_models_are_described_as_their_profile_does():
    """All but the tokens a text may have, which the profile limits further."""
    written = load_profile("mini")
    made = own_profile(written.model.id, [source.path for source in written.saes], POOLINGS)
    assert (made.shape, made.saes, made.poolings) == (written.shape, written.saes, written.poolings)
    assert (made.layers, made.widths, made.model.first_layer) == (written.layers, written.widths, 0)
    assert made.middle in made.layers and made.width in made.widths and made.model.max_length == 256
    assert estimate(made, rate=1e9).flops == estimate(written, rate=1e9).flops


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma2", "bert"])
def test_features_are_those_of_the_same_sae_through_a_written_profile(kind, model_folder, sae):
    folder = str(model_folder(kind))
    first = int(kind == "bert")  # the one whose layers count from 1
    one, other = sae(), sae("layers.0", d_sae=128)
    made = own_profile(folder, [one, other], ("sum", "max"))
    assert made.saes == (SAESource(2 + first, "96", path=one), SAESource(first, "128", path=other))
    assert (made.model.max_length, made.model.first_layer) == (64 if kind in ("bert", "gpt2") else 512, first)
    lm = load_model(made)
    assert made.shape.n_layers == len(lm.blocks) and made.shape.d_model == lm.d_model
    assert made.shape.parameters == sum(p.numel() for p in lm.blocks[0].parameters())
    assert made.shape.embedding == lm.model.get_input_embeddings().weight.numel()
    written = Profile("w", "t", made.model, Shape(4, 64, 1, 1), made.saes, ("sum", "max"), (), 2, "96")
    texts = sentences(20)
    ours, theirs = (extract(texts, lm, Request(load_saes(p, lm), (), p.poolings)) for p in (made, written))
    for a, b in zip(ours, theirs, strict=True):
        assert (a.matrix != b.matrix).nnz == 0 and a.provenance == b.provenance and a.matrix.nnz


def test_every_mistake_is_named(model_folder, sae, tmp_path):
    model = str(model_folder("llama"))
    good = sae()
    for saes, message in [
        ([], "no SAE is named"),
        (["nowhere"], "nowhere is neither a folder that holds cfg.json"),
        (["no-release/layer_1"], "unknown release 'no-release'"),
        ([str(tmp_path)], "cfg.json does not exist"),
        ([sae(d_in=32)], "reads vectors of d_in 32, but .* has d_model 64"),
        ([sae(model_name="gpt2-small")], "was trained on gpt2-small, not on "),
        ([sae("blocks.2.hook_mlp_out")], "inside a block"),
        ([sae("blocks.0.hook_resid_pre")], "on embeddings"),
        ([sae("blocks.4.hook_resid_post")], "trained at blocks.4.hook_resid_post, but .* has 4 blocks"),
        ([sae(None)], "does not say which layer it was trained at .*Write a profile"),
        ([good, sae()], "both read layer 2 with 96 latents"),
        ([good, good], "both read layer 2 with 96 latents"),
    ]:
        with pytest.raises(MosaicError, match=message):
            own_profile(model, saes, POOLINGS)
    own_profile(model, [good, sae(d_sae=128), sae("blocks.2.hook_resid_pre")], POOLINGS)
    with pytest.raises(MosaicError, match="cannot load .*cfg"):
        (tmp_path / "cfg").mkdir()
        own_profile(str(tmp_path / "cfg"), [good], POOLINGS)


def test_a_folder_with_the_name_of_one_of_ours_is_the_users(model_folder, sae, tmp_path, monkeypatch):
    shutil.copytree(sae(), tmp_path / "saes")
    assert (FOLDER.parent / "saes").is_dir()
    monkeypatch.chdir(tmp_path)
    made = own_profile(str(model_folder("llama")), ["saes"], POOLINGS)
    assert load_saes(made, load_model(made))[0].n_latents == 96 and Place.of_sae(made.saes[0]).folder == str(
        tmp_path / "saes"
    )


def test_sizes_need_no_weights(model_folder, tmp_path):
    shutil.copy(model_folder("gpt2") / "config.json", tmp_path)
    assert read_sizes(str(tmp_path)) == read_sizes(str(model_folder("gpt2")))


def test_a_width_has_the_name_that_gives_it_back():
    for n in (1, 96, 512, 1000, 1024, 2048, 16384, 24576, 65536, 131072, 2**20, 2**21):
        assert width_of(width_name(n)) == n
    assert [width_name(n) for n in (16384, 65536, 2**18, 2**20)] == ["16k", "65k", "262k", "1m"]


def test_a_place_is_found_again_from_another_folder(model_folder, sae, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    shutil.copytree(model_folder("llama"), tmp_path / "here" / "m")
    shutil.copytree(sae(), tmp_path / "here" / "s")
    monkeypatch.chdir(tmp_path / "here")
    profile = own_profile("m", ["s"], POOLINGS)
    model, source = Place.of_model(profile.model), Place.of_sae(profile.saes[0])
    assert model.folder == str(tmp_path / "here" / "m") and source.folder == str(tmp_path / "here" / "s")
    lm = model.open_model()
    monkeypatch.chdir(tmp_path / "there")
    again = model.open_model()
    assert again.weights_hash == lm.weights_hash and again.spec == profile.model
    assert source.load_encoder(again).n_latents == 96
    shutil.move(tmp_path / "here" / "s", tmp_path / "there" / "s")  # both are looked for: where it was, and here
    assert source.load_encoder(again).n_latents == 96
    shutil.rmtree("s")
    with pytest.raises(MosaicError, match="is gone. Put it back, or go where it is s"):
        source.load_encoder(again)
    mini = load_profile("mini")
    assert Place.of_model(mini.model).folder is None and Place.of_sae(mini.saes[0]).folder is None
    assert Place.of_model(load_profile("gemma-2-2b").model).folder is None
    assert Place.of_sae(load_profile("gemma-2-2b").saes[0]).folder is None
    assert (FOLDER.parent / mini.saes[0].path).is_dir()
    assert Place.of_sae(mini.saes[0]).load_encoder(Place.of_model(mini.model).open_model()).n_latents == 1024
