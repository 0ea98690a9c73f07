"""What the paper published of the sets that chapters draw: series for their figures, looked up by key and never typed.

All are macro-F1 on test of linear probes on Gemma 2 2B (arXiv 2502.11367, the authors' result files): SAE features summed
or counted over tokens, hidden states of the last token. A miniature's set stands beside the paper's set of the same task,
whose texts are others. Where nothing is published there is no series, and a figure has this run's alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mosaic.reporting import plots, published
from mosaic.texts.registry import REGISTRY

MODEL = "gemma-2-2b"
LAYERS = (5, 12, 19)  # its early, middle and late layer
WIDTH = "16k"
OWN = {"sae": "sum", "hidden": "last"}  # the paper's pooling of each kind of features where one is asked for
KINDS = tuple(OWN)
POINT = ("macro_f1", "low", "high")
IMAGE_SETS = {"flowers": "Oxford flowers", "cifar100": "CIFAR-100", "food": "Indian food"}
SAME_TASK = {  # sets of the miniature whose task the paper has under another name
    "sentiment": "sentiment_tweets",
    "refusal": "reject_prompts",
    "intent": "massive_intent",
    "stance": "stance_abortion",
}
Series = dict[str, list[tuple]]  # name -> [(x, value, low, high)], as `plots.curves` draws; no interval was published


class Setting(NamedTuple):
    """One published way to classify a set. features: "sae" or "hidden"; width: of the SAE, or of the run it stood in."""

    features: str
    layer: int
    width: str
    pooling: str
    binarised: bool


def series_name(features: str) -> str:
    """What a published series is called; its look hangs on it (`colours.TABLE`)."""
    return f"published, Gemma 2: {plots.NAMES[features]}"


def of_set(title: str, language: str | None = None) -> dict[Setting, float]:
    """{setting: macro-F1} of the set that a title names, such as "mini/toxicity (en)"; {} where nothing is published.

    language: of the texts, unless the title says it. A setting that was run several times has the mean of its runs.
    """
    name, said = re.fullmatch(r"(.*?)(?: \((\w+)\))?", title).groups()
    name = name.removeprefix("mini/")
    found = REGISTRY.get(SAME_TASK.get(name, name))
    if found is None:
        return {}
    runs: dict[Setting, list[float]] = {}
    start = re.escape(f"mosaic.{MODEL}.{found.hub_id}.")
    for key, entry in published.table().items():
        parts = re.fullmatch(
            start + r"([\w-]+)\.L(\d+)\.(\w+)\.(sae|hidden)\.(\w+)\.(raw|binarised)\.linear(?:\.\d+)?", key
        )
        if parts and _in_language(parts[1], found.configs, said or language):
            setting = Setting(parts[4], int(parts[2]), parts[3], parts[5], parts[6] == "binarised")
            runs.setdefault(setting, []).append(entry.value)
    return {setting: float(np.mean(values)) for setting, values in runs.items()}


def _in_language(part: str, configs: Mapping[str, str], language: str | None) -> bool:
    """Whether a key's part (`en`, `english-test`, `train`) is of this language; None: of a set that has one only."""
    return language is None or part.split("-")[0] in (language, configs.get(language))


def by_layer(title: str, layers: Sequence[int]) -> Series:
    """Early, middle and late layer at the places of three of this run's, features as they are (not binarised)."""
    if len(layers) != len(LAYERS):
        return {}
    places = dict(zip(LAYERS, sorted(layers), strict=True))
    here = {
        s: value for s, value in of_set(title).items() if s.layer in places and s.width == WIDTH and not s.binarised
    }
    return _series((s.features, places[s.layer], value) for s, value in here.items())


def by_width(title: str) -> Series:
    """SAE features of the middle layer at each width, not binarised."""
    here = {s: value for s, value in of_set(title).items() if s.layer == LAYERS[1] and not s.binarised}
    return _series((s.features, s.width, value) for s, value in here.items() if s.features == "sae")


def by_pooling(title: str, poolings: Sequence[str]) -> Series:
    """Both kinds of features at the middle layer, not binarised, of these poolings."""
    here = {s: value for s, value in of_set(title).items() if s.layer == LAYERS[1] and not s.binarised}
    of_width = {s: value for s, value in here.items() if s.width == WIDTH and s.pooling in poolings}
    return _series((s.features, s.pooling, value) for s, value in of_width.items())


def by_language(title: str, languages: Sequence[str]) -> Series:
    """Each language by its own probe: the early layer's SAE sums, not binarised, and last tokens."""
    found = {language: of_set(title, language) for language in languages}
    wanted = {kind: Setting(kind, LAYERS[0], WIDTH, pooling, False) for kind, pooling in OWN.items()}
    return _series(
        (kind, language, values[setting])
        for language, values in found.items()
        for kind, setting in wanted.items()
        if setting in values
    )


def at_best_setting(title: str) -> dict[str, float]:
    """{features: macro-F1} at the paper's best mean setting, binarised sums of the middle layer, and hidden states there."""
    values = of_set(title)
    wanted = {
        "sae": Setting("sae", LAYERS[1], WIDTH, "sum", True),
        "hidden": Setting("hidden", LAYERS[1], WIDTH, "last", False),
    }
    return {kind: values[setting] for kind, setting in wanted.items() if setting in values}


def best_mean() -> dict[str, float]:
    """{features: macro-F1 at that setting, mean over the paper's sets}; of hidden states no such mean is published."""
    return {"sae": published.value("mosaic.mean.best")}


def binarising(poolings: Iterable[str]) -> list[dict]:
    """Binarised minus raw SAE features of each pooling that has a published one, mean over the paper's cells: rows as
    `plots.intervals` draws them, without an interval."""
    found = {pooling: published.table().get(f"mosaic.binarising.{pooling}.difference") for pooling in poolings}
    return [
        {"set": pooling, "features": "published, Gemma 2: threshold 1.0"} | dict.fromkeys(POINT, entry.value)
        for pooling, entry in found.items()
        if entry is not None
    ]


def images() -> list[dict]:
    """The paper's own sets of images, read by PaliGemma 2: rows as `plots.intervals` draws them, without an interval."""
    return [
        {"set": title, "features": f"published, PaliGemma 2: {plots.NAMES[kind]}"}
        | dict.fromkeys(POINT, published.value(f"mosaic.images.{key}.{kind}"))
        for key, title in IMAGE_SETS.items()
        for kind in KINDS
    ]


def _series(points: Iterable[tuple[str, object, float]]) -> Series:
    """Series of (features, x, value), SAE features first; a kind without a value has none."""
    found: Series = {}
    for features, x, value in sorted(points, key=lambda point: KINDS.index(point[0])):
        found.setdefault(series_name(features), []).append((x, value, value, value))
    return found
