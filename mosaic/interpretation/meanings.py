"""How often is a label right? Possible only where the factors are known, in the miniature world.

The truth about a latent is the factor it tracks best (`tracking`: on messages, largest activation a text, chosen on one half with an
AUROC above NAMED). A label is read without the latent: its description marks texts (those with one of its tokens at its place), and
the factor it means is the one whose presence the marked texts tell best, again by AUROC. The label is right if the two are one.
Labels are read on whole documents, logs included: a log's codes are words a label may use, and messages alone do not have them.

Of a label of two descriptions (input and output side), the one that tells its factor better is believed.

Shapes: n texts, N tokens, D latents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.interpretation import tracking
from mosaic.interpretation.descriptions import Descriptions
from mosaic.interpretation.detection import context_ids
from mosaic.interpretation.tracking import Factor, Tracked
from mosaic.models.language import LanguageModel

DOCUMENTS = 4000  # drawn; those of the kinds that have factors are read
RESAMPLES = 2000


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Documents by which a label's meaning is looked up. ids: [N, OFFSETS] of all their tokens. text: [N]. rows, factors: as
    `tracking` has them; factors that no document has are left out."""

    ids: np.ndarray
    text: np.ndarray
    rows: Sequence
    factors: Sequence[Factor]

    @classmethod
    def of(cls, lm: LanguageModel, factors: Sequence[Factor], n: int = DOCUMENTS) -> Dictionary:
        from mosaic.world.sets import whole_documents

        rows = [row for row in whole_documents({factor.kind for factor in factors}, n) if row.factors]
        kinds = {"", *(row.label for row in rows)}
        ids, text = context_ids(lm.tokenize([row.text for row in rows]))
        return cls(ids, text, rows, [factor for factor in factors if factor.kind in kinds])

    def meaning(self, told: Descriptions) -> Tracked:
        """The factor that each description means, and how well it tells it."""
        n, marked = len(self.text), told.matches(self.ids)
        gather = csr_matrix((np.ones(n), (self.text, np.arange(n))), shape=(len(self.rows), n))
        present = (gather @ marked.astype(np.float64)).tocsr()
        present.data[:] = 1
        return tracking.tracked(present.astype(np.float32), self.rows, self.factors)


@dataclass(frozen=True, eq=False)
class Rightness:
    """Intervals need two factors, and are None below. truth: [L] factors of the latents that track one. right: {label: [L] bool, is it the factor}."""

    truth: np.ndarray
    right: dict[str, np.ndarray]

    @cached_property
    def _weights(self) -> np.ndarray:
        """[RESAMPLES, L] how often each latent stands in a resample: factors are drawn, with all latents that track them."""
        names, which = np.unique(self.truth, return_inverse=True)
        drawn = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)
        return drawn[:, which].astype(np.float64)

    def share(self, label: str) -> dict:
        """{value, interval, n}: the share of latents whose label is right; 95 % over factors."""
        return self._summary(self.right[label].astype(float))

    def minus(self, label: str, other: str) -> dict:
        """The same of the difference of two labels' shares, latent by latent."""
        return self._summary(self.right[label].astype(float) - self.right[other].astype(float))

    def _summary(self, values: np.ndarray) -> dict:
        if len(set(self.truth)) < 2:
            return {"value": float(values.mean()), "interval": None, "n": len(values)}
        weights = self._weights
        drawn = weights @ values / np.maximum(weights.sum(1), 1)
        return {
            "value": float(values.mean()),
            "interval": np.quantile(drawn, [0.025, 0.975]).tolist(),
            "n": len(values),
        }


def believed(first: Tracked, second: Tracked) -> list[str]:
    """[D] the factor that a label of two descriptions means: of the one that tells its factor better, the first if both do alike."""
    better = second.chosen_auroc > first.chosen_auroc
    return [second.factor[i] if better[i] else name for i, name in enumerate(first.factor)]
