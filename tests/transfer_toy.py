"""Made-up parts of the chapter on transfer: parallel texts, differences of known outcome, a diagnosis."""

import numpy as np

from mosaic.probing.scores import Difference, Mean
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
