"""What sets architectures apart: Matryoshka's levels, archetypal decoders, what is refused."""

import numpy as np
import pytest
import torch
from conftest import sentences

from mosaic.errors import MosaicError
from mosaic.saes import archetypal, kinds, training
from mosaic.saes.recipe import SAESpec, TrainRun

RUN = TrainRun(tokens=4096, batch_size=256)


def texts():
    return [f"{text} {i}" for i, text in enumerate(sentences(300, longest=20))]


def decoder(folder):
    from safetensors.torch import load_file

    return load_file(folder / "sae_weights.safetensors")["W_dec"].float()


def test_a_matryoshka_sae_has_four_levels(tiny):
    sae = kinds.new_sae(SAESpec(2, 64, 4, architecture="matryoshka"), tiny("llama"))
    assert sae.cfg.matryoshka_widths == [8, 16, 32, 64] and sae.cfg.k == 4


def test_k_is_annealed_step_by_step_in_training(tiny, tmp_path, monkeypatch):
    from sae_lens.training.sae_trainer import SAETrainer

    seen, plain = [], SAETrainer.step
    monkeypatch.setattr(SAETrainer, "step", lambda self, x: (seen.append(self.sae.activation_fn.k), plain(self, x))[1])
    spec = SAESpec(2, 32, 4, architecture="llama_scope", anneal=0.5)
    (row,) = training.train(tiny("llama"), texts(), [spec], RUN, tmp_path)
    assert seen == [32, 28, 25, 22, 18, 14, 11, 8] + [4] * 8 and row["anneal"] == 0.5
    assert abs(row["l0"] - 4) < 1


def test_an_archetypal_decoder_stays_near_the_hull_of_its_centroids(tiny):
    sae = kinds.new_sae(SAESpec(2, 32, 4, architecture="archetypal"), tiny("llama"))
    x = torch.randn(400, 64, generator=torch.Generator().manual_seed(0))
    archetypal.start(sae, x, 0)
    constraint = sae.parametrizations.W_dec
    weights = constraint[0].logits.softmax(-1)
    torch.testing.assert_close(weights.sum(1), torch.ones(32))
    torch.testing.assert_close(weights.diagonal(), torch.full((32,), archetypal.OWN_CENTROID))
    torch.testing.assert_close(sae.b_dec, x.mean(0))
    with torch.no_grad():
        constraint.original.add_(torch.randn(32, 64) * 5)
    away = (sae.W_dec - weights @ constraint[0].centroids).norm(dim=1)
    assert away.max() <= archetypal.DELTA + 1e-5 and away.min() > 0.99
    archetypal.release(sae)
    assert isinstance(sae.W_dec, torch.nn.Parameter) and not hasattr(sae, "parametrizations")


def test_centroids_go_by_their_own_seed(tiny, tmp_path):
    specs = [
        SAESpec(2, 32, 4, seed, "archetypal", centroids=centroids, tag=tag)
        for seed, centroids, tag in ((0, None, "own"), (1, None, "own"), (0, 0, "common"), (1, 0, "common"))
    ]
    training.train(tiny("llama"), texts(), specs, RUN, tmp_path)
    own, common = (
        [torch.nn.functional.normalize(decoder(tmp_path / spec.name), dim=1) for spec in specs if spec.tag == tag]
        for tag in ("own", "common")
    )
    same_place = [float((a * b).sum(1).mean()) for a, b in (own, common)]
    assert same_place[1] > 0.8 and same_place[0] < 0.6
    np.testing.assert_array_equal(own[0], common[0])  # seed 0's own centroids are those of seed 0


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (SAESpec(2, 6, 4, architecture="matryoshka"), "6 latents are no 4 levels. Give 8 or more"),
        (SAESpec(2, 32, 4, architecture="archetypal", frozen_decoder=True), "it cannot be frozen"),
        (SAESpec(2, 32, 4, architecture="llama_scope", anneal=1.5), "anneal is 1.5; a share of the steps"),
        (
            SAESpec(2, 4096, 4, architecture="archetypal"),
            "1024 activations of the first batches give no 4096 centroids",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused(tiny, tmp_path, spec, message):
    with pytest.raises(MosaicError, match=message):
        training.train(tiny("llama"), texts(), [spec], RUN, tmp_path)
