"""The world in pictures: drawings show what they say, digits are split once."""

import numpy as np
import pytest

from mosaic.errors import MosaicError
from mosaic.world.images import COLOURS, PLACES, digits, labelled_images, shapes


def test_drawings_repeat_and_show_what_they_say():
    images, seen = shapes(40, seed=5)
    again, _ = shapes(40, seed=5)
    assert images.shape == (40, 32, 32, 3) and np.array_equal(images, again)
    for image, what in zip(images, seen, strict=True):
        colour = np.array(COLOURS[what["colour"].name])
        near = (np.abs(image.astype(int) - colour).max(-1) < 40).nonzero()
        x, y = PLACES[what["place"].name]
        assert len(near[0]) >= 6
        assert abs(near[1].mean() - x) < 5 and abs(near[0].mean() - y) < 5


def test_digits_are_split_once_and_for_all():
    (train, _), (test, seen) = digits(train=True), digits(train=False)
    assert len(train) + len(test) == 1797 and len(seen) == len(test)
    assert not {image.tobytes() for image in train} & {image.tobytes() for image in test}


def test_an_unknown_image_set_is_named():
    with pytest.raises(MosaicError, match="no image set 'cats'.*digits"):
        labelled_images("cats")
