"""The counted explanation of a latent: what it finds, what it cannot find, and the slow way to the same number."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import sentences
from scipy.sparse import csr_matrix

from mosaic.interpretation import detection
from mosaic.interpretation.detection import Firings


def world(n=8000, seed=0):
    """Three latents: one fires on token 3, one after token 5, one at random; a fourth fires five times."""
    generator = np.random.default_rng(seed)
    stream = generator.integers(1, 9, n)
    ids = np.stack([stream, np.roll(stream, 1), np.roll(stream, 2)], axis=1)
    z = np.stack([stream == 3, ids[:, 1] == 5, generator.random(n) < 0.2, np.arange(n) % (n // 5) == 0], axis=1)
    return Firings(ids, np.arange(n) // 10, ()), csr_matrix(z.astype(np.float32))


def test_what_tokens_decide_is_predicted_and_chance_is_not():
    found, codes = world()
    score = detection.detection_scores(found, codes)
    assert score[0] == score[1] == 1
    assert abs(score[2] - 0.5) < 0.05
    assert np.isnan(score[3])  # too seldom


def test_another_latents_explanation_is_at_chance():
    found, _ = world()
    many = csr_matrix((found.ids[:, :1] == np.arange(1, 9)).astype(np.float32))
    own, other = detection.detection_scores(found, many), detection.detection_scores(found, many, shuffle=3)
    assert own.min() == 1 and other.mean() < 0.65


def test_the_slow_way_gives_the_same_score():
    found, codes = world(1500, seed=3)
    learn = found.text % 2 == 0
    got = detection.detection_scores(found, codes)
    for j in (0, 1, 2):
        fires = codes[:, j].toarray().ravel() > 0
        total = np.zeros((~learn).sum())
        for o in range(detection.OFFSETS):
            tokens = found.ids[:, o]
            kinds = np.unique(tokens)
            for i, token in enumerate(tokens[~learn]):
                with_latent = (fires & learn & (tokens == token)).sum() + detection.SMOOTHING
                without = (~fires & learn & (tokens == token)).sum() + detection.SMOOTHING
                n1 = (fires & learn).sum() + detection.SMOOTHING * len(kinds)
                n0 = (~fires & learn).sum() + detection.SMOOTHING * len(kinds)
                total[i] += np.log(with_latent / n1) - np.log(without / n0)
        guess, truth = total > 0, fires[~learn]
        assert got[j] == pytest.approx((guess[truth].mean() + (~guess[~truth]).mean()) / 2)


def test_firings_are_the_encoders_codes_with_their_tokens(tiny, tmp_path):
    from conftest import sae_folder

    from mosaic.saes.loading import load_encoder
    from mosaic.saes.source import SAESource

    lm = tiny("llama")
    encoder = load_encoder(
        SAESource(2, "x", path=str(sae_folder(tmp_path, "jumprelu", seed=1))), lm.spec.id, lm.d_model
    )
    texts = sentences(12, seed=2)
    found = detection.firings(texts, lm, [encoder, replace(encoder, layer=3)], token_budget=64)
    tokens = lm.tokenize(texts)
    for i in range(12):
        rows = np.flatnonzero(found.text == i)
        real = tokens.ids[i][~tokens.special[i]]
        assert np.array_equal(found.ids[rows, 0], real)
        assert np.array_equal(found.ids[rows[1:], 1], real[:-1])
        x = lm.residuals([tokens.ids[i]], [2])[2][0][~tokens.special[i]]
        slow = encoder.encode(x).toarray()
        assert np.allclose(found.codes[0][rows].toarray(), slow, atol=1e-4)
