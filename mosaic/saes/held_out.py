"""Which texts SAEs learn from and which they are measured on: one rule for every trainer, so that the second can be told again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def held_apart(texts: Sequence[str], share: float, seed: int) -> tuple[list[str], list[str]]:
    """(held out, learned from): distinct texts that are not blank, in an order drawn by `seed`; the first `share` of them, one at
    least, are held out."""
    texts = list(dict.fromkeys(text for text in texts if text.strip()))
    drawn = [texts[i] for i in np.random.default_rng(seed).permutation(len(texts))]
    n_held = max(1, round(share * len(texts)))
    return drawn[:n_held], drawn[n_held:]
