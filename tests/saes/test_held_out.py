"""One rule says which texts are held out, and both trainers measure on them."""

import numpy as np
from conftest import sentences

from mosaic.saes import end_to_end_training, training
from mosaic.saes.end_to_end import EndToEndRun, EndToEndSpec
from mosaic.saes.held_out import held_apart
from mosaic.saes.recipe import SAESpec, TrainRun


def test_texts_are_held_out_once_and_none_is_lost():
    texts = [f"text {i}" for i in range(40)]
    held, kept = held_apart([*texts, "text 3", "  ", ""], 0.1, seed=5)
    assert len(held) == 4 and sorted(held + kept) == sorted(texts)
    order = np.random.default_rng(5).permutation(40)
    assert held + kept == [texts[i] for i in order]  # the obvious way
    assert held_apart(texts, 0.1, seed=5) == (held, kept) != held_apart(texts, 0.1, seed=6)
    assert len(held_apart(texts, 0.0, seed=0)[0]) == 1 and held_apart([" "], 0.5, seed=0) == ([], [])


def test_both_trainers_measure_on_the_held_out(speaking, tiny, tmp_path):
    texts = sentences(120, seed=6)
    run = EndToEndRun(documents=8, batch=4, held_out=0.1, seed=3)
    (row,) = end_to_end_training.train(speaking("llama"), texts, [EndToEndSpec("local", 1, 16, 1.0)], run, tmp_path)
    lm = tiny("llama")
    (other,) = training.train(lm, texts, [SAESpec(1, 16, 4)], TrainRun(64, 32, held_out=0.05, seed=3), tmp_path / "b")
    for found, share in ((row, 0.1), (other, 0.05)):
        assert found["held_out_tokens"] == lm.tokenize(held_apart(texts, share, 3)[0]).counts.sum()
