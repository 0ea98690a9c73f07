"""What a feature table takes: latents kept, and bytes in three forms that lose nothing. The same in every run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.probing import scores
from mosaic.probing.candidates import TableFeatures

NUMBER_BYTES = 4  # a float32, and the int32 of a column or of a row's start


@dataclass(frozen=True)
class Cost:
    """What a feature table of the test texts takes. latents: its columns; n_texts: its rows; active: cells that are not zero;
    binary: whether they hold on or off alone."""

    latents: int
    n_texts: int
    active: int
    binary: bool

    @property
    def dense(self) -> int:
        """Bytes as float32, every cell."""
        return NUMBER_BYTES * self.n_texts * self.latents

    @property
    def packed(self) -> int | None:
        """Bytes as bits, each row filled up to whole bytes (numpy.packbits); None where cells are more than on or off."""
        return self.n_texts * -(-self.latents // 8) if self.binary else None

    @property
    def csr(self) -> int:
        """Bytes as compressed sparse rows: int32 columns and row starts, float32 values; on and off need no values."""
        return NUMBER_BYTES * ((1 if self.binary else 2) * self.active + self.n_texts + 1)

    @property
    def least(self) -> int:
        """Bytes in the smallest of these forms; none of them loses anything."""
        return min(size for size in (self.dense, self.packed, self.csr) if size is not None)

    def per_text(self) -> dict[str, float | None]:
        """{form: bytes per text}."""
        forms = {"dense": self.dense, "packed": self.packed, "csr": self.csr, "least": self.least}
        return {form: None if size is None else size / self.n_texts for form, size in forms.items()}


@dataclass(frozen=True)
class Ratio:
    """A ratio, geometric mean over the sets, with its 95 % interval over the sets; one set has none."""

    ratio: float
    interval: tuple[float, float] | tuple[None, None]


def ratio_over_sets(ratios: Sequence[float], seed: int = 0) -> Ratio:
    """ratios: one a set, positive. Resampled as scores are (`scores.draw_weights`)."""
    logs = np.log(ratios)
    if len(logs) == 1:
        return Ratio(float(ratios[0]), (None, None))
    drawn = scores.draw_weights(len(logs), np.random.default_rng([seed, scores.RESAMPLES])) @ logs
    low, high = np.exp(np.quantile(drawn, [0.025, 0.975]))
    return Ratio(float(np.exp(logs.mean())), (low.item(), high.item()))


def cost(candidate: TableFeatures, threshold: float | None) -> Cost:
    """Of the test texts' table, on the columns that the probe of the test reads."""
    n = len(candidate.problem.train)
    rows = np.arange(n + len(candidate.problem.test))
    _, test, columns = candidate.matrices(rows[:n], rows[n:], threshold)
    active = test.nnz if hasattr(test, "nnz") else np.count_nonzero(test)
    return Cost(len(columns), test.shape[0], int(active), threshold is not None)
