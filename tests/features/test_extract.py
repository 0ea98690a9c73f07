"""The one pass against the slow reference, its invariances, and its cache."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import sae_folder, sentences
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import dense_pool, text_activations

from mosaic.errors import MosaicError
from mosaic.features import extract
from mosaic.features.table import FeatureTable
from mosaic.saes import loading

POOLINGS = ("sum", "mean", "max", "last", "count", "top3")
KINDS = ["bert", "gpt2", "llama", "gemma2"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = sae_folder(tmp_path_factory.mktemp("saes"), "jumprelu")
    return loading.load_encoder(loading.SAESource(2, "96", path=str(folder)), "tiny", 64), folder


def same(a: FeatureTable, b: FeatureTable, atol: float = 2e-5) -> None:
    """Equal within float tolerance; an activation within 1e-4 of its threshold may fall on either side."""
    np.testing.assert_allclose(a.matrix.toarray(), b.matrix.toarray(), rtol=1e-4, atol=atol)
    assert (a.row_ids == b.row_ids).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("specials", [False, True])
def test_one_pass_equals_the_slow_reference(tiny, encoder, kind, specials):
    from sae_lens import SAE

    model, (fast, folder) = tiny(kind), encoder
    reference = SAE.load_from_disk(folder)
    texts = sentences(9, seed=5)
    request = extract.Request((fast,), (1, 2), POOLINGS, specials=specials, token_budget=60)
    tables = extract.extract(texts, model, request)
    assert [t.provenance["pooling"] for t in tables] == list(POOLINGS) * 3
    for table in tables:
        what = table.provenance
        oracle = reference if what["features"] == "sae" else None
        expected = [
            dense_pool(text_activations(model, oracle, text, what["layer"], specials), what["pooling"])
            for text in texts
        ]
        np.testing.assert_allclose(table.matrix.toarray(), np.stack(expected), rtol=1e-4, atol=5e-5, err_msg=str(what))


def test_the_shipped_saes_equal_saelens_on_the_real_model(minilm):
    from sae_lens import SAE

    from mosaic.profiles.opening import load_saes, located, select_saes
    from mosaic.profiles.profile import load_profile

    profile = load_profile("minilm")
    texts = ["A storm is coming.", "The film was, to my surprise, rather good!", "¿Qué? 好的 🙂", "x" * 3000]
    encoders = load_saes(profile, minilm)
    tables = extract.extract(texts, minilm, extract.Request(encoders, (), POOLINGS))
    for source, start in zip(select_saes(profile), range(0, len(tables), len(POOLINGS)), strict=True):
        reference = SAE.load_from_disk(located(source).path, dtype="float32")
        acts = [text_activations(minilm, reference, text, source.layer) for text in texts]
        for table, pooling in zip(tables[start:], POOLINGS, strict=False):
            expected = np.stack([dense_pool(a, pooling) for a in acts])
            np.testing.assert_allclose(table.matrix.toarray(), expected, rtol=2e-3, atol=2e-3)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(20, 400))
def test_neighbours_order_and_batching_change_nothing(tiny, encoder, seed, n, budget):
    model = tiny("llama")
    texts = sentences(n, seed)
    whole = extract.extract(texts, model, extract.Request((encoder[0],), (2,), POOLINGS))
    order = np.random.default_rng(seed).permutation(n)
    request = extract.Request((encoder[0],), (2,), POOLINGS, token_budget=budget)
    shuffled = extract.extract([texts[i] for i in order], model, request)
    alone = [extract.extract([text], model, request) for text in texts[:3]]
    for t, table in enumerate(whole):
        same(table.take(order), shuffled[t])
        for i, tables in enumerate(alone):
            same(table.take(np.array([i])), tables[t])


def test_rows_are_in_input_order_and_repeated_texts_agree(tiny, encoder):
    texts = ["the cat", "a dog sat", "the cat", "red"]
    for cache in (None, "cache"):
        (table,) = extract.extract(texts, tiny("bert"), extract.Request((encoder[0],), (), ("sum",)), cache and None)
        assert (table.matrix[0] != table.matrix[2]).nnz == 0
        assert table.n_tokens.tolist() == [2, 3, 2, 1]


def test_truncation_is_reported_and_recorded(tiny, encoder, caplog):
    (table,) = extract.extract(["cat " * 200, "dog"], tiny("bert"), extract.Request((encoder[0],), (), ("max",)))
    assert table.truncated.tolist() == [True, False]
    assert "1 of 2 texts are longer than the model reads (48 tokens)" in caplog.text


@pytest.mark.parametrize(
    "texts,message",
    [
        (["good", ""], "row 1 is empty"),
        (["good", " \n\t"], "row 1 is empty"),
        ([float("nan")], r"row 0 is nan \(float\), not a text"),
        (["a", None], r"row 1 is None \(NoneType\), not a text"),
        ([], "there are no texts"),
        ("one string", "texts is one string; give a list"),
    ],
)
def test_bad_texts_are_named(tiny, encoder, texts, message):
    with pytest.raises(MosaicError, match=message):
        extract.extract(texts, tiny("bert"), extract.Request((encoder[0],), (), ("max",)))


def test_a_text_without_tokens_is_named(minilm):
    with pytest.raises(MosaicError, match=r"row 1 .* has no tokens of its own"):
        extract.extract(["fine", "\u200b"], minilm, extract.Request((), (4,), ("max",)))


def test_wrong_layers_poolings_and_widths_are_refused_before_any_work(tiny, encoder, minilm):
    with pytest.raises(MosaicError, match="layer 9 does not exist"):
        extract.extract(["a"], tiny("bert"), extract.Request((), (9,), ("max",)))
    with pytest.raises(MosaicError, match="unknown pooling 'best'"):
        extract.extract(["a"], tiny("bert"), extract.Request((encoder[0],), (), ("best",)))
    with pytest.raises(MosaicError, match="reads d_in 64, but .* has d_model 384"):
        extract.extract(["a"], minilm, extract.Request((encoder[0],), (), ("max",)))


def test_infinite_activations_are_refused(tiny, monkeypatch):
    model = tiny("llama")
    plain = model.residuals
    monkeypatch.setattr(
        model,
        "residuals",
        lambda ids, layers: {k: v * float("inf") for k, v in plain(ids, layers).items()},
        raising=False,
    )
    with pytest.raises(MosaicError, match="NaN or infinite activations after layer 1"):
        extract.extract(["the cat"], model, extract.Request((), (1,), ("max",)))


# --- cache -------------------------------------------------------------------------------------------------------


@pytest.fixture
def counted(tiny, monkeypatch):
    """A model that counts the texts it reads."""
    model = tiny("llama")
    seen = []
    plain = model.residuals
    monkeypatch.setattr(
        model, "residuals", lambda ids, layers: (seen.append(len(ids)), plain(ids, layers))[1], raising=False
    )
    return model, seen


def test_only_new_texts_run(counted, encoder, tmp_path):
    model, seen = counted
    request = extract.Request((encoder[0],), (2,), ("sum", "max"), token_budget=64)
    texts = sentences(20, seed=8)
    first = extract.extract(texts, model, request, tmp_path)
    assert sum(seen) == len(set(texts))
    seen.clear()
    again = extract.extract(texts[::-1], model, request, tmp_path)
    assert seen == []
    for a, b in zip(first, again, strict=True):
        assert (a.matrix[::-1] != b.matrix).nnz == 0
    extract.extract([*texts, "red red red sun sun"], model, request, tmp_path)
    assert sum(seen) == 1
    seen.clear()
    extract.extract(
        texts, model, extract.Request((encoder[0],), (2,), ("sum", "max", "last"), token_budget=64), tmp_path
    )
    assert sum(seen) == len(set(texts)), "a new pooling is computed"


def test_cached_rows_equal_fresh_ones(tiny, encoder, tmp_path):
    request = extract.Request((encoder[0],), (2,), POOLINGS, token_budget=64)
    texts = sentences(15, seed=9)
    fresh = extract.extract(texts, tiny("llama"), request)
    extract.extract(texts[:6], tiny("llama"), request, tmp_path)
    for a, b in zip(fresh, extract.extract(texts, tiny("llama"), request, tmp_path), strict=True):
        same(a, b)


def test_another_model_sae_or_setting_never_shares_a_key(tiny, encoder, tmp_path):
    from dataclasses import replace

    from mosaic.features.cache import key_of

    model = tiny("llama")
    base = extract.Request((encoder[0],), (), ("sum",))
    other_weights = replace(encoder[0], bias=encoder[0].bias + 1)
    keys = {
        key_of(extract.provenances(m, request)[0])
        for m, request in [
            (model, base),
            (tiny("gemma2"), base),
            (replace_spec(model, max_length=20), base),
            (model, extract.Request((other_weights,), (), ("sum",))),
            (model, extract.Request((encoder[0],), (), ("max",))),
            (model, extract.Request((encoder[0],), (), ("sum",), specials=True)),
        ]
    }
    assert len(keys) == 6


def replace_spec(model, **changes):
    import copy
    from dataclasses import replace

    other = copy.copy(model)
    other.spec = replace(model.spec, **changes)
    return other


def test_a_damaged_shard_is_reported_and_rebuilt(counted, encoder, tmp_path, caplog):
    model, seen = counted
    request = extract.Request((encoder[0],), (), ("sum",), token_budget=64)
    texts = sentences(12, seed=2)
    (before,) = extract.extract(texts, model, request, tmp_path)
    (shard,) = tmp_path.glob("*/*.safetensors")
    content = bytearray(shard.read_bytes())
    content[-3] ^= 0xFF
    shard.write_bytes(content)
    seen.clear()
    (after,) = extract.extract(texts, model, request, tmp_path)
    assert "is damaged" in caplog.text and "computed again" in caplog.text
    assert sum(seen) == len(set(texts))
    assert (before.matrix != after.matrix).nnz == 0


def test_a_truncated_shard_is_rebuilt(tiny, encoder, tmp_path):
    request = extract.Request((encoder[0],), (), ("sum",))
    (before,) = extract.extract(["the cat", "a dog"], tiny("llama"), request, tmp_path)
    (shard,) = tmp_path.glob("*/*.safetensors")
    shard.write_bytes(shard.read_bytes()[:40])
    (after,) = extract.extract(["the cat", "a dog"], tiny("llama"), request, tmp_path)
    assert (before.matrix != after.matrix).nnz == 0


def test_an_interrupted_pass_over_other_texts_is_kept(counted, encoder, tmp_path, monkeypatch):
    model, seen = counted
    monkeypatch.setattr(extract, "SHARD_TOKENS", 30)
    request = extract.Request((encoder[0],), (2,), ("sum",), token_budget=32)
    texts = sentences(30, seed=4)
    plain = model.residuals

    def stop_after(ids, layers):
        if len(seen) > 8:
            raise KeyboardInterrupt
        return plain(ids, layers)

    monkeypatch.setattr(model, "residuals", stop_after, raising=False)
    with pytest.raises(KeyboardInterrupt):
        extract.extract(texts, model, request, tmp_path)
    monkeypatch.setattr(model, "residuals", plain, raising=False)
    parts = list(tmp_path.glob("*/*.part.safetensors"))
    assert parts
    kept = sum(len(FeatureTable.load(path)) for path in parts) // 2
    seen.clear()
    (table, _) = extract.extract([*texts, "red red red sun"], model, request, tmp_path)
    assert sum(seen) <= len(set(texts)) + 1 - kept
    same(table.take(np.arange(30)), extract.extract(texts, model, request)[0])


WORKER = """
import sys
sys.path.insert(0, {tests!r})
from conftest import sentences
from mosaic.features import extract
from mosaic.models.language import ModelSpec
from mosaic.models.opening import open_model, resolve
from mosaic.saes import loading
extract.SHARD_TOKENS = 200
model = open_model(ModelSpec({model!r}, max_length=48))
encoder = loading.load_encoder(loading.SAESource(2, "96", path={sae!r}), "tiny", 64)
request = extract.Request((encoder,), (2,), ("sum", "max", "top3"), token_budget=64)
print("ready", flush=True)
for table in extract.extract(sentences(1500, seed=6), model, request, {cache!r}):
    import hashlib
    digest = hashlib.sha256(table.matrix.data.tobytes() + table.matrix.indices.tobytes() + table.matrix.indptr.tobytes())
    print(digest.hexdigest(), len(table), flush=True)
