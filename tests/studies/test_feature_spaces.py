"""Two models on the same rows, in blocks: sums are those of all rows at once, words align other tokenizers."""

import numpy as np
import pytest
from conftest import sentences
from scipy.sparse import csr_matrix

from mosaic.interpretation import aligned, detection, words
from mosaic.profiles.opening import load_model
from mosaic.profiles.profile import load_profile
from mosaic.studies.feature_spaces import Compared, Reader, Space, in_passes, read_together


class Projected:
    """Latents that are the positive part of some directions."""

    def __init__(self, layer: int, d: int, n: int, seed: int = 0):
        self.layer, self.rows = layer, np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)

    def encode(self, x):
        return csr_matrix(np.maximum(x.numpy() @ self.rows.T, 0))


def reader(name: str, lm, layer: int, n: int, seed: int = 0) -> Reader:
    encoder = Projected(layer, lm.d_model, n, seed)
    return Reader(lm, (Space(name, layer, encoder.rows),), (encoder,))


@pytest.fixture(scope="module")
def small():
    return load_model(load_profile("mini"))


TEXTS = [*sentences(7, seed=1), "don't panic: rambling is fine...", "", "no"]


def test_blocks_give_the_correlations_of_all_rows(small):
    a, b = reader("a", small, 3, 6), reader("b", small, 5, 4, seed=1)
    pair = a.spaces[0], b.spaces[0]
    found, whole = (read_together([a, b], TEXTS, [pair], pair, block) for block in (3, 100))
    codes = [detection.firings(TEXTS, small, one.encoders).codes[0].toarray() for one in (a, b)]
    slow = np.corrcoef(codes[0].T, codes[1].T)[:6, 6:]
    np.testing.assert_allclose(found.sums[pair].values(), slow, atol=1e-4)
    np.testing.assert_allclose(found.sums[pair].values(), whole.sums[pair].values(), atol=1e-4)
    assert found.unit == aligned.TOKENS and found.n_rows == whole.n_rows == len(codes[0])
    assert found.strongest[pair[0]].words(range(6)) == whole.strongest[pair[0]].words(range(6))


def test_models_with_other_tokenizers_are_read_by_words(small, minilm):
    a, b = reader("a", small, 3, 6), reader("b", minilm, 4, 5, seed=1)
    pair = a.spaces[0], b.spaces[0]
    found = read_together([a, b], TEXTS, [pair], pair, 4)
    rows = aligned.by_words([words.read(TEXTS, lm) for lm in (small, minilm)])
    taken = []
    for place, one in enumerate((a, b)):
        firing = detection.firings(TEXTS, one.lm, one.encoders)
        taken.append(firing.codes[0][rows.of(place, firing.text)].toarray())
    assert found.unit == aligned.WORDS and found.n_rows == len(rows.words)
    np.testing.assert_allclose(found.sums[pair].values(), np.corrcoef(taken[0].T, taken[1].T)[:6, 6:], atol=1e-4)
    best = rows.words[int(taken[0][:, 2].argmax())]
    assert found.strongest[pair[0]].words([2])[0][0] == best


def test_a_model_beside_itself_is_found_whole_and_once(small):
    """Its latents pair with themselves at correlation 1, and the two geometries are one."""
    one, again = reader("a", small, 3, 40), reader("b", small, 3, 40)
    pair = one.spaces[0], again.spaces[0]
    texts = sentences(60, seed=2)
    found = Compared.of(*pair, read_together([one, again], texts, [pair]).sums[pair])
    assert (found.pairs.first == found.pairs.second).all() and len(found.pairs) > 30 and found.distinct == 1
    assert found.pairs.r == pytest.approx(1, abs=1e-3)
    assert found.svcca.observed == pytest.approx(1, abs=1e-4) and found.rsa.observed == pytest.approx(1, abs=1e-4)
    assert found.rsa.interval[0] > 0.5


def test_spaces_of_one_model_are_read_in_one_run(small):
    both = reader("a", small, 3, 6).and_also(reader("r", small, 3, 6, seed=9))
    assert len(both.spaces) == len(both.encoders) == 2 and both.lm is small


def test_pairs_that_do_not_fit_take_another_pass(small):
    spaces = [Space("a", i, np.zeros((10, 2))) for i in range(3)]
    pairs = [(spaces[0], other) for other in spaces]
    assert [len(group) for group in in_passes(pairs, 1600)] == [2, 1]
    assert [len(group) for group in in_passes(pairs, 1)] == [1, 1, 1] and list(in_passes([], 1)) == []
    a, b = reader("a", small, 3, 6), reader("b", small, 5, 4, seed=1)
    wanted = [(a.spaces[0], b.spaces[0]), (a.spaces[0], a.spaces[0])]
    one = read_together([a, b], TEXTS, wanted, (a.spaces[0],))
    import mosaic.studies.feature_spaces as module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "in_passes", lambda wanted: in_passes(wanted, 1))
        two = read_together([a, b], TEXTS, wanted, (a.spaces[0],))
    assert two.n_rows == one.n_rows
    for pair in wanted:
        np.testing.assert_array_equal(one.sums[pair].values(), two.sums[pair].values())
    assert one.strongest[a.spaces[0]].words([0]) == two.strongest[a.spaces[0]].words([0])
