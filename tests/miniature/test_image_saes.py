"""Batches of image tokens: every token once an epoch, any batch reached at once."""

import itertools

import pytest
import torch

from mosaic.miniature.image_saes import DRAWINGS, HELD_OUT, ImageTokens, training_images
from mosaic.profiles.profile import load_profile
from mosaic.world.images import labelled_images


@pytest.fixture
def stream():
    x = torch.arange(26.0).reshape(13, 2)
    return ImageTokens(None, {3: x}, batch_size=4, seed=5)


def test_an_epoch_has_every_token_at_most_once_and_the_next_another_order(stream):
    batches = list(itertools.islice(stream.batches(), 6))
    assert all(list(batch) == [3] and batch[3].shape == (4, 2) for batch in batches)
    first, second = (torch.cat([batch[3] for batch in part])[:, 0].tolist() for part in (batches[:3], batches[3:]))
    assert len(set(first)) == len(set(second)) == 12 and first != second


@pytest.mark.parametrize("start", range(8))
def test_any_batch_is_reached_without_those_before_it(stream, start):
    whole = list(itertools.islice(stream.batches(), 10))
    later = list(itertools.islice(stream.batches(start), 10 - start))
    assert all(torch.equal(a[3], b[3]) for a, b in zip(whole[start:], later, strict=True))


def test_no_test_image_is_trained_on():
    images = training_images(0)
    known = {image.tobytes() for image in images}
    assert len(images) > DRAWINGS > HELD_OUT
    for name in load_profile("mini").vision.sets:
        tested = {image.tobytes() for image in labelled_images(name)[1][0]}
        assert len(tested) > 500 and not tested & known, name
