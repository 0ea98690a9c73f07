"""A fitted probe kept in a folder: written whole, read with its checksums, applied to pooled features.

    <folder>/probe.json                      what the probe is, what its features are made of, SHA-256 of all of it
    <folder>/weights_<16 digits>.safetensors   its numbers; the digits are the first of their SHA-256

probe.json is written last and names the numbers by their hash, so that a reader finds the old probe or the whole new
one. Only linear probes are kept: where validation chose a tree, the best linear one is, and that is said.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.errors import MosaicError
from mosaic.features.table import FeatureTable
from mosaic.files import read_json, write_atomically
from mosaic.models.language import ModelSpec
from mosaic.probing import examine, kept
from mosaic.probing.candidates import DENSE_CELLS, binarise
from mosaic.probing.comparison import selected
from mosaic.probing.linear import LogisticProbe
from mosaic.probing.problem import Problem
from mosaic.probing.selection import Result
from mosaic.profiles.opening import select_saes
from mosaic.profiles.places import Place
from mosaic.profiles.profile import Profile
from mosaic.saes.source import SAESource

FORMAT = 1
ABOUT, WEIGHTS = "probe.json", "weights_{}.safetensors"
TENSORS = ("columns", "scale", "coef", "intercept")
N_LEADING = 5


@dataclass(frozen=True)
class Prediction:
    """What a probe says of n texts.

    labels: [n] of str. probabilities: [n, n_classes], in the order of `classes`. leading: for each text the latents
    with the largest contributions, weight times scaled value, to the score of its class: (name, contribution), those
    that speak against it negative.
    """

    classes: tuple[str, ...]
    labels: np.ndarray
    probabilities: np.ndarray
    leading: list[list[tuple[str, float]]]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class SavedProbe:
    """A logistic probe on the pooled latents of one SAE.

    classes: sorted. columns: [p] latents it reads. scale: [p] what they are divided by. coef [1 or n_classes, p] and
    intercept: as `LogisticProbe` has them. threshold: above which a value counts as 1, or None where values are read as
    they are. model, sae: what computes its features, and where they are. features: provenance of the table it was
    fitted on: layer, width, pooling, hashes of weights, tokenizer and code. training: how it was chosen, and its scores.
    """

    classes: tuple[str, ...]
    columns: np.ndarray
    scale: np.ndarray
    coef: np.ndarray
    intercept: np.ndarray
    threshold: float | None
    model: Place[ModelSpec]
    sae: Place[SAESource]
    features: dict
    training: dict

    @classmethod
    def of(cls, problem: Problem, results: Sequence[Result], profile: Profile) -> SavedProbe:
        """The linear probe on SAE features that validation chose, fitted on the training set. results: of `evaluate`."""
        chosen = selected(results, "sae")
        best = next(r for r in results if r.setting.features == "sae" and r.setting.classifier == "logistic")
        table = examine.table_of(problem, best.setting)
        fitted, columns = examine.fitted(problem, best)
        (source,) = select_saes(profile, [best.setting.layer], [best.setting.width])
        return cls(
            classes=tuple(map(str, fitted.classes_)),
            columns=np.asarray(columns, dtype=np.int64),
            scale=np.asarray(fitted[0].scale_, dtype=np.float64),
            coef=np.asarray(fitted[-1].coef_, dtype=np.float64),
            intercept=np.asarray(fitted[-1].intercept_, dtype=np.float64),
            threshold=best.threshold,
            model=Place.of_model(profile.model),
            sae=Place.of_sae(source),
            features=dict(table.provenance),
            training={
                "texts": problem.train.name,
                "n_train": best.n_train,
                "n_test": best.score.n,
                "C": best.strength,
                "validation_macro_f1": best.validation,
                "macro_f1": best.score.macro_f1,
                "low": best.score.low,
                "high": best.score.high,
                "validation_chose": chosen.setting.classifier,
                "code": kept.engine(),
                "versions": kept.versions(),
            },
        )

    @property
    def pooling(self) -> str:
        return self.features["pooling"]

    def said(self) -> str:
        """In a few words, for messages: `the linear probe on layer 4, width 2k, max (validation chose a tree)`."""
        what = self.features
        binarised = "" if self.threshold is None else f", binarised > {self.threshold:.3g}"
        other = " (validation chose a tree; of the linear ones it is the best)"
        return (
            f"the linear probe on layer {what['layer']}, width {what['width']}, {self.pooling}{binarised}"
            f"{other if self.training['validation_chose'] == 'tree' else ''}"
        )

    def save(self, folder: Path) -> None:
        """Write it; a probe that was there is replaced. The same probe gives the same bytes."""
        from safetensors.numpy import save

        content = save({name: np.ascontiguousarray(getattr(self, name)) for name in TENSORS})
        digest = hashlib.sha256(content).hexdigest()
        about = {
            "format": FORMAT,
            "weights": digest,
            "classes": self.classes,
            "threshold": self.threshold,
            "model": asdict(self.model),
            "sae": asdict(self.sae),
            "features": self.features,
            "training": self.training,
        }
        about["sha256"] = _digest(about)
        numbers = folder / WEIGHTS.format(digest[:16])
        write_atomically(numbers, content)
        text = json.dumps(about, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        write_atomically(folder / ABOUT, f"{text}\n".encode("utf-8", "backslashreplace"))  # as JSON writes half a pair
        for old in folder.glob(WEIGHTS.format("[0-9a-f]" * 16)):
            if old != numbers:
                old.unlink(missing_ok=True)

    @classmethod
    def load(cls, folder: Path) -> SavedProbe:
        """Read and verify a probe. Raises MosaicError where none is there, where a byte of it is not as it was written,
        or where another version wrote it."""
        from safetensors import SafetensorError
        from safetensors.numpy import load

        if not (folder / ABOUT).is_file():
            raise MosaicError(f"{folder} holds no probe ({ABOUT}). `mosaic probe FILE --save {folder}` writes one.")
        about = read_json(folder / ABOUT)
        if not isinstance(about, dict) or about.pop("sha256", None) != _digest(about):
            raise _damaged(folder / ABOUT, "its checksum is not the one it was written with")
        if about["format"] != FORMAT:
            raise MosaicError(
                f"{folder} holds a probe of format {about['format']!r:.20}; this version reads {FORMAT}. Use the version of "
                "mosaic that wrote it, or fit the probe again."
            )
        path = folder / WEIGHTS.format(about["weights"][:16])
        try:
            content = path.read_bytes()
        except OSError as error:
            raise _damaged(path, f"it cannot be read: {error.strerror or error}") from error
        if hashlib.sha256(content).hexdigest() != about["weights"]:
            raise _damaged(path, "its checksum is not the one it was written with")
        try:
            return cls(
                classes=tuple(about["classes"]),
                threshold=about["threshold"],
                model=Place.read(ModelSpec, about["model"]),
                sae=Place.read(SAESource, about["sae"]),
                features=about["features"],
                training=about["training"],
                **{name: load(content)[name] for name in TENSORS},
            )
        except (SafetensorError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(folder / ABOUT, f"{type(error).__name__}: {error}") from error

    def predict(self, table: FeatureTable) -> Prediction:
        """Classes of the rows of a table that holds this SAE's latents with this probe's pooling.

        Computed as in the comparison: the same estimators, in float32.
        """
        scaled, probe = self._scaled(table.matrix), self._pipeline[-1]
        labels = probe.predict(scaled)
        probabilities = probe.predict_proba(scaled)
        prefix = table.column_prefix
        leading = [
            [(f"{prefix}/{self.columns[j]}", value) for j, value in row]
            for row in largest(self._contributions(csr_matrix(scaled), labels), N_LEADING)
        ]
        return Prediction(self.classes, labels, probabilities, leading)

    def _scaled(self, matrix: csr_matrix):
        """[n, p] float32: the columns it reads, binarised where it was fitted so, scaled; dense unless that is huge."""
        if self.threshold is not None:
            matrix = binarise(matrix, self.threshold)
        matrix = matrix[:, self.columns]
        dense = matrix.shape[0] * matrix.shape[1] <= DENSE_CELLS
        return self._pipeline[0].transform(matrix.toarray() if dense else matrix)

    def _contributions(self, scaled: csr_matrix, labels: np.ndarray) -> csr_matrix:
        """[n, p]: what each column adds to the score of the row's label. Two classes have one row of weights, for the
        second; what speaks for the one speaks against the other."""
        weights = np.vstack([-self.coef, self.coef]) if len(self.coef) == 1 else self.coef
        rows = np.repeat(np.searchsorted(np.array(self.classes, dtype=object), labels), np.diff(scaled.indptr))
        return csr_matrix((scaled.data * weights[rows, scaled.indices], scaled.indices, scaled.indptr), scaled.shape)

    @cached_property
    def _pipeline(self):
        """The scaler and the probe as scikit-learn's pipeline has them after `fit`."""
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        scaler, probe = StandardScaler(with_mean=False), LogisticProbe(self.training["C"])
        scaler.scale_, scaler.n_features_in_ = self.scale, len(self.columns)
        probe.coef_, probe.intercept_, probe.n_features_in_ = self.coef, self.intercept, len(self.columns)
        probe.classes_ = np.array(self.classes, dtype=object)
        return make_pipeline(scaler, probe)


def largest(matrix: csr_matrix, n: int) -> list[list[tuple[int, float]]]:
    """(column, value) of the n entries of largest size in each row, largest first; of equal ones the lower column."""
    found = []
    for start, stop in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        columns, values = matrix.indices[start:stop], matrix.data[start:stop]
        order = np.lexsort((columns, -np.abs(values)))[:n]
        found.append([(int(columns[i]), float(values[i])) for i in order if values[i]])
    return found


def _digest(about: dict) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def _damaged(path: Path, why: str) -> MosaicError:
    return MosaicError(f"{path} is damaged: {why}. Copy the whole folder again, or fit the probe again with --save.")
