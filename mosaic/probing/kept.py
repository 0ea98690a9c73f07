"""Results of validation, kept beside the cached features: chapters share them, and a killed comparison goes on.

A file a result, named by the hash of everything that decides it: texts, labels, groups, the folds, the numbers of
the features, the setting, and the code of probing. A probe's weights are not kept; `examine.fitted` makes them again.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from mosaic.errors import MosaicError
from mosaic.files import read_json, write_atomically
from mosaic.printable import printable
from mosaic.probing import selection
from mosaic.probing.problem import Problem
from mosaic.probing.scores import Score
from mosaic.probing.selection import Result
from mosaic.sourcecode import hash_of

log = logging.getLogger("mosaic")
FOLDER = "results"  # of the cache

# The modules through which features become a result. What they import decides too, or is named in the test.
DECIDING = (
    "mosaic.probing.candidates",
    "mosaic.probing.estimators",
    "mosaic.probing.linear",
    "mosaic.probing.newton",
    "mosaic.probing.reduction",
    "mosaic.probing.scores",
    "mosaic.probing.selection",
    "mosaic.texts.labelled",
)


@dataclass(frozen=True)
class Kept:
    """folder: of the files, or None: nothing is kept. problem, splits: what the results are of. base: their hash."""

    folder: Path | None
    problem: Problem
    splits: Sequence
    base: str

    @classmethod
    def of(cls, problem: Problem, splits: Sequence) -> Kept:
        if problem.cache is None:
            return cls(None, problem, splits, "")
        digest = hashlib.sha256(json.dumps([engine(), versions()]).encode())
        for part in (problem.train, problem.test):
            named = (part.labels, part.groups, part.parts)
            columns = [None if values is None else list(map(str, values)) for values in named]
            digest.update(json.dumps([part.texts, *columns]).encode())
        for rows in (rows for split in splits for rows in split):
            digest.update(np.asarray(rows, dtype=np.int64).tobytes() + b"|")
        # Absolute: the processes that fit may have begun in another working folder.
        return cls(Path(problem.cache).absolute() / FOLDER, problem, splits, digest.hexdigest())

    def fit(self, candidate) -> Result:
        """`selection.fit`, unless its result is kept."""
        return self._or_make(candidate, "linear", lambda: selection.fit(candidate, self.problem, self.splits))

    def fit_tree(self, candidate, threshold: float | None) -> Result:
        """`selection.fit_tree`, likewise."""

        def make() -> Result:
            return selection.fit_tree(candidate, threshold, self.problem, self.splits)

        return self._or_make(candidate, f"tree {threshold!r}", make)

    def _or_make(self, candidate, what: str, make: Callable[[], Result]) -> Result:
        if self.folder is None:
            return make()
        path = self.folder / f"{self._name(candidate, what)}.json"
        result = self._read(path, candidate)
        if result is None:
            result = make()
            keep(path, _written(result))
        return result

    def _name(self, candidate, what: str) -> str:
        table = getattr(candidate, "table", None)
        matrix = None if table is None else table.matrix
        return name_of([self.base, what, asdict(candidate.setting), candidate.strengths], matrix)

    def _read(self, path: Path, candidate) -> Result | None:
        """The kept result, or None, said where a file is damaged."""
        return read_kept(path, lambda content: self._result(content, candidate))

    def _result(self, kept: dict, candidate) -> Result:
        train = self.problem.train
        classes = np.array(kept["classes"], dtype=object)
        rows = np.concatenate([held for _, held in self.splits])
        groups = None if train.groups is None else train.groups[rows]
        parts = {part: Score(**score) for part, score in kept["parts"].items()}
        setting = selection.Setting(**kept["setting"])
        if (
            list(parts) != list(self.problem.test.part_rows())
            or len(kept["predicted"]) != len(self.problem.test)
            or len(kept["held"]) != len(rows)
            or replace(setting, classifier=candidate.setting.classifier) != candidate.setting
        ):
            raise MosaicError("it holds the result of something else")
        return Result(
            setting=setting,
            validation=kept["validation"],
            strength=kept["strength"],
            threshold=kept["threshold"],
            score=next(iter(parts.values())),
            predicted=classes[kept["predicted"]],
            n_train=len(train),
            parts=parts,
            held=(train.labels[rows], classes[kept["held"]], groups),
            n_fits=kept["n_fits"],
            n_unconverged=kept["n_unconverged"],
        )


def name_of(what: list, matrix=None) -> str:
    """32 hex digits of what decides a result: plain values, and the numbers of its features (CSR)."""
    digest = hashlib.sha256(json.dumps(what).encode())
    if matrix is not None:
        digest.update(json.dumps([matrix.shape, str(matrix.dtype)]).encode())
        for values in (matrix.data, matrix.indices, matrix.indptr):
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:32]


def keep(path: Path, content: dict) -> None:
    """Keep it; a cache that takes nothing (read-only, full) is said once, and the comparison goes on."""
    try:
        write_atomically(path, sealed(content))
    except MosaicError as error:
        _not_kept(path.parent, getattr(error.__cause__, "strerror", None) or str(error))


def read_kept(path: Path, made: Callable[[dict], Any]) -> Any | None:
    """What `made` makes of the kept content; None where none is kept, or the file is damaged, which is said."""
    if not path.is_file():
        return None
    try:
        return made(opened(read_json(path)))
    except (MosaicError, AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        log.warning("%s is damaged (%s); it is computed again.", path, printable(str(error)))
        return None


def _written(result: Result) -> dict:
    """The result as JSON has it; labels by number. Floats come back to the last bit."""
    held = result.held[1]
    classes, codes = np.unique(np.concatenate([result.predicted, held]).astype(str), return_inverse=True)
    n = len(result.predicted)
    return {
        "setting": asdict(result.setting),
        "validation": result.validation,
        "strength": result.strength,
        "threshold": result.threshold,
        "parts": {part: score.as_dict() for part, score in result.parts.items()},
        "classes": classes.tolist(),
        "predicted": codes[:n].tolist(),
        "held": codes[n:].tolist(),
        "n_fits": result.n_fits,
        "n_unconverged": result.n_unconverged,
    }


def sealed(content: dict) -> bytes:
    """A file's bytes: the content as JSON, and its hash."""
    text = json.dumps(content, ensure_ascii=False)
    return json.dumps(
        {"sha256": hashlib.sha256(text.encode()).hexdigest(), "result": text}, ensure_ascii=False
    ).encode()


def opened(sealed: dict) -> dict:
    """The content again. Raises MosaicError where it is not what was written."""
    if hashlib.sha256(sealed["result"].encode()).hexdigest() != sealed["sha256"]:
        raise MosaicError("its content is not what was written")
    return json.loads(sealed["result"])


@cache
def _not_kept(folder: Path, why: str) -> None:
    """Said once in a process."""
    log.warning("cannot write into %s (%s): results of validation are not kept.", folder, why)


@cache
def engine() -> str:
    """Hash of the code that turns features into results."""
    return hash_of(DECIDING)


def versions() -> dict[str, str]:
    """Of the libraries that decide a fit."""
    from importlib.metadata import version

    return {name: version(name) for name in ("numpy", "scipy", "scikit-learn")}
