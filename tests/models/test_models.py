import hashlib

import numpy as np
import pytest
import torch
from conftest import sentences
from hypothesis import given
from hypothesis import strategies as st

from mosaic.errors import MosaicError
from mosaic.models.batches import plan_batches
from mosaic.models.blocks import find_blocks
from mosaic.models.language import ModelSpec
from mosaic.models.opening import MINILM_ID, check_device, open_model, resolve

KINDS = ["bert", "gpt2", "llama", "gemma2"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_the_output_of_its_block(tiny, kind):
    model = tiny(kind)
    ids = model.tokenize(sentences(1)).ids
    states = model.model(input_ids=torch.from_numpy(ids[0])[None], output_hidden_states=True).hidden_states
    layers = list(model.layers)[:-1]  # transformers' last hidden state has passed the final norm
    captured = model.residuals(ids, layers)
    for i, layer in enumerate(layers):
        torch.testing.assert_close(captured[layer], states[i + 1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_block_is_read_before_the_final_norm(tiny, kind):
    model = tiny(kind)
    ids = model.tokenize(sentences(1)).ids
    outputs = []
    handle = model.blocks[-1].register_forward_hook(lambda m, i, o: outputs.append(o))
    model.model(input_ids=torch.from_numpy(ids[0])[None])
    handle.remove()
    expected = outputs[0] if isinstance(outputs[0], torch.Tensor) else outputs[0][0]
    torch.testing.assert_close(model.residuals(ids, [model.layers[-1]])[model.layers[-1]], expected)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_nothing(tiny, kind):
    model = tiny(kind)
    ids = model.tokenize(sentences(6, seed=3)).ids
    layer = model.layers[2]
    together = model.residuals(ids, [layer])[layer]
    for row, tokens in enumerate(ids):
        alone = model.residuals([tokens], [layer])[layer][0]
        torch.testing.assert_close(together[row, : len(tokens)], alone, rtol=1e-4, atol=1e-5)


def test_blocks_above_the_deepest_wanted_one_never_run(tiny):
    model = tiny("llama")
    hooks = [len(block._forward_hooks) for block in model.blocks]
    ran = []
    handles = [b.register_forward_pre_hook(lambda m, i, n=n: ran.append(n)) for n, b in enumerate(model.blocks)]
    model.residuals(model.tokenize(["the cat"]).ids, [1])
    for handle in handles:
        handle.remove()
    assert ran == [0, 1]
    assert [len(block._forward_hooks) for block in model.blocks] == hooks, "hooks must not stay behind"


def test_tuple_returning_blocks_are_read(tiny):
    model = tiny("gpt2")
    ids = model.tokenize(["the cat sat"]).ids
    plain = model.residuals(ids, [1])[1]
    handle = model.blocks[1].register_forward_hook(lambda m, i, o: o if isinstance(o, tuple) else (o, None))
    try:
        torch.testing.assert_close(model.residuals(ids, [1])[1], plain)
    finally:
        handle.remove()


def test_tokens_know_specials_and_truncation(tiny):
    tokens = tiny("bert").tokenize(["the cat", "cat " * 100])
    assert tokens.special[0].tolist() == [True, False, False, True]
    assert tokens.truncated.tolist() == [False, True]
    assert tokens.lengths.tolist() == [4, 48]
    assert len(tiny("bert").tokenize([]).ids) == 0


def test_a_layer_that_is_not_there_is_named(tiny):
    with pytest.raises(MosaicError, match=r"layer 5 does not exist .* 4 blocks are numbered 1 to 4"):
        tiny("bert").check_layers([2, 5])


def test_find_blocks_refuses_a_model_without_them():
    class Model(torch.nn.Module):
        config = type("C", (), {"get_text_config": lambda self: type("T", (), {"num_hidden_layers": 3})()})()

    with pytest.raises(MosaicError, match="no list of 3 blocks"):
        find_blocks(Model())


def test_random_weights_differ_and_repeat(model_folder, tiny):
    spec = ModelSpec(str(model_folder("llama")), random_weights=5)
    first, second = open_model(spec), open_model(spec)
    assert first.weights_hash == second.weights_hash != tiny("llama").weights_hash


@given(st.lists(st.integers(1, 90), min_size=1, max_size=60), st.integers(8, 300))
def test_batches_cover_all_texts_once_within_the_budget(lengths, budget):
    lengths = np.array(lengths)
    batches = list(plan_batches(lengths, budget))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= budget
        assert (np.diff(lengths[batch]) <= 0).all()


def test_tokenizer_hash_does_not_change_with_use(model_folder):
    fresh = open_model(ModelSpec(str(model_folder("bert")), max_length=48))
    before = fresh.tokenizer_hash
    fresh.tokenize(["the cat"])
    assert open_model(fresh.spec).tokenizer_hash == before


def test_minilm_package_is_checked_before_use(monkeypatch, tmp_path):
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"not the model")
    entry = type("Entry", (), {"name": "model.safetensors", "locate": lambda self: weights})()
    monkeypatch.setattr("importlib.metadata.files", lambda name: [entry])
    with pytest.raises(MosaicError, match=f"{hashlib.sha256(b'not the model').hexdigest()}, expected 53aa5117"):
        resolve(ModelSpec(MINILM_ID))
    monkeypatch.setattr("mosaic.models.opening.MINILM_SHA256", hashlib.sha256(b"not the model").hexdigest())
    assert resolve(ModelSpec(MINILM_ID)) == str(tmp_path)


def test_models_mirror(monkeypatch, tmp_path, model_folder):
    monkeypatch.setenv("MOSAIC_MODELS", str(model_folder("gpt2").parent))
    assert resolve(ModelSpec("somebody/tiny-gpt2")) == str(model_folder("gpt2"))


def test_what_cannot_be_loaded_is_explained(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(MosaicError, match=r"HF_HUB_OFFLINE is set, and .* nobody/nothing-at-all.*--profile minilm"):
        open_model(ModelSpec("nobody/nothing-at-all"))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(MosaicError, match=r"cannot load .*fetch or save it again"):
        open_model(ModelSpec(str(tmp_path)))


@pytest.mark.parametrize(
    "name,content", [("tokenizer.json", b"{}"), ("model.safetensors", b"cut off"), ("config.json", b"{")]
)
def test_a_broken_file_of_a_model_is_explained(model_folder, tmp_path, name, content):
    import shutil

    shutil.copytree(model_folder("llama"), tmp_path / "broken")
    (tmp_path / "broken" / name).write_bytes(content)
    with pytest.raises(MosaicError, match=r"cannot load .*broken.*fetch or save it again"):
        open_model(ModelSpec(str(tmp_path / "broken")))


@pytest.mark.parametrize("device", ["nonsense", "", "cuda", "cuda:7", "cuda:x", "mps", "meta"])
def test_a_device_that_is_not_there_is_refused_before_anything_is_loaded(monkeypatch, device):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", lambda *_, **__: pytest.fail("loaded"))
    with pytest.raises(MosaicError, match=rf"device '{device}' is not here.*; there is cpu\. Choose one of them"):
        open_model(ModelSpec("nobody/nothing-at-all"), device)


def test_devices_that_are_there_are_listed(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    for device in ("cpu", "cuda", "cuda:1"):
        check_device(device)
    with pytest.raises(MosaicError, match="'cuda:2' is not here; there is cpu, cuda, cuda:0, cuda:1"):
        check_device("cuda:2")


def test_an_unknown_number_format_is_refused(model_folder):
    with pytest.raises(MosaicError, match="dtype 'float33' of .* choose float32 or bfloat16"):
        open_model(ModelSpec(str(model_folder("gpt2")), dtype="float33"))
