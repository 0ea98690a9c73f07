"""Made-up results of models at every block, on sets with familiar and new words, whose accuracies are known."""

from types import SimpleNamespace

import numpy as np

from mosaic.studies.leads import OneSet
from mosaic.studies.scale import Depths, Scale
from mosaic.texts.labelled import FAMILIAR, NEW, LabelledTexts

SMALL = {0: 0.6, 1: 0.7, 2: 0.7, 3: 0.8, 4: 0.95, 5: 0.7}  # share of right answers of hidden states after each block
LARGE = {0: 0.5, 1: 0.5, 2: 0.5, 3: 0.99, 4: 0.6, 5: 0.7, 6: 0.6, 7: 0.6, 8: 0.6}


def one_set(accuracy: dict[int, float], seed: int, n: int = 200, new: bool = True) -> OneSet:
    """Results by layer that are right on these shares of the rows, the first half of them in familiar words."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(["a", "b"], 2 * n).astype(object)
    parts = np.repeat([FAMILIAR, NEW], n).astype(object) if new else None
    test = LabelledTexts(f"set {seed}", [str(i) for i in range(2 * n)], truth, parts=parts)
    return OneSet(test, {str(layer): _result(layer, share, truth, parts, rng) for layer, share in accuracy.items()})


def _result(layer, share, truth, parts, rng):
    predicted = np.where(rng.random(len(truth)) < share, truth, np.where(truth == "a", "b", "a"))
    of_parts = {} if parts is None else {part: {"macro_f1": share} for part in (FAMILIAR, NEW)}
    row = {"layer": layer, "macro_f1": share, "parts": of_parts}
    return SimpleNamespace(
        predicted=predicted, validation=share, held=(truth, predicted, None), row=lambda: row, layer=layer
    )


def depths(model: str, hidden: dict[int, float], sae: dict[int, float], new: bool = True) -> Depths:
    sets = {
        "sae": [one_set(sae, seed, new=new) for seed in range(3)],
        "hidden": [one_set(hidden, seed, new=new) for seed in range(3)],
    }
    return Depths.of(model, tuple(hidden), tuple(sae), sets)


def scale(pair: bool = True, new: bool = True) -> Scale:
    """Hidden states of the small model are best after block 4, which has no SAE; the large one's SAE features are better."""
    small = depths("mini-small", SMALL, {1: 0.6, 3: 0.8, 5: 0.7}, new)
    large = depths("mini-large", LARGE, {2: 0.6, 4: 0.95, 7: 0.7}, new) if pair else None
    return Scale.of("p", "mean", small, large)
