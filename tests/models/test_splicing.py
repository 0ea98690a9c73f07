"""Other vectors in the place of one block's output: what comes out is what a hook on the whole model would give."""

import numpy as np
import pytest
import torch
from conftest import sentences

from mosaic.errors import MosaicError
from mosaic.models import splicing

TEXTS = sentences(5, seed=2)


def by_hook(lm, text, layer, vectors):
    """The obvious way, one text at a time: a hook that replaces the block's output at real tokens."""
    tokens = lm.tokenize([text])
    real = torch.from_numpy(~tokens.special[0])

    def replace(_module, _inputs, output):
        x = output if isinstance(output, torch.Tensor) else output[0]
        x = x.clone()
        x[0, real] = vectors
        return x if isinstance(output, torch.Tensor) else (x, *output[1:])

    handle = lm.blocks[layer].register_forward_hook(replace)
    try:
        with torch.no_grad():
            return lm.model(input_ids=torch.from_numpy(tokens.ids[0])[None]).logits[0, real]
    finally:
        handle.remove()


@pytest.mark.parametrize("kind", ["llama", "gemma2", "pythia", "gpt2"])
def test_a_splice_is_a_hook_on_the_whole_model(speaking, kind):
    lm = speaking(kind)
    tokens = lm.tokenize(TEXTS)
    batch = splicing.batch_of(lm, tokens, range(len(TEXTS)))
    before = splicing.original(lm, batch, 1)
    other = before.residuals[1] * 0.5 + 0.1
    after = splicing.spliced(lm, batch, before, other)
    starts = batch.starts
    for i, text in enumerate(TEXTS):
        rows = slice(starts[i], starts[i + 1])
        expected = by_hook(lm, text, 1, other[rows])
        torch.testing.assert_close(after.logits[rows], expected, atol=1e-4, rtol=1e-4)
    assert list(after.residuals) == [2, 3] and list(before.residuals) == [1, 2, 3]
    assert starts[-1] == len(before.logits) == tokens.counts.sum()


@pytest.mark.parametrize("kind", ["llama", "gemma2"])
def test_the_residual_stream_itself_changes_nothing(speaking, kind):
    lm = speaking(kind)
    batch = splicing.batch_of(lm, lm.tokenize(TEXTS), range(len(TEXTS)))
    before = splicing.original(lm, batch, 1)
    after = splicing.spliced(lm, batch, before, before.residuals[1])
    assert torch.equal(after.logits, before.logits)
    assert all(torch.equal(after.residuals[k], before.residuals[k]) for k in (2, 3))
    torch.testing.assert_close(before.log_p.exp().sum(-1), torch.ones(len(before.logits)))


def test_gradients_reach_the_vectors_and_not_the_model(speaking):
    lm = speaking("gemma2")
    batch = splicing.batch_of(lm, lm.tokenize(TEXTS), [0, 3])
    before = splicing.original(lm, batch, 2)
    vectors = before.residuals[2].clone().requires_grad_()
    splicing.spliced(lm, batch, before, vectors).logits.square().sum().backward()
    assert vectors.grad.abs().sum() > 0
    assert all(p.grad is None and not p.requires_grad for p in lm.model.parameters())
    assert not before.logits.requires_grad


def test_the_blocks_are_whole_again(speaking):
    lm = speaking("llama")
    batch = splicing.batch_of(lm, lm.tokenize(TEXTS), [0])
    before = splicing.original(lm, batch, 1)
    with pytest.raises(RuntimeError):
        splicing.spliced(lm, batch, before, torch.zeros(1, 3))  # of another width
    assert all("forward" not in vars(block) and not block._forward_hooks for block in lm.blocks)
    assert torch.equal(splicing.original(lm, batch, 1).logits, before.logits)


def test_the_token_that_follows_is_the_texts_own(speaking):
    lm = speaking("llama")
    tokens = lm.tokenize(["the cat sat", "she ran"])
    batch = splicing.batch_of(lm, tokens, [0, 1])
    own = [ids[1:] for ids in tokens.ids]  # behind <bos>
    expected = np.concatenate([[*ids[1:], -1] for ids in own])
    assert batch.follows.tolist() == expected.tolist() and batch.starts.tolist() == [0, 3, 5]


def test_what_cannot_be_spliced_is_named(speaking, tiny):
    lm = speaking("llama")
    with pytest.raises(MosaicError, match=r"layer 3 is the last of .*speaking-llama: no block follows it"):
        splicing.check_splicable(lm, 3)
    with pytest.raises(MosaicError, match="layer 9 does not exist"):
        splicing.check_splicable(lm, 9)
    with pytest.raises(MosaicError, match="was opened without its language-model head. Open it with open_with_head"):
        splicing.check_splicable(tiny("llama"), 1)
    with pytest.raises(MosaicError, match="2 texts have no token but special ones"):
        splicing.batch_of(lm, lm.tokenize(["", ""]), [0, 1])
