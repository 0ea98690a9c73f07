"""The figures of a trained SAE are their definitions, and the shipped cards are true."""

import json

import numpy as np
import pytest
from conftest import sae_folder, sentences
from doubles import NoDoubles
from safetensors.numpy import load_file

from mosaic.profiles.profile import FOLDER, load_profile
from mosaic.saes.dictionary import load_dictionary
from mosaic.saes.measuring import measure_activations, measure_all, measure_sae, write_frequency


def test_measure_is_the_definition(tiny, tmp_path):
    import torch
    from reference import text_activations
    from sae_lens import SAE

    folder = sae_folder(tmp_path, "standard", seed=3)
    texts = sentences(20, seed=1)
    got = measure_sae(folder, tiny("llama"), tiny("llama").tokenize(texts), 2)
    x = np.concatenate([text_activations(tiny("llama"), None, text, 2) for text in texts])
    sae = SAE.load_from_disk(folder)
    with torch.no_grad():
        f = sae.encode(torch.from_numpy(x))
        error = (torch.from_numpy(x) - sae.decode(f)).square().sum().item()
    assert got["held_out_tokens"] == len(x)
    assert got["l0"] == pytest.approx((f > 0).float().sum(1).mean().item(), rel=1e-5)
    assert got["fvu"] == pytest.approx(error / ((x - x.mean(0)) ** 2).sum(), rel=1e-3)
    assert got["dead"] == pytest.approx((f > 0).any(0).logical_not().float().mean().item())


def test_activations_at_hand_are_measured_as_those_of_texts(tiny, tmp_path):
    import torch
    from reference import text_activations

    folder = sae_folder(tmp_path, "jumprelu", seed=3)
    texts = sentences(20, seed=1)
    x = np.concatenate([text_activations(tiny("llama"), None, text, 2) for text in texts])
    figures, frequency = measure_activations(folder, torch.from_numpy(x))
    assert figures == pytest.approx(measure_sae(folder, tiny("llama"), tiny("llama").tokenize(texts), 2), rel=1e-3)
    assert frequency.sum() == pytest.approx(figures["l0"])


def test_one_pass_measures_all_as_each_alone(tiny, tmp_path):

    lm, folders = tiny("llama"), [sae_folder(tmp_path / kind, kind, seed=2) for kind in ("jumprelu", "topk")]
    tokens = lm.tokenize(sentences(15, seed=4))
    together = measure_all([(folders[0], 1), (folders[1], 3)], lm, tokens)
    for (figures, frequency), folder, layer in zip(together, folders, (1, 3), strict=True):
        assert figures == measure_sae(folder, lm, tokens, layer)
        assert frequency.sum() == pytest.approx(figures["l0"]) and (frequency == 0).mean() == figures["dead"]


def test_frequency_is_kept_as_saelens_keeps_it(tmp_path):

    folder = sae_folder(tmp_path, "standard", seed=3)
    frequency = np.linspace(0, 0.5, len(load_dictionary(folder)))
    write_frequency(folder, frequency)
    kept = load_file(folder / "sparsity.safetensors")["sparsity"]
    assert kept[0] == -10 and np.allclose(10.0 ** kept[1:], frequency[1:], rtol=1e-5)
    read = load_dictionary(folder)
    assert np.allclose(read.frequency, frequency, rtol=1e-5) and read.alive.sum() == len(frequency) - 1


def test_the_shipped_card_is_true(minilm):
    """Every shipped SAE is on the card, and on fresh sentences its figures are of the card's order."""
    profile = load_profile("minilm")
    folder = FOLDER.parent / "weights" / "minilm"
    card = {row["name"]: row for row in json.loads((folder / "card.json").read_text())}
    texts = [
        "The minister announced new funding for rural hospitals on Tuesday.",
        "I could not stop laughing; the second act is a delight.",
        "How many moons does Jupiter have?",
        "My card was declined at the supermarket and I need help.",
        "Once upon a time a small bird wanted to see the sea.",
        "The species is found in shallow waters along the coast.",
    ]
    for source in profile.saes:
        name = source.path.rsplit("/", 1)[1]
        row = card[name]
        assert row["tokens"] >= 2_000_000 and row["layer"] == source.layer and row["seed"] == source.seed
        measured = measure_sae(folder / name, minilm, minilm.tokenize(texts), source.layer)
        assert measured["l0"] == pytest.approx(row["l0"], rel=0.1)
        assert measured["fvu"] < 2 * row["fvu"] + 0.05


def test_nothing_is_made_in_float64_where_the_model_runs(tiny, tmp_path):
    """MPS has no float64: only what was brought to the CPU may become that."""
    lm = tiny("llama")
    folder = sae_folder(tmp_path, "jumprelu")
    with NoDoubles():
        assert measure_sae(folder, lm, lm.tokenize(sentences(6, seed=4)), 2)["l0"] > 0