"""


def test_kill_nine_at_any_moment_loses_nothing(model_folder, encoder, tmp_path):
    """SIGKILL at random moments; the next run finishes with the bytes of a run that was never killed."""

    def start(cache: Path) -> subprocess.Popen:
        code = WORKER.format(
            tests=str(Path(__file__).parent.parent),
            model=str(model_folder("llama")),
            sae=str(encoder[1]),
            cache=str(cache),
        )
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)

    whole = start(tmp_path / "whole")
    expected, _ = whole.communicate(timeout=120)
    assert len(expected.splitlines()) == 1 + 6 and whole.returncode == 0
    rng = np.random.default_rng(0)
    killed = 0
    for _ in range(4):
        process = start(tmp_path / "killed")
        assert process.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0.05, 1.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
    assert killed, "no run was caught at work"
    resumed = start(tmp_path / "killed")
    output, _ = resumed.communicate(timeout=120)
    assert output == expected
    assert not list((tmp_path / "killed").glob("*/*.part.safetensors"))


def test_a_really_trained_decoder_equals_the_reference(tmp_path):
    """stories260K (tinyllamas), where MOSAIC_MODELS has it: the decoder path on learned weights."""
    from sae_lens import SAE

    from mosaic.models.opening import resolve
    from mosaic.profiles.opening import load_model
    from mosaic.profiles.profile import load_profile

    profile = load_profile("stories260k")
    if resolve(profile.model) == profile.model.id:
        pytest.skip("MOSAIC_MODELS does not name a folder that holds stories260K")
    model = load_model(profile)
    folder = sae_folder(tmp_path, "topk", d_sae=256)
    fast = loading.load_encoder(loading.SAESource(3, "256", path=str(folder)), profile.model.id, 64)
    texts = ["Once upon a time, there was a little car named Beep.", 'The dog said, "No!"', "Lily was sad."]
    tables = extract.extract(texts, model, extract.Request((fast,), (3,), POOLINGS))
    for table in tables:
        oracle = SAE.load_from_disk(folder) if table.provenance["features"] == "sae" else None
        expected = [dense_pool(text_activations(model, oracle, t, 3), table.provenance["pooling"]) for t in texts]
        np.testing.assert_allclose(table.matrix.toarray(), np.stack(expected), rtol=1e-4, atol=1e-4)
