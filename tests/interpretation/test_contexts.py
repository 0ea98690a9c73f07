"""Contexts: windows of one text each, peaks against a slow loop, learned and judged texts apart, ten tenths."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from mosaic.interpretation.contexts import DECILES, PER_DECILE, Windows, samples
from mosaic.interpretation.detection import Firings


def made_up(n_texts=120, length=40, n_latents=6, seed=0):
    """Texts of several lengths, latents that fire on tokens of their own, with activations of every size."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(5, length, n_texts)
    text = np.repeat(np.arange(n_texts), lengths)
    ids = rng.integers(1, 30, len(text))
    shifted = [np.concatenate([np.zeros(o, dtype=int), ids[: len(ids) - o]]) for o in range(3)]
    fires = (ids[:, None] % 10 == np.arange(n_latents)) & (rng.random((len(ids), n_latents)) < 0.7)
    codes = csr_matrix(np.where(fires, rng.gamma(2, 1, fires.shape), 0).astype(np.float32))
    return Firings(np.stack(shifted, axis=1), text, (codes,))


def test_a_window_is_of_one_text_and_none_is_too_long():
    found = made_up()
    windows = Windows.of(found, 16)
    sizes = np.diff(windows.bounds)
    assert windows.bounds[0] == 0 and windows.bounds[-1] == len(found.text) and sizes.max() == 16 and sizes.min() >= 1
    for w in range(len(windows)):
        tokens = slice(windows.bounds[w], windows.bounds[w + 1])
        assert len(set(found.text[tokens])) == 1 and (windows.of_token[tokens] == w).all()
        assert windows.place[w] == windows.bounds[w] - np.flatnonzero(found.text == found.text[windows.bounds[w]])[0]
        assert windows.judged[w] == (found.text[tokens][0] % 2 == 1)
    assert len(windows) == sum(-(-n // 16) for n in np.bincount(found.text))


def test_peaks_and_counts_are_those_of_a_slow_loop():
    found = made_up(n_texts=30)
    windows, codes = Windows.of(found), found.codes[0].toarray()
    spans = [slice(a, b) for a, b in zip(windows.bounds[:-1], windows.bounds[1:], strict=True)]
    assert windows.peaks(found.codes[0]).toarray() == pytest.approx(np.stack([codes[s].max(0) for s in spans]))
    marked = csr_matrix(codes > 1)
    assert (windows.counts(marked).toarray() == np.stack([(codes[s] > 1).sum(0) for s in spans])).all()
    silent = csr_matrix(codes.shape, dtype=np.float32)
    assert windows.peaks(silent).nnz == 0


def test_what_judges_is_apart_from_what_explains():
    found = made_up()
    windows, codes = Windows.of(found), found.codes[0]
    peaks = windows.peaks(codes).toarray()
    sampled = list(samples(windows, codes, least=20))
    assert [one.latent for one in sampled] == list(range(6))
    for one in sampled:
        every = np.concatenate([one.active, one.silent, one.near])
        assert windows.judged[every].all()
        assert (peaks[one.active, one.latent] > 0).all() and (peaks[every[len(one.active) :], one.latent] == 0).all()
        there = int((windows.judged & (peaks[:, one.latent] == 0)).sum())
        assert len(one.silent) == len(one.near) == min(len(one.active), there) and len(set(one.active)) == len(
            one.active
        )
        assert len(set(one.silent)) == len(one.silent)
        values = peaks[one.active, one.latent]
        for low, high in zip(range(DECILES - 1), range(1, DECILES), strict=True):
            assert values[one.decile == low].max() <= values[one.decile == high].min() * 1.001
        assert np.bincount(one.decile, minlength=DECILES).min() >= 1
        assert np.bincount(one.decile).max() <= PER_DECILE


def test_near_contexts_are_more_alike_than_others():
    found = made_up(n_texts=600)
    windows = Windows.of(found)
    for one in samples(windows, found.codes[0], least=20):
        peaks = windows.peaks(found.codes[0]).toarray()[:, one.latent]
        centre = np.asarray(windows.tfidf[(peaks > 0) & ~windows.judged].mean(0)).ravel()
        assert (windows.tfidf[one.near] @ centre).min() >= np.median(windows.tfidf[one.silent] @ centre) - 1e-6


def test_latents_without_enough_contexts_are_left_out():
    found = made_up()
    codes = found.codes[0].tolil()
    codes[:, 1] = 0
    codes[:, 2] = 1.0  # active everywhere: there is no silent context
    rows = found.codes[0][:, 3].nonzero()[0]
    codes[rows[found.text[rows] % 2 == 0], 3] = 0  # never where it could be explained
    kept = [one.latent for one in samples(Windows.of(found), csr_matrix(codes), least=20)]
    assert kept == [0, 4, 5]


def test_the_same_seed_draws_the_same_contexts_whatever_the_last_digits():
    found = made_up()
    windows, codes = Windows.of(found), found.codes[0]
    shaken = codes.copy()
    shaken.data *= 1 + 1e-7 * np.random.default_rng(3).standard_normal(codes.nnz).astype(np.float32)
    for one, other in zip(samples(windows, codes, least=20), samples(windows, shaken, least=20), strict=True):
        assert (one.silent == other.silent).all() and (one.near == other.near).all()
        assert (one.active == other.active).mean() > 0.9
