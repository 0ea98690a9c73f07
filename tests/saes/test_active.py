"""The encoder where the activations are, against the CPU's, which is tested against SAELens."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import sae_folder
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix

from mosaic.saes import active, loading
from mosaic.saes.checks import NEEDED
from mosaic.saes.encoder import Encoder


def dense(found: active.Active) -> np.ndarray:
    return coo_matrix((found.values.numpy(), (found.tokens.numpy(), found.latents.numpy())), found.shape).toarray()


def in_order(found: active.Active) -> bool:
    return bool((torch.diff(found.tokens * found.shape[1] + found.latents) > 0).all())


@pytest.mark.parametrize("architecture", sorted(NEEDED))
@pytest.mark.parametrize("numbers", [1, 23 * 17, 10**6])
def test_every_architecture_has_the_cpus_latents(tmp_path, architecture, numbers):
    source = loading.SAESource(1, "96", path=str(sae_folder(tmp_path, architecture)))
    encoder = loading.load_encoder(source, "tiny", 64)
    x = torch.randn(23, 64, generator=torch.Generator().manual_seed(1))
    found = active.find_active(encoder, x, numbers=numbers)
    assert in_order(found) and len(found.values) and (found.values > 0).all()
    np.testing.assert_allclose(dense(found), encoder.encode(x).toarray(), rtol=1e-5, atol=2e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 12), st.integers(1, 40), st.integers(1, 400), st.integers(1, 50), st.integers(0, 2**16))
def test_ties_and_chunks_are_settled_as_on_the_cpu(n, width, numbers, k, seed):
    """Whole numbers: sums are exact and ties are many."""
    generator = torch.Generator().manual_seed(seed)
    x, w = (torch.randint(-2, 3, (rows, 4), generator=generator).float() for rows in (n, width))
    shared = dict(name="s", layer=0, width="w", weights=w, bias=torch.zeros(width), latent_chunk=7, token_block=5)
    for encoder in (
        Encoder(threshold=torch.ones(width), **shared),
        Encoder(threshold=torch.zeros(width), k=k, **shared),
    ):
        for products in ("float32", "bfloat16"):
            found = active.find_active(encoder, x, products, numbers)
            assert in_order(found)
            np.testing.assert_array_equal(dense(found), encoder.encode(x).toarray() if n else dense(found))


def test_bfloat16_products_are_sums_in_float32_of_rounded_numbers():
    generator = torch.Generator().manual_seed(0)
    x, w = torch.randn(50, 512, generator=generator), torch.randn(300, 512, generator=generator) / 512**0.5
    encoder = Encoder("s", 0, "300", w, torch.full((300,), 1e-3), torch.full((300,), 1.5))
    found = dense(active.find_active(encoder, x, "bfloat16"))
    rounded = x.bfloat16().double() @ w.bfloat16().double().T + 1e-3
    np.testing.assert_allclose(found, np.where(found > 0, rounded, 0), rtol=1e-5)
    assert 0 < active.flips(encoder, x) < 0.05
    sixteenths = replace(encoder, weights=(w * 16).round() / 16, bias=torch.zeros(300))
    assert active.flips(sixteenths, (x * 4).round() / 4) == 0  # nothing is rounded away


def test_flips_count_what_comes_and_what_goes():
    """x = 1 + 2^-9 is 1 in bfloat16: latent 0 goes, latent 1 (read by -x) comes, latent 2 stays."""
    encoder = Encoder(
        "s",
        0,
        "3",
        torch.tensor([[1.0], [-1.0], [1.0]]),
        torch.tensor([0.0, 3.0, 0.0]),
        torch.tensor([1.0, 2 - 2**-10, 0.5]),
    )
    assert active.flips(encoder, torch.tensor([[1 + 2**-9]])) == 1.0
