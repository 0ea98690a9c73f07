"""The world in pictures: scikit-learn's handwritten digits, and drawings of a shape, a colour, a number and a place.

What an image shows is known as concepts, as it is of a text. Images: [n, 32, 32, 3] uint8.
"""

from __future__ import annotations

import numpy as np

from mosaic.errors import MosaicError
from mosaic.world.corpus import SHAPE_FACTORS
from mosaic.world.lexicon import Concept, concepts

SIDE = 32
IMAGE_SETS = ("digits", "shapes", "colours", "counts", "places")
COLOURS = {
    "red": (214, 48, 49), "blue": (45, 85, 210), "green": (39, 150, 80),
    "yellow": (240, 205, 50), "white": (250, 250, 250), "black": (20, 20, 20),
}  # fmt: skip
PLACES = {"top": (16, 8), "bottom": (16, 24), "left": (8, 16), "right": (24, 16), "middle": (16, 16)}
OFFSETS = {1: [(0, 0)], 2: [(-4, 0), (4, 0)], 3: [(-4, 4), (4, 4), (0, -4)], 4: [(-4, -4), (4, -4), (-4, 4), (4, 4)]}


def shapes(n: int, seed: int) -> tuple[np.ndarray, list[dict[str, Concept]]]:
    """n drawn images [n, 32, 32, 3] and what each shows: shape, colour, number, place."""
    from PIL import Image, ImageDraw

    rng = np.random.default_rng([seed, 1])
    images, seen = [], []
    for _ in range(n):
        what = {kind: concepts(kind)[rng.integers(len(concepts(kind)))] for kind in SHAPE_FACTORS}
        grey = int(rng.integers(110, 160))
        image = Image.new("RGB", (SIDE, SIDE), (grey, grey, grey))
        pen = ImageDraw.Draw(image)
        x, y = PLACES[what["place"].name]
        jitter = rng.integers(-1, 2, size=2)
        number = [c.name for c in concepts("number")].index(what["number"].name) + 1
        for dx, dy in OFFSETS[number]:
            _draw(pen, what["shape"].name, x + dx + jitter[0], y + dy + jitter[1], COLOURS[what["colour"].name])
        pixels = np.asarray(image, dtype=np.float32) + rng.normal(0, 6, (SIDE, SIDE, 3))
        images.append(pixels.clip(0, 255).astype(np.uint8))
        seen.append(what)
    return np.stack(images), seen


def _draw(pen, shape: str, x: float, y: float, colour: tuple[int, int, int], r: float = 2.9) -> None:
    box = (x - r, y - r, x + r, y + r)
    if shape == "circle":
        pen.ellipse(box, fill=colour)
    elif shape == "ring":
        pen.ellipse(box, outline=colour, width=1)
    elif shape == "square":
        pen.rectangle(box, fill=colour)
    elif shape == "triangle":
        pen.polygon([(x, y - r), (x - r, y + r), (x + r, y + r)], fill=colour)
    else:
        pen.rectangle((x - r, y - 1, x + r, y + 1), fill=colour)
        pen.rectangle((x - 1, y - r, x + 1, y + r), fill=colour)


def digits(train: bool) -> tuple[np.ndarray, list[dict[str, Concept]]]:
    """scikit-learn's 1,797 digits, enlarged fourfold: two thirds to train on, one third to test."""
    from sklearn.datasets import load_digits

    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    cut = 2 * len(order) // 3
    rows = order[:cut] if train else order[cut:]
    small = (data.images[rows] * (255 / 16)).astype(np.uint8)
    images = np.repeat(np.repeat(small, 4, axis=1), 4, axis=2)[..., None].repeat(3, axis=-1)
    return images, [{"digit": concepts("digit")[label]} for label in data.target[rows]]


def labelled_images(name: str) -> tuple[tuple[np.ndarray, list[str]], tuple[np.ndarray, list[str]]]:
    """((train images, labels), (test images, labels)): digits, or one of the four factors of drawings.

    Raises MosaicError for an unknown set.
    """
    if name not in IMAGE_SETS:
        raise MosaicError(f"there is no image set {name!r}; there are {', '.join(IMAGE_SETS)}.")
    if name == "digits":
        parts, kind = [digits(train=True), digits(train=False)], "digit"
        parts[0] = (parts[0][0][:600], parts[0][1][:600])
    else:
        kind = dict(zip(IMAGE_SETS[1:], SHAPE_FACTORS, strict=True))[name]
        seed = 20_000 + 10 * IMAGE_SETS.index(name)  # drawings of its own, so that the sets are independent tests
        parts = [shapes(600, seed), shapes(600, seed + 1)]
    return tuple((images, [what[kind].name for what in seen]) for images, seen in parts)
