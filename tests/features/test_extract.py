"""The one pass against the slow reference, and its invariances."""

import numpy as np
import pytest
from conftest import sae_folder, same_rows, sentences
from doubles import NoDoubles
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import dense_pool, text_activations

from mosaic.errors import MosaicError
from mosaic.features import extract
from mosaic.progress import Progress
from mosaic.saes import loading

POOLINGS = ("sum", "mean", "max", "last", "count", "top3")
KINDS = ["bert", "gpt2", "pythia", "llama", "gemma2", "gemma3"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = sae_folder(tmp_path_factory.mktemp("saes"), "jumprelu")
    return loading.load_encoder(loading.SAESource(2, "96", path=str(folder)), "tiny", 64), folder


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


def test_nothing_is_made_in_float64_where_the_model_runs(tiny, encoder):
    """MPS has no float64."""
    request = extract.Request((encoder[0],), (1, 2), POOLINGS, token_budget=60)
    with NoDoubles():
        assert extract.extract(sentences(6, seed=4), tiny("llama"), request)[0].matrix.nnz


def test_an_extraction_says_how_far_it_is(tiny, encoder, tmp_path, monkeypatch):
    """A long pass in a job was silent: every text and token is counted, those that the cache has too."""
    made, texts = [], [*sentences(9, seed=5), "the cat", "the cat"]

    class Counted(Progress):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr(extract, "Progress", Counted)
    request = extract.Request((encoder[0],), (), ("sum",), token_budget=60)
    for cache in (None, tmp_path):
        extract.extract(texts, tiny("llama"), request, cache)
    assert [(work.label, work.total, work.done) for work in made] == [("extracting", 10, 10)] * 2
    assert made[0].tokens == made[1].tokens > 10


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
        same_rows(table.take(order), shuffled[t])
        for i, tables in enumerate(alone):
            same_rows(table.take(np.array([i])), tables[t])


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


def test_a_request_for_nothing_is_refused(tiny, encoder):
    for request in (extract.Request(), extract.Request((encoder[0],), (), ())):
        with pytest.raises(MosaicError, match="nothing is asked for"):
            extract.extract(["a"], tiny("bert"), request)


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
