"""Records of latents against a slow loop over dense arrays."""

import math

import numpy as np
import pytest
from explorer_made import panels

from mosaic.explorer.neighbours import by_decoder, by_firing
from mosaic.explorer.panels import BINS, NEAR, PER_DECILE, row


@pytest.fixture(scope="module")
def made():
    return panels()


def test_every_latent_that_fires_has_a_record_and_no_other(made):
    codes = made.explained.codes.toarray()
    found = list(made.records())
    assert [one["n"] for one in found] == np.flatnonzero((codes > 0).any(0)).tolist() == list(range(39))


def test_a_record_is_what_a_slow_loop_counts(made):
    codes, text = made.explained.codes.toarray().astype(float), made.explained.windows.found.text
    alive = [j for j in range(codes.shape[1]) if (codes[:, j] > 0).any()]
    for one in made.records():
        j = one["n"]
        values = [float(f"{v:.3g}") for v in codes[:, j] if v > 0]
        fired_in = {t for t, v in zip(text, codes[:, j], strict=True) if v > 0}
        assert one["rate"] == pytest.approx(len(values) / len(codes), rel=6e-3)
        assert one["texts"] == pytest.approx(len(fired_in) / len(made.pieces), rel=6e-3)
        bins = [0] * BINS
        for v in values:
            bins[min(int(v / max(values) * BINS), BINS - 1)] += 1
        assert one["bins"] == bins and sum(bins) == len(values) and one["max"] == max(values)
        cosines = {
            i: made.decoder[i] @ made.decoder[j] / math.dist(made.decoder[i], 0 * made.decoder[i])
            / math.dist(made.decoder[j], 0 * made.decoder[j])
            for i in alive if i != j
        }  # fmt: skip
        phis = {i: np.corrcoef(codes[:, i] > 0, codes[:, j] > 0)[0, 1] for i in alive if i != j}
        for pairs, slow in zip(one["near"], (cosines, phis), strict=True):
            assert len(pairs) == NEAR
            assert [v for _, v in pairs] == pytest.approx(sorted(slow.values(), reverse=True)[:NEAR], abs=1e-4)
            assert all(v == pytest.approx(slow[i], abs=1e-4) for i, v in pairs)
        ((title, classes),) = one["classes"]
        of = made.sets[0]
        assert [c[1] for c in classes] == pytest.approx([of.fires[0, j] / 20, of.fires[1, j] / 30], abs=1e-4)
        assert all(low <= share <= high for _, share, low, high, _ in classes) and title == " word0"


def test_contexts_are_windows_of_the_texts_from_the_strongest_tenth_down(made):
    texts = ["".join(one) for one in made.pieces]
    codes, text = made.explained.codes.toarray(), made.explained.windows.found.text
    for one in made.records():
        activations = [codes[text == t, one["n"]] for t in range(len(texts))]
        deciles = [decile for decile, _, _ in one["contexts"]]
        assert deciles == sorted(deciles, reverse=True)
        assert all(deciles.count(d) <= PER_DECILE for d in deciles)
        largest = [max(values) for _, _, values in one["contexts"]]
        assert min(largest) > 0 and largest == sorted(largest, reverse=True)
        for _, tokens, values in one["contexts"][:3]:
            places = [
                (t, at)
                for t, pieces in enumerate(made.pieces)
                for at in range(0, len(pieces), 16)
                if list(pieces[at : at + 16]) == tokens
            ]
            assert any(activations[t][at : at + 16] == pytest.approx(values, rel=6e-3) for t, at in places)


def test_a_latent_that_fires_seldom_says_so(made):
    one = made.record(38, 38)
    assert one["label"] is None and one["scores"] is None and len(one["contexts"]) <= 3
    assert row(one)[1] == "" and row(one)[4] is None


def test_a_factor_names_only_a_latent_that_tracks_it(made):
    found = {one["n"]: one for one in made.records()}
    for j, one in found.items():
        assert one["factor"]["named"] == (made.tracked.chosen_auroc[j] > 0.8)
        assert (row(one)[3] is not None) == one["factor"]["named"]
    assert row(found[3])[2] == " word0 is its name"


def test_neighbours_of_one_latent_and_of_one_that_always_fires():
    assert by_decoder(np.ones((1, 4)), 8)[0].shape == (1, 0)
    fires = panels().columns[:, :5].astype(bool).tolil()
    fires[:, 0] = True
    places, values = by_firing(fires.tocsr(), 8)
    assert places.shape == (5, 4) and (values[0] == 0).all() and np.isfinite(values).all()
    assert places[0].tolist() == [1, 2, 3, 4], "equal ones by number"
    assert by_decoder(np.zeros((3, 2)), 2)[1].tolist() == [[0, 0]] * 3


def test_scores_are_those_of_the_chapter_on_explanations(made):
    judged = made.explained.judged
    found = {one["n"]: one["scores"] for one in made.records() if one["scores"]}
    assert sorted(found) == judged.latent.tolist() and len(found) > 10
    for i, latent in enumerate(judged.latent):
        for key in ("detection", "near", "fuzzing"):
            value = getattr(judged, key)[i]
            assert (
                found[latent][key] is None if np.isnan(value) else found[latent][key] == pytest.approx(value, rel=6e-3)
            )
