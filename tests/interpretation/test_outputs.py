"""What a latent makes a model write: the projection against a direct product, the change against two runs."""

import numpy as np
import pytest
import torch

from mosaic.errors import MosaicError
from mosaic.interpretation import outputs
from mosaic.models.causal import open_causal
from mosaic.models.language import ModelSpec

SMALL = "weights/mini/mini-small"


@pytest.fixture(scope="module")
def causal():
    return open_causal(ModelSpec(SMALL))


@pytest.fixture(scope="module")
def rows(causal):
    return np.random.default_rng(0).normal(size=(7, 128)).astype(np.float32)


def test_the_projection_is_the_unembedding_of_the_scaled_row(causal, rows):
    found = outputs.projected(causal, rows, 4)
    scale = 1 + causal.model.model.norm.weight.float().numpy()  # Gemma stores g - 1
    logits = (rows * scale) @ causal.model.get_output_embeddings().weight.float().numpy().T
    for j in range(len(rows)):
        assert found.raised[j].tolist() == np.argsort(-logits[j], kind="stable")[:4].tolist()
        assert found.lowered[j].tolist() == np.argsort(logits[j], kind="stable")[:4].tolist()


def test_a_row_of_the_unembedding_raises_its_own_token(causal):
    head = causal.model.get_output_embeddings().weight.float()
    tokens = [300, 1200, 4000]
    scale = 1 + causal.model.model.norm.weight.float()
    found = outputs.projected(causal, (head[tokens] / scale).numpy(), 1)
    assert found.raised[:, 0].tolist() == tokens


@pytest.mark.parametrize("kind", ["rms", "layer", "none"])
def test_a_norm_is_read_whatever_it_stores(kind):
    torch.manual_seed(0)
    v, weight = torch.randn(5, 8), torch.rand(8) + 0.5
    if kind == "none":
        assert outputs.linear_part(None, 8, v)(v) is v
        return
    norm = torch.nn.RMSNorm(8) if kind == "rms" else torch.nn.LayerNorm(8)
    with torch.no_grad():
        norm.weight.copy_(weight)
        expected = v * weight if kind == "rms" else (v - v.mean(-1, keepdim=True)) * weight
        assert torch.allclose(outputs.linear_part(norm, 8, v)(v), expected, atol=1e-5)


def test_the_last_norm_belongs_to_no_block(causal):
    assert outputs.final_norm(causal.model) is causal.model.model.norm


def test_a_change_is_that_of_two_runs(causal, rows):
    from mosaic.models.blocks import find_blocks

    beginnings = [[2, 10, 20, 30], [2, 44, 55, 66], [2, 9, 8, 7]]
    strength = np.linspace(5, 40, len(rows)).astype(np.float32)
    found = outputs.changed(causal, 3, rows, strength, beginnings, 3)
    ids, block = torch.tensor(beginnings), find_blocks(causal.model)[3]
    with torch.inference_mode():
        before = causal.model(input_ids=ids).logits[:, -1].softmax(-1).mean(0)
        for j in range(len(rows)):
            push = torch.from_numpy(rows[j] * strength[j])
            hook = block.register_forward_hook(lambda _m, _i, out, push=push: out + push)
            after = causal.model(input_ids=ids).logits[:, -1].softmax(-1).mean(0)
            hook.remove()
            change = (after - before).numpy()
            assert change[found.raised[j]] == pytest.approx(np.sort(change)[::-1][:3], abs=2e-4)
            assert change[found.lowered[j]] == pytest.approx(np.sort(change)[:3], abs=2e-4)


def test_nothing_stays_hooked_after_an_error(causal):
    from mosaic.models.blocks import find_blocks

    block = find_blocks(causal.model)[3]
    with pytest.raises(RuntimeError), outputs.added(block, torch.zeros(1, 1, 127)):
        causal.model(input_ids=torch.tensor([[2, 3]]))
    assert not block._forward_hooks


def test_bad_input_is_named(causal):
    with pytest.raises(MosaicError, match="decoder rows of 64 numbers; .*mini-small has d_model 128"):
        outputs.projected(causal, np.zeros((2, 64), dtype=np.float32), 3)
    with pytest.raises(MosaicError, match="2 beginnings of several lengths; cut them to one"):
        outputs.changed(causal, 3, np.zeros((1, 128), np.float32), np.ones(1, np.float32), [[2, 3], [2]], 3)


def test_what_is_raised_reads_as_a_description(causal, rows):
    told = outputs.projected(causal, rows, 3).descriptions()
    ids = np.array([[told.tokens[0, 0], 0, 0], [told.tokens[1, 2], 0, 0], [5000, 0, 0]])
    assert told.matches(ids).toarray()[[0, 1], [0, 1]].all() and told.matches(ids)[2].nnz == 0


def test_equal_changes_are_ordered_by_id():
    raised, lowered = outputs._ends(torch.tensor([[0.0, 1.0, 1.0, -1.0, -1.0 + 1e-9]]), 2)
    assert raised.tolist() == [[1, 2]] and lowered.tolist() == [[3, 4]]
