"""Made-up parts of the chapter on transfer: parallel texts, differences of known outcome, a diagnosis."""

from types import SimpleNamespace

import numpy as np

from mosaic.probing.candidates import Setting
from mosaic.probing.scores import Difference, Mean
from mosaic.studies.behaviour_forecasts import AS_IT_IS, Forecasts
from mosaic.studies.diagnosis import Diagnosis
from mosaic.texts.labelled import FAMILIAR, NEW, LabelledTexts

ABOVE, BELOW, OPEN = (
    Difference(0.1, 0.05, 0.15, 0.001),
    Difference(-0.1, -0.15, -0.05, 0.001),
    Difference(0.01, -0.02, 0.03, 0.6),
)


def parallel(languages=("en", "de", "zh"), n=30) -> LabelledTexts:
    """Each language: n messages in familiar words, then the same in new words."""
    labels = np.array(["bad", "good"] * (n // 2), dtype=object)
    rows = [(language, part, i) for language in languages for part in (FAMILIAR, NEW) for i in range(n)]
    return LabelledTexts(
        "made up",
        [f"{language} {part} {i}" for language, part, i in rows],
        np.array([labels[i] for *_, i in rows], dtype=object),
        np.array([f"m{i}" for *_, i in rows], dtype=object),
        np.array([language for language, *_ in rows], dtype=object),
        np.array([part for _, part, _ in rows], dtype=object),
    )


def diagnosis(pooling="last", home=0.9, there=0.9, chance=0.5, **repaired) -> Diagnosis:
    """Hidden states with these scores; a repair that is not named changes nothing."""
    values = {"mean": there, "intercept": there, "directions": there, "mean and scale": there} | repaired
    means = {name: Mean(value, value - 0.01, value + 0.01) for name, value in values.items()}
    return Diagnosis(
        "hidden", 3, pooling, home, Mean(there, there - 0.01, there + 0.01), 0.77, 0.88, 0.5, means, chance
    )


def forecast(n=200) -> Forecasts:
    """The small model's features know a little, confidence knows all but is too sure, length knows nothing."""
    rng = np.random.default_rng(0)
    p = rng.uniform(size=n)
    truth = rng.uniform(size=n) < p
    dim = np.clip(0.5 + 0.2 * (p - 0.5) + rng.normal(0, 0.1, n), 0.01, 0.99)
    return Forecasts(
        truth,
        np.arange(n) // 2,
        {
            "small, sae": dim,
            "small, hidden": np.clip(dim + rng.normal(0, 0.02, n), 0, 1),
            "small, majority": np.full(n, 0.4),
            "small, length": rng.uniform(size=n),
            "own, sae": p,
            "own, confidence": p,
            f"own, {AS_IT_IS}": p**0.2,
        },
        0.97,
    )


def scored(value: float) -> dict:
    return {"macro_f1": value, "low": value - 0.1, "high": value + 0.1}


def result(predicted, f1=0.5, **setting):
    predicted = np.array(predicted, dtype=object)
    return SimpleNamespace(
        predicted=predicted,
        score=SimpleNamespace(macro_f1=f1),
        row=lambda: {"macro_f1": f1},
        setting=Setting(**{"features": "sae", **setting}),
        validation=f1,
        held=None,
    )
