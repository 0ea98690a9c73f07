"""Sets of images by name: drawn ones, and the hub's own layout."""

import numpy as np
import pytest

from mosaic.errors import MosaicError
from mosaic.texts import image_sets
from mosaic.world.images import labelled_images


def test_drawn_sets_are_the_worlds():
    train, test = image_sets.load_images("digits")
    (images, labels), _ = labelled_images("digits")
    assert len(train) == len(images) and len(test) > 500
    assert train.labels.tolist() == labels
    some = train.take([5, 2])
    assert some.labels.tolist() == [labels[5], labels[2]]
    assert all(np.array_equal(a, b) for a, b in zip(some, (images[5], images[2]), strict=True))


def test_an_unknown_set_is_refused_with_the_nearest():
    with pytest.raises(MosaicError, match="there is no set of images 'cifar'; the nearest are cifar100"):
        image_sets.load_images("cifar")


def test_a_set_without_its_columns_says_which_it_has():
    from datasets import Dataset

    with pytest.raises(
        MosaicError, match="nelorth/oxford-flowers has no column 'image' any more; it has picture, label"
    ):
        image_sets._from_hub(image_sets.REGISTRY["flowers"], Dataset.from_dict({"picture": [1], "label": [0]}))


def test_where_a_set_stands():
    assert image_sets.stands_on_hub("digits") is None
    assert image_sets.image_repository("food").id == "rajistics/indian_food_images"
