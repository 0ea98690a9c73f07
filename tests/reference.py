"""Slow, obvious references: the oracle for the fast path."""

import itertools

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp


def dense_pool(acts: np.ndarray, pooling: str) -> np.ndarray:
    """Pool one text's dense token activations [T, D] by the definition in the table of `mosaic.features.pooling`."""
    if pooling == "sum":
        return acts.sum(0)
    if pooling == "mean":
        return acts.mean(0)
    if pooling == "max":
        return acts.max(0)
    if pooling == "last":
        return acts[-1]
    if pooling == "count":
        return (acts > 0).sum(0).astype(np.float32)
    n = int(pooling.removeprefix("top"))
    counts = np.zeros(acts.shape[1], dtype=np.float32)
    for token in acts:
        largest = sorted(range(len(token)), key=lambda j: (-token[j], j))[:n]
        for j in largest:
            counts[j] += token[j] > 0
    return counts


def text_activations(lm, sae, text: str, layer: int, specials: bool = False) -> np.ndarray:
    """One text alone, all hidden states, SAELens `encode`: dense [T, D] of its real tokens."""
    tokens = lm.tokenize([text])
    outputs = []
    block = lm.blocks[layer - lm.spec.first_layer]
    handle = block.register_forward_hook(lambda m, i, o: outputs.append(o if isinstance(o, torch.Tensor) else o[0]))
    with torch.no_grad():
        lm.model(input_ids=torch.from_numpy(tokens.ids[0])[None])
    handle.remove()
    hidden = outputs[0][0]
    if not specials:
        hidden = hidden[torch.from_numpy(~tokens.special[0])]
    with torch.no_grad():
        return (hidden if sae is None else sae.encode(hidden)).numpy()


def holm(p: list[float]) -> list[float]:
    """Adjusted p by the closed testing principle: the worst Bonferroni p of all the sets of tests that a test is in."""
    tests = range(len(p))
    groups = [group for n in range(1, len(p) + 1) for group in itertools.combinations(tests, n)]
    return [max(min(1, len(g) * min(p[j] for j in g)) for g in groups if i in g) for i in tests]


@st.composite
def activations(draw):
    """Token activations [N, D] >= 0 (halves are exact in float32, so ties happen) and text boundaries."""
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=5))
    width = draw(st.integers(1, 9))
    values = draw(hnp.arrays(np.int8, (sum(lengths), width), elements=st.integers(-4, 6)))
    return np.maximum(values, 0).astype(np.float32) / 2, np.concatenate([[0], np.cumsum(lengths)])
