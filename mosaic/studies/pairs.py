"""In how many pairs is the SAE ahead? A pair: one SAE setting against the hidden states of the same layer.

The published share counts every SAE setting of a set against the hidden states read at the last token. Here both sides
of a pair have the same pooling; the published way stands beside it. Linear probes only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.probing.scores import RESAMPLES
from mosaic.probing.selection import Result

LAST = "last"


@dataclass(frozen=True)
class Share:
    """share: of pairs with the SAE ahead; equal scores are not ahead, `equal` is their share.

    low, high: 95 % over sets, which are drawn with all their pairs, since those of one set say nearly the same;
    None for a single set. mean: the mean difference over the pairs.
    """

    share: float
    low: float | None
    high: float | None
    equal: float
    mean: float
    n_pairs: int

    def summary(self) -> dict:
        return {
            "share": self.share,
            "interval": None if self.low is None else [self.low, self.high],
            "equal": self.equal,
            "mean_difference": self.mean,
            "n_pairs": self.n_pairs,
        }


def differences(results: Iterable[Result], against: str | None = None) -> list[float]:
    """Macro-F1 of each linear SAE result minus that of the hidden states of its layer, on the first part of the test.

    against: the pooling of the hidden states; None: the same as the SAE's. Pairs whose other side was not computed
    are left out.
    """
    linear = [r for r in results if r.setting.classifier == "logistic"]
    hidden = {(r.setting.layer, r.setting.pooling): r for r in linear if r.setting.features == "hidden"}
    found = []
    for result in linear:
        other = hidden.get((result.setting.layer, against or result.setting.pooling))
        if result.setting.features == "sae" and other is not None:
            found.append(result.score.macro_f1 - other.score.macro_f1)
    return found


def share(by_set: Mapping[str, Sequence[float]], seed: int = 0) -> Share | None:
    """The share over all pairs of all sets; None where there is no pair. by_set: {set: differences of its pairs}."""
    pairs = [np.asarray(values) for values in by_set.values() if len(values)]
    if not pairs:
        return None
    ahead, sizes = (np.array([f(v) for v in pairs]) for f in (lambda v: (v > 0).sum(), len))
    low = high = None
    if len(pairs) > 1:
        drawn = np.random.default_rng(seed).integers(len(pairs), size=(RESAMPLES, len(pairs)))
        low, high = np.quantile(ahead[drawn].sum(1) / sizes[drawn].sum(1), [0.025, 0.975]).tolist()
    every = np.concatenate(pairs)
    return Share(
        share=float((every > 0).mean()),
        low=low,
        high=high,
        equal=float((every == 0).mean()),
        mean=float(every.mean()),
        n_pairs=len(every),
    )
