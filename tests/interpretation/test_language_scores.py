"""Surprisal and embedding: the model's own words against a direct sum, and contexts that say what the label says."""

import numpy as np
import pytest
import torch
from conftest import WORDS, sentences

from mosaic.interpretation.contexts import Sample, Windows
from mosaic.interpretation.detection import Firings
from mosaic.interpretation.language_scores import embedded, embedding, surprisal
from mosaic.models.causal import open_causal
from mosaic.models.language import ModelSpec


@pytest.fixture(scope="module")
def causal():
    return open_causal(ModelSpec("weights/mini/mini-small"))


def windows_of(ids, size=6):
    text = np.repeat(np.arange(len(ids) // size), size)
    return Windows.of(Firings(np.stack([ids, ids, ids], 1), text, ()), size)


def test_surprisal_is_what_the_model_says(causal):
    rng = np.random.default_rng(0)
    windows = windows_of(rng.integers(10, 4000, 60))
    sample = Sample(0, np.array([1, 3, 5]), np.array([0, 4, 9]), np.array([0, 2, 4]), np.array([0, 2, 4]))
    label = [100, 200]

    def log_p(before, ids):
        row = torch.tensor([[2, *before, *ids]])
        with torch.inference_mode():
            said = causal.model(input_ids=row).logits[0].float().log_softmax(-1)
        start = 1 + len(before) + 1
        return sum(float(said[t - 1, row[0, t]]) for t in range(start, row.shape[1]))

    def gain(w):
        ids = windows.found.ids[windows.bounds[w] : windows.bounds[w + 1], 0].tolist()
        return log_p(label, ids) - log_p([], ids)

    assert causal.tokenizer.bos_token_id == 2
    above = [gain(a) > gain(s) for a in sample.active for s in sample.silent]
    assert surprisal(windows, [sample], [label], causal) == pytest.approx([np.mean(above)])


def test_contexts_of_one_token_surprise_nobody(causal):
    windows = windows_of(np.arange(10, 20), size=1)
    sample = Sample(0, np.array([1, 3]), np.array([0, 9]), np.array([0, 2]), np.array([0, 2]))
    assert np.isnan(surprisal(windows, [sample], [[5]], causal)).all()


def test_an_embedding_finds_contexts_that_say_what_the_label_says(tiny):
    words = dict(enumerate(WORDS))
    windows = windows_of(np.repeat([0, 1, 0, 1, 0, 1, 0, 1], 6))
    sample = Sample(0, np.array([1, 3, 5, 7]), np.zeros(4), np.array([0, 2, 4, 6]), np.array([0, 2, 4, 6]))

    def decode(ids):
        return " ".join(words[int(i)] for i in ids)

    assert embedding(windows, [sample], [f"{words[1]} {words[1]}"], decode, tiny("bert")) == [1.0]
    assert embedding(windows, [sample], [f"{words[0]} {words[0]}"], decode, tiny("bert")) == [0.0]


def test_vectors_are_of_length_one_in_input_order_and_zero_for_no_token(tiny):
    texts = [*sentences(5), ""]
    vectors = embedded(texts, tiny("bert"))
    assert np.linalg.norm(vectors[:5], axis=1) == pytest.approx(np.ones(5)) and not vectors[5].any()
    assert vectors[2] == pytest.approx(embedded([texts[2]], tiny("bert"))[0], abs=1e-5)
