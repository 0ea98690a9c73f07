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


def test_holes_are_named():
    from datasets import ClassLabel, Dataset, Features, Image

    entry = image_sets.REGISTRY["food"]
    features = Features({"image": Image(), "label": ClassLabel(names=["a", "b"])})
    shown = np.zeros((4, 5), np.uint8)  # greyscale
    whole = Dataset.from_dict({"image": [shown, None], "label": [0, 1]}, features=features)
    found = image_sets._from_hub(entry, whole)
    assert found.labels.tolist() == ["a", "b"] and found.at(0).shape == (4, 5, 3)
    with pytest.raises(MosaicError, match=r"rajistics/indian_food_images, row 1 has no image\. Leave it out"):
        found.at(1)
    for label in (None, -1):
        rows = Dataset.from_dict({"image": [shown, shown], "label": [0, label]}, features=features)
        with pytest.raises(MosaicError, match=r"rajistics/indian_food_images, row 1 has no label\. Leave it out"):
            image_sets._from_hub(entry, rows)
