"""Residuals at real tokens against each text alone; hooks that leave no trace."""

import numpy as np
import pytest
import torch
from conftest import sentences

from mosaic.models.blocks import outputs_of
from mosaic.models.residuals import at_real_tokens, in_batches, text_by_text

KINDS = ["bert", "gpt2", "llama", "gemma2"]


@pytest.mark.parametrize("kind", KINDS)
def test_residuals_at_real_tokens_are_each_texts_own_text_after_text(tiny, kind):
    model = tiny(kind)
    texts = sentences(7, seed=11)
    tokens, layers = model.tokenize(texts), [1, 3]
    rows, starts = at_real_tokens(model, tokens, [4, 0, 6], layers)
    assert (np.diff(starts) == tokens.counts[[4, 0, 6]]).all()
    for place, i in enumerate([4, 0, 6]):
        alone = model.residuals([tokens.ids[i]], layers)
        for layer in layers:
            own = rows[layer][starts[place] : starts[place + 1]]
            torch.testing.assert_close(own, alone[layer][0][~tokens.special[i]], rtol=1e-4, atol=1e-5)
    slow = [model.residuals([i], [3])[3][0][~s] for i, s in zip(tokens.ids, tokens.special, strict=True)]
    assert torch.equal(text_by_text(model, texts, 3), torch.cat(slow))


def test_all_batches_together_are_all_texts(tiny):
    model = tiny("bert")
    tokens = model.tokenize(sentences(20, seed=12))
    seen = {}
    for batch, rows, starts in in_batches(model, tokens, [2], token_budget=64):
        seen |= {int(i): rows[2][starts[k] : starts[k + 1]] for k, i in enumerate(batch)}
    assert [len(seen[i]) for i in range(20)] == tokens.counts.tolist()


def test_residuals_may_enter_training(tiny):
    x = text_by_text(tiny("llama"), ["the cat"], 1)
    weight = torch.ones(x.shape[1], requires_grad=True)
    (x @ weight).sum().backward()
    assert weight.grad is not None


def test_hooks_go_when_the_forward_pass_fails(tiny):
    blocks = tiny("llama").blocks
    before = [len(block._forward_hooks) for block in blocks]
    with pytest.raises(ZeroDivisionError), outputs_of({1: blocks[1]}):
        1 / 0  # noqa: B018
    assert [len(block._forward_hooks) for block in blocks] == before
