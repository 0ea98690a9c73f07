"""One SAE setting for all sets: the published `best mean setting`, chosen here on validation instead of on the test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mosaic.probing import scores
from mosaic.probing.candidates import Setting
from mosaic.probing.selection import Result
from mosaic.texts.labelled import LabelledTexts


def best_mean_setting(found: Sequence[tuple[LabelledTexts, Iterable[Result]]]) -> dict:
    """The SAE setting whose mean validation score over the sets is highest, and its mean on the sets' first parts.

    found: (test texts, results) of each set; a setting that some set lacks is left out. Strengths and thresholds are each
    set's own.
    """
    by_set = [{r.setting: r for r in results if r.setting.features == "sae"} for _, results in found]
    best = _best(
        {setting: [by[setting] for by in by_set] for setting in by_set[0] if all(setting in by for by in by_set)}
    )
    cases = []
    for (test, _), by in zip(found, by_set, strict=True):
        labels, predicted, _, groups = scores.paired_draws(test, [by[best]], [])
        cases.append((labels, predicted, groups))
    mean = scores.mean_interval(cases, over_sets=True)
    return {
        "layer": best.layer,
        "width": best.width,
        "pooling": best.pooling,
        "binarized": best.binarized,
        "classifier": best.classifier,
        "macro_f1": mean.macro_f1,
        "interval": [mean.low, mean.high],
    }


def _best(by_setting: Mapping[Setting, Sequence[Result]]) -> Setting:
    """The first setting of the highest mean validation score; the test is not read."""
    return max(by_setting, key=lambda setting: np.mean([r.validation for r in by_setting[setting]]))
