"""What one labelled set shows: the chosen setting of each family, and what it says of every test row. Kept in a file.

Predictions are kept, not only scores, so that sets measured at different times can be compared and averaged with the
same resamples. A file a set, named by the hash of everything that decides it: rows, groups and folds, what made the
features, and the code of probing.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError
from mosaic.files import read_json, write_atomically
from mosaic.printable import printable
from mosaic.probing import folds, kept
from mosaic.probing.comparison import evaluate
from mosaic.probing.problem import Problem, cautions, make_problem
from mosaic.probing.selection import Result
from mosaic.probing.strong import strongest
from mosaic.sourcecode import hash_of
from mosaic.texts.labelled import LabelledTexts

log = logging.getLogger("mosaic")

DECIDING = (
    *kept.DECIDING,
    "mosaic.probing.comparison",
    "mosaic.probing.folds",
    "mosaic.probing.measured",
    "mosaic.probing.problem",
    "mosaic.probing.strong",
)


@dataclass(frozen=True)
class Measured:
    """One set. n_train: training rows. truth, groups: of the n test rows (groups None where rows stand alone).
    chosen: {family: row of the setting that validation chose, as `mosaic probe --json` has it}. predicted: {family: its
    [n] predictions}. cautions: what a reader should know of the texts."""

    n_train: int
    n_classes: int
    truth: np.ndarray
    groups: np.ndarray | None
    chosen: Mapping[str, dict]
    predicted: Mapping[str, np.ndarray]
    cautions: tuple[str, ...] = ()

    @property
    def families(self) -> list[str]:
        return list(self.chosen)

    def case(self, first: str, second: str) -> tuple:
        """(labels, predictions of one family, of another, groups), as `scores.compare` reads them."""
        return self.truth, self.predicted[first], self.predicted[second], self.groups

    @classmethod
    def of(cls, problem: Problem, results: list[Result]) -> Measured:
        chosen = [result for result in results if result.selected]
        return cls(
            n_train=len(problem.train),
            n_classes=len(problem.train.classes),
            truth=problem.test.labels,
            groups=problem.test.groups,
            chosen={result.setting.features: result.row() for result in chosen},
            predicted={result.setting.features: result.predicted for result in chosen},
            cautions=tuple(cautions(problem)),
        )


def measure(
    train: LabelledTexts, test: LabelledTexts, lm, request, cache: Path | None, folder: Path, strong: bool = False
) -> Measured:
    """The comparison on one set, or what `folder` keeps of it. strong: with the strong baseline on hidden states.
    Raises MosaicError as `make_problem` and `evaluate` do."""
    from mosaic.features.request import provenances

    path = folder / f"{name_of(train, test, provenances(lm, request), strong)}.json"
    found = _read(path)
    if found is None:
        problem = make_problem(train, test, lm, request, cache)
        results = evaluate(problem)
        if strong:
            results.append(strongest(problem, results))
        found = Measured.of(problem, results)
        write_atomically(path, kept.sealed(_written(found)))
    return found


def name_of(train: LabelledTexts, test: LabelledTexts, made_of: list[dict], strong: bool = False) -> str:
    """32 hex digits over all that decides the result. made_of: the provenance of every table."""
    rows = kept.Kept.of(Problem(train, test, (), cache=Path()), folds.splits(train)).base
    said = json.dumps([rows, made_of, strong, hash_of(DECIDING)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _written(found: Measured) -> dict:
    """As JSON has it; labels by number."""
    classes = sorted({label for labels in (found.truth, *found.predicted.values()) for label in labels})
    number = {label: i for i, label in enumerate(classes)}
    return {
        "n_train": found.n_train,
        "n_classes": found.n_classes,
        "classes": classes,
        "truth": [number[label] for label in found.truth],
        "groups": None if found.groups is None else list(found.groups),
        "chosen": found.chosen,
        "predicted": {family: [number[label] for label in labels] for family, labels in found.predicted.items()},
        "cautions": found.cautions,
    }


def _read(path: Path) -> Measured | None:
    """The kept set, or None, said where a file is damaged."""
    if not path.is_file():
        return None
    try:
        found = kept.opened(read_json(path))
        classes = np.array(found["classes"], dtype=object)
        return Measured(
            n_train=found["n_train"],
            n_classes=found["n_classes"],
            truth=classes[found["truth"]],
            groups=None if found["groups"] is None else np.array(found["groups"], dtype=object),
            chosen=found["chosen"],
            predicted={family: classes[codes] for family, codes in found["predicted"].items()},
            cautions=tuple(found["cautions"]),
        )
    except (MosaicError, AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        log.warning("%s is damaged (%s); it is measured again.", path, printable(str(error)))
        return None
