"""Sets of labelled images by name: from the hub by id, or drawn by the miniature world."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mosaic.errors import MosaicError
from mosaic.hub.datasets import read_splits, standing
from mosaic.hub.repository import Repository
from mosaic.world.images import IMAGE_SETS

INSTEAD = "Leave it out of the profile's vision, or take the miniature's: digits, shapes, places."


@dataclass(frozen=True)
class HubImages:
    """A set of images of the hub: id and columns; its splits are train and test."""

    hub_id: str
    image: str = "image"
    label: str = "label"


# The paper's sets (arXiv 2502.11367), columns as in its released code.
REGISTRY: dict[str, HubImages] = {
    "cifar100": HubImages("renumics/cifar100-enriched", image="full_image", label="fine_label"),
    "flowers": HubImages("nelorth/oxford-flowers"),
    "food": HubImages("rajistics/indian_food_images"),
}


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images with labels, read when they are looked at.

    labels: [n] of str. at: number -> [height, width, 3] uint8; sizes may differ. rows: the numbers, in their order.
    """

    labels: np.ndarray
    at: Callable[[int], np.ndarray]
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self.at(int(row)) for row in self.rows)

    def take(self, chosen: Sequence[int]) -> LabelledImages:
        return replace(self, labels=self.labels[chosen], rows=self.rows[chosen])


def load_images(name: str) -> tuple[LabelledImages, LabelledImages]:
    """(train, test) of a set. Raises MosaicError for an unknown name, Unavailable where it cannot be had from here."""
    check_images(name)
    if name in IMAGE_SETS:
        from mosaic.world.images import labelled_images

        return tuple(_all(labels, list(images).__getitem__) for images, labels in labelled_images(name))
    parts = read_splits(image_repository(name), None, ["train", "test"])
    return tuple(_from_hub(REGISTRY[name], part) for part in parts)


def check_images(name: str) -> None:
    """Raises MosaicError for a set that nobody has heard of; downloads nothing."""
    known = (*IMAGE_SETS, *REGISTRY)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0)
        raise MosaicError(f"there is no set of images {name!r}; the nearest are {', '.join(near)}.")


def stands_on_hub(name: str) -> Repository | None:
    """The hub's files that `load_images` reads; None for what is drawn."""
    check_images(name)
    return None if name in IMAGE_SETS else standing(image_repository(name), None)


def image_repository(name: str) -> Repository:
    return Repository(REGISTRY[name].hub_id, kind="dataset", instead=INSTEAD)


def _all(labels: Sequence[str], at: Callable[[int], np.ndarray]) -> LabelledImages:
    return LabelledImages(np.array(labels, dtype=object), at, np.arange(len(labels)))


def _from_hub(entry: HubImages, rows) -> LabelledImages:
    for column in (entry.image, entry.label):
        if column not in rows.column_names:
            raise MosaicError(
                f"{entry.hub_id} has no column {column!r} any more; it has {', '.join(rows.column_names)}. {INSTEAD}"
            )
    rows = rows.select_columns([entry.image, entry.label])  # others may hold more images
    feature = rows.features[entry.label]
    named = feature.int2str if hasattr(feature, "int2str") else str
    values = rows[entry.label]
    for i, value in enumerate(values):
        if value is None or value == -1:  # which the hub writes where a label is not told
            raise MosaicError(f"{entry.hub_id}, row {i} has no label. {INSTEAD}")

    def at(row: int) -> np.ndarray:
        image = rows[row][entry.image]
        if image is None:
            raise MosaicError(f"{entry.hub_id}, row {row} has no image. {INSTEAD}")
        return np.asarray(image.convert("RGB"))

    return _all([named(value) for value in values], at)
