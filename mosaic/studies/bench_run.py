"""The comparison of `mosaic probe` on many sets, one after the other; what cannot be used is skipped, and said."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.files import refusal
from mosaic.printable import printable
from mosaic.probing.measured import Measured, measure
from mosaic.probing.problem import check, subsample
from mosaic.probing.strong import FAMILY
from mosaic.progress import announce
from mosaic.studies.bench import OURS, Tally, mean_ranks, tally
from mosaic.texts.collection import Source, read
from mosaic.texts.labelled import LabelledTexts

log = logging.getLogger("mosaic")
Rows = tuple[LabelledTexts, LabelledTexts]  # train, test


@dataclass(frozen=True)
class Bench:
    """What was found. sets: {name: what it shows}, in order. skipped: {name: why}."""

    sets: Mapping[str, Measured]
    skipped: Mapping[str, str]

    @property
    def families(self) -> list[str]:
        return next(iter(self.sets.values())).families

    @cached_property
    def tallies(self) -> dict[str, Tally]:
        """{baseline: SAE features against it}."""
        return {family: tally(self.sets, family) for family in self.families if family != OURS}

    @property
    def headline(self) -> Tally:
        """Against the strong baseline where it was measured, else against hidden states."""
        return self.tallies.get(FAMILY) or self.tallies["hidden"]

    @cached_property
    def mean_ranks(self) -> dict[str, float]:
        return mean_ranks(self.sets)

    def summary(self) -> dict:
        """As bench.json has it."""
        return {
            "sets": {name: self._set(name, one) for name, one in self.sets.items()},
            "skipped": dict(self.skipped),
            "n_sets": len(self.sets),
            "mean_rank": self.mean_ranks,
            "sae_minus": {baseline: of.summary() for baseline, of in self.tallies.items()},
        }

    def rows(self) -> list[dict]:
        """As bench.csv has it: one flat row a set."""
        return [self._row(name, one) for name, one in self.sets.items()]

    def _set(self, name: str, one: Measured) -> dict:
        against = {baseline: of.sets[name].summary() for baseline, of in self.tallies.items()}
        return {**_counts(one), "families": dict(one.chosen), "sae_minus": against, "cautions": list(one.cautions)}

    def _row(self, name: str, one: Measured) -> dict:
        row = {"set": name, **_counts(one)}
        for family, chosen in one.chosen.items():
            row |= {f"{family}_{key}": chosen[key] for key in ("macro_f1", "low", "high", "layer", "width", "pooling")}
        for baseline, of in self.tallies.items():
            found = of.sets[name].summary()
            found["low"], found["high"] = found.pop("interval")
            row |= {f"minus_{baseline}_{key}": value for key, value in found.items()}
        return row


def _counts(one: Measured) -> dict:
    return {"n_train": one.n_train, "n_test": len(one.truth), "n_classes": one.n_classes}


def usable(
    sources: Sequence[Source],
    columns: Mapping[str, str | None],
    max_train: int | None = None,
    max_test: int | None = None,
) -> Iterator[tuple[str, Rows | str]]:
    """(name, its rows, or why it has none that can be used) of each set. columns: text, label, group, as
    `collection.read` takes them. max_train, max_test: rows at most, stratified."""
    for source in sources:
        try:
            train, test = read(source, **columns)
            train, test = subsample(train, max_train), subsample(test, max_test)
            check(train, test)
            yield source.name, (train, test)
        except MosaicError as error:
            yield source.name, _skipped(source.name, error)


def run(found: Mapping[str, Rows | str], lm, request, cache: Path | None, folder: Path, strong: bool = False) -> Bench:
    """Measure the sets that have rows; those that turn out to be unusable are skipped too. folder: where finished sets
    are kept. strong: with the strong baseline on hidden states. Raises MosaicError where nothing can be written, and where no set could be measured."""
    sets, skipped = {}, {name: rows for name, rows in found.items() if isinstance(rows, str)}
    wanted = {name: rows for name, rows in found.items() if not isinstance(rows, str)}
    for i, (name, (train, test)) in enumerate(wanted.items(), start=1):
        announce(
            f"set {i} of {len(wanted)}, {_line(name)}: {len(train):,} training and {len(test):,} test texts, "
            f"{len(train.classes)} classes"
        )
        try:
            sets[name] = measure(train, test, lm, request, cache, folder, strong)
        except MosaicError as error:
            if error.__cause__ is not None and refusal(error.__cause__) is not None:
                raise  # a full disk is no set's fault, and the next set would meet it too
            skipped[name] = _skipped(name, error)
    if not sets:
        raise MosaicError(f"none of {len(found)} sets could be measured. What is wrong with each is said above.")
    return Bench(sets, {name: skipped[name] for name in found if name in skipped})


def _skipped(name: str, error: MosaicError) -> str:
    """Why, in one line, which is said at once."""
    why = _line(str(error))
    log.warning("%s is skipped: %s", _line(name), why)
    return why


def _line(text: str) -> str:
    return " ".join(printable(text).split())
