"""What the chapter on end-to-end SAEs measures of each: its cost to the model on held-out texts, its geometry, its agreement.

Shapes: n texts, R draws of them, D latents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path

import numpy as np

from mosaic.agreement import stability
from mosaic.agreement.frontier import Contrast, Curve, ratio
from mosaic.agreement.pairwise import Seeds, over_pairs
from mosaic.agreement.resampling import Estimate, jackknife, linear, pair_mean, quantiles
from mosaic.errors import MosaicError
from mosaic.files import read_json
from mosaic.saes.dictionary import Dictionary
from mosaic.saes.end_to_end import E2E, LOSSES
from mosaic.saes.end_to_end_measuring import Measured

KEYS = ("name", "loss", "layer", "width", "sparsity", "seed", "beta", "documents", "tokens", "batches")
DRAWS = 2000
FIGURES = {
    "l0": ("active", "tokens"),
    "ce": ("added", "predictions"),
    "kl": ("kl", "tokens"),
    "error": ("error", "tokens"),
}


@dataclass(frozen=True, eq=False)
class Trained:
    """One SAE. row: of its card. measured: on the texts. dictionary: with its firing frequency on them."""

    row: Mapping
    measured: Measured
    dictionary: Dictionary

    @classmethod
    def of(cls, row: Mapping, measured: Measured, dictionary: Dictionary) -> Trained:
        return cls(row, measured, replace(dictionary, frequency=measured.fires / measured.tokens.sum()))

    def drawn(self, figure: str, weights: np.ndarray) -> np.ndarray:
        """[R]: a figure (of FIGURES, or "downstream": the squared error after the last block) where text i counts weights[r, i]
        times."""
        if figure == "downstream":
            of, per = self.measured.downstream[max(self.measured.downstream)], self.measured.tokens
        else:
            of, per = (getattr(self.measured, name) for name in FIGURES[figure])
        return (weights @ of) / (weights @ per)

    def value(self, figure: str) -> float:
        """The same on all texts."""
        return float(self.drawn(figure, np.ones((1, len(self.measured.tokens))))[0])

    @cached_property
    def nearest(self) -> float:
        """Mean over latents that fire of the largest cosine with another of them in the decoder; 0 where one or none fires."""
        rows = self.dictionary.decoder[self.dictionary.alive]
        if len(rows) < 2:
            return 0.0
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        cosines = rows @ rows.T
        np.fill_diagonal(cosines, -1.0)
        return float(cosines.max(1).mean())


Setting = Sequence[Trained]  # SAEs that differ in their seed alone


@dataclass(frozen=True, eq=False)
class Texts:
    """Which texts count how often. once: [1, n], each once; drawn: [R, n], n of them with replacement."""

    once: np.ndarray
    drawn: np.ndarray

    @classmethod
    def of(cls, n: int, draws: int = DRAWS, seed: int = 0) -> Texts:
        drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), draws)
        return cls(np.ones((1, n)), drawn.astype(float))

    def estimate(self, one: Trained, figure: str) -> dict:
        """{value, interval} of one SAE's figure, 95 % over texts."""
        return {"value": one.value(figure), "interval": quantiles(one.drawn(figure, self.drawn))}

    def compare(self, first: Sequence[Setting], second: Sequence[Setting], y: str, x: str) -> Contrast:
        """The ratio of first's y to second's at equal x, along the settings of two losses."""
        return ratio(*(self._curve(settings, x, y, number) for number, settings in enumerate((first, second))))

    def _curve(self, settings: Sequence[Setting], x: str, y: str, seed: int) -> Curve:
        rng = np.random.default_rng([seed, len(self.drawn)])
        once, drawn = [], []
        for members in settings:
            n = len(members)
            # As many of its seeds, drawn with replacement: one alone says nothing of how seeds differ.
            seeds = rng.multinomial(n, np.full(n, 1 / n), len(self.drawn)) / n
            once.append([self._mean(members, figure, self.once, np.full((1, n), 1 / n)) for figure in (x, y)])
            drawn.append([self._mean(members, figure, self.drawn, seeds) for figure in (x, y)])
        (x_once, y_once), (x_drawn, y_drawn) = (np.stack(of, axis=-1) for of in (once, drawn))
        return Curve(x_once[0], y_once[0], x_drawn, y_drawn)

    @staticmethod
    def _mean(members: Setting, figure: str, weights: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        """[R]: a figure's mean over the seeds of one setting; seeds: [R, members], how much each counts."""
        return (np.stack([one.drawn(figure, weights) for one in members], axis=1) * seeds).sum(1)


def settings(saes: Sequence[Trained], loss: str) -> list[Setting]:
    """The SAEs of one loss, lambda ascending; those of one lambda together, in the order of seeds."""
    of = sorted(
        (one for one in saes if one.row["loss"] == loss), key=lambda one: (one.row["sparsity"], one.row["seed"])
    )
    return [list(members) for _, members in groupby(of, key=lambda one: one.row["sparsity"])]


def several(saes: Sequence[Trained], loss: str) -> list[Setting]:
    """The settings of one loss with the most seeds, lambda ascending."""
    of = settings(saes, loss)
    return [members for members in of if len(members) == max(map(len, of))]


def nearest_to(target: Setting, among: Sequence[Setting], figure: str) -> Setting:
    """Of some settings the one whose figure, on all texts, the mean over seeds, is nearest to the target's by ratio; the first of
    equals."""

    def log(members: Setting) -> float:
        return float(np.log(max(np.mean([one.value(figure) for one in members]), 1e-9)))

    return min(among, key=lambda members: abs(log(members) - log(target)))


def comparable(saes: Sequence[Trained]) -> dict[str, Setting]:
    """{loss: its SAEs of several seeds that cost the model about what e2e's do}."""
    of = several(saes, E2E)[0]
    return {loss: of if loss == E2E else nearest_to(of, several(saes, loss), "ce") for loss in LOSSES}


@dataclass(frozen=True, eq=False)
class OfSeeds:
    """SAEs of one loss that differ in their seed alone."""

    members: Setting

    @cached_property
    def seeds(self) -> Seeds:
        return Seeds.of([one.dictionary for one in self.members])

    def over_pairs(self, figure) -> Estimate:
        return pair_mean({pair: float(figure(found)) for pair, found in self.seeds.matches.items()})

    @property
    def shared_alive(self) -> Estimate:
        """Shared fraction of the latents that fire."""
        return self.over_pairs(stability.alive_share)

    @property
    def shared(self) -> Estimate:
        return self.over_pairs(lambda found: found.shared().sum() / found.n)

    @property
    def decoder_alone(self) -> Estimate:
        """Share of latents whose decoder rows alone have a partner of that cosine, as the paper compares them."""
        return self.over_pairs(lambda found: (found.decoder.cosine >= stability.THRESHOLD).sum() / found.n)

    @property
    def pw_mcc(self) -> Estimate:
        return self.over_pairs(lambda found: found.pw_mcc)

    @property
    def nearest(self) -> Estimate:
        """Mean over seeds of the mean largest cosine within an SAE."""
        values = [one.nearest for one in self.members]
        without = [
            float(np.mean([*values[:i], *values[i + 1 :]])) if len(values) > 1 else None for i in range(len(values))
        ]
        return jackknife(float(np.mean(values)), without)

    def summary(self) -> dict:
        """Agreement beside random dictionaries, and geometry; intervals over SAEs."""
        first = next(iter(self.seeds.matches.values()))
        return {
            "n_saes": len(self.members),
            "shared_alive": over_pairs(self.seeds, stability.alive_share),
            "shared": over_pairs(self.seeds, lambda found: found.shared().sum() / found.n),
            "decoder_alone": self.decoder_alone.value,
            "pw_mcc": over_pairs(self.seeds, lambda found: found.pw_mcc),
            "random_dictionary": stability.chance(first, "random dictionary", 3),
            "nearest": {"value": self.nearest.value, "interval": self.nearest.interval()},
        }


def minus(first: Estimate, second: Estimate) -> dict:
    """{difference, interval} of two figures of other SAEs; 95 % over SAEs, or no interval where one has none."""
    found = linear([(1, first), (-1, second)])
    return {"difference": found.value, "interval": found.interval()}


def pairs_of_losses() -> list[tuple[str, str]]:
    """(e2e, local), (e2e+ds, local), (e2e, e2e+ds): how the losses are compared."""
    local, e2e, ds = LOSSES
    return [(e2e, local), (ds, local), (e2e, ds)]


def read_rows(folder: Path) -> list[Mapping]:
    """The card of a folder of SAEs of the three losses. Raises MosaicError for one that is not, or in which a loss is missing."""
    path = Path(folder) / "card.json"
    if not path.is_file():
        raise MosaicError(
            f"{path} does not exist. A folder of SAEs trained end to end is expected: `mosaic train-end-to-end` makes one."
        )
    rows = read_json(path)
    if not isinstance(rows, list) or not all(isinstance(row, dict) and set(KEYS) <= set(row) for row in rows):
        raise MosaicError(
            f"{path} is not the card of SAEs trained end to end: rows with {', '.join(KEYS)} are expected."
        )
    if missing := [loss for loss in LOSSES if loss not in [row["loss"] for row in rows]]:
        raise MosaicError(f"{path} has no SAE of the loss {missing[0]}. Train all three: {', '.join(LOSSES)}.")
    if len({(row["layer"], row["width"]) for row in rows}) > 1:
        raise MosaicError(f"{path} has SAEs of several layers or widths. Compare those of one.")
    return rows
