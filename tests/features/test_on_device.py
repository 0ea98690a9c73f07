"""The pass as a graphics card runs it, on this machine: the same code, its tensors in main memory."""

import itertools
from collections import Counter

import numpy as np
import pytest
import torch
from conftest import sae_folder, sentences
from hypothesis import given
from reference import activations, dense_pool
from torch.utils._python_dispatch import TorchDispatchMode

from mosaic.features import extract, on_device, pooling, pooling_on_device
from mosaic.models import batches
from mosaic.models.language import LanguageModel
from mosaic.saes import loading
from mosaic.saes.active import Active

NAMES = (*pooling.POOLINGS, "top1", "top3")
POOLINGS = ("sum", "mean", "max", "last", "count", "top3")


@pytest.fixture
def on_card(monkeypatch):
    """Every model counts as one on a card."""
    monkeypatch.setattr(LanguageModel, "on_card", True)


@pytest.fixture(scope="module")
def encoders(tmp_path_factory):
    def load(layer, architecture):
        folder = sae_folder(tmp_path_factory.mktemp("saes"), architecture)
        return loading.load_encoder(loading.SAESource(layer, "96", path=str(folder)), "tiny", 64)

    return load(1, "jumprelu"), load(2, "topk"), load(2, "gated")


@given(activations())
def test_poolings_equal_their_definition(case):
    acts, starts = case
    token, latent = (torch.from_numpy(index.copy()) for index in np.nonzero(acts))
    found = Active(token, latent, torch.from_numpy(acts)[token, latent], acts.shape)
    ends = torch.from_numpy(starts)
    sparse = pooling_on_device.pool_active(found, ends, NAMES)
    hidden = pooling_on_device.pool_hidden(torch.from_numpy(acts - 1), ends, NAMES)
    for name in NAMES:
        rows = np.zeros((len(starts) - 1, acts.shape[1]), dtype=np.float32)
        rows[sparse.texts.numpy(), sparse.latents.numpy()] = sparse.values[name].numpy()
        spans = list(itertools.pairwise(starts))
        np.testing.assert_allclose(rows, np.stack([dense_pool(acts[a:b], name) for a, b in spans]), rtol=1e-6)
        expected = np.stack([dense_pool(acts[a:b] - 1, name) for a, b in spans])
        np.testing.assert_allclose(hidden[name].numpy(), expected, rtol=1e-6, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("kind", ["llama", "bert"])
def test_the_tables_are_the_cpus(tiny, encoders, kind, monkeypatch):
    texts, lm = sentences(14, seed=5), tiny(kind)
    request = extract.Request(encoders, (1, 2), POOLINGS, token_budget=60, products="float32")
    expected = extract.extract(texts, lm, request)
    monkeypatch.setattr(LanguageModel, "on_card", True)
    tables = extract.extract(texts, lm, request)
    assert len(tables) == len(expected) == 5 * len(POOLINGS)
    for table, other in zip(tables, expected, strict=True):
        assert table.provenance == other.provenance and table.matrix.has_sorted_indices
        assert (table.row_ids == other.row_ids).all() and (table.n_tokens == other.n_tokens).all()
        np.testing.assert_allclose(table.matrix.toarray(), other.matrix.toarray(), rtol=1e-5, atol=1e-5)
        assert table.provenance["features"] == "hidden" or (table.matrix.data > 0).all()


def test_on_a_card_products_are_bfloat16_unless_float32_is_asked_for(tiny, encoders, on_card):
    lm = tiny("llama")
    (table,) = extract.extract(sentences(5, seed=1), lm, extract.Request(encoders[:1], (), ("max",)))
    (exact,) = extract.extract(
        sentences(5, seed=1), lm, extract.Request(encoders[:1], (), ("max",), products="float32")
    )
    assert (table.provenance["products"], exact.provenance["products"]) == ("bfloat16", "float32")
    difference = np.abs((table.matrix - exact.matrix).toarray())
    assert 0 < difference.max() < 0.05 * exact.matrix.max()


def test_two_passes_give_the_same_bytes(tiny, encoders, on_card):
    request = extract.Request(encoders, (2,), POOLINGS, token_budget=60)
    first, second = (extract.extract(sentences(14, seed=5), tiny("llama"), request) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one.matrix.data.tobytes() == other.matrix.data.tobytes()
        assert one.matrix.indices.tobytes() == other.matrix.indices.tobytes()


def test_an_error_beside_the_card_is_not_lost(tiny, encoders, on_card, monkeypatch):
    def fails(*_):
        raise RuntimeError("no memory for the matrices")

    monkeypatch.setattr(on_device, "_matrices", fails)
    with pytest.raises(RuntimeError, match="no memory for the matrices"):
        extract.extract(sentences(9, seed=2), tiny("llama"), extract.Request(encoders, (), ("sum",), token_budget=60))


class HostReads(TorchDispatchMode):
    """Operations after which the host knows a tensor's numbers, or how many there are."""

    NAMES = ("nonzero", "_local_scalar_dense", "unique_consecutive", "_unique2", "bincount", "masked_select")

    def __init__(self):
        super().__init__()
        self.seen = Counter()
        self.largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name in self.NAMES:
            self.seen[name] += 1
        for tensor in made if isinstance(made, tuple | list) else (made,):
            if isinstance(tensor, torch.Tensor) and name not in ("detach", "view", "t", "slice"):
                self.largest = max(self.largest, tensor.numel())
        return made


def test_a_batch_makes_two_copies_and_waits_once_for_each_chunk(tiny, encoders, on_card, monkeypatch):
    """Counted, since no card is needed for it: what the host reads of a batch, whatever number of poolings is asked for."""
    lm, texts = tiny("llama"), sentences(6, seed=3)
    tokens = lm.tokenize(texts)
    copies, read = Counter(), Counter()
    real_copy, real_numpy = on_device._to_host, torch.Tensor.numpy

    def counted(tensors):
        copies["batch"] += 1
        return real_copy(tensors)

    def numpy(self, *arguments, **options):
        read["numpy"] += 1
        return real_numpy(self, *arguments, **options)

    monkeypatch.setattr(on_device, "_to_host", counted)
    monkeypatch.setattr(torch.Tensor, "numpy", numpy)
    seen = {}
    for poolings in (("max",), POOLINGS):
        request = extract.Request(encoders, (1, 2), poolings).settled(lm)
        copies.clear(), read.clear()
        with HostReads() as host:
            arrived = on_device._pooled(tokens, np.arange(6), lm, request)
        made_of_it = dict(read)
        arrived()
        assert made_of_it == {}, "the host read numbers before they were all on their way"
        assert copies["batch"] == 2 and read["numpy"] == 2
        seen[poolings] = host.seen
    for poolings, counted_reads in seen.items():
        # An SAE's latents are one chunk here; what of them stays is chosen once more for top-k and gated.
        assert counted_reads["nonzero"] <= len(encoders) + 2, poolings
        assert counted_reads["unique_consecutive"] == len(encoders)
        assert counted_reads["_local_scalar_dense"] <= 6, poolings
    assert sum(seen[POOLINGS].values()) - sum(seen["max",].values()) <= 2 * len(encoders)  # the ranks of top-N


def test_memory_grows_with_the_numbers_allowed_and_not_with_the_width():
    from mosaic.saes.active import find_active
    from mosaic.saes.encoder import Encoder

    x, largest = torch.randn(64, 8), []
    for width in (2_000, 200_000):
        weights = torch.randn(width, 8)
        encoder = Encoder("s", 0, "w", weights, torch.zeros(width), torch.full((width,), 9.0))
        with HostReads() as host:
            find_active(encoder, x, numbers=64 * 1000)
        largest.append(host.largest)
    assert largest == [64 * 1000, 64 * 1000]


@pytest.mark.parametrize("tokens,budget", [(0, 2048), (2048, 2048), (5000, 4096), (65_536, 65_536), (10**9, 65_536)])
def test_a_budget_is_a_power_of_two(tokens, budget):
    assert batches.rounded_budget(tokens) == budget


def test_a_cards_budget_follows_its_memory_and_not_what_is_free(monkeypatch):
    assert batches.token_budget("cpu", 2304) == batches.TOKEN_BUDGET
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (70 * 2**30, 80 * 2**30))
    large = batches.token_budget("cuda:0", 2304)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (20 * 2**30, 80 * 2**30))
    assert batches.token_budget("cuda:0", 2304) == large <= batches.MOST_TOKENS
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (20 * 2**30, 24 * 2**30))
    assert batches.TOKEN_BUDGET < batches.token_budget("cuda:0", 2304) < large


def test_what_bfloat16_changes_is_said(tiny, encoders, on_card, caplog):
    texts, lm = sentences(5, seed=1), tiny("llama")
    on_device.report_flips(texts, lm, extract.Request(encoders, (), ("max",)))
    (said,) = [record.message for record in caplog.records]
    assert "of the latents active on 5 texts are other ones than in float32" in said and "3 SAEs" in said
    caplog.clear()
    on_device.report_flips(texts, lm, extract.Request(encoders, (), ("max",), products="float32"))
    on_device.report_flips(texts, lm, extract.Request((), (1,), ("max",)))
    assert not caplog.records


def test_bfloat16_products_are_made_where_there_is_no_card_too(tiny, encoders):
    """They were reported and recorded, and not made: a probe saved on a card was applied to other features."""
    texts, lm = sentences(5, seed=1), tiny("llama")
    tables = [
        extract.extract(texts, lm, extract.Request(encoders[:1], (), ("max",), products=products))[0]
        for products in ("float32", "bfloat16")
    ]
    assert [table.provenance["products"] for table in tables] == ["float32", "bfloat16"]
    assert np.abs((tables[0].matrix - tables[1].matrix).toarray()).max() > 0
